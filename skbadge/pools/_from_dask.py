"""Pools of Dask's collections, whose rows stay with Dask's workers."""

import sys
from collections.abc import Iterator
from copy import copy
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skbadge.pools._chunked_pool import ChunkedPool
from skbadge.pools._from_arrays import rows_a_chunk
from skbadge.pools._partition import Partition, column_of, without_column
from skbadge.pools._rows import concatenate_rows, n_rows, slice_rows, take_rows
from skbadge.utils._fold import tree_fold
from skbadge.utils._optional import import_optional


def dask() -> Any:
    """Import Dask, or say how to install it."""
    return import_optional("dask", extra="dask", purpose="A pool of Dask's")


def as_pool(X: Any) -> Any:
    """A pool of what is a Dask collection; anything else as it is.

    Parameters
    ----------
    X : object
        What somebody calls their pool.

    Returns
    -------
    X : ChunkedPool or the same object
        Dask is not imported: if nobody did, nothing is a collection of its.
    """
    found = sys.modules.get("dask.base")
    is_collection = found is not None and found.is_dask_collection(X)
    return from_dask(X) if is_collection else X


def from_dask(collection: Any, *, id_column: str | None = None) -> ChunkedPool:
    """Make a pool of a Dask array or DataFrame.

    Parameters
    ----------
    collection : dask.array.Array or dask.dataframe.DataFrame
        Rows are along the first axis. Blocks of an array may be of unknown sizes; they
        are put together along the other axes.

    id_column : str or None, default=None
        Column of a DataFrame that identifies rows and is not for a model.

    Returns
    -------
    pool : ChunkedPool
        A partition for each of the collection's. Sizes that are unknown are computed
        when they are first needed.

    Raises
    ------
    TypeError
        If the collection is neither an array nor a DataFrame.

    Notes
    -----
    A partition is computed whenever it is read; ``collection.persist()`` first, if that
    costs more than the memory of the workers. Columns of unknown categories are
    categorised by Dask, which reads them once.

    Examples
    --------
    >>> import dask.array as da
    >>> from skbadge.pools import from_dask
    >>> pool = from_dask(da.arange(12, chunks=4).reshape(6, 2))
    >>> pool
    ChunkedPool(dask Array, n_rows=6, n_partitions=3)
    >>> pool.take([5, 0])
    array([[10, 11],
           [ 0,  1]])
    """
    dask()
    kind = type(collection).__name__
    if not hasattr(collection, "to_delayed") or kind not in ("Array", "DataFrame"):
        raise TypeError(
            "`collection` must be a dask.array.Array or a dask.dataframe.DataFrame. "
            f"Got {type(collection).__name__}."
        )
    if kind == "Array" and collection.ndim == 0:
        raise TypeError("`collection` must have rows. Got an array without an axis.")
    whole = _whole_rows(collection) if kind == "Array" else _categorised(collection)
    parts = list(np.ravel(np.array(whole.to_delayed(), dtype=object)))
    sizes = whole.chunks[0] if kind == "Array" else [np.nan] * len(parts)
    partitions = [
        DaskPartition(part, None if np.isnan(size) else int(size), id_column)
        for part, size in zip(parts, sizes, strict=True)
    ]
    return DaskPool(partitions, f"dask {kind}", whole)


def _whole_rows(array):
    """An array in blocks that are as wide as the array."""
    wide = {axis: -1 for axis in range(1, array.ndim) if array.numblocks[axis] > 1}
    return array.rechunk(wide) if wide else array


def _categorised(frame):
    unknown = [
        name
        for name, dtype in zip(frame.columns, frame.dtypes, strict=True)
        if dtype.name == "category" and not frame[name].cat.known
    ]
    return frame.categorize(columns=unknown) if unknown else frame


class DaskPartition(Partition):
    """One partition of a collection.

    Parameters
    ----------
    data : Delayed, or None
        The rows as one container. None where somebody else hands them over.

    n_rows : int or None
        How many; None if unknown.

    id_column : str or None
        As in `from_dask`.
    """

    def __init__(self, data: Any, n_rows: int | None, id_column: str | None):
        super().__init__(n_rows, id_column)
        self.data = data

    def read(self) -> Iterator[Any]:
        """Slices of the partition, which is computed as a whole."""
        return _slices(self.data.compute())

    def chunks_of(self, rows: Any) -> Iterator[tuple[int, Any]]:
        """What `chunks` yields, of the partition's rows once they are computed."""
        return self.checked(_slices(rows))

    def take(self, rows: NDArray[np.int64]) -> Any:
        """Rows of the partition; no others leave the worker."""
        return self.lazily_taken(rows).compute()

    def lazily_taken(self, rows: NDArray[np.int64]) -> Any:
        """The same as a Delayed."""
        return dask().delayed(_taken)(self.data, rows, self.id_column)

    def lazily_first(self, k: int) -> Any:
        """The first rows as a Delayed."""
        return dask().delayed(_head)(self.data, k, self.id_column)

    def column(self, name: str, rows: NDArray[np.int64] | None) -> NDArray:
        """Entries of a column; no others leave the worker."""
        return dask().delayed(_column)(self.data, name, rows).compute()

    def without_data(self) -> "DaskPartition":
        """The partition without its rows, for which somebody else cares."""
        bare = copy(self)
        bare.data = None
        return bare

    def __getstate__(self):
        state = self.__dict__.copy()
        if self.data is not None:
            # What the other partitions are made of need not come along.
            (state["data"],) = dask().optimize(self.data)
        return state


class DaskPool(ChunkedPool):
    """Asks Dask for many partitions at once.

    Parameters
    ----------
    partitions, source : as for `ChunkedPool`
        What it is made of.

    collection : dask.array.Array or dask.dataframe.DataFrame
        The same as a collection.
    """

    def __init__(self, partitions: list[DaskPartition], source: str, collection: Any):
        super().__init__(partitions, source)
        self._collection = collection

    def first(self, k):
        """The first rows, without counting any; no others leave the worker."""
        parts: list = []
        for partition in self._partitions:
            if k <= 0 and parts:
                break
            parts.append(partition.lazily_first(k).compute())
            k -= n_rows(parts[-1])
        # Without rows, a data frame does not know its dtypes.
        parts = [part for part in parts if n_rows(part)] or parts[:1]
        if not parts:
            raise ValueError(f"The pool must have rows. Got none in {self!r}.")
        return tree_fold(parts, concatenate_rows)

    def _sizes(self, partitions):
        if not partitions:
            return []
        frame = self._collection
        if hasattr(frame, "columns"):
            # One column is enough, of which Dask's optimiser knows how to make use.
            lengths = frame[[frame.columns[0]]].map_partitions(len).compute()
            # Where columns are narrow, it may put several partitions into one.
            if len(lengths) == len(partitions):
                return [int(size) for size in lengths]
        lengths = [dask().delayed(n_rows)(partition.data) for partition in partitions]
        return dask().compute(*lengths)

    def _take_from(self, shares):
        taken = [partition.lazily_taken(rows) for partition, rows in shares]
        return list(dask().compute(*taken))


def _slices(rows):
    size = n_rows(rows)
    step = rows_a_chunk("auto", rows)
    for start in range(0, size, step):
        yield slice_rows(rows, start, min(start + step, size))


def _head(data, k, id_column):
    head = slice_rows(data, 0, k)
    return head if id_column is None else without_column(head, id_column)


def _taken(data, rows, id_column):
    taken = take_rows(data, rows)
    return taken if id_column is None else without_column(taken, id_column)


def _column(data, name, rows):
    column = column_of(data, name)
    return column if rows is None else column[rows]
