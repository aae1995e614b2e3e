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
    Scale,
    Sketch,
    StackedEmbedding,
    to_device,
    transform_pool_and_labeled,
)
from tests.embeddings._transform_makers import normal
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


@pytest.mark.parametrize(
    "embedding",
    [
        LaplaceEmbedding(normal(5, 3)),
        OuterProductEmbedding(normal(5, 3), normal(5, 2)),
    ],
    ids=repr,
)
def test_what_is_no_matrix_stays(embedding):
    assert to_device(embedding, "cpu") is embedding


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
def test_transformations_give_the_same_kernel(device, transforms):
    parts = dense(), dense(8, seed=1)
    here = transform_pool_and_labeled(transforms, *parts, random_state=0)
    there = [to_device(part, device) for part in parts]
    there = transform_pool_and_labeled(transforms, *there, random_state=0)
    for expected, found in zip(here, there, strict=True):
        assert found.shape == expected.shape
        np.testing.assert_allclose(
            found.cross(found), expected.cross(expected), rtol=1e-8, atol=1e-10
        )


def test_a_posterior_in_feature_space_stays_on_the_device(device):
    there = to_device(dense(), device)
    assert is_on(Posterior().fit(there).transform(there), device)


@pytest.mark.parametrize("cls", sorted(CLASSES, key=lambda c: c.__name__))
@pytest.mark.parametrize("n_labeled", [None, 8])
def test_samplers_pick_the_same_rows(device, cls, n_labeled):
    embedding = dense(width=30)
    labeled = None if n_labeled is None else dense(n_labeled, width=30, seed=1)
    sampler = cls()
    expected = sampler.run(embedding, 9, labeled=labeled, random_state=0)
    found = sampler.run(
        to_device(embedding, device),
        9,
        labeled=None if labeled is None else to_device(labeled, device),
        random_state=0,
    )
    np.testing.assert_array_equal(found.rows, expected.rows)
    if expected.values is not None:
        np.testing.assert_allclose(found.values, expected.values, rtol=1e-6)


def test_it_survives_a_pickle(device):
    there = to_device(dense(), device)
    again = pickle.loads(pickle.dumps(there))
    np.testing.assert_array_equal(again.to_dense(), there.to_dense())
