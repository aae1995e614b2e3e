"""Walking over rows in blocks of bounded size."""

import numpy as np


def row_chunks(n_rows, cost_per_row, budget=2**19, minimum=1024):
    """Slices that cover ``range(n_rows)``, each within a budget.

    Parameters
    ----------
    n_rows : int
        Number of rows to cover.

    cost_per_row : int
        What one row costs, in the unit of ``budget``, e.g. numbers held.

    budget : int, default=2**19
        What one slice may cost. The default, in float64 numbers, is 4 MiB: small
        enough to stay in cache, large enough for BLAS.

    minimum : int, default=1024
        Rows per slice below which matrix products lose their speed.

    Yields
    ------
    rows : slice
        In order, without gaps.
    """
    step = max(minimum, budget // max(1, cost_per_row))
    for start in range(0, n_rows, step):
        yield slice(start, min(start + step, n_rows))


def rows_of_chunk(rows, first, n_rows):
    """Those of some rows that are in a chunk of all.

    Parameters
    ----------
    rows : ndarray of int
        Ascending.

    first, n_rows : int
        The first row of the chunk, and how many it has.

    Returns
    -------
    positions : ndarray of int
        Where they are in the chunk.

    n_before : int
        How many of ``rows`` are in chunks before this one.
    """
    start, stop = np.searchsorted(rows, [first, first + n_rows])
    return rows[start:stop] - first, int(start)
