"""Two models judged by the same rows: tests and intervals for their difference."""

import numpy as np
from scipy import optimize, stats
from sklearn.utils import gen_batches

# Signs that are held at a time.
_MAX_SIGNS = 2**20


def mcnemar_test(n_won, n_lost):
    """The exact two-sided p-value of McNemar's test.

    Parameters
    ----------
    n_won, n_lost : int
        Rows that only the first model gets right, and those that only the other does.
    """
    if n_won + n_lost == 0:
        return 1.0
    return float(stats.binomtest(n_won, n_won + n_lost).pvalue)


def tango_interval(n_won, n_lost, n, alpha):
    """Tango's score interval for a difference of two shares of the same rows.

    Tango, "Equivalence test and confidence interval for the difference in proportions
    for the paired-sample design" (Statistics in Medicine 1998). All differences that
    its score test does not refuse; unlike the normal interval it holds where few or no
    rows tell the models apart.

    Parameters
    ----------
    n_won, n_lost, n : int
        Rows that only the first model gets right, that only the other does, and all.

    alpha : float
        Probability with which the difference may lie outside.

    Returns
    -------
    low, high : float
        Of the first share less the other, between -1 and 1.
    """
    z = stats.norm.ppf(1 - alpha / 2)

    def excess(difference, quantile):
        return _score(n_won, n_lost, n, difference) - quantile

    seen = (n_won - n_lost) / n
    low = -1.0 if seen == -1 else optimize.brentq(excess, -1, seen, z)
    high = 1.0 if seen == 1 else optimize.brentq(excess, seen, 1, -z)
    return low, high


def _score(n_won, n_lost, n, difference):
    """The difference seen less a tested one, in standard errors under that one."""
    # The likeliest share of lost rows, q, given that won ones have a share of q + delta
    b = (2 * n - n_won + n_lost) * difference - n_won - n_lost
    c = -n_lost * difference * (1 - difference)
    share = (np.sqrt(max(b * b - 8 * n * c, 0)) - b) / (4 * n)
    variance = n * (2 * share + difference * (1 - difference))
    gap = n_won - n_lost - n * difference
    if gap == 0:
        return 0.0
    return gap / np.sqrt(variance) if variance > 0 else np.sign(gap) * np.inf


def sign_flip_test(differences, rng, n_flips=9999):
    """The two-sided p-value of a mean, if each sign were as likely as the other.

    Where two models are equally good and a row's losses could be swapped, it is valid
    for any number of rows. If none of the flips has as large a mean, which says no more
    than 1 / (n_flips + 1), it is the less of that and Hoeffding's bound.

    Parameters
    ----------
    differences : ndarray of shape (n,)
        Of the losses of each row.

    rng : numpy.random.Generator
        For the flips.

    n_flips : int
        How many there are.
    """
    n, total = len(differences), differences.sum()
    # The signs as they are count as one of the flips.
    n_as_large = 1
    for block in gen_batches(n_flips, max(_MAX_SIGNS // n, 1)):
        n_bytes = (block.stop - block.start, -(-n // 8))
        bits = rng.integers(0, 256, n_bytes, dtype=np.uint8)
        flipped = np.unpackbits(bits, axis=1)[:, :n]
        sums = total - 2 * (flipped @ differences)
        n_as_large += (np.abs(sums) >= abs(total) * (1 - 1e-9)).sum()
    p_value = n_as_large / (n_flips + 1)
    if n_as_large == 1 and total:
        # P(|sum of +-d_i| >= t) <= 2 exp(-t^2 / (2 sum of d_i^2))
        exponent = (differences / total) @ (differences / total)
        p_value = min(p_value, 2 * np.exp(-0.5 / exponent))
    return float(p_value)
