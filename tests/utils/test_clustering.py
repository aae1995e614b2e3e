"""k-means clusters, and the rows nearest to their centres."""

import numpy as np
import pytest
from scipy import sparse

from skbadge.samplers import Feasible
from skbadge.utils._clustering import cluster, nearest_distinct
from skbadge.utils._ties import Ties

KINDS = [np.float32, np.float64, sparse.csr_matrix]


def blobs(n_blobs=4, n_each=30, n_columns=6, seed=0):
    rng = np.random.RandomState(seed)
    centers = 20 * rng.normal(size=(n_blobs, n_columns))
    return np.repeat(centers, n_each, axis=0) + rng.normal(
        size=(n_blobs * n_each, n_columns)
    )


def cast(matrix, kind):
    if kind is sparse.csr_matrix:
        return sparse.csr_matrix(np.where(np.abs(matrix) < 0.5, 0, matrix))
    return matrix.astype(kind)


def dense(matrix):
    matrix = matrix.toarray() if sparse.issparse(matrix) else matrix
    return matrix.astype(np.float64)


@pytest.mark.parametrize("kind", KINDS)
def test_clusters_are_those_that_there_are(kind):
    matrix = cast(blobs(), kind)
    before = matrix.copy()
    labels, centers = cluster(matrix, 4, np.random.RandomState(0))
    assert labels.dtype == np.int64
    by_blob = labels.reshape(4, 30)
    assert (by_blob == by_blob[:, :1]).all()
    assert set(by_blob[:, 0]) == set(range(4))
    for j in range(4):
        np.testing.assert_allclose(
            centers[j], dense(matrix)[labels == j].mean(axis=0), rtol=1e-4, atol=1e-4
        )
    assert (matrix != before).sum() == 0


@pytest.mark.parametrize("make", [sparse.csr_matrix, sparse.csr_array])
def test_indices_of_sparse_rows_may_be_long(make):
    matrix = make(cast(blobs(), sparse.csr_matrix))
    expected = cluster(matrix, 4, np.random.RandomState(0))
    long = make(matrix)
    long.indices, long.indptr = (
        part.astype(np.int64) for part in (matrix.indices, matrix.indptr)
    )
    found = cluster(long, 4, np.random.RandomState(0))
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)
    assert long.indices.dtype == np.int64


def test_weights_too_small_for_the_dtype_still_make_clusters():
    # All but three rows have a weight of 0 in float32.
    weights = np.full(120, 1e-60)
    weights[:3] = 1.0
    matrix = blobs().astype(np.float32)
    labels, centers = cluster(matrix, 12, np.random.RandomState(0), weights=weights)
    assert len(np.unique(centers, axis=0)) == 12
    assert all(len(np.unique(blob)) > 1 for blob in labels.reshape(4, 30))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("n_clusters", [51, 80])
def test_no_two_clusters_of_few_rows_have_the_same_centre(n_clusters, kind):
    # Mini-batches of as many rows start centres anew on rows that have one.
    matrix = cast(np.random.RandomState(0).normal(size=(90, 5)), kind)
    for seed in range(10):
        labels, centers = cluster(matrix, n_clusters, np.random.RandomState(seed))
        assert len(np.unique(labels)) == n_clusters
        assert len(np.unique(centers.round(4), axis=0)) == n_clusters


def test_many_clusters_are_made_from_mini_batches():
    matrix = blobs(60, 40)
    labels, centers = cluster(matrix, 60, np.random.RandomState(0))
    assert centers.shape == (60, 6)
    nearest = ((matrix[:, None] - centers) ** 2).sum(axis=2).argmin(axis=1)
    assert (labels == nearest).mean() > 0.99
    sq_dists = ((matrix - centers[labels]) ** 2).sum(axis=1)
    # One-off seeds of as many clusters leave far more.
    assert np.median(sq_dists) < 10


@pytest.mark.parametrize("n_clusters", [4, 60])
def test_the_generator_seeds_the_clusters(n_clusters):
    matrix = blobs(10, 20)
    rng = np.random.RandomState(3)
    labels, centers = cluster(matrix, n_clusters, rng)
    again, same = cluster(matrix, n_clusters, np.random.RandomState(3))
    np.testing.assert_array_equal(labels, again)
    np.testing.assert_array_equal(centers, same)
    other, _ = cluster(matrix, n_clusters, rng)
    assert (labels != other).any()


def test_centres_are_weighted_means():
    matrix, rng = blobs(), np.random.RandomState(0)
    weights = rng.random_sample(120)
    labels, centers = cluster(matrix, 4, rng, weights=1e-200 * weights)
    for j in range(4):
        mine = labels == j
        mean = np.average(matrix[mine], axis=0, weights=weights[mine])
        np.testing.assert_allclose(centers[j], mean)


def test_rows_of_weight_zero_move_no_centre_and_have_a_label():
    matrix = blobs()
    weights = (np.arange(120) % 30 < 20).astype(float)
    labels, centers = cluster(matrix, 4, np.random.RandomState(0), weights=weights)
    by_blob = labels.reshape(4, 30)
    assert (by_blob == by_blob[:, :1]).all()
    means = matrix.reshape(4, 30, 6)[:, :20].mean(axis=1)
    np.testing.assert_allclose(centers[by_blob[:, 0]], means)


@pytest.mark.parametrize("n_clusters", [4, 60])
def test_weights_that_are_all_zero_are_like_none(n_clusters):
    labels, centers = cluster(
        blobs(), n_clusters, np.random.RandomState(0), weights=np.zeros(120)
    )
    same, equal = cluster(blobs(), n_clusters, np.random.RandomState(0))
    np.testing.assert_array_equal(labels, same)
    np.testing.assert_array_equal(centers, equal)


def test_there_are_as_many_centres_as_asked_for_of_fewer_rows_with_a_weight():
    matrix, weights = blobs(), np.zeros(120)
    weights[[0, 30]] = 1.0
    labels, centers = cluster(matrix, 4, np.random.RandomState(0), weights=weights)
    assert len(set(labels)) == 4
    np.testing.assert_allclose(centers[labels[0]], matrix[0], atol=1e-3)
    np.testing.assert_allclose(centers[labels[30]], matrix[30], atol=1e-3)


@pytest.mark.parametrize("n_clusters", [1, 5, 40, 80])
@pytest.mark.parametrize("kind", KINDS)
def test_fewer_distinct_rows_than_clusters_warn_of_nothing(n_clusters, kind):
    # Warnings are errors here.
    matrix = cast(np.tile(blobs(3, 1), (30, 1))[:80], kind)
    for weights in (None, np.arange(80.0) % 2):
        labels, centers = cluster(
            matrix, n_clusters, np.random.RandomState(0), weights=weights
        )
        assert labels.shape == (80,)
        assert centers.shape == (n_clusters, 6)
        assert np.isfinite(centers).all()


def brute_force(matrix, centers, open_rows):
    sq_dists = ((dense(matrix)[:, None] - centers) ** 2).sum(axis=2)
    rows = []
    for j in range(len(centers)):
        rows.append(int(np.where(open_rows.mask, sq_dists[:, j], np.inf).argmin()))
        open_rows.close(rows[-1])
    return rows


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shift", [0.0, 1e4])
def test_nearest_rows_are_those_of_brute_force(kind, shift):
    rng = np.random.RandomState(0)
    matrix = cast(rng.normal(size=(5000, 5)) + shift, kind)
    # Several centres have the same nearest row.
    centers = np.repeat(rng.normal(size=(20, 5)) + shift, 4, axis=0)
    groups = rng.randint(300, size=5000)
    feasible = Feasible(5000, rng.random_sample(5000) < 0.7, groups, 2, [1, 4])
    rows = nearest_distinct(matrix, centers, feasible.open(), Ties(rng))
    assert rows.dtype == np.int64
    assert rows.tolist() == brute_force(matrix, centers, feasible.open())


def test_all_rows_may_be_taken():
    rng = np.random.RandomState(0)
    matrix = rng.normal(size=(3000, 2))
    rows = nearest_distinct(
        matrix, np.zeros((3000, 2)), Feasible(3000).open(), Ties(rng)
    )
    order = np.argsort((matrix**2).sum(axis=1))
    np.testing.assert_array_equal(rows, order)


@pytest.mark.parametrize("kind", KINDS)
def test_equal_rows_have_each_their_turn_wherever_they_stand(kind):
    # In three blocks.
    copies = [5, 1500, 1501, 3999]
    matrix = np.random.RandomState(0).normal(size=(4000, 128))
    matrix[copies] = matrix[5]
    matrix = cast(matrix, kind)
    center = dense(matrix[[5]]) + 1e-3
    picked = [
        nearest_distinct(matrix, center, Feasible(4000).open(), Ties(rng))[0]
        for rng in map(np.random.RandomState, range(60))
    ]
    assert set(picked) == set(copies)


def test_no_centres_take_no_rows():
    rows = nearest_distinct(
        np.ones((3, 2)),
        np.empty((0, 2)),
        Feasible(3).open(),
        Ties(np.random.RandomState(0)),
    )
    assert rows.shape == (0,)
