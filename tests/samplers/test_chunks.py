"""Picks from chunks: the same for any chunks, and for greedy rules as in memory."""

import numpy as np
import pytest

from skbadge import samplers
from skbadge.embeddings import DenseEmbedding, OuterProductEmbedding, to_device
from skbadge.exceptions import QueryWarning
from skbadge.samplers import (
    Feasible,
    KCenter,
    KMeansPlusPlus,
    MaxDet,
    MaxDiag,
    Random,
    Sampler,
    _chunk_picks,
    _kmeans_of_chunks,
    _max_det,
)
from tests.samplers._chunked import Chunks, dense_chunks, in_chunks
from tests.samplers._restrictions import CASES, is_open, random_case

STREAMING = [
    KMeansPlusPlus(),
    KMeansPlusPlus(first_center="uniform"),
    KMeansPlusPlus(first_center="norm_weighted"),
    KCenter(),
    KCenter(first_center="uniform"),
    MaxDet(),
    MaxDet(sigma=0.3),
    MaxDiag(),
    Random(),
]
GREEDY = [KCenter(), KCenter(first_center="uniform"), *STREAMING[5:8]]
OTHERS = {
    getattr(samplers, name)
    for name in samplers.__all__
    if isinstance(getattr(samplers, name), type)
    and issubclass(getattr(samplers, name), Sampler)
} - {Sampler, *map(type, STREAMING)}


def name_of(sampler):
    return repr(sampler)


@pytest.fixture
def small_sketches(monkeypatch):
    """Keep so few rows that many passes are needed."""
    for module in (_chunk_picks, _kmeans_of_chunks):
        monkeypatch.setattr(module, "sketch_size", lambda n, per_pick: 20)


def pool(name, n_rows=700, seed=0):
    rng = np.random.RandomState(seed)
    if name == "lattice":
        # Copies of most rows, and hundreds at each distance.
        return rng.randint(-3, 4, size=(n_rows, 3)).astype(float)
    X = rng.normal(size=(n_rows, 12))
    return X * rng.lognormal(sigma=1.5, size=(n_rows, 1)) if name == "norms" else X


@pytest.mark.parametrize("sampler", STREAMING, ids=name_of)
@pytest.mark.parametrize("seed", range(4))
def test_picks_are_the_same_for_any_chunks(sampler, seed):
    # Borders of blocks of row numbers are crossed.
    rng = np.random.RandomState(seed)
    embedding = OuterProductEmbedding(
        rng.normal(size=(5300, 3)), np.maximum(rng.normal(size=(5300, 6)), 0)
    )
    feasible, labeled = random_case(5300, 7 - 2 * seed), embedding.take(slice(0, seed))
    picks = [
        sampler.sample(
            in_chunks(embedding, size, tree),
            15,
            labeled=labeled,
            feasible=feasible,
            random_state=seed,
        )
        for size, tree in [(7, None), (1000, 0), (1000, 1), (5000, 2), (5300, 3)]
    ]
    for others in picks[1:]:
        np.testing.assert_array_equal(others, picks[0])


@pytest.mark.parametrize("sampler", [KMeansPlusPlus(), MaxDiag()], ids=name_of)
def test_picks_are_the_same_for_chunks_of_one_row(sampler):
    X = pool("norms", 4200)
    picks = [
        sampler.sample(dense_chunks(X, size, None), 20, random_state=3)
        for size in (1, 2500)
    ]
    np.testing.assert_array_equal(*picks)


@pytest.mark.filterwarnings("ignore::skbadge.exceptions.QueryWarning")
@pytest.mark.parametrize("sampler", STREAMING, ids=name_of)
@pytest.mark.parametrize("seed", range(5))
def test_picks_of_many_small_sketches_are_the_same_for_any_chunks(
    sampler, seed, small_sketches
):
    X = pool(["random", "norms", "lattice"][seed % 3], seed=seed)
    picks = []
    for size, tree in [(50, 0), (50, 1), (333, 2), (700, None)]:
        chunks = dense_chunks(X, size, tree)
        picks.append(sampler.sample(chunks, 40, random_state=seed))
    for others in picks[1:]:
        np.testing.assert_array_equal(others, picks[0])


@pytest.mark.filterwarnings("ignore::skbadge.exceptions.QueryWarning")
@pytest.mark.parametrize("sampler", GREEDY, ids=name_of)
@pytest.mark.parametrize("name", ["random", "norms", "lattice"])
@pytest.mark.parametrize("seed", CASES[:16])
def test_greedy_rules_pick_as_in_memory(sampler, name, seed, small_sketches):
    X, feasible = pool(name, seed=seed), random_case(700, seed)
    labeled = DenseEmbedding(pool(name, 5 * (seed // 8), seed=seed + 1))
    # Beyond the rank, copies differ by rounding errors near the spacing of ties.
    n = 20 if name == "lattice" and isinstance(sampler, MaxDet) else 60
    chunks = dense_chunks(X, 150, seed)
    memory, streamed = (
        sampler.run(embedding, n, labeled=labeled, feasible=feasible, random_state=seed)
        for embedding in (DenseEmbedding(X), chunks)
    )
    assert memory.fallbacks == streamed.fallbacks
    n_found = n - (len(memory.fallbacks) > 0) * (memory.values == 0).sum()
    np.testing.assert_array_equal(streamed.rows[:n_found], memory.rows[:n_found])
    np.testing.assert_allclose(streamed.values, memory.values, rtol=1e-9, atol=1e-9)
    assert streamed.value_name == memory.value_name
    assert chunks.n_passes > 3 or not isinstance(sampler, KCenter)


@pytest.mark.parametrize("seed", [1, 5, 7])
def test_ties_with_rows_outside_a_large_sketch_are_those_of_memory(seed, monkeypatch):
    # More rows than contend at once, and hundreds at each distance in and out of them.
    monkeypatch.setattr(_chunk_picks, "sketch_size", lambda n, per_pick: 1500)
    X = np.random.RandomState(seed).randint(-4, 5, size=(2500, 4)).astype(float)
    picks = [
        KCenter().sample(part, 200, random_state=seed)
        for part in (DenseEmbedding(X), dense_chunks(X, 1100))
    ]
    np.testing.assert_array_equal(*picks)


def test_each_pass_yields_a_pick_whatever_rounding_does(monkeypatch):
    # A pass that finds values a little too great seems to leave greater rows outside.
    explained = _max_det._Start.explained
    monkeypatch.setattr(
        _max_det._Start, "explained", lambda self, part: explained(self, part) - 1e-9
    )
    monkeypatch.setattr(_chunk_picks, "sketch_size", lambda n, per_pick: 3)
    chunks = dense_chunks(np.repeat(np.eye(30) + 0.1, 3, axis=0), 20)
    selection = MaxDet().run(chunks, 30, random_state=0)
    assert selection.fallbacks == ()


@pytest.mark.parametrize("sampler", GREEDY, ids=name_of)
def test_greedy_rules_on_float32_pick_as_in_memory(sampler):
    embedding = DenseEmbedding(pool("norms").astype(np.float32))
    picks = [
        sampler.sample(part, 12, random_state=1)
        for part in (embedding, in_chunks(embedding, 128))
    ]
    np.testing.assert_array_equal(*picks)


@pytest.mark.filterwarnings("ignore::skbadge.exceptions.QueryWarning")
@pytest.mark.parametrize("sampler", STREAMING, ids=name_of)
def test_few_passes_do(sampler):
    chunks = dense_chunks(pool("random", 3000), 500)
    sampler.sample(chunks, 40, random_state=0)
    expected = {KMeansPlusPlus: 1, MaxDiag: 1, Random: 0}
    # Greedy rules take as many as the limit makes them.
    assert chunks.n_passes <= expected.get(type(sampler), 8)


def test_labelled_rows_spare_the_pass_for_the_first_pick():
    chunks = dense_chunks(pool("random", 3000), 500)
    labeled = chunks.parts[0].take(slice(0, 9))
    KMeansPlusPlus().sample(chunks, 40, labeled=labeled, random_state=0)
    assert chunks.n_passes == 1


@pytest.mark.parametrize("sampler", STREAMING, ids=name_of)
@pytest.mark.parametrize("seed", CASES[:16])
def test_only_rows_that_may_be_picked_are(sampler, seed):
    feasible, X = (
        random_case(60, seed),
        np.random.RandomState(seed).normal(size=(60, 70)),
    )
    for n in (1, feasible.n_left // 2, feasible.n_left):
        selection = sampler.run(
            dense_chunks(X, 13, seed), n, feasible=feasible, random_state=seed
        )
        assert selection.rows.dtype == np.int64
        assert selection.rows.shape == (n,)
        assert selection.fallbacks == ()
        for t, row in enumerate(selection.rows):
            assert is_open(feasible, selection.rows[:t])[row]


@pytest.mark.parametrize("sampler", STREAMING, ids=name_of)
@pytest.mark.parametrize("seed", CASES[:8])
@pytest.mark.parametrize("zeros", [False, True])
def test_copies_are_filled_up_uniformly(sampler, seed, zeros):
    feasible = random_case(40, seed)
    X = np.repeat(
        np.random.RandomState(0).normal(size=(4, 6)) * (not zeros), 10, axis=0
    )
    n = feasible.n_left
    chunks = dense_chunks(X, 9, seed)
    never_runs_out = isinstance(sampler, MaxDiag | Random) or (
        isinstance(sampler, MaxDet) and sampler.sigma and not zeros
    )
    if never_runs_out:
        selection = sampler.run(chunks, n, feasible=feasible, random_state=seed)
    else:
        with pytest.warns(QueryWarning, match="drawn uniformly from the rest"):
            selection = sampler.run(chunks, n, feasible=feasible, random_state=seed)
        assert len(selection.fallbacks) == 1
    assert len(np.unique(selection.rows)) == n
    for t, row in enumerate(selection.rows):
        assert is_open(feasible, selection.rows[:t])[row]


@pytest.mark.parametrize("sampler", STREAMING[:-1], ids=name_of)
@pytest.mark.filterwarnings("ignore::skbadge.exceptions.QueryWarning")
@pytest.mark.parametrize("name", ["random", "lattice"])
def test_the_selection_knows_its_rows(sampler, name):
    X = pool(name, 200)
    mask = np.arange(200) % 3 > 0
    selection = sampler.run(dense_chunks(X, 50), 100, feasible=mask, random_state=0)
    np.testing.assert_array_equal(selection.embedding.to_dense(), X[selection.rows])
    norms = np.linalg.norm(X[selection.rows], axis=1)
    np.testing.assert_allclose(selection.norms, norms)


@pytest.mark.parametrize("sampler", STREAMING, ids=name_of)
def test_small_pools(sampler):
    one = Chunks([DenseEmbedding(np.ones((1, 2)))])
    np.testing.assert_array_equal(sampler.sample(one, 1, random_state=0), [0])
    X = pool("random", 9)
    whole = DenseEmbedding(X)
    parts = [whole.take(slice(0)), whole.take(slice(0, 5)), whole.take(slice(5, 5))]
    gaps = Chunks([*parts, whole.take(slice(5, 9))])
    rows = sampler.sample(gaps, 9, random_state=0)
    np.testing.assert_array_equal(np.sort(rows), np.arange(9))
    np.testing.assert_array_equal(
        rows, sampler.sample(Chunks([whole]), 9, random_state=0)
    )
    assert sampler.sample(gaps, 0).shape == (0,)
    with pytest.warns(QueryWarning, match="`n`=10 is above the 9 rows"):
        assert len(sampler.sample(gaps, 10, random_state=0)) == 9


@pytest.mark.parametrize("sampler", STREAMING, ids=name_of)
@pytest.mark.parametrize("scale", [1e-21, 1e-30, 1e17])
def test_rows_of_any_scale_are_picked(sampler, scale):
    X = (pool("random", 60) * scale).astype(np.float32)
    rows = sampler.sample(dense_chunks(X, 20), 11, random_state=0)
    assert len(np.unique(rows)) == 11
    if type(sampler) in (KCenter, MaxDet, MaxDiag):
        in_memory = sampler.sample(DenseEmbedding(X), 11, random_state=0)
        np.testing.assert_array_equal(rows, in_memory)


@pytest.mark.parametrize("sampler", STREAMING[:-1], ids=name_of)
def test_a_row_that_is_not_finite_is_named(sampler):
    X = pool("random", 90)
    X[47, 1] = np.nan
    mask = np.arange(90) > 40
    with pytest.raises(ValueError, match=r"chunk that starts at row 40.*is row 47"):
        sampler.sample(dense_chunks(X, 20), 3, feasible=mask)


@pytest.mark.parametrize("sampler", [KMeansPlusPlus(), KCenter(), MaxDet()])
def test_chunks_that_change_between_passes_are_refused(sampler, small_sketches):
    class Shifting(Chunks):
        def reduce(self, part, merge):
            if self.n_passes == 1:
                self.parts = self.parts[:-1] + self.replacement
            return super().reduce(part, merge)

    for replacement, match in [
        ([], "now 60 rows"),
        ([DenseEmbedding(np.full((20, 12), 0.3))], "now 80 rows of"),
    ]:
        chunks = Shifting(dense_chunks(pool("random", 80), 20).parts)
        chunks.replacement = replacement
        with pytest.raises(ValueError, match=f"same rows each time.*{match}"):
            sampler.sample(chunks, 30)


def test_chunks_of_fewer_rows_than_said_are_refused():
    chunks = dense_chunks(pool("random", 80), 20)
    chunks.shape = (81, 12)
    with pytest.raises(ValueError, match=r"must hold the 81 rows.*Got 80"):
        KMeansPlusPlus().sample(chunks, 3)


@pytest.mark.parametrize("sampler", OTHERS, ids=lambda kind: kind.__name__)
def test_samplers_that_cannot_stream_say_what_to_do(sampler):
    assert not sampler.streams
    with pytest.raises(ValueError, match=r"come\s+in chunks.*`storage=`.*`subsample=`"):
        sampler().sample(dense_chunks(pool("random", 80), 20), 3)


def test_labelled_rows_of_other_columns_are_refused():
    with pytest.raises(ValueError, match="Got 3 and 12"):
        KCenter().sample(
            dense_chunks(pool("random", 80), 20), 3, labeled=DenseEmbedding(np.eye(3))
        )


@pytest.mark.filterwarnings("ignore::skbadge.exceptions.QueryWarning")
@pytest.mark.parametrize("sampler", STREAMING, ids=name_of)
def test_chunks_on_a_device_are_picked_from(sampler):
    parts = dense_chunks(pool("random", 300), 70).parts
    there = Chunks([to_device(part, "cpu") for part in parts], None)
    labeled = to_device(parts[0].take(slice(0, 4)), "cpu")
    mine = sampler.sample(
        Chunks(parts), 20, labeled=to_device(labeled, None), random_state=1
    )
    rows = sampler.sample(there, 20, labeled=labeled, random_state=1)
    np.testing.assert_array_equal(rows, mine)


def test_no_array_over_all_rows_is_made():
    class Huge(Chunks):
        def __len__(self):
            return 10**15

    chunks = Huge(dense_chunks(pool("random", 80), 20).parts, None)
    chunks.shape = (10**15, 12)
    # As far as the check of the rows that were read.
    with pytest.raises(ValueError, match="1000000000000000 rows it was said"):
        KMeansPlusPlus().sample(chunks, 3, feasible=Feasible(10**15, pending=[7]))
