"""Checks of the arrays and embeddings that users hand over."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from skbadge.embeddings._base import Embedding
from skbadge.utils._place import cast_array
from skbadge.utils._row_errors import row_error
from skbadge.utils._validation import check_masked


def as_factor(array: ArrayLike, name: str) -> NDArray:
    """A matrix of float32 or float64, not copied if it is one, or an error by name."""
    if isinstance(array, Embedding):
        raise TypeError(
            f"`{name}` must be an array. Got {array!r}, which is an embedding already."
        )
    if sparse.issparse(array):
        raise TypeError(
            f"`{name}` must be a dense array. Got a {type(array).__name__}. Its method "
            "`toarray` makes one."
        )
    factor = as_floats(array, name)
    if factor.ndim != 2:
        raise ValueError(
            f"`{name}` must be 2-D. Got an array of shape {factor.shape} instead."
        )
    return factor


def as_floats(array: ArrayLike, name: str) -> NDArray:
    """The same of any shape."""
    check_masked(array, name)
    floats = np.asarray(array)
    if floats.dtype.kind == "c":
        raise ValueError(
            f"`{name}` must be of real numbers. Got an array of dtype {floats.dtype}. "
            "Put its real and imaginary parts side by side."
        )
    if floats.dtype == np.float16:
        return cast_array(floats, np.float32)
    if floats.dtype not in (np.float32, np.float64):
        return cast_array(floats, np.float64)
    return floats


def check_embedding(value: Any, name: str) -> None:
    """Raise unless a value is an embedding."""
    if not isinstance(value, Embedding):
        raise TypeError(
            f"`{name}` must be an embedding, such as "
            f"skbadge.embeddings.DenseEmbedding(array). Got {type(value).__name__}."
        )


def check_finite(embedding: Embedding, name: str, first: int = 0) -> None:
    """Raise if a row of an embedding is not finite.

    ``first`` is the number of the first row, where they are a chunk of many.
    """
    wrong = np.flatnonzero(~np.isfinite(embedding.norms_sq()))
    if len(wrong):
        where = f" of the chunk that starts at row {first}" if first else ""
        raise row_error(
            f"`{name}` must be finite. {len(wrong)} of {len(embedding)} rows{where} "
            "hold NaN or infinity, the first is row {row}.",
            first + wrong[0],
        )
