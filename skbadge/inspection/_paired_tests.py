"""Tests of pairs of strategies, setting by setting."""

from itertools import combinations
from typing import TYPE_CHECKING, Literal

import numpy as np
from scipy import stats

from skbadge._compat import StrOptions, validate_params
from skbadge.inspection._frame import (
    SETTING,
    Results,
    check_strategy,
    import_pandas,
    read_results,
    score_tables,
    select_metric,
)
from skbadge.inspection._shared_runs import AT, check_at, shared_runs
from skbadge.inspection._t_tests import one_sample_t, paired_differences
from skbadge.utils._ties import rounded

if TYPE_CHECKING:
    import pandas as pd

# Differences are as exact as this share of the greatest score.
_ROUNDING = 1e-12


@validate_params(
    {
        "metric": [str, None],
        "at": AT,
        "test": [StrOptions({"t", "wilcoxon"})],
        "correction": [StrOptions({"holm", "bonferroni", "fdr_bh"}), None],
        "baseline": [str, None],
    },
)
def paired_tests(
    frame: Results,
    *,
    metric: str | None = None,
    at: Literal["area", "final"] | int = "area",
    test: Literal["t", "wilcoxon"] = "t",
    correction: Literal["holm", "bonferroni", "fdr_bh"] | None = "holm",
    baseline: str | None = None,
) -> "pd.DataFrame":
    """Test whether strategies differ, over runs that share split and start.

    Parameters
    ----------
    frame : DataFrame, path to a CSV file, or object with ``to_frame()``
        Results, one row per evaluation and metric, with columns `dataset`, `model`,
        `strategy`, `n_query`, `repeat`, `n_labeled`, `metric` and `score`. Runs of one
        `repeat` share their split and start.

    metric : str or None, default=None
        Which metric; None where there is only one.

    at : {"area", "final"} or int, default="area"
        What to compare: the area under the curve divided by its range, the score at
        the last number of labels, or that at a given one.

    test : {"t", "wilcoxon"}, default="t"
        Student's test of the differences, or Wilcoxon's of their signed ranks. The
        p-value of the latter is at least ``2 / 2**n_repeats``: 0.0625 with five.

    correction : {"holm", "bonferroni", "fdr_bh"} or None, default="holm"
        For the number of tests, all rows of the result with a p-value: Holm's step-down
        or Bonferroni's bound on any false discovery, or Benjamini and Hochberg's on
        their rate.

    baseline : str or None, default=None
        Compares each strategy with this one; None compares all pairs.

    Returns
    -------
    tests : DataFrame
        One row per setting and pair: `dataset`, `model`, `n_query`, `metric`,
        `strategy`, `other`, `first` and `last` (labels that were compared),
        `mean_difference` (`strategy` minus `other`; above 0, `strategy` is better),
        `statistic`, `p_value` (two-sided), `p_adjusted`, `n_repeats` and `n_missing`
        (repeats that either strategy has, and that could not be paired).

    Raises
    ------
    ValueError
        If the frame or a parameter is not as described.

    Notes
    -----
    A pair is compared at the numbers of labels that both strategies have, in the
    repeats in which both runs are complete there. With fewer than two such repeats, or
    nowhere to compare, there is a row without a p-value. Runs that do not differ at all
    have ``p_value=1``; of those that differ by the same amount in each repeat,
    Student's statistic is infinite.

    Examples
    --------
    >>> import pandas as pd
    >>> from skbadge.inspection import paired_tests
    >>> scores = {"badge": [0.80, 0.82, 0.85], "random": [0.75, 0.78, 0.79]}
    >>> frame = pd.DataFrame([
    ...     {"strategy": name, "n_query": 100, "repeat": repeat, "n_labeled": 500,
    ...      "score": score}
    ...     for name, runs in scores.items()
    ...     for repeat, score in enumerate(runs)
    ... ])
    >>> tests = paired_tests(frame, at="final", baseline="random")
    >>> tests[["strategy", "mean_difference", "statistic", "p_value"]].round(3)
      strategy  mean_difference  statistic  p_value
    0    badge             0.05      8.66    0.013
    """
    pd = import_pandas()
    results, metric = select_metric(read_results(frame), metric)
    check_at(at, results)
    if baseline is not None:
        check_strategy("baseline", baseline, results)
    rows = [
        table.setting
        | {"metric": metric, "strategy": pair[0], "other": pair[1]}
        | _compare(table, pair, at, test)
        for table in score_tables(results)
        for pair in _pairs(table.strategies, baseline)
    ]
    numbers = ["mean_difference", "statistic", "p_value", "n_repeats", "n_missing"]
    tests = pd.DataFrame(
        rows,
        columns=[*SETTING, "metric", "strategy", "other", "first", "last", *numbers],
    ).astype({"first": "Int64", "last": "Int64"})
    adjusted = adjust(tests["p_value"].to_numpy(dtype=np.float64), correction)
    tests.insert(tests.columns.get_loc("p_value") + 1, "p_adjusted", adjusted)
    return tests


def adjust(p_values, correction):
    """Correct p-values for their number; NaN, not tested, stays and does not count."""
    adjusted = np.array(p_values, dtype=np.float64)
    tested = np.isfinite(adjusted)
    if correction is not None and tested.any():
        adjusted[tested] = CORRECTIONS[correction](adjusted[tested])
    return adjusted


def _holm(p_values):
    order = np.argsort(p_values)
    factors = np.arange(len(p_values), 0, -1)
    steps = np.maximum.accumulate(factors * p_values[order])
    adjusted = np.empty_like(p_values)
    adjusted[order] = np.minimum(steps, 1.0)
    return adjusted


def _bonferroni(p_values):
    return np.minimum(len(p_values) * p_values, 1.0)


# Benjamini and Hochberg's is the default of scipy's.
CORRECTIONS = {
    "holm": _holm,
    "bonferroni": _bonferroni,
    "fdr_bh": stats.false_discovery_control,
}


def _pairs(strategies, baseline):
    if baseline is None:
        return list(combinations(strategies, 2))
    if baseline not in strategies:
        return []
    return [(name, baseline) for name in strategies if name != baseline]


def _compare(table, pair, at, test):
    runs = shared_runs(table, pair, at)
    values = runs.values(at)
    differences = paired_differences(values)[0, 1]
    differences = differences[np.isfinite(differences)]
    scale = np.abs(values[np.isfinite(values)]).max(initial=0.0)
    mean, statistic, p_value = _test(differences, test, scale)
    n = len(differences)
    return runs.ends | {
        "mean_difference": mean,
        "statistic": statistic,
        "p_value": p_value,
        "n_repeats": n,
        "n_missing": runs.n_missing + values.shape[1] - n,
    }


def _test(differences, test, scale):
    mean, statistic, p_value, n = one_sample_t(differences)
    if n < 2:
        return mean, np.nan, np.nan
    if test == "wilcoxon" and scale > 0:
        # Those that differ by rounding only are tied, in any unit of the scores.
        differences = rounded(differences / scale, quantum=_ROUNDING)
    if not differences.any():
        return 0.0, np.nan, 1.0
    if test == "wilcoxon":
        statistic, p_value = stats.wilcoxon(differences)
    return mean, statistic, p_value
