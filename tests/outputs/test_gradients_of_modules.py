"""Gradients of nets: which parameters count, and that nothing is left behind."""

import warnings

import numpy as np
import pytest
import torch
from skorch import NeuralNetClassifier, NeuralNetRegressor
from torch import nn

from skbadge.exceptions import QueryWarning
from skbadge.outputs import model_outputs
from tests.outputs._gradient_nets import (
    ConvNet,
    fitted,
    jacobians,
    kernel,
    mlp,
    ntk,
    read,
    rows,
)

# Which parameters count


def test_frozen_parameters_do_not_count():
    net, X = fitted(mlp), rows(mlp)
    net.module_[0].requires_grad_(False)
    net.module_[4].bias.requires_grad_(False)
    expected = jacobians(net.module_, X)
    assert expected.shape[2] == 30 + 5
    gradients = read(net, X)
    assert gradients.shape == (9, 35)
    np.testing.assert_allclose(
        gradients.cross(gradients), kernel(expected), rtol=1e-4, atol=1e-6
    )
    assert [p.requires_grad for p in net.module_.parameters()] == [0, 0, 1, 1, 0]


def test_what_the_net_runs_without_gradients_does_not_count():
    class Held(nn.Module):
        def __init__(self):
            super().__init__()
            self.body, self.head = nn.Linear(4, 3), nn.Linear(3, 1)

        def forward(self, X):
            with torch.no_grad():
                X = self.body(X)
            return self.head(X)

    gradients = read(NeuralNetRegressor(Held()).initialize(), rows(mlp))
    assert gradients.shape == (9, 4)


def test_normalisation_is_left_out_and_other_parameters_are_named():
    class Mixed(nn.Module):
        def __init__(self):
            super().__init__()
            self.norm, self.table = nn.BatchNorm1d(4), nn.Embedding(3, 4)
            self.head = nn.Linear(4, 1)

        def forward(self, X):
            return self.head(self.norm(X) + self.table.weight.sum(dim=0))

    net = NeuralNetRegressor(Mixed()).initialize()
    with pytest.warns(QueryWarning, match=r"do not count: table \(Embedding\)\."):
        gradients = read(net, rows(mlp))
    assert gradients.shape == (9, 5)


def test_parametrised_weights_count():
    module = nn.Sequential(
        nn.utils.parametrizations.weight_norm(nn.Linear(4, 3)),
        nn.Tanh(),
        nn.Linear(3, 1),
    )
    assert read(NeuralNetRegressor(module).initialize(), rows(mlp)).shape == (9, 15 + 4)


def test_changes_in_place_are_no_harm():
    class InPlace(nn.Module):
        def __init__(self, in_place):
            super().__init__()
            self.first, self.second = nn.Linear(4, 4), nn.Linear(4, 4)
            self.out, self.in_place = nn.Linear(4, 1), in_place

        def forward(self, X):
            if self.in_place:
                hidden = self.second(self.first(X).relu_())
                hidden += 1
                return self.out(hidden.tanh_())
            return self.out((self.second(self.first(X).relu()) + 1).tanh())

    torch.manual_seed(0)
    plain = InPlace(False)
    in_place = InPlace(True)
    in_place.load_state_dict(plain.state_dict())
    X = rows(mlp)
    got, expected = (
        read(NeuralNetRegressor(module).initialize(), X).to_dense()
        for module in (in_place, plain)
    )
    np.testing.assert_allclose(got, expected, rtol=1e-5)
    assert np.abs(expected).min(axis=0).max() > 0


class ChangesInputs(nn.Module):
    """Overwrites what a layer was given, from some value of the first column on."""

    def __init__(self, least=-np.inf):
        super().__init__()
        self.body, self.out, self.least = nn.Linear(4, 4), nn.Linear(4, 1), least

    def forward(self, X):
        hidden = self.body(X).sin()
        output = self.out(hidden)
        if X[0, 0] >= self.least:
            hidden.mul_(3)
        return output


def test_inputs_that_are_overwritten_count_as_they_were():
    torch.manual_seed(0)
    changing, plain = ChangesInputs(), ChangesInputs(np.inf)
    plain.load_state_dict(changing.state_dict())
    X = rows(mlp)
    for batch_size in ("auto", 2):
        got, expected = (
            read(NeuralNetRegressor(net).initialize(), X, batch_size=batch_size)
            for net in (changing, plain)
        )
        np.testing.assert_array_equal(got.to_dense(), expected.to_dense())


def test_inputs_that_only_some_rows_overwrite_are_refused():
    X = rows(mlp)
    X[:5, 0], X[5:, 0] = 0, 2
    net = NeuralNetRegressor(ChangesInputs(1)).initialize()
    with pytest.raises(ValueError, match=r"inputs of the layers \['out'\] in place"):
        read(net, X, batch_size=5)


def test_layers_whose_output_is_not_used_have_gradients_of_zero():
    class Unused(nn.Module):
        def __init__(self):
            super().__init__()
            self.body, self.side = nn.Linear(4, 3), nn.Linear(3, 2)
            self.out = nn.Linear(3, 1)

        def forward(self, X):
            hidden = self.body(X)
            self.side(hidden)
            return self.out(hidden)

    gradients = read(NeuralNetRegressor(Unused()).initialize(), rows(mlp))
    side = gradients.parts[1].to_dense()
    np.testing.assert_array_equal(side, np.zeros((9, 8)))
    assert gradients.parts[0].to_dense().any(axis=1).all()


# Nothing left behind


def snapshot(net):
    modules = list(net.module_.modules())
    return {
        "modes": [m.training for m in modules],
        "hooks": [len(m._forward_hooks) + len(m._forward_pre_hooks) for m in modules],
        "requires_grad": [p.requires_grad for p in net.module_.parameters()],
        "grads": [p.grad is None for p in net.module_.parameters()],
        "grad_mode": torch.is_grad_enabled(),
        "values": [p.detach().numpy().tobytes() for p in net.module_.parameters()],
        "generator": torch.get_rng_state().numpy().tobytes(),
    }


class Failing(nn.Module):
    def __init__(self, fails=True):
        super().__init__()
        self.body, self.out, self.fails = nn.Linear(4, 3), nn.Linear(3, 1), fails

    def forward(self, X):
        hidden = self.body(X)
        if self.fails and len(X) < 4:
            raise RuntimeError("the module fails")
        return self.out(hidden)


@pytest.mark.parametrize("fails", [False, True])
def test_the_net_is_left_as_it_was(fails):
    net = NeuralNetRegressor(Failing(fails)).initialize()
    net.module_.train()
    net.module_.body.bias.requires_grad_(False)
    before = snapshot(net)
    if fails:
        with pytest.raises(RuntimeError, match="the module fails"):
            read(net, rows(mlp), batch_size=4)
    else:
        read(net, rows(mlp), batch_size=4)
    assert snapshot(net) == before


def test_it_is_inference_mode():
    module = nn.Sequential(nn.Linear(4, 8), nn.Dropout(0.5), nn.Linear(8, 1))
    net = NeuralNetRegressor(module).initialize()
    X = rows(mlp)
    np.testing.assert_array_equal(read(net, X).to_dense(), read(net, X).to_dense())


def test_one_forward_pass_reads_everything():
    class Counting(nn.Module):
        def __init__(self):
            super().__init__()
            self.body, self.head, self.seen = nn.Linear(4, 3), nn.Linear(3, 2), []

        def forward(self, X):
            self.seen.append(len(X))
            return self.head(self.body(X))

    net = NeuralNetClassifier(Counting(), criterion=nn.CrossEntropyLoss).initialize()
    needs = ("proba", "features", "gradients")
    outputs = model_outputs(net, rows(mlp), needs=needs, batch_size=5)
    # Four rows look for the feature layer.
    assert net.module_.seen == [4, 5, 4]
    alone = model_outputs(net, rows(mlp), needs=("proba", "features"))
    np.testing.assert_allclose(outputs.proba, alone.proba, rtol=1e-5)
    np.testing.assert_allclose(outputs.features, alone.features, rtol=1e-5)


# Inputs


def test_inputs_are_those_of_the_first_layer():
    net, X = fitted(ntk), 100 * rows(ntk)
    inputs = model_outputs(net, X, needs=("inputs",)).inputs
    # Standardised by the net, which has not been trained, and bounded.
    np.testing.assert_allclose(inputs, 5 * np.tanh(X / 5), rtol=1e-5)
    net, X = fitted(ConvNet), rows(ConvNet)
    np.testing.assert_array_equal(model_outputs(net, X, needs=("inputs",)).inputs, X)


# Errors


def test_a_net_without_layers_is_refused():
    class Table(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.ones(4))

        def forward(self, X):
            return X @ self.weight

    net = NeuralNetRegressor(Table()).initialize()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", QueryWarning)
        with pytest.raises(ValueError, match=r"must depend on a torch\.nn\.Linear"):
            read(net, rows(mlp))
    with pytest.raises(ValueError, match=r"first torch\.nn\.Linear or conv"):
        model_outputs(net, rows(mlp), needs=("inputs",))


def test_rows_must_come_first():
    class Flat(nn.Module):
        def __init__(self):
            super().__init__()
            self.each, self.out = nn.Linear(2, 1), nn.Linear(2, 1)

        def forward(self, X):
            return self.out(self.each(X.reshape(-1, 2)).reshape(-1, 2))

    net = NeuralNetRegressor(Flat()).initialize()
    match = r"layer 'each' must be given the rows along its first dim.*Got 18 for 9"
    with pytest.raises(ValueError, match=match):
        read(net, rows(mlp))


def test_gradients_that_are_not_finite_are_refused():
    net = fitted(mlp)
    with torch.no_grad():
        net.module_[0].weight[:] = np.nan
    with pytest.raises(ValueError, match="gradients hold NaN or infinite values for 9"):
        read(net, rows(mlp))


def test_exact_gradients_beyond_memory_are_refused(monkeypatch):
    monkeypatch.setattr("skbadge.outputs.readers._gradient_buffer.MAX_BYTES", 1000)
    with pytest.raises(ValueError, match=r"9 rows, held exactly, take .* `n_col"):
        read(fitted(mlp), rows(mlp))
