"""Largest cluster maximum distance against brute force, and against its plain loop."""

import tracemalloc

import numpy as np
import pytest

from skbadge.embeddings import (
    DenseEmbedding,
    LaplaceEmbedding,
    OuterProductEmbedding,
)
from skbadge.exceptions import QueryWarning
from skbadge.samplers import LCMD
from skbadge.samplers._lcmd import first_copies
from skbadge.utils._ties import Ties
from tests.samplers._laws import pairwise
from tests.samplers._plain import PlainLCMD

WEIGHTS = ["sq_dist", "dist", "none"]


@pytest.fixture(params=WEIGHTS)
def weights(request):
    return request.param


def brute_force(X, n, weights="sq_dist", first=None, labeled=None):
    """By definition, all distances and all clusters anew for each pick.

    Of rows equally far that of least key for a seed of 0.
    """
    keys = Ties(np.random.RandomState(0)).keys(np.arange(len(X)))
    of_row = {"sq_dist": lambda d: d, "dist": np.sqrt, "none": np.ones_like}[weights]
    labeled = X[:0] if labeled is None else labeled
    rows, values = [], []
    if first is not None:
        rows, values = [first], [np.sqrt((X[first] ** 2).sum())]
    while len(rows) < n:
        sq_dists = pairwise(X, np.vstack([labeled, X[rows]]))
        nearest, sq_dists = sq_dists.argmin(axis=1), sq_dists.min(axis=1)
        best = (-np.inf, None)
        for cluster in np.unique(nearest):
            members = np.flatnonzero(nearest == cluster)
            greatest = sq_dists[members].max()
            farthest = members[sq_dists[members] >= greatest * (1 - 1e-12)]
            farthest = farthest[keys[farthest].argmin()]
            size = sum(of_row(sq_dists[members]).tolist())
            # Sizes equal but for rounding: the first cluster.
            if greatest > 0 and size > best[0] * (1 + 1e-12):
                best = (size, farthest)
        rows.append(int(best[1]))
        values.append(np.sqrt(sq_dists[best[1]]))
    return rows, values


def pool(name, n=400, seed=0):
    rng = np.random.RandomState(seed)
    if name == "random":
        return rng.normal(size=(n, 3))
    if name == "lattice":
        # Many rows at each distance, clusters of equal size, and copies of most rows.
        return rng.randint(-3, 4, size=(n, 3)).astype(float)
    assert name == "norms"
    return rng.normal(size=(n, 3)) * rng.lognormal(sigma=2, size=(n, 1))


POOLS = ["random", "lattice", "norms"]


@pytest.mark.parametrize("name", POOLS)
@pytest.mark.parametrize("n", [1, 2, 60])
def test_picks_are_those_of_brute_force(name, n, weights):
    X = pool(name)
    sampler = LCMD(weights=weights)
    selection = sampler.run(DenseEmbedding(X), n, random_state=0)
    first = int(selection.rows[0])
    norms = np.sqrt((X**2).sum(axis=1))
    assert norms[first] == norms.max()
    rows, values = brute_force(X, n, weights, first)
    np.testing.assert_array_equal(selection.rows, rows)
    np.testing.assert_allclose(selection.values, values, rtol=1e-9)
    assert selection.value_name == "distance"
    assert selection.fallbacks == ()


@pytest.mark.parametrize("name", POOLS)
@pytest.mark.parametrize("n_labeled", [1, 2, 50])
def test_picks_from_labelled_rows_are_those_of_brute_force(name, n_labeled, weights):
    # Fifty of the lattice's seven cubed cells: some labelled rows are copies.
    X, seeds = pool(name), pool(name, n_labeled, seed=1)
    sampler = LCMD(weights=weights)
    selection = sampler.run(
        DenseEmbedding(X), 40, labeled=DenseEmbedding(seeds), random_state=0
    )
    rows, values = brute_force(X, 40, weights, labeled=seeds)
    np.testing.assert_array_equal(selection.rows, rows)
    np.testing.assert_allclose(selection.values, values, rtol=1e-9)


def test_picks_can_be_found_by_hand():
    # Sizes 4 + 1 and 9; then 5 and 0; then 1 in each of two, and the older one.
    X = DenseEmbedding([[1.0], [2.0], [13.0]])
    labeled = DenseEmbedding([[0.0], [10.0]])
    rows = LCMD().sample(X, 3, labeled=labeled)
    np.testing.assert_array_equal(rows, [2, 1, 0])


@pytest.mark.parametrize("order", [[0, 1], [1, 0]])
def test_of_clusters_of_equal_size_the_older_is_split(order, weights):
    X = DenseEmbedding([[11.0], [9.0], [1.0], [-1.0]])
    labeled = DenseEmbedding(np.array([[0.0], [10.0]])[order])
    sampler = LCMD(weights=weights)
    rows = sampler.sample(X, 2, labeled=labeled)
    # Rows 0 and 1 are as far from 10 as rows 2 and 3 are from 0.
    np.testing.assert_array_equal(rows // 2, [1, 0] if order == [0, 1] else [0, 1])


def test_a_row_between_two_centres_stays_with_the_older():
    # Row 0 is as far from the pick 3 as from the centre at 0, and makes its cluster
    # the heavier one for the next pick, of its rows the farthest.
    X = DenseEmbedding([[2.0], [-1.0], [4.5], [4.0]])
    labeled = DenseEmbedding([[0.0]])
    rows = LCMD().sample(X.take([0, 1, 3]), 2, labeled=labeled)
    np.testing.assert_array_equal(rows, [2, 0])
    nearest, sq_dists = X.nearest(DenseEmbedding([[0.0], [4.0], [4.0], [-1.0]]))
    np.testing.assert_array_equal(nearest, [0, 3, 1, 1])
    np.testing.assert_array_equal(sq_dists, [4, 0, 0.25, 0])


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("n_centers", [1, 2, 3, 300, 1500])
def test_nearest_centres_are_those_of_all_distances(dtype, n_centers):
    # More rows than fit in a block, and more centres.
    X, C = pool("norms", 2000).astype(dtype), pool("norms", n_centers, 1).astype(dtype)
    C[n_centers // 2] = X[5]
    nearest, sq_dists = DenseEmbedding(X).nearest(DenseEmbedding(C))
    expected = pairwise(X.astype(float), C.astype(float))
    tolerance = 1e-5 if dtype == np.float32 else 1e-12
    rows = np.arange(len(X))
    norms_sq, centers_sq = ((A.astype(float) ** 2).sum(axis=1) for A in (X, C))
    limit = tolerance * (norms_sq + centers_sq[nearest])
    assert (expected[rows, nearest] - expected.min(axis=1) <= limit).all()
    assert (np.abs(sq_dists - expected.min(axis=1)) <= limit).all()
    assert sq_dists[5] == 0
    assert dtype == np.float32 or (nearest == expected.argmin(axis=1)).all()


def test_first_copies_are_found_across_blocks():
    X = np.random.RandomState(0).randint(0, 40, size=(1500, 2)).astype(float)
    _, first = np.unique(X, axis=0, return_index=True)
    copies = first_copies(DenseEmbedding(X), 1e-12)
    np.testing.assert_array_equal(copies, np.sort(first))


def test_of_equally_near_centres_in_two_blocks_the_first_is_nearest():
    centers = np.full((1500, 1), 7.0)
    centers[[100, 1200], 0] = [1.0, -1.0]
    nearest, sq_dists = DenseEmbedding([[0.0], [-0.5]]).nearest(DenseEmbedding(centers))
    np.testing.assert_array_equal(nearest, [100, 1200])
    np.testing.assert_array_equal(sq_dists, [1, 0.25])


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_copies_of_labelled_rows_change_nothing(dtype, weights):
    # Among copies that differ in the last digits, rows would be shared by rounding.
    rng = np.random.RandomState(0)
    X, seeds = rng.normal(size=(300, 20)), rng.normal(size=(7, 20))
    noise = rng.uniform(-8, 8, size=(9, 7, 20)) * np.finfo(dtype).eps
    copies = (seeds * (1 + noise)).reshape(-1, 20)
    sampler = LCMD(weights=weights)
    picks = [
        sampler.sample(
            DenseEmbedding(X.astype(dtype)),
            30,
            labeled=DenseEmbedding(labeled.astype(dtype)),
        )
        for labeled in (seeds, np.vstack([seeds, copies]))
    ]
    np.testing.assert_array_equal(*picks)


def test_a_cluster_of_copies_only_is_passed_over():
    X = DenseEmbedding([[0.0]] * 5 + [[10.0], [11.0], [12.0]])
    labeled = DenseEmbedding([[0.0], [10.0]])
    sampler = LCMD(weights="none")
    rows = sampler.sample(X, 2, labeled=labeled)
    np.testing.assert_array_equal(rows, [7, 6])


class Imprecise(DenseEmbedding):
    """Distances with an error, of a row from itself as well."""

    def _take(self, rows):
        return Imprecise(self.matrix[rows])

    def sq_dists(self, other):
        return super().sq_dists(other) + 0.3


def test_no_row_is_picked_twice_whatever_its_distance_from_itself(weights):
    sampler = LCMD(weights=weights)
    X = np.repeat(pool("random", 25), 2, axis=0)
    rows = sampler.sample(Imprecise(X), 50, random_state=0)
    np.testing.assert_array_equal(np.sort(rows), np.arange(50))


@pytest.mark.parametrize("name", POOLS)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("n_labeled", [0, 5])
def test_picks_are_those_of_the_plain_loop(name, dtype, n_labeled, weights):
    for seed in range(3):
        embedding = DenseEmbedding(pool(name, 3000, seed).astype(dtype))
        labeled = embedding.take(np.arange(n_labeled))
        picks = [
            rule(weights=weights).sample(
                embedding, 100, labeled=labeled, random_state=seed
            )
            for rule in (LCMD, PlainLCMD)
        ]
        np.testing.assert_array_equal(*picks)


def test_rows_near_their_centres_are_left_out():
    X = pool("norms", 20_000)
    labeled = DenseEmbedding(pool("norms", 100, seed=1))
    lazy, plain = (
        rule.run(DenseEmbedding(X), 100, labeled=labeled, random_state=0)
        for rule in (LCMD(), PlainLCMD())
    )
    np.testing.assert_array_equal(lazy.rows, plain.rows)
    seeding = 100**2 + 20_000 * 100
    between_centres = sum(range(100, 200))
    assert between_centres <= lazy.n_distances - seeding < 0.1 * 20_000 * 100


def test_factored_and_dense_embeddings_give_the_same_picks():
    rng = np.random.RandomState(0)
    factored = OuterProductEmbedding(
        rng.normal(size=(500, 3)), rng.normal(size=(500, 4))
    )
    dense = DenseEmbedding(factored.to_dense())
    sampler = LCMD()
    picks = [
        sampler.sample(part.take(slice(20, 500)), 50, labeled=part.take(slice(20)))
        for part in (factored, dense)
    ]
    np.testing.assert_array_equal(*picks)


def test_kernels_without_columns_are_sampled_by_their_distances(weights):
    X = pool("random", 150)
    embedding = LaplaceEmbedding(X)
    sampler = LCMD(weights=weights)
    rows = sampler.sample(
        embedding.take(slice(10, 150)),
        20,
        labeled=embedding.take(slice(10)),
        random_state=0,
    )
    # The same rows with columns: the Gram matrix's root.
    values, vectors = np.linalg.eigh(embedding.cross(embedding))
    root = vectors * np.sqrt(np.maximum(values, 0))
    expected, _ = brute_force(root[10:], 20, weights, labeled=root[:10])
    np.testing.assert_array_equal(rows, expected)


def test_picks_do_not_depend_on_the_scale_of_the_embedding(weights):
    X, seeds = pool("norms"), pool("norms", 6, seed=1)
    picks = [
        LCMD(weights=weights).sample(
            DenseEmbedding(scale * X), 30, labeled=DenseEmbedding(scale * seeds)
        )
        for scale in (1.0, 2.0**40, 2.0**-40)
    ]
    np.testing.assert_array_equal(picks[0], picks[1])
    np.testing.assert_array_equal(picks[0], picks[2])


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("n_labeled", [0, 2])
def test_copies_come_last_and_uniformly(dtype, n_labeled, weights):
    X = np.repeat(np.random.RandomState(0).normal(size=(6, 3)), 3, axis=0)
    embedding = DenseEmbedding(X.astype(dtype))
    labeled = embedding.take(np.arange(0, 3 * n_labeled, 3))
    sampler = LCMD(weights=weights)
    n_distinct = 6 - n_labeled
    fills = set()
    for seed in range(30):
        with pytest.warns(QueryWarning, match=f"Only {n_distinct} of 7 rows could be"):
            selection = sampler.run(embedding, 7, labeled=labeled, random_state=seed)
        assert set(selection.rows[:n_distinct] // 3) == set(range(n_labeled, 6))
        assert len(set(selection.rows.tolist())) == 7
        np.testing.assert_array_equal(selection.values[n_distinct:], 0)
        fills |= set(selection.rows[n_distinct:].tolist())
    assert len(fills) > 8


@pytest.mark.parametrize("value", [0.0, 1.7])
def test_identical_rows_are_picked_uniformly_with_a_warning(value, weights):
    embedding = DenseEmbedding(np.full((10, 3), value))
    sampler = LCMD(weights=weights)
    drawn = set()
    for seed in range(60):
        with pytest.warns(QueryWarning, match="Only 1 of 3 rows"):
            rows = sampler.sample(embedding, 3, random_state=seed)
        assert len(set(rows.tolist())) == 3
        drawn.add(int(rows[2]))
    assert drawn == set(range(10))


@pytest.mark.parametrize("rule", ["uniform", "norm_weighted", "max_norm"])
def test_the_first_row_follows_its_rule(rule):
    X = np.array([[0.0], [1.0], [-3.0], [3.0]])
    firsts = {
        int(LCMD(first_center=rule).sample(DenseEmbedding(X), 1, random_state=seed)[0])
        for seed in range(200)
    }
    allowed = {"uniform": {0, 1, 2, 3}, "norm_weighted": {1, 2, 3}, "max_norm": {2, 3}}
    assert firsts == allowed[rule]


@pytest.mark.parametrize("parameter", ["weights", "first_center"])
def test_unknown_values_of_parameters_are_refused(parameter):
    embedding = DenseEmbedding(pool("random", 8))
    with pytest.raises(ValueError, match=f"'{parameter}' parameter of LCMD"):
        LCMD(**{parameter: "largest"}).sample(embedding, 2)


def test_memory_is_that_of_a_few_arrays_of_the_rows():
    # A matrix of rows by labelled rows would take 400 numbers for each row.
    n_rows, n_labeled = 60_000, 400
    rng = np.random.default_rng(0)
    shape = (n_rows + n_labeled, 8)
    both = DenseEmbedding(rng.standard_normal(shape, dtype=np.float32))
    embedding, labeled = both.take(slice(n_rows)), both.take(slice(n_rows, None))
    embedding.norms_sq()
    tracemalloc.start()
    LCMD().sample(embedding, 20, labeled=labeled)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # Six float64 arrays of the rows, and blocks of half a million numbers.
    assert peak < 8 * (6 * n_rows + 4 * 2**19)
