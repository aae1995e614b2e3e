"""Which rows are equal: among themselves, and to rows of another container.

Rows become *blocks*, matrices side by side: numbers as they are, and one column of
codes for each column of anything else, written down in a book that all containers of
one question share. What a hash or a projection finds equal is then compared entry by
entry, so that no collision merges rows.
"""

from collections.abc import Hashable
from datetime import date, time, timedelta
from hashlib import blake2b
from typing import Any

import joblib
import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from skbadge.pools._identity import array_of, row_bytes
from skbadge.pools._inputs import frame_to_array, not_numeric
from skbadge.pools._kinds import kind_of
from skbadge.pools._rows import n_rows

_CHUNK_ENTRIES = 2**17
_N_CELLS = 2**16
_EPS = np.finfo(np.float64).eps


def row_codes(X: Any) -> NDArray[np.int64]:
    """Number the distinct rows of a container.

    Parameters
    ----------
    X : array-like, sparse matrix, data frame, tensor, Dataset, or dict or `Inputs` of \
            those
        The rows.

    Returns
    -------
    codes : ndarray of shape (n_rows,)
        Equal for two rows if and only if the rows are equal. Numbers are compared by
        value: 0.0 and -0.0 are equal, and NaN is equal to NaN.

    Notes
    -----
    Numeric rows take a pass over the data and a sort of ``n_rows`` hashes. The rows of
    a Dataset are read one by one and compared by digests of 128 bits.
    """
    return _codes(_blocks(X, {}), n_rows(X))


def rows_among(X: Any, others: Any) -> NDArray[np.bool_]:
    """Which rows of a container are equal to a row of another.

    Parameters
    ----------
    X : as for `row_codes`
        The rows in question, maybe many.

    others : same kind
        Rows to look for, maybe few.

    Returns
    -------
    among : ndarray of shape (n_rows,), dtype bool
        Rows of different widths are not equal.

    Notes
    -----
    A numeric table is multiplied once by a random vector. Only rows whose product is
    within rounding of that of one of ``others`` are looked at any further.
    """
    among = np.zeros(n_rows(X), dtype=bool)
    book: dict = {}
    mine, theirs = _blocks(X, book), _blocks(others, book)
    if not _same_layout(mine, theirs):
        # A column may hold numbers here and objects there, and rows of different
        # lengths may have equal ones among them.
        mine, theirs = (_blocks(rows, book, by_entry=True) for rows in (X, others))
    if not _same_layout(mine, theirs) or n_rows(others) == 0:
        return among
    rows = np.arange(len(among))
    if len(mine) == 1 and isinstance(mine[0], np.ndarray):
        rows = _near(mine[0], theirs[0])
        mine = [mine[0][rows]]
    joint = [_stack(*pair) for pair in zip(mine, theirs, strict=True)]
    codes = _codes(joint, len(rows) + n_rows(others))
    among[rows] = np.isin(codes[: len(rows)], codes[len(rows) :])
    return among


def _same_layout(mine, theirs):
    return [block.shape[1:] for block in mine] == [block.shape[1:] for block in theirs]


def _stack(first, second):
    if sparse.issparse(first):
        return sparse.vstack([first, second], format="csr")
    return np.concatenate([first, second])


# From containers to blocks


def _blocks(X, book, by_entry=False):
    """Numeric matrices side by side, ndarrays or CSR, that hold what is in the rows."""
    return _BLOCKS[kind_of(X)](X, book, by_entry)


def _array_blocks(X, book, by_entry):
    array = array_of(X)
    if array.dtype.kind in "mM":
        # Other units would be other numbers.
        array = array.astype(f"{array.dtype.kind}8[ns]").view(np.int64)
    if array.dtype.kind == "c":
        array = np.stack([array.real, array.imag], axis=-1)
    width = int(np.prod(array.shape[1:], dtype=np.int64))
    table = array.reshape(len(array), width)
    if by_entry:
        entries = X if isinstance(X, list | tuple) else array.tolist()
        return [_coded(entries, book).reshape(-1, 1)]
    if table.dtype.kind in "biuf":
        return [table]
    return [_coded(table.ravel().tolist(), book).reshape(table.shape)]


def _coded(entries, book):
    codes = [book.setdefault(_key(entry), len(book)) for entry in entries]
    return np.array(codes, dtype=np.int64)


def _key(entry):
    """A hashable that is equal for equal entries."""
    if (
        entry != entry
        if isinstance(entry, float)
        else type(entry).__name__ == "NaTType"
    ):
        return "nan", None
    if isinstance(entry, str | bytes | int | float | date | time | timedelta):
        return entry
    if isinstance(entry, np.ndarray):
        return _key(entry.tolist())
    if isinstance(entry, list | tuple):
        return ("rows", *map(_key, entry))
    return entry if isinstance(entry, Hashable) else ("digest", joblib.hash(entry))


def _sparse_blocks(X, book, by_entry):
    matrix = X.tocsr(copy=True)
    matrix.sum_duplicates()
    matrix.eliminate_zeros()
    return [matrix]


def _parts_blocks(parts, book, by_entry):
    return [block for part in parts for block in _blocks(part, book, by_entry)]


def _frame_blocks(X, book, by_entry):
    if not hasattr(X, "columns"):
        numeric = not not_numeric(X) and not by_entry
        values = frame_to_array(X) if numeric else _objects(X)
        return _array_blocks(values, book, by_entry)
    others = list(X.columns) if by_entry else not_numeric(X)
    numbers = [name for name in X.columns if name not in others]
    blocks = [frame_to_array(X[numbers] if others else X)] if numbers else []
    for name in others:
        blocks += _array_blocks(_objects(X[name]), book, by_entry)
    return blocks


def _objects(column):
    """The entries of a Series as Python objects."""
    entries = column.to_list()
    array = np.empty(len(entries), dtype=object)
    array[:] = entries
    return array


def _dataset_blocks(X, book, by_entry):
    digests = (blake2b(row, digest_size=16).digest() for row in row_bytes(X))
    return [_coded(digests, book).reshape(-1, 1)]


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


# From blocks to codes


def _codes(blocks, n_rows):
    """Codes of rows, equal if and only if they are equal in every block."""
    hashes = np.zeros(n_rows, dtype=np.uint64)
    n_columns = 0
    for block in blocks:
        hashes += _hash(block, n_columns)
        n_columns += block.shape[1]
    _, first, codes, counts = np.unique(
        hashes, return_index=True, return_inverse=True, return_counts=True
    )
    repeated = np.flatnonzero(counts[codes] > 1)
    twins = first[codes[repeated]]
    differs = np.zeros(len(repeated), dtype=bool)
    for block in blocks:
        differs |= _differ(block, repeated, twins)
    return _split(blocks, codes, repeated[differs])


def _split(blocks, codes, rows):
    """Give rows that only have the hash of another one codes of their own."""
    codes = codes.astype(np.int64)
    known: dict = {}
    for row in rows:
        key = tuple(_exact(block, row) for block in blocks)
        codes[row] = known.setdefault(key, len(codes) + len(known))
    return codes


def _hash(block, offset=0):
    """Multilinear hash of rows [1]_; a zero adds nothing, so that none need be stored.

    .. [1] D. Lemire, O. Kaser. "Strongly universal string hashing is fast".
       The Computer Journal 57(11), 2014.
    """
    n_rows, n_columns = block.shape
    if sparse.issparse(block):
        terms = _bits(block.data) * _weights(offset + block.indices.astype(np.int64))
        # The sum up to each row's end, less the sum up to its start, modulo 2^64.
        sums = np.concatenate([np.zeros(1, np.uint64), np.cumsum(terms)])
        return np.diff(sums[block.indptr])
    weights = _weights(np.arange(offset, offset + n_columns))
    hashes = np.empty(n_rows, dtype=np.uint64)
    for rows in _chunks(block.shape):
        bits = _bits(block[rows])
        bits *= weights
        hashes[rows] = bits.sum(axis=1, dtype=np.uint64)
    return hashes


def _weights(columns):
    """An odd random word for each column: the mixing of SplitMix64, by its number."""
    words = columns.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        words = (words ^ (words >> np.uint64(shift))) * np.uint64(factor)
    return words ^ (words >> np.uint64(31)) | np.uint64(1)


def _chunks(shape):
    step = max(1, _CHUNK_ENTRIES // max(1, shape[1]))
    return [slice(start, start + step) for start in range(0, shape[0], step)]


def _bits(values):
    """Numbers as words that are equal if and only if the numbers are."""
    bits = _canonical(values).view(np.uint64)
    # Floats that differ in their upper bits only would differ by a multiple of a high
    # power of two, of which a product modulo 2^64 keeps little.
    return bits ^ (bits >> np.uint64(32))


def _canonical(values):
    """64-bit numbers: integers, or floats with one zero and one NaN."""
    if values.dtype.kind in "biu":
        return values.astype(np.uint64 if values.dtype.kind == "u" else np.int64)
    # Adding 0 makes -0.0 and 0.0 one value.
    floats = values.astype(np.float64) + 0.0
    floats[np.isnan(floats)] = np.nan
    return floats


def _differ(block, rows, twins):
    """Whether pairs of rows of a block differ."""
    differs = np.empty(len(rows), dtype=bool)
    for chunk in _chunks((len(rows), block.shape[1])):
        pair = block[rows[chunk]], block[twins[chunk]]
        if sparse.issparse(block):
            differs[chunk] = _sparse_differ(*pair)
        else:
            mine, theirs = (_canonical(part).view(np.uint64) for part in pair)
            differs[chunk] = (mine != theirs).any(axis=1)
    return differs


def _sparse_differ(mine, theirs):
    """Whether rows of two CSR matrices, with sorted indices and no zeros, differ."""
    differs = np.diff(mine.indptr) != np.diff(theirs.indptr)
    mine, theirs = mine[~differs], theirs[~differs]
    bits = (_canonical(part.data).view(np.uint64) for part in (mine, theirs))
    wrong = (mine.indices != theirs.indices) | np.not_equal(*bits)
    differs[~differs] = (
        np.diff(np.concatenate([[0], np.cumsum(wrong)])[mine.indptr]) > 0
    )
    return differs


def _exact(block, row):
    """All there is to one row of a block, as bytes."""
    line = block[row : row + 1]
    if sparse.issparse(block):
        return line.indices.tobytes(), _canonical(line.data).tobytes()
    return _canonical(line).tobytes()


# The quick look


def _near(block, others):
    """Rows of a matrix whose random projection is that of a row of another one."""
    weights = np.random.RandomState(0).normal(size=block.shape[1])
    with np.errstate(over="ignore", invalid="ignore"):
        mine, theirs = (_project(part, weights) for part in (block, others))
        # Twice the bound for the rounding of an inner product in any order.
        size = np.abs(others.astype(np.float64)) @ np.abs(weights)
        slack = 2 * (len(weights) + 2) * _EPS * size + np.finfo(np.float64).tiny
        lowest, highest = theirs - slack, theirs + slack
    if (np.isfinite(others).all(axis=1) & ~np.isfinite(size)).any():
        # Sums that overflow in one order may not do so in another.
        return np.arange(len(block))
    finite = np.isfinite(theirs)
    lowest, highest = lowest[finite], highest[finite]
    rows = np.flatnonzero(_in_a_cell(mine, lowest, highest))
    return rows[_in_an_interval(mine[rows], lowest, highest)]


def _in_a_cell(values, lowest, highest):
    """Whether values are NaN, infinite, or in a cell of a grid that meets an interval.

    A search among many intervals takes longer than all the rest; this spares it most.
    """
    start = lowest.min(initial=0)
    with np.errstate(divide="ignore", over="ignore"):
        scale = np.float64(_N_CELLS) / (highest.max(initial=0) - start)
    if not 0 < scale < np.inf:
        return np.ones(len(values), dtype=bool)

    def cell(values):
        with np.errstate(over="ignore"):
            place = (values - start) * scale
        return np.clip(place, 0, _N_CELLS - 1, out=place).astype(np.int32)

    steps = np.zeros(_N_CELLS + 1, dtype=np.int64)
    np.add.at(steps, cell(lowest), 1)
    np.add.at(steps, cell(highest) + 1, -1)
    is_finite = np.isfinite(values)
    meets = (np.cumsum(steps) > 0)[cell(np.where(is_finite, values, start))]
    return meets | ~is_finite


def _in_an_interval(values, lowest, highest):
    """Whether values are NaN, infinite, or in an interval."""
    order = np.argsort(lowest)
    starts = np.append(-np.inf, lowest[order])
    # The highest end of all intervals that start no later than this one.
    ends = np.maximum.accumulate(np.append(-np.inf, highest[order]))
    last = np.searchsorted(starts, values, side="right") - 1
    return (values <= ends[last]) | ~np.isfinite(values)


def _project(block, weights):
    projection = np.empty(len(block))
    for rows in _chunks(block.shape):
        projection[rows] = block[rows].astype(np.float64, copy=False) @ weights
    return projection
