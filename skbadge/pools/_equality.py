"""Which rows are equal: among themselves, and to rows of another container.

Rows become *blocks*, matrices side by side: numbers as they are, and one column of
codes for each column of anything else, written down in a book that all containers of
one question share. What a hash or a projection finds equal is then compared entry by
entry, so that no collision merges rows.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from skbadge.pools._kinds import is_frame
from skbadge.pools._nearby_rows import CHUNK_ENTRIES, nearby_rows
from skbadge.pools._numbers import canonical
from skbadge.pools._row_blocks import blocks_of
from skbadge.pools._rows import n_rows
from skbadge.utils._chunks import row_chunks
from skbadge.utils._streams import mixed_words


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
        value: 0.0 and -0.0 are equal, and NaN is equal to NaN, None and NA.

    Notes
    -----
    Numeric rows take a pass over the data and a sort of ``n_rows`` hashes. The rows of
    a Dataset are read one by one and compared by digests of 128 bits.
    """
    return _codes(_matrices(blocks_of(X, {})), n_rows(X))


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
    if n_rows(others) == 0:
        return among
    others = _in_order_of(X, others)
    book: dict = {}
    mine, theirs = blocks_of(X, book), blocks_of(others, book)
    if not _same_layout(mine, theirs):
        mine, theirs = (blocks_of(rows, book, by_entry=True) for rows in (X, others))
    if not _same_layout(mine, theirs):
        return among
    rows = _candidates(mine, theirs)
    joint = _joined([block.take(rows) for block in mine], theirs)
    codes = _codes(joint, len(rows) + n_rows(others))
    among[rows] = np.isin(codes[: len(rows)], codes[len(rows) :])
    return among


def _in_order_of(X, others):
    """A data frame with its columns in the order of another one that has the same."""
    if not is_frame(X) or not is_frame(others):
        return others
    names, theirs = list(X.columns), list(others.columns)
    is_order = len(set(names)) == len(names) == len(theirs) and set(names) == set(
        theirs
    )
    return others[names] if is_order and names != theirs else others


def _same_layout(mine, theirs):
    return [block.layout for block in mine] == [block.layout for block in theirs]


def _candidates(mine, theirs):
    """Rows that the widest pair of dense blocks does not rule out."""
    pairs = [
        (first.values, second.values)
        for first, second in zip(mine, theirs, strict=True)
        if not sparse.issparse(first.values) and not sparse.issparse(second.values)
    ]
    if not pairs:
        return np.arange(mine[0].values.shape[0])
    return nearby_rows(*max(pairs, key=lambda pair: pair[0].shape[1]))


def _matrices(blocks):
    """All there is to the rows, as matrices of numbers."""
    both = [part for block in blocks for part in (block.values, block.rest)]
    return [part for part in both if part is not None]


def _joined(mine, theirs):
    """The matrices of rows, and of other rows below."""
    joined = []
    for first, second in zip(mine, theirs, strict=True):
        joined.append(_stack(first.values, second.values))
        if first.rest is not None or second.rest is not None:
            joined.append(_stack(_rest(first), _rest(second)))
    return joined


def _rest(block):
    if block.rest is not None:
        return block.rest
    shape = block.values.shape
    if sparse.issparse(block.values):
        return sparse.csr_matrix(shape, dtype=np.int16)
    return np.broadcast_to(np.int16(0), shape)


def _stack(first, second):
    parts = first, second
    if any(map(sparse.issparse, parts)):
        return sparse.vstack([sparse.csr_matrix(part) for part in parts], format="csr")
    return np.concatenate(parts)


# From matrices to codes


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
    for rows in row_chunks(*block.shape, CHUNK_ENTRIES, 1):
        bits = _bits(block[rows])
        bits *= weights
        hashes[rows] = bits.sum(axis=1, dtype=np.uint64)
    return hashes


def _weights(columns):
    """An odd random word for each column: the mixing of SplitMix64, by its number."""
    return mixed_words(columns.astype(np.uint64)) | np.uint64(1)


def _bits(values):
    """Numbers as words that are equal if and only if the numbers are."""
    bits = canonical(values).view(np.uint64)
    # Floats that differ in their upper bits only would differ by a multiple of a high
    # power of two, of which a product modulo 2^64 keeps little.
    return bits ^ (bits >> np.uint64(32))


def _differ(block, rows, twins):
    """Whether pairs of rows of a block differ."""
    differs = np.empty(len(rows), dtype=bool)
    for chunk in row_chunks(len(rows), block.shape[1], CHUNK_ENTRIES, 1):
        pair = block[rows[chunk]], block[twins[chunk]]
        if sparse.issparse(block):
            differs[chunk] = _sparse_differ(*pair)
        else:
            mine, theirs = (canonical(part).view(np.uint64) for part in pair)
            differs[chunk] = (mine != theirs).any(axis=1)
    return differs


def _sparse_differ(mine, theirs):
    """Whether rows of two CSR matrices, with sorted indices and no zeros, differ."""
    differs = np.diff(mine.indptr) != np.diff(theirs.indptr)
    mine, theirs = mine[~differs], theirs[~differs]
    bits = (canonical(part.data).view(np.uint64) for part in (mine, theirs))
    wrong = (mine.indices != theirs.indices) | np.not_equal(*bits)
    differs[~differs] = (
        np.diff(np.concatenate([[0], np.cumsum(wrong)])[mine.indptr]) > 0
    )
    return differs


def _exact(block, row):
    """All there is to one row of a block, as bytes."""
    line = block[row : row + 1]
    if sparse.issparse(block):
        return line.indices.tobytes(), canonical(line.data).tobytes()
    return canonical(line).tobytes()
