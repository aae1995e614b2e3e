"""What embeddings share that know nothing but their inner products."""

from abc import abstractmethod
from copy import copy
from math import inf
from typing import Self

import numpy as np
from numpy.typing import NDArray

from skbadge.embeddings._base import Embedding
from skbadge.embeddings._nearest import nearest_by_distances
from skbadge.utils._chunks import row_chunks


class KernelOnlyEmbedding(Embedding):
    """Rows in the space of a kernel, which has no columns to write down.

    The number of columns is `math.inf`, and whatever would form columns raises. Inner
    products and distances are formed in float64 whatever the `dtype`. That is the dtype
    of what `cross` returns.

    A subclass provides `__len__`, `_norms_sq`, `_products`, `sq_dists`,
    `paired_sq_dists`, `_take` and `_pair_cost`, and sets ``_dtype``.
    """

    _dtype: np.dtype

    @property
    def shape(self) -> tuple[int, float]:
        """Rows, and `math.inf` columns."""
        return len(self), inf

    @abstractmethod
    def __len__(self) -> int:
        """Number of rows."""

    @property
    def dtype(self) -> np.dtype:
        """Floating dtype of what `cross` returns."""
        return self._dtype

    @abstractmethod
    def _products(self, other):
        """Inner products in float64, see `cross`."""

    def cross(self, other: Self) -> NDArray:
        """Inner products with the rows of another embedding of the same kind."""
        return self._products(other).astype(self.dtype, copy=False)

    @abstractmethod
    def sq_dists(self, other: Self) -> NDArray[np.float64]:
        """Squared distances, see `Embedding.sq_dists`."""

    def _nearest(self, other, width):
        # Distances come without the cancellation that the expansion would bring.
        return nearest_by_distances(self, other, width)

    def _cast(self, dtype):
        cast = copy(self)
        cast._dtype = np.dtype(dtype)
        return cast

    def _dense(self):
        self._require_columns()

    @abstractmethod
    def _pair_cost(self):
        """Numbers held for one row, by factor."""


def products_in_blocks(embedding, other, out):
    """Fill an array with inner products in float64, a block of rows at a time."""
    other = other.astype(np.float64)
    for rows in row_chunks(len(embedding), max(1, len(other)), minimum=256):
        out[rows] = embedding.take(rows).astype(np.float64).cross(other)
