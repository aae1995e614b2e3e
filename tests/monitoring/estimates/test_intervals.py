"""Intervals, by enumeration, one term after the other, and against scipy's."""

import numpy as np
import pytest
from scipy import stats

from skbadge.monitoring.estimates._intervals import (
    bernstein_interval,
    exact_interval,
    normal_interval,
    t_interval,
)


@pytest.mark.parametrize("n", [1, 7, 100])
@pytest.mark.parametrize("alpha", [0.05, 0.4])
def test_without_an_end_it_is_that_of_clopper_and_pearson(n, alpha):
    for n_hits in range(n + 1):
        expected = stats.binomtest(n_hits, n).proportion_ci(1 - alpha, method="exact")
        found = exact_interval(n_hits, n, None, alpha)
        assert found == pytest.approx((expected.low, expected.high), abs=1e-12)


@pytest.mark.parametrize(("n", "n_pool"), [(1, 2), (3, 9), (8, 30), (29, 30), (12, 12)])
@pytest.mark.parametrize("alpha", [0.02, 0.1, 0.5])
def test_of_a_pool_it_covers_each_share_and_each_end_is_the_nearest(n, n_pool, alpha):
    hits = np.arange(n + 1)
    for n_in_pool in range(n_pool + 1):
        chances = stats.hypergeom.pmf(hits, n_pool, n_in_pool, n)
        possible = hits[chances > 0]
        ends = np.array([exact_interval(k, n, n_pool, alpha) for k in possible])
        low, high = np.round(ends * n_pool).astype(int).T
        # Both sides, each with half of the doubt.
        below = chances[possible][high < n_in_pool].sum()
        above = chances[possible][low > n_in_pool].sum()
        assert below <= alpha / 2 + 1e-12
        assert above <= alpha / 2 + 1e-12
        for k, most, least in zip(possible, high, low, strict=True):
            # Any share that is left out is as unlikely as was asked for.
            as_few = stats.hypergeom.cdf(k, n_pool, n_in_pool, n)
            as_many = stats.hypergeom.sf(k - 1, n_pool, n_in_pool, n)
            assert (n_in_pool > most) == (as_few <= alpha / 2 and n_in_pool > k)
            assert (n_in_pool < least) == (as_many <= alpha / 2 and n_in_pool >= k)


def test_of_very_large_pools_it_is_that_without_an_end():
    expected = exact_interval(4, 60, None, 0.05)
    assert exact_interval(4, 60, 10**7, 0.05) == pytest.approx(expected, rel=1e-3)
    assert exact_interval(4, 60, 300, 0.05)[1] < expected[1]
    # In no time, as it is the same then.
    assert exact_interval(4, 60, 10**15, 0.05) == expected


@pytest.mark.parametrize("n", [1, 5, 60])
@pytest.mark.parametrize("alpha", [0.05, 0.7])
def test_bernsteins_is_that_of_its_paper_term_by_term(n, alpha):
    terms = np.random.default_rng(n).beta(0.5, 3, n)
    doubt, bets = np.log(2 / alpha), np.linspace(0.01, 0.99, 99)
    costs = (-np.log(1 - bets) - bets) / 4
    total, squares, staked, won, paid = 1 / n, 1 / n, 0.0, 0.0, 0.0
    for i, term in enumerate(terms):
        # The bet knows the terms before it only.
        mean, variance = total / (i + 1), squares / (i + 1)
        best = np.argmin((doubt / n + 4 * variance * costs) / bets)
        staked += bets[best]
        won += bets[best] * term
        paid += 4 * (term - mean) ** 2 * costs[best]
        total += term
        squares += (term - mean) ** 2
    center, radius = won / staked, (doubt + paid) / staked
    found = bernstein_interval(terms, alpha)
    assert found == pytest.approx((center - radius, center + radius))


def test_those_around_a_mean_are_scipys():
    terms = np.random.default_rng(0).normal(size=7)
    error = stats.sem(terms)
    expected = stats.norm.interval(0.9, terms.mean(), error)
    assert normal_interval(terms, 0.1) == pytest.approx(expected)
    expected = stats.t.interval(0.9, 6, terms.mean(), error)
    assert t_interval(terms, 0.1) == pytest.approx(expected)
    for interval in (normal_interval, t_interval):
        assert interval(terms[:1], 0.1) == (-np.inf, np.inf)
