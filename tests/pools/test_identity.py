"""Identities of rows: by contents, whatever holds them and wherever they stand."""

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import sparse

from skbadge.pools import Inputs, row_ids

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
