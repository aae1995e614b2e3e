"""Finding the layer whose input are the features."""

import numpy as np
import pytest
import torch
from skorch import NeuralNet, NeuralNetClassifier
from torch import nn

from skbadge.outputs import model_outputs
from skbadge.outputs._output_shape import n_outputs

X = np.random.default_rng(0).normal(size=(20, 4)).astype("f4")


class Net(nn.Module):
    """Two hidden layers, and an ending that tests vary."""

    def __init__(self, ending=None):
        super().__init__()
        self.first = nn.Linear(4, 6)
        self.second = nn.Linear(6, 5)
        self.head = nn.Linear(5, 3)
        self.unused = nn.Linear(5, 3)
        self.ending = ending or (lambda x: x)

    def forward(self, X):
        self.hidden = torch.relu(self.second(torch.relu(self.first(X))))
        return self.ending(self.head(self.hidden))


def _net(module, criterion=nn.CrossEntropyLoss, **kwargs):
    torch.manual_seed(0)
    return NeuralNetClassifier(
        module, criterion=criterion, verbose=0, train_split=None, **kwargs
    ).initialize()


@pytest.mark.parametrize(
    ("ending", "nonlinearity"),
    [
        (None, "auto"),
        (lambda x: torch.softmax(x, dim=1), None),
        (lambda x: torch.log_softmax(x, dim=1), torch.exp),
        (torch.sigmoid, lambda p: p / p.sum(1, keepdim=True)),
        (lambda x: x.unsqueeze(1).flatten(1), "auto"),
        (lambda x: x.clone(), "auto"),
    ],
    ids=["linear", "softmax", "log-softmax", "sigmoid", "reshaped", "copied"],
)
def test_output_layer_is_found(ending, nonlinearity):
    net = _net(Net, module__ending=ending, predict_nonlinearity=nonlinearity)
    outputs = model_outputs(net, X)
    net.module_(torch.from_numpy(X))
    np.testing.assert_allclose(outputs.features, net.module_.hidden.detach(), atol=1e-6)
    np.testing.assert_allclose(outputs.proba, net.predict_proba(X), atol=1e-6)


def test_last_layer_by_call_not_by_definition():
    class Backwards(nn.Module):
        def __init__(self):
            super().__init__()
            self.head = nn.Linear(6, 3)
            self.body = nn.Linear(4, 6)
            self.aside = nn.Linear(6, 3)

        def forward(self, X):
            z = torch.tanh(self.body(X))
            out = self.head(z)
            self.aside(z * 2)
            return out

    net = _net(Backwards)
    features = model_outputs(net, X).features
    expected = torch.tanh(net.module_.body(torch.from_numpy(X)))
    np.testing.assert_allclose(features, expected.detach(), atol=1e-6)


def test_layer_called_twice_counts_its_last_call():
    class Twice(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(4, 4)

        def forward(self, X):
            return self.layer(torch.relu(self.layer(X)))

    net = _net(Twice)
    expected = torch.relu(net.module_.layer(torch.from_numpy(X)))
    features = model_outputs(net, X, batch_size=6).features
    np.testing.assert_allclose(features, expected.detach(), atol=1e-6)


def test_input_changed_after_the_layer_is_read_as_it_was():
    class InPlace(nn.Module):
        def __init__(self):
            super().__init__()
            self.body, self.head = nn.Linear(4, 5), nn.Linear(5, 3)

        def forward(self, X):
            z = self.body(X)
            out = self.head(z)
            z.zero_()
            return out

    net = _net(InPlace)
    features = model_outputs(net, X).features
    expected = net.module_.body(torch.from_numpy(X)).detach()
    np.testing.assert_allclose(features, expected, atol=1e-6)


def test_input_passed_by_keyword_is_read():
    class Keyword(nn.Module):
        def __init__(self):
            super().__init__()
            self.head = nn.Linear(4, 3)

        def forward(self, X):
            return self.head(input=X * 2)

    np.testing.assert_array_equal(model_outputs(_net(Keyword), X).features, 2 * X)


def test_module_that_is_the_layer():
    net = _net(nn.Linear, module__in_features=4, module__out_features=3)
    np.testing.assert_array_equal(model_outputs(net, X).features, X)
    np.testing.assert_array_equal(
        model_outputs(net, X, feature_layer="module_").features, X
    )


def test_named_layer_chooses_its_input():
    net = _net(Net)
    features = model_outputs(net, X, feature_layer="second").features
    expected = torch.relu(net.module_.first(torch.from_numpy(X)))
    np.testing.assert_allclose(features, expected.detach(), atol=1e-6)


def test_input_with_several_axes_is_flattened():
    module = nn.Sequential(
        nn.Unflatten(1, (2, 2)), nn.Linear(2, 3), nn.Flatten(), nn.Linear(6, 3)
    )
    net = _net(module)
    np.testing.assert_array_equal(model_outputs(net, X, feature_layer="1").features, X)
    assert model_outputs(net, X).features.shape == (20, 6)


def test_layers_of_other_modules_have_a_prefix():
    class Two(NeuralNet):
        def initialize_module(self):
            self.body_ = nn.Sequential(nn.Linear(4, 5), nn.ReLU())
            self.head_ = nn.Sequential(nn.Linear(5, 3))
            return self

        def infer(self, x, **fit_params):
            return self.head_(self.body_(x))

    net = Two(nn.Identity, criterion=nn.CrossEntropyLoss, verbose=0).initialize()
    outputs = model_outputs(net, X)
    assert outputs.features.shape == (20, 5)
    np.testing.assert_array_equal(
        model_outputs(net, X, feature_layer="head_.0").features, outputs.features
    )


def test_unknown_layer_names_the_nearest_and_the_candidates():
    with pytest.raises(ValueError, match="feature_layer") as info:
        model_outputs(_net(Net), X, feature_layer="secnod")
    message = str(info.value)
    assert "Got 'secnod' instead. Did you mean 'second'?" in message
    assert "'first' (4 -> 6), 'second' (6 -> 5), 'head' (5 -> 3)" in message


def test_layer_that_cannot_be_found_lists_the_candidates():
    net = _net(Net, module__ending=lambda x: x / 3)
    with pytest.raises(ValueError, match=r"`feature_layer`='auto' .*'head' \(5 -> 3\)"):
        model_outputs(net, X)
    assert model_outputs(net, X, feature_layer="head").features.shape == (20, 5)
    assert model_outputs(net, X, needs=("proba",)).proba.shape == (20, 3)


def test_net_without_linear_layers():
    net = _net(nn.BatchNorm1d, module__num_features=4)
    with pytest.raises(ValueError, match="It has none"):
        model_outputs(net, X)


def test_layer_outside_the_forward_pass_is_refused():
    with pytest.raises(ValueError, match="'unused' is not called"):
        model_outputs(_net(Net), X, feature_layer="unused")


def test_layer_called_on_other_rows_is_refused():
    class Pairs(nn.Module):
        def __init__(self):
            super().__init__()
            self.halves, self.head = nn.Linear(2, 2), nn.Linear(4, 3)

        def forward(self, X):
            return self.head(self.halves(X.reshape(-1, 2)).reshape(-1, 4))

    with pytest.raises(ValueError, match="Got 40 rows for 20"):
        model_outputs(_net(Pairs), X, feature_layer="halves")


def test_layer_that_takes_no_tensor_is_refused():
    class Taker(nn.Module):
        def forward(self, pair):
            return pair[0]

    class Module(nn.Module):
        def __init__(self):
            super().__init__()
            self.taker, self.head = Taker(), nn.Linear(4, 3)

        def forward(self, X):
            return self.head(self.taker([X, X]))

    with pytest.raises(ValueError, match=r"must take a tensor. It got a list"):
        model_outputs(_net(Module), X, feature_layer="taker")


def test_net_that_diverged_is_named_as_such():
    net = _net(Net)
    with torch.no_grad():
        net.module_.head.weight.fill_(torch.nan)
    with pytest.raises(ValueError, match=r"for 20 of 20 rows.*lower the learning rate"):
        model_outputs(net, X)


@pytest.mark.parametrize("n", [1, 2, 20])
def test_n_outputs(n):
    assert n_outputs(_net(Net), X[:n]) == 3
    net = _net(nn.Sequential(nn.Linear(4, 1), nn.Flatten(0)))
    assert n_outputs(net, X[:n]) == 1


def test_n_outputs_is_for_nets():
    from sklearn.naive_bayes import GaussianNB

    with pytest.raises(TypeError, match=r"must be a skorch net. Got GaussianNB"):
        n_outputs(GaussianNB().fit(X, np.arange(20) % 2), X)
