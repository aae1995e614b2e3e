"""Several inputs of a net: told from lists of rows, mapped over, listed by name."""

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import sparse

from skbadge.pools import (
    Inputs,
    frame_to_array,
    kind_of,
    map_parts,
    named_parts,
    not_numeric,
    parts_of,
    read_inputs,
    row_nbytes,
)

A, B = np.ones((4, 2)), np.zeros((4, 3))


@pytest.mark.parametrize(
    "X",
    [
        [A, B],
        (A, B),
        [A],
        [A, torch.zeros(4, 1, 3)],
        [sparse.csr_array(A), pd.DataFrame(B)],
    ],
)
def test_arrays_of_two_axes_and_equal_lengths_are_inputs(X):
    read = read_inputs(X)
    assert type(read) is Inputs
    assert all(mine is theirs for mine, theirs in zip(read, X, strict=True))
    assert read_inputs(read) is read
    assert type(read_inputs({"a": X})["a"]) is Inputs


@pytest.mark.parametrize(
    "X",
    [
        [],
        [[1, 2], [3, 4]],
        [A[0], A[1]],
        [A, B[:2]],
        [A, [[1, 2]] * 4],
        ["a", "b"],
        [["a"], ["b", "c"]],
        A,
        None,
    ],
    ids=str,
)
def test_everything_else_is_rows(X):
    assert read_inputs(X) is X


def test_parts_keep_their_structure():
    X = {"a": A, "b": (A, [B])}
    shapes = map_parts(np.shape, X)
    assert shapes == {"a": (4, 2), "b": ((4, 2), [(4, 3)])}
    assert type(map_parts(np.shape, Inputs([A]))) is Inputs
    assert [part.shape for part in parts_of(X)] == [(4, 2), (4, 2), (4, 3)]
    assert row_nbytes(X) == 8 * (2 + 2 + 3)
    assert map_parts(np.shape, A) == (4, 2)


def test_parts_have_names_for_errors():
    X = {"a": A, "b": Inputs([A, B]), "c": [1, 2]}
    names = [name for name, _ in named_parts(X, "X")]
    assert names == ["X['a']", "X['b'][0]", "X['b'][1]", "X['c']"]


def test_frames_as_arrays():
    frame = pd.DataFrame({"a": [1, 2], "b": [0.5, 1]})
    assert frame_to_array(frame).tolist() == [[1, 0.5], [2, 1]]
    assert frame_to_array(frame[["a"]].assign(c=True)).dtype == np.int64
    assert np.isnan(frame_to_array(pd.Series([1, None], dtype="Int64"))[1])
    assert not_numeric(frame.assign(c="x", d=pd.Categorical([1, 2]))) == ["c", "d"]
    column = frame[["b"]]
    assert np.shares_memory(frame_to_array(column), frame_to_array(column))


def test_kinds():
    assert kind_of(sparse.dok_matrix(A)) == "sparse"
    assert kind_of(range(3)) == "array"
    assert kind_of(pd.Series([1])) == "pandas"
