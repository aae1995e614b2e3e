"""Rows of several embeddings become one embedding of their kind, and are reduced."""

import numpy as np
import pytest
from scipy import sparse

from skbadge.embeddings import (
    DenseEmbedding,
    Embedding,
    GaussianEmbedding,
    OuterProductEmbedding,
    RowStackedEmbedding,
    ScaledEmbedding,
    SparseEmbedding,
    StackedEmbedding,
    to_device,
)
from skbadge.embeddings._joined import joined
from tests.embeddings._kernel_makers import KERNELS


def dense(X):
    return DenseEmbedding(X)


def outer(X):
    return OuterProductEmbedding(X[:, :2], X[:, 1:])


def sparse_rows(X):
    return SparseEmbedding(sparse.csr_matrix(X))


def sparse_outer(X):
    return OuterProductEmbedding(X[:, :2], sparse.csr_matrix(X[:, 1:]))


def stacked(X):
    return StackedEmbedding([outer(X), dense(X)])


def row_stacked(X):
    return RowStackedEmbedding([dense(X[:2]), dense(X[2:])]).take(
        np.array([1, 3, 0, 2])
    )


def gaussian_of_sparse(X):
    return GaussianEmbedding(sparse.csr_matrix(X), sigma=2.0)


MAKERS = {
    "gaussian_of_sparse": gaussian_of_sparse,
    "dense": dense,
    "outer": outer,
    "sparse": sparse_rows,
    "sparse_outer": sparse_outer,
    "columns": stacked,
    "rows": row_stacked,
    "tensor": lambda X: to_device(dense(X), "cpu"),
    "tensor_outer": lambda X: to_device(outer(X), "cpu"),
    **{name: lambda X, make=make: make(X)[0] for name, make in KERNELS.items()},
}


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", MAKERS)
def test_joined_parts_hold_the_rows_of_all(name, dtype):
    parts = [
        MAKERS[name](np.random.RandomState(seed).normal(size=(4, 4)).astype(dtype))
        for seed in range(3)
    ]
    whole = joined(parts)
    assert type(whole) is type(parts[0])
    assert whole.shape == (12, parts[0].shape[1])
    assert whole.dtype == parts[0].dtype
    expected = [[one.sq_dists(two) for two in parts] for one in parts]
    np.testing.assert_allclose(
        whole.sq_dists(whole), np.block(expected), rtol=1e-5, atol=1e-5
    )
    norms_sq = np.concatenate([part.norms_sq() for part in parts])
    np.testing.assert_allclose(whole.norms_sq(), norms_sq, rtol=1e-6)
    some = whole.take(np.array([9, 1]))
    np.testing.assert_allclose(some.norms_sq(), norms_sq[[9, 1]], rtol=1e-6)


def test_joined_parts_are_flat():
    whole = joined([joined([dense(np.ones((1, 2)))] * 2), dense(np.zeros((1, 2)))])
    np.testing.assert_array_equal(whole.matrix, [[1, 1], [1, 1], [0, 0]])


def test_known_norms_are_kept():
    parts = [dense(np.full((2, 3), value)) for value in (1.0, 2.0)]
    assert joined(parts)._cached_norms_sq is None
    for part in parts:
        part.norms_sq()
    np.testing.assert_array_equal(joined(parts)._cached_norms_sq, [3, 3, 12, 12])


def test_one_part_is_itself():
    part = dense(np.ones((2, 2)))
    assert joined([part]) is part


def test_parts_of_different_kernels_are_refused():
    first, second = (
        ScaledEmbedding(MAKERS["laplace"](np.ones((1, 2))), factor)
        for factor in (2.0, 3.0)
    )
    with pytest.raises(ValueError, match="same factor"):
        joined([first, second])
    with pytest.raises(ValueError, match="different kernels"):
        joined([MAKERS["laplace"](np.ones((1, 2))), MAKERS["laplace"](np.ones((1, 3)))])


def test_kinds_that_say_nothing_are_refused_by_name():
    class Odd(DenseEmbedding):
        pass

    class New(Embedding):
        shape, dtype, _arrays = (1, 1), np.dtype(np.float64), ()
        _norms_sq = cross = _take = _cast = _dense = paired_sq_dists = None

    assert type(joined([Odd([[1.0]]), Odd([[2.0]])])) is DenseEmbedding
    with pytest.raises(TypeError, match="Rows of New from several chunks"):
        joined([New(), New()])


def first_and_norms(part, first):
    return [first], part.norms_sq()


def put_together(one, two):
    return one[0] + two[0], np.concatenate([one[1], two[1]])


@pytest.mark.parametrize("n_rows", [0, 1, 9000])
def test_an_embedding_is_reduced_in_blocks_of_rows(n_rows):
    embedding = dense(np.random.RandomState(0).normal(size=(n_rows, 1000)))
    starts, norms_sq = embedding.reduce(first_and_norms, put_together)
    np.testing.assert_array_equal(norms_sq, embedding.norms_sq())
    assert starts == sorted(starts)
    assert starts[0] == 0
    assert len(starts) == 3 or n_rows < 9000
