"""Cholesky decomposition of an implicit kernel, pivot by pivot."""

import numpy as np


def pivoted_cholesky(diagonal, column, n, choose, floor=0.0):
    r"""Pick rows one after another by how far they are from the span of those before.

    With :math:`L` the kernel of some vectors, the residual of a row is its squared
    distance to the span of the rows picked so far. The picks are the pivots of an
    incomplete Cholesky decomposition, whose columns yield the residuals.

    Parameters
    ----------
    diagonal : ndarray of shape (n_rows,)
        Squared norms, float64.

    column : callable
        Takes a row and returns its inner products with all rows, in float64.

    n : int
        Number of rows to pick.

    choose : callable
        Takes the residuals, 0 for what cannot be picked, and returns a row whose
        residual is positive.

    floor : ndarray of shape (n_rows,) or float, default=0.0
        Residuals up to this count as 0.

    Returns
    -------
    rows : ndarray of shape (n_picked,)
        int64, distinct; fewer than ``n`` if the rank is lower.

    Notes
    -----
    Time is ``O(n_rows * n**2)`` and ``n`` calls of ``column``; an array of shape (n,
    n_rows) is held.
    """
    residuals = diagonal.astype(np.float64)
    factor = np.empty((n, len(residuals)))
    rows = np.empty(n, dtype=np.int64)
    for step in range(n):
        weights = np.where(residuals > floor, residuals, 0.0)
        if not weights.any():
            return rows[:step]
        row = rows[step] = choose(weights)
        # Column of the Cholesky factor: (L_xr - <b_x, b_r>) / sqrt(residual of r), with
        # b_x what the columns so far say of row x.
        before = factor[:step]
        component = np.subtract(column(row), before[:, row] @ before, out=factor[step])
        component /= np.sqrt(residuals[row])
        residuals -= component**2
        # Not picked again, rounding or not.
        residuals[row] = -np.inf
    return rows


def conditional_variances(kernel):
    """Squared distance of each vector to the span of those before it.

    Parameters
    ----------
    kernel : ndarray of shape (n, n)
        Inner products of the vectors.

    Returns
    -------
    variances : ndarray of shape (n,)
        float64, non-negative; their product is the determinant.
    """
    # By a power of two, which is exact: ratios of the smallest numbers overflow.
    _, exponent = np.frexp(np.abs(kernel).max(initial=0.0))
    rest = np.ldexp(kernel.astype(np.float64), -exponent)
    variances = np.maximum(np.diagonal(rest), 0.0)
    for i in range(len(rest)):
        variances[i] = max(rest[i, i], 0.0)
        if variances[i] > 0:
            row = rest[i, i + 1 :]
            rest[i + 1 :, i + 1 :] -= np.outer(row, row / variances[i])
    return np.ldexp(variances, exponent)
