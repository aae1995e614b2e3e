"""Results of experiments as one checked frame, and as arrays of scores."""

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from skbadge.utils._formulas import with_formula
from skbadge.utils._optional import import_optional
from skbadge.utils._whole_file import damage_refused

if TYPE_CHECKING:
    import pandas as pd


SETTING = ["dataset", "model", "n_query"]
KEY = [*SETTING, "strategy", "repeat", "n_labeled", "metric"]
REQUIRED = ["strategy", "n_query", "repeat", "n_labeled", "score"]
# What stands for a column that somebody else's results may lack. The times are unknown
# then, and an unknown number is NaN.
DEFAULTS = {
    "dataset": "data",
    "model": "model",
    "metric": "score",
    "fit_time": np.nan,
    "query_time": np.nan,
}
NAMES = ["dataset", "model", "strategy", "metric"]
COUNTS = ["n_query", "repeat", "n_labeled"]
NUMBERS = ["score", "fit_time", "query_time"]
# Numbers where they are there. Nothing needs them.
OPTIONAL = ["score_time"]
TIMES = [*NUMBERS[1:], *OPTIONAL]
_NOT_A_NUMBER = ["", "NA", "NaN", "nan", "None"]
COLUMNS = ["dataset", "model", "strategy", *COUNTS, "metric", *NUMBERS]


class HasFrame(Protocol):
    """Something that shows itself as a frame, such as an `ExperimentResult`."""

    def to_frame(self) -> "pd.DataFrame": ...


# What all functions of results take.
Results: TypeAlias = "pd.DataFrame | str | os.PathLike | HasFrame"


@dataclass(frozen=True, eq=False)
class ScoreTable:
    """Scores of one setting, as an array.

    Attributes
    ----------
    setting : dict of str
        Its ``dataset``, ``model`` and ``n_query``.

    strategies : list of str
        Sorted.

    repeats, n_labeled : ndarray of shape (n_repeats,), (n_labeled,)
        int64, ascending.

    scores : ndarray of shape (n_strategies, n_repeats, n_labeled)
        float64; NaN where there is no evaluation, or its score is not finite.
    """

    setting: dict
    strategies: list[str]
    repeats: NDArray[np.int64]
    n_labeled: NDArray[np.int64]
    scores: NDArray[np.float64]

    def of(self, strategy):
        """Scores of one strategy, of shape (n_repeats, n_labeled)."""
        return self.scores[self.strategies.index(strategy)]


def read_results(frame):
    """Results of experiments in the form all functions here work on.

    Parameters
    ----------
    frame : DataFrame, path to a CSV file, or object with ``to_frame()``
        One row per evaluation and metric. `strategy`, `n_query`, `repeat`, `n_labeled`
        and `score` are required; `dataset`, `model` and `metric` may be missing where
        there is only one, and `fit_time` and `query_time` where they are unknown.

    Returns
    -------
    results : DataFrame
        A new one: the columns named above first, then those of the caller; names as
        str, counts as int64, scores and times as float64; sorted, so that nothing
        computed from it depends on the order of rows.

    Raises
    ------
    TypeError
        If ``frame`` is none of these.

    ValueError
        If it is empty, lacks a column, holds a value of the wrong kind, or two scores
        of one metric for the same evaluation.
    """
    # An index may have the name of a column, which nothing could sort by then.
    results = load(frame).reset_index(drop=True)
    several = results.columns[results.columns.duplicated()]
    if len(several):
        raise ValueError(f"`frame` must have one column {several[0]!r}. Got several.")
    missing = [name for name in REQUIRED if name not in results.columns]
    if missing:
        raise ValueError(
            f"`frame` must have the columns {', '.join(REQUIRED)}. "
            f"Missing: {', '.join(missing)}."
        )
    if results.empty:
        raise ValueError("`frame` must hold at least one row. Got none.")
    results = results.assign(
        **{name: x for name, x in DEFAULTS.items() if name not in results.columns}
    )
    extra = [name for name in results.columns if name not in COLUMNS]
    results = results[COLUMNS + extra]
    columns = {name: _as_names(results[name]) for name in NAMES}
    columns |= {name: _as_counts(results[name]) for name in COUNTS}
    numbers = [*NUMBERS, *(name for name in OPTIONAL if name in extra)]
    columns |= {name: _numeric(results[name]).astype(np.float64) for name in numbers}
    results = results.assign(**columns).sort_values(KEY, ignore_index=True)
    twice = results.duplicated(KEY)
    if twice.any():
        first = results.loc[twice.idxmax(), KEY].to_dict()
        hint = ""
        if "run" in results and not results.duplicated([*KEY, "run"]).any():
            hint = (
                " They are of runs with different settings: `skbadge run` with "
                "--drop-stale leaves the old ones out of the file."
            )
        raise ValueError(
            "`frame` must hold one score per evaluation and metric. "
            f"{twice.sum()} rows repeat another, the first for {first}.{hint}"
        )
    return results


def select_metric(results, metric=None):
    """Rows of one metric, and its name.

    None is enough where there is only one; else it is an error, as is one that is not
    there.
    """
    metrics = sorted(results["metric"].unique())
    if metric is None and len(metrics) == 1:
        metric = metrics[0]
    check_choice("metric", metric, metrics)
    return results[results["metric"] == metric].reset_index(drop=True), metric


def score_tables(results):
    """A `ScoreTable` of each dataset, model and n_query, in order, of one metric."""
    tables = []
    for setting, rows in results.groupby(SETTING, sort=True):
        strategies, i = np.unique(
            rows["strategy"].to_numpy(object), return_inverse=True
        )
        repeats, j = np.unique(rows["repeat"].to_numpy(), return_inverse=True)
        n_labeled, k = np.unique(rows["n_labeled"].to_numpy(), return_inverse=True)
        scores = np.full([len(strategies), len(repeats), len(n_labeled)], np.nan)
        values = rows["score"].to_numpy()
        scores[i, j, k] = np.where(np.isfinite(values), values, np.nan)
        setting = dict(zip(SETTING, setting, strict=True))
        tables.append(
            ScoreTable(setting, strategies.tolist(), repeats, n_labeled, scores)
        )
    return tables


def non_finite_rows(results):
    """What is left out because its score is not a finite number, one dict a row."""
    rows = results[~np.isfinite(results["score"])]
    return [
        {name: row[name] for name in [*SETTING, "n_labeled", "strategy"]}
        | {"reason": f"score {row['score']} in repeat {row['repeat']}"}
        for row in rows.to_dict("records")
    ]


def skipped_frame(rows):
    """Frame of what was left out and why, with ``n_labeled`` as Int64.

    Each row has a reason; what it does not name holds for all of a setting.
    """
    pd = import_pandas()
    skipped = pd.DataFrame(
        rows, columns=[*SETTING, "n_labeled", "strategy", "other", "reason"]
    )
    names = ["strategy", "other"]
    skipped[names] = skipped[names].astype(object)
    skipped[names] = skipped[names].where(skipped[names].notna(), None)
    return skipped.astype({"n_query": "Int64", "n_labeled": "Int64"})


def complete_runs(scores):
    """Which runs reach everything that a run of the same strategy reaches.

    A mean over runs that stop at different points compares different runs at different
    points: the runs that stopped early are those that went wrong, and a mean over what
    is left has a jump where they end. So curves are means over complete runs.

    Of scores of shape (..., n_repeats, n_labeled), NaN where there is none: whether
    each run is complete, of shape (..., n_repeats), and whether any run reaches each
    number of labels, of shape (..., n_labeled).
    """
    finite = np.isfinite(scores)
    reached = finite.any(axis=-2)
    complete = (finite | ~reached[..., None, :]).all(axis=-1)
    return complete & reached.any(axis=-1, keepdims=True), reached


def mean_curve(scores):
    """Mean over complete runs at each number of labels, and how many runs these are.
    Of scores of shape (..., n_repeats, n_labeled): the curve, of shape (...,
    n_labeled), is NaN where no run reaches, and everywhere if no run is complete.
    """
    complete, reached = complete_runs(scores)
    n_repeats = complete.sum(axis=-1)
    kept = np.where(complete[..., None] & reached[..., None, :], scores, 0.0)
    defined = reached & (n_repeats[..., None] > 0)
    curve = kept.sum(axis=-2) / np.maximum(n_repeats, 1)[..., None]
    return np.where(defined, curve, np.nan), n_repeats


def check_choice(name, value, choices):
    """Refuse a value that is not among those there are."""
    if value not in choices:
        raise ValueError(
            f"`{name}` must be one of {', '.join(map(repr, choices))}. "
            f"Got {value!r} instead."
        )


def check_strategy(name, value, results):
    """Refuse a strategy that has no row."""
    check_choice(name, value, sorted(results["strategy"].unique()))


def import_pandas():
    """Pandas, or an error that says how to install it."""
    return import_optional("pandas", extra="plot", purpose="A frame of results")


def load(frame):
    """The table behind any kind of results, see `read_results`, not checked yet."""
    pd = import_pandas()
    if isinstance(frame, pd.DataFrame):
        return frame
    if isinstance(frame, str | os.PathLike):
        # By default pandas takes a strategy that is called "None" for a missing value.
        with damage_refused(frame):
            table = pd.read_csv(
                frame,
                # That of a file of `run_benchmark`, too, may look like a number.
                dtype=dict.fromkeys([*NAMES, "run"], str),
                keep_default_na=False,
                na_values=dict.fromkeys([*NUMBERS, *OPTIONAL], _NOT_A_NUMBER),
            )
        # Exports put an apostrophe before what spreadsheets take for a formula.
        names = [name for name in NAMES if name in table]
        return table.assign(**{name: table[name].map(with_formula) for name in names})
    if hasattr(frame, "to_frame") and not isinstance(frame, pd.Series | pd.Index):
        return load(frame.to_frame())
    hint = ": pass its `to_pandas()`" if hasattr(frame, "to_pandas") else ""
    raise TypeError(
        "`frame` must be a pandas DataFrame, a path to a CSV file or an object with "
        f"`to_frame()`. Got {type(frame).__name__} instead{hint}."
    )


def _as_names(column):
    if column.isna().any():
        raise ValueError(
            f"`frame` must have a {column.name} in each row. "
            f"Missing in {column.isna().sum()} of {len(column)}."
        )
    # Not categories: groups would appear for those that do not occur.
    return column.astype(object).map(str).astype(str)


def _as_counts(column):
    values = _numeric(column)
    floats = values.astype(np.float64)
    is_count = (floats == np.floor(floats)) & (floats >= 0) & (floats < 2.0**63)
    if not is_count.all():
        raise ValueError(
            f"The column {column.name} must hold whole numbers >= 0 and < 2**63. "
            f"Got {column[~is_count].iloc[0]!r} among them."
        )
    # Those of repeats may be seeds, which floats would round.
    return values.astype(np.int64)


def _numeric(column):
    pd = import_pandas()
    try:
        values = pd.to_numeric(column)
        values.astype(np.float64)
        return values
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"The column {column.name} must hold numbers. {error}."
        ) from error
