"""Gradient embeddings against autograd and against their known properties."""

import tracemalloc

import numpy as np
import pytest
import torch
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

from skbadge.embeddings import gradient_embedding
from skbadge.samplers import KMeansPlusPlus


def random_net(n, n_classes, n_features, seed=0):
    generator = torch.Generator().manual_seed(seed)
    Z = torch.randn(n, n_features, generator=generator, dtype=torch.float64)
    layer = torch.nn.Linear(n_features, n_classes, dtype=torch.float64)
    with torch.no_grad():
        layer.weight.copy_(torch.randn(layer.weight.shape, generator=generator))
        layer.bias.copy_(torch.randn(layer.bias.shape, generator=generator))
    return layer, Z


def rowwise_gradients(layer, Z, loss, labels):
    """Autograd gradients of weight and bias, a row of the pool at a time."""
    rows = []
    for z, label in zip(Z, labels, strict=True):
        layer.zero_grad()
        loss(layer(z[None]), label[None]).backward()
        rows.append(torch.cat([layer.weight.grad.ravel(), layer.bias.grad]))
    return torch.stack(rows).numpy()


@pytest.mark.parametrize("n_classes", [2, 3, 7])
def test_rows_are_the_autograd_gradients_of_the_cross_entropy(n_classes):
    layer, Z = random_net(25, n_classes, 4)
    logits = layer(Z).detach()
    expected = rowwise_gradients(layer, Z, cross_entropy, logits.argmax(dim=1))
    proba = logits.softmax(dim=1).numpy()
    weights = gradient_embedding(proba, Z.numpy())
    np.testing.assert_allclose(weights.to_dense(), expected[:, :-n_classes], atol=1e-14)
    both = gradient_embedding(proba, Z.numpy(), include_bias=True)
    np.testing.assert_allclose(both.to_dense(), expected, atol=1e-14)


@pytest.mark.parametrize("form", ["column", "vector", "two_columns"])
def test_rows_of_one_logit_are_the_autograd_gradients_of_the_binary_loss(form):
    layer, Z = random_net(25, 1, 4)
    logits = layer(Z).detach()
    labels = (logits >= 0).to(torch.float64)
    expected = rowwise_gradients(layer, Z, binary_cross_entropy_with_logits, labels)
    s = logits.sigmoid().numpy()
    proba = {"column": s, "vector": s[:, 0], "two_columns": np.hstack([1 - s, s])}[form]
    options = {"one_logit": True} if form == "two_columns" else {}
    weights = gradient_embedding(proba, Z.numpy(), **options)
    assert weights.shape == (25, 4)
    np.testing.assert_allclose(weights.to_dense(), expected[:, :-1], atol=1e-14)
    both = gradient_embedding(proba, Z.numpy(), include_bias=True, **options)
    np.testing.assert_allclose(both.to_dense(), expected, atol=1e-14)


def random_proba(n, n_classes, seed=0, spread=2.0):
    logits = spread * np.random.RandomState(seed).normal(size=(n, n_classes))
    proba = np.exp(logits)
    return proba / proba.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_residuals_sum_to_zero_over_classes(dtype):
    proba = random_proba(200, 9, spread=5).astype(dtype)
    residual = gradient_embedding(proba, np.ones((200, 1), dtype)).left
    eps = np.finfo(dtype).eps
    sums = residual.sum(axis=1, dtype=np.float64)
    assert (np.abs(sums) <= 2 * eps * np.abs(residual).max(axis=1)).all()


@pytest.mark.parametrize("include_bias", [False, True])
def test_rank_is_one_class_short(include_bias):
    n_classes, n_features = 4, 5
    Z = np.random.RandomState(0).normal(size=(100, n_features))
    embedding = gradient_embedding(
        random_proba(100, n_classes), Z, include_bias=include_bias
    )
    rank = np.linalg.matrix_rank(embedding.to_dense())
    assert rank == (n_classes - 1) * (n_features + include_bias)


@pytest.mark.parametrize("include_bias", [False, True])
def test_norm_is_a_lower_bound_over_all_labels(include_bias):
    proba = random_proba(300, 5)
    proba[0] = [0.3, 0.3, 0.2, 0.1, 0.1]
    Z = np.random.RandomState(1).normal(size=(300, 3))
    norms_sq = gradient_embedding(proba, Z, include_bias=include_bias).norms_sq()
    inputs = np.hstack([Z, np.ones((300, 1))]) if include_bias else Z
    per_label = np.array(
        [
            (((proba - np.eye(5)[label]) ** 2).sum(axis=1)) * (inputs**2).sum(axis=1)
            for label in range(5)
        ]
    )
    np.testing.assert_allclose(norms_sq, per_label.min(axis=0), rtol=1e-12)
    # Equality for the runner-up only where it is as probable.
    np.testing.assert_allclose(per_label[:2, 0], norms_sq[0])
    assert (np.sort(per_label, axis=0)[1, 1:] > norms_sq[1:] * (1 + 1e-9)).all()


@pytest.mark.parametrize("include_bias", [False, True])
@pytest.mark.parametrize("n_classes", [2, 5])
def test_saturated_logits_give_finite_positive_monotone_norms(n_classes, include_bias):
    logits = torch.zeros(13, n_classes, dtype=torch.float32)
    logits[:, 0] = torch.arange(0, 65, 5)
    proba = logits.softmax(dim=1).numpy()
    assert proba[-1, 0] == 1
    assert proba.dtype == np.float32
    Z = np.ones((13, 2), dtype=np.float32)
    embedding = gradient_embedding(proba, Z, include_bias=include_bias)
    norms_sq = embedding.norms_sq()
    assert np.isfinite(norms_sq).all()
    assert (norms_sq > 0).all()
    assert (np.diff(norms_sq) < 0).all()
    others = proba[:, 1:].astype(np.float64)
    expected = (others.sum(axis=1) ** 2 + (others**2).sum(axis=1)) * (2 + include_bias)
    np.testing.assert_allclose(norms_sq, expected, rtol=1e-6)


def test_saturated_single_logits_give_monotone_norms_on_both_sides():
    logits = torch.arange(-60, 65, 5, dtype=torch.float32)
    proba = torch.stack([(-logits).sigmoid(), logits.sigmoid()], dim=1).numpy()
    Z = np.ones((len(proba), 2), dtype=np.float32)
    norms_sq = gradient_embedding(proba, Z, one_logit=True).norms_sq()
    assert np.isfinite(norms_sq).all()
    assert (norms_sq > 0).all()
    assert (np.diff(norms_sq)[:12] > 0).all()
    assert (np.diff(norms_sq)[12:] < 0).all()


def test_a_pool_that_is_saturated_throughout_keeps_its_distances():
    # Products of such residuals leave the range of float32.
    q = np.array([1e-26, 2e-26, 3e-26, 5e-25], dtype=np.float32)
    proba = np.stack([1 - q, q], axis=1)
    Z = np.ones((4, 1), dtype=np.float32)
    embedding = gradient_embedding(proba, Z)
    residual = np.stack([-q, q], axis=1).astype(np.float64)
    expected = ((residual[:, None] - residual) ** 2).sum(axis=2)
    np.testing.assert_allclose(embedding.sq_dists(embedding), expected, rtol=1e-6)
    assert proba.dtype == np.float32
    assert (proba[0] == [1, np.float32(1e-26)]).all()


def two_forms(n=40, seed=0, include_bias=False):
    proba = random_proba(n, 2, seed)
    Z = np.random.RandomState(seed + 1).normal(size=(n, 3))
    options = {"include_bias": include_bias}
    softmax = gradient_embedding(proba, Z, **options)
    return softmax, gradient_embedding(proba, Z, one_logit=True, **options)


@pytest.mark.parametrize("include_bias", [False, True])
def test_inner_products_of_two_columns_are_twice_those_of_one_logit(include_bias):
    softmax, one_logit = two_forms(include_bias=include_bias)
    np.testing.assert_allclose(
        softmax.cross(softmax), 2 * one_logit.cross(one_logit), rtol=1e-12
    )


@pytest.mark.parametrize("first_center", ["max_norm", "uniform", "norm_weighted"])
def test_one_logit_and_two_columns_give_the_same_picks(first_center):
    sampler = KMeansPlusPlus(first_center=first_center)
    for seed in range(20):
        picks = [
            sampler.sample(form, 15, random_state=seed) for form in two_forms(seed=seed)
        ]
        np.testing.assert_array_equal(*picks)


def test_ties_go_to_the_first_class():
    embedding = gradient_embedding([[0.2, 0.4, 0.4], [0.5, 0.25, 0.25]], [[1.0], [2.0]])
    np.testing.assert_allclose(
        embedding.to_dense(), [[0.2, -0.6, 0.4], [-1.0, 0.5, 0.5]]
    )


def test_an_undecided_single_logit_counts_as_positive():
    np.testing.assert_array_equal(gradient_embedding([0.5], [[2.0]]).to_dense(), [[-1]])


def test_certain_predictions_and_dead_features_embed_as_zero():
    embedding = gradient_embedding([[0.0, 1.0], [0.3, 0.7]], [[1.0, 2.0], [0.0, 0.0]])
    np.testing.assert_array_equal(embedding.norms_sq(), [0, 0])


@pytest.mark.parametrize(
    ("row", "shown"),
    [
        ([np.nan, 0.5], "nan"),
        ([np.inf, 0.0], "inf"),
        ([-0.5, 1.5], "-0.5"),
        ([0.6, 0.6], "0.6"),
        ([0.0, 0.0], "0"),
        ([0.5, 0.498], "0.498"),
    ],
)
@pytest.mark.parametrize("options", [{}, {"one_logit": True}, {"include_bias": True}])
def test_anything_but_probabilities_is_refused(row, shown, options):
    proba = np.array([[0.5, 0.5], [0.1, 0.9], row, row])
    match = (
        rf"`proba` must hold class probabilities.* 2 of 4 rows do not; row 2 .*{shown}"
    )
    with pytest.raises(ValueError, match=match):
        gradient_embedding(proba, np.ones((4, 2)), **options)


@pytest.mark.parametrize("value", [np.nan, -0.1, 1.1])
def test_a_single_column_outside_the_unit_interval_is_refused(value):
    with pytest.raises(ValueError, match="1 of 2 rows do not; row 1"):
        gradient_embedding([0.5, value], np.ones((2, 2)))


def test_rounding_of_single_precision_is_let_pass():
    proba = random_proba(500, 1000, spread=3).astype(np.float32)
    gradient_embedding(proba, np.ones((500, 1), np.float32))
    gradient_embedding([[0.5, 0.5005]], [[1.0]])


def test_rows_must_agree():
    with pytest.raises(ValueError, match="Got 3 and 2"):
        gradient_embedding(random_proba(3, 2), np.ones((2, 2)))


def test_features_may_not_be_a_vector():
    with pytest.raises(ValueError, match="`features` must be 2-D"):
        gradient_embedding(random_proba(3, 2), np.ones(3))


def test_inputs_are_left_alone_and_features_not_copied():
    proba, Z = random_proba(10, 3), np.ones((10, 4), dtype=np.float32)
    before = proba.copy()
    embedding = gradient_embedding(proba, Z)
    np.testing.assert_array_equal(proba, before)
    assert embedding.right is Z
    assert not np.shares_memory(embedding.left, proba)


def test_no_rows_embed_as_no_rows():
    embedding = gradient_embedding(np.empty((0, 3)), np.empty((0, 4)))
    assert embedding.shape == (0, 12)


def test_a_thousand_classes_are_never_materialised():
    n, n_classes, n_features = 2000, 1000, 512
    rng = np.random.RandomState(0)
    proba = rng.random_sample((n, n_classes)).astype(np.float32)
    proba /= proba.sum(axis=1, keepdims=True)
    Z = rng.random_sample((n, n_features)).astype(np.float32)
    tracemalloc.start()
    try:
        embedding = gradient_embedding(proba, Z, include_bias=True)
        assert embedding.shape == (n, n_classes * (n_features + 1))
        embedding.norms_sq()
        embedding.min_sq_dists(embedding.take(np.arange(20)))
        embedding.sq_dists(embedding.take(np.arange(20)))
        picks = KMeansPlusPlus().sample(embedding, 20, random_state=0)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(set(picks.tolist())) == 20
    # 4.1 GB dense; the factors are 12 MB.
    assert peak < 100e6
    with pytest.raises(ValueError, match=r"takes 4\.1 GB"):
        embedding.to_dense()
