"""An embedding whose matrix is held as it is."""

import numpy as np

from skbadge.embeddings._base import Embedding, as_factor, row_norms_sq


class DenseEmbedding(Embedding):
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

    def __init__(self, matrix):
        self.matrix = as_factor(matrix, "matrix")

    @property
    def shape(self):
        """Rows and columns, a pair of ints."""
        return self.matrix.shape

    @property
    def dtype(self):
        """Floating dtype of the bulk products."""
        return self.matrix.dtype

    @property
    def nbytes(self):
        """Bytes held by the matrix."""
        return self.matrix.nbytes

    def _norms_sq(self):
        return row_norms_sq(self.matrix)

    def cross(self, other):
        """Inner products with the rows of another dense embedding."""
        return self.matrix @ other.matrix.T

    def _take(self, rows):
        return DenseEmbedding(self.matrix[rows])

    def _cast(self, dtype):
        return DenseEmbedding(self.matrix.astype(dtype))

    def _dense(self):
        return self.matrix.copy()

    def paired_sq_dists(self, other):
        """Squared distances between rows of equal position."""
        return row_norms_sq(np.subtract(self.matrix, other.matrix, dtype=np.float64))
