"""A quick look for rows that may be equal to a row of another matrix."""

import numpy as np

from skbadge.utils._chunks import row_chunks
from skbadge.utils._threads import small_products

CHUNK_ENTRIES = 2**17
_N_CELLS = 2**16
_EPS = np.finfo(np.float64).eps


def nearby_rows(block, others):
    """Rows of a matrix whose random projection is that of a row of another one."""
    weights = np.random.RandomState(0).normal(size=block.shape[1])
    # Threads of BLAS that have run spin for a while, and slow the model down.
    with small_products(), np.errstate(over="ignore", invalid="ignore"):
        mine, theirs = (_project(part, weights) for part in (block, others))
        # Twice the bound for the rounding of an inner product in any order.
        size = np.abs(others.astype(np.float64)) @ np.abs(weights)
        slack = 2 * (len(weights) + 2) * _EPS * size + np.finfo(np.float64).tiny
        lowest, highest = theirs - slack, theirs + slack
    if (np.isfinite(others).all(axis=1) & ~np.isfinite(size)).any():
        # Sums that overflow in one order may not do so in another.
        return np.arange(len(block))
    finite = np.isfinite(theirs)
    lowest, highest = lowest[finite], highest[finite]
    rows = np.flatnonzero(_in_a_cell(mine, lowest, highest))
    return rows[_in_an_interval(mine[rows], lowest, highest)]


def _in_a_cell(values, lowest, highest):
    """Whether values are NaN, infinite, or in a cell of a grid that meets an interval.

    A search among many intervals takes longer than all the rest; this spares it most.
    """
    start = lowest.min(initial=0)
    with np.errstate(divide="ignore", over="ignore"):
        scale = np.float64(_N_CELLS) / (highest.max(initial=0) - start)
    if not 0 < scale < np.inf:
        return np.ones(len(values), dtype=bool)

    def cell(values):
        with np.errstate(over="ignore"):
            place = (values - start) * scale
        return np.clip(place, 0, _N_CELLS - 1, out=place).astype(np.int32)

    steps = np.zeros(_N_CELLS + 1, dtype=np.int64)
    np.add.at(steps, cell(lowest), 1)
    np.add.at(steps, cell(highest) + 1, -1)
    is_finite = np.isfinite(values)
    meets = (np.cumsum(steps) > 0)[cell(np.where(is_finite, values, start))]
    return meets | ~is_finite


def _in_an_interval(values, lowest, highest):
    """Whether values are NaN, infinite, or in an interval."""
    order = np.argsort(lowest)
    starts = np.append(-np.inf, lowest[order])
    # The highest end of all intervals that start no later than this one.
    ends = np.maximum.accumulate(np.append(-np.inf, highest[order]))
    last = np.searchsorted(starts, values, side="right") - 1
    return (values <= ends[last]) | ~np.isfinite(values)


def _project(block, weights):
    projection = np.empty(len(block))
    for rows in row_chunks(*block.shape, CHUNK_ENTRIES, 1):
        projection[rows] = block[rows].astype(np.float64, copy=False) @ weights
    return projection
