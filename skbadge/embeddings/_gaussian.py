"""The Gaussian kernel of the rows of a table."""

from numbers import Real

import numpy as np

from skbadge._compat import Interval
from skbadge.embeddings._factors import Matrix
from skbadge.embeddings._radial import RadialEmbedding


class GaussianEmbedding(RadialEmbedding):
    r"""Rows in the space of the Gaussian kernel :math:`e^{-\|x - x'\|^2 / \sigma^2}`.

    Parameters
    ----------
    X : array-like or CSR matrix of shape (n_rows, n_inputs)
        Kept without a copy if it is float32 or float64.

    sigma : float, default=1.0
        Above 0. The kernel falls to 1/e at this distance. There is no factor of 2:
        scikit-learn's ``rbf_kernel(gamma=1 / sigma**2)`` is the same kernel.

    Raises
    ------
    ValueError
        If ``X`` is not 2-D or has no columns, or ``sigma`` is not positive.

    Notes
    -----
    Equal rows are at distance exactly 0, see `LaplaceEmbedding`.

    Examples
    --------
    >>> from skbadge.embeddings import GaussianEmbedding
    >>> embedding = GaussianEmbedding([[0.0, 0.0], [3.0, 4.0]], sigma=5.0)
    >>> embedding.cross(embedding).round(3)
    array([[1.   , 0.368],
           [0.368, 1.   ]])
    """

    _parameter_constraints = {"sigma": [Interval(Real, 0, np.inf, closed="neither")]}

    def __init__(self, X: Matrix, *, sigma: float = 1.0):
        self.sigma = sigma
        super().__init__(X)

    @property
    def _factor(self):
        return -1 / max(float(self.sigma) ** 2, float(np.finfo(np.float64).tiny))

    def _exponents(self, scaled):
        # -r^2 / sigma^2
        return scaled
