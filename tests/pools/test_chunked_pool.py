"""Pools in chunks: the same rows as in memory, whatever they are read from."""

import pickle

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import sparse

from skbadge.pools import ChunkedPool, from_arrays, from_chunks, n_rows
from tests.pools._pools import COLUMNS, N_ROWS, Start, all_pools, make_rows, names_of

X = make_rows()


@all_pools
def test_chunks_are_all_rows_in_order(make, tmp_path):
    pool = make(X, tmp_path)
    assert isinstance(pool, ChunkedPool)
    # Twice: a pool is read again and again.
    for _ in range(2):
        found = list(pool.chunks())
        np.testing.assert_array_equal(np.concatenate([c for _, c in found]), X)
        sizes = [n_rows(chunk) for _, chunk in found]
        assert [start for start, _ in found] == list(np.cumsum([0, *sizes[:-1]]))
        assert min(sizes) > 0
    assert len(pool) == pool.n_rows == N_ROWS
    assert f"n_rows={N_ROWS}, n_partitions={len(pool.partitions)})" in repr(pool)


@all_pools
def test_partitions_are_read_on_their_own_in_another_process(make, tmp_path):
    pool = make(X, tmp_path)
    copies = pickle.loads(pickle.dumps(pool.partitions))
    # From the last to the first: none needs the one before it.
    found = [list(partition.chunks()) for partition in copies[::-1]][::-1]
    rows = np.concatenate([chunk for chunks in found for _, chunk in chunks])
    np.testing.assert_array_equal(rows, X)
    starts = [chunks[0][0] for chunks in found if chunks]
    assert len(pool) == N_ROWS
    assert starts == [p.start for p in pool.partitions if p.n_rows]


@all_pools
def test_rows_are_taken_in_any_order_and_repeated(make, tmp_path):
    pool = make(X, tmp_path)
    rows = np.random.default_rng(1).integers(N_ROWS, size=40)
    assert len(np.unique(rows)) < len(rows)
    np.testing.assert_array_equal(pool.take(rows), X[rows])
    np.testing.assert_array_equal(pool.take(slice(-3, None, 2)), X[-3::2])
    np.testing.assert_array_equal(pool.take([N_ROWS - 1]), X[-1:])
    nothing = pool.take([])
    assert nothing.shape == (0, 3)
    assert type(nothing) is type(pool.first(1))


@all_pools
def test_the_first_rows_are_had_without_counting(make, tmp_path):
    pool = make(X, tmp_path)
    np.testing.assert_array_equal(pool.first(25), X[:25])
    np.testing.assert_array_equal(pool.first(2), X[:2])
    np.testing.assert_array_equal(pool.first(N_ROWS + 9), X)
    # What was read of it is not taken for all there is.
    assert len(pool) == N_ROWS


@all_pools
def test_ids_are_those_of_a_column_or_else_positions(make, tmp_path):
    pool = make(X, tmp_path)
    rows = [40, 3, 3]
    named = pool.partitions[0].id_column == "name"
    expected = names_of(X)[rows] if named else rows
    assert pool.ids(rows).tolist() == list(expected)
    assert len(pool.ids([])) == 0
    if named:
        assert pool.column("name").tolist() == names_of(X).tolist()
        assert list(getattr(pool.first(1), "columns", COLUMNS)) == COLUMNS


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_chunks_have_the_size_asked_for(size):
    pool = from_arrays(X, chunk_rows=size)
    sizes = [len(chunk) for _, chunk in pool.chunks()]
    assert set(sizes[:-1]) <= {size}
    assert sum(sizes) == N_ROWS


def test_large_rows_are_read_in_small_chunks():
    images = np.broadcast_to(np.float32(0), (3000, 256, 64))
    pool = from_arrays(images)
    # 16 MiB.
    assert {len(chunk) for _, chunk in pool.chunks()} == {256, 3000 % 256}


def test_a_pool_of_one_row_is_a_pool():
    pool = from_chunks(Start(X[:1]))
    np.testing.assert_array_equal(pool.take([0, 0]), X[[0, 0]])


@pytest.mark.parametrize(
    "pool",
    [from_arrays(X[:0]), from_arrays([]), from_chunks([]), from_chunks(Start(X[:0]))],
    ids=repr,
)
def test_a_pool_may_be_empty(pool):
    assert len(pool) == 0
    assert list(pool.chunks()) == []
    assert len(pool.ids([])) == 0
    with pytest.raises(ValueError, match="pool must have rows"):
        pool.first(1)
    with pytest.raises(IndexError, match=r"in \[0, 0\). Got 0"):
        pool.take([0])


@pytest.mark.parametrize("wrong", [[-1], [0, N_ROWS]])
def test_rows_out_of_the_pool_are_refused(wrong):
    with pytest.raises(IndexError, match=rf"in \[0, {N_ROWS}\). Got {wrong[-1]}"):
        from_arrays(X).take(wrong)


@pytest.mark.parametrize("wrong", [np.zeros(N_ROWS, dtype=bool), [0.5], [[1]]])
def test_other_than_positions_are_refused(wrong):
    with pytest.raises(TypeError, match="`rows` must be a slice or"):
        from_arrays(X).take(wrong)


def test_a_pool_is_not_made_an_array_by_accident():
    with pytest.raises(TypeError, match=r"pool.take\(rows\)"):
        np.asarray(from_arrays(X))


def frames(**odd):
    good = pd.DataFrame({"u": [0.0, 1.0], "v": ["p", "q"]})
    good["w"] = pd.Categorical(["x", "y"])
    return [good, good.iloc[:0].astype(object), good.assign(**odd), good]


ODD = {
    "a column more": (
        frames(t=1.0),
        r"columns \['u', 'v', 'w', 't'\], the first chunk \['u', 'v', 'w'\]",
    ),
    "another order": (
        [frames()[0], frames()[0].iloc[:0], frames()[0][["v", "u", "w"]]],
        "order of columns",
    ),
    "another dtype": (frames(u=[0, 1]), "dtype.*int64.* in 'u', .*float64"),
    "other categories": (frames(w=pd.Categorical(["x", "z"])), "Categorical.*z"),
    "another width": ([X[:2], X[:0, :2], X[2:4, :2]], r"\(n_rows, 2\), float32"),
    "another precision": ([X[:2], X[:0], X[2:4].astype("f8")], "float64, the first"),
    "another kind": ([X[:2], X[:0], frames()[0]], "the columns"),
    "another key": ([{"a": X[:2]}, {"a": X[:0]}, {"b": X[:2]}], "'b'"),
}


@pytest.mark.parametrize(("chunks", "message"), ODD.values(), ids=ODD)
@pytest.mark.parametrize("is_list", [True, False])
def test_a_chunk_unlike_the_first_is_named(chunks, message, is_list):
    pool = from_chunks(chunks if is_list else lambda: iter(chunks))
    where = "0 of partition 2" if is_list else "2 of partition 0"
    with pytest.raises(ValueError, match=f"Chunk {where} .*rows 2 to 3, .*{message}"):
        list(pool.chunks())


LARGE = make_rows(3000)
CONTAINERS = {
    "array": np.array,
    "array in Fortran order": np.asfortranarray,
    # As wide as the words of the digest, which then says nothing of the order.
    "doubles": lambda X: X.astype(np.float64),
    "bytes": lambda X: (X > 0).astype(np.uint8),
    "frame": lambda X: pd.DataFrame(X, columns=COLUMNS).assign(t="text"),
    "categories": lambda X: pd.DataFrame({"u": pd.Categorical(X[:, 1] > 0)}),
    "sparse": sparse.csr_matrix,
    "tensor": lambda X: torch.tensor(X),
    "dict": lambda X: {"u": X[:, :2].copy(), "v": torch.tensor(X[:, 2])},
}


def change_a_value(X):
    # Of no row that is looked at as a whole.
    X[501, 1] = -X[501, 1]


def change_the_order(X):
    X[:] = X[::-1].copy()


@pytest.mark.parametrize("container", CONTAINERS.values(), ids=CONTAINERS)
@pytest.mark.parametrize("change", [change_a_value, change_the_order])
def test_a_chunk_that_changes_between_passes_is_named(container, change):
    chunks = [part.copy() for part in np.split(LARGE, 3)]
    pool = from_chunks(lambda: map(container, chunks))
    # Two passes that find the same.
    assert len(list(pool.chunks())) == len(list(pool.chunks())) == 3
    change(chunks[1])
    message = (
        "Chunk 1 of partition 0 .*rows 1000 to 1999, is not what .*Its rows differ"
    )
    with pytest.raises(RuntimeError, match=message):
        list(pool.chunks())


def lose_a_row(chunks):
    chunks[1] = chunks[1][:-1]


def lose_a_chunk(chunks):
    del chunks[-1]


def gain_a_chunk(chunks):
    chunks.append(X[:1])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lose_a_row, "Chunk 1 .*had 10 rows and has 9"),
        (lose_a_chunk, "ended after 2 chunks and 20 rows; it had 3 chunks"),
        (gain_a_chunk, "Chunk 3 .*There was no such chunk"),
    ],
)
def test_chunks_that_come_and_go_are_named(change, message):
    chunks = [X[:10], X[10:20], X[20:30]]
    pool = from_chunks(lambda: iter(chunks))
    list(pool.chunks())
    change(chunks)
    with pytest.raises(RuntimeError, match=message):
        list(pool.chunks())
