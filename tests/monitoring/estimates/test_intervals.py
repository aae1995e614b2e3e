"""Exact intervals for shares, by enumeration and against scipy's."""

import numpy as np
import pytest
from scipy import stats

from skbadge.monitoring.estimates._intervals import exact_interval


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
