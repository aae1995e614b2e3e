"""An embedding whose rows are outer products of the rows of two embeddings."""

from math import isinf

import numpy as np

from skbadge.embeddings._base import Embedding
from skbadge.embeddings._nearest import nearest_by_distances


class ProductEmbedding(Embedding):
    r"""Rows :math:`u_i \otimes v_i` of any two embeddings: their kernels multiply.

    `OuterProductEmbedding` is the case of two matrices; here either may be any
    embedding, one that is known by its inner products only included.

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

    def __init__(self, first, second):
        if len(first) != len(second):
            raise ValueError(
                "`first` and `second` must have the same number of rows. "
                f"Got {len(first)} and {len(second)}."
            )
        self.first = first
        self.second = second

    @property
    def shape(self):
        """Rows and columns; `math.inf` columns if a factor has as many."""
        n_columns = (self.first.shape[1], self.second.shape[1])
        # Not the product: 0 times infinity.
        infinite = [width for width in n_columns if isinf(width)]
        columns = infinite[0] if infinite else n_columns[0] * n_columns[1]
        return len(self.first), columns

    @property
    def dtype(self):
        """Floating dtype of the bulk products: the coarser of the two factors'."""
        return min(self.first.dtype, self.second.dtype, key=lambda t: t.itemsize)

    @property
    def nbytes(self):
        """Bytes held by the factors."""
        return self.first.nbytes + self.second.nbytes

    def _norms_sq(self):
        # Zero times infinity is NaN, which samplers refuse by name.
        with np.errstate(invalid="ignore"):
            return self.first.norms_sq() * self.second.norms_sq()

    def cross(self, other):
        """Inner products with the rows of a product of like embeddings."""
        products = self.first.cross(other.first) * self.second.cross(other.second)
        return products.astype(self.dtype, copy=False)

    def sq_dists(self, other):
        """Squared distances to the rows of a product of like embeddings."""
        norms = [(part.norms_sq()[:, None]) for part in (self.first, self.second)]
        others = [part.norms_sq() for part in (other.first, other.second)]
        sq_dists = (
            self.first.sq_dists(other.first),
            self.second.sq_dists(other.second),
        )
        return _product_sq_dists(*sq_dists, norms, others)

    def paired_sq_dists(self, other):
        """Squared distances between rows of equal position."""
        norms = [part.norms_sq() for part in (self.first, self.second)]
        others = [part.norms_sq() for part in (other.first, other.second)]
        sq_dists = (
            self.first.paired_sq_dists(other.first),
            self.second.paired_sq_dists(other.second),
        )
        return _product_sq_dists(*sq_dists, norms, others)

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


def _product_sq_dists(first, second, norms, others):
    r"""Squared distances of outer products, from those of their factors.

    With :math:`k, l` the two kernels, :math:`D_k, D_l` their squared distances,
    :math:`a, b` and :math:`p, q` the kernels of the two rows with themselves,

    .. math::

        ap + bq - 2 k l = \tfrac12 \bigl(D_l (a + b) + D_k (p + q) - D_k D_l
        + (a - b)(p - q)\bigr).
    """
    (a, p), (b, q) = norms, others
    # |a - b| is at most sqrt(D_k) (sqrt(a) + sqrt(b)): equal rows, whose norms may
    # differ by rounding, are at distance 0.
    limit = np.sqrt(first) * (np.sqrt(a) + np.sqrt(b))
    sq_dists = np.clip(a - b, -limit, limit)
    sq_dists *= p - q
    sq_dists += second * (a + b)
    sq_dists += first * (p + q)
    sq_dists -= first * second
    sq_dists /= 2
    return np.maximum(sq_dists, 0.0, out=sq_dists)
