"""Pools of Dask's collections."""

import pickle
import subprocess
import sys
import textwrap

import dask
import dask.array as da
import dask.bag as db
import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest

from skbadge.pools import ChunkedPool, as_pool, from_arrays, from_dask
from tests.pools._pools import frame_of, make_rows

X = make_rows()


@pytest.fixture(autouse=True)
def one_by_one():
    with dask.config.set(scheduler="synchronous"):
        yield


class Computed:
    """Counts how often each block is computed."""

    def __init__(self):
        self.blocks = []

    def __call__(self, block, block_info=None):
        self.blocks.append(block_info[0]["chunk-location"][0])
        return block


@pytest.mark.parametrize("shape", [(12,), (12, 4), (12, 2, 3)])
def test_arrays_have_any_axes_and_blocks(shape):
    whole = np.arange(np.prod(shape)).reshape(shape)
    pool = from_dask(da.from_array(whole, chunks=(5, *(2 for _ in shape[1:]))))
    np.testing.assert_array_equal(pool.take(slice(None)), whole)
    assert [len(chunk) for _, chunk in pool.chunks()] == [5, 5, 2]


def test_only_the_blocks_that_hold_the_rows_are_computed():
    computed = Computed()
    array = da.from_array(X, chunks=(10, 3)).map_blocks(
        computed, dtype=X.dtype, meta=X[:0]
    )
    pool = from_dask(array)
    np.testing.assert_array_equal(pool.first(3), X[:3])
    assert computed.blocks == [0]
    list(pool.partitions)
    computed.blocks.clear()
    np.testing.assert_array_equal(pool.take([45, 12, 44, 45]), X[[45, 12, 44, 45]])
    assert sorted(computed.blocks) == [1, 4]


def test_a_large_partition_is_read_in_chunks():
    pool = from_dask(da.zeros((70_000, 2), chunks=(70_000, 2)))
    found = [(start, len(chunk)) for start, chunk in pool.chunks()]
    assert found == [(0, 65_536), (65_536, 4_464)]


def test_a_partition_goes_to_another_process_without_the_others():
    array = da.from_array(make_rows(50_000), chunks=(100, 3))
    one = pickle.dumps(from_dask(array).partitions[7])
    assert len(one) < 20_000
    ((start, rows),) = pickle.loads(one).chunks()
    assert start == 700
    np.testing.assert_array_equal(rows, make_rows(50_000)[700:800])


def test_categories_are_the_same_in_all_chunks():
    frame = pd.DataFrame({"u": ["p", "p", "q", "r"], "v": [1, 2, 3, 4]})
    unknown = dd.from_pandas(frame, npartitions=2).astype({"u": "category"})
    pool = from_dask(unknown)
    categories = [list(chunk["u"].cat.categories) for _, chunk in pool.chunks()]
    assert categories == [["p", "q", "r"]] * 2
    assert pool.take([3, 0])["u"].dtype == pool.first(1)["u"].dtype


def test_partitions_without_rows_are_fine():
    frame = dd.from_pandas(frame_of(X), npartitions=5)
    pool = from_dask(frame[frame["name"] >= "row 45"], id_column="name")
    expected = frame_of(X)[frame_of(X)["name"] >= "row 45"]
    assert len(pool) == len(expected)
    assert pool.ids(slice(None)).tolist() == expected["name"].tolist()
    taken = pool.take([2, 0])
    assert taken["a"].tolist() == expected["a"].iloc[[2, 0]].tolist()
    assert len(from_dask(da.zeros((0, 3)))) == 0


def test_rows_that_differ_each_time_are_found_out():
    generator = np.random.default_rng(0)
    array = da.zeros((20, 2), chunks=(10, 2)).map_blocks(
        lambda block: generator.normal(size=block.shape), meta=np.empty((0, 2))
    )
    pool = from_dask(array)
    list(pool.chunks())
    with pytest.raises(RuntimeError, match=r"partition 0 .*rows 0 to 9, .*no random"):
        list(pool.chunks())


@pytest.mark.parametrize(
    "wrong", [X, db.from_sequence([1]), dask.delayed(X), da.zeros(())], ids=type
)
def test_other_collections_are_refused(wrong):
    with pytest.raises(TypeError, match="`collection` must"):
        from_dask(wrong)


def test_a_collection_is_taken_for_a_pool():
    assert isinstance(as_pool(da.from_array(X)), ChunkedPool)
    assert isinstance(as_pool(dd.from_pandas(frame_of(X))), ChunkedPool)
    with pytest.raises(TypeError, match="`collection` must"):
        as_pool(db.from_sequence([1]))
    pool = from_arrays(X)
    assert as_pool(pool) is pool
    assert as_pool(X) is X


def test_optional_packages_are_not_imported_to_find_out():
    code = """
        import sys
        import numpy as np
        from skbadge.pools import as_pool, from_arrays, from_chunks
        X = np.zeros((3, 2))
        assert as_pool(X) is X
        assert len(from_arrays(X)) == len(from_chunks([X])) == 3
        found = {"dask", "distributed", "pyarrow", "h5py"} & set(sys.modules)
        # scikit-learn looks for pyarrow where pandas is there.
        assert found <= {"pyarrow"}, found
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(code)], check=True)


@pytest.mark.parametrize(
    ("package", "call"),
    [
        ("dask", "pools.from_dask(None)"),
        ("pyarrow", "pools.from_parquet('x.parquet')"),
    ],
)
def test_a_missing_package_is_named_with_its_extra(package, call, monkeypatch):
    from skbadge import pools  # noqa: F401

    for name in [name for name in sys.modules if name.split(".")[0] == package]:
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setitem(sys.modules, package, None)
    extra = {"dask": "dask", "pyarrow": "arrow"}[package]
    with pytest.raises(ImportError, match=rf"skbadge\[{extra}\]"):
        eval(call)
