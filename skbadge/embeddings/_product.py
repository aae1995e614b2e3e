"""An embedding whose rows are outer products of the rows of two embeddings."""

from functools import singledispatch
from math import isinf
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray

from skbadge.embeddings._arrays import coarsest
from skbadge.embeddings._base import Embedding
from skbadge.embeddings._device import to_device
from skbadge.embeddings._nearest import nearest_by_distances


class ProductEmbedding(Embedding):
    r"""Rows :math:`u_i \otimes v_i` of any two embeddings: their kernels multiply.

    Each factor may be any embedding, even one that is known by its inner products only.
    For two matrices, `OuterProductEmbedding` is faster.

    Parameters
    ----------
    first, second : Embedding
        Equal numbers of rows.

    Raises
    ------
    ValueError
        If the numbers of rows differ.

    Examples
    --------
    >>> from skbadge.embeddings import (
    ...     DenseEmbedding, LaplaceEmbedding, ProductEmbedding
    ... )
    >>> X = [[3.0, 4.0], [0.0, 0.0]]
    >>> embedding = ProductEmbedding(DenseEmbedding(X), LaplaceEmbedding(X))
    >>> embedding.norms_sq()
    array([25.,  0.])
    """

    def __init__(self, first: Embedding, second: Embedding):
        if len(first) != len(second):
            raise ValueError(
                "`first` and `second` must have the same number of rows. "
                f"Got {len(first)} and {len(second)}."
            )
        self.first = first
        self.second = second

    @property
    def shape(self) -> tuple[int, float]:
        """Rows and columns; `math.inf` columns if a factor has as many."""
        n_columns = (self.first.shape[1], self.second.shape[1])
        # Not the product: 0 times infinity.
        infinite = [width for width in n_columns if isinf(width)]
        columns = infinite[0] if infinite else n_columns[0] * n_columns[1]
        return len(self.first), columns

    @property
    def dtype(self) -> np.dtype:
        """Floating dtype of the bulk products: the coarser of the two factors'."""
        return coarsest([self.first.dtype, self.second.dtype])

    @property
    def device(self) -> torch.device | None:
        """Device of torch's that holds the first factor; None is main memory."""
        return self.first.device

    @property
    def _arrays(self):
        return (*self.first._arrays, *self.second._arrays)

    def _norms_sq(self):
        # Zero times infinity is NaN, which samplers refuse by name.
        with np.errstate(invalid="ignore"):
            return self.first.norms_sq() * self.second.norms_sq()

    def cross(self, other: Self) -> NDArray:
        """Inner products with the rows of a product of like embeddings."""
        products = self.first.cross(other.first) * self.second.cross(other.second)
        return products.astype(self.dtype, copy=False)

    def sq_dists(self, other: Self) -> NDArray[np.float64]:
        """Squared distances to the rows of a product of like embeddings."""
        d_k, d_l = (mine.sq_dists(theirs) for mine, theirs in self._factors(other))
        a, p = (part.norms_sq()[:, None] for part in (self.first, self.second))
        b, q = (part.norms_sq() for part in (other.first, other.second))
        return _product_sq_dists(d_k, d_l, (a, p), (b, q))

    def paired_sq_dists(self, other: Self) -> NDArray[np.float64]:
        """Squared distances between rows of equal position."""
        d_k, d_l = (
            mine.paired_sq_dists(theirs) for mine, theirs in self._factors(other)
        )
        norms, others = (
            [part.norms_sq() for part in (product.first, product.second)]
            for product in (self, other)
        )
        return _product_sq_dists(d_k, d_l, norms, others)

    def _factors(self, other):
        """Pairs of like factors."""
        return (self.first, other.first), (self.second, other.second)

    def _nearest(self, other, width):
        return nearest_by_distances(self, other, width)

    def _take(self, rows):
        return ProductEmbedding(self.first.take(rows), self.second.take(rows))

    def _cast(self, dtype):
        return ProductEmbedding(self.first.astype(dtype), self.second.astype(dtype))

    def _dense(self):
        first, second = self.first._dense(), self.second._dense()
        outer = first[:, :, None] * second[:, None, :]
        return outer.astype(self.dtype, copy=False).reshape(self.shape)

    def _pair_cost(self):
        return (*self.first._pair_cost(), *self.second._pair_cost())


def _product_sq_dists(d_k, d_l, norms, others):
    r"""Squared distances of outer products, from those of their factors.

    With :math:`k, l` the two kernels, :math:`D_k, D_l` their squared distances, and
    :math:`a, p` and :math:`b, q` both kernels of the one row and of the other with
    themselves,

    .. math::

        ap + bq - 2 k l = \tfrac12 \bigl(D_l (a + b) + D_k (p + q) - D_k D_l
        + (a - b)(p - q)\bigr),

    which follows from :math:`2k = a + b - D_k` and :math:`2l = p + q - D_l`. No term is
    large where both distances are small.
    """
    (a, p), (b, q) = norms, others
    # |a - b| is at most sqrt(D_k) (sqrt(a) + sqrt(b)): equal rows, whose norms may
    # differ by rounding, are at distance 0.
    limit = np.sqrt(d_k) * (np.sqrt(a) + np.sqrt(b))
    sq_dists = np.clip(a - b, -limit, limit)
    sq_dists *= p - q  # (a - b)(p - q)
    sq_dists += d_l * (a + b)
    sq_dists += d_k * (p + q)
    sq_dists -= d_k * d_l
    sq_dists /= 2
    return np.maximum(sq_dists, 0.0, out=sq_dists)


@to_device.register
def _(embedding: ProductEmbedding, device):
    factors = (embedding.first, embedding.second)
    return ProductEmbedding(*(to_device(factor, device) for factor in factors))


@singledispatch
def row_products(first: Embedding, second: Embedding) -> Embedding:
    """Outer products of the rows of two matrices of one kind, as factors there."""
    return ProductEmbedding(first, second)
