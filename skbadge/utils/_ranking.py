"""Drawing and ranking rows by weight."""

import numpy as np

from skbadge.utils._ties import Ties, equal_floor, rounded


def draw_weighted(cumulative, size, rng):
    """Draw rows independently with probability proportional to their weights.

    The weights come as their cumulative sum in float64, whose last entry is positive. A
    row of weight zero is never drawn.
    """
    total = cumulative[-1]
    rows = np.searchsorted(cumulative, rng.random_sample(size) * total, side="right")
    # A product that rounds up to the total would fall past the last positive weight.
    return np.minimum(rows, np.searchsorted(cumulative, total), out=rows)


def top_rows(scores, n, rng, *, open_rows=None, dtype=np.float64):
    """Rows with the greatest scores, best first, ties in random order.

    There are at least ``n`` among ``open_rows`` (None for all). Those picked close.
    Scores that are equal to within the precision of ``dtype`` tie; none is NaN.
    """
    if n == 0:
        return np.empty(0, dtype=np.int64)
    ties = Ties(rng)
    if open_rows is None:
        return _best(np.arange(len(scores)), scores, n, ties, dtype)
    rows = np.flatnonzero(open_rows.mask)
    # With quotas any number of the best may be passed over.
    n_ranked = n if open_rows.groups is None else len(rows)
    return open_rows.first(_best(rows, scores[rows], n_ranked, ties, dtype), n)


def _best(rows, scores, n, ties, dtype):
    """The rows with the greatest scores, best first."""
    least = np.partition(scores, len(scores) - n)[len(scores) - n]
    near = np.flatnonzero(scores >= equal_floor(least, dtype))
    order = np.lexsort((ties.keys(rows[near]), -rounded(scores[near], dtype)))
    return rows[near[order[:n]]].astype(np.int64, copy=False)


def earlier_equals(*columns):
    """For each entry how many entries before it are equal in all columns."""
    order = np.lexsort(columns)
    starts = np.zeros(len(order), dtype=bool)
    starts[:1] = True
    for column in columns:
        in_order = column[order]
        starts[1:] |= in_order[1:] != in_order[:-1]
    firsts = np.flatnonzero(starts)
    sizes = np.diff(np.r_[firsts, len(order)])
    ranks = np.empty(len(order), dtype=np.int64)
    ranks[order] = np.arange(len(order)) - np.repeat(firsts, sizes)
    return ranks
