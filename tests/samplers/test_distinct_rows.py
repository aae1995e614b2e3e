"""Copies of a row come last: against the definition, in memory and in chunks."""

from functools import partial

import numpy as np
import pytest

from skbadge.samplers import Feasible
from skbadge.samplers._picks_by_score import picks_by_score
from skbadge.samplers._row_sketch import Greatest
from skbadge.utils._ties import Ties, rounded
from tests.samplers._restrictions import CASES, is_open, random_case
from tests.samplers._row_chunks import RowChunks, names_of, score_of, scored_rows


def plain_picks(scores, contents, n, feasible, ties):
    """Row by row: of the rows that may follow, those least often taken, the best."""
    numbers, _ = feasible.restricted()
    keys = np.full(len(scores), np.inf)
    keys[numbers] = ties.keys(np.arange(len(numbers)))
    counts = np.bincount(contents[feasible.pending], minlength=contents.max() + 1)
    picks = []
    for _ in range(n):
        open_rows = np.flatnonzero(is_open(feasible, picks))
        order = np.lexsort(
            (keys[open_rows], -rounded(scores[open_rows]), counts[contents[open_rows]])
        )
        picks.append(open_rows[order[0]])
        counts[contents[picks[-1]]] += 1
    return picks


@pytest.mark.parametrize("n_contents", [1, 4, 20, 60])
@pytest.mark.parametrize("seed", CASES)
def test_picks_are_those_of_the_definition(seed, n_contents):
    feasible, rng = random_case(60, seed), np.random.RandomState(seed)
    contents = rng.randint(n_contents, size=60)
    # Equal for copies, and for some other rows too.
    scores = rng.randint(n_contents, size=n_contents)[contents] / 3
    if seed % 3 == 0:
        # The same to within rounding.
        scores = scores * (1 + 1e-15 * rng.normal(size=60))
    rows = scored_rows(scores, contents)
    for n in (1, feasible.n_left // 2, feasible.n_left):
        ties = Ties(np.random.RandomState(seed))
        expected = plain_picks(scores, contents, n, feasible, ties)
        for pool in (rows, RowChunks(rows, 7, seed), RowChunks(rows, 25, None)):
            found = picks_by_score(
                pool, score_of, n, feasible, Greatest(ties), distinct=True
            )
            np.testing.assert_array_equal(found.rows, expected)
            np.testing.assert_array_equal(found.values, scores[found.rows])


def many(seed, n_groups=None):
    rng = np.random.RandomState(seed)
    scores, contents = rng.normal(size=6000), rng.randint(4000, size=6000)
    groups = None if n_groups is None else rng.randint(n_groups, size=6000)
    return scores, contents, Feasible(6000, groups=groups)


@pytest.mark.parametrize("n_groups", [None, 40, 400, 6000])
def test_more_rows_than_a_sketch_holds(n_groups):
    # With few groups, nearly all of the best rows are passed over.
    scores, contents, feasible = many(0, n_groups)
    n, ties = min(30, feasible.n_left), Ties(np.random.RandomState(0))
    expected = plain_picks(scores, contents, n, feasible, ties)
    rows = scored_rows(scores, contents)
    for pool in (rows, RowChunks(rows, 900, 0)):
        found = picks_by_score(
            pool, score_of, n, feasible, Greatest(ties), distinct=True
        )
        np.testing.assert_array_equal(found.rows, expected)


def test_the_best_rows_may_be_of_one_group():
    scores = -np.arange(20000.0)
    groups = np.where(np.arange(20000) < 19950, 0, np.arange(20000))
    feasible, rows = Feasible(20000, groups=groups), scored_rows(scores, groups)
    chunks = RowChunks(rows, 3000, 0)
    found = picks_by_score(
        chunks,
        score_of,
        20,
        feasible,
        Greatest(Ties(np.random.RandomState(0))),
        distinct=True,
    )
    assert found.rows.tolist() == [0, *range(19950, 19969)]
    assert chunks.n_passes == 1


class Counted:
    """Counts the rows that are identified."""

    def __init__(self, contents):
        self.contents, self.n_rows = contents, 0

    def __call__(self, positions):
        self.n_rows += len(positions)
        return names_of(self.contents, positions)


@pytest.mark.parametrize("pending", [(), [5, 7]])
def test_no_more_rows_are_identified_than_are_picked(pending):
    scores, identify = many(0)[0], Counted(np.arange(6000))
    rows = scored_rows(scores)
    object.__setattr__(rows, "identify", identify)
    order = Greatest(Ties(np.random.RandomState(0)))
    feasible = Feasible(6000, pending=pending)
    picks_by_score(rows, score_of, 50, feasible, order, distinct=True)
    assert identify.n_rows == 50 + 2 * len(pending)
    picks_by_score(rows, score_of, 50, feasible, order, distinct=False)
    assert identify.n_rows == 50 + 2 * len(pending)


def test_many_copies_take_one_pass():
    contents = np.arange(6000) % 3
    rows = scored_rows(-contents, contents)
    chunks = RowChunks(rows, 500, 0)
    order = Greatest(Ties(np.random.RandomState(0)))
    found = picks_by_score(chunks, score_of, 9, Feasible(6000), order, distinct=True)
    assert contents[found.rows].tolist() == [0, 1, 2] * 3
    assert chunks.n_passes == 1


def unreadable(positions):
    raise TypeError("no such rows")


@pytest.mark.parametrize("identify", [None, unreadable])
def test_rows_that_cannot_be_told_are_all_different(identify):
    scores, _, feasible = many(0)
    rows = scored_rows(scores)
    object.__setattr__(rows, "identify", identify)
    order = Greatest(Ties(np.random.RandomState(0)))
    for pool in (rows, RowChunks(rows, 900, None)):
        picks = [
            picks_by_score(
                pool, score_of, 50, feasible, order, distinct=distinct
            ).rows.tolist()
            for distinct in (False, True)
        ]
        assert picks[0] == picks[1] == np.argsort(-scores)[:50].tolist()


def test_names_of_any_kind_tell_rows():
    names = ["0a", "a", "00000000000000_1", "0000000000000001", "x" * 16, "x" * 17]
    rows = scored_rows(np.zeros(12))
    object.__setattr__(
        rows, "identify", partial(lambda names, at: [names[i] for i in at], names * 2)
    )
    order = Greatest(Ties(np.random.RandomState(0)))
    found = picks_by_score(rows, score_of, 6, Feasible(12), order, distinct=True)
    assert set(found.rows % 6) == set(range(6))
