"""Drawing by weight and ranking by score."""

import numpy as np
import pytest
from scipy.stats import chisquare

from skbadge.samplers import Feasible
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


@pytest.mark.parametrize(("dtype", "n_tied"), [(np.float64, 2), (np.float32, 3)])
def test_scores_equal_to_within_rounding_tie(dtype, n_tied):
    scores = np.array([0.3, 0.1 + 0.2, 0.3 + 1e-7, 0.1])
    orders = {
        tuple(top_rows(scores, 3, np.random.RandomState(seed), dtype=dtype).tolist())
        for seed in range(60)
    }
    if n_tied == 2:
        assert orders == {(2, 0, 1), (2, 1, 0)}
    else:
        assert len(orders) == 6


@pytest.mark.parametrize("seed", range(20))
def test_top_rows_keep_to_what_may_be_picked(seed):
    rng = np.random.RandomState(seed)
    scores = rng.randint(6, size=40) / 3.0
    groups = rng.randint(12, size=40) if seed % 2 else None
    feasible = Feasible(40, rng.uniform(size=40) < 0.6, groups, 2, [0, 5])
    open_rows = feasible.open()
    rows = top_rows(scores, feasible.n_left - 3, rng, open_rows=open_rows)
    assert (np.diff(scores[rows]) <= 0).all()
    assert not open_rows.mask[rows].any()
    # What is left over is no better than what was picked when it could have been.
    again = feasible.open()
    for row in rows:
        assert again.mask[row]
        assert scores[row] >= scores[again.mask].max()
        again.close(row)


def test_top_rows_of_quotas_tie_at_random():
    feasible = Feasible(4, groups=np.array([0, 0, 1, 1]))
    rng = np.random.RandomState(0)
    pairs, counts = np.unique(
        [top_rows(np.ones(4), 2, rng, open_rows=feasible.open()) for _ in range(3000)],
        axis=0,
        return_counts=True,
    )
    assert len(pairs) == 8
    assert (pairs // 2).sum(axis=1).tolist() == [1] * 8
    assert chisquare(counts).pvalue > 1e-4
