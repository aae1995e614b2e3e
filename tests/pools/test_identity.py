"""Identities of rows: by contents, whatever holds them and wherever they stand."""

from decimal import Decimal
from io import StringIO

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import sparse

from skbadge.pools import Inputs, row_ids, rows_among

try:
    import polars as pl
except ImportError:
    pl = None

X = np.array([[0.0, 1.5], [2.0, 0.0], [0.0, 1.5], [-0.0, 1.5], [3.0, 4.0]])


class Rows(torch.utils.data.Dataset):
    """Rows with a dummy target."""

    def __len__(self):
        return len(X)

    def __getitem__(self, index):
        return torch.from_numpy(X[index]), 0


CONTAINERS = {
    "array": X,
    "float32": X.astype(np.float32),
    "list": X.tolist(),
    "sparse": sparse.csr_matrix(X),
    "tensor": torch.from_numpy(X),
    "frame": pd.DataFrame(X, columns=["a", "b"]),
    "dict": {"a": X[:, 0], "b": X[:, 1]},
    "dataset": Rows(),
    "strings": pd.DataFrame({"a": ["x", "y", "x", "x", None], "b": [1, 2, 1, 1, 5]}),
    "images": X.reshape(5, 1, 2, 1),
    "inputs": Inputs([X[:, :1], torch.from_numpy(X[:, 1:])]),
    "tokens": [["a", "b"], ["c"], ["a", "b"], ["a", "b"], []],
    "series": pd.Series(["x", "y", "x", "x", "z"], index=[3, 3, 1, 0, 2]),
}
if pl is not None:
    CONTAINERS["polars"] = pl.DataFrame(X, schema=["a", "b"])
    CONTAINERS["polars series"] = pl.Series(["x", "y", "x", "x", None])


@pytest.mark.parametrize("kind", CONTAINERS)
def test_rows_have_one_identity_exactly_if_they_are_equal(kind):
    ids = row_ids(CONTAINERS[kind])
    assert len(ids) == 5
    assert ids[0] == ids[2] == ids[3]
    assert len(set(ids)) == 3


@pytest.mark.parametrize("kind", CONTAINERS)
def test_identity_does_not_depend_on_position(kind):
    rows = np.array([4, 1])
    ids = row_ids(CONTAINERS[kind])
    assert row_ids(CONTAINERS[kind], rows) == [ids[4], ids[1]]


TEXTS = pd.DataFrame({"town": pd.Series(["u", None, "v"], dtype=object)})


def from_csv(**how):
    return pd.read_csv(StringIO("town,x\nu,1\n,2\nv,3\n"), usecols=["town"], **how)


READ = {
    "NaN": TEXTS.fillna(np.nan),
    "NA": TEXTS.fillna(pd.NA),
    "NaT": TEXTS.fillna(pd.NaT),
    "where": from_csv().astype(object).where(TEXTS.notna(), None),
    "category": TEXTS.astype("category"),
    "category of NA": from_csv(dtype_backend="pyarrow").astype("category"),
    "csv": from_csv(),
    "csv numpy_nullable": from_csv(dtype_backend="numpy_nullable"),
    "csv pyarrow": from_csv(dtype_backend="pyarrow"),
    "string python": TEXTS.astype(pd.StringDtype("python")),
    "string pyarrow": TEXTS.astype(pd.StringDtype("pyarrow")),
    "str": TEXTS.astype("str").where(TEXTS.notna()),
}
if pl is not None:
    READ["polars"] = pl.DataFrame({"town": ["u", None, "v"]})
    READ["polars category"] = READ["polars"].cast(pl.Categorical)


@pytest.mark.parametrize("kind", READ)
def test_a_missing_text_is_one_thing_however_a_table_was_read(kind):
    # That of NaN, which digests that were kept have.
    ids = ["2811c27834e0c2a1", "e3f0bf10b8cc4488", "3bd99dcd3a3e7614"]
    assert row_ids(READ[kind]) == row_ids(TEXTS) == ids
    assert rows_among(READ[kind], TEXTS).all()
    assert rows_among(TEXTS, READ[kind].to_numpy()).all()


@pytest.mark.parametrize("missing", [None, pd.NA, pd.NaT, Decimal("NaN")], ids=repr)
def test_a_missing_entry_is_one_thing_in_arrays_and_lists(missing):
    rows = [["u", missing], [missing, "v"]]
    known = row_ids(np.array([["u", np.nan], [np.nan, "v"]], dtype=object))
    assert row_ids(np.array(rows, dtype=object)) == row_ids(rows) == known
    # An entry that is an array is there, whatever is in it.
    entries = np.empty(3, dtype=object)
    entries[:] = [np.array([np.nan]), np.array([1.0, np.nan]), missing]
    assert len(set(row_ids(entries))) == 3


GAPS = [
    "float64", "boolean", "Int8", "UInt64", "Float32", "bool[pyarrow]",
    "int8[pyarrow]", "uint64[pyarrow]", "float[pyarrow]", "polars", "polars Boolean",
]  # fmt: skip


@pytest.mark.parametrize("dtype", GAPS)
def test_a_missing_number_is_nan_whatever_its_dtype(dtype):
    known = pd.DataFrame({"a": [1.0, np.nan, 0.0]})
    if "polars" in dtype:
        pl = pytest.importorskip("polars")
        frame = pl.DataFrame({"a": [1, None, 0]})
        frame = frame.cast(pl.Boolean) if "Boolean" in dtype else frame
    else:
        if "pyarrow" in dtype:
            pytest.importorskip("pyarrow")
        frame = pd.DataFrame({"a": pd.array([1.0, None, 0.0], dtype=dtype)})
    assert row_ids(frame) == row_ids(known)
    assert rows_among(frame, known).all()


def test_dtype_and_container_of_a_table_do_not_matter():
    kinds = ["array", "float32", "list", "sparse", "tensor"]
    assert len({tuple(row_ids(CONTAINERS[kind])) for kind in kinds}) == 1


def test_frames_of_pandas_and_polars_give_the_same():
    pytest.importorskip("polars")
    assert row_ids(CONTAINERS["polars"]) == row_ids(CONTAINERS["frame"])


def test_a_tensor_is_not_rounded():
    near = torch.tensor([[1.0], [1.0 + 1e-12]], dtype=torch.float64)
    assert len(set(row_ids(near))) == 2
    assert row_ids(near) == row_ids(near.numpy())
    half = torch.tensor([[1.5], [2.0]], dtype=torch.bfloat16)
    assert row_ids(half) == row_ids(half.float())


def test_wide_sparse_rows_are_made_dense_a_few_at_a_time():
    matrix = sparse.csr_matrix(np.eye(3, 2**21))
    assert len(set(row_ids(matrix))) == 3
    assert row_ids(matrix, np.array([2])) == row_ids(matrix)[2:]
