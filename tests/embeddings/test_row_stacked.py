"""Embeddings in chunks against the same rows in one piece."""

import itertools
import pickle
from math import isinf

import numpy as np
import pytest

from skbadge.embeddings import (
    AcsGrad,
    AcsRandomFeatures,
    DenseEmbedding,
    Embedding,
    LaplaceEmbedding,
    NTKEmbedding,
    OuterProductEmbedding,
    Posterior,
    RowStackedEmbedding,
    Scale,
    Sketch,
    sketch,
    to_device,
    transform_pool_and_labeled,
)
from tests.embeddings._transform_makers import (
    FINITE,
    KINDS,
    dense,
    normal,
    outer,
    well_posed,
)
from tests.samplers.test_common import CLASSES, WITH_COLUMNS

CUTS = [0, 3, 3, 20, 21, 40]


def chunked(embedding, cuts=CUTS):
    """The rows of an embedding in chunks, one of which is empty."""
    pairs = itertools.pairwise(cuts)
    return RowStackedEmbedding([embedding.take(slice(*pair)) for pair in pairs])


def one_chunk(embedding):
    return RowStackedEmbedding([embedding])


@pytest.fixture(params=KINDS)
def make(request):
    return KINDS[request.param]


ORDERS = {
    "as they are": np.arange(40),
    "shuffled": np.random.RandomState(0).permutation(40),
    "repeated": np.random.RandomState(1).randint(40, size=70),
}


@pytest.mark.parametrize("order", ORDERS.values(), ids=ORDERS)
def test_kernels_in_chunks_are_those_of_the_rows(make, order):
    whole, others = make(40), make(25)
    parts, rest = chunked(whole).take(order), chunked(others, [0, 12, 25])
    rest = rest.take(np.arange(25)[::-1])
    whole, others = whole.take(order), others.take(np.arange(25)[::-1])
    assert parts.shape == whole.shape
    assert parts.dtype == whole.dtype
    np.testing.assert_allclose(parts.norms_sq(), whole.norms_sq())
    for name in ("cross", "sq_dists"):
        expected = getattr(whole, name)(others)
        np.testing.assert_allclose(
            getattr(parts, name)(rest), expected, rtol=1e-12, atol=1e-13
        )
    np.testing.assert_allclose(
        parts.take(slice(25)).paired_sq_dists(rest),
        whole.take(slice(25)).paired_sq_dists(others),
        rtol=1e-12,
    )
    found, expected = parts.nearest(rest), whole.nearest(others)
    np.testing.assert_array_equal(found[0], expected[0])
    np.testing.assert_allclose(found[1], expected[1], rtol=1e-9, atol=1e-13)


def test_among_equally_near_rows_the_first_one_wins():
    rows = DenseEmbedding([[0.0], [1.0], [0.0], [1.0]])
    # The part that comes first holds the last of the equal rows.
    stack = chunked(rows, [0, 2, 4]).take(np.array([2, 0, 3, 1]))
    others = stack.take(np.array([3, 0, 2, 1]))
    assert stack.nearest(others)[0].tolist() == [1, 1, 0, 0]
    assert stack.nearest(stack)[0].tolist() == [0, 0, 2, 2]
    with_empty = chunked(rows, [0, 2, 2, 4])
    assert with_empty.nearest(chunked(rows, [0, 0, 4]))[0].tolist() == [0, 1, 0, 1]
    assert len(chunked(rows, [0, 0]).parts) == 1


def test_positions_are_handed_on_to_the_parts():
    stack = chunked(dense(40))
    rows = np.random.RandomState(0).permutation(40)
    for _ in range(3):
        stack = stack.take(rows)
    assert len(stack.parts) == 4
    few = stack.take(np.array([5, 6]))
    assert sum(map(len, few.parts)) == 2
    matrix = dense(40).matrix[rows][rows][rows]
    np.testing.assert_array_equal(few.to_dense(), matrix[[5, 6]])
    assert stack.take(slice(None, None, -1)).to_dense().tolist() == (
        matrix[::-1].tolist()
    )
    none = stack.take(slice(0))
    assert none.shape == (0, 9)
    assert none.cross(stack).shape == (0, 40)
    assert stack.cross(none).shape == (40, 0)


def test_runs_of_rows_are_not_copied():
    whole = dense(40)
    stack = chunked(whole).take(slice(2, 35)).take(np.arange(4, 20))
    assert all(np.shares_memory(part.matrix, whole.matrix) for part in stack.parts)


@pytest.mark.parametrize("make_finite", FINITE.values(), ids=FINITE)
def test_sketches_use_one_map_for_all_parts(make_finite):
    whole = make_finite(40)
    rng, other = np.random.RandomState(2), np.random.RandomState(2)
    result = sketch(chunked(whole), 6, random_state=rng)
    expected = sketch(whole, 6, random_state=other)
    np.testing.assert_allclose(result.matrix, expected.matrix, rtol=1e-9, atol=1e-12)
    # The source of randomness is where it would be.
    assert rng.randint(2**31) == other.randint(2**31)
    mixed = to_device(chunked(whole), None)
    mixed.parts = (mixed.parts[0], *(to_device(p, "cpu") for p in mixed.parts[1:]))
    result = sketch(mixed, 6, random_state=2)
    np.testing.assert_allclose(result.matrix, expected.matrix, rtol=1e-9, atol=1e-12)


TRANSFORMS = {
    "train": [Scale(), Posterior(0.1)],
    "train_kernel": [Scale(), Posterior(0.1, space="kernel")],
    "sketch": [Sketch(5), Scale()],
    "acs_rf": [Scale(), AcsRandomFeatures(7, sigma=0.5)],
    "acs_grad": [Scale(), AcsGrad(0.5)],
}


@pytest.mark.parametrize("name", TRANSFORMS)
@pytest.mark.parametrize("has_labeled", [True, False])
def test_transformations_give_the_same_kernel(name, make, has_labeled):
    whole, labeled = make(40), make(12)
    if isinf(whole.shape[1]) and name in ("sketch", "acs_rf"):
        pytest.skip("needs columns")
    steps = TRANSFORMS[name]
    expected = transform_pool_and_labeled(
        steps, whole, labeled if has_labeled else None, random_state=0
    )
    found = transform_pool_and_labeled(
        steps,
        chunked(whole),
        chunked(labeled, [0, 5, 12]) if has_labeled else None,
        random_state=0,
    )
    for result, other in zip(found, expected, strict=True):
        if other is None:
            assert result is None
            continue
        scale = other.norms_sq().max()
        np.testing.assert_allclose(
            result.cross(result), other.cross(other), rtol=1e-8, atol=1e-9 * scale
        )


def test_a_posterior_leaves_rows_in_their_parts():
    stack = chunked(outer(40))
    result = AcsGrad(0.5).fit(stack).transform(Scale().fit(stack).transform(stack))
    assert isinstance(result, RowStackedEmbedding)
    assert {type(part) for part in result.parts} == {OuterProductEmbedding}


@pytest.mark.parametrize("cls", sorted(CLASSES, key=lambda c: c.__name__))
@pytest.mark.parametrize("n_labeled", [None, 8])
@pytest.mark.parametrize("kind", ["dense", "outer", "ntk"])
def test_samplers_pick_the_same_rows(cls, n_labeled, kind):
    if kind == "ntk" and cls.__name__ in WITH_COLUMNS:
        pytest.skip("needs columns")
    whole = {
        "dense": DenseEmbedding(normal(40, 50)),
        "outer": OuterProductEmbedding(normal(40, 6, 1), normal(40, 9, 2)),
        "ntk": NTKEmbedding(normal(40, 9)),
    }[kind]
    labeled = known = None
    if n_labeled is not None:
        labeled = whole.take(np.arange(n_labeled) * 3)
        known = one_chunk(labeled)
    sampler = well_posed(cls)
    expected = sampler.run(whole, 9, labeled=labeled, random_state=0)
    found = sampler.run(chunked(whole), 9, labeled=known, random_state=0)
    np.testing.assert_array_equal(found.rows, expected.rows)


def test_it_moves_to_a_device_and_back():
    stack = chunked(outer(40)).take(np.random.RandomState(0).permutation(40))
    there = to_device(stack, "cpu")
    assert there.device.type == "cpu"
    assert stack.device is None
    np.testing.assert_allclose(there.cross(stack), stack.cross(stack), rtol=1e-12)
    back = to_device(there, None)
    np.testing.assert_array_equal(back.to_dense(), stack.to_dense())
    assert {type(part) for part in back.parts} == {OuterProductEmbedding}


def test_it_survives_a_pickle():
    stack = chunked(dense(40)).take(np.array([7, 30, 2]))
    again = pickle.loads(pickle.dumps(stack))
    np.testing.assert_array_equal(again.to_dense(), stack.to_dense())


def test_dtypes_of_parts_may_differ():
    whole = dense(40)
    parts = [whole.take(slice(20)), whole.take(slice(20, 40)).astype(np.float32)]
    stack = RowStackedEmbedding(parts)
    assert stack.dtype == np.float32
    assert stack.cross(stack).dtype == np.float32
    np.testing.assert_allclose(stack.cross(stack), whole.cross(whole), atol=1e-5)


def test_wrong_parts_are_refused():
    with pytest.raises(ValueError, match=r"at least one embedding.*Got \[\]"):
        RowStackedEmbedding([])
    with pytest.raises(ValueError, match=r"of one kind.*\('DenseEmbedding', 9\), \('O"):
        RowStackedEmbedding([dense(3), outer(3)])
    with pytest.raises(ValueError, match=r"Got \[\('DenseEmbedding', 2\), \('Dense"):
        RowStackedEmbedding([dense(3), DenseEmbedding(np.ones((3, 2)))])
    kernels = [LaplaceEmbedding(normal(3, 2), gamma=g) for g in (1.0, 2.0)]
    with pytest.raises(ValueError, match="Rows of different kernels"):
        RowStackedEmbedding(kernels).sq_dists(RowStackedEmbedding(kernels))
    assert issubclass(RowStackedEmbedding, Embedding)
