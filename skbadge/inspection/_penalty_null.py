"""What the penalty matrix would be, did the strategies not differ."""

from collections.abc import Callable
from numbers import Integral
from typing import TYPE_CHECKING, Literal

import numpy as np
from sklearn.utils import check_random_state

from skbadge._compat import Interval, validate_params
from skbadge.inspection._frame import Results, import_pandas
from skbadge.inspection._penalty_tally import (
    RULES,
    check_rules,
    column_averages,
    penalties,
    settings_of,
    tally,
)
from skbadge.utils._typing import RandomState

if TYPE_CHECKING:
    import pandas as pd

# Bounds the memory of differences of all pairs, permutation by permutation.
_MAX_NUMBERS = 4_000_000
# Sums of the same weights in another order differ by rounding.
_TIE = 1e-9


@validate_params(
    {
        **RULES,
        "n_permutations": [Interval(Integral, 1, None, closed="left")],
        "random_state": ["random_state"],
    },
)
def penalty_null(
    frame: Results,
    definition: Literal["paper", "script"] = "paper",
    *,
    metric: str | None = None,
    alpha: float = 0.05,
    baseline: str = "random",
    paired: bool = True,
    diagonal_in_mean: bool | None = None,
    n_initial: int | None = None,
    error: Literal["auto", "one_minus", "negated"] | Callable = "auto",
    n_permutations: int = 1000,
    random_state: RandomState = None,
) -> "pd.DataFrame":
    """Test the column averages of a penalty matrix by permutation.

    If strategies did not differ, their names within a setting and repeat could be
    exchanged, whole curves at a time. Each permutation goes through all of
    `penalty_matrix`, its baseline and its budgets included.

    Parameters
    ----------
    frame, definition, metric, alpha, baseline, paired, diagonal_in_mean, n_initial, \
error
        As for `penalty_matrix`.

    n_permutations : int, default=1000
        At least 1. No p-value is below ``1 / (n_permutations + 1)``.

    random_state : int, RandomState or None, default=None
        Draws the permutations.

    Returns
    -------
    null : DataFrame
        One row per strategy, its index: `column_average` (how often it is beaten),
        `null_mean` (the mean over those permutations in which it is compared),
        `row_average` (how often it beats), and three p-values, each the share of
        permutations in which this strategy has an average as extreme, the observed one
        counted among them:

        - `p_low`: it is beaten as rarely. Equals seldom beat each other, so that with
          few settings no average is low enough to be told from theirs;
        - `p_high`: it is beaten as often;
        - `p_wins`: it beats as often, which singles out a strategy that is better than
          all others.

        `p_low_adjusted`, `p_high_adjusted` and `p_wins_adjusted` compare with the most
        extreme average of all strategies in a permutation (Westfall and Young [1]_),
        and so hold for all strategies at once. NaN for a strategy that was compared
        with no other.

    Raises
    ------
    ValueError
        If the frame or a parameter is not as described.

    See Also
    --------
    penalty_matrix : What is tested.

    Notes
    -----
    Not part of the paper. The p-values are exact for any number of settings and
    repeats, but for a strategy whose runs are missing for a reason of its own. They
    test that no strategy differs from another, not that two do not; see
    `paired_tests` for those.

    References
    ----------
    .. [1] P. H. Westfall, S. S. Young. "Resampling-based multiple testing". Wiley,
       1993.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from skbadge.inspection import penalty_null
    >>> noise = np.random.RandomState(0).normal(scale=0.01, size=(2, 5, 4))
    >>> frame = pd.DataFrame([
    ...     {"strategy": name, "n_query": 100, "repeat": repeat,
    ...      "n_labeled": 100 * (i + 1), "score": 0.5 + 0.1 * i + noise[j, repeat, i]}
    ...     for j, name in enumerate(["badge", "random"])
    ...     for repeat in range(5)
    ...     for i in range(4)
    ... ])
    >>> null = penalty_null(frame, n_permutations=99, random_state=0)
    >>> bool((null[["p_low", "p_high", "p_wins"]] > 0.05).all(axis=None))
    True
    """
    pd = import_pandas()
    results, rules = check_rules(
        frame, definition, metric, baseline, error, paired, diagonal_in_mean
    )
    settings, _ = settings_of(results, rules, n_initial)
    rng = check_random_state(random_state)
    names = sorted(results["strategy"].unique())
    # The first is the observed one.
    matrix, compared = np.zeros((2, n_permutations + 1, len(names), len(names)))
    for setting in settings:
        orders = _orders(np.isfinite(setting.errors).any(axis=-1), n_permutations, rng)
        places = np.searchsorted(names, setting.table.strategies)
        for part in _chunks(setting, len(orders)):
            repeats = np.arange(orders.shape[-1])
            errors = setting.errors[orders[part], repeats]
            earned, possible = penalties(tally(setting, errors, rules), alpha)
            block = np.ix_(np.arange(len(orders))[part], places, places)
            matrix[block] += earned
            compared[block] += possible
    beaten = column_averages(matrix, compared, rules.diagonal_in_mean)
    beats = column_averages(
        matrix.swapaxes(-1, -2), compared.swapaxes(-1, -2), rules.diagonal_in_mean
    )
    null = {
        "column_average": beaten[0],
        "null_mean": pd.DataFrame(beaten[1:]).mean().to_numpy(),
        "row_average": beats[0],
    }
    tails = {"p_low": -beaten, "p_high": beaten, "p_wins": beats}
    p_values = {name: _p_values(values) for name, values in tails.items()}
    null |= {name: alone for name, (alone, _) in p_values.items()}
    null |= {f"{name}_adjusted": both for name, (_, both) in p_values.items()}
    null = pd.DataFrame(null, index=pd.Index(names, name="strategy"))
    null[~np.isfinite(beaten[0])] = np.nan
    return null


def _p_values(averages):
    """Shares of permutations as extreme as the first row, for each and for the most."""
    observed = averages[0]
    # A permutation that compares a strategy with no other counts against it.
    drawn = np.where(np.isfinite(averages[1:]), averages[1:], np.inf)
    most = drawn[:, np.isfinite(observed)].max(axis=1, initial=-np.inf, keepdims=True)
    return tuple(
        (1 + (values >= observed - _TIE).sum(axis=0)) / len(averages)
        for values in (drawn, most)
    )


def _orders(present, n_permutations, rng):
    """Whose curve stands for each strategy, repeat by repeat; first comes the identity.

    Of shape (n_permutations + 1, n_strategies, n_repeats). A run that is missing in
    ``present``, of shape (n_strategies, n_repeats), stays so.
    """
    n_strategies, n_repeats = present.shape
    orders = np.empty((n_permutations + 1, n_strategies, n_repeats), dtype=np.int64)
    orders[:] = np.arange(n_strategies)[:, None]
    for repeat in range(n_repeats):
        rows = np.flatnonzero(present[:, repeat])
        keys = rng.uniform(size=(n_permutations, len(rows)))
        orders[1:, rows, repeat] = rows[np.argsort(keys, axis=1)]
    return orders


def _chunks(setting, n):
    n_strategies, n_repeats, n_labeled = setting.errors.shape
    wide = max(n_labeled, n_strategies * len(setting.budgets), 1)
    step = max(_MAX_NUMBERS // (n_strategies * n_repeats * wide), 1)
    return [slice(start, start + step) for start in range(0, n, step)]
