"""What the samplers of the regression framework have to do with each other."""

import numpy as np
import pytest

from skbadge.embeddings import DenseEmbedding, LaplaceEmbedding
from skbadge.samplers import KCenter, MaxDet, MaxDiag, MaxDist
from tests.samplers._laws import pairwise


def pool(n, n_columns=10, seed=0):
    rng = np.random.RandomState(seed)
    return rng.normal(size=(n, n_columns)) * rng.lognormal(size=(n, 1))


def posterior(X, seeds, sigma):
    """Rows whose inner products are posterior covariances."""
    precision = seeds.T @ seeds + sigma**2 * np.eye(X.shape[1])
    root = np.linalg.cholesky(np.linalg.inv(precision))
    return sigma * X @ root


@pytest.mark.parametrize("sigma", [0.01, 0.5, 5.0])
@pytest.mark.parametrize("n_labeled", [4, 30])
def test_max_det_on_the_posterior_is_max_det_given_labelled_rows(sigma, n_labeled):
    for seed in range(5):
        X, seeds = pool(200, seed=seed), pool(n_labeled, seed=seed + 10)
        sampler = MaxDet(sigma=sigma)
        given = sampler.run(DenseEmbedding(X), 30, labeled=DenseEmbedding(seeds))
        conditioned = sampler.run(DenseEmbedding(posterior(X, seeds, sigma)), 30)
        np.testing.assert_array_equal(given.rows, conditioned.rows)
        rounding = 1e-10 * given.values[0]
        np.testing.assert_allclose(
            given.values, conditioned.values, rtol=1e-6, atol=rounding
        )


def test_max_det_takes_kernels_without_columns():
    embedding = LaplaceEmbedding(pool(60, 3))
    kernel = embedding.cross(embedding)
    selection = MaxDet().run(embedding, 20)
    assert selection.fallbacks == ()
    rows = selection.rows
    np.testing.assert_allclose(
        np.log(selection.values).sum(),
        np.linalg.slogdet(kernel[np.ix_(rows, rows)])[1],
    )
    for t in (1, 5, 19):
        seen = rows[:t]
        explained = kernel[:, seen] @ np.linalg.solve(
            kernel[np.ix_(seen, seen)], kernel[seen]
        )
        variances = np.diagonal(kernel - explained)
        assert variances[rows[t]] >= variances.max() - 1e-12


def test_max_dist_is_the_farthest_first_traversal():
    assert MaxDist is KCenter
    X = pool(300)
    rows = MaxDist().sample(DenseEmbedding(X), 40)
    expected = [int((X**2).sum(axis=1).argmax())]
    while len(expected) < 40:
        expected.append(int(pairwise(X, X[expected]).min(axis=1).argmax()))
    np.testing.assert_array_equal(rows, expected)


def test_the_first_picks_of_greatest_determinant_and_norm_are_the_same():
    X = DenseEmbedding(pool(300))
    assert MaxDet().sample(X, 1) == MaxDiag().sample(X, 1) == MaxDist().sample(X, 1)
