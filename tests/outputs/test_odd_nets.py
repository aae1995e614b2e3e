"""Nets that return something else than numbers, or nothing that is a number."""

from collections import OrderedDict, namedtuple

import numpy as np
import pytest
import torch
from skorch import NeuralNet, NeuralNetClassifier
from torch import nn
from torch.utils.data import DataLoader

from skbadge.outputs import Needs, model_outputs
from skbadge.outputs._output_shape import output_shape

X = np.random.default_rng(0).normal(size=(20, 4)).astype("f4")
Pair = namedtuple("Pair", ["logits", "hidden"])


class Returning(nn.Module):
    """A net that returns its logits in some container, or changed."""

    def __init__(self, put):
        super().__init__()
        self.put, self.drop, self.head = put, nn.Dropout(), nn.Linear(4, 3)

    def forward(self, X):
        return self.put(self.head(self.drop(X)))


class OwnIterator(DataLoader):
    pass


def fitted(put, **kwargs):
    return NeuralNetClassifier(
        Returning, module__put=put, criterion=nn.CrossEntropyLoss, **kwargs
    ).initialize()


def fitted_like(net):
    """The same net without a container."""
    plain = fitted(nn.Identity())
    plain.module_.load_state_dict(net.module_.state_dict())
    return plain


CONTAINERS = {
    "a dict with the keys": lambda logits: {"logits": logits},
    "OrderedDict with the keys": lambda logits: OrderedDict(logits=logits),
    "a list of 2": lambda logits: [logits, logits],
    "a tuple that starts with a dict": lambda logits: ({"logits": logits}, logits),
    "an empty tuple": lambda logits: (),
    "a ndarray": lambda logits: logits.detach().numpy(),
    "a NoneType": lambda logits: None,
}


@pytest.mark.parametrize("came", CONTAINERS)
@pytest.mark.parametrize("kwargs", [{}, {"iterator_valid": OwnIterator}])
@pytest.mark.parametrize("needs", ["proba", "features", "posterior", "gradients"])
def test_what_is_no_tensor_is_refused_by_name(came, kwargs, needs):
    net = fitted(CONTAINERS[came], **kwargs)
    match = f"must return a tensor.* It returned .*{came}.*override the net's `infer`"
    with pytest.raises(TypeError, match=match):
        model_outputs(net, X, needs=needs)
    with pytest.raises(TypeError, match=match):
        output_shape(net, X)


@pytest.mark.parametrize("put", [lambda z: (z, z.sum(1)), lambda z: Pair(z, z + 1)])
def test_the_first_of_a_tuple_is_the_output(put):
    net = fitted(put)
    np.testing.assert_array_equal(
        model_outputs(net, X).proba, model_outputs(fitted_like(net), X).proba
    )
    assert output_shape(net, X) == (3,)


def test_infer_may_pick_it_out():
    class Picking(NeuralNetClassifier):
        def infer(self, x, **fit_params):
            return super().infer(x, **fit_params)["logits"]

    net = Picking(
        Returning,
        module__put=CONTAINERS["a dict with the keys"],
        criterion=nn.CrossEntropyLoss,
    ).initialize()
    assert model_outputs(net, X).proba.shape == (20, 3)


@pytest.mark.parametrize(
    "put",
    [
        lambda logits: logits / 2,
        lambda logits: logits * logits.new_tensor(float("inf")),
        lambda logits: (logits - logits) / (logits - logits),
        lambda logits: logits.masked_fill(logits > 0, float("nan")) * 1.5,
    ],
    ids=["weights", "overflow", "0/0", "some"],
)
@pytest.mark.parametrize("needs", ["features", ("proba", "features")])
def test_nan_is_the_news_even_where_no_layer_is_found(put, needs):
    net = fitted(put)
    with torch.no_grad():
        net.module_.head.weight[0] = torch.nan if put(torch.ones(1)) == 0.5 else 1.0
    with pytest.raises(ValueError, match=r"predicts NaN or infinite.*training diverg"):
        model_outputs(net, X, needs=needs)


def test_classes_that_are_ruled_out_are_no_news():
    put = nn.ConstantPad1d((0, 1), -torch.inf)
    with pytest.raises(ValueError, match="found no linear layer"):
        model_outputs(fitted(put), X)


def test_batches_that_are_dropped_are_named():
    net = fitted(
        nn.Identity(),
        iterator_valid__drop_last=True,
        iterator_valid__batch_size=64,
    )
    with pytest.raises(ValueError, match=r"none of 20.*valid__drop_last=False"):
        model_outputs(net, X, needs=Needs(proba=True))


def test_nets_of_other_classes_are_nets():
    net = NeuralNet(nn.Linear(4, 3), criterion=nn.CrossEntropyLoss).initialize()
    assert model_outputs(net, X).features.shape == (20, 4)
