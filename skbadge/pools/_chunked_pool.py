"""A pool that comes in chunks, and need never fit in memory."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skbadge.pools._chunk_marks import layout_of
from skbadge.pools._partition import Partition
from skbadge.pools._rows import concatenate_rows, n_rows, slice_rows, take_rows
from skbadge.utils._fold import tree_fold


class ChunkedPool:
    """Rows that are read in chunks, as often as they are needed.

    Made by `from_arrays`, `from_chunks`, `from_parquet` and `from_dask`. Rows have the
    positions that they would have if all chunks were put together.

    Parameters
    ----------
    partitions : sequence of Partition
        Readers of consecutive rows, in order.

    source : str
        What the pool is made of, for its ``repr``.

    Attributes
    ----------
    partitions : list of Partition
        Readers of consecutive rows. Each has ``start``, the number of its first row in
        the pool, and ``chunks()``, an iterator over (first row, container of rows).
        They can be pickled and read side by side. Asking for them counts the rows, as
        ``len`` does, if there are several and some are of unknown length.

    Examples
    --------
    >>> import numpy as np
    >>> from skbadge.pools import from_arrays
    >>> pool = from_arrays([np.eye(3), np.ones((2, 3))], chunk_rows=2)
    >>> len(pool)
    5
    >>> [(start, len(chunk)) for start, chunk in pool.chunks()]
    [(0, 2), (2, 1), (3, 2)]
    >>> pool.take([4, 0])
    array([[1., 1., 1.],
           [1., 0., 0.]])
    """

    def __init__(self, partitions: Sequence[Partition], source: str):
        self._partitions = list(partitions)
        self._source = source
        for number, partition in enumerate(self._partitions):
            partition.number = number
        if self._partitions:
            self._partitions[0].start = 0

    def __repr__(self):
        sizes = [partition.n_rows for partition in self._partitions]
        size = "n_rows=" + ("?" if None in sizes else str(sum(sizes)))
        return f"ChunkedPool({self._source}, {size}, n_partitions={len(sizes)})"

    def __array__(self, dtype=None, copy=None):
        raise TypeError(
            "A pool in chunks is not made one array, for it may not fit in memory. "
            "Take some rows with `pool.take(rows)`."
        )

    @property
    def n_rows(self) -> int:
        """Number of rows, counted the first time."""
        self._count()
        return sum(partition.n_rows or 0 for partition in self._partitions)

    def __len__(self) -> int:
        return self.n_rows

    @property
    def partitions(self) -> list[Partition]:
        """Readers of consecutive rows, each of which knows its first row's number."""
        if any(partition.start is None for partition in self._partitions):
            self._count()
        if len(self._partitions) > 1 and not self._partitions[0].is_uniform:
            self._know_layout()
        return self._partitions

    def chunks(self) -> Iterator[tuple[int, Any]]:
        """All chunks in order.

        Yields
        ------
        first_row : int
            Number of the chunk's first row in the pool.

        chunk : container of rows
            At least one row, of the same kind, columns and dtypes in each chunk.

        Raises
        ------
        ValueError
            If a chunk has other columns or dtypes than the first one.

        RuntimeError
            If a chunk has changed since it was first read.
        """
        for partition in self.partitions:
            yield from partition.chunks()

    def record(self, found: list) -> None:
        """Remember what partitions were found to be by a pass of somebody else's.

        Parameters
        ----------
        found : list of (number, marks, layout)
            Of each partition that was read to its end.
        """
        for number, marks, layout in found:
            partition = self._partitions[number]
            partition.marks, partition.layout = marks, layout
            partition.n_rows = sum(mark.n_rows for mark in marks)

    def first(self, k: int) -> Any:
        """The first rows, without counting any.

        Parameters
        ----------
        k : int
            How many, at most.

        Returns
        -------
        rows : container of rows
            As a chunk has them.

        Raises
        ------
        ValueError
            If the pool has no rows.
        """
        parts: list = []
        start = 0
        for partition in self._partitions:
            if k <= 0 and parts:
                break
            partition.start = start
            for first_row, chunk in partition.chunks():
                parts.append(slice_rows(chunk, 0, k))
                k -= n_rows(parts[-1])
                start = first_row + n_rows(chunk)
                if k <= 0:
                    break
        if not parts:
            raise ValueError(f"The pool must have rows. Got none in {self!r}.")
        return tree_fold(parts, concatenate_rows)

    def take(self, rows: ArrayLike | slice) -> Any:
        """Some rows, for which no more is read than what holds them.

        Parameters
        ----------
        rows : array-like of int of shape (n,), or slice
            Positions in the pool, in any order, also repeated.

        Returns
        -------
        rows : container of rows
            Those rows in that order, as a chunk has them.
        """
        wanted, order = np.unique(self._positions(rows), return_inverse=True)
        if not len(wanted):
            return slice_rows(self.first(1), 0, 0)
        parts = self._take_from(list(self._shares(wanted)))
        return take_rows(tree_fold(parts, concatenate_rows), order)

    def ids(self, rows: ArrayLike | slice) -> NDArray:
        """What rows are called: the entries of the id column, or else their positions.

        Parameters
        ----------
        rows : array-like of int of shape (n,), or slice
            Positions in the pool, in any order.

        Returns
        -------
        ids : ndarray of shape (n,)
            In that order.
        """
        id_column = self._partitions[0].id_column if self._partitions else None
        if id_column is None:
            return self._positions(rows)
        return self.column(id_column, rows)

    def column(self, name: str, rows: ArrayLike | slice | None = None) -> NDArray:
        """Entries of one column, which need not be among those that a chunk has.

        Parameters
        ----------
        name : str
            Column of the files or data frames, or key of the dicts.

        rows : array-like of int of shape (n,), slice or None, default=None
            Positions in the pool, in any order; None for all rows.

        Returns
        -------
        column : ndarray of shape (n,) or (n_rows,)
            The entries.
        """
        if rows is None:
            columns = [partition.column(name, None) for partition in self.partitions]
            return np.concatenate(columns) if columns else np.empty(0)
        wanted, order = np.unique(self._positions(rows), return_inverse=True)
        shares = self._shares(wanted) if len(wanted) else [(self.partitions[0], wanted)]
        columns = [partition.column(name, part) for partition, part in shares]
        return np.concatenate(columns)[order]

    def _take_from(self, shares):
        """Rows of partitions, given as (partition, positions in it)."""
        return [partition.take(rows) for partition, rows in shares]

    def _shares(self, rows):
        """Deal out sorted positions to the partitions that hold them."""
        partitions = self.partitions
        ends = np.searchsorted(rows, [p.start + p.n_rows for p in partitions])
        begin = 0
        for partition, end in zip(partitions, ends, strict=True):
            if end > begin:
                yield partition, rows[begin:end] - partition.start
            begin = end

    def _positions(self, rows):
        size = len(self)
        if isinstance(rows, slice):
            return np.arange(size, dtype=np.int64)[rows]
        rows = np.asarray(rows)
        if rows.size == 0:
            return np.empty(0, dtype=np.int64)
        if rows.dtype.kind not in "iu" or rows.ndim != 1:
            raise TypeError(
                "`rows` must be a slice or one-dimensional integer positions. Got an "
                f"array of {rows.dtype} of shape {rows.shape}."
            )
        if rows.min() < 0 or rows.max() >= size:
            wrong = rows[(rows < 0) | (rows >= size)][0]
            raise IndexError(f"`rows` must be in [0, {size}). Got {wrong}.")
        return rows.astype(np.int64)

    def _count(self):
        unknown = [p for p in self._partitions if p.n_rows is None]
        for partition, size in zip(unknown, self._sizes(unknown), strict=True):
            partition.n_rows = size
        start = 0
        for partition in self._partitions:
            partition.start = start
            start += partition.n_rows

    def _sizes(self, partitions):
        return [partition.count() for partition in partitions]

    def _know_layout(self):
        """Tell all partitions how the rows of the first chunk are laid out."""
        if self._partitions[-1].layout is not None or self.n_rows == 0:
            return
        layout = self._partitions[0].layout or layout_of(self.first(1))
        for partition in self._partitions:
            partition.layout = layout
