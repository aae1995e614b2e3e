"""CLUE: rows near the centres of clusters weighted by entropy."""

import numpy as np
import pytest
from scipy.special import entr, softmax

from skbadge.outputs import Outputs
from skbadge.samplers import Feasible
from skbadge.strategies import Clue
from skbadge.strategies._representatives import representatives

RNG = np.random.RandomState(0)
LOGITS = 3 * RNG.normal(size=(300, 4))
FEATURES = RNG.normal(size=(300, 5))


@pytest.mark.parametrize("temperature", [1.0, 0.1, 5.0])
def test_rows_are_those_of_clusters_weighted_by_entropy(temperature):
    proba = softmax(LOGITS / temperature, axis=1)
    weights = entr(proba).sum(axis=1)
    feasible = Feasible(300, pending=[3, 4])
    selection = Clue(temperature).run(
        Outputs(softmax(LOGITS, axis=1), FEATURES),
        12,
        feasible=feasible,
        random_state=0,
    )
    expected = representatives(
        FEATURES, 12, feasible, np.random.RandomState(0), weights=weights
    )
    np.testing.assert_array_equal(selection.rows, expected)
    np.testing.assert_allclose(selection.values, weights[expected])
    assert selection.value_name == "entropy"


def test_certain_rows_have_no_part():
    proba = softmax(LOGITS, axis=1)
    proba[100:] = [1, 0, 0, 0]
    features = FEATURES.copy()
    features[100:] += 100
    rows = Clue().select(Outputs(proba, features), 10, random_state=0)
    assert (rows < 100).all()


def test_where_all_are_certain_rows_count_alike():
    proba = np.tile([1.0, 0.0], (300, 1))
    rows = Clue().select(Outputs(proba, FEATURES), 10, random_state=0)
    expected = representatives(FEATURES, 10, Feasible(300), np.random.RandomState(0))
    np.testing.assert_array_equal(rows, expected)


def test_more_rows_than_are_uncertain_are_found_all_the_same():
    proba = np.tile([1.0, 0.0], (300, 1))
    proba[:3] = 0.5
    rows = Clue().select(Outputs(proba, FEATURES), 10, random_state=0)
    assert {0, 1, 2} < set(rows)
