"""Rows by scores from chunks: as in memory, and by the law of successive sampling."""

import warnings

import numpy as np
import pytest

from skbadge.exceptions import QueryWarning
from skbadge.samplers import Feasible
from skbadge.samplers._picks_by_score import picks_by_score
from skbadge.samplers._row_sketch import Greatest, new_seed
from skbadge.samplers._score_noise import NoisyOrder
from skbadge.utils._ranking import top_rows
from skbadge.utils._ties import Ties
from tests.samplers._chunked import dense_chunks
from tests.samplers._laws import REJECTED, THRESHOLD, law_pvalue
from tests.samplers._restrictions import CASES, is_open, random_case
from tests.samplers.test_feasible_laws import RESTRICTIONS, law_of


def first_column(chunk):
    return chunk.matrix[:, 0]


def top_of_chunks(chunks, score, n, feasible, rng):
    return picks_by_score(chunks, score, n, feasible, Greatest(Ties(rng)))


def draw_of_chunks(chunks, score, n, feasible, rng):
    """By the weights of which scores are the logarithms."""
    order = NoisyOrder("softmax", 1.0, 0.0, None, new_seed(rng))
    return picks_by_score(chunks, score, n, feasible, order)


@pytest.mark.parametrize("seed", CASES[:16])
@pytest.mark.parametrize("ties", [False, True])
def test_greatest_scores_are_those_of_all_rows_in_memory(seed, ties):
    feasible = random_case(5000, seed)
    scores = np.random.RandomState(seed).normal(size=5000)
    if ties:
        scores = np.round(scores)
        scores[:7] = np.inf
        scores[7:20] = -np.inf
    rows, inner = feasible.restricted()
    expected = top_rows(
        scores[rows], 200, np.random.RandomState(seed), open_rows=inner.open()
    )
    for n_rows, tree in [(40, None), (1000, 1), (5000, 2)]:
        chunks = dense_chunks(scores[:, None], n_rows, tree)
        rng = np.random.RandomState(seed)
        selection = top_of_chunks(chunks, first_column, 200, feasible, rng)
        np.testing.assert_array_equal(selection.rows, rows[expected])
        np.testing.assert_array_equal(selection.values, scores[selection.rows])
        assert chunks.n_passes == 1


LOG_WEIGHTS = np.array([0.0, 1.0, -1.0, 0.5, 0.7, -0.3, 1.2])


def draws_of(logs, n, feasible, n_draws=4000):
    chunks, rng = dense_chunks(logs[:, None], 3, None), np.random.RandomState(1)
    return [
        tuple(draw_of_chunks(chunks, first_column, n, feasible, rng).rows.tolist())
        for _ in range(n_draws)
    ]


@pytest.mark.parametrize("name", ["all", *RESTRICTIONS])
def test_weighted_draws_follow_the_law(name):
    feasible = RESTRICTIONS.get(name, Feasible(7))
    law = law_of(lambda rows: np.exp(LOG_WEIGHTS), 3, feasible)
    assert law_pvalue(law, draws_of(LOG_WEIGHTS, 3, feasible)) > THRESHOLD


def test_other_laws_are_told_from_it():
    law = law_of(lambda rows: np.exp(0.7 * LOG_WEIGHTS), 3, Feasible(7))
    assert law_pvalue(law, draws_of(LOG_WEIGHTS, 3, Feasible(7))) < REJECTED


def test_weights_of_any_size_follow_the_law():
    # s^2000 of scores near 1e-3, that no float64 holds.
    logs = LOG_WEIGHTS - 2000 * np.log(1e3)
    law = law_of(lambda rows: np.exp(LOG_WEIGHTS), 2, Feasible(7))
    assert law_pvalue(law, draws_of(logs, 2, Feasible(7), 2500)) > THRESHOLD


def test_rows_of_weight_zero_are_drawn_uniformly_after_all_others():
    logs = np.array([-np.inf, 0.0, -np.inf, 0.4, -np.inf])
    chunks, rng, counts = dense_chunks(logs[:, None], 2), np.random.RandomState(0), []
    for _ in range(600):
        with pytest.warns(QueryWarning, match=r"Only 2 of 3 rows have a weight above"):
            selection = draw_of_chunks(chunks, first_column, 3, Feasible(5), rng)
        assert set(selection.rows[:2].tolist()) == {1, 3}
        np.testing.assert_array_equal(selection.values, logs[selection.rows])
        counts.append((int(selection.rows[2]),))
    assert law_pvalue({(row,): 1 / 3 for row in (0, 2, 4)}, counts) > THRESHOLD


@pytest.mark.parametrize("seed", CASES[:16])
def test_draws_keep_to_what_may_be_picked_and_do_not_depend_on_chunks(seed):
    feasible = random_case(40, seed)
    logs = np.where(np.arange(40) % 2, np.arange(40) / 9, -np.inf)
    picks = []
    for n_rows, tree in [(1, 0), (9, 1), (40, None)]:
        rng = np.random.RandomState(seed)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", QueryWarning)
            rows = draw_of_chunks(
                dense_chunks(logs[:, None], n_rows, tree),
                first_column,
                feasible.n_left,
                feasible,
                rng,
            ).rows
        picks.append(rows)
        for t, row in enumerate(rows):
            assert is_open(feasible, rows[:t])[row]
    np.testing.assert_array_equal(picks[0], picks[1])
    np.testing.assert_array_equal(picks[0], picks[2])


@pytest.mark.parametrize("pick", [top_of_chunks, draw_of_chunks])
def test_scores_that_are_not_numbers_name_their_row(pick):
    scores = np.zeros((30, 1))
    scores[17] = np.nan
    with pytest.raises(ValueError, match=r"1 of the 10 rows from row 10 on.*row 17"):
        pick(
            dense_chunks(scores, 10),
            first_column,
            2,
            Feasible(30),
            np.random.RandomState(0),
        )
