"""A large symmetric matrix that changes by products of few columns."""

import numpy as np
import pytest

from skbadge.samplers._changing_matrix import ChangingMatrix


# More columns than may wait, as many, and few.
@pytest.mark.parametrize("n_columns", [1, 3, 10, 12, 40])
@pytest.mark.parametrize("size", [1, 3, 40])
def test_changes_count_whether_they_wait_or_not(size, n_columns):
    rng = np.random.default_rng(0)
    start = rng.normal(size=(size, size))
    start = start + start.T
    kept = start.copy()
    changing, expected = ChangingMatrix(kept), start.copy()
    for i in range(9):
        columns, sign = rng.normal(size=(size, n_columns)), (-1.0) ** (i // 2)
        changing.add(sign, columns)
        expected += sign * columns @ columns.T
        some = rng.normal(size=(size, 2))
        close = {"rtol": 1e-12, "atol": 1e-12 * n_columns * size}
        np.testing.assert_allclose(changing.times(some), expected @ some, **close)
        if i == 5:
            np.testing.assert_allclose(changing.settled(), expected, **close)
    assert changing.settled() is kept
    np.testing.assert_allclose(kept, expected, **close)
