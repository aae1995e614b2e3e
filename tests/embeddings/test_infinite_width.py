"""Kernels of infinitely wide ReLU nets: closed forms, random nets, near duplicates."""

import mpmath
import numpy as np
import pytest
import torch

from skbadge.embeddings import (
    NNGPEmbedding,
    NTKEmbedding,
)
from skbadge.nn import NTKMLP
from tests.embeddings._kernel_makers import naive_relu_kernels

RELU = {"nngp": NNGPEmbedding, "ntk": NTKEmbedding}


def table(n, seed=0, dtype=np.float64):
    return np.random.RandomState(seed).normal(size=(n, 4)).astype(dtype)


SQUARE = np.array([[1.0, 0.0], [0.0, 2.0], [-1.0, 0.0], [3.0, 0.0]])


def test_one_hidden_layer_without_biases_has_the_closed_form():
    net = {"n_hidden_layers": 1, "sigma_w": np.sqrt(2.0), "sigma_b": 0.0}
    # k_0 = x . y, and of two rows the kernels with themselves are 1 and c^2.
    nngp, tangent = (kernel(SQUARE, **net) for kernel in RELU.values())
    np.testing.assert_allclose(nngp.norms_sq(), [1, 4, 1, 9])
    np.testing.assert_allclose(tangent.norms_sq(), [2, 8, 2, 18])
    quarter = 2 * 1 * 2 / (2 * np.pi)
    expected = [1, quarter, 0, 3]
    np.testing.assert_allclose(nngp.cross(nngp)[0], expected, atol=1e-15)
    # At right angles k_0 is 0; at a half turn so is the share of active units.
    expected = [2, quarter, 0, 6]
    np.testing.assert_allclose(tangent.cross(tangent)[0], expected, atol=1e-15)
    np.testing.assert_allclose(nngp.sq_dists(nngp)[0, [2, 3]], [2, 4], atol=1e-15)
    np.testing.assert_allclose(tangent.sq_dists(tangent)[0, 2:], [4, 8], atol=1e-15)


def test_the_diagonal_follows_its_recursion_by_hand():
    net = {"n_hidden_layers": 3, "sigma_w": 2.0, "sigma_b": 1.0}
    # |x|^2 = 4, d = 2: k = 9, then 2 k + 1; Theta = 9, then k + 2 Theta.
    X = [[2.0, 0.0]]
    assert NNGPEmbedding(X, **net).norms_sq().tolist() == [79]
    assert NTKEmbedding(X, **net).norms_sq().tolist() == [79 + 2 * (39 + 2 * (19 + 18))]


@pytest.mark.parametrize("kernel", RELU.values())
def test_without_hidden_layers_the_kernel_is_linear(kernel):
    X = table(7)
    embedding = kernel(X, n_hidden_layers=0, sigma_w=3.0, sigma_b=0.5)
    np.testing.assert_allclose(embedding.cross(embedding), 9 * X @ X.T / 4 + 0.25)


@pytest.mark.parametrize("name", RELU)
def test_zero_rows_have_a_kernel_of_biases_only(name):
    X = np.vstack([np.zeros((2, 4)), table(3)])
    for sigma_b in (0.0, 0.3):
        embedding = RELU[name](X, sigma_w=1.1, sigma_b=sigma_b)
        expected = naive_relu_kernels(X, X, 2, 1.1, sigma_b)[name == "ntk"]
        cross = embedding.cross(embedding)
        np.testing.assert_allclose(cross, expected, rtol=1e-7, atol=1e-8)
        assert embedding.sq_dists(embedding)[0, 1] == 0


def random_net_kernels(X, widths, sigma_w, sigma_b, rng):
    """Empirical NNGP and tangent kernel of the output of one random ReLU net."""
    n_rows = len(X)
    activations, active, weights = [X], [], []
    for width in widths:
        inputs = activations[-1]
        W = sigma_w * rng.normal(size=(inputs.shape[1], width)) / inputs.shape[1] ** 0.5
        hidden = inputs @ W + sigma_b * rng.normal(size=width)
        weights.append(W)
        active.append(hidden > 0)
        activations.append(np.maximum(hidden, 0))
    # Given the last hidden layer, the output is Gaussian with this covariance.
    layers = [sigma_w**2 * A @ A.T / A.shape[1] + sigma_b**2 for A in activations]
    width = activations[-1].shape[1]
    gradient = sigma_w * rng.normal(size=(1, width)) / np.sqrt(width)
    tangent, gradient = layers[-1].copy(), np.repeat(gradient, n_rows, axis=0)
    for depth in reversed(range(len(widths))):
        gradient = gradient * active[depth]
        tangent += layers[depth] * (gradient @ gradient.T)
        gradient = gradient @ weights[depth].T
    return layers[-1], tangent


def mean_and_error(X, widths, n_nets):
    rng = np.random.RandomState(0)
    nets = [random_net_kernels(X, widths, 1.2, 0.5, rng) for _ in range(n_nets)]
    samples = np.array(nets)
    return samples.mean(axis=0), samples.std(axis=0, ddof=1) / np.sqrt(n_nets)


def test_one_hidden_layer_is_the_mean_over_random_nets_of_any_width():
    X = table(6)
    mean, error = mean_and_error(X, [40], 4000)
    assert error.max() < 0.02 * mean.max()
    for kernel, expected, standard in zip(RELU.values(), mean, error, strict=True):
        embedding = kernel(X, n_hidden_layers=1, sigma_w=1.2, sigma_b=0.5)
        deviation = embedding.cross(embedding) - expected
        assert np.abs(deviation / standard).max() < 5


@pytest.mark.slow
def test_two_hidden_layers_are_the_limit_of_wide_random_nets():
    X = table(5)
    mean, error = mean_and_error(X, [1500, 1500], 60)
    for kernel, expected, standard in zip(RELU.values(), mean, error, strict=True):
        embedding = kernel(X, n_hidden_layers=2, sigma_w=1.2, sigma_b=0.5)
        # The bias of finite width is of the order of its inverse.
        bound = 5 * standard + 5 / 1500 * expected.max()
        assert (np.abs(embedding.cross(embedding) - expected) < bound).all()
        assert bound.max() < 0.1 * expected.max()


def net_of(X, seed, **parameters):
    torch.manual_seed(seed)
    return NTKMLP(X.shape[1], clip=None, **parameters).double()


def test_by_default_nngp_is_the_covariance_of_the_nets_of_the_benchmark():
    X = table(5)
    inputs = torch.from_numpy(X)
    samples = []
    with torch.no_grad():
        for seed in range(200):
            outputs = net_of(X, seed, n_outputs=300)(inputs).numpy()
            samples.append(outputs @ outputs.T / 300)
    mean = np.mean(samples, axis=0)
    error = np.std(samples, axis=0, ddof=1) / np.sqrt(len(samples))
    kernel = NNGPEmbedding(X)
    # The bias of finite width is of the order of its inverse.
    bound = 5 * error + 5 / 512 * mean.max()
    assert bound.max() < 0.1 * mean.max()
    assert (np.abs(kernel.cross(kernel) - mean) < bound).all()
    # Biases of random size would be nearly all of it.
    assert NNGPEmbedding(X, sigma_b=0.2).norms_sq().min() > 1000 * mean.max()


def test_by_default_ntk_has_the_gradients_of_biases_of_the_nets_of_the_benchmark():
    X = table(5)
    kernels = []
    for seed in range(5):
        net = net_of(X, seed)
        gradients = [
            torch.cat(
                [
                    part.flatten()
                    for part in torch.autograd.grad(
                        output, list(net.parameters()), retain_graph=True
                    )
                ]
            )
            for output in net(torch.from_numpy(X))[:, 0]
        ]
        gradients = torch.stack(gradients)
        kernels.append((gradients @ gradients.T).numpy())
    expected = np.mean(kernels, axis=0)
    kernel = NTKEmbedding(X)
    np.testing.assert_allclose(kernel.cross(kernel), expected, rtol=0.05)
    without = NTKEmbedding(X, sigma_b=0.0)
    assert without.norms_sq().max() < 0.01 * expected.min()


def exact_sq_dists(x, y, sigma_w, sigma_b):
    """Squared distances of both kernels, two hidden layers, in 60 digits."""
    with mpmath.workdps(60):
        x, y = ([mpmath.mpf(float(v)) for v in row] for row in (x, y))
        w, b = mpmath.mpf(sigma_w) ** 2, mpmath.mpf(sigma_b) ** 2

        def first(p, q):
            return w * mpmath.fdot(p, q) / len(p) + b

        kernels = [[first(p, q)] * 2 for p, q in ((x, x), (y, y), (x, y))]
        for _ in range(2):
            root = mpmath.sqrt(kernels[0][0] * kernels[1][0])
            thetas = (0, 0, mpmath.acos(min(1, kernels[2][0] / root)))
            for pair, theta, scale in zip(
                kernels, thetas, (kernels[0][0], kernels[1][0], root), strict=True
            ):
                share = (mpmath.pi - theta) / (2 * mpmath.pi)
                arc = mpmath.sin(theta) / (2 * mpmath.pi) + share * mpmath.cos(theta)
                pair[0] = w * scale * arc + b
                pair[1] = pair[0] + w * pair[1] * share
        return [
            float(kernels[0][i] + kernels[1][i] - 2 * kernels[2][i]) for i in (0, 1)
        ]


@pytest.mark.parametrize("sigmas", [(1.3, 0.4), (0.2, 0.2), (1.4, 0.0)])
@pytest.mark.parametrize("scale", [1.0, 1e-2, 1e-4, 1e-6, 1e-8, 1e-11])
def test_distances_of_near_duplicates_keep_their_digits(scale, sigmas):
    rng = np.random.RandomState(0)
    X = rng.normal(size=(8, 4))
    Y = X + scale * rng.normal(size=X.shape)
    # Along a row, where the angle is 0 but for the bias.
    Y[0] = X[0] * (1 + scale)
    exact = [exact_sq_dists(x, y, *sigmas) for x, y in zip(X, Y, strict=True)]
    for position, kernel in enumerate(RELU.values()):
        first, second = (
            kernel(A, sigma_w=sigmas[0], sigma_b=sigmas[1]) for A in (X, Y)
        )
        expected = np.array(exact)[1:, position]
        paired = first.paired_sq_dists(second)
        # Angles come from norms that are rounded.
        rtol = 1e-12 + 5e-16 / scale
        np.testing.assert_allclose(paired[1:], expected, rtol=rtol)
        crossed = np.diagonal(first.sq_dists(second))
        np.testing.assert_allclose(crossed[1:], expected, rtol=0.02)
        # Where the angle is of rounding's making, it must stay as small as that.
        assert paired[0] <= exact[0][position] * (1 + 1e-4) + 3e-7 * scale**0.5


def test_the_plain_arc_cosine_would_fail_the_test_above():
    X = table(1)
    Y = X + 1e-10 * table(1, 1)
    parts = (X, X), (Y, Y), (X, Y)
    a, b, k = (naive_relu_kernels(*pair, 2, 1.3, 0.4)[1].item() for pair in parts)
    exact = exact_sq_dists(X[0], Y[0], 1.3, 0.4)[1]
    assert abs((a + b - 2 * k) / exact - 1) > 0.1
