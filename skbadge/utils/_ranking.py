"""Drawing and ranking rows by weight."""

import numpy as np


def draw_weighted(cumulative, size, rng):
    """Draw rows independently with probability proportional to their weights.

    Parameters
    ----------
    cumulative : ndarray of shape (n_rows,)
        Cumulative sum of the weights, float64. The last entry must be positive.

    size : int
        Number of draws.

    rng : RandomState
        Source of randomness.

    Returns
    -------
    rows : ndarray of shape (size,)
        int64. A row of weight zero is never drawn.
    """
    total = cumulative[-1]
    rows = np.searchsorted(cumulative, rng.random_sample(size) * total, side="right")
    # A product that rounds up to the total would fall past the last positive weight.
    return np.minimum(rows, np.searchsorted(cumulative, total), out=rows)


def top_rows(scores, n, rng):
    """Rows with the greatest scores, best first, ties in random order.

    Parameters
    ----------
    scores : ndarray of shape (n_rows,)
        Finite.

    n : int
        Number of rows, at most ``n_rows``.

    rng : RandomState
        Breaks ties.

    Returns
    -------
    rows : ndarray of shape (n,)
        int64.
    """
    if n == 0:
        return np.empty(0, dtype=np.int64)
    least = np.partition(scores, len(scores) - n)[len(scores) - n]
    above = np.flatnonzero(scores > least)
    tied = rng.permutation(np.flatnonzero(scores == least))[: n - len(above)]
    rows = rng.permutation(above)
    order = np.argsort(-scores[rows], kind="stable")
    return np.concatenate([rows[order], tied]).astype(np.int64)
