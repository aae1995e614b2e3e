"""What tells a data set from what it has become."""

from copy import deepcopy

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from skbadge.experiment.benchmark._data import read_data


def make_frame(**types):
    return pd.DataFrame({"a": [0, 1, 2, 3], "b": [3, 1, 0, 2]}).astype(types)


NUMBERS = np.array([[0, 1], [1, 0], [2, 3], [3, 2]])
TARGETS = np.array([0, 1, 0, 1])


@pytest.mark.parametrize(
    ("X", "changed"),
    [
        (NUMBERS, NUMBERS[:, ::-1]),
        (NUMBERS, NUMBERS.astype(np.float32)),
        (NUMBERS.astype(np.float64), NUMBERS.astype(np.float32)),
        (NUMBERS, NUMBERS[:, :, None]),
        (NUMBERS, sparse.csr_matrix(NUMBERS)),
        (sparse.csr_matrix(NUMBERS), sparse.csr_matrix(NUMBERS[:, ::-1])),
        (sparse.csr_matrix(NUMBERS), sparse.csr_matrix(NUMBERS.astype(np.float32))),
        (make_frame(), make_frame()[["b", "a"]]),
        (make_frame(), make_frame().rename(columns={"a": "c"})),
        (make_frame(), make_frame(a="float64")),
        (make_frame(), make_frame(a="category")),
        (make_frame(), make_frame().to_numpy()),
        ({"a": NUMBERS}, {"b": NUMBERS}),
        ({"a": NUMBERS}, {"a": NUMBERS.astype(np.int8)}),
    ],
)
def test_a_digest_knows_data_by_content_dtype_and_container(X, changed):
    def digest(X, y=TARGETS):
        return read_data(lambda: (X, y), "data").digest

    assert digest(X) == digest(deepcopy(X))
    assert digest(X) != digest(changed)
    assert digest(X) != digest(X, TARGETS.astype(float))
    assert digest(X) != digest(X, TARGETS[::-1])


def test_a_digest_does_not_depend_on_how_things_lie_in_memory():
    def digest(X):
        return read_data(lambda: (X, TARGETS), "data").digest

    assert digest(NUMBERS) == digest(np.asfortranarray(NUMBERS))
    matrix = sparse.csr_matrix(NUMBERS)
    assert digest(matrix) == digest(matrix.tocsc())
    assert digest(make_frame()) == digest(
        make_frame().set_index(pd.Index([4, 3, 2, 1]))
    )
    # pandas has several dtypes for text.
    assert digest(make_frame(a=str)) == digest(make_frame(a=str).astype({"a": object}))
