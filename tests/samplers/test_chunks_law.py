"""k-means++ seeding from chunks draws exactly the law, whatever a sketch holds."""

import numpy as np
import pytest

from skbadge.embeddings import OuterProductEmbedding
from skbadge.embeddings._joined import below
from skbadge.samplers import (
    Feasible,
    KMeansPlusPlus,
    _kmeans_of_chunks,
    _row_sketch,
)
from skbadge.samplers._chunk_view import ChunkView
from skbadge.samplers._kmeans_of_chunks import _Replay, _ReplayByNorms, _Source
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

# With rows on either side of 0, so that norms alone do not bound their distances.
OPPOSITE = np.array([[0.5], [-4.0], [-4.5], [4.0], [3.0], [5.0]])

# A labelled row spares the pass by norms.
FAR = np.array([[-3.0, 1.0]])

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
        monkeypatch.setattr(_kmeans_of_chunks, "sketch_size", lambda *args: size)
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


@pytest.mark.parametrize("n_near", [1, 2])
@pytest.mark.parametrize("labeled", [None, LABELED], ids=["none", "labeled"])
def test_picks_follow_the_law_whatever_centres_weigh_rows(
    n_near, labeled, set_size, monkeypatch
):
    set_size(2)
    monkeypatch.setattr(_kmeans_of_chunks, "FEW_CENTERS", n_near)
    law = kmeans_plus_plus_law(DUPLICATES, 4, "norm_weighted", labeled)
    draws = draws_of("norm_weighted", DUPLICATES, 4, labeled)
    assert law_pvalue(law, draws) > THRESHOLD


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
        _kmeans_of_chunks,
        "Drawn",
        lambda seed, stream, number=0: Drawn(seed, stream),
    )
    law = kmeans_plus_plus_law(PAIRS, 4, "uniform", FAR[:, :1])
    assert law_pvalue(law, draws_of("uniform", PAIRS, 4, FAR[:, :1])) < REJECTED


def test_sources_that_share_their_numbers_are_told_from_the_law(set_size, monkeypatch):
    set_size(2)
    monkeypatch.setattr(
        _kmeans_of_chunks,
        "Drawn",
        lambda seed, stream, number=0: Drawn(seed, "same"),
    )
    law = kmeans_plus_plus_law(OPPOSITE, 3, "uniform")
    draws = draws_of("uniform", OPPOSITE, 3, n_draws=5000)
    assert law_pvalue(law, draws) < REJECTED


def left_when_a_row_is_wanted(self, n_draws):
    """Go on with the rows of a sketch until one is wanted that it does not have."""
    (source,), draws = self.sources, []
    levels = self.rng.random_sample(n_draws) * source.total
    n_met = getattr(self, "n_met", 0)
    for position in np.searchsorted(source.cumulative, levels, "right").tolist():
        if n_met == len(source.places) and position == n_met:
            source.n_seen = n_met
            break
        position = min(position, n_met)
        n_met += position == n_met
        draws.append(source.places[position])
    self.n_met = n_met
    return np.array(draws, dtype=np.int64)


def not_rejected(self, proposals, coins, goal, test=_Replay._test):
    """Take the rows in the order of the sketch, as if picks changed no weight."""
    return test(self, proposals, 0 * coins, goal)


def never_repeated(self, level):
    """Meet no row of the sketch a second time."""
    self.n_seen = min(self.n_seen + 1, len(self.places))
    return self.places[self.n_seen - 1]


def without_the_product_of_norms(self):
    """Take ``|x|^2 + |c|^2`` for a bound of the squared distance."""
    norms_sq = self.embedding.norms_sq()
    self.speeds = [1.0, norms_sq[self.rows].min()]
    bound = norms_sq + self.speeds[1]
    self.bound = np.where(self.open_rows.mask, bound, 0.0)


def with_bounds_of_other_shares(self, weigh=_ReplayByNorms.weigh):
    """Draw by norms alone, against the bounds of both."""
    weigh(self)
    self.speeds = [self.speeds[0], 0.0]


@pytest.fixture
def numbers_in_a_row(monkeypatch):
    """Numbers of rows without their blocks, for a pool that is one chunk."""
    rng = np.random.RandomState(3)
    monkeypatch.setattr(
        _row_sketch,
        "row_random",
        lambda seed, stream, number, first, n_rows: rng.random_sample(n_rows),
    )


@pytest.mark.parametrize("is_wrong", [False, True])
def test_a_sketch_is_left_before_a_draw(
    is_wrong, set_size, numbers_in_a_row, monkeypatch
):
    set_size(3)
    if is_wrong:
        monkeypatch.setattr(_Replay, "_draws", left_when_a_row_is_wanted)
    # A labelled row spares the pass by norms.
    labeled = TRAP[1:2]
    law = kmeans_plus_plus_law(TRAP, 3, "uniform", labeled)
    draws = draws_of("uniform", TRAP, 3, labeled, n_draws=8000, chunk=5)
    pvalue = law_pvalue(law, draws)
    assert pvalue < REJECTED if is_wrong else pvalue > THRESHOLD


@pytest.mark.parametrize(
    ("X", "place"),
    [
        (PAIRS, (_Replay, "_test", not_rejected)),
        (PAIRS, (_Source, "draw", never_repeated)),
        (OPPOSITE, (_ReplayByNorms, "weigh", without_the_product_of_norms)),
        (OPPOSITE, (_ReplayByNorms, "weigh", with_bounds_of_other_shares)),
    ],
    ids=lambda case: case[2].__name__ if isinstance(case, tuple) else "",
)
def test_wrong_replays_are_told_from_the_law(X, place, set_size, monkeypatch):
    set_size(4)
    monkeypatch.setattr(*place)
    law = kmeans_plus_plus_law(X, 3, "norm_weighted")
    assert law_pvalue(law, draws_of("norm_weighted", X, 3)) < REJECTED


@pytest.mark.parametrize("X", [PAIRS, OPPOSITE], ids=["pairs", "opposite"])
def test_what_wrong_replays_are_shown_by_follows_the_law(X, set_size):
    set_size(4)
    law = kmeans_plus_plus_law(X, 3, "norm_weighted")
    assert law_pvalue(law, draws_of("norm_weighted", X, 3)) > THRESHOLD


@pytest.mark.parametrize(
    "place", [(_Replay, "_test", not_rejected), (_Source, "draw", never_repeated)]
)
def test_wrong_replays_from_labelled_rows_are_told_from_the_law(
    place, set_size, monkeypatch
):
    set_size(4)
    monkeypatch.setattr(*place)
    law = kmeans_plus_plus_law(PAIRS, 3, "uniform", FAR[:, :1])
    draws = draws_of("uniform", PAIRS, 3, FAR[:, :1])
    assert law_pvalue(law, draws) < REJECTED


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
