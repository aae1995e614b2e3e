"""What arrays and chunks a pool can be made of, and what comes out."""

import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
from scipy import sparse

from skbadge.pools import Inputs, from_arrays, from_chunks, is_dataset, kind_of
from tests.pools._containers import CONTAINERS, read
from tests.pools._pools import Start, hdf5, make_rows, memory_map, zarr_array

X = np.array([[0.0, 1.0], [2.0, 3.0], [0.0, 0.0], [4.0, 0.0], [5.0, 6.0]])
NOT_SLICED = {
    "list",
    "tuple",
    "list of arrays",
    "nested dict",
    *(name for name, make in CONTAINERS.items() if is_dataset(make(X))),
}


def same_kinds(rows, whole):
    return kind_of(rows) == kind_of(whole) or sparse.issparse(rows)


@pytest.mark.parametrize("name", sorted(set(CONTAINERS) - NOT_SLICED))
def test_all_that_slices_is_read_in_chunks(name):
    whole = CONTAINERS[name](X)
    pool = from_arrays(whole, chunk_rows=2)
    parts = [chunk for _, chunk in pickle.loads(pickle.dumps(pool)).chunks()]
    assert [len(read(part)) for part in parts] == [2, 2, 1]
    np.testing.assert_array_equal(np.concatenate([read(p) for p in parts]), X)
    assert all(same_kinds(part, whole) for part in parts)
    np.testing.assert_array_equal(read(pool.take([4, 0, 4])), X[[4, 0, 4]])


@pytest.mark.parametrize("make", CONTAINERS.values(), ids=CONTAINERS)
def test_chunks_are_of_any_container(make):
    pool = from_chunks(lambda: iter([make(X[:2]), make(X[2:])]))
    parts = [chunk for _, chunk in pool.chunks()]
    np.testing.assert_array_equal(np.concatenate([read(p) for p in parts]), X)
    np.testing.assert_array_equal(read(pool.take([4, 0, 4])), X[[4, 0, 4]])
    assert kind_of(parts[0]) == kind_of(make(X))


def test_arrays_of_a_list_follow_one_another_also_where_they_are_several_inputs():
    pieces = [{"u": X[:2], "v": X[:2, 0]}, {"u": X[2:], "v": X[2:, 0]}]
    taken = from_arrays(pieces).take([4, 1])
    np.testing.assert_array_equal(taken["u"], X[[4, 1]])
    np.testing.assert_array_equal(taken["v"], X[[4, 1], 0])
    taken = from_arrays(Inputs([X, torch.tensor(X)])).take([4, 1])
    assert isinstance(taken, Inputs)
    assert torch.equal(taken[1], torch.tensor(X[[4, 1]]))


@pytest.mark.parametrize("make", [memory_map, hdf5, zarr_array])
def test_what_is_in_a_file_goes_by_its_name_to_another_process(make, tmp_path):
    rows = make_rows(20_000)
    pool = from_arrays(make(rows, tmp_path), chunk_rows=1000)
    pickled = pickle.dumps(pool.partitions)
    assert len(pickled) < 20_000 < rows.nbytes
    found = [c for p in pickle.loads(pickled) for _, c in p.chunks()]
    np.testing.assert_array_equal(np.concatenate(found), rows)


def test_of_what_is_in_memory_only_a_partitions_rows_go_to_another_process():
    rows = make_rows(20_000)
    first = from_arrays(rows, chunk_rows=100).partitions[0]
    assert first.n_rows == 400
    assert len(pickle.dumps(first)) < 2 * rows[:400].nbytes


def test_changes_in_a_copy_on_write_map_are_not_lost(tmp_path):
    rows = make_rows(10)
    memory_map(rows, tmp_path)
    mine = np.load(tmp_path / "rows.npy", mmap_mode="c")
    mine[3] = 7
    pool = pickle.loads(pickle.dumps(from_arrays(mine)))
    np.testing.assert_array_equal(pool.take([3])[0], [7, 7, 7])


def test_rows_of_a_map_in_fortran_order_are_right(tmp_path):
    rows = make_rows(50)
    np.save(tmp_path / "rows.npy", np.asfortranarray(rows))
    pool = from_arrays(np.load(tmp_path / "rows.npy", mmap_mode="r"), chunk_rows=3)
    pool = pickle.loads(pickle.dumps(pool))
    np.testing.assert_array_equal(pool.take(slice(None)), rows)


def test_only_what_holds_the_rows_is_read():
    class Counted:
        def __init__(self, array):
            self.array, self.read = array, []
            self.shape, self.dtype = array.shape, array.dtype

        def __len__(self):
            return len(self.array)

        def __getitem__(self, rows):
            self.read.append((rows.start, rows.stop))
            return self.array[rows]

    source = Counted(make_rows(1000))
    pool = from_arrays(source, chunk_rows=10)
    # The first chunk is looked at once, for columns and dtypes.
    pool.take([0])
    source.read.clear()
    pool.take([995, 13, 11, 990])
    assert sorted(source.read) == [(11, 14), (990, 996)]


def test_a_source_in_chunks_is_read_in_whole_ones(tmp_path):
    rows = make_rows(50)
    pool = from_arrays(zarr_array(rows, tmp_path))
    sizes = {len(chunk) for _, chunk in pool.chunks()}
    assert sizes == {50}
    wide = np.broadcast_to(np.float64(0), (100, 2**20))

    class Stored(np.ndarray):
        chunks = (3, 2**20)

    # Eight megabytes a row: two rows would be within bounds, three are stored together.
    sizes = [len(chunk) for _, chunk in from_arrays(wide.view(Stored)[:7]).chunks()]
    assert sizes == [3, 3, 1]


@pytest.mark.parametrize("wrong", [[[1, 2], [3, 4]], "text", None, [iter(X)], 3])
def test_other_than_arrays_are_refused(wrong):
    with pytest.raises(TypeError, match="`arrays` must be an array"):
        from_arrays(wrong)


@pytest.mark.parametrize("wrong", [0, -1, 2.5, True, "some"])
def test_a_number_of_rows_that_is_none_is_refused(wrong):
    with pytest.raises(ValueError, match="`chunk_rows` must be an int >= 1"):
        from_arrays(X, chunk_rows=wrong)


@pytest.mark.parametrize("wrong", [Start(X)(), iter([X]), map(np.asarray, [X])])
def test_what_is_used_up_after_once_is_refused_by_name(wrong):
    name = type(wrong).__name__
    with pytest.raises(TypeError, match=f"Got a {name}, which is used up after once"):
        from_chunks(wrong)


def test_a_function_that_returns_a_used_up_iterator_is_found_out():
    once = iter([X])
    pool = from_chunks(lambda: once)
    list(pool.chunks())
    with pytest.raises(
        RuntimeError, match=r"ended after 0 .* iterator that is used up"
    ):
        list(pool.chunks())


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (3, "`chunks` must be a list of chunks"),
        ("pool.parquet", "Got the name 'pool.parquet'.*`from_parquet`"),
        (Path("pool.parquet"), "Got the name .*`from_parquet`"),
        ({"a": X}, "Got one, a dict: pass it to `from_arrays`, or in a list"),
        (X, "Got one, a ndarray"),
        (torch.tensor(X), "Got one, a Tensor"),
        (pd.DataFrame(X), "Got one, a DataFrame"),
        (pl.DataFrame(X), "Got one, a DataFrame"),
        (sparse.csr_array(X), "Got one, a csr_array"),
        ([iter([X]), iter([X])], "A list of `chunks` must hold containers of rows"),
        ([Start(X), X], "A list of `chunks` must hold containers of rows"),
        (["pool.parquet"], "A list of `chunks` must .* Got 'pool.parquet'"),
        ([X, None], "A list of `chunks` must .* Got None"),
    ],
)
def test_other_than_chunks_are_refused(wrong, message):
    with pytest.raises(TypeError, match=message):
        from_chunks(wrong)


@pytest.mark.parametrize("kind", [pd.DataFrame, pl.DataFrame, dict])
def test_the_id_column_is_not_for_a_model(kind):
    chunks = [kind({"a": X[:, 0], "b": X[:, 1], "id": list("pqrst")})] * 2
    pool = from_chunks(chunks, id_column="id")
    assert pool.ids([9, 1]).tolist() == ["t", "q"]
    names = [list(getattr(c, "columns", c)) for _, c in pool.chunks()]
    assert names == [["a", "b"]] * 2
    assert pool.column("b", [3]).tolist() == [0.0]
    assert "id" not in pool.take([3])


def test_a_missing_id_column_is_named():
    pool = from_chunks([pd.DataFrame({"a": [1]})], id_column="id")
    with pytest.raises(ValueError, match=r"with 'id' in them .*DataFrame with \['a'\]"):
        list(pool.chunks())
    with pytest.raises(ValueError, match=r"frames or dicts with 'id' .*Got a ndarray"):
        from_chunks([X], id_column="id").ids([0])
