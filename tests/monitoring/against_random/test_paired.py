"""Tests and intervals for two models that are judged by the same rows."""

import numpy as np
import pytest
from scipy import optimize, stats

from skbadge.monitoring.against_random._paired import (
    mcnemar_test,
    sign_flip_test,
    tango_interval,
)

COUNTS = [(9, 3, 50), (0, 0, 40), (5, 0, 44), (0, 5, 44), (44, 0, 44), (30, 30, 100)]


@pytest.mark.parametrize(("won", "lost", "n"), COUNTS)
def test_the_interval_holds_what_the_score_test_does_not_refuse(won, lost, n):
    """Its ends by another way: the likelihood maximised numerically."""

    def score(difference):
        def minus_log_likelihood(share):
            chances = np.array([share + difference, share, 1 - 2 * share - difference])
            return -np.sum([won, lost, n - won - lost] * np.log(np.fmax(chances, 1e-9)))

        ends = max(0, -difference), (1 - difference) / 2
        found = optimize.minimize_scalar(
            minus_log_likelihood, bounds=ends, method="bounded", options={"xatol": 1e-9}
        )
        variance = n * (2 * found.x + difference * (1 - difference))
        return (won - lost - n * difference) / np.sqrt(variance)

    low, high = tango_interval(won, lost, n, 0.05)
    z = stats.norm.ppf(0.975)
    assert score(low) == pytest.approx(z, abs=2e-3)
    if high < 1:
        assert score(high) == pytest.approx(-z, abs=2e-3)
    assert tango_interval(lost, won, n, 0.05) == pytest.approx((-high, -low))


@pytest.mark.parametrize("chances", [(0.05, 0.05), (0.1, 0.04), (0.02, 0)])
def test_the_interval_covers(chances):
    rng = np.random.default_rng(0)
    rest = 1 - sum(chances)
    held = []
    for won, lost, _ in rng.multinomial(80, [*chances, rest], 1000).tolist():
        low, high = tango_interval(won, lost, 80, 0.05)
        held.append(low <= chances[0] - chances[1] <= high)
    assert np.mean(held) > 0.95 - 3 * np.sqrt(0.05 * 0.95 / 1000)


def test_the_test_of_classes_is_exact():
    assert mcnemar_test(0, 0) == 1
    assert mcnemar_test(8, 1) == pytest.approx(20 / 2**9)
    assert mcnemar_test(1, 8) == mcnemar_test(8, 1)


def test_the_test_of_numbers_is_that_of_all_signs():
    differences = np.array([3.0, 1, 2, -1, 5, 4, 2, -2, 3, 1])
    signs = np.array(np.meshgrid(*[[-1, 1]] * 10)).reshape(10, -1)
    sums = np.abs(differences @ signs)
    exact = np.mean(sums >= abs(differences.sum()) - 1e-9)
    found = sign_flip_test(differences, np.random.default_rng(0))
    assert found == pytest.approx(exact, abs=4 * np.sqrt(exact / 9999))
    assert sign_flip_test(np.zeros(5), np.random.default_rng(0)) == 1


def test_the_test_of_numbers_is_valid_beyond_its_flips():
    sizes = np.random.default_rng(1).uniform(0.8, 1.2, size=12)
    signs = np.array(np.meshgrid(*[[-1, 1]] * 12)).reshape(12, -1).T
    rng = np.random.default_rng(0)
    p_values = np.array([sign_flip_test(sizes * each, rng, 9) for each in signs])
    # Nine flips say 0.1 at the least.
    assert p_values.min() < 0.01
    for alpha in (0.01, 0.05, 0.09):
        assert np.mean(p_values <= alpha) <= alpha
    assert np.mean(p_values <= 0.1) == pytest.approx(0.1, abs=0.02)


def test_a_clear_case_is_clear_at_any_level():
    differences = np.full(400, 0.1)
    found = sign_flip_test(differences, np.random.default_rng(0))
    assert 0 < found <= 1e-80
