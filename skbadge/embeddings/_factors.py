"""Matrices that embeddings are made of: arrays, or sparse ones in CSR format."""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.utils.extmath import row_norms
from sklearn.utils.sparsefuncs import inplace_csr_row_scale

from skbadge.embeddings._arrays import row_norms_sq as dense_norms_sq
from skbadge.embeddings._checked import as_factor
from skbadge.utils._place import cast_array, filled_array

# An array, or a sparse matrix or array in CSR format.
Matrix: TypeAlias = NDArray | sparse.csr_matrix | sparse.csr_array


def as_matrix(array, name):
    """A float32 or float64 array or CSR matrix, not copied if it is one."""
    if not sparse.issparse(array):
        return as_factor(array, name)
    if array.ndim != 2:
        raise ValueError(f"`{name}` must be 2-D. Got {array.ndim} dimensions instead.")
    matrix = array.tocsr()
    if matrix.dtype not in (np.float32, np.float64):
        matrix = matrix.astype(np.float64)
    if not matrix.has_canonical_format:
        # Entries given twice stand for their sum. The owner's matrix stays as it is.
        matrix = matrix.copy()
        matrix.sum_duplicates()
    return matrix


def row_norms_sq(matrix):
    """Squared norms of the rows, accumulated in float64."""
    if not sparse.issparse(matrix):
        return dense_norms_sq(matrix)
    return row_norms(matrix.astype(np.float64), squared=True)


def products(first, second):
    """Inner products of the rows of one matrix with those of another."""
    return dense(first @ second.T)


def differences(first, second):
    """Differences of the entries, in float64."""
    if sparse.issparse(first):
        return first.astype(np.float64) - second.astype(np.float64)
    return np.subtract(first, second, dtype=np.float64)


def paired_products(first, second):
    """Inner products of rows of equal position, one matrix being in float64."""
    if sparse.issparse(first):
        return np.asarray(first.multiply(second).sum(axis=1)).ravel()
    return np.einsum("ij,ij->i", first, second)


def cast(matrix, dtype):
    """The matrix in another dtype, itself if it has it already."""
    if sparse.issparse(matrix):
        return matrix.astype(dtype, copy=False)
    return cast_array(matrix, dtype)


def scaled_rows(matrix, factors):
    """Each row times a number of its own, in the matrix's dtype."""
    with np.errstate(over="ignore"):
        short = factors.astype(matrix.dtype, copy=False)
    if np.isinf(short).any() and not np.isinf(factors).any():
        # Of numbers near the end of float32's range, whose inverses are beyond.
        return cast(scaled_rows(cast(matrix, np.float64), factors), matrix.dtype)
    factors = short
    if not sparse.issparse(matrix):
        columns = factors[:, None]
        return filled_array(matrix.shape, matrix.dtype, np.multiply, matrix, columns)
    matrix = matrix.copy()
    inplace_csr_row_scale(matrix, factors)
    return matrix


def below_each_other(parts):
    """Matrices of one kind and width as one, copied."""
    if sparse.issparse(parts[0]):
        return sparse.vstack(parts, format="csr")
    return np.concatenate(parts)


def dense(matrix):
    """The matrix as an array."""
    return matrix.toarray() if sparse.issparse(matrix) else matrix


def row_cost(matrix):
    """Numbers held for one row, on average."""
    if sparse.issparse(matrix):
        # Each entry has a position as well.
        return 1 + 2 * matrix.nnz // max(1, matrix.shape[0])
    return matrix.shape[1]
