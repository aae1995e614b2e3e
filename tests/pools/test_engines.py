"""Engines: one result, whoever reads; nothing left behind, whatever happens."""

import os
import signal
import threading
from functools import partial

import dask
import dask.array as da
import joblib
import numpy as np
import pytest
import torch
from distributed import Client, LocalCluster

from skbadge.pools import from_arrays, from_chunks, from_dask
from skbadge.pools._engines import open_engine, reduce_partitions
from tests.pools._pools import Start, all_pools, make_rows

N_ROWS = 403
X = make_rows(N_ROWS)
ENGINES = ["serial", "threads", "processes", "dask"]


class Weights:
    """Something large, which knows in how many places it was unpacked."""

    def __init__(self, folder):
        self.w = np.arange(300_000.0)
        self.folder = str(folder)

    def __setstate__(self, state):
        self.__dict__ = state
        (name := os.path.join(self.folder, f"{os.getpid()}-{os.urandom(4).hex()}"))
        open(name, "x").close()


def part(thing, chunk, first_row):
    """First and last row, a sum that depends on how it is rounded, and who did it."""
    total = chunk.astype(np.float64).sum(axis=0) / 3
    if thing is not None:
        total = total * thing.w[1]
    return first_row, first_row + len(chunk), total, {os.getpid()}


def merge(first, second):
    # Neighbours, in order.
    assert first[1] == second[0]
    return first[0], second[1], first[2] + second[2], first[3] | second[3]


def count(thing, chunk, first_row):
    return len(chunk)


def add(first, second):
    return first + second


def n_threads():
    return torch.get_num_threads()


@pytest.fixture(scope="module")
def cluster():
    config = {"distributed.worker.daemon": False}
    with (
        dask.config.set(config),
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as two,
    ):
        yield two


def passes(pool, engine, n=2, shared=None):
    with open_engine(pool, engine, n_jobs=2) as opened:
        shared = None if shared is None else opened.share(shared)
        for _ in range(n):
            yield reduce_partitions(pool, part, merge, opened, shared=shared)


def assert_same(results, expected):
    for result in results:
        assert result[:2] == (0, N_ROWS)
        # To the last bit: they merge in one tree.
        assert result[2].tobytes() == expected[2].tobytes()


@all_pools
@pytest.mark.parametrize("engine", ["serial", "threads"])
def test_a_pass_merges_all_chunks_in_order(make, engine, tmp_path):
    pool = make(X, tmp_path)
    chunks = list(pool.chunks())
    for first, last, total, _ in passes(pool, engine):
        assert (first, last) == (0, N_ROWS)
        expected = sum(part(None, chunk, 0)[2] for _, chunk in chunks)
        np.testing.assert_allclose(total, expected, rtol=1e-12)


@pytest.mark.parametrize("engine", ["threads", "processes", "dask"])
def test_who_reads_does_not_show(engine, tmp_path):
    # 51 partitions: blocks and the tree are both uneven.
    make = partial(from_arrays, X, chunk_rows=2)
    (expected,) = passes(make(), "serial", n=1)
    assert_same(found := list(passes(make(), engine)), expected)
    if engine == "processes":
        assert os.getpid() not in found[0][3] | found[1][3]


@pytest.mark.parametrize("engine", ["serial", "threads", "processes", "dask"])
def test_a_pool_of_unknown_length_is_counted_by_its_first_pass(engine):
    pool = from_chunks(Start(X))
    list(passes(pool, engine, n=1))
    assert f"n_rows={N_ROWS}" in repr(pool)


def test_a_cluster_reads_as_this_process_does(cluster, tmp_path):
    make = partial(from_arrays, X, chunk_rows=2)
    (expected,) = passes(make(), "serial", n=1, shared=Weights(tmp_path))
    with Client(cluster):
        pool = make()
        with open_engine(pool) as engine:
            assert repr(engine) == "2 workers of Dask"
        found = list(passes(pool, "auto", n=3, shared=Weights(tmp_path)))
    assert_same(found, expected)
    assert os.getpid() not in set().union(*(each[3] for each in found))
    # Three passes; the model went to each worker once.
    assert len(os.listdir(tmp_path)) <= 2


def test_a_cluster_reads_the_partitions_of_a_collection(cluster):
    array = da.from_array(X, chunks=(9, 2))
    (expected,) = passes(from_arrays(np.split(X, range(9, N_ROWS, 9))), "serial", n=1)
    with Client(cluster):
        pool = from_dask(array[array[:, 0] == array[:, 0]].persist())
        assert_same(passes(pool, "auto"), expected)
        np.testing.assert_array_equal(pool.take([400, 3, 3]), X[[400, 3, 3]])


def die_once(folder, thing, chunk, first_row):
    """Die at one chunk, the first time that anybody reads it."""
    if first_row >= 200:
        try:
            open(os.path.join(folder, "died"), "x").close()
        except FileExistsError:
            pass
        else:
            os.kill(os.getpid(), signal.SIGKILL)
    return part(thing, chunk, first_row)


def test_dask_runs_again_what_a_killed_worker_had(cluster, tmp_path):
    pool = from_arrays(X, chunk_rows=2)
    (expected,) = passes(from_arrays(X, chunk_rows=2), "serial", n=1)
    read = partial(die_once, str(tmp_path))
    with Client(cluster), open_engine(pool) as engine:
        assert_same([reduce_partitions(pool, read, merge, engine)], expected)
    assert os.listdir(tmp_path) == ["died"]


def test_a_killed_process_of_joblib_is_one_clear_error(tmp_path):
    pool = from_arrays(X, chunk_rows=2)
    read = partial(die_once, str(tmp_path))
    with (
        pytest.raises(RuntimeError, match=r"worker process ended .*Use fewer"),
        open_engine(pool, "processes", n_jobs=2) as engine,
    ):
        reduce_partitions(pool, read, merge, engine)
    # The next one finds new workers.
    assert_same(passes(pool, "processes", n=1), next(passes(pool, "serial")))


def test_a_process_unpacks_the_model_once_for_all_passes(tmp_path):
    pool = from_arrays(X, chunk_rows=2)
    found = list(passes(pool, "processes", n=3, shared=Weights(tmp_path)))
    n_workers = len(set().union(*(each[3] for each in found)))
    assert len(os.listdir(tmp_path)) == n_workers


@pytest.mark.parametrize("engine", ["serial", "threads", "dask"])
def test_threads_share_the_model(engine, tmp_path):
    pool = from_arrays(X, chunk_rows=50)
    list(passes(pool, engine, shared=Weights(tmp_path)))
    assert os.listdir(tmp_path) == []


def test_joblib_is_asked_who_reads():
    pool = from_arrays(X)
    assert repr(open_engine(pool)) == "this process"
    with joblib.parallel_config(backend="threading", n_jobs=2):
        assert repr(open_engine(pool)) == "2 threads of joblib"
    with joblib.parallel_config(n_jobs=2):
        assert repr(open_engine(pool)) == "2 processes of joblib"
    assert repr(open_engine(pool, n_jobs=2)) == "2 processes of joblib"
    assert repr(open_engine(from_dask(da.from_array(X)))) == "Dask's scheduler"


def threads_here(thing, chunk, first_row):
    # In a module that the worker has for itself.
    return {n_threads()}


@pytest.mark.parametrize("engine", ["threads", "processes", "dask"])
def test_a_worker_uses_one_thread(engine):
    found = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        pool = from_arrays(X, chunk_rows=10)
        with open_engine(pool, engine, n_jobs=2) as opened:
            used = reduce_partitions(pool, threads_here, set.union, opened)
        assert used == {1}
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(found)


def interrupted(error, first, second):
    if second[1] > 200:
        raise error
    return merge(first, second)


@pytest.mark.parametrize("engine", ["serial", "threads", "processes", "dask"])
@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError])
def test_nothing_is_left_behind_by_an_error(engine, error, tmp_path, monkeypatch):
    monkeypatch.setenv("JOBLIB_TEMP_FOLDER", str(tmp_path / "joblib"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    if error is KeyboardInterrupt and engine == "processes":
        # In a worker of another process, nobody presses keys.
        error = OSError
    n_before = torch.get_num_threads(), threading.active_count()
    pool = from_arrays(X, chunk_rows=2)
    with (
        pytest.raises(error),
        open_engine(pool, engine, n_jobs=2) as opened,
    ):
        shared = opened.share(np.zeros(300_000))
        merge_badly = partial(interrupted, error)
        reduce_partitions(pool, part_of_none, merge_badly, opened, shared=shared)
    assert torch.get_num_threads() == n_before[0]
    assert not [f for f in tmp_path.rglob("*") if f.is_file()]
    assert_same(passes(pool, "serial", n=1), next(passes(pool, "serial")))


def part_of_none(thing, chunk, first_row):
    return part(None, chunk, first_row)


def bad(thing, chunk, first_row):
    if first_row == 10:
        raise ArithmeticError("bad")
    return first_row


@pytest.mark.parametrize("engine", ENGINES)
def test_an_error_of_a_model_says_where(engine):
    pool = from_arrays(X, chunk_rows=5)
    with (
        pytest.raises(ArithmeticError, match="bad") as caught,
        open_engine(pool, engine, n_jobs=2) as opened,
    ):
        reduce_partitions(pool, bad, max, opened)
    assert (
        "chunk 2 of partition 0 of the pool, from row 10" in caught.value.__notes__[0]
    )


@pytest.mark.parametrize("engine", ENGINES)
def test_a_change_between_passes_is_found_whoever_reads(engine):
    rows = X.copy()
    pool = from_chunks([rows[:100], rows[100:200], rows[200:]])
    list(passes(pool, engine, n=1))
    rows[150, 1] += 1
    with pytest.raises(RuntimeError, match=r"Chunk 0 of partition 1 .*100 to 199.*was"):
        list(passes(pool, engine, n=1))


@pytest.mark.parametrize("engine", ENGINES)
def test_an_odd_chunk_is_found_whoever_reads(engine):
    pool = from_chunks([X[:10], X[10:12, :2]])
    with pytest.raises(ValueError, match=r"partition 1 .*rows 10 to 11, .*\(n_rows, 2"):
        list(passes(pool, engine, n=1))


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("pool", [from_arrays(X[:0]), from_chunks(Start(X[:0]))])
def test_an_empty_pool_is_refused(engine, pool):
    with pytest.raises(ValueError, match="pool must have rows"):
        list(passes(pool, engine, n=1))


@pytest.mark.parametrize("engine", ENGINES)
def test_a_pool_of_one_row_and_empty_chunks_are_fine(engine):
    pool = from_chunks([X[:0], X[:1], X[:0]])
    ((first, last, *_),) = passes(pool, engine, n=1)
    assert (first, last) == (0, 1)


@pytest.mark.parametrize("engine", ["serial", "threads", "processes"])
def test_progress_is_told(engine):
    told = []
    pool = from_arrays(X, chunk_rows=5)
    with open_engine(pool, engine, n_jobs=2) as opened:
        total = reduce_partitions(pool, count, add, opened, progress=told.append)
    assert total == sum(told) == N_ROWS
    assert len(told) > 3
