"""Triangular systems by the products of one library."""

import numpy as np
import pytest
from scipy.linalg import solve_triangular

from skbadge.utils._triangular import BLOCK, solve_lower


@pytest.mark.parametrize("size", [0, 1, BLOCK - 1, BLOCK, 2 * BLOCK + 5])
@pytest.mark.parametrize("order", ["C", "F"])
def test_the_solution_is_scipys(size, order):
    rng = np.random.default_rng(0)
    factor = np.tril(rng.normal(size=(size, size))) / 16 + np.eye(size)
    right = np.array(rng.normal(size=(size, 7)), order=order)
    expected = solve_triangular(factor, right, lower=True) if size else right.copy()
    solution = solve_lower(factor, right)
    assert solution is right
    np.testing.assert_allclose(solution, expected, rtol=1e-10, atol=1e-12)


def test_what_stands_above_the_diagonal_is_left_aside():
    rng = np.random.default_rng(1)
    factor = rng.normal(size=(200, 200)) / 16 + np.eye(200)
    right = rng.normal(size=(200, 2))
    np.testing.assert_array_equal(
        solve_lower(factor, right.copy()), solve_lower(np.tril(factor), right.copy())
    )
