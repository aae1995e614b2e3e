"""Last layers that are applied at several positions of a row."""

import numpy as np
import pytest
import torch
from skorch import NeuralNetClassifier, NeuralNetRegressor
from torch import nn

from skbadge import BadgeQuerier
from skbadge.outputs import model_outputs

X = np.random.default_rng(0).normal(size=(20, 60)).astype("f4")


class Pooled(nn.Module):
    """Ends in a layer that is applied at each position, and in the mean of them."""

    def __init__(self, last, n_dims=2, wrap=False):
        super().__init__()
        self.n_dims = n_dims
        self.before = nn.Identity()
        self.o = nn.Sequential(last, nn.Identity()) if wrap else last

    def forward(self, X):
        X = self.before(X.reshape(len(X), 2, *(30,) if self.n_dims == 1 else (5, 6)))
        if isinstance(self.o, nn.Linear):
            return self.o(X.flatten(2).swapaxes(1, 2)).mean(dim=1)
        return self.o(X).flatten(2).mean(dim=2)


def fitted(module, cls=NeuralNetClassifier):
    kwargs = {} if cls is NeuralNetRegressor else {"criterion": nn.CrossEntropyLoss}
    return cls(module, verbose=0, train_split=None, **kwargs).initialize()


@pytest.mark.parametrize("cls", [NeuralNetClassifier, NeuralNetRegressor])
@pytest.mark.parametrize(
    ("module", "n_positions"),
    [
        (Pooled(nn.Conv2d(2, 3, 1)), 30),
        (Pooled(nn.Conv2d(2, 3, 3, stride=2, padding=1)), 9),
        (Pooled(nn.Conv1d(2, 3, 1), n_dims=1), 30),
        (Pooled(nn.Linear(2, 3)), 30),
        (Pooled(nn.Conv2d(2, 3, 1), wrap=True), 30),
    ],
    ids=["1x1", "3x3", "line", "linear", "wrapped"],
)
def test_they_are_refused_as_feature_layer(module, n_positions, cls):
    net = fitted(module, cls)
    match = f"`feature_layer`='o' is the last layer.*at {n_positions} positions"
    with pytest.raises(ValueError, match=match):
        model_outputs(net, X, needs="features", feature_layer="o")
    # The way out: a module without weights.
    features = model_outputs(net, X, needs="features", feature_layer="before").features
    np.testing.assert_array_equal(features, X)


def test_a_querier_refuses_them():
    net = NeuralNetClassifier(
        Pooled,
        module__last=nn.Conv2d(2, 3, 1),
        criterion=nn.CrossEntropyLoss,
        max_epochs=1,
        verbose=0,
        train_split=None,
    )
    querier = BadgeQuerier(net, feature_layer="o", random_state=0)
    querier.fit(X, np.arange(20) % 3)
    with pytest.raises(ValueError, match="positions of each row"):
        querier.query(X, 3)


@pytest.mark.parametrize("kernel", [(1, 1), (5, 6)])
def test_a_convolution_at_one_position_has_features(kernel):
    """A 1x1 convolution behind global pooling, and one that covers everything."""

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.o = nn.Conv2d(2, 3, kernel, bias=kernel == (1, 1))

        def forward(self, X):
            X = X.reshape(-1, 2, 5, 6)
            X = X.mean(dim=(2, 3), keepdim=True) if kernel == (1, 1) else X
            return self.o(X).flatten(1)

    net = fitted(Net())
    outputs = model_outputs(net, X, feature_layer="o")
    # The gradient of the last layer is the outer product with these features.
    tensor = torch.from_numpy(X)
    loss = -torch.log_softmax(net.module_(tensor), 1).amax(1)
    for i in (0, 7):
        gradient = torch.autograd.grad(loss[i], net.module_.o.weight, retain_graph=True)
        left = outputs.proba[i] - np.eye(3)[outputs.proba[i].argmax()]
        expected = np.outer(left, outputs.features[i])
        np.testing.assert_allclose(gradient[0].flatten(1), expected, atol=1e-6)
    assert outputs.feature_factors == (1.0, float(kernel == (1, 1)))


def test_the_average_of_the_input_is_the_same_net():
    pooled = Pooled(nn.Conv2d(2, 3, 1))

    class Early(nn.Module):
        def __init__(self):
            super().__init__()
            self.o = pooled.o

        def forward(self, X):
            X = X.reshape(-1, 2, 5, 6).mean(dim=(2, 3), keepdim=True)
            return self.o(X).flatten(1)

    outputs = model_outputs(fitted(Early()), X, feature_layer="o")
    proba = fitted(pooled).predict_proba(X)
    np.testing.assert_allclose(outputs.proba, proba, atol=1e-6)


class Choices(nn.Module):
    """One number for each of several parts of a row, by the same weights."""

    def __init__(self):
        super().__init__()
        self.body, self.score = nn.Linear(20, 5), nn.Linear(5, 1)

    def forward(self, X):
        return self.score(torch.tanh(self.body(X.reshape(-1, 3, 20)))).squeeze(2)


def test_scores_by_shared_weights_are_no_logits_of_their_own():
    with pytest.raises(ValueError, match=r"'auto' is the last layer.*at 3 positions"):
        model_outputs(fitted(Choices()), X)
    # Targets of a regressor have gradients of their own, whose kernels add up.
    features = model_outputs(
        fitted(Choices(), NeuralNetRegressor), X, needs="features"
    ).features
    assert features.shape == (20, 15)


def test_layers_before_the_last_may_have_positions():
    module = nn.Sequential(
        nn.Unflatten(1, (2, 5, 6)),
        nn.Conv2d(2, 4, 3),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(4, 3),
    )
    net = fitted(module)
    np.testing.assert_array_equal(model_outputs(net, X, feature_layer="1").features, X)
    assert model_outputs(net, X).features.shape == (20, 4)
