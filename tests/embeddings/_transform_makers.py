"""Embeddings of many kinds for the tests of transformations, and their posterior."""

import numpy as np

from skbadge.embeddings import (
    DenseEmbedding,
    NTKEmbedding,
    OuterProductEmbedding,
    ProductEmbedding,
    ScaledEmbedding,
    StackedEmbedding,
)
from skbadge.samplers import Bait


def normal(n, width, seed=0, dtype=np.float64):
    X = 0.3 + np.random.RandomState(seed).normal(size=(n, width))
    return X.astype(dtype)


def dense(n, dtype=np.float64):
    return DenseEmbedding(normal(n, 9, 0, dtype))


def outer(n, dtype=np.float64):
    return OuterProductEmbedding(normal(n, 3, 1, dtype), normal(n, 4, 2, dtype))


def stacked(n, dtype=np.float64):
    return StackedEmbedding([outer(n, dtype), dense(n, dtype)])


def scaled(n, dtype=np.float64):
    return ScaledEmbedding(outer(n, dtype), 0.5)


def ntk(n, dtype=np.float64):
    return NTKEmbedding(normal(n, 3, 3, dtype))


def product(n, dtype=np.float64):
    return ProductEmbedding(ntk(n, dtype), dense(n, dtype))


FINITE = {"dense": dense, "outer": outer, "stacked": stacked, "scaled": scaled}
KINDS = FINITE | {"ntk": ntk, "product": product}
N_LABELED = 7


def split(make, n=40, dtype=np.float64):
    embedding = make(n, dtype)
    return embedding.take(slice(N_LABELED)), embedding.take(slice(N_LABELED, None))


def gram(embedding, other=None):
    other = embedding if other is None else other
    return embedding.astype(np.float64).cross(other.astype(np.float64))


def posterior_kernel(labeled, embedding, sigma):
    noisy = gram(labeled) + sigma**2 * np.eye(len(labeled))
    cross = gram(labeled, embedding)
    return gram(embedding) - cross.T @ np.linalg.inv(noisy) @ cross


def well_posed(cls):
    """A sampler of a class, with picks that rounding does not decide."""
    # With less noise, what `Bait` loses by a removal is lost in rounding for more
    # columns than picks.
    return cls(sigma=0.5) if cls is Bait else cls()
