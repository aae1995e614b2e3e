"""NTKLinear and NTKMLP: factors, initial weights, standardised input."""

import numpy as np
import pytest
import torch
from torch import nn

from skbadge.nn import MLP, NTKMLP, NTKLinear


def seeded(make):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return make()


def test_outputs_are_scaled_sums():
    layer = seeded(lambda: NTKLinear(3, 2, sigma_w=0.7, sigma_b=0.4))
    assert isinstance(layer, nn.Linear)
    nn.init.normal_(layer.bias)
    X = np.arange(15.0).reshape(5, 3)
    weight, bias = layer.weight.detach().numpy(), layer.bias.detach().numpy()
    expected = X @ weight.T * 0.7 / np.sqrt(3) + 0.4 * bias
    outputs = layer(torch.tensor(X, dtype=torch.float32))
    np.testing.assert_allclose(outputs.detach(), expected, rtol=1e-5)
    assert (layer.weight_factor, layer.bias_factor) == (0.7 / np.sqrt(3), 0.4)
    assert "weight_factor=0.4041, bias_factor=0.4" in repr(layer)


def test_weights_are_standard_normal_and_biases_zero_whatever_the_factors():
    layer = seeded(lambda: NTKLinear(300, 400, sigma_w=0.01, sigma_b=7))
    weight = layer.weight.detach()
    assert abs(weight.mean()) < 0.02
    assert weight.std() == pytest.approx(1, abs=0.01)
    assert (weight.abs() > 3).float().mean() == pytest.approx(0.0027, abs=0.001)
    assert not layer.bias.any()


@pytest.mark.parametrize("width", [10, 1000])
def test_outputs_have_the_same_scale_at_any_width(width):
    layer = seeded(lambda: NTKLinear(width, 2000, sigma_w=0.5))
    assert layer(torch.ones(1, width)).detach().std() == pytest.approx(0.5, rel=0.1)


def test_the_gradient_of_an_output_is_the_input_times_the_factors():
    layer = seeded(lambda: NTKLinear(4, 1, sigma_w=0.6, sigma_b=0.3))
    x = torch.tensor([[1.0, -2.0, 0.5, 4.0]])
    layer(x).backward()
    torch.testing.assert_close(layer.weight.grad, layer.weight_factor * x)
    torch.testing.assert_close(layer.bias.grad, torch.tensor([layer.bias_factor]))


@pytest.mark.parametrize("activation", ["relu", "silu"])
def test_the_perceptron_by_hand(activation):
    module = seeded(
        lambda: NTKMLP(3, 2, (5, 4), activation, sigma_w=0.8, sigma_b=0.1, clip=2.0)
    )
    for name, part in module.named_parameters():
        if name.endswith("bias"):
            nn.init.normal_(part)
    module.set_statistics(np.array([1.0, 2.0, 3.0]), np.array([1.0, 2.0, 0.5]))
    X = np.random.default_rng(0).normal(size=(6, 3))
    Z = 2 * np.tanh((X - [1, 2, 3]) / [1, 2, 0.5] / 2)
    act = {"relu": lambda A: np.maximum(A, 0), "silu": lambda A: A / (1 + np.exp(-A))}
    layers = [module.hidden.linear1, module.hidden.linear2, module.output]
    for layer in layers:
        W, b = (part.detach().numpy() for part in (layer.weight, layer.bias))
        Z = Z @ W.T * 0.8 / np.sqrt(W.shape[1]) + 0.1 * b
        if layer is not module.output:
            Z = act[activation](Z)
    np.testing.assert_allclose(
        module(torch.tensor(X)).detach(), Z, rtol=1e-4, atol=1e-5
    )


def test_both_perceptrons_standardise_alike():
    X = torch.tensor([[1e6 + 1.0], [1e6 - 1.0]], dtype=torch.float64)
    statistics = np.array([1e6]), np.array([1.0])
    for module in (MLP(1), NTKMLP(1)):
        Z = module.set_statistics(*statistics).standardize(X, torch.float32)
        expected = [[5 * np.tanh(0.2)], [-5 * np.tanh(0.2)]]
        np.testing.assert_allclose(Z, expected, rtol=1e-6)


def test_dropout_is_after_each_hidden_layer():
    kinds = [type(part).__name__ for part in NTKMLP(2, dropout=0.5).hidden]
    assert kinds == ["NTKLinear", "ReLU", "Dropout"] * 2
