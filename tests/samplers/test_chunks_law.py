"""k-means++ seeding from chunks draws exactly the law, whatever a sketch holds."""

import numpy as np
import pytest

from skbadge.embeddings import OuterProductEmbedding
from skbadge.embeddings._joined import below
from skbadge.samplers import Feasible, KMeansPlusPlus, _kmeans_plus_plus, _row_sketch
from skbadge.samplers._chunk_view import ChunkView
from skbadge.samplers._kmeans_plus_plus import _Replay
from skbadge.samplers._row_sketch import Drawn
from tests.samplers._chunked import in_chunks
from tests.samplers._laws import (
    REJECTED,
    THRESHOLD,
    TableEmbedding,
    kmeans_plus_plus_law,
    law_pvalue,
    tables,
)
from tests.samplers.test_feasible_laws import (
    LABELED,
    RESTRICTIONS,
    SEVEN,
    kmeans_plus_plus_weights,
    law_of,
)

N_DRAWS = 2500

# Fails for a sketch of 3 that is left when a fourth row is wanted. Smaller ones and
# other rows do not show it.
TRAP = np.array([[0, 0], [3, 0], [3.1, 0], [0, 1], [0.2, 1.2]])

# Each pick takes nearly all weight of another row, so that most draws are rejected.
PAIRS = np.array([[0.0], [10.0], [10.5], [1.0], [2.0], [12.0]])

DUPLICATES = np.random.RandomState(0).normal(size=(6, 3))
DUPLICATES[4], DUPLICATES[2] = DUPLICATES[1], 0


@below.register
def _(first: TableEmbedding, *others):
    rows = np.concatenate([part.rows for part in (first, *others)])
    return TableEmbedding(first.table, first.table_norms_sq, rows)


@pytest.fixture
def set_size(monkeypatch):
    """Let sketches have a number of rows, and never be left while they have others."""

    def set_size(size, schedule=lambda *args: False):
        monkeypatch.setattr(_kmeans_plus_plus, "sketch_size", lambda *args: size)
        monkeypatch.setattr(_Replay, "_read_pays", schedule)

    return set_size


def draws_of(first, X, n, labeled=None, feasible=None, n_draws=N_DRAWS, chunk=4):
    """Draws below the validation, which would take most of the time."""
    embedding, seeds = tables(X, labeled)
    rows, feasible = (feasible or Feasible(len(X))).restricted()
    if len(rows) == len(X):
        rows = None
    chunks = in_chunks(embedding, chunk, None)
    rng = np.random.RandomState(1)
    draws = []
    for _ in range(n_draws):
        view = ChunkView(chunks, rows)
        sampler = KMeansPlusPlus(first_center=first)
        picks = sampler._run_on_chunks(view, n, seeds, feasible, rng).rows
        draws.append(tuple((picks if rows is None else rows[picks]).tolist()))
    return draws


@pytest.mark.parametrize("size", [2, 4, 5, 6])
def test_picks_follow_the_law(size, set_size):
    # With five rows other than the first pick, that is all but one, and all of them.
    set_size(size)
    law = kmeans_plus_plus_law(DUPLICATES, 3, "norm_weighted")
    assert law_pvalue(law, draws_of("norm_weighted", DUPLICATES, 3)) > THRESHOLD


@pytest.mark.parametrize("first", ["max_norm", "uniform"])
@pytest.mark.parametrize("size", [2, 4])
def test_picks_follow_the_law_from_any_first_row(first, size, set_size):
    set_size(size)
    law = kmeans_plus_plus_law(DUPLICATES, 3, first)
    assert law_pvalue(law, draws_of(first, DUPLICATES, 3)) > THRESHOLD


@pytest.mark.parametrize("size", [2, 4, 6])
def test_picks_keep_away_from_labelled_rows_by_the_law(size, set_size):
    set_size(size)
    law = kmeans_plus_plus_law(DUPLICATES, 3, "uniform", LABELED)
    assert law_pvalue(law, draws_of("uniform", DUPLICATES, 3, LABELED)) > THRESHOLD


@pytest.mark.parametrize("size", [2, 4])
@pytest.mark.parametrize("name", RESTRICTIONS)
def test_picks_follow_the_restricted_law(name, size, set_size):
    set_size(size)
    feasible, first = RESTRICTIONS[name], "norm_weighted"
    law = law_of(kmeans_plus_plus_weights(SEVEN, first, None, feasible), 3, feasible)
    draws = draws_of(first, SEVEN, 3, feasible=feasible)
    assert law_pvalue(law, draws) > THRESHOLD


def test_picks_follow_the_restricted_law_given_labelled_rows(set_size):
    set_size(3)
    feasible = RESTRICTIONS["all_of_it"]
    weights = kmeans_plus_plus_weights(SEVEN, "uniform", LABELED, feasible)
    draws = draws_of("uniform", SEVEN, 3, LABELED, feasible)
    assert law_pvalue(law_of(weights, 3, feasible), draws) > THRESHOLD


def after_a_rejection(self, in_all, since_pick):
    return in_all.n_tested > 2 and in_all.rate < 0.8


@pytest.mark.parametrize("schedule", [lambda *args: True, after_a_rejection])
def test_the_law_does_not_depend_on_when_a_sketch_is_left(
    schedule, set_size, monkeypatch
):
    set_size(4, schedule)
    # In blocks of a few draws, so that some are left of a sketch.
    draws = _Replay._draws
    monkeypatch.setattr(_Replay, "_draws", lambda self, n_draws: draws(self, 2))
    law = kmeans_plus_plus_law(PAIRS, 4, "uniform")
    assert law_pvalue(law, draws_of("uniform", PAIRS, 4)) > THRESHOLD


def test_passes_that_share_their_numbers_are_told_from_the_law(set_size, monkeypatch):
    # Rows whose weights fell least would be favoured.
    set_size(2)
    monkeypatch.setattr(
        _kmeans_plus_plus, "Drawn", lambda seed, stream, number: Drawn(seed, stream)
    )
    law = kmeans_plus_plus_law(PAIRS, 4, "uniform")
    assert law_pvalue(law, draws_of("uniform", PAIRS, 4)) < REJECTED


class LeftWhenARowIsWanted(_Replay):
    """Goes on with the rows of a sketch until a row is wanted that it does not have."""

    n_met = 0

    def _draws(self, n_draws):
        draws, n_rows = [], len(self.cumulative)
        levels = self.rng.random_sample(n_draws) * self.total
        for position in np.searchsorted(self.cumulative, levels, "right").tolist():
            if self.n_met == n_rows and position == n_rows:
                self.n_seen = n_rows
                break
            draws.append(min(position, self.n_met))
            self.n_met += draws[-1] == self.n_met
        return np.array(draws, dtype=np.int64)


class NotRejected(_Replay):
    """Takes the rows in the order of the sketch, as if picks changed no weight."""

    def _test(self, proposals, coins, goal):
        return super()._test(proposals, 0 * coins, goal)


class NeverRepeated(_Replay):
    """Meets no row of the sketch a second time."""

    def _draws(self, n_draws):
        draws = np.arange(self.n_seen, len(self.cumulative))[:n_draws]
        self.n_seen += len(draws)
        return draws


@pytest.fixture
def numbers_in_a_row(monkeypatch):
    """Numbers of rows without their blocks, for a pool that is one chunk."""
    rng = np.random.RandomState(3)
    monkeypatch.setattr(
        _row_sketch,
        "row_random",
        lambda seed, stream, number, first, n_rows: rng.random_sample(n_rows),
    )


@pytest.mark.parametrize("replay", [_Replay, LeftWhenARowIsWanted])
def test_a_sketch_is_left_before_a_draw(
    replay, set_size, numbers_in_a_row, monkeypatch
):
    set_size(3)
    monkeypatch.setattr(replay, "_read_pays", lambda *args: False)
    monkeypatch.setattr(_kmeans_plus_plus, "_Replay", replay)
    law = kmeans_plus_plus_law(TRAP, 3, "norm_weighted")
    draws = draws_of("norm_weighted", TRAP, 3, n_draws=25_000, chunk=5)
    pvalue = law_pvalue(law, draws)
    assert pvalue > THRESHOLD if replay is _Replay else pvalue < THRESHOLD


@pytest.mark.parametrize("replay", [_Replay, NotRejected, NeverRepeated])
def test_wrong_replays_are_told_from_the_law(replay, set_size, monkeypatch):
    set_size(4)
    monkeypatch.setattr(_kmeans_plus_plus, "_Replay", replay)
    law = kmeans_plus_plus_law(PAIRS, 3, "norm_weighted")
    pvalue = law_pvalue(law, draws_of("norm_weighted", PAIRS, 3))
    assert pvalue > THRESHOLD if replay is _Replay else pvalue < REJECTED


def test_real_embeddings_follow_the_law_through_the_public_call():
    rng = np.random.RandomState(3)
    A, Z = rng.normal(size=(5, 2)), rng.normal(size=(5, 3))
    X = np.einsum("ij,ik->ijk", A, Z).reshape(5, 6)
    chunks = in_chunks(OuterProductEmbedding(A, Z), 2)
    sampler = KMeansPlusPlus(first_center="norm_weighted")
    draws = [
        tuple(sampler.sample(chunks, 3, random_state=seed).tolist())
        for seed in range(1000)
    ]
    assert law_pvalue(kmeans_plus_plus_law(X, 3, "norm_weighted"), draws) > THRESHOLD
