"""Greedy determinants against brute force, and against a plain loop."""

from itertools import combinations

import numpy as np
import pytest
from scipy.linalg.lapack import dpstrf

from skbadge.embeddings import (
    DenseEmbedding,
    gradient_embedding,
)
from skbadge.exceptions import QueryWarning
from skbadge.samplers import MaxDet
from skbadge.utils._ties import Ties
from tests.samplers._plain import PlainMaxDet


def log_det(X, sigma=0.0):
    """Log-determinant of the Gram matrix with noise; -inf if it is singular."""
    gram = X @ X.T + sigma**2 * np.eye(len(X))
    sign, value = np.linalg.slogdet(gram)
    return value if sign > 0 else -np.inf


def keys(n_rows, seed=0):
    """The rows' own numbers, of which the least decides a tie."""
    return Ties(np.random.RandomState(seed)).keys(np.arange(n_rows))


def brute_force(X, n, sigma=0.0, labeled=None):
    """The row that makes the greatest determinant, again and again."""
    labeled = np.empty((0, X.shape[1])) if labeled is None else labeled
    rows, gains = [], []
    before = log_det(labeled, sigma) if len(labeled) else 0.0
    while len(rows) < n:
        gain = np.full(len(X), -np.inf)
        for row in set(range(len(X))) - set(rows):
            batch = np.vstack([labeled, X[[*rows, row]]])
            gain[row] = log_det(batch, sigma) - before
        # Equal determinants differ by rounding.
        tied = np.flatnonzero(gain >= gain.max() - 1e-9)
        row = int(tied[keys(len(X))[tied].argmin()])
        rows.append(row)
        gains.append(gain[row])
        before += gain[row]
    return rows, gains


def residuals(X, batch):
    """Squared distances of rows to the span of a batch, by least squares."""
    if not len(batch):
        return (X**2).sum(axis=1)
    basis, singular, _ = np.linalg.svd(batch.T, full_matrices=False)
    basis = basis[:, singular > 1e-9 * singular.max(initial=1e-300)]
    return ((X - X @ basis @ basis.T) ** 2).sum(axis=1)


def conditional_variances(X, batch, sigma):
    """Variances of rows given a batch observed with noise, by an inverse."""
    if not sigma:
        return residuals(X, batch)
    gram = batch @ batch.T + sigma**2 * np.eye(len(batch))
    cross = X @ batch.T
    return (X**2).sum(axis=1) - np.einsum(
        "ij,ji->i", cross, np.linalg.solve(gram, cross.T)
    )


def pool(name, n=1500, d=24, seed=0):
    rng = np.random.RandomState(seed)
    if name == "random":
        return rng.normal(size=(n, d))
    if name == "lattice":
        # Many rows of each norm, at right angles, and copies with either sign.
        X = rng.randint(-1, 2, size=(n, d)) * (rng.uniform(size=(n, d)) < 0.15)
        return X.astype(float)
    assert name == "norms"
    return rng.normal(size=(n, d)) * rng.lognormal(sigma=1.5, size=(n, 1))


POOLS = ["random", "lattice", "norms"]


@pytest.mark.parametrize("sigma", [0.0, 0.3, 5.0])
@pytest.mark.parametrize("n_labeled", [0, 1, 3])
def test_picks_are_those_of_brute_force_on_determinants(sigma, n_labeled):
    for seed in range(8):
        rng = np.random.RandomState(seed)
        # The labelled rows and the picks are as many as the rank, with noise more.
        X = rng.normal(size=(10, 7)) * rng.lognormal(size=(10, 1))
        n = 10 if sigma else 7 - n_labeled
        seeds = rng.normal(size=(n_labeled, 7))
        selection = MaxDet(sigma=sigma).run(
            DenseEmbedding(X), n, labeled=DenseEmbedding(seeds), random_state=0
        )
        rows, gains = brute_force(X, n, sigma, seeds)
        np.testing.assert_array_equal(selection.rows, rows)
        np.testing.assert_allclose(np.log(selection.values), gains, atol=1e-7)
        assert selection.fallbacks == ()
        assert selection.value_name == "conditional variance"


@pytest.mark.parametrize("sigma", [0.0, 0.3])
def test_ties_of_determinants_go_to_the_row_of_least_key(sigma):
    # Corners of a cube: opposite ones are the same direction, all have the same norm.
    X = np.array([[a, b, c] for a in (1, -1) for b in (1, -1) for c in (1, -1)], float)
    n = 8 if sigma else 3
    rows = MaxDet(sigma=sigma).sample(DenseEmbedding(X), n, random_state=0)
    np.testing.assert_array_equal(rows, brute_force(X, n, sigma)[0])
    assert rows[0] == keys(8).argmin()


# Rows that contend at first, less those longer than 2: all of equal norm, or not.
@pytest.mark.parametrize("n_equal", [512 - 50, 850])
def test_ties_of_rows_that_were_unequal_before_go_to_the_least_key(n_equal):
    # What the last rows have beyond the others lies in the direction of the first pick.
    X = np.zeros((900, 900))
    X[np.arange(850), np.arange(850)] = np.where(np.arange(850) < n_equal, 2.0, 1.0)
    X[850:899, 850:899] = 2.0 * np.eye(49)
    X[850:899, 899] = 3.0
    X[899, 899] = 10.0
    rows = MaxDet().sample(DenseEmbedding(X), 650, random_state=0)
    equal = np.r_[:n_equal, 850:899]
    rest = np.arange(n_equal, 850)
    order = [equal[keys(900)[equal].argsort()], rest[keys(900)[rest].argsort()]]
    np.testing.assert_array_equal(rows, np.r_[899, np.concatenate(order)][:650])


def test_ties_but_for_rounding_go_to_the_least_key():
    rng = np.random.RandomState(0)
    X = np.diag(2.0 * (1 + 1e-15 * rng.uniform(-1, 1, size=900)))
    rows = MaxDet().sample(DenseEmbedding(X), 700, random_state=0)
    np.testing.assert_array_equal(rows, keys(900).argsort()[:700])


@pytest.mark.parametrize("name", POOLS)
@pytest.mark.parametrize("sigma", [0.0, 0.5])
@pytest.mark.parametrize("n_labeled", [0, 9])
def test_each_pick_has_the_greatest_conditional_variance(name, sigma, n_labeled):
    X, seeds = pool(name), pool(name, n_labeled, seed=1)
    n = 60 if sigma else 24 - np.linalg.matrix_rank(seeds) if n_labeled else 24
    selection = MaxDet(sigma=sigma).run(
        DenseEmbedding(X), n, labeled=DenseEmbedding(seeds), random_state=0
    )
    batch = seeds
    free = np.ones(len(X), dtype=bool)
    for row, value in zip(selection.rows, selection.values, strict=True):
        variances = conditional_variances(X, batch, sigma)
        tied = np.flatnonzero(free & (variances >= variances[free].max() - 1e-9))
        assert row == tied[keys(len(X))[tied].argmin()]
        np.testing.assert_allclose(value, variances[row] + sigma**2, rtol=1e-8)
        batch, free[row] = np.vstack([batch, X[row]]), False


def test_picks_are_the_pivots_of_lapack():
    for seed in range(5):
        X = pool("norms", 300, d=40, seed=seed)
        selection = MaxDet().run(DenseEmbedding(X), 40)
        factor, pivots, rank, _ = dpstrf(X @ X.T, tol=1e-9, lower=1)
        assert rank == 40
        np.testing.assert_array_equal(selection.rows, pivots[:40] - 1)
        np.testing.assert_allclose(selection.values, factor.diagonal()[:40] ** 2)


@pytest.mark.parametrize("name", POOLS)
@pytest.mark.parametrize(
    ("sigma", "n_labeled"), [(0.0, 0), (0.0, 20), (0.2, 0), (0.2, 20), (0.2, 300)]
)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_picks_are_those_of_the_plain_loop(name, sigma, n_labeled, dtype):
    for seed in range(2):
        X = pool(name, 3000, d=40, seed=seed).astype(dtype)
        seeds = pool(name, n_labeled, d=40, seed=9).astype(dtype)
        n = 90 if sigma else 40 - n_labeled
        lazy, plain = (
            rule(sigma=sigma).run(
                DenseEmbedding(X), n, labeled=DenseEmbedding(seeds), random_state=seed
            )
            for rule in (MaxDet, PlainMaxDet)
        )
        np.testing.assert_array_equal(lazy.rows, plain.rows)
        np.testing.assert_allclose(lazy.values, plain.values, rtol=1e-6)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("bias", [False, True])
def test_factored_and_dense_embeddings_give_the_same_picks(dtype, bias):
    rng = np.random.RandomState(0)
    proba = rng.dirichlet(np.ones(4), size=700).astype(dtype)
    features = rng.normal(size=(700, 12)).astype(dtype)
    factored = gradient_embedding(proba, features, include_bias=bias)
    dense = DenseEmbedding(factored.astype(np.float64).to_dense())
    sampler = MaxDet()
    picks = [
        sampler.sample(
            part.take(slice(500)), 20, labeled=part.take(slice(500, None, 20))
        )
        for part in (factored, dense)
    ]
    np.testing.assert_array_equal(*picks)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_the_rank_is_picked_and_the_rest_is_drawn(dtype):
    # Rank (4 - 1) * 5, of which float32 probabilities fall short by their last digits.
    rng = np.random.RandomState(0)
    embedding = gradient_embedding(
        rng.dirichlet(np.ones(4), size=900).astype(dtype),
        rng.normal(size=(900, 5)).astype(dtype),
    )
    sampler = MaxDet()
    assert sampler.run(embedding, 15).fallbacks == ()
    with pytest.warns(QueryWarning, match="Only 15 of 18 rows add to the span"):
        selection = sampler.run(embedding, 18, random_state=0)
    assert len(np.unique(selection.rows)) == 18
    np.testing.assert_array_equal(selection.values[15:], 0)
    np.testing.assert_array_equal(
        selection.rows[:15], sampler.sample(embedding, 15, random_state=1)
    )
    assert "the other 3 were drawn uniformly" in selection.fallbacks[0]


def nearly(X, seed=0):
    """Rows that differ from others by a few of single precision's last digits."""
    noise = np.random.RandomState(seed).uniform(-1, 1, size=X.shape)
    return X * (1 + 8 * np.finfo(np.float32).eps * noise)


def test_last_digits_of_single_precision_are_no_direction():
    X = pool("random", 5, d=9)
    X = np.vstack([X, nearly(X)])
    sampler = MaxDet()
    with pytest.warns(QueryWarning, match="Only 5 of 7 rows"):
        rows = sampler.sample(DenseEmbedding(X.astype(np.float32)), 7)
    assert set(rows[:5] % 5) == set(range(5))
    # In double precision they are digits like others.
    assert sampler.run(DenseEmbedding(X), 7).fallbacks == ()


@pytest.mark.parametrize("value", [0.0, 1.7])
def test_equal_rows_are_drawn_uniformly_with_a_warning(value):
    embedding = DenseEmbedding(np.full((10, 3), value))
    drawn = set()
    for seed in range(60):
        with pytest.warns(QueryWarning, match=f"Only {int(value > 0)} of 4 rows"):
            rows = MaxDet().sample(embedding, 4, random_state=seed)
        assert len(np.unique(rows)) == 4
        assert value == 0 or rows[0] == keys(10, seed).argmin()
        drawn |= set(rows.tolist())
    assert drawn == set(range(10))


def test_copies_and_zero_rows_come_after_the_rank():
    X = np.repeat(pool("random", 6, d=8), 3, axis=0)
    X = np.vstack([np.zeros((2, 8)), X])
    with pytest.warns(QueryWarning, match="Only 6 of 20 rows"):
        rows = MaxDet().sample(DenseEmbedding(X), 20, random_state=0)
    # One copy of each.
    assert sorted((rows[:6] - 2) // 3) == list(range(6))
    assert sorted(rows) == list(range(20))


def test_many_copies_do_not_keep_the_rest_from_contending():
    X = np.vstack([np.tile([[3.0, 0.0]], (3000, 1)), [[0.0, 0.1]], np.zeros((999, 2))])
    rows = MaxDet().sample(DenseEmbedding(X), 2, random_state=0)
    np.testing.assert_array_equal(rows, [keys(len(X))[:3000].argmin(), 3000])


def test_noise_lets_copies_be_picked_when_they_are_worth_most():
    X = np.array([[0.0, 0.1], [9.0, 0.0], [9.0, 0.0], [8.0, 0.0]])
    rows = MaxDet(sigma=2.0).sample(DenseEmbedding(X), 4)
    assert set(rows[:2]) == {1, 2}
    np.testing.assert_array_equal(rows[2:], [3, 0])


@pytest.mark.parametrize("sigma", [0.0, 0.7])
def test_labelled_rows_that_depend_on_each_other_do_no_harm(sigma):
    X, seeds = pool("random", 60, d=9), pool("random", 4, d=9, seed=1)
    mixed = np.vstack([seeds, seeds[:2] + seeds[2:], 0 * seeds[:1], -seeds[:1]])
    sampler = MaxDet(sigma=sigma)
    selection = sampler.run(DenseEmbedding(X), 5, labeled=DenseEmbedding(mixed))
    batch = mixed
    for row, value in zip(selection.rows, selection.values, strict=True):
        variances = conditional_variances(X, batch, sigma)
        assert row == variances.argmax()
        np.testing.assert_allclose(value, variances[row] + sigma**2)
        batch = np.vstack([batch, X[row]])


def test_labelled_copies_in_single_precision_span_no_noise():
    rng = np.random.RandomState(0)
    row = rng.normal(size=(1, 6))
    copies = np.vstack([row, nearly(row)]).astype(np.float32)
    X = rng.normal(size=(50, 6)).astype(np.float32)
    sampler = MaxDet()
    selection = sampler.run(DenseEmbedding(X), 5, labeled=DenseEmbedding(copies))
    assert selection.fallbacks == ()
    np.testing.assert_array_equal(
        selection.rows,
        sampler.sample(DenseEmbedding(X), 5, labeled=DenseEmbedding(copies[:1])),
    )


def test_a_pool_within_the_span_of_labelled_rows_is_drawn_uniformly():
    seeds = pool("random", 3, d=8)
    X = np.random.RandomState(1).normal(size=(30, 3)) @ seeds
    with pytest.warns(QueryWarning, match="Only 0 of 2 rows"):
        selection = MaxDet().run(
            DenseEmbedding(X), 2, labeled=DenseEmbedding(seeds), random_state=0
        )
    assert len(np.unique(selection.rows)) == 2


def test_conditioning_is_the_same_as_picking_from_the_posterior():
    # MaxDet given labelled rows is MaxDet with the kernel of what they leave unknown.
    X, seeds, sigma = pool("random", 200, d=10), pool("random", 15, d=10, seed=1), 0.5
    precision = np.eye(10) + seeds.T @ seeds / sigma**2
    posterior = X @ np.linalg.cholesky(np.linalg.inv(precision))
    np.testing.assert_array_equal(
        MaxDet(sigma=sigma).sample(
            DenseEmbedding(X), 30, labeled=DenseEmbedding(seeds)
        ),
        MaxDet(sigma=sigma).sample(DenseEmbedding(posterior), 30),
    )


def test_picks_do_not_depend_on_the_scale_of_the_embedding():
    X = pool("norms", 400)
    sampler = MaxDet()
    picks = [sampler.sample(DenseEmbedding(c * X), 20) for c in (1e-40, 1.0, 1e40)]
    np.testing.assert_array_equal(picks[0], picks[1])
    np.testing.assert_array_equal(picks[2], picks[1])


def test_the_greedy_batch_is_near_the_best_of_all():
    for seed in range(10):
        X = np.random.RandomState(seed).normal(size=(9, 4))
        rows = MaxDet().sample(DenseEmbedding(X), 3)
        best = max(log_det(X[list(subset)]) for subset in combinations(range(9), 3))
        # Greedy volume is within n! of the best (Civril and Magdon-Ismail 2009).
        assert best >= log_det(X[rows]) - 1e-12 >= best - 2 * np.log(6) - 1e-9


@pytest.mark.parametrize("name", POOLS)
def test_no_product_of_row_and_pick_is_formed_twice(name):
    selection = MaxDet(sigma=0.1).run(DenseEmbedding(pool(name)), 90, random_state=0)
    assert selection.n_distances <= 1500 * 90
