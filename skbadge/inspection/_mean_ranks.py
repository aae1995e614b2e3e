"""Mean ranks of strategies over data sets, and which of them differ."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations
from math import exp, factorial, lgamma
from numbers import Real
from typing import TYPE_CHECKING, Literal

import numpy as np
from scipy import stats

from skbadge._compat import Interval, StrOptions, validate_params
from skbadge.inspection._frame import (
    SETTING,
    Results,
    import_pandas,
    read_results,
    select_metric,
    skipped_frame,
)
from skbadge.inspection._printed import Printed, left_out
from skbadge.inspection._shared_runs import (
    AT,
    check_at,
    comparable_settings,
    strategies_to_compare,
)
from skbadge.inspection._t_tests import paired_differences

if TYPE_CHECKING:
    import pandas as pd

_ROUNDING = 1e-12
# Decimals to which ranks and their sums are told apart.
_DECIMALS = 9
# Sums of ranks that the exact law of Friedman's statistic may look at in one step.
_MOST_SUMS = 200_000


@dataclass(frozen=True, eq=False, repr=False)
class MeanRanks(Printed):
    """Mean ranks and their tests, see `mean_ranks`.

    Attributes
    ----------
    metric, at, block, alpha
        What was compared, and how.

    table : DataFrame
        One row per strategy, the best first: `strategy`, `mean_rank` (over blocks,
        between 1, the best, and n_strategies), and its `best` and `worst` rank in a
        block.

    ranks : DataFrame of shape (n_blocks, n_strategies)
        What the means are taken of.

    pairs : DataFrame
        One row per pair, by Nemenyi's test: `strategy`, `other`, `rank_difference`
        (`strategy` minus `other`; below 0, `strategy` is better), `p_value`, corrected
        for the number of pairs, and `differs`, whether the difference is at least the
        critical one.

    groups : list of tuple of str
        Strategies that do not differ from one another, at least two, the best first;
        as few groups as say it all.

    critical_difference : float
        Nemenyi's least difference of mean ranks that is significant at `alpha`.

    chi_square, f_statistic, p_value : float
        Friedman's statistic, corrected for ties; its form by Iman and Davenport; and
        the p-value for the hypothesis that no strategy differs, exact where it can be
        counted, see the Notes of `mean_ranks`. NaN for a single block. If all
        strategies are tied in all blocks, the p-value is 1.

    by_setting : DataFrame
        One row per setting and strategy: `dataset`, `model`, `n_query`, `strategy`,
        `score` (mean over repeats), `rank`, `first` and `last` (labels that were
        compared) and `n_repeats`.

    skipped : DataFrame
        What was left out: `dataset`, `model`, `n_query`, `n_labeled`, `strategy`,
        `other` and the `reason`.
    """

    metric: str
    at: str | int
    block: str
    alpha: float
    table: "pd.DataFrame"
    ranks: "pd.DataFrame"
    pairs: "pd.DataFrame"
    groups: list[tuple[str, ...]]
    critical_difference: float
    chi_square: float
    f_statistic: float
    p_value: float
    by_setting: "pd.DataFrame"
    skipped: "pd.DataFrame"

    def __repr__(self):
        n, k = self.ranks.shape
        return f"<{type(self).__name__} of {self.metric}: {k} strategies, {n} blocks>"

    def _table(self):
        return self.table.set_index("strategy").round(2)

    def _title(self):
        what = "data sets" if self.block == "dataset" else "settings"
        return f"Mean ranks by {self.metric}, over {len(self.ranks)} {what} (1 is best)"

    def _notes(self):
        note = (
            f"Critical difference {self.critical_difference:.2f} at {self.alpha}; "
            f"p = {self.p_value:.2g} that no strategy differs."
        )
        return [note, *left_out(self.skipped)]


@validate_params(
    {
        "metric": [str, None],
        "at": AT,
        "strategies": ["array-like", None],
        "block": [StrOptions({"dataset", "setting"})],
        "alpha": [Interval(Real, 0, 1, closed="neither")],
    },
)
def mean_ranks(
    frame: Results,
    *,
    metric: str | None = None,
    at: Literal["area", "final"] | int = "area",
    strategies: Sequence[str] | None = None,
    block: Literal["dataset", "setting"] = "dataset",
    alpha: float = 0.05,
) -> MeanRanks:
    """Rank strategies in each setting, and test their mean ranks over data sets.

    A setting is a data set, a model and a number of rows asked for per round. In each,
    the strategy with the best mean score has rank 1, and equal ones share the mean of
    their ranks. Friedman's test tells whether any strategy differs, and Nemenyi's which
    pairs do: those whose mean ranks are a critical difference apart [1]_.

    Parameters
    ----------
    frame : DataFrame, path to a CSV file, or object with ``to_frame()``
        Results, one row per evaluation and metric, with columns `dataset`, `model`,
        `strategy`, `n_query`, `repeat`, `n_labeled`, `metric` and `score` (greater is
        better).

    metric : str or None, default=None
        Which metric; None where there is only one.

    at : {"area", "final"} or int, default="area"
        What to rank by: the area under the curve divided by its range, the score at
        the last number of labels, or that at a given one.

    strategies : sequence of str or None, default=None
        Which strategies to compare, at least two; None for all. Settings that lack one
        of them are left out, so that fewer strategies may mean more settings.

    block : {"dataset", "setting"}, default="dataset"
        What the tests take for one independent observation. "dataset": ranks are
        averaged within a data set first. This is the careful choice, since settings
        of one data set resemble each other. "setting": each setting is a block of its
        own; many settings of few data sets then make differences look certain that
        hold for these data sets only.

    alpha : float, default=0.05
        Level of the critical difference, for all pairs together.

    Returns
    -------
    ranks : MeanRanks
        Mean ranks, tests, and what they were made of.

    Raises
    ------
    ValueError
        If the frame or a parameter is not as described, or no setting has all
        strategies.

    See Also
    --------
    paired_tests : Tests within a setting, over repeats.
    regret : By how much strategies are worse, and not only how often.

    Notes
    -----
    - Strategies of a setting are compared at the numbers of labels that all of them
      have, in the repeats in which all their runs are complete there.
    - Friedman's statistic is divided by the variance that the ranks have, as for ties.
      The critical difference takes the variance of ranks without ties or averages,
      ``n_strategies * (n_strategies + 1) / 12``, which is the greatest there is.
    - Friedman's p-value is exact, over all orders of the ranks within blocks, where
      these are few enough to be counted: about 7 strategies for 2 blocks, 5 for 6, 4
      for 15 and 3 for 100. Else it is that of Iman and Davenport's F, which comes out a
      little small for few blocks, but never below the chance that all blocks have the
      same ranks if no strategy differs, ``n_strategies! ** (1 - n_blocks)``.
    - The critical difference is an approximation for many blocks. With five data sets
      or fewer hardly anything reaches it, and "not different" says little.
    - The rank of a strategy depends on which others there are.

    It takes O(n_settings * n_strategies**2) operations.

    References
    ----------
    .. [1] J. Demšar. "Statistical comparisons of classifiers over multiple data sets".
       JMLR 7, 2006.

    Examples
    --------
    >>> import pandas as pd
    >>> from skbadge.inspection import mean_ranks
    >>> scores = {"badge": 0.8, "margin": 0.7, "random": 0.6}
    >>> frame = pd.DataFrame([
    ...     {"dataset": f"data{i}", "strategy": name, "n_query": 100, "repeat": 0,
    ...      "n_labeled": 500, "score": 0.75 if (i, name) == (0, "random") else score}
    ...     for i in range(8)
    ...     for name, score in scores.items()
    ... ])
    >>> ranks = mean_ranks(frame, at="final")
    >>> print(ranks)
    Mean ranks by score, over 8 data sets (1 is best)
              mean_rank  best  worst
    strategy
    badge          1.00   1.0    1.0
    margin         2.12   2.0    3.0
    random         2.88   2.0    3.0
    Critical difference 1.17 at 0.05; p = 6.1e-05 that no strategy differs.
    >>> ranks.groups
    [('badge', 'margin'), ('margin', 'random')]
    """
    pd = import_pandas()
    results, metric = select_metric(read_results(frame), metric)
    check_at(at, results)
    names = strategies_to_compare(strategies, results)
    if len(names) < 2:
        raise ValueError(f"`strategies` must be at least two. Got {names} instead.")
    settings, skipped = comparable_settings(results, names, at)
    rows = []
    for setting in settings:
        values = setting.values(at)
        common = setting.ends | {"n_repeats": values.shape[1]}
        scores = values.mean(axis=1)
        rows += [
            setting.setting | {"strategy": name, "score": score, "rank": rank} | common
            for name, score, rank in zip(names, scores, ranks_of(scores), strict=True)
        ]
    by_setting = pd.DataFrame(rows)
    blocks = [*(["dataset"] if block == "dataset" else SETTING), "strategy"]
    ranks = by_setting.groupby(blocks, sort=True)["rank"].mean().unstack()
    table = pd.DataFrame(
        {"mean_rank": ranks.mean(), "best": ranks.min(), "worst": ranks.max()}
    )
    table = table.sort_values("mean_rank", kind="stable").reset_index()
    mean, order = table["mean_rank"].to_numpy(), table["strategy"].tolist()
    critical, pairs = _nemenyi(order, mean, len(ranks), alpha)
    chi_square, f_statistic, p_value = _friedman(ranks.to_numpy())
    return MeanRanks(
        metric=metric,
        at=at,
        block=block,
        alpha=alpha,
        table=table,
        ranks=ranks,
        pairs=pd.DataFrame(pairs),
        groups=_groups(order, mean, critical),
        critical_difference=critical,
        chi_square=chi_square,
        f_statistic=f_statistic,
        p_value=p_value,
        by_setting=by_setting,
        skipped=skipped_frame(skipped),
    )


def ranks_of(scores):
    """Ranks from 1, that of the greatest; equal ones, up to rounding, share a mean."""
    differences = paired_differences(scores[:, None])[..., 0]
    # A strategy is tied with itself: this half goes with the first rank's.
    return 0.5 + (differences < 0).sum(axis=1) + (differences == 0).sum(axis=1) / 2


def _friedman(ranks):
    """Friedman's statistic, Iman and Davenport's F and its p-value.

    Of ranks of shape (n_blocks, n_strategies).
    """
    n, k = ranks.shape
    deviations = ranks - (k + 1) / 2
    spread = (deviations**2).sum()
    if n < 2:
        return np.nan, np.nan, np.nan
    if spread == 0:
        return np.nan, np.nan, 1.0
    chi_square = (k - 1) * (deviations.sum(axis=0) ** 2).sum() / spread
    rest = n * (k - 1) - chi_square
    all_agree = rest <= _ROUNDING * n * (k - 1)
    f_statistic = np.inf if all_agree else float((n - 1) * chi_square / rest)
    p_value = _exact_p_value(ranks)
    if p_value is None:
        # If no strategy differs, all blocks have the ranks of the first this often.
        least = exp((1 - n) * lgamma(k + 1))  # of k!, which soon is no float
        p_value = max(float(stats.f.sf(f_statistic, k - 1, (k - 1) * (n - 1))), least)
    return float(chi_square), f_statistic, p_value


def _exact_p_value(ranks):
    """How often Friedman's statistic is as great, over all orders within blocks.

    None where there are too many sums of ranks to look at. All orders have the same
    spread, so that the statistic grows with the squares of the strategies' sums; and as
    it is blind to which strategy has which sum, the first block can stay as it is and
    sums be kept sorted, which leaves few different ones.
    """
    k = ranks.shape[1]
    if factorial(k) > _MOST_SUMS:
        return None
    deviations = ranks - (k + 1) / 2
    sums, chance = np.sort(deviations[:1]), np.ones(1)
    for block in deviations[1:]:
        orders = np.unique(list(permutations(block)), axis=0)
        if len(sums) * len(orders) > _MOST_SUMS:
            return None
        # Each order of the block is as likely as another, and joins each sum so far.
        joined = np.sort((sums[:, None] + orders).reshape(-1, k), axis=1)
        _, first, which = np.unique(
            joined.round(_DECIMALS), axis=0, return_index=True, return_inverse=True
        )
        sums = joined[first]
        weights = np.repeat(chance / len(orders), len(orders))
        chance = np.bincount(which.ravel(), weights)
    squares = (sums**2).sum(axis=1)
    observed = (deviations.sum(axis=0) ** 2).sum()
    as_great = squares >= observed * (1 - _ROUNDING) - 10.0**-_DECIMALS
    return min(float(chance[as_great].sum()), 1.0)


def _nemenyi(names, mean, n_blocks, alpha):
    """Critical difference, and the tests of all pairs, by column."""
    k = len(names)
    error = np.sqrt(k * (k + 1) / (12 * n_blocks))  # of one mean rank
    critical = error * stats.studentized_range.ppf(1 - alpha, k, np.inf)
    i, j = np.triu_indices(k, 1)
    difference = mean[i] - mean[j]
    p_value = stats.studentized_range.sf(np.abs(difference) / error, k, np.inf)
    columns = {
        "strategy": [names[a] for a in i],
        "other": [names[b] for b in j],
        "rank_difference": difference,
        "p_value": p_value,
        "differs": np.abs(difference) >= critical,
    }
    return float(critical), columns


def _groups(names, mean, critical):
    """Longest stretches of the order whose ends do not differ, of two names or more."""
    groups, end = [], 0
    for start in range(len(names)):
        stop = int(np.searchsorted(mean - mean[start], critical, side="left"))
        if stop > max(end, start + 1):
            groups.append(tuple(names[start:stop]))
            end = stop
    return groups
