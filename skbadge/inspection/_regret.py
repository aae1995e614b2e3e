"""What a strategy loses against the best one of each setting."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from math import comb
from numbers import Integral
from typing import TYPE_CHECKING

import numpy as np
from sklearn.utils import check_random_state

from skbadge._compat import Interval, validate_params
from skbadge.inspection._frame import (
    Results,
    import_pandas,
    read_results,
    select_metric,
    skipped_frame,
)
from skbadge.inspection._printed import Printed, left_out
from skbadge.inspection._shared_runs import (
    comparable_settings,
    strategies_to_compare,
)
from skbadge.inspection._t_tests import paired_differences
from skbadge.utils._typing import RandomState

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False, repr=False)
class Regret(Printed):
    """What strategies lose against the best of each setting, see `regret`.

    Attributes
    ----------
    metric : str
        What was compared.

    table : DataFrame
        One row per strategy and `at` ("area" or "final"), the least `mean` of the area
        first: `strategy`, `at`; `mean`, `median` and `worst` of the regret
        over settings; `cross_mean`, `cross_median` and `cross_worst`, the same of the
        cross-fitted regret; `n_best`, settings in which it has the best mean; and
        `n_settings`.

    by_setting : DataFrame
        One row per setting, strategy and `at`: `dataset`, `model`, `n_query`,
        `strategy`, `at`, `score` (mean over repeats), `best` (the strategy with the
        greatest), `regret`, `regret_cross`, `first` and `last` (labels that were
        compared) and `n_repeats`.

    skipped : DataFrame
        What was left out: `dataset`, `model`, `n_query`, `n_labeled`, `strategy`,
        `other` and the `reason`.
    """

    metric: str
    table: "pd.DataFrame"
    by_setting: "pd.DataFrame"
    skipped: "pd.DataFrame"

    def __repr__(self):
        n = self.table["n_settings"].iloc[0]
        k = self.table["strategy"].nunique()
        return f"<{type(self).__name__} of {self.metric}: {k} strategies, {n} settings>"

    def _title(self):
        return f"Regret by {self.metric}: what is lost against the best of each setting"

    def _table(self):
        return self.table.set_index(["strategy", "at"]).round(4)

    def _notes(self):
        return left_out(self.skipped)


@validate_params(
    {
        "metric": [str, None],
        "strategies": ["array-like", None],
        "n_splits": [Interval(Integral, 1, None, closed="left")],
        "random_state": ["random_state"],
    },
)
def regret(
    frame: Results,
    *,
    metric: str | None = None,
    strategies: Sequence[str] | None = None,
    n_splits: int = 1000,
    random_state: RandomState = None,
) -> Regret:
    """Measure what you lose if you always take one strategy.

    In each setting, a data set, a model and a number of rows asked for per round, the
    regret of a strategy is the mean score of the best strategy there minus its own: 0
    for the best, and never below.

    Parameters
    ----------
    frame : DataFrame, path to a CSV file, or object with ``to_frame()``
        Results, one row per evaluation and metric, with columns `dataset`, `model`,
        `strategy`, `n_query`, `repeat`, `n_labeled`, `metric` and `score` (greater is
        better). Runs of one `repeat` share their split and start.

    metric : str or None, default=None
        Which metric; None where there is only one.

    strategies : sequence of str or None, default=None
        Among which strategies to choose; None for all. Settings that lack one of them
        are left out, so that fewer strategies may mean more settings.

    n_splits : int, default=1000
        Splits of the repeats of a setting for `regret_cross`, at least 1. Where there
        are no more than so many, each is taken once, and nothing is random.

    random_state : int, RandomState or None, default=None
        Draws the splits.

    Returns
    -------
    regret : Regret
        Regrets by strategy and by setting, in units of the score.

    Raises
    ------
    ValueError
        If the frame or a parameter is not as described, or no setting has all
        strategies.

    See Also
    --------
    mean_ranks : How often strategies are better, and not by how much.

    Notes
    -----
    The best of several noisy means is in part the luckiest, so that `regret` is too
    large on average: strategies that do not differ at all have a regret above 0. For
    `regret_cross` the best strategy is chosen on one half of the repeats, and compared
    on the other, and the other way round; the mean over splits is without that luck. It
    may be negative. As half of the repeats may choose wrongly, it is too small on
    average where strategies are close. In expectation the true regret lies between the
    two. With one repeat `regret_cross` is NaN.

    Both are computed twice: of the area under the curve divided by its range, and of
    the score at the last number of labels; both over the numbers of labels that all
    strategies have, in repeats in which all their runs are complete there.

    It takes O(n_settings * n_strategies * n_repeats * n_splits) operations.

    Examples
    --------
    >>> import pandas as pd
    >>> from skbadge.inspection import regret
    >>> scores = {"easy": {"badge": 0.9, "random": 0.9},
    ...           "hard": {"badge": 0.8, "random": 0.6}}
    >>> frame = pd.DataFrame([
    ...     {"dataset": data, "strategy": name, "n_query": 100, "repeat": repeat,
    ...      "n_labeled": n_labeled, "score": score + 0.01 * repeat}
    ...     for data, by_name in scores.items()
    ...     for name, score in by_name.items()
    ...     for n_labeled in (100, 200)
    ...     for repeat in range(4)
    ... ])
    >>> table = regret(frame).table
    >>> table[["strategy", "at", "mean", "worst", "cross_mean", "n_best"]].round(3)
      strategy     at  mean  worst  cross_mean  n_best
    0    badge   area   0.0    0.0         0.0       2
    1    badge  final   0.0    0.0         0.0       2
    2   random   area   0.1    0.2         0.1       1
    3   random  final   0.1    0.2         0.1       1
    """
    pd = import_pandas()
    results, metric = select_metric(read_results(frame), metric)
    names = strategies_to_compare(strategies, results)
    rng = check_random_state(random_state)
    settings, skipped = comparable_settings(results, names, "area")
    by_setting = pd.DataFrame(
        [
            row
            for setting in settings
            for at in ("area", "final")
            for row in _rows(setting, names, at, n_splits, rng)
        ]
    )
    return Regret(metric, _table(by_setting), by_setting, skipped_frame(skipped))


def _rows(setting, names, at, n_splits, rng):
    values = setting.values(at)
    scores = values.mean(axis=1)
    # (n_strategies, n_strategies): the row's score minus the column's.
    regrets = paired_differences(scores[:, None])[..., 0].max(axis=0)
    columns = {
        "strategy": names,
        "score": scores,
        "regret": regrets,
        "regret_cross": _cross_fitted(values, n_splits, rng),
    }
    common = {"at": at, "best": names[np.argmin(regrets)]}
    common |= setting.ends | {"n_repeats": values.shape[1]}
    return [
        setting.setting | dict(zip(columns, row, strict=True)) | common
        for row in zip(*columns.values(), strict=True)
    ]


def _cross_fitted(values, n_splits, rng):
    """Regret against the strategy that the other repeats choose, a mean over splits.

    Of values of shape (n_strategies, n_repeats): an array of shape (n_strategies,).
    """
    if values.shape[1] < 2:
        return np.full(len(values), np.nan)
    halves = _halves(values.shape[1], n_splits, rng)
    regrets = []
    for choosing in (halves, ~halves):
        measuring = ~choosing
        means = values @ choosing / choosing.sum(axis=0)
        is_best = (paired_differences(means) >= 0).all(axis=1)
        shares = is_best / is_best.sum(axis=0)  # equally good ones share the choice
        means = values @ measuring / measuring.sum(axis=0)
        regrets.append(((shares * means).sum(axis=0) - means).mean(axis=1))
    return np.mean(regrets, axis=0)


def _halves(n_repeats, n_splits, rng):
    """One half of the repeats in each split, of shape (n_repeats, n_splits)."""
    size = n_repeats // 2
    if comb(n_repeats, size) <= n_splits:
        members = np.array(list(combinations(range(n_repeats), size)))
    else:
        keys = rng.uniform(size=(n_splits, n_repeats))
        members = np.argsort(keys, axis=1)[:, :size]
    halves = np.zeros((n_repeats, len(members)), dtype=bool)
    halves[members, np.arange(len(members))[:, None]] = True
    return halves


def _table(by_setting):
    groups = by_setting.groupby(["strategy", "at"], sort=True)
    table = groups["regret"].agg(["mean", "median", "max"])
    table = table.rename(columns={"max": "worst"})
    cross = groups["regret_cross"].agg(["mean", "median", "max"])
    table[["cross_mean", "cross_median", "cross_worst"]] = cross
    table["n_best"] = groups["regret"].agg(lambda regrets: (regrets == 0).sum())
    table["n_settings"] = groups.size()
    # A strategy's rows lie together, in order of its area.
    order = table["mean"].xs("area", level="at").sort_values(kind="stable").index
    return table.loc[order].reset_index()
