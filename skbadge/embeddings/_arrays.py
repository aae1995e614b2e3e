"""What embeddings compute of plain arrays."""

import numpy as np
from numpy.typing import NDArray

from skbadge.utils._chunks import row_chunks


def row_norms_sq(factor: NDArray) -> NDArray[np.float64]:
    """Squared norms of the rows of an array, accumulated in float64."""
    norms_sq = np.empty(len(factor))
    for rows in row_chunks(len(factor), factor.shape[1], budget=2**17, minimum=64):
        block = factor[rows].astype(np.float64, copy=False)
        np.einsum("ij,ij->i", block, block, out=norms_sq[rows])
    return norms_sq


def mirror(matrix, width=256):
    """Copy the upper triangle of a square matrix to the lower one, in place."""
    for start in range(0, len(matrix), width):
        own, rest = slice(start, start + width), slice(start + width, None)
        corner = np.triu(matrix[own, own])
        matrix[own, own] = corner + np.triu(corner, 1).T
        matrix[rest, own] = matrix[own, rest].T


def coarsest(dtypes):
    """Of some floating dtypes the one with the fewest digits."""
    return min(dtypes, key=lambda dtype: dtype.itemsize)
