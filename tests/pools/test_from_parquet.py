"""Pools of Parquet files."""

import pickle
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest

from skbadge.nn import table_preprocessor
from skbadge.pools import from_parquet
from tests.pools._pools import COLUMNS, frame_of, make_rows, parquet

X = make_rows()


def write(table, path, **how):
    pq.write_table(pa.table(table), path, **how)
    return path


def rows_of(pool):
    return [chunk for _, chunk in pool.chunks()]


@pytest.mark.parametrize(
    "source",
    [
        lambda folder: folder,
        lambda folder: str(folder),
        lambda folder: f"{folder}/*.parquet",
        lambda folder: sorted(folder.glob("*")),
        lambda folder: ds.dataset(folder),
    ],
    ids=["folder", "text", "glob", "list", "dataset"],
)
def test_a_source_is_a_path_a_glob_a_list_or_a_dataset(source, tmp_path):
    pool = from_parquet(source(parquet(X, tmp_path)), columns=COLUMNS)
    np.testing.assert_array_equal(np.concatenate(rows_of(pool)), X)
    assert repr(pool).startswith("ChunkedPool(3 Parquet files, n_rows=53")


def test_a_file_may_have_any_name(tmp_path):
    names = ["a b.parquet", "50%20.parquet", "ü#?.parquet", "[1].parquet", "x=1:.pq"]
    for i, name in enumerate(names):
        write({"a": [float(i)]}, tmp_path / name)
    for i, name in enumerate(names):
        pool = from_parquet(str(tmp_path / name))
        assert pool.take([0]).tolist() == [[float(i)]]
        assert pickle.loads(pickle.dumps(pool)).first(1).tolist() == [[float(i)]]
    pool = from_parquet([tmp_path / name for name in names])
    assert pool.take(slice(None)).ravel().tolist() == [0.0, 1.0, 2.0, 3.0, 4.0]


def test_files_of_a_glob_are_sorted_and_those_of_a_list_are_not(tmp_path):
    paths = [write({"a": [i]}, tmp_path / f"{i}.parquet") for i in range(12)]
    found = from_parquet(f"{tmp_path}/*.parquet").take(slice(None)).ravel()
    assert found.tolist() == [0, 1, 10, 11, 2, 3, 4, 5, 6, 7, 8, 9]
    assert from_parquet(paths).take([2, 10]).ravel().tolist() == [2, 10]


def test_what_the_names_of_folders_say_is_a_column(tmp_path):
    frame = frame_of(X).assign(year=np.arange(len(X)) % 3 + 2000)
    frame.to_parquet(tmp_path, partition_cols=["year"])
    pool = from_parquet(tmp_path, columns=["year", "a"], id_column="name")
    found = pool.take(slice(None))
    expected = frame.sort_values("year", kind="stable")
    assert found["year"].tolist() == expected["year"].tolist()
    assert found["a"].tolist() == expected["a"].tolist()
    assert pool.ids([52]).tolist() == [expected["name"].iloc[-1]]
    assert pool.column("year", [0, 52]).tolist() == [2000, 2002]


def test_numbers_of_one_dtype_are_an_array(tmp_path):
    for dtype in ["float32", "float64", "uint8", "int64", "bool"]:
        array = (X[:, :2] > 0).astype(dtype)
        pool = from_parquet(
            write({"a": array[:, 0], "b": array[:, 1]}, tmp_path / "x.parquet")
        )
        assert pool.first(1).dtype == dtype
        np.testing.assert_array_equal(pool.take(slice(None)), array)


def test_columns_come_in_the_order_asked_for(tmp_path):
    pool = from_parquet(parquet(X, tmp_path), columns=["c", "a"])
    np.testing.assert_array_equal(pool.take(slice(None)), X[:, [2, 0]])


def test_anything_else_is_a_frame_alike_in_all_chunks(tmp_path):
    table = {
        "text": ["p", None, "r", "s"],
        "code": pa.array(["x", "y", "x", None]).dictionary_encode(),
        "whole": [1, 2, None, 4],
        "flag": [True, False, True, None],
        "price": [Decimal("1.50"), None, Decimal("2.25"), Decimal("3.00")],
        "time": pd.to_datetime(["2020-01-01"] * 4),
    }
    pool = from_parquet(
        write(table, tmp_path / "x.parquet", row_group_size=1), batch_rows=1
    )
    chunks = rows_of(pool)
    assert len(chunks) == 4
    assert [str(dtype) for dtype in chunks[0].dtypes[1:5]] == [
        *("category", "float64", "object", "float64")
    ]
    assert all((chunk.dtypes == chunks[0].dtypes).all() for chunk in chunks)
    whole = pool.take([3, 1, 0])
    assert (whole.dtypes == chunks[0].dtypes).all()
    assert whole["code"].cat.categories.tolist() == ["x", "y"]
    assert whole["code"].tolist()[1:] == ["y", "x"]
    assert whole["price"].tolist()[2] == 1.5
    assert whole["text"].isna().tolist() == [False, True, False]
    assert whole["flag"].tolist() == [None, False, True]


@pytest.mark.parametrize("as_frame", [True, False])
@pytest.mark.parametrize("column", [[1, None, 3], [True, None, False]], ids=str)
def test_missing_values_of_which_the_file_says_nothing_are_refused(
    column, as_frame, tmp_path
):
    table = {"a": pa.array(column), "b": pa.array(column).fill_null(column[0])}
    path = write(table, tmp_path / "x.parquet", write_statistics=False)
    match = "Values of 'a' are missing, of which the file says nothing. Write it again"
    with pytest.raises(ValueError, match=match):
        from_parquet(path, as_frame=as_frame).take([0, 1])
    whole = from_parquet(path, as_frame=as_frame, columns=["b"]).take([0, 1, 2])
    assert np.asarray(whole).ravel().tolist() == table["b"].to_pylist()


def test_booleans_with_gaps_are_read_as_pandas_reads_them(tmp_path):
    flags = pd.DataFrame({"x": [1.0, 2.0, 3.0], "flag": [True, None, False]})
    path = tmp_path / "x.parquet"
    flags.to_parquet(path)
    pool = from_parquet(path, batch_rows=1)
    found = pool.take([0, 1, 2]).reset_index(drop=True)
    pd.testing.assert_frame_equal(found, pd.read_parquet(path))
    encoder = table_preprocessor(flags).fit(flags)
    expected = encoder.transform(flags)
    found = np.vstack([encoder.transform(chunk) for chunk in rows_of(pool)])
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("make", [pd.Index, np.array, tuple, iter, dict.fromkeys])
def test_columns_may_be_any_iterable(make, tmp_path):
    pool = from_parquet(parquet(X, tmp_path), columns=make(["c", "a"]))
    np.testing.assert_array_equal(pool.take(slice(None)), X[:, [2, 0]])


def test_as_frame_decides(tmp_path):
    path = write({"a": [1.5], "b": [2], "t": ["x"]}, tmp_path / "x.parquet")
    numbers = {"columns": ["a", "b"]}
    assert isinstance(from_parquet(path, **numbers).first(1), pd.DataFrame)
    assert from_parquet(path, as_frame=False, **numbers).first(1).tolist() == [[1.5, 2]]
    single = from_parquet(path, columns=["a"], as_frame=True)
    assert single.first(1).columns.tolist() == ["a"]
    with pytest.raises(ValueError, match=r"Got False with \['t'\]"):
        from_parquet(path, as_frame=False)
    for wrong in ("yes", None, 1):
        with pytest.raises(
            ValueError, match="`as_frame` must be True, False or 'auto'"
        ):
            from_parquet(path, as_frame=wrong)


def test_missing_numbers_are_nan(tmp_path):
    path = write({"a": [1.0, None], "b": [None, 2.0]}, tmp_path / "x.parquet")
    np.testing.assert_array_equal(
        from_parquet(path).first(2), [[1, np.nan], [np.nan, 2]]
    )
    path = write({"a": [1, None, 3]}, tmp_path / "y.parquet", row_group_size=1)
    pool = from_parquet(path, batch_rows=1)
    # Also of chunks in which nothing is missing.
    assert [chunk.dtype for chunk in rows_of(pool)] == [np.float64] * 3


PRICES = [Decimal("1.50"), Decimal("2.25")]


@pytest.mark.parametrize(
    ("table", "container"),
    [
        ({"a": pa.array([1, 2], pa.int32()), "b": pa.array([3, 4], "i4")}, np.ndarray),
        ({"a": pa.array([1, 2], pa.uint8())}, np.ndarray),
        ({"a": [True, False], "b": [False, True]}, np.ndarray),
        ({"a": PRICES, "b": [Decimal("1.5"), Decimal("2.5")]}, np.ndarray),
        ({"a": [0.5, 1.5], "b": [1, 2]}, pd.DataFrame),
        ({"a": pa.array([1, 2], pa.int8()), "b": [1, 2]}, pd.DataFrame),
        ({"a": PRICES, "b": [1, 2]}, pd.DataFrame),
        ({"a": ["x", "y"], "b": [1, 2]}, pd.DataFrame),
    ],
    ids=["ints", "uints", "bools", "prices", "floats+", "sizes", "prices+", "texts+"],
)
def test_missing_values_do_not_decide_on_the_container(table, container, tmp_path):
    whole = pa.table(table)
    gaps = pa.table(
        [pa.array([None, column[1].as_py()], column.type) for column in whole.columns],
        whole.column_names,
    )
    write(whole, tmp_path / "0.parquet")
    was = from_parquet(tmp_path).first(1)
    write(gaps, tmp_path / "1.parquet")
    pool = from_parquet(tmp_path)
    assert {type(rows) for rows in (was, *rows_of(pool))} == {container}
    assert pd.isna(np.asarray(pool.take([2]))).all()
    assert not pd.isna(np.asarray(pool.take([0, 1, 3]))).any()
    np.testing.assert_array_equal(np.asarray(pool.first(1)), np.asarray(was))


@pytest.mark.parametrize("dtype", ["int64", "uint64"])
@pytest.mark.parametrize("as_frame", [True, False])
def test_large_integers_of_which_some_are_missing_are_rounded(
    dtype, as_frame, tmp_path
):
    values = [2**53 + 1, None, 2**60 + 1, 5, np.iinfo(dtype).max]
    column = pa.array(values, getattr(pa, dtype)())
    path = write({"a": column}, tmp_path / "x.parquet")
    found = np.asarray(from_parquet(path, as_frame=as_frame).take(slice(None)))
    expected = [np.nan if value is None else float(value) for value in values]
    np.testing.assert_array_equal(found[:, 0], expected)


def test_a_column_of_vectors_is_an_array(tmp_path):
    vectors = pa.FixedSizeListArray.from_arrays(pa.array(X.ravel()), 3)
    path = write({"v": vectors, "id": list(range(53))}, tmp_path / "x.parquet")
    pool = from_parquet(path, id_column="id", batch_rows=10)
    np.testing.assert_array_equal(np.concatenate(rows_of(pool)), X)
    np.testing.assert_array_equal(pool.take([50, 2]), X[[50, 2]])
    assert pool.ids([50, 2]).tolist() == [50, 2]


def test_an_index_of_pandas_is_no_column_for_a_model(tmp_path):
    frame = pd.DataFrame(X, columns=COLUMNS, index=[f"i{k}" for k in range(len(X))])
    frame.to_parquet(tmp_path / "x.parquet")
    pool = from_parquet(tmp_path / "x.parquet")
    np.testing.assert_array_equal(pool.take(slice(None)), X)


def test_taking_reads_only_the_row_groups_that_hold_the_rows(tmp_path, monkeypatch):
    read = []
    original = pq.ParquetFile.iter_batches

    def iter_batches(self, batch_size, row_groups, columns):
        read.append((list(row_groups), columns))
        return original(self, batch_size, row_groups, columns)

    path = write({"a": np.arange(100), "b": np.arange(100)}, tmp_path / "x.parquet")
    write({"a": np.arange(100), "b": np.arange(100)}, path, row_group_size=10)
    pool = from_parquet(path, columns=["a"], id_column="b", batch_rows=25)
    monkeypatch.setattr(pq.ParquetFile, "iter_batches", iter_batches)
    assert pool.take([99, 41, 45]).ravel().tolist() == [99, 41, 45]
    assert read == [([4], ["a"]), ([9], ["a"])]
    read.clear()
    assert pool.ids([41]).tolist() == [41]
    assert read == [([4], ["b"])]


def test_a_file_without_the_columns_is_named(tmp_path):
    write({"a": [1.0], "b": [1.0]}, tmp_path / "0.parquet")
    with pytest.raises(
        ValueError, match=r"0.parquet' lacks \['z'\]; it has \['a', 'b'"
    ):
        from_parquet(tmp_path, columns=["a", "z"])
    write({"a": [1.0]}, tmp_path / "1.parquet")
    with pytest.raises(ValueError, match=r"1.parquet' lacks \['b'\]"):
        from_parquet(tmp_path)
    assert len(from_parquet(tmp_path, columns=["a"])) == 2


def test_a_file_of_other_types_is_named(tmp_path):
    write({"a": [1.0]}, tmp_path / "0.parquet")
    write({"a": [1]}, tmp_path / "1.parquet")
    with pytest.raises(
        ValueError, match=r"'a' is int64 in '.*1.parquet' and double in '.*0.parquet'"
    ):
        from_parquet(tmp_path)


def test_files_without_rows_are_fine(tmp_path):
    empty = pa.table({"a": pa.array([], pa.float64())})
    write(empty, tmp_path / "0.parquet")
    assert len(from_parquet(tmp_path)) == 0
    write({"a": [1.0, 2.0]}, tmp_path / "1.parquet")
    write(empty, tmp_path / "2.parquet")
    pool = from_parquet(tmp_path)
    assert pool.take([1, 0]).tolist() == [[2.0], [1.0]]


@pytest.mark.parametrize("name", ["none.parquet", "*.parquet", "no/such/folder"])
def test_a_missing_file_is_named(name, tmp_path):
    with pytest.raises(FileNotFoundError, match="`source` must"):
        from_parquet(tmp_path / name)


@pytest.mark.parametrize("wrong", [3, None, []])
def test_other_sources_are_refused(wrong):
    with pytest.raises(TypeError, match="`source` must be a path"):
        from_parquet(wrong)


def test_a_filter_is_refused_rather_than_lost(tmp_path):
    dataset = ds.dataset(write({"a": [1.0, 2.0]}, tmp_path / "x.parquet"))
    with pytest.raises(ValueError, match="filtered or projected"):
        from_parquet(dataset.filter(ds.field("a") > 1))


@pytest.mark.parametrize("columns", [[], ["a", "a"]])
def test_columns_are_distinct(columns, tmp_path):
    path = write({"a": [1.0]}, tmp_path / "x.parquet")
    with pytest.raises(ValueError, match="`columns` must be one or more, distinct"):
        from_parquet(path, columns=columns)
    for wrong in ("a", 3):
        with pytest.raises(TypeError, match="`columns` must be a list"):
            from_parquet(path, columns=wrong)


def test_a_file_that_changes_between_passes_is_found_out(tmp_path):
    path = write({"a": [1.0, 2.0, 3.0]}, tmp_path / "x.parquet")
    pool = from_parquet(path)
    rows_of(pool)
    write({"a": [1.0, 2.5, 3.0]}, path)
    with pytest.raises(RuntimeError, match=r"rows 0 to 2, is not what it was"):
        rows_of(pool)
