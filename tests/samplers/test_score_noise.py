"""Noisy scores: draws without replacement by the laws that they stand for."""

import warnings
from itertools import permutations

import numpy as np
import pytest
from scipy.stats import rankdata

from skbadge.exceptions import QueryWarning
from skbadge.samplers import Feasible
from skbadge.samplers._picks_by_score import picks_by_score
from skbadge.samplers._row_sketch import new_seed
from skbadge.samplers._score_noise import NoisyOrder
from skbadge.utils._ties import Ties
from tests.samplers._laws import REJECTED, THRESHOLD, law_pvalue
from tests.samplers._restrictions import CASES, is_open, random_case
from tests.samplers._row_chunks import RowChunks, score_of, scored_rows
from tests.samplers.test_feasible_laws import RESTRICTIONS, law_of

# With a tie, below their bound by nothing and above it by less than 1.
SCORES = np.array([0.3, -0.8, 0.9, 0.3, -0.1])
BOUND = -1.0
BETA = 1.7


def weights_by(kind, beta, scores, is_open=True):
    """Weights of all rows, from the definition."""
    if kind == "power":
        return (scores - BOUND) ** beta
    if kind == "softmax":
        return np.exp(beta * scores)
    # Ranks among the rows that may be picked. Without ties.
    ranks = np.full(len(scores), np.inf)
    ranks[is_open] = rankdata(-scores[is_open])
    return ranks**-beta


def noisy(kind, beta, rng, bound=BOUND):
    return NoisyOrder(kind, beta, bound, Ties(rng), new_seed(rng))


def draws_of(pool, kind, n, feasible, n_draws=1600, beta=BETA, **options):
    rng = np.random.RandomState(0)
    return [
        tuple(
            picks_by_score(
                pool, score_of, n, feasible, noisy(kind, beta, rng), **options
            ).rows.tolist()
        )
        for _ in range(n_draws)
    ]


def pools(scores, contents=None):
    rows = scored_rows(scores, contents)
    return {"memory": rows, "chunks": RowChunks(rows, 2, None)}


PLACES = ["memory", "chunks"]
STREAMED = [("power", place) for place in PLACES] + [("softmax", "chunks")]
ALL = [*STREAMED, ("softmax", "memory"), ("softrank", "memory")]


def law_with_ties(kind, scores, n):
    """The mean of the laws of all orders of the tied rows 0 and 3."""
    laws = []
    for nudge in (1e-9, -1e-9):
        nudged = scores + nudge * (np.arange(5) == 0)
        weights = weights_by(kind, BETA, nudged)
        laws.append(law_of(lambda rows, weights=weights: weights, n, Feasible(5)))
    return {rows: (laws[0][rows] + laws[1][rows]) / 2 for rows in laws[0]}


@pytest.mark.parametrize(("kind", "place"), ALL)
def test_ordered_pairs_follow_the_law(kind, place):
    law = law_with_ties(kind, SCORES, 2)
    assert set(law) == set(permutations(range(5), 2))
    draws = draws_of(pools(SCORES)[place], kind, 2, Feasible(5))
    assert law_pvalue(law, draws) > THRESHOLD


def test_another_temperature_and_another_noise_are_told_from_it():
    draws = draws_of(scored_rows(SCORES), "power", 2, Feasible(5))
    for kind, beta in [("power", 1.0), ("softmax", BETA), ("softrank", BETA)]:
        weights = weights_by(kind, beta, SCORES)
        law = law_of(lambda rows, weights=weights: weights, 2, Feasible(5))
        assert law_pvalue(law, draws) < REJECTED


SEVEN = np.array([0.0, 0.9, -0.9, 0.5, 0.7, -0.3, 0.2])


@pytest.mark.parametrize("name", ["mask", "two_a_group", "all_of_it"])
@pytest.mark.parametrize(("kind", "place"), ALL)
def test_draws_of_what_may_be_picked_follow_the_law(kind, place, name):
    feasible = RESTRICTIONS[name]
    weights = weights_by(kind, BETA, SEVEN, is_open(feasible, ()))
    law = law_of(lambda rows: weights, 2, feasible)
    draws = draws_of(pools(SEVEN)[place], kind, 2, feasible, 800)
    assert law_pvalue(law, draws) > THRESHOLD


@pytest.mark.parametrize(("kind", "place"), ALL)
def test_copies_of_a_drawn_row_have_no_weight(kind, place):
    contents, feasible = np.array([0, 1, 0, 2, 1, 0, 3]), Feasible(7, pending=[6])
    weights = weights_by(kind, BETA, SEVEN, is_open(feasible, ()))

    def weights_of(rows):
        return weights * ~np.isin(contents, contents[list(rows)])

    law = law_of(weights_of, 3, feasible)
    pool = pools(SEVEN, contents)[place]
    draws = draws_of(pool, kind, 3, feasible, 1200, distinct=True)
    assert law_pvalue(law, draws) > THRESHOLD


@pytest.mark.parametrize("beta", [1e5, np.finfo(np.float64).max])
@pytest.mark.parametrize("kind", ["power", "softmax", "softrank"])
def test_a_great_beta_gives_the_greatest_scores(kind, beta):
    scores = np.random.RandomState(0).permutation(np.linspace(-0.9, 1.9, 60))
    rows = draws_of(scored_rows(scores), kind, 20, Feasible(60), 1, beta=beta)[0]
    np.testing.assert_array_equal(rows, np.argsort(-scores)[:20])


def test_powers_of_scores_of_any_size_follow_the_law():
    # s^2000 of scores near 1e-3, that no float64 holds.
    scores = 1e-3 * np.exp(SEVEN / 2000)
    law = law_of(lambda rows: np.exp(SEVEN), 2, Feasible(7))
    rng = np.random.RandomState(1)
    draws = [
        tuple(picks_by_score(scored_rows(scores), score_of, 2, Feasible(7), order).rows)
        for order in (noisy("power", 2000.0, rng, bound=0.0) for _ in range(1500))
    ]
    assert law_pvalue(law, draws) > THRESHOLD


@pytest.mark.parametrize("place", PLACES)
def test_rows_of_weight_zero_are_drawn_uniformly_after_all_others(place):
    scores = np.array([BOUND, 0.0, BOUND - 1e-9, 0.4, BOUND])
    pool, counts, rng = pools(scores)[place], [], np.random.RandomState(0)
    for _ in range(300):
        order = noisy("power", 1.0, rng)
        with pytest.warns(QueryWarning, match=r"Only 2 of 3 rows have a weight above"):
            selection = picks_by_score(pool, score_of, 3, Feasible(5), order)
        assert set(selection.rows[:2].tolist()) == {1, 3}
        np.testing.assert_array_equal(selection.values, scores[selection.rows])
        assert len(selection.fallbacks) == 1
        counts.append((int(selection.rows[2]),))
    assert law_pvalue({(row,): 1 / 3 for row in (0, 2, 4)}, counts) > THRESHOLD


def test_scores_below_their_bound_are_refused():
    order = noisy("power", 1.0, np.random.RandomState(0))
    with pytest.raises(ValueError, match=r"`lower_bound`, -1.0, .* 1 of 2 are, .*-1.5"):
        picks_by_score(scored_rows([0.0, -1.5]), score_of, 1, Feasible(2), order)


@pytest.mark.parametrize("kind", ["power", "softmax"])
@pytest.mark.parametrize("seed", CASES[:16])
def test_draws_are_the_same_in_memory_and_in_chunks(seed, kind):
    # Across the blocks of 4096 in which the rows' numbers are drawn.
    feasible, rng = random_case(5000, seed), np.random.RandomState(seed)
    scores = np.where(rng.uniform(size=5000) < 0.95, BOUND, rng.uniform(size=5000))
    rows, n = scored_rows(scores, rng.randint(3000, size=5000)), 300
    picks = []
    for pool in (rows, RowChunks(rows, 70, None), RowChunks(rows, 1700, 1)):
        order = noisy(kind, 1.0, np.random.RandomState(seed))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", QueryWarning)
            found = picks_by_score(pool, score_of, n, feasible, order, distinct=True)
        picks.append(found.rows)
    np.testing.assert_array_equal(picks[0], picks[1])
    np.testing.assert_array_equal(picks[0], picks[2])
