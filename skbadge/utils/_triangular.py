"""Triangular systems by the products of one library."""

from scipy.linalg import solve_triangular

from skbadge.utils._threads import small_products

# Lines of a block: few beside those of a large system, enough for BLAS.
BLOCK = 128


def solve_lower(factor, right):
    """Solve ``factor @ solution = right`` with a lower triangular matrix.

    SciPy has a BLAS of its own, whose threads and NumPy's would take each other's time
    as they wait for work. So SciPy solves small systems, on one thread, and the rest is
    products of NumPy's.

    Parameters
    ----------
    factor : ndarray of shape (n, n)
        float64, lower triangular.

    right : ndarray of shape (n, n_columns)
        float64, finite. Overwritten.

    Returns
    -------
    solution : ndarray of shape (n, n_columns)
        What was ``right``.
    """
    for start in range(0, len(factor), BLOCK):
        own = slice(start, start + BLOCK)
        if start:
            right[own] -= factor[own, :start] @ right[:start]
        with small_products():
            right[own] = solve_triangular(factor[own, own], right[own], lower=True)
    return right
