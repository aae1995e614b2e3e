"""Embeddings times a number."""

from functools import singledispatch
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray

from skbadge.embeddings._base import Embedding
from skbadge.embeddings._device import to_device


class ScaledEmbedding(Embedding):
    """The rows of an embedding times a number, for kinds that hold no matrix.

    Parameters
    ----------
    embedding : Embedding
        Kept as it is.

    factor : float
        What to multiply the rows by. Inner products are multiplied by its square.

    Examples
    --------
    >>> from skbadge.embeddings import LaplaceEmbedding, ScaledEmbedding
    >>> ScaledEmbedding(LaplaceEmbedding([[1.0], [2.0]]), 3.0).norms_sq()
    array([9., 9.])
    """

    def __init__(self, embedding: Embedding, factor: float):
        self.embedding = embedding
        self.factor = float(factor)

    @property
    def shape(self) -> tuple[int, float]:
        """Rows and columns of the embedding."""
        return self.embedding.shape

    @property
    def dtype(self) -> np.dtype:
        """Floating dtype of the bulk products."""
        return self.embedding.dtype

    @property
    def device(self) -> torch.device | None:
        """Device of torch's that holds the embedding; None is main memory."""
        return self.embedding.device

    @property
    def _arrays(self):
        return self.embedding._arrays

    def _norms_sq(self):
        return self.factor**2 * self.embedding.norms_sq()

    def cross(self, other: Self) -> NDArray:
        """Inner products with the rows of a scaled embedding of the same kind."""
        products = self.embedding.cross(other.embedding)
        products *= self.factor * other.factor
        return products

    def sq_dists(self, other: Self) -> NDArray[np.float64]:
        """Squared distances to the rows of an embedding scaled by the same factor."""
        self._check_factor(other)
        return self.factor**2 * self.embedding.sq_dists(other.embedding)

    def _nearest(self, other, width):
        self._check_factor(other)
        nearest, sq_dists = self.embedding._nearest(other.embedding, width)
        return nearest, self.factor**2 * sq_dists

    def paired_sq_dists(self, other: Self) -> NDArray[np.float64]:
        """Squared distances between rows of equal position."""
        self._check_factor(other)
        return self.factor**2 * self.embedding.paired_sq_dists(other.embedding)

    def _check_factor(self, other):
        if self.factor != other.factor:
            raise ValueError(
                "Distances need rows that are scaled by the same factor. "
                f"Got {self.factor:.6g} and {other.factor:.6g}."
            )

    def _take(self, rows):
        return ScaledEmbedding(self.embedding.take(rows), self.factor)

    def _cast(self, dtype):
        return ScaledEmbedding(self.embedding.astype(dtype), self.factor)

    def _dense(self):
        dense = self.embedding._dense()
        dense *= self.factor
        return dense

    def _pair_cost(self):
        return self.embedding._pair_cost()


@singledispatch
def scaled(embedding: Embedding, factor: float) -> Embedding:
    """An embedding times a number, of the same kind where that holds a matrix."""
    return ScaledEmbedding(embedding, factor)


@scaled.register
def _(embedding: ScaledEmbedding, factor):
    return ScaledEmbedding(embedding.embedding, embedding.factor * float(factor))


@to_device.register
def _(embedding: ScaledEmbedding, device):
    return ScaledEmbedding(to_device(embedding.embedding, device), embedding.factor)
