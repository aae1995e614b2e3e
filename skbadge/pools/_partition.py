"""Consecutive rows of a pool that can be read on their own, wherever that is."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skbadge.pools._chunk_marks import Mark, layout_difference, layout_of, mark_of
from skbadge.pools._kinds import kind_of
from skbadge.pools._rows import concatenate_rows, n_rows, take_rows
from skbadge.utils._fold import tree_fold


class Partition(ABC):
    """Some consecutive rows of a pool; a subclass says how they are read.

    Partitions can be pickled, and read as often as wanted, side by side.

    Parameters
    ----------
    n_rows : int or None
        How many rows; None until they are counted.

    id_column : str or None, default=None
        Column of data frames, or key of dicts, that is for `ChunkedPool.ids` and not
        for a model.

    Attributes
    ----------
    number : int
        Which of the pool's partitions it is.

    start : int or None
        Row of the pool that comes first; None until those before are counted.

    layout : list or None
        How rows are laid out in the pool's first chunk.

    marks : list of Mark or None
        What the chunks were when they were first read.
    """

    # What `read` yields is laid out as it should be, so that nobody need look.
    is_uniform = False
    # It has the id column in it.
    reads_ids = True

    def __init__(self, n_rows: int | None, id_column: str | None = None):
        self.n_rows = n_rows
        self.id_column = id_column
        self.number = 0
        self.start: int | None = None
        self.layout: list | None = None
        self.marks: list[Mark] | None = None

    @abstractmethod
    def read(self) -> Iterator[Any]:
        """Containers of rows, in order, from the beginning."""

    def chunks(self) -> Iterator[tuple[int, Any]]:
        """Chunks with rows in them, each with its first row's number in the pool.

        Yields
        ------
        first_row : int
            Number of the chunk's first row in the pool.

        chunk : container of rows
            The rows.

        Raises
        ------
        ValueError
            If a chunk is laid out otherwise than the pool's first one.

        RuntimeError
            If a chunk is not what it was when it was first read.
        """
        return self.checked(self.read())

    def checked(self, containers):
        """Do the same with containers that somebody else has read."""
        start, marks = self.start, []
        for container in containers:
            chunk = container
            if self.reads_ids and self.id_column is not None:
                chunk = without_column(container, self.id_column)
            marks.append(mark := mark_of(chunk))
            self._check(chunk, marks, start)
            if mark.n_rows:
                yield start, chunk
            start += mark.n_rows
        self._check_end(marks)
        self.marks, self.n_rows = marks, sum(mark.n_rows for mark in marks)

    def found(self) -> tuple[int, list[Mark] | None, list | None]:
        """What `ChunkedPool.record` takes, of a partition that was read to its end."""
        return self.number, self.marks, self.layout

    def count(self) -> int:
        """Number of rows, from the cheapest source there is."""
        return sum(n_rows(chunk) for chunk in self.read())

    def take(self, rows: NDArray[np.int64]) -> Any:
        """Rows by their positions in the partition, which are sorted and distinct."""
        return tree_fold(
            (
                take_rows(chunk, rows[slice(*span)] - (first - self.start))
                for first, chunk, span in self._hits(rows)
            ),
            concatenate_rows,
        )

    def _hits(self, rows):
        """The chunks that hold some of the rows, and which of the rows those are."""
        done = 0
        for first, chunk in self.chunks():
            stop = np.searchsorted(rows, first - self.start + n_rows(chunk))
            if stop > done:
                yield first, chunk, (done, stop)
            done = stop
            if done == len(rows):
                return

    def column(self, name: str, rows: NDArray[np.int64] | None) -> NDArray:
        """Entries of a column of frames or dicts: of all rows, or of sorted ones."""
        values = [column_of(chunk, name) for chunk in self.read()]
        column = np.concatenate(values) if values else np.empty(0, dtype=object)
        return column if rows is None else column[rows]

    def _check(self, chunk, marks, start):
        number, mark = len(marks) - 1, marks[-1]
        name = f"Chunk {number} of partition {self.number} of the pool"
        name += f", rows {start} to {start + mark.n_rows - 1}," if mark.n_rows else ""
        if self.marks is not None and self.marks[number : number + 1] != [mark]:
            raise RuntimeError(
                f"{name} is not what it was when it was read before. {_CHANGED} "
                f"{_was(self.marks[number : number + 1], mark)}"
            )
        if self.is_uniform or not mark.n_rows:
            # Without rows, a data frame does not know its dtypes.
            return
        layout = layout_of(chunk)
        if self.layout is None:
            self.layout = layout
        elif difference := layout_difference(self.layout, layout):
            raise ValueError(
                f"{name} {difference}. All chunks must have the same columns, in the "
                "same order and of the same dtypes."
            )

    def _check_end(self, marks):
        found = sum(mark.n_rows for mark in marks)
        if self.marks is not None and len(self.marks) != len(marks):
            expected = f"{len(self.marks)} chunks"
        elif self.n_rows not in (None, found):
            expected = f"{self.n_rows} rows"
        else:
            return
        raise RuntimeError(
            f"Partition {self.number} of the pool ended after {len(marks)} chunks and "
            f"{found} rows; it had {expected} when it was read before. {_CHANGED}"
        )


_CHANGED = (
    "A pool is read several times and must be the same each time: no shuffling, no "
    "random changes, nobody who writes to it, and no iterator that is used up."
)


def _was(before, mark):
    if not before:
        return "There was no such chunk."
    if before[0].n_rows != mark.n_rows:
        return f"It had {before[0].n_rows} rows and has {mark.n_rows}."
    return "Its rows differ."


def column_of(chunk: Any, name: str) -> NDArray:
    """A column of a data frame, or an entry of a dict of arrays, as an array."""
    names = chunk.columns if hasattr(chunk, "columns") else chunk
    if kind_of(chunk) not in ("pandas", "polars", "dict") or name not in names:
        raise ValueError(
            f"The pool must come in data frames or dicts with {name!r} in them to be "
            f"asked for that column. Got {_named(chunk)}."
        )
    return np.asarray(chunk[name])


def _named(chunk):
    names = list(getattr(chunk, "columns", chunk if kind_of(chunk) == "dict" else ()))
    return f"a {type(chunk).__name__}" + (f" with {names}" if names else "")


def without_column(chunk: Any, name: str) -> Any:
    """A data frame or dict without one of its columns."""
    # Says what is wrong if there is no such column.
    column_of(chunk, name)
    if kind_of(chunk) == "dict":
        return {key: part for key, part in chunk.items() if key != name}
    if kind_of(chunk) == "pandas":
        return chunk.drop(columns=name)
    return chunk.drop(name)
