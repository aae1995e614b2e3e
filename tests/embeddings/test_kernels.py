"""Embeddings that are known by their inner products only, against their formulas."""

import pickle
from math import inf

import mpmath
import numpy as np
import pytest

from skbadge.embeddings import (
    DenseEmbedding,
    LaplaceEmbedding,
    NNGPEmbedding,
    NTKEmbedding,
    OuterProductEmbedding,
    ProductEmbedding,
    ScaledEmbedding,
    StackedEmbedding,
    sketch,
)
from skbadge.samplers import KCenter, KMeansPlusPlus
from tests.embeddings._kernel_makers import KERNELS

RELU = {"nngp": NNGPEmbedding, "ntk": NTKEmbedding}


@pytest.fixture(params=KERNELS)
def make(request):
    return KERNELS[request.param]


@pytest.fixture(params=[np.float64, np.float32], ids=["float64", "float32"])
def dtype(request):
    return request.param


def table(n, seed=0, dtype=np.float64):
    return np.random.RandomState(seed).normal(size=(n, 4)).astype(dtype)


def test_quantities_equal_those_of_the_kernel(make, dtype):
    X, Y = table(23, dtype=dtype), table(11, 1, dtype)
    (first, kernel), (second, _) = make(X), make(Y)
    X, Y = X.astype(np.float64), Y.astype(np.float64)
    expected = kernel(X, Y)
    # Of float64 products, whatever the dtype of the table, but for sums in float32.
    tol = 1e-7 if dtype == np.float64 else 2e-6
    assert first.shape == (23, inf)
    assert len(first) == 23
    assert first.dtype == dtype
    cross = first.cross(second)
    assert cross.dtype == dtype
    np.testing.assert_allclose(cross, expected, rtol=tol, atol=tol)
    a, b = np.diagonal(kernel(X, X)), np.diagonal(kernel(Y, Y))
    assert first.norms_sq().dtype == np.float64
    np.testing.assert_allclose(first.norms_sq(), a, rtol=1e-7)
    sq_dists = a[:, None] + b - 2 * expected
    assert first.sq_dists(second).dtype == np.float64
    np.testing.assert_allclose(first.sq_dists(second), sq_dists, rtol=10 * tol)
    np.testing.assert_allclose(
        first.min_sq_dists(second), sq_dists.min(axis=1), rtol=10 * tol
    )
    np.testing.assert_allclose(
        first.take(slice(11)).paired_sq_dists(second),
        np.diagonal(sq_dists),
        rtol=10 * tol,
    )


ROWS = [slice(2, 9), slice(0, 0), np.array([5, 0, 5, 3])]


@pytest.mark.parametrize("rows", ROWS, ids=str)
@pytest.mark.parametrize("cached", [True, False])
def test_take_is_that_of_the_rows(make, dtype, rows, cached):
    embedding, _ = make(table(12, dtype=dtype))
    norms_sq = embedding.take(slice(None)).norms_sq()
    if cached:
        embedding.norms_sq()
    part = embedding.take(rows)
    assert type(part) is type(embedding)
    assert part.shape == (len(norms_sq[rows]), inf)
    assert part.dtype == dtype
    np.testing.assert_array_equal(part.norms_sq(), norms_sq[rows])
    np.testing.assert_allclose(
        part.cross(embedding), embedding.cross(embedding)[rows], rtol=1e-5, atol=1e-6
    )


def test_a_cast_holds_the_same_rows(make):
    single, _ = make(table(12, dtype=np.float32))
    double = single.astype(np.float64)
    assert double.dtype == np.float64
    assert type(double) is type(single)
    assert single.dtype == np.float32
    assert double.astype(np.float64) is double
    assert double.cross(double).dtype == np.float64
    np.testing.assert_allclose(
        single.cross(single), double.cross(double), rtol=1e-6, atol=1e-6
    )


def test_equal_rows_are_at_distance_exactly_zero(make, dtype):
    X = 3 * table(30, dtype=dtype)
    embedding, _ = make(np.vstack([X, X]))
    sq_dists = embedding.sq_dists(embedding)
    assert (np.diagonal(sq_dists) == 0).all()
    assert (np.diagonal(sq_dists, 30) == 0).all()
    assert (sq_dists[:30, :30][~np.eye(30, dtype=bool)] > 0).all()
    assert (embedding.min_sq_dists(embedding) == 0).all()
    assert (embedding.paired_sq_dists(embedding) == 0).all()


def test_many_rows_on_both_sides_are_walked_in_blocks(make):
    X, Y = table(300), table(1100, 1)
    (first, _), (second, _) = make(X), make(Y)
    nearest = first.sq_dists(second)
    assert (nearest.argmin(axis=1) >= 1024).any()
    np.testing.assert_allclose(
        first.min_sq_dists(second), nearest.min(axis=1), rtol=1e-9, atol=1e-13
    )


def test_what_would_form_columns_is_refused_with_the_reason(make):
    embedding, _ = make(table(5))
    calls = [
        embedding.to_dense,
        lambda: sketch(embedding, 4, random_state=0),
        embedding.column_gram,
        lambda: embedding.project(np.ones((4, 1))),
    ]
    for call in calls:
        with pytest.raises(ValueError, match="inner products of its rows only"):
            call()


def farthest_first(sq_dists, norms_sq, n):
    rows = [int(norms_sq.argmax())]
    while len(rows) < n:
        rows.append(int(sq_dists[:, rows].min(axis=1).argmax()))
    return rows


def test_samplers_that_need_distances_work_on_kernels(make):
    X = table(200)
    embedding, kernel = make(X)
    matrix = kernel(X, X)
    norms_sq = np.diagonal(matrix) + 1e-9 * np.arange(200)[::-1]
    sq_dists = norms_sq[:, None] + norms_sq - 2 * matrix
    picks = KCenter().sample(embedding, 12, random_state=0)
    # Equal norms leave the first to chance.
    sq_dists[picks[0], picks[0]] = 0
    norms_sq[picks[0]] = inf
    assert picks.tolist() == farthest_first(sq_dists, norms_sq, 12)
    picks = KMeansPlusPlus().sample(embedding, 30, random_state=0)
    assert len(np.unique(picks)) == 30


def test_samplers_name_a_row_that_is_not_finite(make):
    X = table(20)
    X[7, 2] = np.nan
    with pytest.raises(ValueError, match="the first is row 7"):
        KMeansPlusPlus().sample(make(X)[0], 3, random_state=0)


def test_pickles_hold_the_same_rows(make):
    embedding, _ = make(table(6))
    again = pickle.loads(pickle.dumps(embedding))
    np.testing.assert_array_equal(again.cross(embedding), embedding.cross(embedding))
    assert repr(again) == repr(embedding)
    assert "shape=(6, inf)" in repr(embedding)


def test_laplace_distances_keep_their_digits():
    X = np.array([[1e3, 1e3]])
    for step in (1e-3, 1e-7, 1e-10):
        Y = X + np.array([step, 0.0])
        r = float(Y[0, 0] - 1e3)
        expected = float(2 * -mpmath.expm1(-0.5 * mpmath.mpf(r)))
        first, second = (LaplaceEmbedding(A, gamma=0.5) for A in (X, Y))
        np.testing.assert_allclose(first.paired_sq_dists(second), expected, rtol=1e-12)
        np.testing.assert_allclose(first.sq_dists(second)[0], expected, rtol=0.02)


def test_far_rows_keep_the_digits_of_their_laplace_kernel():
    embedding = LaplaceEmbedding([[0.0], [200.0]])
    np.testing.assert_allclose(
        embedding.cross(embedding)[0, 1], np.exp(-200.0), rtol=1e-12
    )


def test_rows_of_different_kernels_are_not_compared():
    X = table(3)
    others = [
        NNGPEmbedding(X, sigma_w=1.0),
        NNGPEmbedding(X, n_hidden_layers=1),
        NTKEmbedding(X),
        NNGPEmbedding(X[:, :2]),
    ]
    for other in others:
        with pytest.raises(ValueError, match="Rows of different kernels were compared"):
            NNGPEmbedding(X).cross(other)
    twice, thrice = (ScaledEmbedding(LaplaceEmbedding(X), f) for f in (2, 3))
    with pytest.raises(ValueError, match="scaled by the same factor"):
        twice.sq_dists(thrice)


@pytest.mark.parametrize("dtype_", [np.float64, np.float32])
def test_a_product_of_matrices_is_an_outer_product(dtype_):
    A, Z = table(9, dtype=dtype_), table(9, 1, dtype_)[:, :3]
    B, Y = table(7, 2, dtype_), table(7, 3, dtype_)[:, :3]
    pairs = [(A, Z), (B, Y)]
    first, second = (
        ProductEmbedding(DenseEmbedding(left), DenseEmbedding(right))
        for left, right in pairs
    )
    one, other = (OuterProductEmbedding(left, right) for left, right in pairs)
    assert first.shape == (9, 12)
    assert first.nbytes == one.nbytes
    np.testing.assert_array_equal(first.to_dense(), one.to_dense())
    np.testing.assert_allclose(first.cross(second), one.cross(other), rtol=1e-5)
    tol = 1e-10 if dtype_ == np.float64 else 1e-5
    np.testing.assert_allclose(first.sq_dists(second), one.sq_dists(other), rtol=tol)
    np.testing.assert_allclose(
        first.take(slice(7)).paired_sq_dists(second),
        one.take(slice(7)).paired_sq_dists(other),
        rtol=1e-12,
    )
    np.testing.assert_allclose(first.column_gram(), one.column_gram(), rtol=1e-12)


@pytest.mark.parametrize("scale", [1e-2, 1e-5, 1e-8])
def test_near_duplicates_in_a_product_keep_their_digits(scale):
    rng = np.random.RandomState(0)
    A, Z = rng.normal(size=(50, 3)), rng.normal(size=(50, 4))
    B, Y = (M + scale * rng.normal(size=M.shape) for M in (A, Z))
    first, second = (
        ProductEmbedding(DenseEmbedding(left), DenseEmbedding(right))
        for left, right in ((A, Z), (B, Y))
    )
    exact = OuterProductEmbedding(A, Z).paired_sq_dists(OuterProductEmbedding(B, Y))
    np.testing.assert_allclose(first.paired_sq_dists(second), exact, rtol=1e-6)


def test_equal_rows_of_a_product_are_so_though_norms_differ_by_rounding():
    X = table(4)
    first, second = DenseEmbedding(X), DenseEmbedding(X)
    first._cached_norms_sq = first._norms_sq() * (1 + 1e-14)
    one, other = ProductEmbedding(first, first), ProductEmbedding(second, second)
    assert (one.paired_sq_dists(other) == 0).all()


def test_wrong_arguments_are_refused():
    X = table(3)
    for kernel in RELU.values():
        for depth in (-1, 1.0, None):
            with pytest.raises(
                ValueError, match=r"'n_hidden_layers' parameter of .* must be an int"
            ):
                kernel(X, n_hidden_layers=depth)
        for sigma in (0, -1.0, np.nan, inf, "1"):
            with pytest.raises(ValueError, match=r"'sigma_w' parameter of .* must be"):
                kernel(X, sigma_w=sigma)
        with pytest.raises(ValueError, match=r"'sigma_b' parameter of .* must be a"):
            kernel(X, sigma_b=-0.1)
    with pytest.raises(ValueError, match="'gamma' parameter of LaplaceEmbedding"):
        LaplaceEmbedding(X, gamma=0)
    with pytest.raises(ValueError, match="`X` must be 2-D"):
        LaplaceEmbedding(X[0])
    with pytest.raises(ValueError, match="`X` must have at least one column"):
        NTKEmbedding(X[:, :0])
    with pytest.raises(ValueError, match="same number of rows"):
        ProductEmbedding(DenseEmbedding(X), DenseEmbedding(X[:2]))


def test_a_stack_with_a_kernel_has_no_columns():
    stack = StackedEmbedding([DenseEmbedding(table(3)), LaplaceEmbedding(table(3))])
    assert stack.shape == (3, inf)
    product = ProductEmbedding(
        LaplaceEmbedding(table(3)), DenseEmbedding(np.ones((3, 0)))
    )
    assert product.shape == (3, inf)
