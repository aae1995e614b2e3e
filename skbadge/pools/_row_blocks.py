"""Rows of any container as blocks: matrices of numbers side by side."""

from collections.abc import Hashable
from datetime import date, time, timedelta
from hashlib import blake2b
from itertools import groupby
from numbers import Number
from typing import Any, NamedTuple

import joblib
import numpy as np

from skbadge.pools._identity import row_bytes
from skbadge.pools._inputs import column_dtypes
from skbadge.pools._kinds import kind_of
from skbadge.pools._numbers import (
    array_of,
    columns_of,
    exact_number,
    numbers_of,
    numbers_of_column,
    numbers_of_sparse,
)
from skbadge.utils._validation import is_null

_PER_SECOND = {
    unit: 10 ** (3 * power)
    for power, unit in enumerate(["ms", "us", "ns", "ps", "fs", "as"], start=1)
}


class Block(NamedTuple):
    """Some columns of all rows, two of which are equal if their entries are.

    ``values`` and ``rest`` are `Numbers` of two axes, ndarrays or CSR; or codes, one
    for each entry that is no number.
    """

    values: Any
    rest: Any = None
    is_coded: bool = False

    @property
    def layout(self):
        """What blocks must have in common to be compared."""
        return self.values.shape[1], self.is_coded

    def take(self, rows):
        """The block of some rows."""
        rest = None if self.rest is None else self.rest[rows]
        return self._replace(values=self.values[rows], rest=rest)


def blocks_of(X: Any, book: dict, by_entry: bool = False) -> list[Block]:
    """Blocks that hold what is in the rows.

    Parameters
    ----------
    X : container of rows
        The rows.

    book : dict
        Codes of what is no number, shared by all containers that are to be compared.
        Written down here.

    by_entry : bool, default=False
        Code numbers too: a column may hold numbers here and objects elsewhere, and of
        rows of different lengths some may equal those of a matrix.
    """
    return _BLOCKS[kind_of(X)](X, book, by_entry)


def _array_blocks(X, book, by_entry):
    array = array_of(X)
    if array.dtype.kind in "mM":
        array = _seconds(array)
    elif array.dtype.kind == "c":
        array = np.stack([array.real, array.imag], axis=-1)
    elif by_entry and isinstance(X, list | tuple):
        return [_coded(X, book)]
    if by_entry:
        return [_coded(array.tolist(), book)]
    numbers = numbers_of(array, X)
    if numbers is None:
        return [_coded(array.ravel().tolist(), book, _as_table(array).shape)]
    values, rest = numbers
    return [Block(_as_table(values), None if rest is None else _as_table(rest))]


def _as_table(array):
    width = int(np.prod(array.shape[1:], dtype=np.int64))
    return array.reshape(len(array), width)


def _seconds(times):
    """Seconds and attoseconds, whatever the unit: other units are other numbers."""
    kind, (unit, _) = times.dtype.kind, np.datetime_data(times.dtype)
    if unit not in _PER_SECOND:
        whole, rest = times.astype(f"{kind}8[s]").view(np.int64), 0
    else:
        ticks = times.astype(f"{kind}8[{unit}]").view(np.int64)
        whole, rest = np.divmod(ticks, _PER_SECOND[unit])
        rest *= 10**18 // _PER_SECOND[unit]
    pairs = np.stack(np.broadcast_arrays(whole, rest), axis=-1)
    pairs[np.isnat(times)] = np.iinfo(np.int64).min
    return pairs


def _coded(entries, book, shape=(-1, 1)):
    codes = [book.setdefault(_key(entry), len(book)) for entry in entries]
    return Block(np.array(codes, dtype=np.int64).reshape(shape), is_coded=True)


def _key(entry):
    """A hashable that is equal for equal entries."""
    if is_null(entry):
        return exact_number(np.nan)
    if isinstance(entry, str | bytes | int | date | time | timedelta):
        return entry
    if isinstance(entry, np.datetime64 | np.timedelta64):
        return entry.dtype.kind, *_seconds(np.array([entry]))[0].tolist()
    if isinstance(entry, Number | np.bool_):
        return exact_number(entry)
    if isinstance(entry, list | tuple):
        return ("rows", *map(_key, entry))
    if isinstance(entry, dict):
        return "dict", frozenset((_key(key), _key(entry[key])) for key in entry)
    if hasattr(entry, "__array__") and hasattr(entry, "tolist"):
        # Of tensors as of arrays.
        return _key(entry.tolist())
    return entry if isinstance(entry, Hashable) else ("digest", joblib.hash(entry))


def _sparse_blocks(X, book, by_entry):
    return [Block(*numbers_of_sparse(X))]


def _parts_blocks(parts, book, by_entry):
    return [block for part in parts for block in blocks_of(part, book, by_entry)]


def _frame_blocks(X, book, by_entry):
    if not by_entry and _is_one_array(X):
        return _array_blocks(X.to_numpy(), book, by_entry)
    columns = columns_of(X)
    numbers = [None if by_entry else numbers_of_column(column) for column in columns]
    blocks = []
    pairs = zip(columns, numbers, strict=True)
    for is_coded, run in groupby(pairs, key=lambda pair: pair[1] is None):
        if is_coded:
            blocks += [_coded(_entries(column), book) for column, _ in run]
        else:
            blocks.append(_side_by_side([part for _, part in run]))
    return blocks or [Block(np.empty((len(X), 0)))]


def _is_one_array(X):
    """Whether a frame is of one NumPy dtype of numbers, often without a copy."""
    dtypes = {dtype for _, dtype in column_dtypes(X)}
    dtype = next(iter(dtypes), None)
    return len(dtypes) == 1 and isinstance(dtype, np.dtype) and dtype.kind in "biufc"


def _side_by_side(parts):
    """One block of columns of numbers."""
    values = np.column_stack([part.values for part in parts])
    if all(part.rest is None for part in parts):
        return Block(values)
    zeros = np.zeros(len(values), dtype=np.int16)
    rests = [zeros if part.rest is None else part.rest for part in parts]
    return Block(values, np.column_stack(rests))


def _entries(column):
    """What is in a Series, as a list."""
    entries = column.to_list()
    if kind_of(column) != "polars":
        return entries
    if "'ns'" in str(column.dtype) or str(column.dtype) == "Time":
        # Python's times have no nanoseconds.
        ticks = column.to_physical().to_list()
        return [
            (entry, tick % 1000) if tick and tick % 1000 else entry
            for entry, tick in zip(entries, ticks, strict=True)
        ]
    return entries


def _dataset_blocks(X, book, by_entry):
    digests = (blake2b(row, digest_size=16).digest() for row in row_bytes(X))
    return [_coded(digests, book)]


_BLOCKS = {
    "array": _array_blocks,
    "dict": lambda X, *how: _parts_blocks([X[key] for key in sorted(X)], *how),
    "inputs": _parts_blocks,
    "list": _array_blocks,
    "pandas": _frame_blocks,
    "polars": _frame_blocks,
    "sparse": _sparse_blocks,
    "tensor": _array_blocks,
    "torch dataset": _dataset_blocks,
}
