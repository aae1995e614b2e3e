"""Embeddings side by side."""

from collections.abc import Sequence
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray

from skbadge.embeddings._arrays import coarsest
from skbadge.embeddings._base import Embedding
from skbadge.embeddings._device import to_device
from skbadge.embeddings._random_projection import sketched
from skbadge.embeddings._scaled import scaled
from skbadge.utils._place import new_array


class Stack(Embedding):
    """What embeddings share that are made of like parts."""

    parts: tuple

    @property
    def dtype(self) -> np.dtype:
        """Floating dtype of the bulk products: the coarsest of the parts'."""
        return coarsest(part.dtype for part in self.parts)

    @property
    def device(self) -> torch.device | None:
        """Device of torch's that holds the first part; None is main memory."""
        return self.parts[0].device

    @property
    def _arrays(self):
        return [array for part in self.parts for array in part._arrays]


class StackedEmbedding(Stack):
    """Embeddings side by side, as ``numpy.hstack`` would put them.

    Norms and inner products add. This is how a bias column joins a gradient embedding,
    and how the layers of a net or the members of an ensemble join.

    Parameters
    ----------
    parts : sequence of Embedding
        At least one; equal numbers of rows.

    Examples
    --------
    >>> from skbadge.embeddings import DenseEmbedding, StackedEmbedding
    >>> StackedEmbedding([DenseEmbedding([[1.0]]), DenseEmbedding([[2.0]])]).to_dense()
    array([[1., 2.]])
    """

    def __init__(self, parts: Sequence[Embedding]):
        self.parts = tuple(parts)
        if len({len(part) for part in self.parts}) != 1:
            raise ValueError(
                "`parts` must be at least one embedding, all with the same number of "
                f"rows. Got rows: {[len(part) for part in self.parts]}."
            )

    @property
    def shape(self) -> tuple[int, float]:
        """Rows and columns; `math.inf` columns if a part has as many."""
        return len(self.parts[0]), sum(part.shape[1] for part in self.parts)

    def _norms_sq(self):
        return np.sum([part.norms_sq() for part in self.parts], axis=0)

    def cross(self, other: Self) -> NDArray:
        """Inner products with the rows of an embedding stacked from like parts."""
        products = self.parts[0].cross(other.parts[0])
        for mine, theirs in zip(self.parts[1:], other.parts[1:], strict=True):
            products = np.add(products, mine.cross(theirs))
        return products

    def _take(self, rows):
        return StackedEmbedding([part.take(rows) for part in self.parts])

    def _cast(self, dtype):
        return StackedEmbedding([part.astype(dtype) for part in self.parts])

    def _dense(self):
        return np.hstack([part._dense() for part in self.parts])

    def _pair_cost(self):
        return tuple(cost for part in self.parts for cost in part._pair_cost())

    def paired_sq_dists(self, other: Self) -> NDArray[np.float64]:
        """Squared distances between rows of equal position."""
        pairs = zip(self.parts, other.parts, strict=True)
        return np.sum([mine.paired_sq_dists(theirs) for mine, theirs in pairs], axis=0)


@scaled.register
def _(embedding: StackedEmbedding, factor):
    return StackedEmbedding([scaled(part, factor) for part in embedding.parts])


@to_device.register
def _(embedding: StackedEmbedding, device):
    return StackedEmbedding([to_device(part, device) for part in embedding.parts])


@sketched.register
def _(embedding: StackedEmbedding, n_columns, rng):
    # Independent projections make the products across parts zero on average.
    total = new_array((len(embedding), n_columns), embedding.dtype)
    total[:] = 0
    for part in embedding.parts:
        total += sketched(part, n_columns, rng)
    return total
