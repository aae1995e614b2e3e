"""Embeddings that are known by their inner products, and kernels to compare them to."""

import numpy as np

from skbadge.embeddings import (
    DenseEmbedding,
    GaussianEmbedding,
    LaplaceEmbedding,
    NNGPEmbedding,
    NTKEmbedding,
    ProductEmbedding,
    ScaledEmbedding,
    StackedEmbedding,
)
from skbadge.embeddings._conditioned import ConditionedEmbedding


def naive_relu_kernels(X, Y, n_hidden_layers, sigma_w, sigma_b):
    """NNGP and NTK by the recursions on kernels, with an arc cosine."""

    def first(A, B):
        return sigma_w**2 * A @ B.T / A.shape[1] + sigma_b**2

    a, b = np.diagonal(first(X, X)), np.diagonal(first(Y, Y))
    nngp = tangent = first(X, Y)
    for _ in range(n_hidden_layers):
        scale = np.sqrt(np.outer(a, b))
        theta = np.arccos(np.clip(nngp / np.where(scale > 0, scale, 1), -1, 1))
        arc = scale * (np.sin(theta) + (np.pi - theta) * np.cos(theta)) / (2 * np.pi)
        nngp = sigma_w**2 * arc + sigma_b**2
        tangent = nngp + sigma_w**2 * tangent * (np.pi - theta) / (2 * np.pi)
        a, b = (sigma_w**2 * part / 2 + sigma_b**2 for part in (a, b))
    return nngp, tangent


def naive_laplace(X, Y, gamma):
    return np.exp(-gamma * np.linalg.norm(X[:, None] - Y[None, :], axis=2))


NET = {"n_hidden_layers": 2, "sigma_w": 1.3, "sigma_b": 0.4}
LABELED = np.random.RandomState(99).normal(size=(6, 4))


def nngp(X):
    return NNGPEmbedding(X, **NET), lambda X, Y: naive_relu_kernels(X, Y, **NET)[0]


def ntk(X):
    return NTKEmbedding(X, **NET), lambda X, Y: naive_relu_kernels(X, Y, **NET)[1]


def laplace(X):
    return LaplaceEmbedding(X, gamma=0.7), lambda X, Y: naive_laplace(X, Y, 0.7)


def gaussian(X):
    def kernel(X, Y):
        sq_dists = ((X[:, None] - Y[None, :]) ** 2).sum(axis=2)
        return np.exp(-sq_dists / 1.7**2)

    return GaussianEmbedding(X, sigma=1.7), kernel


def scaled(X):
    embedding, kernel = ntk(X)
    return ScaledEmbedding(embedding, 3.0), lambda X, Y: 9 * kernel(X, Y)


def product(X):
    (first, one), (second, other) = laplace(X), nngp(X)
    return ProductEmbedding(first, second), lambda X, Y: one(X, Y) * other(X, Y)


def dense_product(X):
    first, kernel = ntk(X)
    embedding = ProductEmbedding(first, DenseEmbedding(X))
    return embedding, lambda X, Y: kernel(X, Y) * (X @ Y.T)


def stacked(X):
    (first, one), (second, other) = laplace(X), ntk(X)
    return StackedEmbedding([first, second]), lambda X, Y: one(X, Y) + other(X, Y)


def conditioned(X):
    prior, kernel = ntk(X)
    noisy = kernel(LABELED, LABELED) + 0.1 * np.eye(len(LABELED))
    factor = np.linalg.cholesky(noisy)
    cross = kernel(X.astype(np.float64), LABELED)
    coordinates = np.ascontiguousarray(np.linalg.solve(factor, cross.T).T)
    embedding = ConditionedEmbedding(prior, coordinates)

    def posterior(X, Y):
        explained = np.linalg.solve(noisy, kernel(LABELED, Y))
        return kernel(X, Y) - kernel(X, LABELED) @ explained

    return embedding.astype(X.dtype), posterior


KERNELS = {
    "nngp": nngp,
    "ntk": ntk,
    "laplace": laplace,
    "gaussian": gaussian,
    "scaled": scaled,
    "product": product,
    "dense_product": dense_product,
    "stacked": stacked,
    "conditioned": conditioned,
}
