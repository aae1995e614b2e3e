"""Sketches of layers' gradients: autograd for each row, then u_k^T G v_k."""

import numpy as np
import pytest
import torch
from skorch import NeuralNetRegressor
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from skbadge.embeddings._kronecker_sketch import KroneckerSketch
from skbadge.nn import NTKLinear
from skbadge.outputs.readers import _gradient_sketch
from skbadge.outputs.readers._gradient_sketch import LayerSketch
from skbadge.outputs.readers._layer_factors import Call, LayerGradient, layer_of
from tests.outputs._gradient_nets import read

N_COLUMNS = 7

LAYERS = {
    "linear": (lambda: nn.Linear(5, 3), (5,)),
    "one output": (lambda: nn.Linear(5, 1), (5,)),
    "ntk": (lambda: NTKLinear(5, 3, sigma_w=0.5, sigma_b=0.3), (5,)),
    "without bias": (lambda: nn.Linear(5, 3, bias=False), (5,)),
    "sequence": (lambda: nn.Linear(5, 3), (6, 5)),
    "two axes": (lambda: nn.Linear(5, 3), (2, 4, 5)),
    "line": (lambda: nn.Conv1d(3, 4, 3, stride=2, dilation=2, padding=1), (3, 11)),
    "image": (lambda: nn.Conv2d(3, 5, 3), (3, 6, 5)),
    "large kernel": (lambda: nn.Conv2d(2, 3, (3, 5), padding=(1, 2)), (2, 4, 6)),
    "point": (lambda: nn.Conv2d(6, 4, 1, bias=False), (6, 3, 3)),
    "groups": (lambda: nn.Conv2d(4, 6, 3, stride=(2, 1), groups=2), (4, 6, 5)),
    "each channel": (lambda: nn.Conv2d(4, 4, 3, padding=1, groups=4), (4, 5, 4)),
    "same": (lambda: nn.Conv2d(2, 3, (2, 4), padding="same"), (2, 5, 6)),
    "valid": (lambda: nn.Conv2d(2, 3, 2, padding="valid"), (2, 5, 6)),
    "circular": (
        lambda: nn.Conv2d(2, 3, 3, padding=1, padding_mode="circular"),
        (2, 5, 6),
    ),
    "reflect": (
        lambda: nn.Conv1d(2, 3, 5, stride=2, padding=2, padding_mode="reflect"),
        (2, 9),
    ),
    "cube": (
        lambda: nn.Conv3d(2, 4, 2, padding=(0, 1, 0), dilation=(1, 2, 1), groups=2),
        (2, 3, 4, 5),
    ),
}


def case(name, dtype, n_rows=4, trained=("weight", "bias")):
    """A layer, and a call of it on rows that differ."""
    make, shape = LAYERS[name]
    torch.manual_seed(0)
    module = make().to(dtype)
    for part, parameter in module.named_parameters():
        parameter.requires_grad_(part in trained)
    inputs = torch.randn(n_rows, *shape, dtype=dtype)
    gradient = torch.randn_like(module(inputs)).detach()
    return layer_of(name, module), Call(inputs, gradient)


def by_autograd(layer, call):
    """Gradients of rows, one after another: (n_rows, n_groups, n_left, n_right)."""
    trained = [p for p in layer.module.parameters() if p.requires_grad]
    rows = []
    for inputs, gradient in zip(*call, strict=True):
        output = layer.module(inputs[None])
        parts = torch.autograd.grad(output, trained, gradient[None])
        rows.append(torch.cat([part.reshape(len(part), -1) for part in parts], dim=1))
    n_left, n_right = layer.widths
    return torch.stack(rows).reshape(-1, layer.n_groups, n_left, n_right)


def projections_of(layer, dtype):
    widths = [layer.widths] * layer.n_groups
    sketch = KroneckerSketch(widths, N_COLUMNS, random_state=0, dtype=np.float64)
    return sketch.convert(lambda array: torch.from_numpy(array).to(dtype)).projections


def sketched(layer, calls):
    dtype = calls[0].inputs.dtype
    total = torch.zeros(len(calls[0].inputs), N_COLUMNS, dtype=dtype)
    part = LayerSketch(layer, projections_of(layer, dtype))
    for call in calls:
        part.add(total, call)
    return total


def expected_sketch(layer, call):
    G = by_autograd(layer, call)
    pairs = projections_of(layer, G.dtype)
    return sum(
        torch.einsum("nij,ik,jk->nk", G[:, i], left, right)
        for i, (left, right) in enumerate(pairs)
    )


@pytest.fixture(params=["by position", "whole map", "by group"])
def order(request, monkeypatch):
    """Each order of operations, whatever it costs, a few rows at a time."""
    is_summed = request.param != "by position"
    monkeypatch.setattr(LayerSketch, "sums_first", lambda self, n: is_summed)
    if request.param == "by group":
        monkeypatch.setattr(_gradient_sketch, "MERGED_NUMBERS", 0)
    monkeypatch.setattr(_gradient_sketch, "CACHED_NUMBERS", 600)


# Torch's own padding of even kernels.
@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel")
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize("name", LAYERS)
def test_all_orders_of_operations_give_the_same_map(order, name, dtype):
    layer, call = case(name, dtype)
    found, expected = sketched(layer, [call]), expected_sketch(layer, call)
    assert found.dtype == dtype
    tolerance = 1e-12 if dtype is torch.float64 else 2e-5
    scale = expected.abs().max()
    assert (found - expected).abs().max() < tolerance * scale


@pytest.mark.parametrize("name", ["linear", "sequence", "groups"])
@pytest.mark.parametrize("trained", ["weight", "bias"])
def test_what_is_frozen_takes_no_part(order, name, trained):
    layer, call = case(name, torch.float64, trained=(trained,))
    expected = expected_sketch(layer, call)
    np.testing.assert_allclose(sketched(layer, [call]), expected, rtol=1e-10)


def test_calls_add_up(order):
    for name in ("linear", "sequence", "groups"):
        layer, first = case(name, torch.float64)
        second = Call(first.inputs.flip(0) + 1, 2 * first.gradient)
        expected = expected_sketch(layer, first) + expected_sketch(layer, second)
        found = sketched(layer, [first, second])
        np.testing.assert_allclose(found, expected, rtol=1e-10)
        columns = LayerGradient(layer, [first, second]).columns()
        exact = by_autograd(layer, first) + by_autograd(layer, second)
        np.testing.assert_allclose(columns, exact.flatten(1), atol=1e-12)


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel")
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize("name", LAYERS)
def test_exact_gradients_are_those_of_autograd(monkeypatch, name, dtype):
    monkeypatch.setattr(
        "skbadge.outputs.readers._layer_factors.row_chunks",
        lambda n_rows, *how: [slice(0, 3), slice(3, n_rows)],
    )
    layer, call = case(name, dtype)
    found = LayerGradient(layer, [call]).columns()
    expected = by_autograd(layer, call).flatten(1)
    atol = 1e-12 if dtype is torch.float64 else 1e-5
    np.testing.assert_allclose(found, expected, rtol=0, atol=atol)


# What it costs


def multiplications(function):
    with FlopCounterMode(display=False) as counter:
        function()
    return counter.get_total_flops() // 2


@pytest.mark.parametrize(
    ("size", "is_summed"), [(3, False), (8, False), (20, True), (32, True)]
)
def test_the_order_is_the_one_of_fewer_multiplications(size, is_summed):
    n_columns, n_left, n_right = 64, 8, 9 * 8
    module = nn.Conv2d(8, 8, 3, padding=1, bias=False)
    layer = layer_of("image", module)
    inputs = torch.randn(1, 8, size, size)
    call = Call(inputs, torch.randn(1, 8, size, size))
    pairs = KroneckerSketch([layer.widths], n_columns, random_state=0).convert(
        torch.from_numpy
    )
    part = LayerSketch(layer, pairs.projections)
    total = torch.zeros(1, n_columns)
    # P (a + b) q, or P a b + a b q
    by_position = size**2 * (n_left + n_right) * n_columns
    summed = n_left * n_right * (size**2 + n_columns)
    count = multiplications(lambda: part.add(total, call))
    if is_summed:
        assert count == summed < by_position
    else:
        assert count in (summed, by_position)
        assert part.sums_first(size**2) == (count == summed)


def test_reading_a_convolution_net_counts_positions_once():
    module = nn.Sequential(
        nn.Conv2d(1, 8, 3), nn.ReLU(), nn.Conv2d(8, 16, 3), nn.ReLU(), nn.Flatten()
    )
    net = NeuralNetRegressor(nn.Sequential(*module, nn.Linear(16 * 24**2, 1)))
    net.initialize()
    X = np.random.RandomState(0).normal(size=(1, 1, 28, 28)).astype("f4")
    # Whatever is tried out once a process is done before it is counted.
    read(net, X, n_columns=32, random_state=0)
    count = multiplications(lambda: read(net, X, n_columns=32, random_state=0))
    P1, P2, ab1, ab2, last = 26**2, 24**2, 8 * 9, 16 * 72, 16 * 24**2
    forward = P1 * ab1 + P2 * ab2 + last
    # The first layer's input is not differentiated.
    backward = P2 * ab2 + last
    sums = P1 * ab1 + P2 * ab2
    sketches = (ab1 + ab2 + 8 + 16 + last + 1) * 32
    assert count <= forward + backward + sums + sketches
