"""A kernel less what the labelled rows explain of it."""

from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray

from skbadge.embeddings._arrays import row_norms_sq
from skbadge.embeddings._base import Embedding
from skbadge.embeddings._dense import DenseEmbedding
from skbadge.embeddings._device import to_device
from skbadge.embeddings._kernel_only import KernelOnlyEmbedding, products_in_blocks
from skbadge.utils._chunks import row_chunks
from skbadge.utils._place import new_array
from skbadge.utils._triangular import solve_lower


class ConditionedEmbedding(KernelOnlyEmbedding):
    r"""Rows with the kernel :math:`k(x, x') - w(x)^\top w(x')`.

    The posterior kernel of a Gaussian process, with :math:`w(x) = C^{-1} k(L, x)` and
    :math:`C` the Cholesky factor of :math:`k(L, L) + \sigma^2 I` over the labelled rows
    :math:`L`. `Posterior` makes them.

    Parameters
    ----------
    prior : Embedding of shape (n_rows, n_columns)
        The rows with the kernel :math:`k`, of any dtype. Products are formed in
        float64.

    coordinates : ndarray of shape (n_rows, n_labeled)
        The vectors :math:`w(x)`, float64.

    Notes
    -----
    Posterior variances may be a millionth of the prior ones. Squared distances are
    therefore formed as differences of squared distances: those of the prior are free of
    cancellation, and equal rows are at distance exactly 0.
    """

    def __init__(self, prior: Embedding, coordinates: NDArray[np.float64]):
        self.prior = prior
        self.coordinates = coordinates
        self._dtype = np.dtype(np.float64)

    def __len__(self) -> int:
        return len(self.prior)

    @property
    def device(self) -> torch.device | None:
        """Device of torch's that holds the prior's rows; None is main memory."""
        return self.prior.device

    @property
    def _arrays(self):
        return (*self.prior._arrays, self.coordinates)

    def _norms_sq(self):
        # k(x, x) - |w(x)|^2
        variances = self.prior.norms_sq() - row_norms_sq(self.coordinates)
        return np.maximum(variances, 0.0, out=variances)

    def _products(self, other):
        # k(x, x') - <w(x), w(x')>
        products = np.empty((len(self), len(other)))
        products_in_blocks(self.prior, other.prior, out=products)
        products -= self.coordinates @ other.coordinates.T
        return products

    def sq_dists(self, other: Self) -> NDArray[np.float64]:
        """Squared distances to the rows of another embedding with this kernel."""
        # |phi(x) - phi(x')|^2 - |w(x) - w(x')|^2
        prior, others = (part.prior.astype(np.float64) for part in (self, other))
        sq_dists = prior.sq_dists(others)
        explained = DenseEmbedding(self.coordinates)
        sq_dists -= explained.sq_dists(DenseEmbedding(other.coordinates))
        return np.maximum(sq_dists, 0.0, out=sq_dists)

    def paired_sq_dists(self, other: Self) -> NDArray[np.float64]:
        """Squared distances between rows of equal position."""
        sq_dists = self.prior.paired_sq_dists(other.prior)
        sq_dists = sq_dists - row_norms_sq(self.coordinates - other.coordinates)
        return np.maximum(sq_dists, 0.0, out=sq_dists)

    def _take(self, rows):
        return self._of(self.prior.take(rows), self.coordinates[rows])

    def _of(self, prior, coordinates):
        """Other rows, or the same ones elsewhere, in the same dtype."""
        part = ConditionedEmbedding(prior, coordinates)
        part._dtype = self._dtype
        return part

    def _pair_cost(self):
        return (*self.prior._pair_cost(), self.coordinates.shape[1])


def conditioned_on(
    embedding: Embedding, given: Embedding, factor: NDArray[np.float64]
) -> ConditionedEmbedding:
    """Rows with the kernel less what some given rows explain of it.

    Parameters
    ----------
    embedding : Embedding of shape (n_rows, n_columns)
        The rows.

    given : Embedding of shape (n_given, n_columns)
        The given rows, in float64.

    factor : ndarray of shape (n_given, n_given)
        Lower Cholesky factor of their kernel, and of noise on its diagonal if any.

    Returns
    -------
    conditioned : ConditionedEmbedding of shape (n_rows, inf)
        In float64.
    """
    # w(x) = C^-1 k(L, x), so that <w(x), w(x')> is the second term of the kernel.
    coordinates = new_array((len(embedding), len(given)), np.float64)
    products_in_blocks(embedding, given, out=coordinates)
    for rows in row_chunks(*coordinates.shape):
        solve_lower(factor, coordinates[rows].T)
    return ConditionedEmbedding(embedding, coordinates)


@to_device.register
def _(embedding: ConditionedEmbedding, device):
    return embedding._of(to_device(embedding.prior, device), embedding.coordinates)
