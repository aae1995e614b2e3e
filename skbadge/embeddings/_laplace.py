"""The Laplace kernel of the rows of a table."""

from numbers import Real

import numpy as np
from numpy.typing import ArrayLike

from skbadge._compat import Interval
from skbadge.embeddings._input_kernel import InputKernelEmbedding


class LaplaceEmbedding(InputKernelEmbedding):
    r"""Rows in the space of the Laplace kernel :math:`e^{-\gamma \|x - x'\|}`.

    The distance is Euclidean (`sklearn.metrics.pairwise.laplacian_kernel` takes
    Manhattan distances). One of the kernels of Holzmüller et al. [1]_ that need the
    inputs only and not the net.

    Parameters
    ----------
    X : array-like of shape (n_rows, n_inputs)
        Standardised inputs, kept without a copy if they are float32 or float64.

    gamma : float, default=1.0
        Above 0. The kernel falls to 1/e at the distance ``1 / gamma``.

    Raises
    ------
    ValueError
        If ``X`` is not 2-D or has no columns, or ``gamma`` is not positive.

    Notes
    -----
    Squared distances in the space of the kernel are
    :math:`2 (1 - e^{-\gamma r})`, with :math:`r` from differences where the expansion
    :math:`\|x\|^2 + \|x'\|^2 - 2 x^\top x'` has cancelled. It is never the root of a
    negative number, and equal rows are at distance exactly 0.

    References
    ----------
    .. [1] D. Holzmüller, V. Zaverkin, J. Kästner, I. Steinwart. "A framework and
       benchmark for deep batch active learning for regression". JMLR 24, 2023.

    Examples
    --------
    >>> from skbadge.embeddings import LaplaceEmbedding
    >>> embedding = LaplaceEmbedding([[0.0, 0.0], [3.0, 4.0]], gamma=0.2)
    >>> embedding.cross(embedding).round(3)
    array([[1.   , 0.368],
           [0.368, 1.   ]])
    """

    _parameter_constraints = {"gamma": [Interval(Real, 0, np.inf, closed="neither")]}

    def __init__(self, X: ArrayLike, *, gamma: float = 1.0):
        self.gamma = gamma
        super().__init__(X)

    def _kernel_norms_sq(self, norms_sq):
        # 1, but NaN for a row that is not finite: samplers refuse it by name.
        return np.where(np.isfinite(norms_sq), 1.0, np.nan)

    def _kernel_sq_dists(self, sq_dists, a, b):
        # 2 (1 - e^(-gamma r))
        return -2 * np.expm1(-self.gamma * np.sqrt(sq_dists))

    def _products(self, other):
        # Not 1 less half the distance, which has no digits left for far rows.
        table = self._table(other).sq_dists(other._table(self))
        return np.exp(-self.gamma * np.sqrt(table))
