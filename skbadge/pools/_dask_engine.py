"""Partitions read by Dask: its threads, or the workers of a cluster."""

import sys
from concurrent.futures import CancelledError
from typing import Any
from uuid import uuid4

from skbadge.pools._from_dask import DaskPartition, dask
from skbadge.pools._pass import Pass, Reader
from skbadge.utils._threads import one_thread

# How often a pass may lose what it is about, as often as Dask lets a task kill workers.
MOST_LOSSES = 4


class DaskEngine:
    """A task for each partition, and for each merge; see `skbadge.pools._engines`.

    Dask runs a task again if its worker died, and a pass is made again if all workers
    died that had what the pass is about. The tasks of a Dask collection's partitions
    run where their rows are.
    """

    def __init__(self):
        self._client = active_client()

    def __repr__(self):
        if self._client is None:
            return "Dask's scheduler"
        return f"{self.n_workers} workers of Dask"

    @property
    def n_workers(self) -> int:
        """How many workers there are now; 1 without a cluster, as Dask does not say."""
        if self._client is None:
            return 1
        return len(self._client.nthreads())

    def __enter__(self):
        return self

    def __exit__(self, *error):
        pass

    def share(self, thing: Any) -> Any:
        """Send something large to all workers."""
        if self._client is None:
            # Dask is not to look into it.
            name = f"shared-{uuid4().hex}"
            return dask().delayed(thing, name=name, traverse=False)
        return _Sent(self._client, thing)

    def run(self, partitions: list, reader: Reader, shared: Any) -> Pass | None:
        """Read all partitions."""
        # It holds what the pass is about, such as centres, and not for each task.
        if not partitions:
            return None
        sent = self.share(reader.quiet())
        if self._client is None:
            with one_thread.around_workers():
                return _tree(partitions, sent, shared).compute()
        for _ in range(MOST_LOSSES):
            try:
                tree = _tree(partitions, sent.future, shared.future)
                return self._client.compute(tree, sync=True)
            except CancelledError:
                # Dask makes anew what tasks have made, and not what was sent.
                sent.send()
                shared.send()
        raise RuntimeError(
            f"All workers of Dask that had the model died {MOST_LOSSES} times in one "
            "pass over the pool. Give them more memory, or use more of them."
        )


class _Sent:
    """Something large that all workers have, and that can be sent again."""

    def __init__(self, client, thing):
        self._client = client
        self._thing = thing
        self.send()

    def send(self):
        """Send it to all workers there are now."""
        # In a list, for a list would be scattered item by item.
        (self.future,) = self._client.scatter([self._thing], broadcast=True, hash=False)


def active_client() -> Any:
    """The client of Dask's that is in use, or None."""
    distributed = sys.modules.get("distributed")
    if distributed is None:
        return None
    try:
        return distributed.Client.current()
    except ValueError:
        return None


def _tree(partitions, sent, shared):
    """The tasks of a pass."""
    read, merge = dask().delayed(_read), dask().delayed(_merge)
    level = [read(sent, shared, *_halves(each)) for each in partitions]
    while len(level) > 1:
        pairs = [level[i : i + 2] for i in range(0, len(level), 2)]
        level = [merge(sent, *pair) if pair[1:] else pair[0] for pair in pairs]
    return level[0]


def _halves(partition):
    """A partition, and its rows as far as Dask has them."""
    if isinstance(partition, DaskPartition):
        return partition.without_data(), partition.data
    return partition, None


def _read(reader, shared, partition, rows):
    with one_thread:
        return reader.read(partition, _chunks_of(partition, rows), shared)


def _chunks_of(partition, rows):
    return partition.chunks() if rows is None else partition.chunks_of(rows)


def _merge(reader, first, second):
    return reader.merge(first, second)
