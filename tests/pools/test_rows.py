"""Containers of rows: how many, and two of them put together."""

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import sparse

from skbadge.pools import concatenate_rows, is_table, n_rows

A = np.arange(6.0).reshape(3, 2)
B = np.arange(4.0).reshape(2, 2) + 10
BOTH = np.vstack([A, B])


def frame(X):
    return pd.DataFrame(X, columns=["u", "v"], index=np.arange(len(X)) + 100)


def dataset(X):
    return torch.utils.data.TensorDataset(torch.tensor(X))


def nested(X):
    return {"table": X, "image": torch.tensor(X)}


KINDS = {
    "array": (np.array, np.asarray),
    "list": (np.ndarray.tolist, np.asarray),
    "frame": (frame, np.asarray),
    "csr": (sparse.csr_matrix, lambda X: X.toarray()),
    "csc_array": (sparse.csc_array, lambda X: X.toarray()),
    "tensor": (torch.tensor, np.asarray),
    "dict": (nested, lambda X: X["table"]),
    "dataset": (dataset, lambda X: np.array([x[0].numpy() for x in X])),
}


@pytest.mark.parametrize("kind", KINDS)
def test_rows_are_counted_and_concatenated_in_order(kind):
    make, read = KINDS[kind]
    first, second = make(A), make(B)
    assert n_rows(first) == 3
    both = concatenate_rows(first, second)
    assert n_rows(both) == 5
    np.testing.assert_array_equal(read(both), BOTH)
    np.testing.assert_array_equal(read(first), A)
    np.testing.assert_array_equal(read(second), B)


def test_containers_keep_their_kind():
    both = concatenate_rows(frame(A), frame(B))
    assert list(both.columns) == ["u", "v"]
    assert list(both.index) == [100, 101, 102, 100, 101]
    assert sparse.issparse(concatenate_rows(sparse.csr_matrix(A), sparse.csc_matrix(B)))
    assert isinstance(concatenate_rows(torch.tensor(A), torch.tensor(B)), torch.Tensor)
    both = concatenate_rows(nested(A), nested(B))
    assert list(both) == ["table", "image"]
    np.testing.assert_array_equal(both["image"].numpy(), BOTH)
    assert isinstance(
        concatenate_rows(dataset(A), dataset(B)), torch.utils.data.Dataset
    )


def test_series_and_one_dimensional_arrays_are_rows_too():
    both = concatenate_rows(pd.Series(["a", "b"]), pd.Series(["c"]))
    assert list(both) == ["a", "b", "c"]
    assert list(concatenate_rows(np.array(["a"]), ["b", "c"])) == ["a", "b", "c"]


@pytest.mark.parametrize("second", [kind for kind in KINDS if kind != "list"])
@pytest.mark.parametrize("first", [kind for kind in KINDS if kind != "list"])
def test_mixed_kinds_are_refused_by_name(first, second):
    if first == second or {first, second} == {"csr", "csc_array"}:
        return
    with pytest.raises(
        TypeError, match=r"`X_new` must be of the same kind.*Got .* instead"
    ):
        concatenate_rows(KINDS[first][0](A), KINDS[second][0](B), "X_new")


def test_lists_and_arrays_are_one_kind():
    np.testing.assert_array_equal(concatenate_rows(A, B.tolist()), BOTH)


def test_dicts_must_have_the_same_keys_and_equal_numbers_of_rows():
    with pytest.raises(ValueError, match=r"`X` must have the keys \['a'\]"):
        concatenate_rows({"a": A}, {"b": B})
    with pytest.raises(ValueError, match="equal numbers of rows"):
        n_rows({"a": A, "b": B})
    with pytest.raises(
        TypeError, match=r"`X\['a'\]` must be of the same kind .* tensor"
    ):
        concatenate_rows({"a": torch.tensor(A)}, {"a": B})


@pytest.mark.parametrize("kind", KINDS)
def test_tables_are_what_check_array_takes(kind):
    assert is_table(KINDS[kind][0](A)) == (kind not in ("tensor", "dict", "dataset"))
