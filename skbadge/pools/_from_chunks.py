"""Pools of chunks that somebody else makes: an iterable, or what starts an iterator."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from os import PathLike
from typing import Any

from skbadge.pools._chunked_pool import ChunkedPool
from skbadge.pools._partition import Partition
from skbadge.pools._rows import n_rows
from skbadge.utils._shown import shown


def from_chunks(
    chunks: Iterable | Callable[[], Iterable], *, id_column: str | None = None
) -> ChunkedPool:
    """Make a pool of chunks that come from elsewhere.

    Parameters
    ----------
    chunks : list, iterable, or callable
        A list of chunks; any other object that can be iterated over more than once; or
        a function without arguments that starts an iterator. A chunk is an array, a
        data frame, a dict of arrays, or any other container of rows. All are laid out
        alike, come in the same order each time, and may have any number of rows.

        A list of functions is a pool of several iterators, one after another, which
        engines with several workers read side by side.

    id_column : str or None, default=None
        Column of the data frames, or key of the dicts, that identifies rows and is not
        for a model.

    Returns
    -------
    pool : ChunkedPool
        Rows are counted by going through the chunks, when they first need be.

    Raises
    ------
    TypeError
        If the chunks can only be gone through once, as those of a generator, or are
        no containers of rows.

    Notes
    -----
    A worker of another process gets the whole object that is iterated over; of a list,
    its own chunk. Functions are sent as they are.

    Examples
    --------
    >>> import numpy as np
    >>> from skbadge.pools import from_chunks
    >>> pool = from_chunks(lambda: (np.full((2, 1), i) for i in range(1000)))
    >>> pool
    ChunkedPool(a function, n_rows=?, n_partitions=1)
    >>> pool.take([1001, 3]).ravel().tolist()
    [500, 1]
    """
    if callable(chunks) and not isinstance(chunks, Iterable):
        return ChunkedPool([_StartedPartition(chunks, id_column)], "a function")
    if isinstance(chunks, str | bytes | PathLike):
        raise TypeError(
            "`chunks` must be the chunks themselves. Got the name "
            f"{shown(chunks)}: of Parquet files, `from_parquet` makes a pool."
        )
    if isinstance(chunks, Mapping) or hasattr(chunks, "shape"):
        raise TypeError(
            "`chunks` must be several containers of rows. Got one, a "
            f"{type(chunks).__name__}: pass it to `from_arrays`, or in a list."
        )
    if not isinstance(chunks, Iterable) and not hasattr(chunks, "__getitem__"):
        raise TypeError(
            "`chunks` must be a list of chunks, an iterable, or a function without "
            f"arguments that starts an iterator. Got {type(chunks).__name__}."
        )
    if isinstance(chunks, Iterator):
        raise TypeError(
            "`chunks` must be something that can be gone through more than once. Got a "
            f"{type(chunks).__name__}, which is used up after once: pass the function "
            "that starts it, such as `lambda: read(...)`."
        )
    if not isinstance(chunks, list | tuple):
        return ChunkedPool([_IteratedPartition(chunks, id_column)], "an iterable")
    are_functions = bool(chunks) and all(callable(chunk) for chunk in chunks)
    if not are_functions:
        _check_are_rows(chunks)
    partitions = [
        _StartedPartition(chunk, id_column)
        if are_functions
        else _IteratedPartition([chunk], id_column)
        for chunk in chunks
    ]
    kind = "functions" if are_functions else "chunks"
    return ChunkedPool(partitions, f"{len(chunks)} {kind}")


def _check_are_rows(chunks):
    """Raise unless each chunk of a list is a container of rows."""
    for chunk in chunks:
        marks = ("__len__", "shape", "__array__")
        has_rows = any(hasattr(chunk, mark) for mark in marks)
        if isinstance(chunk, str | bytes) or not has_rows:
            raise TypeError(
                "A list of `chunks` must hold containers of rows, or nothing but "
                f"functions without arguments that start iterators. Got {shown(chunk)}."
            )


class _StartedPartition(Partition):
    """What the iterator yields that a function starts."""

    def __init__(self, start, id_column):
        super().__init__(None, id_column)
        self._begin = start

    def read(self) -> Iterator[Any]:
        """From a new iterator."""
        return iter(self._begin())


class _IteratedPartition(Partition):
    """What an iterable yields."""

    def __init__(self, chunks, id_column):
        is_one = isinstance(chunks, list)
        super().__init__(n_rows(chunks[0]) if is_one else None, id_column)
        self._chunks = chunks

    def read(self) -> Iterator[Any]:
        """From the beginning."""
        return iter(self._chunks)
