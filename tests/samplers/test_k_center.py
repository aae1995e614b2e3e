"""Farthest-first traversal against brute force, and against its plain loop."""

from itertools import combinations

import numpy as np
import pytest

from skbadge.embeddings import DenseEmbedding, OuterProductEmbedding
from skbadge.exceptions import QueryWarning
from skbadge.samplers import KCenter
from skbadge.utils._ties import Ties
from tests.samplers._laws import pairwise
from tests.samplers._plain import PlainKCenter


@pytest.fixture
def sampler():
    return KCenter()


def brute_force(X, n, seed, first=None, labeled=None):
    """The farthest row, of equal ones that of least key, again and again."""
    keys = Ties(np.random.RandomState(seed)).keys(np.arange(len(X)))
    nearest, rows, values = np.full(len(X), np.inf), [], []
    if labeled is not None:
        nearest = pairwise(X, labeled).min(axis=1)
    while len(rows) < n:
        tied = np.flatnonzero(nearest >= nearest.max() * (1 - 1e-12))
        row = int(tied[keys[tied].argmin()])
        row = first if first is not None and not rows else row
        rows.append(row)
        values.append(np.sqrt(nearest[row]))
        nearest = np.minimum(nearest, pairwise(X, X[[row]])[:, 0])
    return rows, values


def pool(name, n=1500, seed=0):
    rng = np.random.RandomState(seed)
    if name == "random":
        return rng.normal(size=(n, 3))
    if name == "lattice":
        # Hundreds of rows at each distance, and copies of most.
        return rng.randint(-6, 7, size=(n, 3)).astype(float)
    assert name == "norms"
    # The rows farthest off soon have stale bounds.
    return rng.normal(size=(n, 3)) * rng.lognormal(sigma=2, size=(n, 1))


POOLS = ["random", "lattice", "norms"]


@pytest.mark.parametrize("name", POOLS)
@pytest.mark.parametrize("n", [1, 2, 30, 200])
def test_picks_are_those_of_brute_force(sampler, name, n):
    X = pool(name)
    selection = sampler.run(DenseEmbedding(X), n, random_state=0)
    first = int(selection.rows[0])
    norms = np.sqrt((X**2).sum(axis=1))
    assert norms[first] == norms.max()
    rows, values = brute_force(X, n, 0, first)
    np.testing.assert_array_equal(selection.rows, rows)
    np.testing.assert_allclose(selection.values[1:], values[1:], rtol=1e-9)
    np.testing.assert_allclose(selection.values[0], norms.max())


@pytest.mark.parametrize("name", POOLS)
@pytest.mark.parametrize("n_labeled", [1, 40])
def test_picks_from_labelled_rows_are_those_of_brute_force(sampler, name, n_labeled):
    X, seeds = pool(name), pool(name, n_labeled, seed=1)
    selection = sampler.run(
        DenseEmbedding(X), 120, labeled=DenseEmbedding(seeds), random_state=0
    )
    rows, values = brute_force(X, 120, 0, labeled=seeds)
    np.testing.assert_array_equal(selection.rows, rows)
    np.testing.assert_allclose(selection.values, values, rtol=1e-9)


@pytest.mark.parametrize("name", POOLS)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("n_labeled", [0, 5])
def test_picks_are_those_of_the_plain_loop(name, dtype, n_labeled):
    for seed in range(4):
        embedding = DenseEmbedding(pool(name, 3000, seed).astype(dtype))
        labeled = embedding.take(np.arange(n_labeled))
        picks = [
            rule.sample(embedding, 250, labeled=labeled, random_state=seed)
            for rule in (KCenter(), PlainKCenter())
        ]
        np.testing.assert_array_equal(*picks)


def test_picks_are_those_of_the_plain_loop_to_the_last_row():
    X = pool("norms", 700)
    picks = [
        rule.sample(DenseEmbedding(X), 700, random_state=0)
        for rule in (KCenter(), PlainKCenter())
    ]
    np.testing.assert_array_equal(np.sort(picks[0]), np.arange(700))
    np.testing.assert_array_equal(*picks)


def test_factored_and_dense_embeddings_give_the_same_picks(sampler):
    rng = np.random.RandomState(0)
    factored = OuterProductEmbedding(
        rng.normal(size=(600, 3)), rng.normal(size=(600, 4))
    )
    dense = DenseEmbedding(factored.to_dense())
    picks = [sampler.sample(part, 80, random_state=0) for part in (factored, dense)]
    np.testing.assert_array_equal(*picks)


@pytest.mark.parametrize("with_labeled", [False, True])
def test_the_radius_is_at_most_twice_the_best(sampler, with_labeled):
    for seed in range(20):
        rng = np.random.RandomState(seed)
        X, seeds = rng.normal(size=(9, 2)), rng.normal(size=(2, 2))
        labeled = DenseEmbedding(seeds) if with_labeled else None

        def radius(rows, X=X, seeds=seeds):
            centers = (
                np.vstack([X[list(rows)], seeds]) if with_labeled else X[list(rows)]
            )
            return np.sqrt(pairwise(X, centers).min(axis=1).max())

        rows = sampler.sample(DenseEmbedding(X), 3, labeled=labeled, random_state=0)
        best = min(radius(subset) for subset in combinations(range(9), 3))
        assert radius(rows) <= 2 * best * (1 + 1e-12)


@pytest.mark.parametrize("name", POOLS)
def test_distances_do_not_increase(sampler, name):
    labeled = DenseEmbedding(pool(name, 3, seed=1))
    selection = sampler.run(DenseEmbedding(pool(name)), 150, labeled=labeled)
    assert selection.value_name == "distance"
    # But for rounding: of equal rows any may come first.
    assert (np.diff(selection.values) <= 1e-12 * selection.values[:-1]).all()
    assert selection.values[-1] > 0


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_copies_come_last_and_uniformly(sampler, dtype):
    X = np.repeat(np.random.RandomState(0).normal(size=(6, 3)), 3, axis=0)
    with pytest.warns(QueryWarning, match="Only 6 of 10 rows"):
        selection = sampler.run(DenseEmbedding(X.astype(dtype)), 10, random_state=0)
    assert set(selection.rows[:6] // 3) == set(range(6))
    assert len(set(selection.rows.tolist())) == 10
    np.testing.assert_array_equal(selection.values[6:], 0)
    assert "the other 4 were drawn uniformly" in selection.fallbacks[0]


def test_many_copies_do_not_keep_the_rest_from_contending():
    # More rows of distance zero than contenders at first.
    X = np.vstack([np.zeros((2000, 2)), np.ones((2000, 2)), [[0.5, 0.0]]])
    with pytest.warns(QueryWarning, match="Only 3 of 4 rows"):
        rows = KCenter().sample(DenseEmbedding(X), 4, random_state=0)
    assert rows[2] == 4000


@pytest.mark.parametrize("value", [0.0, 1.7])
def test_identical_rows_are_picked_uniformly_with_a_warning(sampler, value):
    embedding = DenseEmbedding(np.full((10, 3), value))
    firsts = set()
    for seed in range(60):
        with pytest.warns(QueryWarning, match="Only 1 of 3 rows"):
            rows = sampler.sample(embedding, 3, random_state=seed)
        assert len(set(rows.tolist())) == 3
        firsts.add(int(rows[2]))
    assert firsts == set(range(10))


@pytest.mark.parametrize("rule", ["uniform", "norm_weighted", "max_norm"])
def test_the_first_row_follows_its_rule(sampler, rule):
    X = np.array([[0.0], [1.0], [-3.0], [3.0]])
    sampler.set_params(first_center=rule)
    firsts = {
        int(sampler.sample(DenseEmbedding(X), 1, random_state=seed)[0])
        for seed in range(200)
    }
    allowed = {"uniform": {0, 1, 2, 3}, "norm_weighted": {1, 2, 3}, "max_norm": {2, 3}}
    assert firsts == allowed[rule]


def test_a_seed_gives_the_same_picks_and_leaves_the_global_generator(sampler):
    sampler.set_params(first_center="uniform")
    embedding = DenseEmbedding(pool("random"))
    before = np.random.get_state()[1].copy()
    picks = [sampler.sample(embedding, 20, random_state=s) for s in (0, 0, 1)]
    np.testing.assert_array_equal(picks[0], picks[1])
    assert (picks[0] != picks[2]).any()
    np.testing.assert_array_equal(np.random.get_state()[1], before)


def test_inputs_are_left_alone(sampler):
    X, seeds = pool("norms"), pool("norms", 4, seed=1)
    copies = X.copy(), seeds.copy()
    embedding = DenseEmbedding(X)
    norms_sq = embedding.norms_sq().copy()
    sampler.sample(embedding, 50, labeled=DenseEmbedding(seeds))
    np.testing.assert_array_equal(X, copies[0])
    np.testing.assert_array_equal(seeds, copies[1])
    np.testing.assert_array_equal(embedding.norms_sq(), norms_sq)


def test_numbers_of_rows_at_the_edge(sampler):
    X = pool("random", 5)
    embedding = DenseEmbedding(X)
    none = sampler.sample(embedding, 0)
    assert none.shape == (0,)
    assert none.dtype == np.int64
    assert sorted(sampler.sample(embedding, 5)) == [0, 1, 2, 3, 4]
    with pytest.warns(QueryWarning, match="`n`=6 is above the 5 rows"):
        assert sorted(sampler.sample(embedding, 6)) == [0, 1, 2, 3, 4]
    with pytest.raises(ValueError, match="`n` must be >= 0"):
        sampler.sample(embedding, -1)
    with pytest.raises(TypeError, match="`n` must be an int"):
        sampler.sample(embedding, 1.0)


def test_bad_embeddings_and_parameters_are_refused(sampler):
    X = pool("random", 8)
    X[[2, 5]] = np.nan
    with pytest.raises(ValueError, match=r"2 of 8 rows hold NaN .* row 2"):
        sampler.sample(DenseEmbedding(X), 2)
    embedding = DenseEmbedding(pool("random", 8))
    with pytest.raises(ValueError, match="Got 2 and 3"):
        sampler.sample(embedding, 2, labeled=DenseEmbedding(np.ones((1, 2))))
    with pytest.raises(ValueError, match="'first_center' parameter of KCenter"):
        KCenter(first_center="nearest").sample(embedding, 2)


def test_fewer_distances_than_all_are_evaluated():
    # In two or three dimensions nearly all rows contend, and it may evaluate as many.
    X = np.random.RandomState(0).normal(size=(20_000, 32))
    lazy, plain = (
        rule.run(DenseEmbedding(X), 200, random_state=0)
        for rule in (KCenter(), PlainKCenter())
    )
    assert 20_000 <= lazy.n_distances < 0.6 * 20_000 * 200
    np.testing.assert_array_equal(lazy.rows, plain.rows)
