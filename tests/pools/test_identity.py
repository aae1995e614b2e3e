"""Identities of rows: by contents, whatever holds them and wherever they stand."""

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import sparse

from skbadge.pools import row_ids

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
}


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
