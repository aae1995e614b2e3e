"""The Laplace kernel of the rows of a table."""

from numbers import Real

import numpy as np

from skbadge._compat import Interval
from skbadge.embeddings._factors import Matrix
from skbadge.embeddings._radial import RadialEmbedding


class LaplaceEmbedding(RadialEmbedding):
    r"""Rows in the space of the Laplace kernel :math:`e^{-\gamma \|x - x'\|}`.

    The distance is Euclidean (`sklearn.metrics.pairwise.laplacian_kernel` takes
    Manhattan distances). One of the kernels of Holzmüller et al. [1]_ that need the
    inputs only and not the net.

    Parameters
    ----------
    X : array-like or CSR matrix of shape (n_rows, n_inputs)
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

    def __init__(self, X: Matrix, *, gamma: float = 1.0):
        self.gamma = gamma
        super().__init__(X)

    @property
    def _factor(self):
        return min(float(self.gamma), float(np.finfo(np.float32).max)) ** 2

    def _exponents(self, scaled):
        # -gamma r, where rounding may have left less than 0
        np.maximum(scaled, 0, out=scaled)
        np.sqrt(scaled, out=scaled)
        return np.negative(scaled, out=scaled)
