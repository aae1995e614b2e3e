"""Posterior kernels against a direct inverse."""

import numpy as np
import pytest

from skbadge.embeddings import (
    DenseEmbedding,
    NTKEmbedding,
    Posterior,
    Scale,
)
from skbadge.embeddings._conditioned import ConditionedEmbedding
from skbadge.embeddings.transforms._cholesky import jittered_cholesky
from skbadge.exceptions import QueryWarning
from skbadge.samplers import MaxDet
from tests.embeddings._transform_makers import (
    FINITE,
    KINDS,
    N_LABELED,
    dense,
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


@pytest.mark.parametrize("sigma", [1e-3, 0.1, 1.0])
def test_the_posterior_is_that_of_a_direct_inverse(make, sigma):
    labeled, pool = split(make)
    labeled, pool = (Scale().fit(labeled).transform(e) for e in (labeled, pool))
    result = Posterior(sigma).fit(labeled).transform(pool)
    assert result.dtype == np.float64
    expected = posterior_kernel(labeled, pool, sigma)
    np.testing.assert_allclose(gram(result), expected, atol=1e-8)
    np.testing.assert_allclose(result.norms_sq(), np.diagonal(expected), atol=1e-8)
    diagonal = np.diagonal(expected)
    sq_dists = diagonal[:, None] + diagonal - 2 * expected
    np.testing.assert_allclose(result.sq_dists(result), sq_dists, atol=1e-8)
    np.testing.assert_allclose(
        result.take(slice(5)).paired_sq_dists(result.take(slice(5, 10))),
        np.diagonal(sq_dists[:5, 5:10]),
        atol=1e-8,
    )


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("sigma", [1e-3, 0.3])
def test_feature_space_and_kernel_space_agree(make_finite, sigma, dtype):
    labeled, pool = split(make_finite, dtype=dtype)
    labeled, pool = (Scale().fit(labeled).transform(e) for e in (labeled, pool))
    results = [
        Posterior(sigma, space=space).fit(labeled).transform(pool)
        for space in ("features", "kernel")
    ]
    assert [type(r) for r in results] == [DenseEmbedding, ConditionedEmbedding]
    np.testing.assert_allclose(gram(results[0]), gram(results[1]), atol=1e-8)
    norms_sq = [result.norms_sq() for result in results]
    np.testing.assert_allclose(norms_sq[0], norms_sq[1], atol=1e-8)
    sq_dists = [result.sq_dists(result) for result in results]
    np.testing.assert_allclose(sq_dists[0], sq_dists[1], atol=1e-7)


@pytest.mark.parametrize("space", ["features", "kernel"])
def test_the_variance_at_labelled_rows_is_below_that_of_the_noise(space):
    for sigma in (1e-3, 0.1, 2.0):
        labeled, _ = split(stacked)
        transform = Posterior(sigma, space=space).fit(labeled).transform
        variances = transform(labeled).norms_sq()
        assert variances.max() < sigma**2
        # k s^2 / (k + s^2) is what one row alone would leave.
        alone = labeled.take(slice(1))
        transform = Posterior(sigma, space=space).fit(alone).transform
        k = alone.norms_sq()[0]
        expected = k * sigma**2 / (k + sigma**2)
        assert transform(alone).norms_sq()[0] == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("space", ["features", "kernel"])
def test_much_noise_leaves_the_prior(space):
    labeled, pool = split(stacked)
    result = Posterior(1e6, space=space).fit(labeled).transform(pool)
    np.testing.assert_allclose(gram(result), gram(pool), atol=1e-8)


def test_conditioning_twice_is_conditioning_on_both(make):
    labeled, pool = split(make)
    first, second = labeled.take(slice(3)), labeled.take(slice(3, None))
    once = Posterior(0.2, space="kernel").fit(labeled).transform(pool)
    inner = Posterior(0.2, space="kernel").fit(first)
    outermost = Posterior(0.2, space="kernel").fit(inner.transform(second))
    twice = outermost.transform(inner.transform(pool))
    np.testing.assert_allclose(gram(twice), gram(once), atol=1e-9)


def test_equal_rows_stay_at_distance_zero_under_the_posterior():
    labeled, pool = split(ntk)
    pool = pool.take(np.tile(np.arange(len(pool)), 2))
    result = Posterior(1e-3).fit(labeled).transform(pool)
    n = len(pool) // 2
    sq_dists = result.sq_dists(result)
    assert (np.diagonal(sq_dists, n) == 0).all()
    assert (result.min_sq_dists(result.take(slice(n))) == 0).all()
    # Labelled rows themselves, where all is of the order of the noise.
    result = Posterior(1e-3).fit(labeled).transform(labeled)
    twice = result.take(np.tile(np.arange(N_LABELED), 2))
    assert (np.diagonal(twice.sq_dists(twice), N_LABELED) == 0).all()
    assert (result.norms_sq() > 0).all()


def test_the_space_is_chosen_by_size():
    for n_labeled, width, expected in (
        (2, 1024, "features"),
        (2, 1025, "kernel"),
        (342, 1026, "features"),
        (342, 1027, "kernel"),
    ):
        labeled = DenseEmbedding(normal(n_labeled, width))
        assert Posterior(0.1).fit(labeled).space_ == expected
    assert Posterior(0.1).fit(ntk(5)).space_ == "kernel"


@pytest.mark.parametrize("kind", [DenseEmbedding, NTKEmbedding])
def test_max_det_on_the_posterior_picks_as_max_det_given_the_labelled_rows(kind):
    embedding = kind(np.random.RandomState(0).normal(size=(300, 20)))
    labeled, pool = embedding.take(slice(10)), embedding.take(slice(10, None))
    expected = MaxDet(sigma=0.1).sample(pool, 25, labeled=labeled)
    result = Posterior(0.1).fit(labeled).transform(pool)
    np.testing.assert_array_equal(MaxDet(sigma=0.1).sample(result, 25), expected)


def test_refitting_in_the_other_space_forgets_the_first():
    posterior = Posterior(0.1).fit(dense(5))
    assert hasattr(posterior, "directions_")
    posterior.fit(ntk(5))
    assert not hasattr(posterior, "directions_")
    assert len(posterior.transform(ntk(9))) == 9


def test_what_would_not_fit_is_refused_with_its_size():
    labeled, pool = split(dense)
    # 9 by 9 numbers fit, 33 by 9 do not; and the same in the kernel's space.
    posterior = Posterior(0.1, max_bytes=8 * 81).fit(labeled)
    with pytest.raises(ValueError, match=r"rows by columns, 33 by 9, takes .* GB"):
        posterior.transform(pool)
    with pytest.raises(ValueError, match="columns by columns, 9 by 9"):
        Posterior(0.1, max_bytes=8 * 80).fit(labeled)
    posterior = Posterior(0.1, space="kernel", max_bytes=8 * 49).fit(labeled)
    with pytest.raises(ValueError, match="rows by labelled rows, 33 by 7"):
        posterior.transform(pool)
    with pytest.raises(ValueError, match="labelled by labelled rows, 7 by 7"):
        Posterior(0.1, space="kernel", max_bytes=8 * 48).fit(labeled)


def test_jitter_is_added_only_where_it_must_be_and_said():
    A = normal(5, 5)
    positive = A @ A.T + np.eye(5)
    factor, jitter = jittered_cholesky(positive)
    assert jitter == 0
    np.testing.assert_allclose(factor, np.linalg.cholesky(positive))
    # Eigenvalues 2 and -3e-5: mean diagonal near 1, of which 1e-5 doubles to 4e-5.
    v = np.array([[1.0, 1.0], [1.0, -1.0]]) / np.sqrt(2)
    indefinite = v.T @ np.diag([2.0, -3e-5]) @ v
    with pytest.warns(QueryWarning, match="was added to its diagonal"):
        factor, jitter = jittered_cholesky(indefinite)
    assert jitter == pytest.approx(4e-5 * np.trace(indefinite) / 2)
    np.testing.assert_allclose(factor @ factor.T, indefinite + jitter * np.eye(2))
    with pytest.raises(ValueError, match="not positive definite, not even with"):
        jittered_cholesky(np.diag([1.0, -0.9]))


def test_equal_labelled_rows_need_no_jitter():
    for make in (dense, ntk):
        labeled = make(3).take(np.zeros(50, dtype=int))
        labeled = Scale().fit(labeled).transform(labeled)
        posterior = Posterior().fit(labeled)
        assert posterior.jitter_ == 0
        variances = posterior.transform(labeled).norms_sq()
        np.testing.assert_allclose(variances, 1e-6 / (50 + 1e-6), rtol=1e-3)


@pytest.mark.parametrize("scale", [1.0, 1e2, 1e3, 1e5, 1e8, 1e20, 1e100])
@pytest.mark.parametrize("n_labeled", [3, 5, 12])
def test_noise_that_is_lost_in_rounding_leaves_what_no_labelled_row_says(
    scale, n_labeled
):
    rng = np.random.RandomState(0)
    rows, known = rng.normal(size=(30, 6)), rng.normal(size=(n_labeled, 6))
    known[:, -1] = 0

    def left(space):
        posterior = Posterior(space=space).fit(DenseEmbedding(known * scale))
        return posterior.transform(DenseEmbedding(rows * scale)).norms_sq() / scale**2

    found = left("features")
    if n_labeled <= 5 or scale <= 1e3:
        np.testing.assert_allclose(found, left("kernel"), rtol=1e-4)
    if scale >= 1e5:
        # All of a row but its part among those that are known.
        basis = np.linalg.svd(known, full_matrices=False)[2][: min(n_labeled, 5)]
        rest = rows - rows @ basis.T @ basis
        np.testing.assert_allclose(found, (rest**2).sum(axis=1), rtol=1e-6)
