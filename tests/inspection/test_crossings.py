"""Isotonic regressions against scikit-learn's, and crossings against a fine grid."""

import numpy as np
import pytest
from sklearn.isotonic import isotonic_regression

from skbadge.inspection import _crossings
from skbadge.inspection._crossings import isotonic, labels_at_score


@pytest.mark.parametrize("n", [1, 2, 3, 21])
def test_isotonic_regressions_are_those_of_scikit_learn(n):
    rng = np.random.RandomState(0)
    curves = rng.normal(size=(2, 30, n)) + np.linspace(0, 2, n)
    curves[0, :10] = np.round(curves[0, :10])  # ties
    expected = np.apply_along_axis(isotonic_regression, -1, curves)
    np.testing.assert_allclose(isotonic(curves), expected, atol=1e-13)


def test_one_huge_error_takes_no_digits_of_the_other_scores():
    curves = np.array([[-1e20, -0.5, -0.4, -0.3], [-0.5, -0.4, -0.3, -1e20]])
    expected = np.apply_along_axis(isotonic_regression, -1, curves)
    np.testing.assert_allclose(isotonic(curves), expected, rtol=1e-12)


def test_many_curves_in_parts_are_the_same(monkeypatch):
    curves = np.random.RandomState(0).normal(size=(50, 7))
    whole = isotonic(curves)
    monkeypatch.setattr(_crossings, "_MAX_NUMBERS", 100)
    np.testing.assert_array_equal(isotonic(curves), whole)
    assert isotonic(curves[:0]).shape == (0, 7)


def test_crossings_are_where_the_interpolated_curve_first_is_at_the_score():
    rng = np.random.RandomState(0)
    n_labeled = np.array([10, 20, 40, 50, 80])
    curves = np.cumsum(rng.uniform(size=(40, 5)), axis=1)
    scores = rng.uniform(curves[:, 0], curves[:, -1])
    low, high = labels_at_score(n_labeled, curves, scores)
    np.testing.assert_array_equal(low, high)
    grid = np.linspace(10, 80, 70_001)
    for curve, score, labels in zip(curves, scores, low, strict=True):
        first = grid[np.argmax(np.interp(grid, n_labeled, curve) >= score)]
        assert labels == pytest.approx(first, abs=2e-3)


def test_curves_that_are_there_at_once_or_never_have_bounds():
    low, high = labels_at_score(
        np.array([10, 20]), np.array([[0.5, 0.6]] * 3), np.array([0.5, 0.55, 0.61])
    )
    assert low.tolist() == [-np.inf, pytest.approx(15), 20]
    assert high.tolist() == [10, pytest.approx(15), np.inf]
