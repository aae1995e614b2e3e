"""Drawing by weight and ranking by score."""

import numpy as np
import pytest
from scipy.stats import chisquare

from skbadge.utils._ranking import draw_weighted, top_rows


class FixedUniforms:
    """Stands in for a RandomState whose next uniforms are known."""

    def __init__(self, value):
        self.value = value

    def random_sample(self, size):
        return np.full(size, self.value)


LARGEST_UNIFORM = np.nextafter(1.0, 0.0)


@pytest.mark.parametrize("uniform", [0.0, 1e-300, 0.5, LARGEST_UNIFORM])
@pytest.mark.parametrize(
    "weights",
    [
        [0.0, 0.0, 1.0, 0.0, 2.0, 0.0, 0.0],
        [0.0, 1.0],
        [1.0, 0.0],
        [3.0],
        [0.0, 5e-324, 0.0],
        [0.0, 1e300, 0.0, 1e300, 0.0],
    ],
)
def test_rows_of_weight_zero_are_never_drawn(weights, uniform):
    weights = np.array(weights)
    rows = draw_weighted(np.cumsum(weights), 4, FixedUniforms(uniform))
    assert rows.dtype == np.int64
    assert (weights[rows] > 0).all()


def test_a_product_that_rounds_up_to_the_total_gives_the_last_positive_row():
    # Subnormal: the product has no digits between the total and zero to round to.
    total = np.cumsum([0.0, 5e-324, 0.0])
    assert LARGEST_UNIFORM * total[-1] == total[-1]
    np.testing.assert_array_equal(
        draw_weighted(total, 2, FixedUniforms(LARGEST_UNIFORM)), [1, 1]
    )


def test_draws_follow_the_weights():
    weights = np.array([1.0, 0.0, 5.0, 2.0, 0.0, 0.5])
    rows = draw_weighted(np.cumsum(weights), 50_000, np.random.RandomState(0))
    counts = np.bincount(rows, minlength=6)
    assert counts[weights == 0].sum() == 0
    expected = 50_000 * weights / weights.sum()
    positive = weights > 0
    assert chisquare(counts[positive], expected[positive]).pvalue > 1e-4


def test_zero_draws_are_an_empty_array():
    rows = draw_weighted(np.ones(3).cumsum(), 0, np.random.RandomState(0))
    assert rows.shape == (0,)


def test_top_rows_come_best_first():
    scores = np.random.RandomState(0).normal(size=200)
    for n in (0, 1, 7, 199, 200):
        rows = top_rows(scores, n, np.random.RandomState(1))
        assert rows.dtype == np.int64
        np.testing.assert_array_equal(rows, np.argsort(-scores)[:n])


def test_ties_at_the_border_and_above_it_fall_at_random():
    # Rows 1 and 4 tie above the border, 0, 2 and 5 on it.
    scores = np.array([1.0, 2.0, 1.0, 0.0, 2.0, 1.0, -1.0])
    rng = np.random.RandomState(0)
    draws = np.array([top_rows(scores, 4, rng) for _ in range(6000)])
    assert set(draws[:, :2].ravel()) == {1, 4}
    firsts = np.bincount(draws[:, 0], minlength=7)[[1, 4]]
    assert chisquare(firsts).pvalue > 1e-4
    pairs, counts = np.unique(draws[:, 2:], axis=0, return_counts=True)
    assert {tuple(pair) for pair in pairs.tolist()} == {
        (a, b) for a in (0, 2, 5) for b in (0, 2, 5) if a != b
    }
    assert chisquare(counts).pvalue > 1e-4


def test_top_rows_of_equal_scores_are_a_random_permutation():
    rows = top_rows(np.zeros(50), 50, np.random.RandomState(0))
    np.testing.assert_array_equal(np.sort(rows), np.arange(50))
    assert (rows != np.arange(50)).any()


def test_zero_and_minus_zero_tie():
    scores = np.array([0.0, -0.0, -1.0])
    firsts = {int(top_rows(scores, 1, np.random.RandomState(i))[0]) for i in range(40)}
    assert firsts == {0, 1}
