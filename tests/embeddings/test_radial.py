"""Kernels that fall with the distance: the Gaussian one, and bounds in float32."""

import numpy as np
import pytest
from scipy import sparse
from sklearn.metrics.pairwise import rbf_kernel

from skbadge.embeddings import (
    DenseEmbedding,
    GaussianEmbedding,
    LaplaceEmbedding,
    NTKEmbedding,
)


def rows_of(n=80, n_columns=7, seed=0, scale=1.0):
    return scale * np.random.RandomState(seed).normal(size=(n, n_columns))


def test_sigma_is_the_distance_at_which_it_falls_to_1_over_e():
    kernel = GaussianEmbedding([[0.0], [2.5]], sigma=2.5)
    assert kernel.cross(kernel)[0, 1] == pytest.approx(np.exp(-1))
    X = rows_of()
    kernel = GaussianEmbedding(X, sigma=1.7)
    expected = rbf_kernel(X, gamma=1 / 1.7**2)
    np.testing.assert_allclose(kernel.cross(kernel), expected, rtol=1e-12)


@pytest.mark.parametrize("sigma", [1e-320, 1e-170, 1e-60, 1e-3, 1e30, 1e200])
def test_any_sigma_gives_numbers(sigma):
    kernel = GaussianEmbedding([[0.0], [0.0], [1.0]], sigma=sigma)
    products = kernel.cross(kernel)
    far = 0.0 if sigma < 1 else 1.0
    np.testing.assert_array_equal(products, [[1, 1, far], [1, 1, far], [far, far, 1]])
    bounds = kernel.bounding_products(kernel)
    assert (bounds * (1 + 1e-6) >= products).all()


@pytest.mark.parametrize("sigma", [0, -1.0, np.inf, None])
def test_a_wrong_sigma_is_refused(sigma):
    with pytest.raises(ValueError, match="'sigma' parameter of GaussianEmbedding"):
        GaussianEmbedding([[0.0]], sigma=sigma)


KINDS = {
    "gaussian": lambda X: GaussianEmbedding(X, sigma=0.8),
    "wide": lambda X: GaussianEmbedding(X, sigma=30.0),
    "laplace": lambda X: LaplaceEmbedding(X, gamma=1.3),
    "ntk": NTKEmbedding,
    "dense": DenseEmbedding,
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("scale", [1e-12, 1e-3, 1.0, 100.0, 1e12])
@pytest.mark.parametrize("n_columns", [1, 7, 300])
def test_bounds_are_close_and_on_the_right_side(kind, dtype, scale, n_columns):
    X = rows_of(40, n_columns, scale=scale / n_columns**0.5).astype(dtype)
    # Copies, and rows that are almost such.
    X = np.concatenate([X, X[:9], X[:9] * dtype(1 + 1e-6)])
    embedding = KINDS[kind](X)
    exact = embedding.astype(np.float64)
    exact = exact.cross(exact)
    above = embedding.bounding_products(embedding).astype(np.float64)
    below = embedding.bounding_products(embedding, from_below=True).astype(np.float64)
    last = 1e-6 * np.abs(exact) + 1e-37
    assert (above >= exact - last).all()
    assert (below <= exact + last).all()
    if scale == 1 and kind in ("gaussian", "wide"):
        assert (above - below).max() < 5e-4


@pytest.mark.parametrize("kind", ["gaussian", "laplace"])
def test_sparse_rows_are_as_dense_ones(kind):
    X = rows_of(30, 20)
    X[np.abs(X) < 1] = 0
    dense, thin = KINDS[kind](X), KINDS[kind](sparse.csr_matrix(X))
    assert len(thin) == 30
    assert sparse.issparse(thin.take(np.arange(3)).X)
    for name in ("cross", "sq_dists", "bounding_products"):
        expected = getattr(dense, name)(dense.take(slice(5)))
        values = getattr(thin, name)(thin.take(slice(5)))
        tolerance = 1e-12 if name != "bounding_products" else 1e-4
        np.testing.assert_allclose(values, expected, rtol=tolerance, atol=tolerance)
    np.testing.assert_array_equal(thin.norms_sq(), 1)
    assert thin.sq_dists(thin)[3, 3] == 0
