"""Temperatures and calibration errors."""

import numpy as np
import pytest
from scipy.special import softmax

from skbadge.utils._calibration import best_temperature, calibration_error, tempered


def test_tempered_probabilities_are_the_softmax_of_scaled_logits():
    logits = np.random.RandomState(0).normal(size=(50, 4)) * 3
    proba = softmax(logits, axis=1)
    for temperature in (0.1, 1.0, 2.5):
        expected = softmax(logits / temperature, axis=1)
        np.testing.assert_allclose(tempered(proba, temperature), expected, rtol=1e-10)


@pytest.mark.parametrize("temperature", [1e-3, 1e-308])
def test_a_low_temperature_leaves_finite_numbers(temperature):
    proba = np.array([[1 - 1e-9, 1e-9, 0], [1 / 3] * 3, [0.5, 0.5, 0]])
    expected = [[1, 0, 0], [1 / 3] * 3, [0.5, 0.5, 0]]
    np.testing.assert_allclose(tempered(proba, temperature), expected)


def test_probabilities_of_zero_stay_so():
    proba = tempered(np.array([[1.0, 0.0], [0.5, 0.5]], dtype=np.float32), 7.0)
    np.testing.assert_array_equal(proba, [[1, 0], [0.5, 0.5]])


def test_the_calibration_error_is_that_of_the_bins():
    confidence = np.array([0.91, 0.95, 0.99, 0.55, 0.52])
    is_right = np.array([True, False, True, True, False])
    # Of 15 bins, 0.52 is in the eighth, 0.55 in the ninth; 0.91 and 0.95 lie apart.
    bins = np.floor(confidence * 15)
    expected = sum(
        abs(np.mean(confidence[bins == b]) - np.mean(is_right[bins == b]))
        * np.mean(bins == b)
        for b in np.unique(bins)
    )
    assert calibration_error(confidence, is_right) == pytest.approx(expected)
    assert calibration_error(np.ones(3), np.ones(3, dtype=bool)) == 0


@pytest.mark.parametrize("temperature", [1.0, 3.0, 9.0])
def test_the_temperature_of_sharpened_probabilities_is_found(temperature):
    rng = np.random.RandomState(0)
    logits = rng.normal(size=(4000, 3)) * 1.5
    proba = softmax(logits, axis=1)
    codes = (rng.uniform(size=(4000, 1)) > proba.cumsum(axis=1)).sum(axis=1)
    found = best_temperature(softmax(temperature * logits, axis=1), codes)
    assert found == pytest.approx(temperature, rel=0.2)


def test_the_least_of_equal_temperatures_is_taken():
    # Always sure to be right, and always right.
    assert best_temperature(np.eye(3), np.arange(3)) == 1.0
    # Never right: the less sure the better.
    assert best_temperature(np.array([[0.9, 0.1]]), np.array([1])) == 19.9
