"""Noisy scores with a share of uniform draws have the probabilities that are said."""

import numpy as np
import pytest

from skbadge.exceptions import QueryWarning
from skbadge.samplers import Feasible
from skbadge.samplers._draws_by_score import draws_by_score
from tests.samplers._row_chunks import RowChunks, score_of, scored_rows
from tests.samplers.test_known_draws import check_law, law_of
from tests.samplers.test_score_noise import BETA, BOUND, noisy, weights_by

SCORES = np.array([0.3, -0.8, 0.9, 0.3, -0.1])


def pools(scores):
    rows = scored_rows(scores)
    return {"memory": rows, "chunks": RowChunks(rows, 2, None)}


def draws(pool, kind, n, share, feasible, n_draws):
    rng = np.random.RandomState(0)
    return [
        draws_by_score(pool, score_of, n, feasible, noisy(kind, BETA, rng), share, rng)
        for _ in range(n_draws)
    ]


@pytest.mark.parametrize("place", ["memory", "chunks"])
@pytest.mark.parametrize("share", [0.0, 0.4])
@pytest.mark.parametrize("kind", ["power", "softmax"])
def test_rows_are_drawn_by_the_probabilities_that_are_said(kind, share, place):
    weights = weights_by(kind, BETA, SCORES)
    law = law_of(lambda rows: weights, len(SCORES), 3, share)
    found = draws(pools(SCORES)[place], kind, 3, share, Feasible(5), 1500)
    check_law(law, found)


@pytest.mark.filterwarnings("ignore::skbadge.exceptions.QueryWarning")
@pytest.mark.parametrize("place", ["memory", "chunks"])
@pytest.mark.parametrize("share", [0.0, 0.4])
def test_rows_of_weight_zero_are_drawn_uniformly_in_the_end(share, place):
    scores = np.array([0.3, BOUND, 0.9, BOUND])
    weights = weights_by("power", BETA, scores)
    law = law_of(lambda rows: weights, 4, 4, share)
    found = draws(pools(scores)[place], "power", 4, share, Feasible(4), 1500)
    check_law(law, found)


@pytest.mark.parametrize("place", ["memory", "chunks"])
@pytest.mark.parametrize("share", [0.0, 0.4])
def test_rows_of_little_weight_have_their_probabilities(share, place):
    # Of 1, the rows after the first two weigh 1e-20 and less.
    scores = np.array([0.0, 0.0, -28.0, -29.0, -30.0, -31.0])
    weights = weights_by("softmax", BETA, scores)
    law = law_of(lambda rows: weights, 6, 4, share)
    found = draws(pools(scores)[place], "softmax", 4, share, Feasible(6), 1500)
    check_law(law, found)


def test_only_feasible_rows_count():
    feasible = Feasible(5, mask=np.array([True, False, True, True, False]))
    rows = np.flatnonzero(feasible.mask)
    weights = weights_by("softmax", BETA, SCORES)[rows]
    law = law_of(lambda taken: weights, 3, 2, 0.3)
    law = {tuple(rows[list(taken)].tolist()): p for taken, p in law.items()}
    check_law(law, draws(pools(SCORES)["chunks"], "softmax", 2, 0.3, feasible, 1500))


def test_rows_of_weight_zero_are_warned_of_without_a_share():
    scores = np.array([0.3, BOUND, BOUND])
    with pytest.warns(QueryWarning, match="Only 1 of 2 rows have a weight above 0"):
        draws(pools(scores)["memory"], "power", 2, 0.0, Feasible(3), 1)


def test_infinite_weights_have_no_probabilities():
    (selection,) = draws(
        pools(np.array([0.1, np.inf, 0.2]))["memory"], "softmax", 2, 0, Feasible(3), 1
    )
    assert selection.rows[0] == 1
    assert selection.probabilities is None
