"""FALCUN: the exact law of its draws."""

from functools import cache
from itertools import permutations

import numpy as np
import pytest
from scipy.stats import chisquare

from skbadge.exceptions import QueryWarning
from skbadge.outputs import Outputs
from skbadge.samplers import Feasible
from skbadge.strategies import Falcun

PROBA = np.array(
    [
        [0.5, 0.3, 0.2],
        [0.5, 0.3, 0.2],
        [0.1, 0.6, 0.3],
        [0.9, 0.1, 0.0],
        [0.05, 0.4, 0.55],
    ]
)


def margin_gap(proba):
    ordered = np.sort(proba, axis=1)
    return 1 - (ordered[:, -1] - ordered[:, -2])


def rescaled(dists):
    spread = dists.max() - dists.min()
    return (dists - dists.min()) / spread if spread else 0 * dists


def law(sequence, gamma, pending=(), keep_rescaled=False):
    """Probability of an ordered selection."""
    uncertainty = margin_gap(PROBA)
    dists, left, result = uncertainty.copy(), list(range(len(PROBA))), 1.0
    for row in pending:
        left.remove(row)
        dists = np.minimum(dists, np.abs(PROBA - PROBA[row]).sum(axis=1))
    for row in sequence:
        weights = (uncertainty[left] + rescaled(dists[left])) ** gamma
        result *= weights[left.index(row)] / weights.sum()
        left.remove(row)
        if keep_rescaled:
            dists = rescaled(dists)
        dists = np.minimum(dists, np.abs(PROBA - PROBA[row]).sum(axis=1))
    return result


@cache
def counts(gamma, n, pending=()):
    result, feasible = {}, Feasible(len(PROBA), pending=pending)
    for seed in range(2500):
        rows = Falcun(gamma).select(
            Outputs(PROBA), n, feasible=feasible, random_state=seed
        )
        result[tuple(rows.tolist())] = result.get(tuple(rows.tolist()), 0) + 1
    return result


def p_value(observed, expected):
    keys = list(expected)
    total = sum(observed.values())
    assert set(observed) <= set(keys)
    assert sum(expected.values()) == pytest.approx(1)
    return chisquare(
        [observed.get(key, 0) for key in keys],
        [total * expected[key] for key in keys],
    ).pvalue


@pytest.mark.parametrize("gamma", [0.0, 3.0])
def test_ordered_selections_have_their_law(gamma):
    observed = counts(gamma, 3)
    expected = {each: law(each, gamma) for each in permutations(range(5), 3)}
    assert p_value(observed, expected) > 1e-6


def test_the_law_tells_distances_kept_from_those_rescaled_in_place():
    observed = counts(3.0, 3)
    other = {
        each: law(each, 3.0, keep_rescaled=True) for each in permutations(range(5), 3)
    }
    assert p_value(observed, other) < 1e-12


def test_pending_rows_count_as_selected():
    observed = counts(3.0, 2, (4,))
    expected = {each: law(each, 3.0, [4]) for each in permutations(range(4), 2)}
    assert p_value(observed, expected) > 1e-6


def test_the_probability_of_each_draw_is_reported():
    selection = Falcun(2.0).run(Outputs(PROBA), 3, random_state=0)
    assert selection.value_name == "probability"
    assert np.prod(selection.values) == pytest.approx(law(selection.rows, 2.0))


@pytest.mark.parametrize("gamma", [1e3, 1e9])
def test_a_great_gamma_takes_the_greatest(gamma):
    rows = Falcun(gamma).select(Outputs(PROBA), 1, random_state=0)
    assert rows[0] in (0, 1, 4)
    best = max(permutations(range(5), 2), key=lambda each: law(each, 100.0))
    values = margin_gap(PROBA)
    assert values[rows[0]] == pytest.approx(values[best[0]])


def test_certain_rows_that_are_predicted_alike_are_drawn_uniformly():
    proba = np.eye(3)[[0] * 20]
    proba[7] = [0.5, 0.5, 0]
    with pytest.warns(QueryWarning, match="Only 1 of 4 rows had an uncertain"):
        selection = Falcun().run(Outputs(proba), 4, random_state=0)
    assert selection.rows[0] == 7
    assert len(selection.fallbacks) == 1
