"""Embeddings on a device of torch's: here its CPU, and a GPU where there is one."""

import pickle

import numpy as np
import pytest
import torch

from skbadge.embeddings import (
    AcsGrad,
    AcsRandomFeatures,
    DenseEmbedding,
    LaplaceEmbedding,
    OuterProductEmbedding,
    Posterior,
    ProductEmbedding,
    Scale,
    Sketch,
    StackedEmbedding,
    gradient_embedding,
    sketch,
    to_device,
    transform_pool_and_labeled,
)
from skbadge.embeddings._tensor import TensorEmbedding
from tests.embeddings._transform_makers import normal, well_posed
from tests.samplers.test_common import CLASSES


@pytest.fixture(
    params=[
        "cpu",
        pytest.param(
            "cuda",
            marks=pytest.mark.skipif(
                not torch.cuda.is_available(), reason="needs a GPU"
            ),
        ),
    ]
)
def device(request):
    return request.param


def dense(n=60, width=12, seed=0, dtype=np.float64):
    # A few directions carry most of the variance, as in the embeddings of nets.
    return DenseEmbedding(
        normal(n, width, seed, dtype) * np.geomspace(5, 0.05, width, dtype=dtype)
    )


def gradient(n=60, seed=0, dtype=np.float64):
    """What BADGE makes of a model with a bias: an outer product and a matrix."""
    logits = normal(n, 5, seed, np.float64)
    proba = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    features = normal(n, 9, seed + 5, dtype)
    return gradient_embedding(proba.astype(dtype), features, include_bias=True)


KINDS = {
    "dense": lambda n, seed=0, dtype=np.float64: dense(n, 40, seed, dtype),
    "outer": lambda n, seed=0, dtype=np.float64: outer(n, seed=seed, dtype=dtype),
    "gradient": gradient,
}


def is_on(embedding, device):
    return embedding.matrix.device.type == device


def test_a_matrix_goes_to_a_device_and_back(device):
    embedding = dense()
    there = to_device(embedding, device)
    assert is_on(there, device)
    assert repr(there) == "TensorEmbedding(shape=(60, 12))"
    assert there.nbytes == embedding.nbytes
    back = to_device(there, None)
    assert type(back) is DenseEmbedding
    np.testing.assert_array_equal(back.matrix, embedding.matrix)
    assert to_device(embedding, None) is embedding
    assert is_on(to_device(there, device), device)


def test_the_dense_form_is_a_copy(device):
    there = to_device(dense(), device)
    there.to_dense()[:] = 0
    assert there.norms_sq().all()


def test_stacks_are_moved_part_by_part_and_scaled_ones_inside(device):
    stack = StackedEmbedding([dense(seed=0), dense(seed=1)])
    there = to_device(stack, device)
    assert all(is_on(part, device) for part in there.parts)
    np.testing.assert_allclose(there.cross(there), stack.cross(stack), rtol=1e-12)
    scaled = Scale().fit(there).transform(there)
    assert all(is_on(part, device) for part in scaled.parts)
    assert scaled.norms_sq().mean() == pytest.approx(1.0)


def test_a_kernel_of_a_table_stays():
    embedding = LaplaceEmbedding(normal(5, 3))
    assert to_device(embedding, "cpu") is embedding
    assert embedding.device is None


def outer(n=60, n_left=4, n_right=10, seed=0, dtype=np.float64):
    left = normal(n, n_left, seed, dtype)
    return OuterProductEmbedding(left, dense(n, n_right, seed + 9, dtype).matrix)


def test_outer_products_go_to_a_device_and_back(device):
    embedding = outer()
    there = to_device(embedding, device)
    assert there.device.type == device
    assert repr(there) == "TensorOuterProduct(shape=(60, 40))"
    assert there.nbytes == embedding.nbytes
    assert to_device(there, device).device.type == device
    back = to_device(there, None)
    assert type(back) is OuterProductEmbedding
    assert back.device is None
    np.testing.assert_array_equal(back.left, embedding.left)
    np.testing.assert_array_equal(back.right, embedding.right)
    assert to_device(embedding, None) is embedding


def test_outer_products_are_scaled_by_their_smaller_factor(device):
    embedding = outer(dtype=np.float32)
    there = to_device(embedding, device)
    scaled = Scale().fit(there).transform(there)
    assert scaled.right is there.right
    expected = Scale().fit(embedding).transform(embedding)
    np.testing.assert_allclose(scaled.to_dense(), expected.to_dense(), rtol=1e-6)
    wide = to_device(OuterProductEmbedding(embedding.right, embedding.left), device)
    assert Scale().fit(wide).transform(wide).left is wide.left


def test_factors_of_two_dtypes_are_promoted(device):
    # As gradients of a model that is very sure: their residuals are in float64.
    mixed = OuterProductEmbedding(1e-14 * normal(9, 3), normal(9, 4, 1, np.float32))
    single = outer(7, 3, 4, dtype=np.float32)
    there, others = (to_device(part, device) for part in (mixed, single))
    assert there.dtype == np.float32
    np.testing.assert_allclose(there.cross(others), mixed.cross(single), rtol=1e-4)
    np.testing.assert_allclose(
        there.sq_dists(there), mixed.sq_dists(mixed), rtol=1e-5, atol=0
    )
    expected = sketch(mixed, 6, random_state=0).matrix
    result = sketch(there, 6, random_state=0)
    assert result.dtype == np.float32
    np.testing.assert_allclose(result.matrix, expected, rtol=1e-4, atol=1e-20)


def test_products_and_posteriors_move_with_their_parts(device):
    embedding = outer()
    labeled = outer(8, seed=1)
    posterior = Posterior(0.5, space="kernel").fit(labeled).transform(embedding)
    product = ProductEmbedding(embedding, LaplaceEmbedding(normal(60, 3)))
    for whole, part in ((posterior, "prior"), (product, "first")):
        there = to_device(whole, device)
        assert there.device.type == device
        assert getattr(there, part).device.type == device
        np.testing.assert_allclose(there.cross(there), whole.cross(whole), rtol=1e-10)
        back = to_device(there, None)
        assert back.device is None
        assert type(getattr(back, part)) is OuterProductEmbedding
        np.testing.assert_array_equal(back.cross(back), whole.cross(whole))


def test_a_sketch_on_a_device_is_that_in_main_memory(device):
    stack = StackedEmbedding([outer(), dense(width=5)])
    result = sketch(to_device(stack, device), 9, random_state=3)
    assert type(result) is DenseEmbedding
    np.testing.assert_allclose(
        result.matrix, sketch(stack, 9, random_state=3).matrix, rtol=1e-10, atol=1e-12
    )


def test_a_kind_of_another_package_can_be_registered(device):
    class Mine(DenseEmbedding):
        pass

    assert type(to_device(Mine(normal(5, 3)), device)) is TensorEmbedding

    class Other(LaplaceEmbedding):
        pass

    @to_device.register
    def _(embedding: Other, device):
        return "moved"

    assert to_device(Other(normal(5, 3)), device) == "moved"


def test_a_read_only_matrix_is_fine(device):
    matrix = normal(5, 3)
    matrix.setflags(write=False)
    there = to_device(DenseEmbedding(matrix), device)
    directions = normal(3, 2, 1)
    directions.setflags(write=False)
    np.testing.assert_allclose(there.project(directions), matrix @ directions)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("width", [1, 3, 100])
def test_the_nearest_are_those_of_the_matrix(device, dtype, width):
    rows, others = dense(dtype=dtype), dense(9, seed=1, dtype=dtype)
    expected = rows._nearest(others, 100)
    found = to_device(rows, device)._nearest(to_device(others, device), width)
    np.testing.assert_array_equal(found[0], expected[0])
    np.testing.assert_allclose(
        found[1], expected[1], rtol=1e-10 if dtype == np.float64 else 1e-4
    )


def test_equal_rows_are_at_distance_zero(device):
    rows = to_device(dense(dtype=np.float32), device)
    _, sq_dists = rows._nearest(rows, 7)
    assert not sq_dists.any()
    assert not np.diagonal(rows.sq_dists(rows)).any()


@pytest.mark.parametrize("setting", ["high", "medium"])
def test_products_have_full_precision_whatever_torch_is_set_to(device, setting):
    rows = dense(500, 64, dtype=np.float32)
    exact = rows.matrix.astype(np.float64) @ rows.matrix.astype(np.float64).T
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision(setting)
    try:
        there = to_device(rows, device)
        cross = there.cross(there)
        assert torch.get_float32_matmul_precision() == setting
    finally:
        torch.set_float32_matmul_precision(before)
    scale = np.sqrt(np.outer(rows.norms_sq(), rows.norms_sq()))
    assert (np.abs(cross - exact) / scale).max() < 1e-6


@pytest.mark.parametrize(
    "transforms",
    [
        [Scale(), Posterior(sigma=0.1)],
        [Scale(), Posterior(sigma=0.1, space="kernel")],
        [Sketch(5), Scale()],
        [AcsRandomFeatures(7, sigma=0.5)],
        [AcsGrad(sigma=0.5)],
    ],
    ids=str,
)
@pytest.mark.parametrize("kind", ["dense", "outer"])
def test_transformations_give_the_same_kernel(device, kind, transforms):
    parts = KINDS[kind](60, seed=0), KINDS[kind](8, seed=1)
    here = transform_pool_and_labeled(transforms, *parts, random_state=0)
    there = [to_device(part, device) for part in parts]
    there = transform_pool_and_labeled(transforms, *there, random_state=0)
    for expected, found in zip(here, there, strict=True):
        assert found.shape == expected.shape
        np.testing.assert_allclose(
            found.cross(found), expected.cross(expected), rtol=1e-8, atol=1e-10
        )


@pytest.mark.parametrize("transform", [Posterior(), AcsGrad()], ids=repr)
@pytest.mark.parametrize("kind", ["dense", "outer"])
def test_a_posterior_in_feature_space_stays_on_the_device(device, kind, transform):
    there = to_device(KINDS[kind](60), device)
    assert transform.fit(there).transform(there).device.type == device
    assert transform.fit(None, there).transform(there).device.type == device


@pytest.mark.parametrize("cls", sorted(CLASSES, key=lambda c: c.__name__))
@pytest.mark.parametrize("n_labeled", [None, 8])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_samplers_pick_the_same_rows(device, cls, n_labeled, kind, dtype):
    embedding = KINDS[kind](60, dtype=dtype)
    labeled = None if n_labeled is None else KINDS[kind](n_labeled, seed=1, dtype=dtype)
    sampler = well_posed(cls)
    expected = sampler.run(embedding, 9, labeled=labeled, random_state=0)
    found = sampler.run(
        to_device(embedding, device),
        9,
        labeled=None if labeled is None else to_device(labeled, device),
        random_state=0,
    )
    np.testing.assert_array_equal(found.rows, expected.rows)
    if expected.values is not None:
        np.testing.assert_allclose(
            found.values, expected.values, rtol=1e-6 if dtype == np.float64 else 1e-3
        )


@pytest.mark.parametrize("kind", KINDS)
def test_it_survives_a_pickle(device, kind):
    there = to_device(KINDS[kind](60), device)
    again = pickle.loads(pickle.dumps(there))
    np.testing.assert_array_equal(again.to_dense(), there.to_dense())
