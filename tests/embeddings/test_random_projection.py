"""Sketches keep inner products on average, with the variance that is stated."""

import numpy as np
import pytest

from skbadge.embeddings import (
    DenseEmbedding,
    Embedding,
    OuterProductEmbedding,
    StackedEmbedding,
    sketch,
)


def outer(n, n_left, n_right, seed=0, dtype=np.float64):
    rng = np.random.RandomState(seed)
    # Away from the origin: products are far from 0.
    left, right = 0.7 + rng.normal(size=(n, n_left)), rng.normal(size=(n, n_right))
    return OuterProductEmbedding(left.astype(dtype), right.astype(dtype))


def dense(n, n_columns, seed=0, dtype=np.float64):
    rng = np.random.RandomState(seed)
    return DenseEmbedding(rng.normal(size=(n, n_columns)).astype(dtype))


MAKERS = {
    "dense": lambda n=4, dtype=np.float64: dense(n, 6, dtype=dtype),
    "outer": lambda n=4, dtype=np.float64: outer(n, 3, 5, dtype=dtype),
    "stacked": lambda n=4, dtype=np.float64: StackedEmbedding(
        [outer(n, 3, 5, dtype=dtype), dense(n, 4, 1, dtype), outer(n, 2, 4, 2, dtype)]
    ),
}


@pytest.fixture(params=MAKERS)
def make(request):
    return MAKERS[request.param]


def products_of(embedding, n_columns, n_seeds):
    """Inner products of the rows for each of many seeds."""
    rng = np.random.RandomState(0)
    sketches = (sketch(embedding, n_columns, random_state=rng) for _ in range(n_seeds))
    return np.array([part.cross(part) for part in sketches])


def test_inner_products_are_unbiased(make):
    embedding = make()
    products = products_of(embedding, 7, 4000)
    error = products.mean(axis=0) - embedding.cross(embedding)
    standard = products.std(axis=0, ddof=1) / np.sqrt(len(products))
    assert np.abs(error / standard).max() < 5
    assert (np.abs(error) < 0.2 * np.sqrt(np.outer(*[embedding.norms_sq()] * 2))).all()


def test_their_variance_is_as_stated():
    embedding = outer(2, 3, 5)
    n_columns = 10
    measured = products_of(embedding, n_columns, 20_000)[:, 0, 1].var()

    def cosine(X):
        return X[0] @ X[1] / np.sqrt((X[0] @ X[0]) * (X[1] @ X[1]))

    a, b = cosine(embedding.left) ** 2, cosine(embedding.right) ** 2
    assert a > 0.01
    expected = ((1 + 2 * a) * (1 + 2 * b) - a * b) / n_columns
    expected *= embedding.norms_sq().prod()
    np.testing.assert_allclose(measured, expected, rtol=0.1)


def test_many_columns_give_the_products_themselves(make):
    embedding = make()
    wide = sketch(embedding, 200_000, random_state=0)
    scale = embedding.norms_sq().max()
    np.testing.assert_allclose(
        wide.cross(wide), embedding.cross(embedding), atol=0.04 * scale
    )


def test_the_shape_and_dtype_are_as_asked_for(make):
    for dtype in (np.float32, np.float64):
        sketched = sketch(make(dtype=dtype), 3, random_state=0)
        assert type(sketched) is DenseEmbedding
        assert sketched.shape == (4, 3)
        assert sketched.dtype == dtype


def test_a_seed_stands_for_one_map(make):
    embedding = make(30)
    one = sketch(embedding, 9, random_state=5).matrix
    np.testing.assert_array_equal(one, sketch(embedding, 9, random_state=5).matrix)
    assert (one != sketch(embedding, 9, random_state=6).matrix).all()
    # Rows apart, as a pool and its labelled rows are.
    part = sketch(embedding.take(np.array([4, 11])), 9, random_state=5).matrix
    np.testing.assert_allclose(part, one[[4, 11]], rtol=1e-10)
    # And in another precision.
    single = sketch(embedding.astype(np.float32), 9, random_state=5).matrix
    np.testing.assert_allclose(single, one, rtol=1e-3, atol=1e-4)
    before = np.random.get_state()[1].copy()
    sketch(embedding, 9, random_state=5)
    np.testing.assert_array_equal(np.random.get_state()[1], before)


def test_the_map_is_linear(make):
    embedding = make(60)
    X = embedding.to_dense()
    sketched = sketch(embedding, 8, random_state=0).matrix
    solution = np.linalg.lstsq(X, sketched, rcond=None)[0]
    np.testing.assert_allclose(X @ solution, sketched, atol=1e-9)


def test_a_sketch_does_not_raise_the_rank():
    embedding = outer(40, 2, 3)
    sketched = sketch(embedding, 20, random_state=0).matrix
    assert np.linalg.matrix_rank(sketched) == 6


def test_parts_are_sketched_independently():
    part = dense(3, 4)
    both = StackedEmbedding([part, DenseEmbedding(-part.matrix)])
    # One and the same map for both would make all of it 0.
    assert np.abs(sketch(both, 5, random_state=0).matrix).min() > 0


def test_blocks_of_rows_are_put_together():
    embedding = outer(5000, 3, 4)
    whole = sketch(embedding, 600, random_state=0).matrix
    for rows in (slice(0, 5), slice(4990, 5000)):
        part = sketch(embedding.take(rows), 600, random_state=0).matrix
        np.testing.assert_allclose(part, whole[rows], rtol=1e-9, atol=1e-12)


class Other(DenseEmbedding):
    """A kind that the package does not know."""


def test_an_unknown_kind_is_projected_as_if_dense():
    embedding = dense(5, 6)
    assert issubclass(Other, Embedding)
    np.testing.assert_array_equal(
        sketch(Other(embedding.matrix), 4, random_state=0).matrix,
        sketch(embedding, 4, random_state=0).matrix,
    )


@pytest.mark.parametrize("n_columns", [0, -1, 2.0, None])
def test_a_wrong_number_of_columns_is_refused(n_columns):
    with pytest.raises(ValueError, match="'n_columns' parameter of sketch must be an"):
        sketch(dense(2, 3), n_columns)
