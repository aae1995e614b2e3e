"""An embedding whose matrix is sparse and stays so."""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from skbadge.embeddings._dense import DenseEmbedding, MatrixEmbedding
from skbadge.embeddings._factors import Matrix, as_matrix, dense, paired_products
from skbadge.embeddings._scaled import scaled
from skbadge.utils._chunks import row_chunks


class SparseEmbedding(MatrixEmbedding):
    """A sparse matrix held in memory, such as counts of words.

    Parameters
    ----------
    matrix : sparse matrix of shape (n_rows, n_columns)
        Kept without a copy if it is in CSR format, float32 or float64, and has no entry
        twice.

    Examples
    --------
    >>> from scipy import sparse
    >>> from skbadge.embeddings import SparseEmbedding
    >>> embedding = SparseEmbedding(sparse.csr_matrix([[0.0, 0.0], [3.0, 4.0]]))
    >>> embedding.norms_sq()
    array([ 0., 25.])
    """

    def __init__(self, matrix: Matrix):
        if not sparse.issparse(matrix):
            raise TypeError(
                "`matrix` must be a sparse matrix of scipy's. Got "
                f"{type(matrix).__name__}: take a DenseEmbedding."
            )
        self.matrix = as_matrix(matrix, "matrix")

    def project(self, directions: NDArray) -> NDArray[np.float64]:
        """Coordinates of the rows along some directions."""
        return self.matrix.astype(np.float64) @ directions

    def quadratic_forms(self, matrix: NDArray[np.float64]) -> NDArray[np.float64]:
        """Each row times a square matrix times the row."""
        forms = np.empty(len(self))
        for rows in row_chunks(len(self), self.shape[1], minimum=16):
            part = self.matrix[rows].astype(np.float64)
            forms[rows] = paired_products(part, part @ matrix)
        return forms

    def _dense(self):
        return dense(self.matrix)


@scaled.register
def _(embedding: SparseEmbedding, factor):
    # A Python float leaves the dtype as it is.
    return SparseEmbedding(embedding.matrix * float(factor))


def matrix_embedding(matrix: ArrayLike | Matrix) -> DenseEmbedding | SparseEmbedding:
    """The embedding of a matrix as it is, dense or sparse."""
    return (SparseEmbedding if sparse.issparse(matrix) else DenseEmbedding)(matrix)
