"""Pools of arrays, memory maps, zarr and HDF5: of all that slices along its rows."""

import mmap
import sys
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from skbadge.pools._chunked_pool import ChunkedPool
from skbadge.pools._inputs import map_parts, parts_of
from skbadge.pools._kinds import kind_of
from skbadge.pools._partition import Partition
from skbadge.pools._rows import concatenate_rows, slice_rows, take_rows
from skbadge.pools._rows import n_rows as count_rows
from skbadge.utils._fold import tree_fold
from skbadge.utils._validation import is_int

ChunkRows = int | Literal["auto"]

# Of a chunk, if nobody says how large it should be. What a net makes of a row, and what
# a selection then keeps of it, is often more than the row.
CHUNK_ROWS = 2**16
CHUNK_NBYTES = 2**24
# A partition is one job of a worker.
_CHUNKS_A_PARTITION = 4


def from_arrays(arrays: Any, *, chunk_rows: ChunkRows = "auto") -> ChunkedPool:
    """Make a pool of arrays that are sliced as they are read.

    Parameters
    ----------
    arrays : array, or list of arrays
        All that has a shape and slices along its first axis: NumPy's arrays and memory
        maps, zarr arrays, HDF5 datasets, tensors, data frames, sparse matrices. Several
        inputs of a net are a dict of those. The arrays of a list follow one another.

    chunk_rows : int or "auto", default="auto"
        Rows a chunk. "auto" takes at most 65,536 rows and 16 MiB, in whole chunks of
        the source where it is stored in chunks.

    Returns
    -------
    pool : ChunkedPool
        Reads slices of the arrays, which must stay as they are. To another process,
        memory maps and HDF5 datasets go by the names of their files.

    Examples
    --------
    >>> import numpy as np
    >>> from skbadge.pools import from_arrays
    >>> from_arrays(np.zeros((100, 3)), chunk_rows=10)
    ChunkedPool(1 array, n_rows=100, n_partitions=3)
    """
    is_list = kind_of(arrays) == "list"
    pieces = [_checked(piece) for piece in (arrays if is_list else [arrays])]
    partitions = []
    for piece in pieces:
        size = rows_a_chunk(chunk_rows, piece)
        step = size * _CHUNKS_A_PARTITION
        n_rows = count_rows(piece)
        partitions += [
            _SlicedPartition(piece, start, min(step, n_rows - start), size)
            for start in range(0, n_rows, step)
        ]
    plural = "s" if len(pieces) != 1 else ""
    return ChunkedPool(partitions, f"{len(pieces)} array{plural}")


def _checked(piece):
    # Only some formats of sparse matrices can be sliced.
    piece = map_parts(lambda part: part.tocsr() if _is_sparse(part) else part, piece)
    for part in parts_of(piece):
        if not hasattr(part, "shape") or not hasattr(part, "__getitem__"):
            raise TypeError(
                "`arrays` must be an array, or a list or dict of arrays, which "
                "have a shape and slice along their first axis. Got "
                f"{type(part).__name__}."
            )
    return piece


def _is_sparse(part):
    return kind_of(part) == "sparse"


def rows_a_chunk(chunk_rows: ChunkRows, piece: Any) -> int:
    """Rows a chunk of this array, or dict of arrays."""
    if chunk_rows != "auto":
        return check_rows_asked_for(chunk_rows, "chunk_rows")
    parts = parts_of(piece)
    nbytes = sum(
        getattr(getattr(part, "dtype", None), "itemsize", 8)
        * int(np.prod(part.shape[1:], dtype=np.int64))
        for part in parts
    )
    rows = max(1, min(CHUNK_ROWS, CHUNK_NBYTES // max(1, nbytes)))
    # A source that is compressed in chunks would be decompressed once for each piece.
    own = max((_stored_rows(part) for part in parts), default=1)
    return own * max(1, rows // own)


def check_rows_asked_for(size: Any, name: str) -> int:
    """Refuse a number of rows that is none."""
    if not is_int(size) or size < 1:
        raise ValueError(f"`{name}` must be an int >= 1, or 'auto'. Got {size!r}.")
    return int(size)


def _stored_rows(part):
    """Rows that the source stores together."""
    chunks = getattr(part, "chunks", None)
    return chunks[0] if isinstance(chunks, tuple) and is_int(chunks[0]) else 1


class _SlicedPartition(Partition):
    """Rows ``start`` to ``start + n_rows - 1`` of an array, or dict of arrays."""

    def __init__(self, piece, start, n_rows, chunk_rows):
        super().__init__(n_rows)
        self._chunk_rows = chunk_rows
        self._spans = map_parts(lambda part: _Span(part, start, n_rows), piece)

    def read(self):
        """Slices of so many rows."""
        for start in range(0, self.n_rows, self._chunk_rows):
            yield self._slice(start, min(start + self._chunk_rows, self.n_rows))

    def take(self, rows: NDArray[np.int64]) -> Any:
        """Rows out of the slices that hold them."""
        cuts = np.flatnonzero(np.diff(rows // self._chunk_rows)) + 1
        return tree_fold(
            (
                take_rows(self._slice(some[0], some[-1] + 1), some - some[0])
                for some in np.split(rows, cuts)
            ),
            concatenate_rows,
        )

    def _slice(self, start, stop):
        return map_parts(lambda span: span.rows(start, stop), self._spans)


class _Span:
    """Consecutive rows of one array, which are as good in another process."""

    def __init__(self, source, start, n_rows):
        self._source = source
        self._start = start
        self._n_rows = n_rows

    def rows(self, start, stop):
        rows = slice_rows(self._source, self._start + start, self._start + stop)
        return np.asarray(rows) if kind_of(self._source) == "array" else rows

    def __reduce__(self):
        source, span = self._source, (self._start, self._n_rows)
        h5py = sys.modules.get("h5py")
        if h5py is not None and isinstance(source, h5py.Dataset):
            return _open_hdf5, (source.file.filename, source.name, *span)
        if kind_of(source) == "array" and not isinstance(source, np.ndarray):
            # Such as zarr's, whose arrays know where they are stored.
            return _Span, (source, *span)
        # Of what is in memory, only these rows.
        rows = self.rows(0, self._n_rows)
        place = _place_in_file(rows)
        if place is None:
            return _Span, (rows, 0, self._n_rows)
        return _open_memory_map, (*place, self._n_rows)


def _place_in_file(array):
    """Where in a file an array lies: what `numpy.memmap` takes. None if in no file."""
    owner = array
    while isinstance(owner, np.ndarray) and not isinstance(owner.base, mmap.mmap):
        owner = owner.base
    is_map = isinstance(owner, np.memmap) and owner.filename is not None
    # What was written to a copy on write is in no file.
    if not is_map or owner.mode == "c" or not array.flags.c_contiguous:
        return None
    first, own = (each.__array_interface__["data"][0] for each in (array, owner))
    offset = owner.offset + first - own
    return str(owner.filename), array.dtype, "r", offset, array.shape


def _open_memory_map(filename, dtype, mode, offset, shape, n_rows):
    return _Span(np.memmap(filename, dtype, mode, offset, shape), 0, n_rows)


def _open_hdf5(filename, name, start, n_rows):
    from h5py import File

    return _Span(File(filename, "r")[name], start, n_rows)
