"""Partitions read by joblib's workers, threads or processes."""

import pickle
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing, nullcontext
from typing import Any
from uuid import uuid4

import numpy as np
from joblib import Parallel, delayed, effective_n_jobs, wrap_non_picklable_objects
from joblib.parallel import get_active_backend

from skbadge.pools._pass import Pass, Reader
from skbadge.utils._fold import tree_fold
from skbadge.utils._threads import one_thread

# Blocks of partitions a worker, so that one who is late has few left.
_BLOCKS_A_WORKER = 4


class JoblibEngine:
    """Deals out blocks of partitions to workers; see `skbadge.pools._engines`.

    Parameters
    ----------
    n_jobs : int or None
        How many workers, as joblib counts them.

    backend : "threading", "loky" or None
        None for what `joblib.parallel_config` says.
    """

    def __init__(self, n_jobs, backend):
        self.n_workers = effective_n_jobs(n_jobs)
        self._parallel = Parallel(
            n_jobs=n_jobs, backend=backend, return_as="generator", max_nbytes="1M"
        )
        chosen = get_active_backend()[0] if backend is None else None
        self._are_threads = backend == "threading" or getattr(
            chosen, "supports_sharedmem", False
        )

    def __repr__(self):
        kind = "threads" if self._are_threads else "processes"
        return f"{self.n_workers} {kind} of joblib"

    def __enter__(self):
        self._parallel.__enter__()
        return self

    def __exit__(self, *error):
        self._parallel.__exit__(*error)

    def share(self, thing: Any) -> Any:
        """Prepare something large for all workers, to be sent once to each."""
        return _Here(thing) if self._are_threads else _Sent(thing)

    def run(self, partitions: list, reader: Reader, shared: Any) -> Pass | None:
        """Read all partitions."""
        size = _block_size(len(partitions), self.n_workers)
        blocks = (partitions[i : i + size] for i in range(0, len(partitions), size))
        quiet = reader.quiet()
        jobs = (delayed(_read_block)(block, quiet, shared) for block in blocks)
        limit = one_thread.around_workers() if self._are_threads else nullcontext()
        try:
            with limit, closing(self._parallel(jobs)) as passes:
                return tree_fold(_told(passes, reader), reader.merge)
        except BrokenProcessPool as error:
            raise RuntimeError(
                "A worker process ended while it read the pool, maybe for want of "
                "memory. Use fewer of them (`n_jobs`) or smaller chunks (`chunk_rows`, "
                "`batch_rows`)."
            ) from error


def _block_size(n_partitions, n_workers):
    """A power of two, for the tree over blocks to be the tree over partitions."""
    wanted = max(1, n_partitions // (_BLOCKS_A_WORKER * n_workers))
    return 1 << (wanted.bit_length() - 1)


def _read_block(partitions, reader, shared):
    with one_thread:
        thing = shared.get()
        passes = (reader.read(each, each.chunks(), thing) for each in partitions)
        return tree_fold(passes, reader.merge)


def _told(passes, reader):
    for each in passes:
        reader.tell(each.found)
        yield each


class _Here:
    """Something that threads share as it is."""

    def __init__(self, thing):
        self._thing = thing

    def get(self):
        """The thing."""
        return self._thing


class _Sent:
    """Something that each worker process unpacks once.

    joblib writes large arrays to a file of its own, once, which workers map and which
    is removed even if this process is killed; so the thing travels as an array.
    """

    def __init__(self, thing):
        self._token = uuid4().hex
        # By value, where it is of a class that only this process has.
        wrapped = wrap_non_picklable_objects((thing,), keep_wrapper=False)
        self._bytes = np.frombuffer(pickle.dumps(wrapped), dtype=np.uint8)

    def get(self):
        """The thing, unpacked when this process first asks for it."""
        if _Sent._last[0] != self._token:
            # The one before is let go of first.
            _Sent._last = None, None
            _Sent._last = self._token, pickle.loads(self._bytes)[0]
        return _Sent._last[1]

    # Of this process: the last thing that it unpacked, and its token.
    _last: tuple = (None, None)
