"""Embeddings side by side."""

import numpy as np

from skbadge.embeddings._base import Embedding


class StackedEmbedding(Embedding):
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

    def __init__(self, parts):
        self.parts = tuple(parts)
        if len({len(part) for part in self.parts}) != 1:
            raise ValueError(
                "`parts` must be at least one embedding, all with the same number of "
                f"rows. Got rows: {[len(part) for part in self.parts]}."
            )

    @property
    def shape(self):
        """Rows and columns, a pair of ints."""
        return len(self.parts[0]), sum(part.shape[1] for part in self.parts)

    @property
    def dtype(self):
        """Floating dtype of the bulk products: the coarsest of the parts'."""
        return min((part.dtype for part in self.parts), key=lambda t: t.itemsize)

    @property
    def nbytes(self):
        """Bytes held by the parts."""
        return sum(part.nbytes for part in self.parts)

    def _norms_sq(self):
        return np.sum([part.norms_sq() for part in self.parts], axis=0)

    def cross(self, other):
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

    def paired_sq_dists(self, other):
        """Squared distances between rows of equal position."""
        pairs = zip(self.parts, other.parts, strict=True)
        return np.sum([mine.paired_sq_dists(theirs) for mine, theirs in pairs], axis=0)
