"""BAIT for regression against sums of posterior variances, one by one."""

import tracemalloc

import numpy as np
import pytest

from skbadge.embeddings import (
    DenseEmbedding,
    LaplaceEmbedding,
    OuterProductEmbedding,
)
from skbadge.exceptions import QueryWarning
from skbadge.samplers import Bait, bait_greedy
from skbadge.samplers._bait import VectorFisher


class Oracle:
    """Mean posterior variances of all rows, in kernel space, and the greedy search."""

    def __init__(self, X, sigma, labeled=None):
        self.n_rows, self.sigma = len(X), sigma
        self.X = X if labeled is None else np.vstack([X, labeled])
        self.labeled = list(range(len(X), len(self.X)))

    def variance(self, rows):
        kernel = self.X @ self.X.T
        seen = [*rows, *self.labeled]
        cross = kernel[:, seen]
        noisy = kernel[np.ix_(seen, seen)] + self.sigma**2 * np.eye(len(seen))
        explained = np.einsum("ij,ji->i", cross, np.linalg.solve(noisy, cross.T))
        return np.mean(np.diagonal(kernel) - explained)

    def search(self, n, oversampling):
        rows, values = [], []
        while len(rows) < min(max(int(oversampling * n), n), self.n_rows):
            left = [row for row in range(self.n_rows) if row not in rows]
            after = [self.variance([*rows, row]) for row in left]
            values.append(self.variance(rows) - min(after))
            rows.append(left[int(np.argmin(after))])
        kept = list(rows)
        while len(kept) > n:
            without = [[r for r in kept if r != row] for row in kept]
            kept = without[int(np.argmin([self.variance(rest) for rest in without]))]
        gains = dict(zip(rows, values, strict=True))
        return rows, kept, [gains[row] for row in kept]


def pool(n=30, n_columns=5, seed=0):
    rng = np.random.RandomState(seed)
    return rng.normal(size=(n, n_columns)) * rng.lognormal(sigma=0.7, size=(n, 1))


@pytest.mark.parametrize("sigma", [0.03, 1.0, 10.0])
@pytest.mark.parametrize("n_labeled", [0, 4, 20])
@pytest.mark.parametrize("n", [1, 4, 9])
def test_forward_search_leaves_the_least_variance(sigma, n_labeled, n):
    for seed in range(2):
        X = pool(seed=seed)
        seeds = pool(n_labeled, seed=seed + 10) if n_labeled else None
        rows, _, values = Oracle(X, sigma, seeds).search(n, 1.0)
        selection = Bait(sigma=sigma, oversampling=1.0).run(
            DenseEmbedding(X),
            n,
            labeled=None if seeds is None else DenseEmbedding(seeds),
        )
        np.testing.assert_array_equal(selection.rows, rows)
        np.testing.assert_allclose(selection.values, values, rtol=1e-6)
        assert selection.value_name == "fall of the mean variance"
        assert selection.fallbacks == ()


@pytest.mark.parametrize("oversampling", [1.5, 2.0, 3.0])
@pytest.mark.parametrize("n_labeled", [0, 6])
def test_backward_search_removes_what_is_missed_least(oversampling, n_labeled):
    n_pruned = 0
    for sigma in (0.05, 1.0):
        for seed in range(5):
            X = pool(n_columns=4, seed=seed)
            seeds = pool(n_labeled, 4, seed=seed + 10) if n_labeled else None
            oracle = Oracle(X, sigma, seeds)
            added, rows, values = oracle.search(4, oversampling)
            selection = Bait(sigma=sigma, oversampling=oversampling).run(
                DenseEmbedding(X),
                4,
                labeled=None if seeds is None else DenseEmbedding(seeds),
            )
            np.testing.assert_array_equal(selection.rows, rows)
            np.testing.assert_allclose(selection.values, values, rtol=1e-6)
            n_pruned += added[:4] != rows
    # Removal would not be tested if it always undid the last additions.
    assert n_pruned


@pytest.mark.parametrize("scale", [0.1, 1.0, 30.0])
def test_little_noise_keeps_the_digits(scale):
    # The benchmark's noise, and more picks than columns: the first picks shrink what
    # the rest is worth by many digits. Picks that are all but equal may differ from
    # those of another order of summation, so each is held against the picks before it.
    X = scale * pool(200, 12, 3)
    selection = Bait(oversampling=1.0).run(DenseEmbedding(X), 40)
    target, precision = X.T @ X / 200, 1e-6 * np.eye(12)
    for i, (row, value) in enumerate(zip(selection.rows, selection.values)):
        inverse = np.linalg.inv(precision)
        gains = np.einsum("ij,ij->i", X @ (inverse @ target @ inverse), X)
        gains /= 1 + np.einsum("ij,ij->i", X @ inverse, X)
        gains[selection.rows[:i]] = -np.inf
        assert gains[row] >= gains.max() * (1 - 1e-4)
        np.testing.assert_allclose(value, 1e-6 * gains[row], rtol=1e-4)
        precision += np.outer(X[row], X[row])


def test_observing_first_is_the_same_as_the_embedding_of_the_posterior():
    # But for the labelled rows' own variance, which counts when they are given.
    X, seeds, sigma = pool(200, 8), pool(300, 8, 1), 1e-3
    precision = seeds.T @ seeds + sigma**2 * np.eye(8)
    root = sigma * np.linalg.cholesky(np.linalg.inv(precision))
    picks = Bait(sigma=sigma).sample(DenseEmbedding(X @ root), 10)
    X = np.vstack([X, 0 * seeds])
    again = Bait(sigma=sigma).sample(DenseEmbedding(X @ root), 10)
    np.testing.assert_array_equal(picks, again)


def test_it_is_the_search_on_fisher_information_of_one_line():
    X, seeds = pool(100), pool(9, seed=1)
    selection = Bait(sigma=0.3).run(
        DenseEmbedding(X), 8, labeled=DenseEmbedding(seeds), random_state=0
    )
    same = bait_greedy(
        VectorFisher(DenseEmbedding(X)),
        8,
        labeled=VectorFisher(DenseEmbedding(seeds)),
        regularization=0.3**2,
        labeled_weighting="counts",
        random_state=0,
    )
    np.testing.assert_array_equal(selection.rows, same.rows)
    np.testing.assert_allclose(selection.values, 0.3**2 * same.values)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_rows_are_roots_of_one_line(dtype):
    rng = np.random.RandomState(0)
    embedding = OuterProductEmbedding(
        rng.normal(size=(700, 3)).astype(dtype), rng.normal(size=(700, 4)).astype(dtype)
    )
    fisher, X = VectorFisher(embedding), embedding.to_dense().astype(np.float64)
    assert (len(fisher), fisher.rank, fisher.n_parameters) == (700, 1, 12)
    assert fisher.nbytes == embedding.nbytes
    matrix = rng.normal(size=(12, 12))
    matrix += matrix.T
    close = 1e-12 if dtype == np.float64 else 1e-5
    for actual, expected in [
        (fisher.dense(), X[:, None, :]),
        (fisher.norms_sq(), (X**2).sum(axis=1)),
        (fisher.products(matrix[:, :5]), (X @ matrix[:, :5])[:, None]),
        (fisher.grams(matrix), np.diagonal(X @ matrix @ X.T)[:, None, None]),
        (fisher.total_information(), X.T @ X),
        (fisher.take(np.array([5, 2])).dense(), X[[5, 2], None]),
    ]:
        assert actual.dtype == np.float64
        np.testing.assert_allclose(actual, expected, rtol=close, atol=100 * close)
    total = np.ones((12, 12))
    fisher._add_information(total)
    np.testing.assert_allclose(total - 1, X.T @ X, rtol=close, atol=100 * close)


def test_of_equal_rows_a_random_one_is_picked():
    X = np.repeat(pool(4), 5, axis=0)
    firsts = {
        int(Bait().sample(DenseEmbedding(X), 1, random_state=seed)[0])
        for seed in range(60)
    }
    assert len(firsts) == 5
    assert len({row // 5 for row in firsts}) == 1


def test_rows_of_zeros_come_last_and_uniformly():
    X = np.vstack([np.zeros((4, 5)), pool(3), np.zeros((4, 5))])
    fills = set()
    for seed in range(60):
        with pytest.warns(QueryWarning, match="Only 3 of 5 rows have embeddings other"):
            rows = Bait().sample(DenseEmbedding(X), 5, random_state=seed)
        assert set(rows[:3].tolist()) == {4, 5, 6}
        fills |= set(rows[3:].tolist())
    assert fills == set(range(4)) | set(range(7, 11))


def test_all_rows_come_in_the_order_of_what_each_alone_would_do():
    X = pool(12)
    rows = Bait(sigma=0.5).sample(DenseEmbedding(X), 12)
    oracle = Oracle(X, 0.5)
    alone = [oracle.variance([row]) for row in rows]
    assert (np.diff(alone) >= -1e-12).all()
    assert sorted(rows) == list(range(12))


def test_kernels_without_columns_are_refused():
    with pytest.raises(ValueError, match="inner products of its rows only"):
        Bait().sample(LaplaceEmbedding(pool()), 3)


@pytest.mark.parametrize(
    "parameters", [{"sigma": 0.0}, {"sigma": -1.0}, {"oversampling": 0.9}]
)
def test_parameters_out_of_range_are_refused(parameters):
    (name,) = parameters
    with pytest.raises(ValueError, match=f"'{name}' parameter of Bait"):
        Bait(**parameters).sample(DenseEmbedding(pool()), 3)


def test_noise_too_small_for_float64_is_refused():
    X = np.outer(np.linspace(1, 2, 30), np.ones(5))
    labeled = DenseEmbedding(1e6 * X)
    with pytest.raises(ValueError, match="`sigma`=1e-06 is too small beside the rows"):
        Bait(sigma=1e-6).sample(DenseEmbedding(X), 3, labeled=labeled)


def test_memory_is_that_of_small_arrays_beside_the_embedding():
    X = np.random.default_rng(0).standard_normal((40_000, 64), dtype=np.float32)
    embedding = DenseEmbedding(X)
    embedding.norms_sq()
    tracemalloc.start()
    Bait(sigma=0.1).sample(embedding, 3)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # A copy in float64 would be 64 numbers a row.
    assert peak < 8 * (16 * len(X) + 6 * 64**2 + 4 * 2**19)
