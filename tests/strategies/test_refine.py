"""Refine: rounds of selections from random subsets, and one selection from the rest."""

import numpy as np
import pytest
from scipy import stats

from skbadge.outputs import Labeled, Outputs
from skbadge.samplers import Feasible, Selection
from skbadge.strategies import ALBL, Margin, Refine, ScoreStrategy, Strategy


def pool_of(n_rows, seed=0):
    """Rows whose only input is their position."""
    rng = np.random.RandomState(seed)
    proba = rng.dirichlet(np.ones(3), n_rows)
    positions = np.arange(n_rows, dtype=np.float64)[:, None]
    return Outputs(proba=proba, features=positions, inputs=positions)


class Seen(Strategy):
    """Selects at random, and notes what it chose from and what it selected."""

    needs = ("inputs",)
    notes: list = []

    def _run(self, pool, n, labeled, feasible, rng):
        rows = feasible.open().draw(n, rng)
        positions = pool.inputs[:, 0].astype(int)
        self.notes.append((positions, positions[rows]))
        return Selection(rows)


class Last(Seen):
    notes: list = []


@pytest.fixture(autouse=True)
def fresh_notes():
    Seen.notes, Last.notes = [], []


def refine(**params):
    options = {"last": Last(), "n_subsets": 4, "n_rounds": 3} | params
    return Refine([Seen()], **options)


def test_one_random_subset_in_one_round_gives_a_random_batch():
    strategy = Refine(["random"], last="random", n_rounds=1, n_subsets=1)
    rng, pool = np.random.RandomState(0), pool_of(5)
    counts = {}
    for _ in range(4000):
        batch = tuple(strategy.select(pool, 2, random_state=rng))
        counts[batch] = counts.get(batch, 0) + 1
    assert len(counts) == 20
    assert stats.chisquare(list(counts.values())).pvalue > 1e-3


def test_each_round_chooses_from_what_was_selected_in_the_one_before():
    pool = pool_of(500)
    rows = refine().select(pool, 10, random_state=0)
    rounds = [Seen.notes[i : i + 4] for i in (0, 4, 8)]
    left = np.arange(500)
    for notes in rounds:
        for subset, batch in notes:
            assert np.isin(subset, left).all()
            assert np.isin(batch, subset).all()
            assert len(subset) == max(10, np.ceil(0.4 * len(left)))
        left = np.unique(np.concatenate([batch for _, batch in notes]))
    ((found, batch),) = Last.notes
    np.testing.assert_array_equal(found, left)
    np.testing.assert_array_equal(batch, rows)


def test_subsets_differ_and_are_no_larger_than_asked_for():
    refine(subset_size=50).select(pool_of(500), 10, random_state=0)
    first = [frozenset(subset) for subset, _ in Seen.notes[:4]]
    assert len(set(first)) == 4
    assert {len(subset) for subset, _ in Seen.notes[:4]} == {50}


def test_more_rows_are_asked_for_than_a_subset_has():
    rows = refine(subset_size=5, n_candidates=7).select(pool_of(60), 20, random_state=0)
    assert len(np.unique(rows)) == 20


def test_the_rows_left_are_limited():
    refine(n_candidates=25).select(pool_of(500), 20, random_state=0)
    assert len(Last.notes[0][0]) == 25


def test_strategies_take_turns():
    other = type("Other", (Seen,), {"notes": Last.notes})
    strategy = Refine([Seen(), other()], last="random", n_rounds=1, n_subsets=5)
    strategy.select(pool_of(100), 3, random_state=0)
    assert (len(Seen.notes), len(Last.notes)) == (3, 2)


def test_what_is_best_by_all_of_them_is_selected():
    class FirstRows(ScoreStrategy):
        def score(self, pool):
            return -pool.inputs[:, 0]

    strategy = Refine([FirstRows()], last=FirstRows(), n_subsets=50)
    rows = strategy.select(pool_of(200), 4, random_state=0)
    np.testing.assert_array_equal(rows, np.arange(4))


def test_quotas_candidates_and_pending_rows_hold_at_every_stage():
    n_rows = 120
    mask = np.arange(n_rows) % 2 == 0
    groups, pending = np.arange(n_rows) // 12, [4, 24]
    feasible = Feasible(n_rows, mask, groups, 1, pending)
    rows = refine(n_candidates=1).select(
        pool_of(n_rows), 8, feasible=feasible, random_state=0
    )
    assert mask[rows].all()
    assert len(np.unique(groups[np.r_[rows, pending]])) == 10
    for subset, batch in Seen.notes + Last.notes:
        assert np.isin(pending, subset).all()
        assert mask[subset].all()
        assert len(np.unique(groups[batch])) == 8


def test_labelled_rows_reach_all_strategies():
    class Known(Seen):
        needs = ("inputs", "labeled")

        def _run(self, pool, n, labeled, feasible, rng):
            assert len(labeled) == 3
            return super()._run(pool, n, labeled, feasible, rng)

    strategy = Refine([Known()], last=Known(), n_subsets=2)
    assert strategy.needs.labeled
    labeled = Labeled(pool_of(3), np.arange(3))
    strategy.select(pool_of(30), 2, labeled=labeled, random_state=0)
    assert len(Known.notes) == 11


def test_a_seed_gives_the_same_rows():
    strategy = Refine(["random", Margin()], last="random", n_subsets=6)
    first, again, other = (
        strategy.select(pool_of(300), 5, random_state=seed) for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_no_strategies():
    with pytest.raises(ValueError, match="`strategies` must hold at least one"):
        Refine([]).select(pool_of(10), 2)


@pytest.mark.parametrize(
    "strategy",
    [
        Refine(["badge"], last="margin", n_subsets=3, n_rounds=1),
        ALBL(["badge", "margin"]),
    ],
    ids=["refine", "albl"],
)
@pytest.mark.filterwarnings("ignore::skbadge.exceptions.QueryWarning")
def test_what_a_part_does_instead_is_said_once(strategy):
    pool = Outputs(np.full((30, 2), 0.5), np.zeros((30, 4)))
    (said,) = strategy.run(pool, 5, random_state=0).fallbacks
    assert said.startswith("Badge(): only 1 of 5 rows could be told apart")
