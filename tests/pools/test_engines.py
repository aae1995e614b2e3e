"""Engines: one result, whoever reads; nothing left behind, whatever happens."""

import operator
import os
from functools import partial

import dask.array as da
import joblib
import numpy as np
import pytest
import torch
from distributed import Client, LocalCluster

from skbadge.pools import _dask_engine, from_arrays, from_chunks, from_dask
from skbadge.pools._engines import open_engine, reduce_partitions
from tests.pools._parts import (
    Weights,
    count,
    die_once,
    fail_at_row_10,
    merge,
    merge_until,
    n_threads,
    part,
)
from tests.pools._pools import Start, all_pools, make_rows

N_ROWS = 403
X = make_rows(N_ROWS)
# Processes are slow to start, and start again after each error.
IN_PROCESS = ["serial", "threads", "dask"]
ENGINES = [*IN_PROCESS, "processes"]


@pytest.fixture(scope="module")
def cluster():
    with LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=None
    ) as cluster:
        yield cluster


def passes(pool, engine, n=1, map_chunk=part, merge=merge, thing=None, **options):
    """What comes of some passes of one engine."""
    with open_engine(pool, engine, n_jobs=2) as opened:
        shared = None if thing is None else opened.share(thing)
        how = {"shared": shared, **options}
        return [
            reduce_partitions(pool, map_chunk, merge, opened, **how) for _ in range(n)
        ]


def uneven_pool():
    # 51 partitions: neither blocks nor the tree come out even.
    return from_arrays(X, chunk_rows=2)


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
    expected = sum(part(None, chunk, 0)[2] for _, chunk in chunks)
    for first, last, total, _ in passes(pool, engine, n=2):
        assert (first, last) == (0, N_ROWS)
        np.testing.assert_allclose(total, expected, rtol=1e-12)


@pytest.mark.parametrize("engine", ["threads", "processes", "dask"])
def test_who_reads_does_not_show(engine):
    (expected,) = passes(uneven_pool(), "serial")
    found = passes(uneven_pool(), engine, n=2)
    assert_same(found, expected)
    if engine == "processes":
        assert os.getpid() not in found[0][3] | found[1][3]


@pytest.mark.parametrize("engine", ENGINES)
def test_a_pool_of_unknown_length_is_counted_by_its_first_pass(engine):
    pool = from_chunks(Start(X))
    passes(pool, engine)
    assert f"n_rows={N_ROWS}" in repr(pool)


def test_a_cluster_reads_as_this_process_does(cluster, tmp_path):
    (expected,) = passes(uneven_pool(), "serial", thing=Weights(tmp_path))
    with Client(cluster):
        with open_engine(uneven_pool()) as engine:
            assert repr(engine) == "2 workers of Dask"
        found = passes(uneven_pool(), "auto", n=6, thing=Weights(tmp_path))
    assert_same(found, expected)
    assert os.getpid() not in set().union(*(each[3] for each in found))
    # Six passes of 51 partitions: the model was sent before the first. Dask's broadcast
    # may hand it over twice.
    assert len(os.listdir(tmp_path)) <= 4


def test_a_cluster_reads_the_partitions_of_a_collection(cluster):
    (expected,) = passes(from_arrays(np.split(X, range(9, N_ROWS, 9))), "serial")
    array = da.from_array(X, chunks=(9, 2))
    with Client(cluster):
        pool = from_dask(array[array[:, 0] == array[:, 0]].persist())
        assert_same(passes(pool, "auto"), expected)
        np.testing.assert_array_equal(pool.take([400, 3, 3]), X[[400, 3, 3]])


def test_dask_runs_again_what_a_killed_worker_had(cluster, tmp_path):
    (expected,) = passes(uneven_pool(), "serial")
    with Client(cluster):
        read = partial(die_once, str(tmp_path))
        assert_same(passes(uneven_pool(), "auto", map_chunk=read), expected)
    assert os.listdir(tmp_path) == ["died"]


def test_dask_is_sent_again_what_its_only_worker_had(tmp_path, monkeypatch):
    (expected,) = passes(uneven_pool(), "serial")
    read = partial(die_once, str(tmp_path))
    # The port of the other cluster's dashboard is in use.
    options = {"threads_per_worker": 1, "dashboard_address": ":0"}
    with LocalCluster(n_workers=1, **options) as cluster, Client(cluster):
        assert_same(passes(uneven_pool(), "auto", n=2, map_chunk=read), expected)
        assert os.listdir(tmp_path) == ["died"]
        os.remove(tmp_path / "died")
        monkeypatch.setattr(_dask_engine, "MOST_LOSSES", 1)
        with pytest.raises(RuntimeError, match=r"All workers .* died 1 times"):
            passes(uneven_pool(), "auto", map_chunk=read)


def test_a_killed_process_of_joblib_is_one_clear_error(tmp_path):
    pool, read = uneven_pool(), partial(die_once, str(tmp_path))
    with pytest.raises(RuntimeError, match=r"worker process ended .*Use fewer"):
        passes(pool, "processes", map_chunk=read)
    # The next one finds new workers.
    assert_same(passes(pool, "processes"), *passes(pool, "serial"))


def test_a_process_unpacks_the_model_once_for_all_passes(tmp_path):
    found = passes(uneven_pool(), "processes", n=3, thing=Weights(tmp_path))
    n_workers = len(set().union(*(each[3] for each in found)))
    assert len(os.listdir(tmp_path)) == n_workers


@pytest.mark.parametrize("engine", IN_PROCESS)
def test_threads_share_the_model(engine, tmp_path):
    passes(from_arrays(X, chunk_rows=50), engine, thing=Weights(tmp_path))
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


@pytest.mark.parametrize("engine", ["threads", "processes", "dask"])
def test_a_worker_uses_one_thread(engine):
    found = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        how = {"map_chunk": n_threads, "merge": operator.or_}
        assert passes(uneven_pool(), engine, n=2, **how) == [{1}, {1}]
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(found)


@pytest.mark.parametrize(
    ("engine", "error"),
    # Nobody presses keys in a process of joblib's.
    [*((engine, KeyboardInterrupt) for engine in IN_PROCESS), ("processes", OSError)],
)
def test_nothing_is_left_behind_by_an_error(engine, error, tmp_path, monkeypatch):
    monkeypatch.setenv("JOBLIB_TEMP_FOLDER", str(tmp_path))
    n_before = torch.get_num_threads()
    pool, thing = uneven_pool(), np.zeros(300_000)
    with pytest.raises(error):
        passes(pool, engine, merge=partial(merge_until, error), thing=thing)
    assert torch.get_num_threads() == n_before
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]
    assert_same(passes(pool, engine), *passes(uneven_pool(), "serial"))


@pytest.mark.parametrize("engine", IN_PROCESS)
def test_an_error_of_a_model_says_where(engine):
    with pytest.raises(ArithmeticError, match="bad") as caught:
        passes(from_arrays(X, chunk_rows=5), engine, map_chunk=fail_at_row_10)
    assert (
        "chunk 2 of partition 0 of the pool, from row 10" in caught.value.__notes__[0]
    )


@pytest.mark.parametrize("engine", ENGINES)
def test_a_change_between_passes_is_found_whoever_reads(engine):
    rows = X.copy()
    pool = from_chunks([rows[:100], rows[100:200], rows[200:]])
    passes(pool, engine)
    rows[150, 1] += 1
    with pytest.raises(RuntimeError, match=r"Chunk 0 of partition 1 .*100 to 199.*was"):
        passes(pool, engine)


@pytest.mark.parametrize("engine", IN_PROCESS)
def test_an_odd_chunk_is_found_whoever_reads(engine):
    pool = from_chunks([X[:10], X[10:12, :2]])
    with pytest.raises(ValueError, match=r"partition 1 .*rows 10 to 11, .*\(n_rows, 2"):
        passes(pool, engine)


@pytest.mark.parametrize("engine", IN_PROCESS)
@pytest.mark.parametrize("rows", [from_arrays, lambda rows: from_chunks(Start(rows))])
def test_an_empty_pool_is_refused(engine, rows):
    with pytest.raises(ValueError, match="pool must have rows"):
        passes(rows(X[:0]), engine)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_pool_of_one_row_and_empty_chunks_are_fine(engine):
    ((first, last, *_),) = passes(from_chunks([X[:0], X[:1], X[:0]]), engine)
    assert (first, last) == (0, 1)


@pytest.mark.parametrize("engine", ["serial", "threads", "processes"])
def test_progress_is_told(engine):
    told = []
    how = {"map_chunk": count, "merge": operator.add, "progress": told.append}
    assert passes(uneven_pool(), engine, **how) == [N_ROWS]
    assert sum(told) == N_ROWS
    assert len(told) > 3
