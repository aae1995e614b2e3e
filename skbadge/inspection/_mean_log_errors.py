"""Means of the logarithms of errors, over steps, runs and data sets."""

from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Integral, Real
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

import numpy as np

from skbadge._compat import Interval, Options, StrOptions, validate_params
from skbadge.inspection._frame import (
    Results,
    check_choice,
    check_strategy,
    import_pandas,
    read_results,
    score_tables,
    skipped_frame,
)
from skbadge.inspection._printed import Printed, left_out

if TYPE_CHECKING:
    import pandas as pd

TINY = float(np.finfo(np.float64).tiny)
_GROUP = ["model", "n_query", "metric"]


@dataclass(frozen=True, eq=False, repr=False)
class MeanLogErrors(Printed):
    """Means of log errors, see `mean_log_errors`.

    Attributes
    ----------
    baseline : str
        The strategy that others are relative to.

    table : DataFrame
        One row per model, n_query, metric and strategy, over all data sets.

    by_dataset : DataFrame
        One row per data set, model, n_query, metric and strategy.

    skipped : DataFrame
        What was left out: `metric`, `dataset`, `model`, `n_query`, `n_labeled`,
        `strategy`, `other` and the `reason`.
    """

    baseline: str
    table: "pd.DataFrame"
    by_dataset: "pd.DataFrame"
    skipped: "pd.DataFrame"

    _format = MappingProxyType({"float_format": "{:.3f}".format})

    def ratios(self) -> "pd.DataFrame":
        """Errors relative to the baseline's, a strategy a row and a metric a column.

        Returns
        -------
        ratios : DataFrame of shape (n_strategies, n_metrics)
            Column `ratio` of `table`. Rows are ``model``, ``n_query`` and ``strategy``.
        """
        names = ["model", "n_query", "strategy"]
        return self.table.pivot(index=names, columns="metric", values="ratio")

    def __repr__(self):
        n = self.by_dataset["dataset"].nunique()
        return f"<{type(self).__name__} of {len(self.table)} curves, {n} data sets>"

    def _table(self):
        return self.ratios()

    def _title(self):
        return f"Errors divided by those of {self.baseline!r}, geometric mean"

    def _notes(self):
        notes = left_out(self.skipped)
        if n := int(self.by_dataset["n_floored"].sum()):
            notes.append(f"{n} errors were raised to the floor.")
        return notes


@validate_params(
    {
        "metric": [str, list, tuple, None],
        "baseline": [str],
        "at": [StrOptions({"mean", "final"})],
        "floor": [Interval(Real, 0, None, closed="neither")],
        "ddof": [Options(Integral, {0, 1})],
    },
)
def mean_log_errors(
    frame: Results,
    *,
    metric: str | Sequence[str] | None = None,
    baseline: str = "random",
    at: Literal["mean", "final"] = "mean",
    floor: float = TINY,
    ddof: Literal[0, 1] = 1,
) -> MeanLogErrors:
    """Mean over data sets of the mean over repeats and steps of the log of an error.

    The summary of the benchmark for deep batch active learning for regression [1]_.
    Logarithms make errors of data sets comparable: a difference of means does not
    depend on the units of the targets, and its exponential is the ratio of geometric
    means.

    Parameters
    ----------
    frame : DataFrame, path to a CSV file, or object with ``to_frame()``
        Results, one row per evaluation and metric, with columns `dataset`, `model`,
        `strategy`, `n_query`, `repeat`, `n_labeled`, `metric` and `score`, which is
        minus the error. Runs of one `repeat` share their split and start.

    metric : str, list of str or None, default=None
        Which metrics; None for all that have no score above 0.

    baseline : str, default="random"
        The strategy that others are relative to.

    at : {"mean", "final"}, default="mean"
        The mean over all steps but the start, which all strategies share, or the last.

    floor : float, default=2.2e-308
        Smaller errors are raised to it, for zero has no logarithm, and counted in
        ``n_floored``. One error raised to the default, the smallest normal number,
        decides a mean: look at the count.

    ddof : {0, 1}, default=1
        Standard deviations divide by ``n - ddof``; 1 is unbiased. The tables of the
        benchmark's code have 0, its learning curves 1.

    Returns
    -------
    errors : MeanLogErrors
        Its ``by_dataset`` has, for each data set,

        - `mean_log`: mean over runs of the mean over steps of ln(error), and `sem`, its
          standard error over runs;
        - `difference`: mean over repeats of `mean_log` minus the baseline's, below 0 is
          better, `difference_sem`, and `ratio`, its exponential;
        - `n_repeats`, `n_pairs`, `n_incomplete`: runs in the mean, those paired with
          the baseline's, and those left out as they lack a step or hold a score that is
          not finite; `n_steps`, `n_floored`.

        Its ``table`` has, over data sets,

        - `mean_log`: their mean; NaN if the strategy lacks a data set that another one
          has, for easy data sets alone make a low mean; `sem`: its standard error with
          these data sets given, ``norm(sem over runs) / n_datasets``;
        - `difference`: mean over the `n_datasets` that have one, `ratio`, and two
          standard errors: `difference_sem_fixed`, with these data sets given, and
          `difference_sem`, as if they were a sample of data sets.

    Raises
    ------
    ValueError
        If the frame or a parameter is not as described.

    Notes
    -----
    Steps are the numbers of labels, but for the least, at which any run of the setting
    was evaluated. A run counts if it has all of them.

    The benchmark subtracts means over all runs; here differences are means over the
    repeats that both strategies have. That is the same if no run is missing.

    References
    ----------
    .. [1] Holzmüller, Zaverkin, Kästner, Steinwart. "A framework and benchmark for
       deep batch active learning for regression". JMLR 24, 2023.

    Examples
    --------
    >>> import pandas as pd
    >>> from skbadge.inspection import mean_log_errors
    >>> errors = {"lcmd": [4.0, 2.0, 1.0], "random": [4.0, 2.0, 2.0]}
    >>> frame = pd.DataFrame([
    ...     {"strategy": name, "n_query": 10, "repeat": 0, "n_labeled": 10 * (i + 1),
    ...      "metric": "neg_mean_absolute_error", "score": -error}
    ...     for name, curve in errors.items()
    ...     for i, error in enumerate(curve)
    ... ])
    >>> table = mean_log_errors(frame).table
    >>> table[["strategy", "mean_log", "difference", "ratio"]].round(3)
      strategy  mean_log  difference  ratio
    0     lcmd     0.347      -0.347  0.707
    1   random     0.693       0.000  1.000
    """
    pd = import_pandas()
    results = read_results(frame)
    check_strategy("baseline", baseline, results)
    metrics, skipped = error_metrics(results, metric)
    rows = []
    for name in metrics:
        for table in score_tables(results[results["metric"] == name]):
            found, left_out = _of_setting(table, baseline, at, floor, ddof)
            rows += [table.setting | {"metric": name} | row for row in found]
            skipped += [table.setting | {"metric": name} | row for row in left_out]
    by_dataset = pd.DataFrame(rows)
    groups = by_dataset.groupby(_GROUP, sort=True)
    table = pd.DataFrame(
        [
            dict(zip(_GROUP, key, strict=True)) | row
            for key, group in groups
            for row in _over_datasets(group, ddof)
        ]
    )
    return MeanLogErrors(baseline, table, by_dataset, _skipped(skipped))


def error_metrics(results, metric=None):
    """Metrics that are negated errors, at least one; the others, with the reason.

    They are those named, or for None all that have no score above 0. It is a ValueError
    if one is not there or has scores above 0, or there is none.
    """
    finite = results[np.isfinite(results["score"])]
    best = finite.groupby("metric")["score"].max()
    if metric is not None:
        metrics = [metric] if isinstance(metric, str) else list(metric)
        for name in metrics:
            check_choice("metric", name, sorted(results["metric"].unique()))
            if best.get(name, 0) > 0:
                raise ValueError(
                    "`metric` must be a negated error, whose scores are at most 0. "
                    f"{name!r} has a score of {best[name]}."
                )
        if metrics:
            return metrics, []
    metrics = sorted(best.index[best <= 0])
    if not metrics or metric is not None:
        raise ValueError(
            "`metric` must name negated errors, at least one. There are "
            f"{metrics} among {sorted(results['metric'].unique())}."
        )
    reason = "scores above 0, or none: no negated error"
    others = sorted(set(results["metric"]) - set(metrics))
    return metrics, [{"metric": name, "reason": reason} for name in others]


def _run_means(table, at, floor):
    """Mean log error of each run of a setting, errors raised, and number of steps.
    The means are over all numbers of labels but the first ("mean"), or the last
    ("final"), of shape (n_strategies, n_repeats), and NaN for runs that lack a step.
    Errors of complete runs that were raised to the floor are counted by strategy.
    """
    reached = np.isfinite(table.scores[..., 1:]).any(axis=(0, 1))
    steps = 1 + np.flatnonzero(reached)
    steps = steps[-1:] if at == "final" else steps
    errors = -table.scores[:, :, steps]
    complete = np.isfinite(errors).all(axis=2) & (len(steps) > 0)
    is_low = complete[..., None] & (errors < floor)
    logs = np.log(np.where(complete[..., None], np.maximum(errors, floor), 1.0))
    means = logs.sum(axis=2) / max(len(steps), 1)
    return np.where(complete, means, np.nan), is_low.sum(axis=(1, 2)), len(steps)


def _of_setting(table, baseline, at, floor, ddof):
    """Rows of the strategies of one data set, and what was left out."""
    means, n_floored, n_steps = _run_means(table, at, floor)
    has_rows = np.isfinite(table.scores).any(axis=2)
    reference = np.full(len(table.repeats), np.nan)
    if baseline in table.strategies:
        reference = means[table.strategies.index(baseline)]
    rows, skipped = [], []
    for i, strategy in enumerate(table.strategies):
        mean, sem, n = _mean_and_sem(means[i], ddof)
        difference, difference_sem, n_pairs = _mean_and_sem(means[i] - reference, ddof)
        n_incomplete = int((has_rows[i] & np.isnan(means[i])).sum())
        rows.append(
            {
                "strategy": strategy,
                "mean_log": mean,
                "sem": sem,
                "difference": difference,
                "difference_sem": difference_sem,
                "ratio": np.exp(difference),
                "n_repeats": n,
                "n_pairs": n_pairs,
                "n_incomplete": n_incomplete,
                "n_steps": n_steps,
                "n_floored": int(n_floored[i]),
            }
        )
        if n_incomplete:
            reason = f"{n_incomplete} runs lack a step or a finite score"
            skipped.append({"strategy": strategy, "reason": reason})
        if n_pairs == 0:
            reason = f"no repeat that is complete for it and {baseline!r}"
            skipped.append({"strategy": strategy, "reason": reason})
    return rows, skipped


def _mean_and_sem(values, ddof):
    """Mean of the finite values, its standard error (NaN for too few), and how many."""
    values = values[np.isfinite(values)]
    n = len(values)
    if n == 0:
        return np.nan, np.nan, 0
    sem = values.std(ddof=ddof) / np.sqrt(n) if n > ddof else np.nan
    return float(values.mean()), float(sem), n


def _over_datasets(group, ddof):
    """Rows over the data sets of one model, n_query and metric."""
    n_datasets = group["dataset"].nunique()
    for strategy, rows in group.groupby("strategy", sort=True):
        has_mean = rows["mean_log"].notna()
        is_complete = has_mean.sum() == n_datasets
        pairs = rows[rows["difference"].notna()]
        difference, difference_sem, n = _mean_and_sem(
            pairs["difference"].to_numpy(), ddof
        )
        yield {
            "strategy": strategy,
            "mean_log": rows["mean_log"].mean() if is_complete else np.nan,
            "sem": _fixed_sem(rows["sem"]) if is_complete else np.nan,
            "difference": difference,
            "difference_sem_fixed": _fixed_sem(pairs["difference_sem"]),
            "difference_sem": difference_sem,
            "ratio": np.exp(difference),
            "n_datasets": n,
            "n_repeats": int(pairs["n_pairs"].min()) if n else 0,
            "n_floored": int(rows["n_floored"].sum()),
        }


def _fixed_sem(sems):
    """Standard error of a mean over given data sets, each with its own."""
    return float(np.linalg.norm(sems) / len(sems)) if len(sems) else np.nan


def _skipped(rows):
    skipped = skipped_frame(rows)
    skipped.insert(0, "metric", [row["metric"] for row in rows])
    return skipped
