"""Greedy determinants: arguments at the edge of what is allowed, and what it costs."""

import tracemalloc

import numpy as np
import pytest

from skbadge.embeddings import (
    DenseEmbedding,
    OuterProductEmbedding,
    gradient_embedding,
)
from skbadge.exceptions import QueryWarning
from skbadge.samplers import MaxDet


def normal(n, d=24, seed=0):
    return np.random.RandomState(seed).normal(size=(n, d))


def test_numbers_of_rows_at_the_edge():
    X = normal(5)
    embedding, sampler = DenseEmbedding(X), MaxDet()
    none = sampler.sample(embedding, 0)
    assert none.shape == (0,)
    assert none.dtype == np.int64
    one = sampler.run(embedding, 1)
    norms_sq = (X**2).sum(axis=1)
    assert one.rows == norms_sq.argmax()
    np.testing.assert_allclose(one.values, norms_sq.max())
    assert sorted(sampler.sample(embedding, 5)) == [0, 1, 2, 3, 4]
    with pytest.warns(QueryWarning, match="`n`=6 is above the 5 rows"):
        assert sorted(sampler.sample(embedding, 6)) == [0, 1, 2, 3, 4]


def test_bad_embeddings_and_parameters_are_refused():
    X = normal(8)
    X[[2, 5]] = np.inf
    with pytest.raises(ValueError, match=r"2 of 8 rows hold NaN .* row 2"):
        MaxDet().sample(DenseEmbedding(X), 2)
    embedding = DenseEmbedding(normal(8))
    with pytest.raises(ValueError, match="Got 2 and 24"):
        MaxDet().sample(embedding, 2, labeled=DenseEmbedding(np.ones((1, 2))))
    for sigma in (-1.0, np.nan, "1"):
        with pytest.raises(ValueError, match="'sigma' parameter of MaxDet"):
            MaxDet(sigma=sigma).sample(embedding, 2)


def test_inputs_and_the_global_generator_are_left_alone():
    X, seeds = normal(1500), normal(4, seed=1)
    copies, state = (X.copy(), seeds.copy()), np.random.get_state()[1].copy()
    embedding = DenseEmbedding(X)
    norms_sq = embedding.norms_sq().copy()
    MaxDet().sample(embedding, 15, labeled=DenseEmbedding(seeds), random_state=0)
    np.testing.assert_array_equal(X, copies[0])
    np.testing.assert_array_equal(seeds, copies[1])
    np.testing.assert_array_equal(embedding.norms_sq(), norms_sq)
    np.testing.assert_array_equal(np.random.get_state()[1], state)


def test_few_products_are_formed_of_all():
    rng = np.random.RandomState(0)
    embedding = gradient_embedding(
        rng.dirichlet(np.full(10, 0.3), size=20_000), rng.normal(size=(20_000, 64))
    )
    selection = MaxDet().run(embedding, 200, random_state=0)
    assert selection.n_distances < 20_000 * 200 / 5


def peak_memory(function):
    tracemalloc.start()
    function()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


def test_memory_is_within_its_bound():
    n_rows, n = 30_000, 40
    rng = np.random.RandomState(0)
    embedding = OuterProductEmbedding(
        rng.normal(size=(n_rows, 10)).astype(np.float32),
        (rng.normal(size=(n_rows, 32)) * rng.lognormal(size=(n_rows, 1))).astype(
            np.float32
        ),
    )
    embedding.norms_sq()
    peak = peak_memory(lambda: MaxDet().sample(embedding, n, random_state=0))
    # The dense form would be 320 arrays of n_rows. Four to keep bounds and places.
    assert peak <= 8 * n_rows * 6 + 2**22
