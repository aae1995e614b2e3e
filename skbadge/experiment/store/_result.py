"""What an experiment found, as a tidy table."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from skbadge.inspection._frame import COLUMNS as READ
from skbadge.inspection._frame import OPTIONAL, TIMES
from skbadge.utils._optional import import_optional

if TYPE_CHECKING:
    import pandas as pd

# What functions of results read, and what they do not.
COLUMNS = (*READ, *OPTIONAL)
_RUN = COLUMNS[:5]


@dataclass(frozen=True, eq=False, repr=False)
class ExperimentResult:
    """Scores and times of simulated runs.

    Parameters
    ----------
    records : list of dict
        One for each evaluation and metric: the rows of `to_frame`.

    failures : list of dict
        One for each run that failed: the rows of `failures_frame`.

    Attributes
    ----------
    records, failures
        As above.
    """

    records: list[dict]
    failures: list[dict] = field(default_factory=list)

    def to_frame(self) -> "pd.DataFrame":
        """One row for each evaluation and metric.

        Returns
        -------
        frame : pandas.DataFrame
            With the columns ``dataset``, ``model``, ``strategy``; ``n_query``, the rows
            asked for in a round; ``repeat``, equal for runs with the same split and
            start; ``n_labeled``; ``metric`` and ``score``, the greater the better;
            ``fit_time``, ``query_time`` and ``score_time`` in seconds.
        """
        return _table(self.records, COLUMNS)

    def failures_frame(self) -> "pd.DataFrame":
        """One row for each run that failed.

        Returns
        -------
        frame : pandas.DataFrame
            With the columns that name the run, ``n_labeled`` at its last evaluation,
            and its ``error``.
        """
        columns = (*COLUMNS[:6], "error")
        return _table(self.failures, columns)[list(columns)]

    def summary(self) -> "pd.DataFrame":
        """Mean and standard error of the scores at the end of the runs.

        Returns
        -------
        table : pandas.DataFrame
            One row for each strategy in each setting, of its runs that reach the
            last number of labels; none for one that always stopped before.
        """
        return summary_of(self.to_frame())

    def __repr__(self):
        runs = {tuple(record[name] for name in _RUN) for record in self.records}
        return (
            f"<{type(self).__name__}: {len(runs)} runs, of which "
            f"{len(self.failures)} failed>"
        )

    def __str__(self):
        lines = [self.summary().to_string(float_format="{:.4g}".format)]
        lines += [
            f"failed: {each['strategy']}, repeat {each['repeat']}: {each['error']}"
            for each in self.failures
        ]
        return "\n".join(lines)

    def _repr_html_(self):
        html = as_html(self.summary())
        if self.failures:
            table = self.failures_frame().to_html(index=False, border=0)
            html += f"<p>Failed runs:</p>{table}"
        return html


def summary_of(frame):
    """Mean and standard error of the scores at the end of the runs in a frame.

    One row for each strategy in each setting, with the mean times of a round.
    """
    setting = ["dataset", "model", "n_query", "metric"]
    last = frame.groupby(setting, sort=False)["n_labeled"].transform("max")
    groups = frame[frame["n_labeled"] == last].groupby(
        [*setting, "strategy", "n_labeled"], sort=False
    )
    table = groups["score"].agg(["mean", "sem", "count"])
    times = frame.groupby([*setting, "strategy"], sort=False)
    runs = table.index.droplevel("n_labeled")
    for name in ("fit_time", "query_time"):
        table[name] = times[name].mean().reindex(runs).to_numpy()
    return table.rename(columns={"count": "n_repeats"}).reset_index("n_labeled")


def as_html(table):
    """A table of results for notebooks."""
    return table.to_html(float_format="{:.4g}".format, border=0)


def evaluation_records(evaluation, labels):
    """The rows of an evaluation of a run in the tidy table, one for each metric."""
    times = {name: getattr(evaluation, name) for name in TIMES}
    return [
        {
            **labels,
            "n_labeled": evaluation.n_labeled,
            "metric": metric,
            "score": score,
            **times,
        }
        for metric, score in evaluation.scores.items()
    ]


def _table(records, columns):
    pd = import_optional("pandas", extra="plot", purpose="A frame")
    return pd.DataFrame.from_records(records, columns=None if records else columns)
