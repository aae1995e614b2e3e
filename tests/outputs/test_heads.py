"""Last layers of all kinds: exact gradients, held to autograd, or a refusal."""

import numpy as np
import pytest
import torch
from skorch import NeuralNetClassifier
from torch import nn

from skbadge.embeddings import gradient_embedding
from skbadge.outputs import model_outputs

X = np.random.default_rng(0).normal(size=(12, 24)).astype("f4")
N_CLASSES = 3


class Net(nn.Module):
    """A body, a last layer ``o``, and a way from the one to the output."""

    def __init__(self, o, forward, **others):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(24, 24), nn.Tanh())
        self.o = o
        self.others = nn.ModuleDict(others)
        self.forward_ = forward

    def forward(self, X):
        return self.forward_(self, self.body(X))


class OwnWeights(nn.Module):
    """A 1x1 convolution that is no layer of torch's."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(N_CLASSES, 4))

    def forward(self, h):
        return torch.einsum("kc,ncl->nkl", self.weight, h)


class OwnLinear(nn.Module):
    """A linear layer that is none of torch's."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(N_CLASSES, 24))

    def forward(self, h):
        return h @ self.weight.T


def image(h):
    return h.reshape(-1, 4, 2, 3)


def line(h):
    return h.reshape(-1, 4, 6)


def on_line(net, h):
    return net.o(line(h)).mean(2)


def on_flat(net, h):
    return net.o(h)


def pooled(o):
    return nn.Sequential(nn.AdaptiveAvgPool1d(1), o, nn.Flatten())


EXACT = {
    "linear": lambda: Net(nn.Linear(24, 3), on_flat),
    "lazy": lambda: Net(nn.LazyLinear(3), on_flat),
    "own_linear": lambda: Net(OwnLinear(), on_flat),
    "pooling_first": lambda: Net(
        nn.Conv2d(4, 3, 1),
        lambda net, h: net.o(image(h).mean((2, 3), keepdim=True)).flatten(1),
    ),
    "pooling_inside": lambda: Net(
        pooled(nn.Conv1d(4, 3, 1)), lambda net, h: net.o(line(h))
    ),
    "all_at_once": lambda: Net(
        nn.Conv2d(4, 3, (2, 3)), lambda net, h: net.o(image(h)).flatten(1)
    ),
    "first_token": lambda: Net(
        nn.Linear(6, 3), lambda net, h: net.o(line(h)[:, :1]).squeeze(1)
    ),
    "mean_of_tokens_first": lambda: Net(
        nn.Linear(6, 3), lambda net, h: net.o(line(h).mean(1))
    ),
    # What stands before the layer in its own module is part of the features.
    "wrapped": lambda: Net(
        nn.Sequential(nn.LayerNorm(24), nn.ReLU(), nn.Linear(24, 3)), on_flat
    ),
    "one_of_two_heads": lambda: Net(
        nn.Linear(24, 3),
        lambda net, h: (net.o(h), net.others["aux"](h)),
        aux=nn.Linear(24, 2),
    ),
    "sum_of_two_heads": lambda: Net(
        nn.Linear(24, 3),
        lambda net, h: net.o(h) + net.others["other"](h.relu()),
        other=nn.Linear(24, 3),
    ),
}

REFUSED = {
    "mean_after": lambda: Net(nn.Conv1d(4, 3, 1), on_line),
    "sum_after": lambda: Net(
        nn.Conv2d(4, 3, 1), lambda net, h: net.o(image(h)).sum((2, 3))
    ),
    "greatest_after": lambda: Net(
        nn.Conv2d(4, 3, 1), lambda net, h: net.o(image(h)).amax((2, 3))
    ),
    "windows": lambda: Net(
        nn.Conv2d(4, 3, 2), lambda net, h: net.o(image(h)).mean((2, 3))
    ),
    "lazy": lambda: Net(nn.LazyConv1d(3, 1), on_line),
    "pooling_behind": lambda: Net(
        nn.Sequential(nn.Conv1d(4, 3, 1), nn.AdaptiveAvgPool1d(1), nn.Flatten()),
        lambda net, h: net.o(line(h)),
    ),
    "tokens": lambda: Net(nn.Linear(6, 3), lambda net, h: net.o(line(h)).mean(1)),
    "one_of_the_tokens": lambda: Net(
        nn.Linear(6, 3), lambda net, h: net.o(line(h))[:, 0]
    ),
    "tokens_one_by_one": lambda: Net(
        nn.Linear(6, 3), lambda net, h: sum(net.o(line(h)[:, i]) for i in range(4)) / 4
    ),
    "tokens_as_rows": lambda: Net(
        nn.Linear(6, 3),
        lambda net, h: net.o(h.reshape(-1, 6)).reshape(-1, 4, 3).mean(1),
    ),
    "shared_by_two_parts": lambda: Net(
        nn.Linear(12, 3), lambda net, h: net.o(h[:, :12]) + net.o(h[:, 12:])
    ),
    # The order in which layers are run does not say which is the last.
    "before_another_head": lambda: Net(
        nn.Conv1d(4, 3, 1),
        lambda net, h: (net.o(line(h)).mean(2), net.others["aux"](h)),
        aux=nn.Linear(24, 2),
    ),
    "part_of_the_input": lambda: Net(
        nn.Conv2d(4, 3, 2, stride=3), lambda net, h: net.o(image(h)).flatten(1)
    ),
    "padded": lambda: Net(
        nn.Conv2d(4, 3, (2, 3), stride=5, padding=1),
        lambda net, h: net.o(image(h)).flatten(1),
    ),
    "groups": lambda: Net(
        nn.Conv2d(6, 3, 1, groups=3),
        lambda net, h: net.o(h.reshape(-1, 6, 4, 1).mean(2, True)).flatten(1),
    ),
    "transposed": lambda: Net(nn.ConvTranspose1d(4, 3, 1), on_line),
    "own_weights": lambda: Net(OwnWeights(), on_line),
    "bilinear": lambda: Net(
        nn.Bilinear(12, 12, 3), lambda net, h: net.o(h[:, :12], h[:, 12:])
    ),
}


def fitted(module):
    torch.manual_seed(0)
    net = NeuralNetClassifier(
        module, criterion=nn.CrossEntropyLoss, verbose=0, train_split=None
    ).initialize()
    # Lazy layers take their width from the first rows.
    with torch.no_grad():
        net.module_(torch.from_numpy(X))
    return net


def gradients(net):
    """Gradients of the loss at the predicted label for the last layer's weights."""
    layers = [part for part in net.module_.o.modules() if hasattr(part, "weight")]
    rows = []
    for row in torch.from_numpy(X):
        output = net.module_(row[None])
        output = output[0] if isinstance(output, tuple) else output
        loss = -torch.log_softmax(output, 1).amax()
        rows.append(torch.autograd.grad(loss, layers[-1].weight)[0].flatten())
    return torch.stack(rows).numpy()


@pytest.mark.parametrize("head", EXACT)
def test_gradients_are_exact(head):
    net = fitted(EXACT[head]())
    outputs = model_outputs(net, X, feature_layer="o")
    embedding = gradient_embedding(outputs.proba, outputs.features)
    expected = gradients(net)
    np.testing.assert_allclose(
        embedding.norms_sq(), (expected**2).sum(axis=1), rtol=1e-4
    )
    np.testing.assert_allclose(
        embedding.cross(embedding), expected @ expected.T, rtol=1e-3, atol=1e-5
    )


@pytest.mark.parametrize("head", REFUSED)
def test_what_is_no_outer_product_is_refused(head):
    net = fitted(REFUSED[head]())
    with pytest.raises(ValueError, match=r"is the last layer|last weights|48 rows"):
        model_outputs(net, X, feature_layer="o")


@pytest.mark.parametrize("feature_layer", ["auto", "o"])
def test_weights_of_another_layer_are_refused(feature_layer):
    net = Net(nn.Linear(24, 24), on_flat)
    net.o.weight = net.body[0].weight
    with pytest.raises(ValueError, match=r"shares its weights with 'body.0'.*Identity"):
        model_outputs(fitted(net), X, feature_layer=feature_layer)


def test_auto_takes_no_layer_whose_output_is_pooled():
    for head in ("tokens", "shared_by_two_parts", "mean_after"):
        with pytest.raises(ValueError, match="found no linear layer"):
            model_outputs(fitted(REFUSED[head]()), X)


def test_layers_before_the_last_have_any_features():
    conv = nn.Conv1d(4, 5, 3)
    net = Net(
        nn.Linear(20, 3),
        lambda net, h: net.o(net.others["conv"](line(h)).flatten(1)),
        conv=conv,
    )
    net = fitted(net)
    features = model_outputs(net, X, feature_layer="others.conv").features
    assert features.shape == (12, 24)
    assert model_outputs(net, X, feature_layer="body").features.shape == (12, 24)


def test_a_search_for_the_last_layer_leaves_the_net_as_it_was():
    net = fitted(REFUSED["mean_after"]())
    for _ in range(2):
        with pytest.raises(ValueError, match="positions"):
            model_outputs(net, X, feature_layer="o")
    assert torch.is_grad_enabled()
    for module in net.module_.modules():
        assert not module._forward_hooks
        assert not module._forward_pre_hooks
    assert all(p.requires_grad and p.grad is None for p in net.module_.parameters())
