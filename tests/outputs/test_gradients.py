"""Gradients of nets: per-sample Jacobians by torch.func are the oracle."""

import numpy as np
import pytest
import torch
from skorch import NeuralNetBinaryClassifier, NeuralNetClassifier, NeuralNetRegressor
from torch import nn

from skbadge.embeddings import (
    DenseEmbedding,
    StackedEmbedding,
    gradient_embedding,
    sketch,
)
from skbadge.embeddings._kronecker_sketch import KroneckerSketch
from skbadge.outputs import model_outputs
from tests.outputs._gradient_nets import (
    NETS,
    ConvNet,
    fitted,
    jacobians,
    kernel,
    mlp,
    ntk,
    read,
    rows,
)


@pytest.mark.parametrize("n_outputs", [1, 3])
@pytest.mark.parametrize("make", NETS)
def test_the_kernel_is_that_of_per_sample_jacobians(make, n_outputs):
    net, X = fitted(make, n_outputs), rows(make)
    expected = jacobians(net.module_, X)
    gradients = read(net, X, batch_size=4)
    n_weights = sum(p.numel() for p in net.module_.parameters())
    assert gradients.shape == (9, n_outputs * n_weights)
    np.testing.assert_allclose(
        gradients.cross(gradients), kernel(expected), rtol=2e-5, atol=1e-6
    )
    # Blocks hold the weights and the bias of each output unit side by side: the same
    # numbers in another order.
    np.testing.assert_allclose(
        np.sort(gradients.to_dense(), axis=1),
        np.sort(expected.reshape(9, -1), axis=1),
        rtol=1e-4,
        atol=1e-6,
    )


def test_a_linear_layer_is_held_as_its_factors():
    net, X = fitted(mlp), rows(mlp)
    gradients = read(net, X)
    assert isinstance(gradients, StackedEmbedding)
    widths = [(p.left.shape[1], p.right.shape[1]) for p in gradients.parts]
    assert widths == [(6, 4 + 1), (5, 6), (1, 5 + 1)]
    # Each is one block of the Jacobian, of a weight (and its bias).
    J = jacobians(net.module_, X)[:, 0]
    blocks = np.split(J, np.cumsum([24, 6, 30, 5]), axis=1)
    first = gradients.parts[0].to_dense().reshape(9, 6, 5)
    np.testing.assert_allclose(first[:, :, :4].reshape(9, -1), blocks[0], rtol=1e-4)
    np.testing.assert_allclose(first[:, :, 4], blocks[1], rtol=1e-4)


def test_outputs_share_the_inputs_of_a_layer():
    one, three = (read(fitted(mlp, n), rows(mlp)) for n in (1, 3))
    assert len(three.parts) == 3 * len(one.parts)
    assert all(three.parts[i + 3].right is three.parts[i].right for i in range(3))


@pytest.mark.parametrize("make", [mlp, ntk])
def test_the_last_layers_block_is_that_of_the_features(make):
    net, X = fitted(make), rows(make)
    outputs = model_outputs(net, X, needs=("features", "gradients"))
    weight_factor, bias_factor = outputs.feature_factors
    column = np.full((9, 1), bias_factor)
    last_layer = np.hstack([weight_factor * outputs.features, column])
    block = outputs.gradients.parts[-1]
    np.testing.assert_allclose(block.to_dense(), last_layer, rtol=1e-6)
    parameters = [name for name, _ in net.module_.named_parameters()]
    assert parameters[-2:] in (["4.weight", "4.bias"], ["output.weight", "output.bias"])
    J = jacobians(net.module_, X)[:, 0, -last_layer.shape[1] :]
    np.testing.assert_allclose(last_layer, J, rtol=1e-5)


def test_factors_of_the_last_layer_without_a_bias():
    module = nn.Sequential(nn.Linear(4, 3), nn.Tanh(), nn.Linear(3, 1, bias=False))
    net = NeuralNetRegressor(module).initialize()
    outputs = model_outputs(net, rows(mlp), needs=("features",))
    assert outputs.feature_factors == (1.0, 0.0)


# Classifiers


def loss_at_the_prediction(outputs):
    return -torch.log_softmax(outputs, 0).max()[None]


@pytest.mark.parametrize("make", [mlp, ConvNet])
def test_classifiers_have_gradients_of_the_loss_at_the_predicted_label(make):
    net = fitted(make, 3, NeuralNetClassifier, criterion=nn.CrossEntropyLoss)
    X = rows(make)
    gradients = read(net, X, batch_size=4)
    expected = jacobians(net.module_, X, loss_at_the_prediction)
    np.testing.assert_allclose(
        gradients.cross(gradients), kernel(expected), rtol=1e-4, atol=1e-7
    )


def test_a_net_that_returns_probabilities_has_those_of_its_logits():
    net = fitted(mlp, 3, NeuralNetClassifier, criterion=nn.CrossEntropyLoss)
    module = nn.Sequential(net.module_, nn.Softmax(dim=1))
    with_softmax = NeuralNetClassifier(module, criterion=nn.NLLLoss).initialize()
    X = rows(mlp)
    np.testing.assert_allclose(
        read(with_softmax, X).to_dense(), read(net, X).to_dense(), rtol=1e-4, atol=1e-6
    )


def test_one_logit():
    def loss(outputs):
        return nn.functional.softplus(-outputs.abs())

    net = fitted(lambda n: nn.Sequential(mlp(n), nn.Flatten(0)), 1)
    binary = NeuralNetBinaryClassifier(net.module_).initialize()
    X = rows(mlp)
    gradients = read(binary, X)
    expected = jacobians(net.module_, X, loss)
    np.testing.assert_allclose(
        gradients.cross(gradients), kernel(expected), rtol=1e-4, atol=1e-7
    )


@pytest.mark.parametrize("cls", [NeuralNetClassifier, NeuralNetBinaryClassifier])
def test_certain_predictions_keep_their_gradients(cls):
    binary = cls is NeuralNetBinaryClassifier
    module = nn.Linear(1, 1 if binary else 2, bias=False)
    with torch.no_grad():
        module.weight[:] = torch.tensor([[60.0]] if binary else [[60.0], [0.0]])
    module = nn.Sequential(module, nn.Flatten(0)) if binary else module
    criterion = nn.BCEWithLogitsLoss if binary else nn.CrossEntropyLoss
    net = cls(module, criterion=criterion).initialize()
    dense = read(net, np.ones((1, 1), dtype="f4")).to_dense()
    # 1 - p is 0 in float32, but the other class's probability is exp(-60).
    expected = [[-np.exp(-60)]] if binary else [[-np.exp(-60), np.exp(-60)]]
    np.testing.assert_allclose(dense, expected, rtol=1e-4)


def test_the_last_block_of_a_classifier_is_its_gradient_embedding():
    net = fitted(mlp, 3, NeuralNetClassifier, criterion=nn.CrossEntropyLoss)
    outputs = model_outputs(net, rows(mlp), needs=("proba", "features", "gradients"))
    badge = gradient_embedding(outputs.proba, outputs.features, include_bias=True)
    block = outputs.gradients.parts[-1]
    np.testing.assert_allclose(
        block.cross(block), badge.cross(badge), rtol=1e-4, atol=1e-7
    )


# Sketches


@pytest.mark.parametrize("n_outputs", [1, 2])
@pytest.mark.parametrize("make", [mlp, ntk])
def test_the_sketch_is_that_of_the_exact_factors(make, n_outputs):
    net, X = fitted(make, n_outputs), rows(make)
    exact = read(net, X)
    sketched = read(net, X, n_columns=16, random_state=3, batch_size=4)
    assert isinstance(sketched, DenseEmbedding)
    assert sketched.dtype == np.float32
    expected = sketch(exact, 16, random_state=3).to_dense()
    np.testing.assert_allclose(sketched.to_dense(), expected, rtol=1e-3, atol=1e-5)
    widths = [(p.left.shape[1], p.right.shape[1]) for p in exact.parts]
    kronecker = KroneckerSketch(widths, 16, random_state=3)
    expected = kronecker([(p.left, p.right) for p in exact.parts])
    np.testing.assert_allclose(sketched.to_dense(), expected, rtol=1e-3, atol=1e-5)


def test_the_sketch_of_a_convolution_sums_its_positions():
    net, X = fitted(ConvNet), rows(ConvNet, 5)
    J = jacobians(net.module_, X)[:, 0]
    shapes = [p.shape for p in net.module_.parameters()]
    groups = [1, 2, 6, 1, 1]
    stops = np.cumsum([shape.numel() for shape in shapes])[:-1]
    blocks = np.split(J, stops, axis=1)
    parts = []
    for i, n_groups in enumerate(groups):
        n_out = shapes[2 * i][0]
        weights = blocks[2 * i].reshape(5, n_out, -1)
        parts += np.split(np.dstack([weights, blocks[2 * i + 1]]), n_groups, axis=1)
    kronecker = KroneckerSketch([part.shape[1:] for part in parts], 24, random_state=1)
    expected = sum(
        np.einsum("nlr,lq,rq->nq", part, left, right)
        for part, (left, right) in zip(parts, kronecker.projections, strict=True)
    )
    sketched = read(net, X, n_columns=24, random_state=1).to_dense()
    np.testing.assert_allclose(sketched, expected, rtol=1e-3, atol=1e-4)


def test_sketches_are_unbiased():
    net, X = fitted(ntk), rows(ntk, 4)
    exact = kernel(jacobians(net.module_, X))
    products = np.zeros((4, 4))
    squares = np.zeros((4, 4))
    n_seeds = 300
    for seed in range(n_seeds):
        S = read(net, X, n_columns=8, random_state=seed).to_dense().astype(float)
        products += S @ S.T / n_seeds
        squares += (S @ S.T) ** 2 / n_seeds
    error = np.sqrt((squares - products**2) / n_seeds)
    assert (np.abs(products - exact) < 4 * error).all()
    # The bound is of use: the error is small beside the kernel.
    assert (error.diagonal() < 0.1 * exact.diagonal()).all()


def test_pool_and_labelled_rows_are_sketched_alike():
    net, X = fitted(mlp), rows(mlp)
    options = {"n_columns": 16, "random_state": 0}
    whole = read(net, X, **options).to_dense()
    np.testing.assert_allclose(
        read(net, X[5:], **options).to_dense(), whole[5:], rtol=1e-4, atol=1e-6
    )


def test_few_columns_are_not_sketched():
    net, X = fitted(mlp), rows(mlp)
    n_weights = 24 + 6 + 30 + 5 + 1
    exact = read(net, X, n_columns=n_weights + 1)
    assert isinstance(exact, DenseEmbedding)
    np.testing.assert_array_equal(exact.to_dense(), read(net, X).to_dense())
    assert read(net, X, n_columns=n_weights).shape == (9, n_weights)
    assert not np.allclose(read(net, X, n_columns=n_weights).matrix, exact.matrix)


@pytest.mark.parametrize("make", [mlp, ConvNet])
def test_batches_do_not_matter(make):
    net, X = fitted(make), rows(make)
    for options in ({}, {"n_columns": 16, "random_state": 0}):
        whole = read(net, X, **options).to_dense()
        parts = read(net, X, batch_size=2, **options).to_dense()
        np.testing.assert_allclose(parts, whole, rtol=1e-3, atol=1e-5)
