"""Who reads a pool's partitions: this process, joblib's workers or Dask's.

A pass is a map over the partitions and a tree of merges, the same tree for every engine
and any number of workers. What a partition was found to be comes back with the partial
results, so that the next pass notices a change.
"""

from collections.abc import Callable
from typing import Any, Literal

from joblib import effective_n_jobs

from skbadge.pools._chunked_pool import ChunkedPool
from skbadge.pools._dask_engine import DaskEngine, active_client
from skbadge.pools._from_dask import DaskPool
from skbadge.pools._joblib_engine import JoblibEngine
from skbadge.pools._pass import Pass, Reader
from skbadge.utils._fold import tree_fold

EngineName = Literal["auto", "serial", "threads", "processes", "dask"]
Engine = Any


class SerialEngine:
    """Reads one partition after another, here."""

    n_workers = 1

    def __repr__(self):
        return "this process"

    def __enter__(self):
        return self

    def __exit__(self, *error):
        pass

    def share(self, thing: Any) -> Any:
        """The thing itself."""
        return thing

    def run(self, partitions: list, reader: Reader, shared: Any) -> Pass | None:
        """Read all partitions."""
        passes = (reader.read(each, each.chunks(), shared) for each in partitions)
        return tree_fold(passes, reader.merge)


def open_engine(
    pool: ChunkedPool, engine: EngineName = "auto", n_jobs: int | None = None
) -> Engine:
    """Choose who reads a pool.

    Parameters
    ----------
    pool : ChunkedPool
        The pool.

    engine : {"auto", "serial", "threads", "processes", "dask"}, default="auto"
        "auto" is Dask for pools of Dask's and where a client of Dask's is in use, else
        joblib as `joblib.parallel_config` and ``n_jobs`` say, else this process.

    n_jobs : int or None, default=None
        Number of joblib's workers; None for what `joblib.parallel_config` says, or 1.

    Returns
    -------
    engine : context manager
        Has ``share(thing)``, whose result `reduce_partitions` takes for ``shared``, and
        ``n_workers``; its ``repr`` says who reads. What is shared lives as long as the
        context.
    """
    if engine != "auto":
        return _ENGINES[engine](n_jobs)
    if isinstance(pool, DaskPool) or active_client() is not None:
        return DaskEngine()
    if effective_n_jobs(n_jobs) == 1:
        return SerialEngine()
    return JoblibEngine(n_jobs, None)


_ENGINES: dict[str, Callable] = {
    "dask": lambda n_jobs: DaskEngine(),
    "processes": lambda n_jobs: JoblibEngine(n_jobs, "loky"),
    "serial": lambda n_jobs: SerialEngine(),
    "threads": lambda n_jobs: JoblibEngine(n_jobs, "threading"),
}


def reduce_partitions(
    pool: ChunkedPool,
    map_chunk: Callable,
    merge: Callable,
    engine: Engine,
    *,
    shared: Any = None,
    progress: Callable[[int], None] | None = None,
) -> Any:
    """Make one result of all chunks of a pool.

    Parameters
    ----------
    pool : ChunkedPool
        The pool.

    map_chunk : callable
        ``map_chunk(thing, chunk, first_row)`` returns a partial result, which is not
        None. The thing is what was shared. Can be pickled.

    merge : callable
        ``merge(first, second)`` returns the result of two neighbours, the earlier one
        first. Associative up to rounding. Can be pickled.

    engine : as `open_engine` returns, entered
        Who reads.

    shared : as ``engine.share(thing)`` returns
        Something large, such as a model, that all parts need; sent once to each worker.

    progress : callable or None, default=None
        Is told from time to time how many more rows were read. Not by Dask.

    Returns
    -------
    result : object
        The same for any engine and number of workers, for they merge in the same tree.

    Raises
    ------
    ValueError
        If the pool has no rows, or a chunk is laid out otherwise than the first.

    RuntimeError
        If the pool has changed since it was first read, or a worker process has died.
    """
    shared = engine.share(None) if shared is None else shared
    whole = engine.run(pool.partitions, Reader(map_chunk, merge, progress), shared)
    if whole is not None:
        pool.record(whole.found)
    if whole is None or whole.result is None:
        raise ValueError(f"The pool must have rows. Got none in {pool!r}.")
    return whole.result
