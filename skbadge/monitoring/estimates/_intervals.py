"""Intervals for the mean of bounded terms, each of the same mean given those before."""

import numpy as np
from scipy import stats

# The bets that are looked at, as shares of the largest one that is allowed.
_BETS = np.linspace(0.01, 0.99, 99)
# So many rows are as good as a source without end, and quicker.
_ENDLESS = 10**8
# psi_E of Howard et al. (2021): -log(1 - b) - b, over 4.
_COSTS = (-np.log1p(-_BETS) - _BETS) / 4


def bernstein_interval(terms, alpha):
    r"""An interval that holds the mean with probability ``1 - alpha``, for any n.

    The predictable empirical Bernstein interval of Waudby-Smith and Ramdas (2024),
    theorem 2. It needs no independence: the terms must lie between 0 and 1, and each
    must have the same mean, given those before it.

    Parameters
    ----------
    terms : ndarray of shape (n,)
        In the order in which they came, between 0 and 1.

    alpha : float
        Probability with which the mean may lie outside.

    Returns
    -------
    low, high : float
        Not cut at 0 and 1.
    """
    n_before = np.arange(len(terms))
    log_term = np.log(2 / alpha)
    # Mean and variance of the terms before each one, as no bet may depend on the term
    # it is on. They start from one term that is made up, small as most are.
    start = 1 / len(terms)
    means = (start + sums_before(terms)) / (n_before + 1)
    variances = (start + sums_before((terms - means) ** 2)) / (n_before + 1)
    # The bet of least width, were the variance what it has been: the minimum of
    # (log(2 / alpha) / n + 4 variance psi_E(bet)) / bet.
    widths = (log_term / len(terms) + 4 * variances[:, None] * _COSTS) / _BETS
    best = widths.argmin(axis=1)
    bets, costs = _BETS[best], _COSTS[best]
    center = bets @ terms / bets.sum()
    # v_i = 4 (X_i - mean before)^2
    radius = (log_term + 4 * (terms - means) ** 2 @ costs) / bets.sum()
    return center - radius, center + radius


def exact_interval(n_hits, n, n_pool, alpha):
    """The exact interval for a share, from the hits among rows drawn uniformly.

    Of a source without end it is that of Clopper and Pearson (1934), of a pool the same
    with the hypergeometric distribution: each end is the last share for which as few,
    or as many, hits are likelier than ``alpha / 2``.

    Parameters
    ----------
    n_hits, n : int
        Hits, and rows drawn.

    n_pool : int or None
        Rows that they were drawn from, without replacement; None of no end of them.

    alpha : float
        Probability with which the share may lie outside, half of it on either side.

    Returns
    -------
    low, high : float
    """
    if n_pool is None or n_pool > _ENDLESS:
        low = stats.beta.ppf(alpha / 2, n_hits, n - n_hits + 1) if n_hits else 0.0
        n_others = n - n_hits
        high = stats.beta.ppf(1 - alpha / 2, n_hits + 1, n_others) if n_others else 1.0
        return float(low), float(high)
    most = _most_hits(n_hits, n, n_pool, alpha / 2)
    least = n_pool - _most_hits(n - n_hits, n, n_pool, alpha / 2)
    return least / n_pool, most / n_pool


def normal_interval(terms, alpha):
    """Mean plus and minus as many standard errors as a normal distribution asks for.

    Terms that are all alike do not say how much terms differ: no ends then.
    """
    if not np.ptp(terms):
        return -np.inf, np.inf
    return _around_mean(terms, stats.norm.ppf(1 - alpha / 2))


def t_interval(terms, alpha):
    """Student's interval for the mean of independent terms."""
    return _around_mean(terms, stats.t.ppf(1 - alpha / 2, len(terms) - 1))


def standard_error(terms):
    """That of their mean; NaN of a single one."""
    if len(terms) < 2:
        return np.nan
    return float(terms.std(ddof=1) / np.sqrt(len(terms)))


def alpha_of_look(alpha, look):
    """The doubt that one of many looks may spend; all looks together spend ``alpha``.

    Parameters
    ----------
    alpha : float
        The probability with which any of the looks may be wrong.

    look : int
        1 for the first.
    """
    # The sum of 1 / t^2 is pi^2 / 6.
    return 6 * alpha / (np.pi * look) ** 2


def sums_before(terms):
    """For each term the sum of those before it."""
    return np.concatenate([[0.0], np.cumsum(terms)[:-1]])


def _around_mean(terms, n_errors):
    if len(terms) < 2:
        return -np.inf, np.inf
    mean, radius = float(terms.mean()), n_errors * standard_error(terms)
    return mean - radius, mean + radius


def _most_hits(n_hits, n, n_pool, alpha):
    """Most hits of a pool with which so few of n rows are likelier than ``alpha``."""
    certain, excluded = n_hits, n_pool - (n - n_hits) + 1
    while excluded - certain > 1:
        between = (certain + excluded) // 2
        if stats.hypergeom.cdf(n_hits, n_pool, between, n) > alpha:
            certain = between
        else:
            excluded = between
    return certain
