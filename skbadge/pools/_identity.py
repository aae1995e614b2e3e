"""Identities of rows that do not depend on where in a pool they stand."""

from collections.abc import Iterator
from hashlib import blake2b
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skbadge.pools._inputs import parts_of
from skbadge.pools._kinds import kind_of
from skbadge.pools._numbers import (
    array_of,
    canonical,
    columns_of,
    numbers_of,
    numbers_of_column,
)
from skbadge.pools._rows import n_rows, take_rows
from skbadge.utils._chunks import row_chunks
from skbadge.utils._validation import is_missing

_CHUNK_NUMBERS = 2**21


def row_ids(X: Any, rows: NDArray | None = None) -> list[str]:
    """Identities of rows, equal if and (but for hash collisions) only if rows are.

    Parameters
    ----------
    X : array-like, sparse matrix, data frame, tensor, Dataset, or dict or `Inputs` of \
            those
        The rows.

    rows : ndarray of int or None, default=None
        Which of them; None for all.

    Returns
    -------
    ids : list of str
        Sixteen hexadecimal digits each. Numbers count by value, not by dtype, but that
        numbers and booleans in a column of objects are other entries than those of a
        dtype of their own. None and NA count as NaN.
    """
    return [blake2b(row, digest_size=8).hexdigest() for row in row_bytes(X, rows)]


def row_bytes(X: Any, rows: NDArray | None = None) -> Iterator[bytes]:
    """What `row_ids` hashes: for each row, bytes that say what is in it."""
    return _BYTES[kind_of(X)](X if rows is None else take_rows(X, rows))


def _array_bytes(X):
    array = array_of(X)
    numbers = numbers_of(array, X)
    if numbers is not None:
        yield from _number_bytes(*numbers)
        return
    if array.dtype.kind in "OmM":
        array = _with_nan(array.astype(object))
    for row in array:
        yield repr(row.tolist() if hasattr(row, "tolist") else row).encode()


def _with_nan(array):
    """Objects with NaN for all that is missing: readers of tables mark it variously."""
    missing = np.frompyfunc(is_missing, 1, 1)(array).astype(bool)
    return np.where(missing, np.nan, array) if missing.any() else array


def _number_bytes(values, rest):
    for chunk in row_chunks(len(values), prod(values.shape[1:]), _CHUNK_NUMBERS, 1):
        rows = (row.tobytes() for row in canonical(values[chunk]))
        if rest is None:
            yield from rows
            continue
        # Where there is nothing left, rows have the bytes that they have elsewhere.
        for row, more in zip(rows, rest[chunk].astype(np.float64), strict=True):
            yield row + b"+" + more.tobytes() if more.any() else row


def _sparse_bytes(X):
    matrix = X.tocsr()
    width = prod(matrix.shape[1:])
    for chunk in row_chunks(matrix.shape[0], width, _CHUNK_NUMBERS, 1):
        yield from _array_bytes(matrix[chunk].toarray())


def _parts_bytes(parts):
    return _joined_bytes(map(row_bytes, parts))


def _joined_bytes(parts):
    for row in zip(*parts, strict=True):
        yield b"|".join(row)


def _frame_bytes(X):
    if not hasattr(X, "columns"):
        return _column_bytes(X)
    return _joined_bytes(map(_column_bytes, columns_of(X)))


def _column_bytes(column):
    numbers = numbers_of_column(column)
    if numbers is None:
        return _array_bytes(column.to_numpy())
    return _number_bytes(*numbers)


def _dataset_bytes(X):
    for i in range(n_rows(X)):
        item = X[i]
        # Its rows may have targets beside them.
        item = item[0] if isinstance(item, tuple | list) else item
        parts = parts_of(item)
        arrays = [
            array_of(part) if kind_of(part) == "tensor" else part for part in parts
        ]
        yield from _parts_bytes([np.asarray([array]) for array in arrays])


_BYTES = {
    "array": _array_bytes,
    "dict": lambda X: _parts_bytes([X[key] for key in sorted(X)]),
    "inputs": _parts_bytes,
    "list": _array_bytes,
    "pandas": _frame_bytes,
    "polars": _frame_bytes,
    "sparse": _sparse_bytes,
    "tensor": _array_bytes,
    "torch dataset": _dataset_bytes,
}
