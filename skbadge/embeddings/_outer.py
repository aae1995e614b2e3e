"""An embedding whose rows are outer products of two short vectors."""

from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skbadge.embeddings._arrays import coarsest
from skbadge.embeddings._base import Embedding
from skbadge.embeddings._checked import as_factor
from skbadge.embeddings._dense import DenseEmbedding, times
from skbadge.embeddings._factors import (
    Matrix,
    as_matrix,
    cast,
    dense,
    differences,
    paired_products,
    products,
    row_cost,
    row_norms_sq,
)
from skbadge.embeddings._kronecker_sketch import KroneckerSketch
from skbadge.embeddings._product import row_products
from skbadge.embeddings._random_projection import sketched
from skbadge.embeddings._scaled import scaled
from skbadge.utils._chunks import row_chunks
from skbadge.utils._place import new_array


class OuterProductEmbedding(Embedding):
    r"""Rows :math:`a_i \otimes z_i`, held as their factors.

    Norms and inner products multiply, so a row of ``K * d`` columns costs ``K + d``
    numbers and an inner product ``K + d`` multiplications.

    Parameters
    ----------
    left : array-like of shape (n_rows, n_left)
        The vectors :math:`a_i`.

    right : array-like or sparse matrix of shape (n_rows, n_right)
        The vectors :math:`z_i`. Column ``k * n_right + j`` of the embedding is
        ``left[:, k] * right[:, j]``. A sparse matrix stays sparse, in CSR format.

    Examples
    --------
    >>> from skbadge.embeddings import OuterProductEmbedding
    >>> embedding = OuterProductEmbedding([[1.0, -1.0]], [[2.0, 0.0, 3.0]])
    >>> embedding.to_dense()
    array([[ 2.,  0.,  3., -2., -0., -3.]])
    """

    def __init__(self, left: ArrayLike, right: ArrayLike | Matrix):
        self.left = as_factor(left, "left")
        self.right = as_matrix(right, "right")
        n_left, n_right = self.left.shape[0], self.right.shape[0]
        if n_left != n_right:
            raise ValueError(
                "`left` and `right` must have the same number of rows. "
                f"Got {n_left} and {n_right}."
            )

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns, a pair of ints."""
        return len(self.left), self.left.shape[1] * self.right.shape[1]

    @property
    def dtype(self) -> np.dtype:
        """Floating dtype of the bulk products: the coarser of the two factors'."""
        return coarsest([self.left.dtype, self.right.dtype])

    @property
    def _arrays(self):
        return self.left, self.right

    def _norms_sq(self):
        norms_sq = row_norms_sq(self.left)
        # Zero times infinity is NaN, which samplers refuse by name.
        with np.errstate(invalid="ignore"):
            norms_sq *= row_norms_sq(self.right)
        return norms_sq

    def cross(self, other: Self) -> NDArray:
        """Inner products with the rows of another outer product embedding."""
        by_left = self.left @ other.left.T
        by_right = products(self.right, other.right)
        # A third array of this size costs more than the product itself.
        out = by_left if by_left.dtype == by_right.dtype else None
        return np.multiply(by_left, by_right, out=out)

    def _take(self, rows):
        return OuterProductEmbedding(self.left[rows], self.right[rows])

    def _cast(self, dtype):
        left, right = (cast(part, dtype) for part in (self.left, self.right))
        return OuterProductEmbedding(left, right)

    def _dense(self):
        outer = self.left[:, :, None] * dense(self.right)[:, None, :]
        return outer.reshape(self.shape)

    def _pair_cost(self):
        return self.left.shape[1], row_cost(self.right)

    def paired_sq_dists(self, other: Self) -> NDArray[np.float64]:
        """Squared distances between rows of equal position."""
        # With da = a - a' and dz = z - z', a (x) z - a' (x) z' = da (x) z + a' (x) dz.
        d_left = differences(self.left, other.left)
        d_right = differences(self.right, other.right)
        # |da|^2 |z|^2 + |a'|^2 |dz|^2
        sq_dists = row_norms_sq(d_left) * row_norms_sq(self.right)
        sq_dists += row_norms_sq(other.left) * row_norms_sq(d_right)
        # + 2 <da, a'> <z, dz>
        cross_left = paired_products(d_left, other.left)
        cross_right = paired_products(self.right, d_right)
        sq_dists += 2.0 * cross_left * cross_right
        return np.maximum(sq_dists, 0.0, out=sq_dists)


@scaled.register
def scaled_outer(embedding: OuterProductEmbedding, factor):
    """The outer product with its smaller factor scaled, here or on a device."""
    left, right = embedding.left, embedding.right
    if left.shape[1] <= right.shape[1]:
        return type(embedding)(times(left, factor), right)
    return type(embedding)(left, times(right, factor))


@row_products.register
def _(first: DenseEmbedding, second):
    return OuterProductEmbedding(first.matrix, second.matrix)


@sketched.register
def _(embedding: OuterProductEmbedding, n_columns, rng):
    widths = embedding.left.shape[1], embedding.right.shape[1]
    project = KroneckerSketch(
        [widths], n_columns, random_state=rng, dtype=embedding.dtype
    )
    sketches = new_array((len(embedding), n_columns), embedding.dtype)
    for rows in row_chunks(len(embedding), n_columns):
        sketches[rows] = project([(embedding.left[rows], embedding.right[rows])])
    return sketches
