"""Embeddings whose matrix is held as it is, and projections, which are such."""

from functools import partial, singledispatch
from operator import mul
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skbadge.embeddings._base import Embedding
from skbadge.embeddings._checked import as_factor
from skbadge.embeddings._factors import (
    Matrix,
    cast,
    differences,
    products,
    row_cost,
    row_norms_sq,
)
from skbadge.embeddings._scaled import scaled
from skbadge.utils._place import filled_array


class MatrixEmbedding(Embedding):
    """What embeddings share whose ``matrix``, dense or sparse, is held in memory."""

    matrix: Matrix

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns, a pair of ints."""
        return self.matrix.shape

    @property
    def dtype(self) -> np.dtype:
        """Floating dtype of the bulk products."""
        return self.matrix.dtype

    @property
    def _arrays(self):
        return (self.matrix,)

    def _norms_sq(self):
        return row_norms_sq(self.matrix)

    def cross(self, other: Self) -> NDArray:
        """Inner products with the rows of another embedding of the kind."""
        return products(self.matrix, other.matrix)

    def _take(self, rows):
        return type(self)(self.matrix[rows])

    def _cast(self, dtype):
        return type(self)(cast(self.matrix, dtype))

    def _pair_cost(self):
        return (row_cost(self.matrix),)

    def paired_sq_dists(self, other: Self) -> NDArray[np.float64]:
        """Squared distances between rows of equal position."""
        return row_norms_sq(differences(self.matrix, other.matrix))


class DenseEmbedding(MatrixEmbedding):
    """A matrix held in memory, e.g. penultimate features.

    Parameters
    ----------
    matrix : array-like of shape (n_rows, n_columns)
        Kept without a copy if it is float32 or float64.

    Examples
    --------
    >>> from skbadge.embeddings import DenseEmbedding
    >>> embedding = DenseEmbedding([[0.0, 0.0], [3.0, 4.0]])
    >>> embedding.norms_sq()
    array([ 0., 25.])
    """

    def __init__(self, matrix: ArrayLike):
        self.matrix = as_factor(matrix, "matrix")

    def _dense(self):
        return self.matrix.copy()


@scaled.register
def _(embedding: DenseEmbedding, factor):
    return DenseEmbedding(times(embedding.matrix, factor))


def times(matrix, factor):
    """A matrix, or a tensor, times a number, in its dtype."""
    # A Python float leaves the dtype as it is.
    factor = float(factor)
    if not isinstance(matrix, np.ndarray):
        return matrix * factor
    return filled_array(matrix.shape, matrix.dtype, partial(mul, factor), matrix)


@singledispatch
def projected(embedding: Embedding, directions: NDArray) -> Embedding:
    """`Embedding.project` as an embedding in float64 that stays where the rows are."""
    return DenseEmbedding(embedding.project(directions))
