"""Student's and Welch's tests of all pairs at once, on arrays with gaps."""

import numpy as np
from scipy.special import stdtr

_ROUNDING = 8 * np.finfo(np.float64).eps


def paired_differences(values, *, unit=0.0):
    """Differences of all pairs of rows, run by run.

    Parameters
    ----------
    values : ndarray of shape (..., n_rows, n_repeats)
        float64; NaN where there is none.

    unit : float, default=0.0
        Least magnitude of the numbers that the values were computed from: those of
        ``1 - accuracy`` carry the rounding of numbers near 1.

    Returns
    -------
    differences : ndarray of shape (..., n_rows, n_rows, n_repeats)
        Row minus column. Exactly zero where they differ by rounding only, since a
        constant difference of 1e-17 would be significant at any level.
    """
    return _difference(values[..., :, None, :], values[..., None, :, :], unit)


def one_sample_t(differences):
    """Student's test that the mean along the last axis is zero.

    Parameters
    ----------
    differences : ndarray of shape (..., n_repeats)
        float64; NaN where there is none.

    Returns
    -------
    mean, statistic, p_value : ndarray of shape (...)
        Two-sided. The statistic of differences that are all the same is infinite and
        its p-value 0, or NaN both if they are all zero. NaN with fewer than two
        differences; the mean, with none.

    n : ndarray of shape (...)
        Number of differences.
    """
    mean, variance, n = _moments(differences)
    statistic, p_value = _t(mean, variance / np.maximum(n, 1), n - 1.0)
    return mean, statistic, p_value, n


def welch_t(values, *, unit=0.0):
    """Welch's test of all pairs of rows that their means are equal.

    Parameters
    ----------
    values : ndarray of shape (..., n_rows, n_repeats)
        float64; NaN where there is none.

    unit : float, default=0.0
        As in `paired_differences`.

    Returns
    -------
    mean, statistic, p_value, n : ndarray of shape (..., n_rows, n_rows)
        As from `one_sample_t`, of row minus column; ``n`` is that of the smaller group.
    """
    mean, variance, n = _moments(values)
    square = variance / np.maximum(n, 1)  # of the standard error
    total = square[..., :, None] + square[..., None, :]
    with np.errstate(divide="ignore", invalid="ignore"):
        share = square**2 / np.maximum(n - 1, 1)
        df = total**2 / (share[..., :, None] + share[..., None, :])
    n = np.minimum(n[..., :, None], n[..., None, :])
    difference = _difference(mean[..., :, None], mean[..., None, :], unit)
    # With no variance in either group any number of degrees will do.
    statistic, p_value = _t(difference, total, np.where(total == 0, 1.0, df))
    enough = n >= 2
    return (
        difference,
        np.where(enough, statistic, np.nan),
        np.where(enough, p_value, np.nan),
        n,
    )


def _difference(left, right, unit):
    difference = left - right
    scale = np.maximum(np.maximum(np.abs(left), np.abs(right)), unit)
    return np.where(np.abs(difference) <= _ROUNDING * scale, 0.0, difference)


def _moments(values):
    finite = np.isfinite(values)
    n = finite.sum(axis=-1)
    filled = np.where(finite, values, 0.0)
    with np.errstate(invalid="ignore"):
        mean = filled.sum(axis=-1) / np.where(n > 0, n, np.nan)
    deviations = np.where(finite, values - mean[..., None], 0.0)
    squares = (deviations**2).sum(axis=-1)
    # The mean of equal numbers may be off by rounding, and so are their deviations.
    least = np.where(finite, values, np.inf).min(axis=-1, initial=np.inf)
    greatest = np.where(finite, values, -np.inf).max(axis=-1, initial=-np.inf)
    variance = np.where(
        least == greatest, 0.0, squares / np.where(n > 1, n - 1, np.nan)
    )
    return mean, np.where(n > 1, variance, np.nan), n


def _t(mean, square, df):
    with np.errstate(divide="ignore", invalid="ignore"):
        statistic = mean / np.sqrt(square)
    return statistic, 2 * stdtr(df, -np.abs(statistic))
