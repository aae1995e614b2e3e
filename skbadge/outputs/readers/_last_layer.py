"""The last layer of a model, held to what the model makes of a few rows."""

from contextlib import contextmanager
from itertools import chain

import numpy as np
import torch

from skbadge.embeddings._factors import dense
from skbadge.outputs._head import Head
from skbadge.outputs.readers._feature_layer import TRANSFORMS
from skbadge.outputs.readers._inference import in_this_thread
from skbadge.outputs.readers._layer_factors import LAYERS

# Rows whose outputs are compared.
TRIED_ROWS = 16

WAYS_OUT = (
    "Strategies that do without it: 'margin', 'entropy', 'badge', 'core_set', 'random'."
)


class LastLayer:
    """Keeps the last layer of a net, if it makes the net's output of the features.

    Parameters
    ----------
    layer : module
        The one whose input are the features.

    feature_layer : str
        The parameter of this name, for the errors.

    is_classifier : bool
        Whether a single output stands for two classes.
    """

    def __init__(self, layer, feature_layer, is_classifier):
        self.layer = layer
        self.feature_layer = feature_layer
        self.is_classifier = is_classifier
        self.n_rows = 0
        self._tried = None
        self._head = None

    @contextmanager
    def watching(self):
        """See what the layer is given, up to the first batch."""
        hook = in_this_thread(self._keep)
        with self.layer.register_forward_pre_hook(hook, with_kwargs=True):
            yield

    def _keep(self, module, args, kwargs):
        """A hook that keeps the first few rows of the last call."""
        entry = next(chain(args, kwargs.values()), None)
        if self._head is None and isinstance(entry, torch.Tensor):
            rows = entry.detach()[:TRIED_ROWS]
            self._tried = rows.reshape(len(rows), -1).clone()

    def commit(self, output):
        """Take the output of a batch; the first one is compared."""
        self.n_rows += len(output)
        if self._head is not None:
            return
        weight, bias = _parameters(self.layer)
        fits = False
        if weight is not None and self._tried is not None:
            target = _array(output[:TRIED_ROWS])
            target = target.reshape(len(target), -1)
            eps = _precision(output, self.layer.weight)
            fits = makes_outputs(weight, bias, _array(self._tried), target, eps)
        if not fits:
            raise ValueError(
                "The strategy runs the net's last linear layer again, and the module "
                f"that `feature_layer`={self.feature_layer!r} stands for is none whose "
                "output is the net's output, as it is or after a softmax, log-softmax "
                f"or sigmoid. Name one that is. {WAYS_OUT}"
            )
        dtype = np.float64 if output.dtype is torch.float64 else np.float32
        parts = weight.astype(dtype), bias.astype(dtype)
        self._head = Head.of_layer(*parts, self.is_classifier)

    def finish(self):
        """The fields of `Outputs`."""
        return {"head": self._head, "n_rows": self.n_rows}


def _parameters(layer):
    """Weights and bias of a layer as they act on flat inputs, float64; or None, None.

    A convolution that sees all of its input at once is a linear layer.
    """
    if not isinstance(layer, LAYERS):
        return None, None
    weight = float(getattr(layer, "weight_factor", 1.0)) * _array(layer.weight)
    weight = weight.reshape(len(weight), -1)
    if layer.bias is None:
        return weight, np.zeros(len(weight))
    return weight, float(getattr(layer, "bias_factor", 1.0)) * _array(layer.bias)


def _precision(*tensors):
    """The coarsest precision of floating tensors: outputs may be cast to another."""
    floating = [tensor.dtype for tensor in tensors if tensor.is_floating_point()]
    return max((torch.finfo(dtype).eps for dtype in floating), default=0)


def _array(tensor):
    return tensor.detach().cpu().double().numpy()


def makes_outputs(weight, bias, features, outputs, eps):
    """Whether a linear layer makes a model's outputs of features.

    As they are, or after one of a few functions, up to rounding.

    Parameters
    ----------
    weight, bias : ndarray
        Float64, of shapes (n_outputs, n_features) and (n_outputs,).

    features : ndarray of shape (n_rows, n_features)
        Float64.

    outputs : ndarray of shape (n_rows, n_outputs)
        Float64.

    eps : float
        Precision of the outputs, relative to the terms that they are a sum of.
    """
    if features.shape[1] != weight.shape[1]:
        return False
    linear = features @ weight.T + bias
    if outputs.shape != linear.shape:
        return False
    # Another layer is off by as much as the terms of the sum are large, rounding by
    # their precision: the root of it lies well between the two.
    terms = np.abs(features) @ np.abs(weight).T + np.abs(bias)
    atol = np.sqrt(eps) * terms.max(axis=1, keepdims=True) + 64 * eps
    return any(
        np.isclose(made, outputs, rtol=0, atol=atol, equal_nan=True).all()
        for made in (linear, *(transform(linear) for transform in TRANSFORMS))
    )


def linear_head(model, X, features, is_classifier):
    """The head of a linear model; None if it makes something else of its input.

    ``X`` are a few rows as they came, and ``features`` the same as numbers.
    """
    weight = model.coef_
    # Made sparse by `sparsify`, or in a model of sparse rows.
    weight = np.atleast_2d(dense(weight)).astype(np.float64)
    bias = np.zeros(len(weight)) + getattr(model, "intercept_", 0.0)
    decide = "decision_function" if is_classifier else "predict"
    if not hasattr(model, decide):
        return None
    outputs = np.asarray(getattr(model, decide)(X), dtype=np.float64)
    outputs = outputs.reshape(features.shape[0], -1)
    tried = dense(features).astype(np.float64)
    if not makes_outputs(weight, bias, tried, outputs, np.finfo(features.dtype).eps):
        return None
    return Head.of_layer(
        weight.astype(features.dtype), bias.astype(features.dtype), is_classifier
    )


def no_head(model):
    """The error for a model that has no last linear layer."""
    return TypeError(
        f"{type(model).__name__} has no last linear layer that makes its outputs, and "
        "the strategy runs it again. Use a skorch net, MLPClassifier, or a linear "
        f"model such as LogisticRegression. {WAYS_OUT}"
    )
