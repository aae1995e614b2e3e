"""The law of a k-DPP by enumeration, and embeddings to draw from."""

from itertools import combinations

import numpy as np

from skbadge.embeddings import (
    DenseEmbedding,
    OuterProductEmbedding,
    gradient_embedding,
)


def kernel_of(embedding):
    """Inner products of the rows, from the matrix itself."""
    X = embedding.to_dense().astype(np.float64)
    return X @ X.T


def kdpp_law(kernel, n, given=(), mask=None):
    """Probability of each batch of positive determinant, rows ascending.

    Given rows are in the determinant, and not in the batch.
    """
    rows = np.arange(len(kernel)) if mask is None else np.flatnonzero(mask)
    batches = list(combinations(np.setdiff1d(rows, given).tolist(), n))
    whole = [[*given, *batch] for batch in batches]
    dets = np.array([np.linalg.det(kernel[np.ix_(rows, rows)]) for rows in whole])
    dets[dets < 1e-10 * dets.max()] = 0
    law = dict(zip(batches, dets / dets.sum(), strict=True))
    return {rows: probability for rows, probability in law.items() if probability}


def draw_batches(sampler, embedding, n, n_draws, seed=0, feasible=None):
    """Batches, rows ascending."""
    rng = np.random.RandomState(seed)
    return [
        tuple(sorted(sampler.sample(embedding, n, feasible=feasible, random_state=rng)))
        for _ in range(n_draws)
    ]


def gradients(n_rows, n_classes, n_features, seed=0, dtype=np.float64, **options):
    """A gradient embedding of random outputs."""
    rng = np.random.RandomState(seed)
    proba = rng.dirichlet(np.ones(n_classes), size=n_rows).astype(dtype)
    features = rng.normal(size=(n_rows, n_features)).astype(dtype)
    return gradient_embedding(proba, features, **options)


def small(name, seed=0):
    """Seven rows of different lengths: more than columns, fewer, or with copies."""
    rng = np.random.RandomState(seed)
    lengths = rng.uniform(0.5, 2, size=(7, 1))
    if name == "tall":
        return DenseEmbedding(lengths * rng.normal(size=(7, 4)))
    if name == "wide":
        return DenseEmbedding(lengths * rng.normal(size=(7, 9)))
    if name == "outer":
        return OuterProductEmbedding(
            lengths * rng.normal(size=(7, 2)), rng.normal(size=(7, 3))
        )
    if name == "gradient":
        return gradients(7, 3, 2, seed)
    assert name == "copies"
    X = rng.normal(size=(4, 5))
    return DenseEmbedding(np.vstack([X, X[:2], np.zeros((1, 5))]))
