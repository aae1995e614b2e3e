"""Transformations to expected log-likelihoods, against their definitions."""

from math import inf

import numpy as np
import pytest

from skbadge.embeddings import (
    AcsGrad,
    AcsRandomFeatures,
    DenseEmbedding,
    OuterProductEmbedding,
)
from skbadge.embeddings.transforms._acs_random_features import expected_log_likelihood
from tests.embeddings._transform_makers import (
    FINITE,
    KINDS,
    N_LABELED,
    gram,
    normal,
    ntk,
    posterior_kernel,
    split,
    stacked,
)


@pytest.fixture(params=KINDS)
def make(request):
    return KINDS[request.param]


@pytest.fixture(params=FINITE)
def make_finite(request):
    return FINITE[request.param]


def test_the_expected_log_likelihood_is_that_of_the_gaussian():
    rng = np.random.RandomState(0)
    sigma, mean = 0.7, 1.5
    for variance, deviation in ((0.0, 0.0), (0.4, 0.9), (3.0, -2.0)):
        spread = np.sqrt(variance + sigma**2)
        y = mean + spread * rng.normal(size=200_000)
        log_p = -0.5 * np.log(2 * np.pi * sigma**2)
        log_p = log_p - (y - mean - deviation) ** 2 / (2 * sigma**2)
        entropy = 0.5 * np.log(2 * np.pi * np.e * spread**2)
        measured = log_p.mean() + entropy
        error = log_p.std() / np.sqrt(len(y))
        value = expected_log_likelihood(variance, deviation, sigma)
        assert abs(value - measured) < 4 * error


def acs_moments(kernel, sigma):
    """Mean products of the features, from the moments of a Gaussian."""
    v = np.diagonal(kernel) / sigma**2
    constant = (np.log1p(v) - v) / 2
    products = np.outer(constant, constant)
    products -= np.outer(constant, v) / 2 + np.outer(v, constant) / 2
    return products + (np.outer(v, v) + 2 * (kernel / sigma**2) ** 2) / 4


def test_random_features_have_the_mean_products_of_the_posterior(make_finite):
    labeled, pool = split(make_finite, n=N_LABELED + 6)
    sigma, n_columns = 0.8, 100_000
    acs = AcsRandomFeatures(n_columns, sigma=sigma, random_state=0).fit(labeled)
    features = acs.transform(pool)
    assert features.shape == (6, n_columns)
    assert features.dtype == np.float64
    samples = features.matrix * np.sqrt(n_columns)
    samples = samples[:, None, :] * samples[None, :, :]
    error = samples.std(axis=2) / np.sqrt(n_columns)
    expected = acs_moments(posterior_kernel(labeled, pool, sigma), sigma)
    assert (np.abs(gram(features) - expected) < 5 * error).all()
    assert (error < 0.05 * np.sqrt(np.outer(*[np.diagonal(expected)] * 2))).all()


def test_random_features_are_one_function_of_the_row(make_finite):
    labeled, pool = split(make_finite)
    acs = AcsRandomFeatures(5, sigma=0.5, random_state=0).fit(labeled)
    whole = acs.transform(pool).matrix
    part = acs.transform(pool.take(np.array([4, 2]))).matrix
    np.testing.assert_allclose(part, whole[[4, 2]], rtol=1e-9)
    again = AcsRandomFeatures(5, sigma=0.5, random_state=0).fit(labeled)
    np.testing.assert_array_equal(again.transform(pool).matrix, whole)
    other = AcsRandomFeatures(5, sigma=0.5, random_state=1).fit(labeled)
    assert (other.transform(pool).matrix != whole).any()
    # By the weights themselves.
    weights = acs.posterior_.directions_ @ acs.noise_
    variances = np.diagonal(posterior_kernel(labeled, pool, 0.5))
    expected = expected_log_likelihood(
        variances[:, None], pool.to_dense() @ weights, 0.5
    )
    np.testing.assert_allclose(whole, expected / np.sqrt(5), rtol=1e-7)


def test_random_features_of_many_rows_are_put_together():
    embedding = DenseEmbedding(normal(5000, 4))
    acs = AcsRandomFeatures(300, sigma=0.5, random_state=0).fit(
        embedding.take(slice(7))
    )
    whole = acs.transform(embedding).matrix
    for rows in (slice(0, 5), slice(4990, 5000)):
        part = acs.transform(embedding.take(rows)).matrix
        np.testing.assert_allclose(part, whole[rows], rtol=1e-8, atol=1e-12)


@pytest.mark.parametrize("sigma", [0.3, 2.0])
def test_acs_grad_is_the_product_of_prior_and_posterior(make, sigma):
    labeled, pool = split(make)
    result = AcsGrad(sigma).fit(labeled).transform(pool)
    expected = gram(pool) * posterior_kernel(labeled, pool, sigma) / sigma**4
    scale = np.diagonal(expected).max()
    np.testing.assert_allclose(gram(result), expected, atol=1e-9 * scale)
    diagonal = np.diagonal(expected)
    np.testing.assert_allclose(result.norms_sq(), diagonal, rtol=1e-7)
    sq_dists = diagonal[:, None] + diagonal - 2 * expected
    np.testing.assert_allclose(
        result.sq_dists(result), sq_dists, rtol=1e-6, atol=1e-9 * scale
    )


def test_acs_grad_of_columns_can_be_sketched_by_its_factors():
    labeled, pool = split(stacked)
    result = AcsGrad(0.5).fit(labeled).transform(pool)
    assert type(result) is OuterProductEmbedding
    assert result.shape[1] == pool.shape[1] ** 2
    kernel_only = AcsGrad(0.5).fit(ntk(N_LABELED)).transform(ntk(9))
    assert kernel_only.shape == (9, inf)
