"""Walking over rows in blocks of bounded size, one after another or in threads."""

from concurrent.futures import ThreadPoolExecutor

from skbadge._compat import n_threads


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


def for_row_chunks(
    function, n_rows, cost_per_row, budget, minimum, threads_above=2**22
):
    """Call a function on slices that cover ``range(n_rows)``, in threads if it pays.

    Parameters
    ----------
    function : callable
        Takes a slice. Must release the GIL in its work, and write where no other
        slice does.

    n_rows, cost_per_row, budget, minimum
        As in `row_chunks`.

    threads_above : int, default=2**22
        Total cost above which to use as many threads as scikit-learn would.
    """
    chunks = row_chunks(n_rows, cost_per_row, budget, minimum)
    if n_rows * cost_per_row <= threads_above or n_threads() == 1:
        for rows in chunks:
            function(rows)
        return
    with ThreadPoolExecutor(n_threads()) as pool:
        # A list, so that an exception in a thread is raised here.
        list(pool.map(function, chunks))
