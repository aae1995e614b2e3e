"""Every kind of embedding against the dense matrix it stands for."""

import functools

import numpy as np
import pytest
from scipy import sparse

from skbadge.embeddings import (
    DenseEmbedding,
    OuterProductEmbedding,
    RowStackedEmbedding,
    SparseEmbedding,
    StackedEmbedding,
    _base,
    gradient_embedding,
    to_device,
)


def outer(left, right):
    return (left[:, :, None] * right[:, None, :]).reshape(len(left), -1)


def softmax(logits):
    proba = np.exp(logits - logits.max(axis=1, keepdims=True))
    return proba / proba.sum(axis=1, keepdims=True)


def make_dense(rng, n, dtype):
    X = rng.normal(size=(n, 7)).astype(dtype)
    return DenseEmbedding(X), X.astype(np.float64)


def make_outer(rng, n, dtype):
    A = rng.normal(size=(n, 3)).astype(dtype)
    Z = rng.normal(size=(n, 5)).astype(dtype)
    return OuterProductEmbedding(A, Z), outer(A.astype(float), Z.astype(float))


def sparse_rows(rng, n, dtype, n_columns=9):
    X = rng.normal(size=(n, n_columns)) * (rng.uniform(size=(n, n_columns)) < 0.4)
    X[0] = 0
    return sparse.csr_matrix(X.astype(dtype)), X.astype(dtype).astype(np.float64)


def make_sparse(rng, n, dtype):
    rows, X = sparse_rows(rng, n, dtype)
    return SparseEmbedding(rows), X


def make_sparse_outer(rng, n, dtype):
    A = rng.normal(size=(n, 3)).astype(dtype)
    rows, Z = sparse_rows(rng, n, dtype)
    return OuterProductEmbedding(A, rows), outer(A.astype(float), Z)


def make_sparse_array(rng, n, dtype):
    embedding, matrix = make_sparse_outer(rng, n, dtype)
    rows = sparse.csr_array(embedding.right)
    return OuterProductEmbedding(embedding.left, rows), matrix


def make_sparse_stack(rng, n, dtype):
    parts = [make(rng, n, dtype) for make in (make_sparse_outer, make_dense)]
    embeddings, matrices = zip(*parts, strict=True)
    return StackedEmbedding(embeddings), np.hstack(matrices)


def make_stacked(rng, n, dtype):
    parts = [make(rng, n, dtype) for make in (make_outer, make_dense, make_outer)]
    embeddings, matrices = zip(*parts, strict=True)
    return StackedEmbedding(embeddings), np.hstack(matrices)


def make_nested(rng, n, dtype):
    embedding, matrix = make_stacked(rng, n, dtype)
    more, columns = make_dense(rng, n, dtype)
    return StackedEmbedding([embedding, more]), np.hstack([matrix, columns])


def make_gradient(rng, n, dtype, bias=False, one_logit=False):
    proba = softmax(2 * rng.normal(size=(n, 2 if one_logit else 4))).astype(dtype)
    Z = rng.normal(size=(n, 6)).astype(dtype)
    embedding = gradient_embedding(proba, Z, include_bias=bias, one_logit=one_logit)
    proba, Z = proba.astype(np.float64), Z.astype(np.float64)
    # Not p - 1: rows of float32 probabilities sum to 1 but for rounding.
    predicted = proba == proba.max(axis=1, keepdims=True)
    wrong = np.where(predicted, 0, proba).sum(axis=1, keepdims=True)
    residual = np.where(predicted, -wrong, proba)
    if one_logit:
        residual = residual[:, 1:]
    matrix = outer(residual, Z)
    return embedding, np.hstack([matrix, residual]) if bias else matrix


def on_device(make):
    """The same embedding on torch's CPU."""

    def build(rng, n, dtype):
        embedding, matrix = make(rng, n, dtype)
        return to_device(embedding, "cpu"), matrix

    return build


def make_dense_stack(rng, n, dtype):
    parts = [make(rng, n, dtype) for make in (make_dense, make_dense)]
    embeddings, matrices = zip(*parts, strict=True)
    return StackedEmbedding(embeddings), np.hstack(matrices)


def in_chunks(make, devices=(None, None, None)):
    """The same rows in chunks, each on a device of its own."""

    def build(rng, n, dtype):
        embedding, matrix = make(rng, n, dtype)
        stops = [n * 2 // 5, n * 3 // 5, n]
        chunks = [
            to_device(embedding.take(slice(*pair)), device)
            for *pair, device in zip([0, *stops], stops, devices, strict=False)
        ]
        return RowStackedEmbedding(chunks), matrix

    return build


def scattered(make):
    """The same rows in chunks that hold them in another order."""

    def build(rng, n, dtype):
        embedding, matrix = make(rng, n, dtype)
        order = np.random.RandomState(n).permutation(n)
        half = n // 2
        chunks = [embedding.take(order[:half]), embedding.take(order[half:])]
        return RowStackedEmbedding(chunks).take(np.argsort(order)), matrix

    return build


make_gradient_bias = functools.partial(make_gradient, bias=True)

MAKERS = {
    "dense": make_dense,
    "tensor": on_device(make_dense),
    "tensor_stack": on_device(make_dense_stack),
    "tensor_outer": on_device(make_outer),
    "tensor_bias": on_device(make_gradient_bias),
    "outer": make_outer,
    "stacked": make_stacked,
    "nested": make_nested,
    "gradient": make_gradient,
    "gradient_bias": make_gradient_bias,
    "one_logit": functools.partial(make_gradient, one_logit=True),
    "one_logit_bias": functools.partial(make_gradient, bias=True, one_logit=True),
    "sparse": make_sparse,
    "sparse_outer": make_sparse_outer,
    "sparse_array": make_sparse_array,
    "sparse_stack": make_sparse_stack,
    "sparse_chunks": in_chunks(make_sparse_outer),
    "dense_chunks": in_chunks(make_dense),
    "outer_chunks": in_chunks(make_outer),
    "bias_chunks": in_chunks(make_gradient_bias),
    "chunks_on_devices": in_chunks(make_outer, (None, "cpu", None)),
    "scattered_chunks": scattered(make_outer),
    "nested_chunks": in_chunks(in_chunks(make_dense)),
}


@pytest.fixture(params=MAKERS)
def make(request):
    """Builder of a pair: an embedding, and its matrix in float64."""

    def build(n, dtype=np.float64, seed=0):
        return MAKERS[request.param](np.random.RandomState(seed), n, dtype)

    return build


def pairwise(X, Y):
    return ((X[:, None, :] - Y[None, :, :]) ** 2).sum(axis=2)


@pytest.fixture(params=[np.float64, np.float32], ids=["float64", "float32"])
def dtype(request):
    return request.param


def tolerance(dtype):
    return 1e-10 if dtype == np.float64 else 2e-5


def test_quantities_equal_those_of_the_dense_matrix(make, dtype):
    (first, X), (second, Y) = make(23, dtype), make(11, dtype, seed=1)
    tol = tolerance(dtype)
    assert first.shape == X.shape
    assert len(first) == 23
    assert first.dtype == dtype
    norms_sq = first.norms_sq()
    assert norms_sq.dtype == np.float64
    np.testing.assert_allclose(norms_sq, (X**2).sum(axis=1), rtol=tol)
    cross = first.cross(second)
    assert cross.dtype == dtype
    np.testing.assert_allclose(cross, X @ Y.T, rtol=tol, atol=10 * tol)
    sq_dists = first.sq_dists(second)
    assert sq_dists.dtype == np.float64
    np.testing.assert_allclose(sq_dists, pairwise(X, Y), rtol=tol)
    nearest = first.min_sq_dists(second)
    assert nearest.dtype == np.float64
    np.testing.assert_allclose(nearest, pairwise(X, Y).min(axis=1), rtol=tol)
    paired = first.take(slice(11)).paired_sq_dists(second)
    assert paired.dtype == np.float64
    np.testing.assert_allclose(paired, ((X[:11] - Y) ** 2).sum(axis=1), rtol=tol)
    dense = first.to_dense()
    assert dense.dtype == dtype
    np.testing.assert_allclose(dense, X, rtol=tol, atol=tol)


def test_factored_distances_equal_those_of_the_materialised_embedding(make):
    (first, _), (second, _) = make(40), make(30, seed=1)
    dense, other = DenseEmbedding(first.to_dense()), DenseEmbedding(second.to_dense())
    for name in ("cross", "sq_dists", "min_sq_dists"):
        np.testing.assert_allclose(
            getattr(first, name)(second), getattr(dense, name)(other), atol=1e-10
        )
    np.testing.assert_allclose(first.norms_sq(), dense.norms_sq(), rtol=1e-10)


ROWS = [slice(2, 9), slice(0, 0), slice(None), np.array([5, 0, 5, 3]), np.array([7])]


@pytest.mark.parametrize("rows", ROWS, ids=str)
@pytest.mark.parametrize("cached", [True, False])
def test_take_is_that_of_the_dense_matrix(make, dtype, rows, cached):
    embedding, X = make(12, dtype)
    if cached:
        embedding.norms_sq()
    part = embedding.take(rows)
    assert type(part) is type(embedding)
    assert part.shape == X[rows].shape
    assert part.dtype == dtype
    np.testing.assert_array_equal(part.to_dense(), embedding.to_dense()[rows])
    np.testing.assert_array_equal(part.norms_sq(), embedding.norms_sq()[rows])


def test_take_carries_the_cached_norms(make, monkeypatch):
    embedding, _X = make(12)
    norms_sq = embedding.norms_sq()
    assert embedding.norms_sq() is norms_sq
    monkeypatch.setattr(type(embedding), "_norms_sq", None)
    np.testing.assert_array_equal(
        embedding.take(np.array([3, 1])).norms_sq(), norms_sq[[3, 1]]
    )
    np.testing.assert_array_equal(embedding.take(slice(4)).norms_sq(), norms_sq[:4])


@pytest.mark.parametrize("other", [np.float32, np.float64])
def test_a_cast_is_that_of_the_dense_matrix(make, dtype, other):
    embedding, X = make(12, dtype)
    norms_sq = embedding.norms_sq()
    cast = embedding.astype(other)
    assert (cast is embedding) == (dtype == other)
    assert type(cast) is type(embedding)
    assert cast.dtype == other
    assert cast.cross(cast).dtype == other
    assert embedding.dtype == dtype
    # Cached norms are those of the rows as they were.
    assert cast.norms_sq() is norms_sq
    np.testing.assert_allclose(cast.to_dense(), X, rtol=2e-5, atol=2e-5)


def test_bulk_products_in_double_precision_give_its_distances(make):
    first, second = make(23, np.float32)[0], make(11, np.float32, seed=1)[0]
    X, Y = (part.astype(np.float64).to_dense() for part in (first, second))
    exact = pairwise(X, Y).min(axis=1)
    np.testing.assert_allclose(
        first.min_sq_dists(second, dtype=np.float64), exact, rtol=1e-10
    )
    apart = exact > 0
    assert apart.any()
    off = first.min_sq_dists(second)[apart] / exact[apart] - 1
    assert np.abs(off).max() > 1e-10


def arrays_of(embedding):
    if isinstance(embedding, StackedEmbedding | RowStackedEmbedding):
        return [array for part in embedding.parts for array in arrays_of(part)]
    if hasattr(embedding, "matrix"):
        return [array_of(embedding.matrix)]
    return [array_of(factor) for factor in (embedding.left, embedding.right)]


def array_of(factor):
    # Of a tensor, an array of the same memory.
    return factor.data if sparse.issparse(factor) else np.asarray(factor)


DENSE = [name for name in MAKERS if not name.startswith("sparse")]


@pytest.mark.parametrize("make", DENSE, indirect=True)
def test_a_slice_copies_nothing_and_nbytes_counts_the_factors(make, dtype):
    embedding, _ = make(12, dtype)
    parts = zip(
        arrays_of(embedding), arrays_of(embedding.take(slice(3, 9))), strict=True
    )
    assert all(np.shares_memory(whole, part) for whole, part in parts)
    # Parts may have one array in common.
    held = {array.ctypes.data: array.nbytes for array in arrays_of(embedding)}
    assert embedding.nbytes == sum(held.values())


def test_nbytes_of_sparse_factors_counts_their_entries_and_positions():
    rows = sparse.random(50, 10_000, density=1e-3, format="csr", random_state=0)
    held = rows.data.nbytes + rows.indices.nbytes + rows.indptr.nbytes
    assert SparseEmbedding(rows).nbytes == held
    assert OuterProductEmbedding(np.ones((50, 3)), rows).nbytes == held + 50 * 3 * 8


@pytest.mark.parametrize("format", ["csr", "csc", "coo", "lil", "dok", "bsr"])
def test_any_sparse_format_and_dtype_is_taken_and_left_as_it_is(format):
    dense = np.array([[0, 2, 0], [3, 0, 0]])
    rows = sparse.csr_matrix(dense).asformat(format)
    embedding = SparseEmbedding(rows)
    assert embedding.dtype == np.float64
    assert rows.dtype == dense.dtype
    np.testing.assert_array_equal(embedding.to_dense(), dense)


def test_entries_given_twice_stand_for_their_sum():
    parts = ([1.0, 2.0], [0, 0], [0, 2])
    twice = sparse.csr_matrix(parts, shape=(1, 2))
    assert SparseEmbedding(twice).norms_sq().tolist() == [9]
    assert twice.nnz == 2


def test_a_dense_matrix_is_no_sparse_embedding():
    with pytest.raises(TypeError, match="take a DenseEmbedding"):
        SparseEmbedding(np.ones((2, 2)))


def test_no_call_changes_the_factors(make, dtype):
    (embedding, _), (other, _) = make(12, dtype), make(12, dtype, seed=1)
    before = [array.copy() for array in arrays_of(embedding) + arrays_of(other)]
    embedding.cross(other)
    embedding.sq_dists(embedding)
    embedding.min_sq_dists(other)
    embedding.paired_sq_dists(other)
    embedding.to_dense()[:] = 0
    after = arrays_of(embedding) + arrays_of(other)
    for old, new in zip(before, after, strict=True):
        np.testing.assert_array_equal(old, new)


def test_cached_norms_are_not_changed_by_distances(make, dtype):
    (embedding, _X), (other, _Y) = make(12, dtype), make(9, dtype, seed=1)
    norms = embedding.norms_sq().copy(), other.norms_sq().copy()
    embedding.sq_dists(other)
    embedding.min_sq_dists(other)
    np.testing.assert_array_equal(embedding.norms_sq(), norms[0])
    np.testing.assert_array_equal(other.norms_sq(), norms[1])


def test_equal_rows_are_at_distance_exactly_zero(make, dtype):
    embedding, _ = make(40, dtype)
    embedding = embedding.take(np.tile(np.arange(40), 2))
    sq_dists = embedding.sq_dists(embedding)
    assert (np.diagonal(sq_dists) == 0).all()
    assert (np.diagonal(sq_dists, 40) == 0).all()
    assert (sq_dists[:40, :40][~np.eye(40, dtype=bool)] > 0).all()
    assert (embedding.min_sq_dists(embedding) == 0).all()
    one = embedding.take(np.array([3]))
    assert embedding.min_sq_dists(one)[[3, 43]].tolist() == [0, 0]
    assert (embedding.paired_sq_dists(embedding) == 0).all()


def perturbed(array, scale, rng):
    noise = 1 + scale * rng.normal(size=array.shape)
    return (array * noise).astype(array.dtype)


@pytest.mark.parametrize("scale", [1e-2, 1e-3, 1e-4, 1e-5, 1e-6])
def test_distances_of_near_duplicates_keep_their_digits_in_float32(scale):
    rng = np.random.RandomState(0)
    A = (3 * rng.normal(size=(60, 5))).astype(np.float32)
    Z = (3 * rng.normal(size=(60, 16))).astype(np.float32)
    A2, Z2 = perturbed(A, scale, rng), perturbed(Z, scale, rng)
    exact = pairwise(
        outer(A.astype(float), Z.astype(float)),
        outer(A2.astype(float), Z2.astype(float)),
    )
    pairs = [
        (OuterProductEmbedding(A, Z), OuterProductEmbedding(A2, Z2)),
        (
            StackedEmbedding([DenseEmbedding(A), OuterProductEmbedding(A, Z)]),
            StackedEmbedding([DenseEmbedding(A2), OuterProductEmbedding(A2, Z2)]),
        ),
        (DenseEmbedding(outer(A, Z)), DenseEmbedding(outer(A2, Z2))),
    ]
    for first, second in pairs:
        if isinstance(first, DenseEmbedding):
            exact = pairwise(first.matrix.astype(float), second.matrix.astype(float))
        elif isinstance(first, StackedEmbedding):
            both = exact + pairwise(A.astype(float), A2.astype(float))
            np.testing.assert_allclose(first.sq_dists(second), both, rtol=0.02)
            np.testing.assert_allclose(
                first.min_sq_dists(second), both.min(axis=1), rtol=0.02
            )
            continue
        np.testing.assert_allclose(first.sq_dists(second), exact, rtol=0.02)
        np.testing.assert_allclose(
            first.min_sq_dists(second), exact.min(axis=1), rtol=0.02
        )
        np.testing.assert_allclose(
            first.paired_sq_dists(second), np.diagonal(exact), rtol=1e-6
        )


def test_the_plain_float32_expansion_would_fail_the_test_above():
    rng = np.random.RandomState(0)
    A = (3 * rng.normal(size=(60, 5))).astype(np.float32)
    Z = (3 * rng.normal(size=(60, 16))).astype(np.float32)
    A2, Z2 = perturbed(A, 1e-4, rng), perturbed(Z, 1e-4, rng)
    first, second = OuterProductEmbedding(A, Z), OuterProductEmbedding(A2, Z2)
    expanded = (
        first.norms_sq()
        + second.norms_sq()
        - 2.0 * np.diagonal(first.cross(second)).astype(float)
    )
    exact = first.paired_sq_dists(second)
    assert np.abs(expanded / exact - 1).max() > 1


def test_distances_are_never_negative_where_everything_cancels():
    rng = np.random.RandomState(0)
    Z = np.tile(1e4 * rng.normal(size=(1, 20)), (300, 1)).astype(np.float32)
    Z = perturbed(Z, 1e-7, rng)
    A = np.tile(rng.normal(size=(1, 4)), (300, 1)).astype(np.float32)
    # The same matrix again, from other factors.
    scale = np.where(np.arange(300) % 2, 3.0, 1.0)[:, None].astype(np.float32)
    for embedding in (
        OuterProductEmbedding(A * scale, Z / scale),
        DenseEmbedding(Z),
        StackedEmbedding([DenseEmbedding(Z), OuterProductEmbedding(A, Z)]),
    ):
        assert embedding.sq_dists(embedding).min() >= 0
        assert embedding.min_sq_dists(embedding).min() >= 0
        assert (
            embedding.paired_sq_dists(embedding.take(slice(None, None, -1))).min() >= 0
        )


def test_rounding_leaves_no_negative_distance_between_equal_rows_of_other_factors():
    rng = np.random.RandomState(0)
    A, Z = rng.normal(size=(500, 3)), rng.normal(size=(500, 4))
    scale = rng.uniform(0.5, 2, size=(500, 1))
    first = OuterProductEmbedding(A, Z)
    second = OuterProductEmbedding(A * scale, Z / scale)
    paired = first.paired_sq_dists(second)
    assert paired.min() >= 0
    assert paired.max() <= 1e-13 * first.norms_sq().max()
    assert first.sq_dists(second).min() >= 0


def test_results_do_not_depend_on_the_size_of_the_blocks(make, dtype, monkeypatch):
    (first, _X), (second, _Y) = make(57, dtype), make(31, dtype, seed=1)
    rows = np.r_[np.arange(31), 0, 0, 5]
    second = second.take(rows)
    # Rows that need their distances computed again are among them.
    first = StackedEmbedding([first, DenseEmbedding(np.zeros((57, 1), dtype))])
    second = StackedEmbedding([second, DenseEmbedding(np.zeros((34, 1), dtype))])

    def results():
        fresh = [first.take(slice(None)), second.take(slice(None))]
        return (
            fresh[0].norms_sq(),
            fresh[0].sq_dists(fresh[1]),
            fresh[0].min_sq_dists(fresh[1]),
            fresh[1].min_sq_dists(fresh[1]),
        )

    whole = results()
    seen = []

    def small(n_rows, cost_per_row, budget=None, minimum=None):
        blocks = list(row_chunks(n_rows, 1, budget=7, minimum=1))
        seen.append(len(blocks))
        return blocks

    row_chunks = _base.row_chunks
    monkeypatch.setattr(_base, "row_chunks", small)
    for one, other in zip(results(), whole, strict=True):
        np.testing.assert_allclose(one, other, rtol=tolerance(dtype) / 10, atol=0)
    assert max(seen) > 4


def test_many_rows_on_both_sides_are_walked_in_blocks(dtype):
    rng = np.random.RandomState(0)
    X, Y = (rng.normal(size=(n, 3)).astype(dtype) for n in (2500, 2300))
    # The nearest row of some is in each block of columns.
    nearest = pairwise(X.astype(float), Y.astype(float))
    assert set(nearest.argmin(axis=1) // 1024) == {0, 1, 2}
    np.testing.assert_allclose(
        DenseEmbedding(X).min_sq_dists(DenseEmbedding(Y)),
        nearest.min(axis=1),
        rtol=0.02 if dtype == np.float32 else 1e-9,
    )


def test_zero_rows_are_as_far_as_the_norm_of_the_other(make, dtype):
    embedding, X = make(9, dtype)
    zeros = StackedEmbedding([DenseEmbedding(np.zeros((4, 3), dtype))])
    other = StackedEmbedding([DenseEmbedding(X[:, :3].astype(dtype))])
    expected = (X[:, :3].astype(dtype).astype(float) ** 2).sum(axis=1)
    np.testing.assert_allclose(zeros.sq_dists(other)[0], expected, rtol=1e-6)
    np.testing.assert_allclose(zeros.min_sq_dists(other), expected.min(), rtol=1e-6)
    assert (zeros.min_sq_dists(zeros) == 0).all()
    # Against a zero row of its own kind.
    factors = embedding.take(np.array([0, 1]))
    for array in arrays_of(factors):
        array[0] = 0
    np.testing.assert_allclose(
        factors.sq_dists(factors)[0], factors.take(slice(None)).norms_sq() * [0, 1]
    )


def test_to_dense_refuses_above_the_limit_and_names_both_sizes(make, dtype):
    embedding, X = make(12, dtype)
    n_bytes = X.size * np.dtype(dtype).itemsize
    assert embedding.to_dense(max_bytes=n_bytes).nbytes == n_bytes
    with pytest.raises(ValueError, match=r"takes .* GB, above `max_bytes`="):
        embedding.to_dense(max_bytes=n_bytes - 1)


def test_the_refusal_gives_the_size_in_gigabytes():
    embedding = OuterProductEmbedding(np.ones((2000, 1000)), np.ones((2000, 500)))
    with pytest.raises(ValueError, match=r"shape=\(2000, 500000\)\) takes 8 GB, above"):
        embedding.to_dense()


def test_to_dense_is_a_copy():
    X = np.ones((2, 2))
    DenseEmbedding(X).to_dense()[:] = 5
    assert (X == 1).all()


def test_repr_shows_the_shape(make):
    embedding, X = make(4)
    assert repr(embedding) == f"{type(embedding).__name__}(shape=(4, {X.shape[1]}))"


@pytest.mark.parametrize("width", [1, 50])
def test_norms_of_long_columns_accumulate_in_float64(width):
    X = np.full((3, 400_000 // width), 0.1, dtype=np.float32).repeat(width, axis=0)
    expected = X.shape[1] * float(np.float32(0.1)) ** 2
    np.testing.assert_allclose(DenseEmbedding(X).norms_sq(), expected, rtol=1e-10)


def test_factors_are_kept_without_a_copy_unless_they_must_be_cast():
    X = np.ones((3, 2), dtype=np.float32)
    assert DenseEmbedding(X).matrix is X
    assert DenseEmbedding(X.astype(np.float16)).dtype == np.float32
    assert DenseEmbedding([[1, 2]]).dtype == np.float64
    outer = OuterProductEmbedding(X, X.astype(np.float64))
    assert outer.left is X
    assert outer.dtype == np.float32


def test_wrong_shapes_are_refused():
    with pytest.raises(
        ValueError, match=r"`matrix` must be 2-D. Got .* \(3,\) instead"
    ):
        DenseEmbedding(np.ones(3))
    with pytest.raises(ValueError, match="`left` must be 2-D"):
        OuterProductEmbedding(np.ones(3), np.ones((3, 1)))
    with pytest.raises(ValueError, match=r"same number of rows. Got 3 and 2"):
        OuterProductEmbedding(np.ones((3, 1)), np.ones((2, 1)))
    parts = [DenseEmbedding(np.ones((n, 1))) for n in (3, 2)]
    with pytest.raises(
        ValueError, match=r"the same number of rows. Got rows: \[3, 2\]"
    ):
        StackedEmbedding(parts)
    with pytest.raises(ValueError, match=r"at least one embedding"):
        StackedEmbedding([])
