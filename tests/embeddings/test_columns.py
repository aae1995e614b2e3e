"""Products that are taken over the columns, against the dense matrix."""

import tracemalloc

import numpy as np
import pytest

from skbadge.embeddings import (
    DenseEmbedding,
    OuterProductEmbedding,
    RowStackedEmbedding,
    _base,
    _on_device,
)
from tests.embeddings.test_common import MAKERS


@pytest.fixture(params=MAKERS)
def make(request):
    def build(n, dtype=np.float64, seed=0):
        return MAKERS[request.param](np.random.RandomState(seed), n, dtype)

    return build


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_products_equal_those_of_the_dense_matrix(make, dtype):
    embedding, _ = make(41, dtype)
    # Of the factors as they are: products are taken in float64 whatever the dtype.
    X = embedding.astype(np.float64).to_dense()
    gram = embedding.column_gram()
    assert gram.dtype == np.float64
    np.testing.assert_allclose(gram, X.T @ X, rtol=1e-12, atol=1e-12)
    np.testing.assert_array_equal(gram, gram.T)
    directions = np.random.RandomState(1).normal(size=(X.shape[1], 3))
    coordinates = embedding.project(directions)
    assert coordinates.dtype == np.float64
    np.testing.assert_allclose(coordinates, X @ directions, rtol=1e-12, atol=1e-12)
    matrix = np.random.RandomState(2).normal(size=gram.shape)
    forms = embedding.quadratic_forms(matrix)
    assert forms.dtype == np.float64
    np.testing.assert_allclose(forms, ((X @ matrix) * X).sum(axis=1), rtol=1e-11)


def test_blocks_of_rows_add_up(make, monkeypatch):
    embedding, _ = make(41)
    X = embedding.to_dense()
    row_chunks, seen = _base.row_chunks, []

    def tiny(n_rows, cost_per_row, budget=None, minimum=None):
        blocks = list(row_chunks(n_rows, 1, budget=6, minimum=1))
        seen.append(len(blocks))
        return blocks

    monkeypatch.setattr(_base, "row_chunks", tiny)
    monkeypatch.setattr(_on_device, "row_chunks", tiny)
    np.testing.assert_allclose(embedding.column_gram(), X.T @ X, atol=1e-12)
    directions = np.eye(X.shape[1])[:, ::2]
    np.testing.assert_allclose(embedding.project(directions), X[:, ::2], atol=1e-12)
    forms = embedding.quadratic_forms(np.eye(X.shape[1]))
    np.testing.assert_allclose(forms, (X**2).sum(axis=1), rtol=1e-12)
    # Each part of a stack of rows has blocks of its own.
    assert max(seen) == 7 or isinstance(embedding, RowStackedEmbedding)
    assert max(seen) >= 3


@pytest.mark.parametrize("n_columns", [0, 1, 255, 256, 257, 700])
def test_any_number_of_columns_gives_a_symmetric_matrix(n_columns):
    X = np.random.RandomState(0).normal(size=(30, n_columns))
    gram = DenseEmbedding(X).column_gram()
    np.testing.assert_allclose(gram, X.T @ X, atol=1e-12)
    np.testing.assert_array_equal(gram, gram.T)
    assert DenseEmbedding(X[:0]).column_gram().tolist() == np.zeros_like(gram).tolist()


def test_the_matrix_is_never_held_as_a_whole():
    rng = np.random.RandomState(0)
    embedding = OuterProductEmbedding(
        rng.normal(size=(20_000, 10)), rng.normal(size=(20_000, 40))
    )
    dense = 8 * 20_000 * 400
    tracemalloc.start()
    embedding.column_gram()
    embedding.project(np.ones((400, 1)))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < dense / 4
