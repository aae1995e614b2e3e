"""Running a net over all batches, and keeping what is asked for as it comes."""

import warnings
from contextlib import ExitStack, contextmanager
from functools import partial
from itertools import chain

import numpy as np
import torch
from sklearn.base import is_classifier
from torch import nn

from skbadge.exceptions import QueryWarning
from skbadge.outputs._buffer import RowBuffer
from skbadge.outputs._check import check_outputs
from skbadge.outputs._gradients import (
    LAYERS,
    LayerGradients,
    TensorGradientBuffer,
    left_out,
)
from skbadge.outputs._layers import (
    find_output_layer,
    layer_error,
    named_modules,
    not_called_error,
)
from skbadge.outputs._outputs import Outputs
from skbadge.outputs._probabilities import (
    HINT,
    is_binary,
    loss_gradient,
    nonlinearity_of,
    probabilities,
)


def first_output(output):
    """What the net predicts: its output, or the first one of a tuple."""
    return output[0] if isinstance(output, tuple) else output


def collect(net, roots, steps, needs, feature_layer, sketch_size, seed):
    """Run all batches, and keep what is needed.

    Parameters
    ----------
    net : skorch net
        Fitted.

    roots : dict of str to module
        Its modules by attribute name, the main one first.

    steps : Steps
        How it is run.

    needs, feature_layer, sketch_size
        As for `model_outputs`.

    seed : None, int or RandomState
        Fixes the sketch of gradients.

    Returns
    -------
    outputs : Outputs
        Checked.
    """
    modules = named_modules(roots)
    nonlinearity = nonlinearity_of(net)
    watched, gradients, factors = {}, None, (1.0, 1.0)
    if "features" in needs:
        layer = _choose_layer(modules, feature_layer, steps.probe)
        watched["features"] = layer, _TensorBuffer(steps.n_rows, "features")
        factors = _factors(layer)
    if "inputs" in needs:
        layer = _first_layer(modules, steps.probe)
        watched["inputs"] = layer, _TensorBuffer(steps.n_rows, "inputs")
    if "gradients" in needs:
        buffer = TensorGradientBuffer(steps.n_rows, sketch_size, seed)
        directions = _directions
        if is_classifier(net):
            directions = partial(_loss_directions, nonlinearity=nonlinearity)
        gradients = LayerGradients(modules, list(roots.values()), directions, buffer)
        _warn_of_left_out(modules)
    proba, one_logit, device = None, is_binary(nonlinearity), None
    if "proba" in needs:
        proba = _TensorBuffer(steps.n_rows, "probabilities")
    with ExitStack() as stack:
        for layer, buffer in watched.values():
            stack.enter_context(_watched_input(layer, buffer))
        if gradients is not None:
            stack.enter_context(gradients.watching())
        for output in map(first_output, steps.outputs):
            device = str(output.device) if output.is_cuda else None
            for _, buffer in watched.values():
                if not buffer.has_staged:
                    raise not_called_error(feature_layer)
                buffer.commit(len(output))
            if proba is not None:
                columns = probabilities(output, nonlinearity)
                one_logit = output.numel() == len(output) and columns.shape[1] == 2
                proba.stage(columns)
                proba.commit(len(output))
            if gradients is not None:
                gradients.commit(output)
    buffers = {name: buffer for name, (_, buffer) in watched.items()}
    buffers |= {} if proba is None else {"proba": proba}
    outputs = Outputs(
        **{name: buffer.finish() for name, buffer in buffers.items()},
        gradients=None if gradients is None else gradients.buffer.finish(),
        one_logit=one_logit,
        feature_factors=factors,
        device=device,
    )
    all_finite = all(buffer.all_finite for buffer in buffers.values())
    return check_outputs(outputs, HINT, all_finite=all_finite)


# Features and inputs


def _choose_layer(modules, feature_layer, probe):
    linears = {name: m for name, m in modules.items() if isinstance(m, nn.Linear)}
    if feature_layer == "auto":
        name = find_output_layer(linears, lambda: first_output(probe()), _eps)
    else:
        name = feature_layer if feature_layer in modules else None
    if name is None:
        raise layer_error(feature_layer, modules, linears)
    return modules[name]


def _eps(tensor):
    return torch.finfo(tensor.dtype).eps if tensor.is_floating_point() else 0.0


def _factors(layer):
    """What a layer multiplies its weights and its bias by."""
    if not isinstance(layer, nn.Linear):
        return 1.0, 1.0
    weight_factor = float(getattr(layer, "weight_factor", 1.0))
    bias_factor = float(getattr(layer, "bias_factor", 1.0))
    return weight_factor, 0.0 if layer.bias is None else bias_factor


def _first_layer(modules, probe):
    """The first linear or convolution layer that the net runs."""
    called = []

    def watch(module, args):
        called.append(module)

    with ExitStack() as stack:
        for module in modules.values():
            if isinstance(module, LAYERS):
                stack.callback(module.register_forward_pre_hook(watch).remove)
        probe()
    if not called:
        raise ValueError(
            "The inputs of a net are those of the first torch.nn.Linear or convolution "
            "that it runs. It runs none."
        )
    return called[0]


class _TensorBuffer(RowBuffer):
    """A buffer that is filled with tensors, by torch's threads and from any device.

    It also sees whether all values are finite, while they are in cache.
    """

    all_finite = True

    def stage(self, tensor):
        """Write a tensor of shape (n_batch, n_columns), in float32 or better."""
        is_double = tensor.dtype is torch.float64
        super().stage(tensor, np.float64 if is_double else np.float32, _copy)
        # A sum is not finite if any term is; it may overflow, too, and tells no more
        # than that a closer look is due.
        self.all_finite = self.all_finite and bool(tensor.sum().isfinite())


def _copy(target, tensor):
    torch.from_numpy(target).copy_(tensor.detach())


@contextmanager
def _watched_input(layer, buffer):
    """Stage what the layer is given, in each of its calls."""

    def keep(module, args, kwargs):
        entry = next(chain(args, kwargs.values()), None)
        if not isinstance(entry, torch.Tensor):
            raise ValueError(
                "The module that `feature_layer` names must take a tensor. It got a "
                f"{type(entry).__name__}."
            )
        # Copied at once: what follows in the forward pass may change it in place.
        buffer.stage(entry.detach().reshape(len(entry), -1))

    handle = layer.register_forward_pre_hook(keep, with_kwargs=True)
    try:
        yield
    finally:
        handle.remove()


# Gradients


def _directions(output):
    """One direction for each output of the net."""
    flat = output.reshape(len(output), -1)
    directions = []
    for i in range(flat.shape[1]):
        direction = torch.zeros_like(flat)
        direction[:, i] = 1
        directions.append(direction.reshape(output.shape))
    return directions


def _loss_directions(output, nonlinearity):
    """The one direction of the loss at the predicted label."""
    return [loss_gradient(output, nonlinearity)]


def _warn_of_left_out(modules):
    names = left_out(modules)
    if names:
        warnings.warn(
            "Gradients are those of linear and convolution layers. Trained parameters "
            f"of other layers do not count: {', '.join(names)}.",
            QueryWarning,
            stacklevel=2,
        )
