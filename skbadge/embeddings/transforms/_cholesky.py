"""A Cholesky decomposition that gives way to rounding, and says so."""

import warnings

import numpy as np
from numpy.typing import NDArray

from skbadge.exceptions import QueryWarning


def jittered_cholesky(matrix: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
    r"""Lower Cholesky factor of a matrix that is positive definite but for rounding.

    Where the matrix has no factor, :math:`10^{-5}` of its mean diagonal is added to the
    diagonal, and doubled up to 15 times.

    Parameters
    ----------
    matrix : ndarray of shape (n, n)
        Symmetric, float64, finite.

    Returns
    -------
    factor : ndarray of shape (n, n)
        Lower triangular.

    jitter : float
        What was added to the diagonal. A `QueryWarning` says so if it is not 0.

    Raises
    ------
    ValueError
        If no jitter was enough.
    """
    mean_diagonal = float(np.trace(matrix)) / len(matrix)
    for jitter in (0.0, *(1e-5 * mean_diagonal * 2.0 ** np.arange(16))):
        try:
            factor = np.linalg.cholesky(matrix + jitter * np.eye(len(matrix)))
        except np.linalg.LinAlgError:
            continue
        if jitter:
            warnings.warn(
                "The kernel of the labelled rows is not positive definite in float64: "
                f"{jitter:.3g} was added to its diagonal, as if there were that much "
                "more noise. Raise `sigma` to avoid this.",
                QueryWarning,
                stacklevel=2,
            )
        return factor, float(jitter)
    raise ValueError(
        "The kernel of the labelled rows is not positive definite, not even with "
        f"{jitter:.3g} added to its diagonal (of mean {mean_diagonal:.3g})."
    )
