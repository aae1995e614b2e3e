"""One pass over some partitions: what every engine has its workers do."""

from collections.abc import Iterator
from contextlib import closing
from typing import Any, NamedTuple

from skbadge.pools._partition import Partition
from skbadge.pools._rows import n_rows


class Pass(NamedTuple):
    """What came of reading some partitions."""

    # None of partitions without rows.
    result: Any
    # Of each partition, what `ChunkedPool.record` takes.
    found: list


class Reader:
    """Reads partitions, and merges what is made of their chunks; it can be pickled.

    Parameters
    ----------
    map_chunk : callable
        ``map_chunk(shared, chunk, first_row)`` returns a partial result, not None.

    merge : callable
        ``merge(first, second)`` returns one result of two neighbours.

    progress : callable or None, default=None
        Is told the number of rows of each chunk that was read.
    """

    def __init__(self, map_chunk, merge, progress=None):
        self._map_chunk = map_chunk
        self._merge = merge
        self._progress = progress

    def quiet(self) -> "Reader":
        """The same for workers, who tell nobody."""
        return Reader(self._map_chunk, self._merge)

    def read(self, partition: Partition, chunks: Iterator, shared: Any) -> Pass:
        """Read a partition's chunks, and merge what is made of them."""
        result = None
        for part in self._made_of(partition, chunks, shared):
            result = part if result is None else self._merge(result, part)
        return Pass(result, [partition.found()])

    def _made_of(self, partition, chunks, shared):
        """What is made of each chunk."""
        with closing(chunks):
            for number, (first_row, chunk) in enumerate(chunks):
                try:
                    part = self._map_chunk(shared, chunk, first_row)
                except Exception as error:
                    error.add_note(
                        f"This happened with chunk {number} of partition "
                        f"{partition.number} of the pool, from row {first_row} on."
                    )
                    raise
                yield part
                if self._progress is not None:
                    self._progress(n_rows(chunk))

    def merge(self, first: Pass, second: Pass) -> Pass:
        """One pass of two neighbours."""
        found = [*first.found, *second.found]
        if first.result is None or second.result is None:
            return Pass(second.result if first.result is None else first.result, found)
        return Pass(self._merge(first.result, second.result), found)

    def tell(self, found: list) -> None:
        """Say that partitions were read."""
        for _, marks, _ in found if self._progress is not None else ():
            self._progress(sum(mark.n_rows for mark in marks))
