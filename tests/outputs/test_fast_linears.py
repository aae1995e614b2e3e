"""Nets whose linear layers run by oneDNN while they are read, and at no other time."""

import threading

import numpy as np
import pytest
import torch
from skorch import NeuralNetClassifier, NeuralNetRegressor
from torch import nn
from torch.nn import functional

from skbadge.outputs import Needs, model_outputs
from skbadge.utils import _fast_products
from skbadge.utils._fast_products import NOTE, SWITCH, noting_products

pytestmark = pytest.mark.skipif(
    not torch.backends.mkldnn.is_available(), reason="torch was built without oneDNN"
)

X = np.random.default_rng(0).normal(size=(300, 12)).astype("f4")
EVERYTHING = Needs(proba=True, features=True, head=True, n_posterior=2, gradients=True)


@pytest.fixture(autouse=True)
def in_table(monkeypatch):
    """As on a processor of the table, and small products too."""
    monkeypatch.setattr(_fast_products, "_is_faster", lambda: True)
    monkeypatch.setattr(_fast_products, "LEAST_MULTIPLICATIONS", 0)
    monkeypatch.setattr(_fast_products, "LEAST_OUTPUTS", 1)


class Net(nn.Module):
    def __init__(self, inside=None):
        super().__init__()
        self.hidden, self.drop = nn.Linear(12, 32), nn.Dropout(0.5)
        self.inside = nn.Linear(32, 16) if inside is None else inside
        self.head = nn.Linear(16, 3)

    def forward(self, X):
        return self.head(self.inside(self.drop(torch.relu(self.hidden(X)))))


def initialized(inside=None, kind=NeuralNetClassifier, **params):
    torch.manual_seed(0)
    loss = nn.CrossEntropyLoss if kind is NeuralNetClassifier else nn.MSELoss
    params = {"module": Net, "criterion": loss} | params
    if inside is not None:
        params["module__inside"] = inside
    return kind(**params).initialize()


def read_both_ways(net, monkeypatch, needs=None, X=X):
    """Outputs by oneDNN and by torch alone; and whether the former were."""
    needs = Needs(proba=True, features=True) if needs is None else needs
    with noting_products() as notes:
        fast = model_outputs(net, X, needs=needs, random_state=0)
    with monkeypatch.context() as patch, noting_products() as none:
        patch.setenv(SWITCH, "0")
        slow = model_outputs(net, X, needs=needs, random_state=0)
    assert not none
    for name in ("proba", "features", "posterior", "gradients"):
        if (ours := getattr(fast, name)) is not None:
            theirs = getattr(slow, name)
            if name == "gradients":
                ours, theirs = ours.to_dense(), theirs.to_dense()
            np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)
    return notes == {NOTE}


def test_all_that_is_read_is_the_same_within_rounding(monkeypatch):
    assert read_both_ways(initialized(), monkeypatch, EVERYTHING)


def counted(monkeypatch):
    """A list with an entry for each product by oneDNN."""
    calls, operator = [], _fast_products.onednn_linear()

    def count(rows, weight, bias=None):
        calls.append(tuple(weight.shape))
        return operator(rows, weight, bias)

    monkeypatch.setattr(_fast_products, "onednn_linear", lambda: count)
    _fast_products._is_right()
    calls.clear()
    return calls


def test_each_layer_of_each_pass_goes_to_onednn(monkeypatch):
    net, calls = initialized(), counted(monkeypatch)
    layers = [(32, 12), (16, 32), (3, 16)]
    model_outputs(net, X, needs="proba")
    assert calls == layers
    calls.clear()
    model_outputs(net, X, needs=Needs(n_posterior=2))
    assert calls == 2 * layers
    calls.clear()
    # Backward through the weights of all layers but the first, and then sketches.
    model_outputs(net, X, needs=Needs(gradients=True, n_columns=4))
    assert calls[:5] == [*layers, (16, 3), (32, 16)]
    assert {n_columns for n_columns, _ in calls[5:]} == {4}


def test_training_and_predicting_are_left_alone(monkeypatch):
    calls = counted(monkeypatch)
    net = initialized(max_epochs=1, verbose=0, train_split=None)
    y = np.arange(len(X)) % 3
    net.fit(X, y)
    assert not calls
    model_outputs(net, X)
    assert calls
    calls.clear()
    net.partial_fit(X, y).predict(X)
    assert not calls


class Failing(nn.Linear):
    def forward(self, X):
        super().forward(X)
        raise RuntimeError("this layer fails")


def test_after_an_error_nothing_is_left_behind(monkeypatch):
    calls = counted(monkeypatch)
    with pytest.raises(RuntimeError, match="this layer fails"):
        model_outputs(initialized(Failing(32, 16)), X)
    assert calls
    calls.clear()
    with torch.no_grad():
        nn.Linear(12, 32)(torch.from_numpy(X))
    assert not calls


class Elsewhere(nn.Linear):
    """Runs in a thread of its own."""

    def forward(self, X):
        found = []

        def run():
            with torch.no_grad():
                found.append(super(Elsewhere, self).forward(X))

        thread = threading.Thread(target=run)
        thread.start()
        thread.join()
        return found[0]


def test_other_threads_are_left_alone(monkeypatch):
    calls = counted(monkeypatch)
    model_outputs(initialized(Elsewhere(32, 16)), X, needs="proba")
    assert calls == [(32, 12), (3, 16)]


class ByName(nn.Linear):
    def forward(self, X):
        return functional.linear(bias=self.bias, weight=self.weight, input=X)


@torch.compile(backend="eager")
def compiled(X, weight):
    return torch.relu(functional.linear(X, weight)) + 1


class Compiled(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(16, 32))

    def forward(self, X):
        return compiled(X, self.weight)


class Differentiating(nn.Module):
    """Moves rows along the gradient of an energy."""

    def __init__(self):
        super().__init__()
        self.energy, self.layer = nn.Linear(32, 8), nn.Linear(32, 16)

    def forward(self, X):
        with torch.enable_grad():
            rows = X.detach().requires_grad_()
            energy = self.energy(rows).square().sum()
            (step,) = torch.autograd.grad(energy, rows, create_graph=True)
            step.square().sum().backward()
        return self.layer(X - 0.1 * rows.grad.detach())


class Stacked(nn.Module):
    """Several layers at once by `torch.func`."""

    def __init__(self):
        super().__init__()
        self.weights = nn.Parameter(torch.randn(4, 16, 32))

    def forward(self, X):
        layer = torch.func.vmap(functional.linear, in_dims=(None, 0))
        return layer(X, self.weights).mean(0)


class Attending(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)

    def forward(self, X):
        return self.layer(X.reshape(len(X), 4, 8)).flatten(1)[:, :16]


def quantised():
    layers = nn.Sequential(nn.Linear(32, 16))
    return torch.ao.quantization.quantize_dynamic(layers, {nn.Linear})


def traced():
    return torch.jit.trace(nn.Linear(32, 16), torch.randn(5, 32))


INSIDE = {
    "arguments by name": lambda: ByName(32, 16),
    "compiled": Compiled,
    "differentiating": Differentiating,
    "mapped": Stacked,
    "attention": Attending,
    "quantised": quantised,
    "traced": traced,
    "weight norm": lambda: nn.utils.parametrizations.weight_norm(nn.Linear(32, 16)),
    "lazy": lambda: nn.LazyLinear(16),
    "identity": lambda: nn.Sequential(nn.Linear(32, 16), nn.Identity()),
}


@pytest.mark.parametrize("name", INSIDE)
# Torch's own, of what it means to give up.
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.filterwarnings("ignore:torch.quantize_per_tensor")
def test_all_kinds_of_layers_are_read_as_without(name, monkeypatch):
    net = initialized(INSIDE[name]())
    assert read_both_ways(net, monkeypatch)


def test_nets_in_double_precision_are_left_alone(monkeypatch):
    calls = counted(monkeypatch)
    net = initialized()
    net.module_.double()
    model_outputs(net, X.astype("f8"))
    assert not calls


def test_regressors(monkeypatch):
    net = initialized(kind=NeuralNetRegressor)
    needs = Needs(features=True, gradients=True, n_columns=16)
    assert read_both_ways(net, monkeypatch, needs)
