"""The factors of a layer's gradients: what goes in, and what comes back.

The gradient of a number with respect to the weights of a linear layer is, for one row,
the outer product of two vectors: left :math:`g`, the gradient with respect to what the
layer returned, and right :math:`x`, what it was given. A layer that is applied at
several positions of a row (a convolution, a layer along a sequence, a layer that is
called twice) has one such pair for each position, and its gradient is their sum.
"""

import math
from typing import NamedTuple

import torch
from torch import nn
from torch.nn import functional

CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
LAYERS = (nn.Linear, *CONVOLUTIONS)


class Layer(NamedTuple):
    """A layer whose weights are differentiated. A factor of 0 leaves its part out."""

    name: str
    module: nn.Module
    weight_factor: float
    bias_factor: float


class Call(NamedTuple):
    """One application of a layer to a batch: what came in, and what went out."""

    inputs: torch.Tensor
    output: torch.Tensor


def layer_of(name, module):
    """A module with the factors of what is trained in it, 0 for all other modules."""
    if not isinstance(module, LAYERS):
        return Layer(name, module, 0.0, 0.0)
    factors = (
        float(getattr(module, f"{part}_factor", 1.0))
        if _is_trained(module, part)
        else 0.0
        for part in ("weight", "bias")
    )
    return Layer(name, module, *factors)


def _is_trained(module, part):
    """Whether a layer's weights or its bias take part in training."""
    value = getattr(module, part)
    if value is None or isinstance(value, nn.Parameter):
        return value is not None and value.requires_grad
    # The weights of a parametrised layer are a function of trained parameters.
    return any(p.requires_grad for name, p in module.named_parameters() if part in name)


def n_positions(module, shape):
    """At how many positions of a row a layer was applied, by its output's shape."""
    # A convolution's output is (rows, channels, ...), a linear layer's (rows, ..., d).
    is_convolution = isinstance(module, CONVOLUTIONS)
    return math.prod(shape[2:] if is_convolution else shape[1:-1])


def n_numbers(module):
    """Numbers that the factors of a row hold at one position."""
    if isinstance(module, CONVOLUTIONS):
        return module.in_channels * math.prod(module.kernel_size) + module.out_channels
    return module.in_features + module.out_features


def kept_inputs(layer, entry):
    """A copy of what came in, with the layer's factors if it is a linear layer.

    A convolution's patches are many times its input: they are cut when needed.
    """
    if isinstance(layer.module, CONVOLUTIONS):
        return entry.clone()
    return _with_factors(layer, entry)


def right_factors(layer, inputs):
    r"""The factors :math:`(w x_p, b)`: one block, or one for each group of channels.

    Of shape (n_rows, n_inputs), or (n_rows, n_positions, n_inputs).
    """
    if not isinstance(layer.module, CONVOLUTIONS):
        return [inputs if inputs.ndim == 2 else inputs.flatten(1, -2)]
    patches = _patches(layer.module, inputs)
    return [_with_factors(layer, patches[:, :, i]) for i in range(patches.shape[2])]


def left_factors(layer, call, gradient, rows):
    """The factors :math:`g_p`, in the same blocks, of some rows of a call."""
    if gradient is None:
        # The output does not depend on this call.
        gradient = torch.zeros_like(call.output)
    gradient = _single(gradient[rows])
    if not isinstance(layer.module, CONVOLUTIONS):
        return [gradient if gradient.ndim == 2 else gradient.flatten(1, -2)]
    # (rows, channels, ...) -> (rows, positions, channels), a group of channels a block.
    return list(gradient.flatten(2).swapaxes(1, 2).chunk(layer.module.groups, dim=2))


def joined(calls):
    """Put the positions of several calls of a layer one after another.

    The weights are the same in all calls, so that the sum over calls is one over
    positions.
    """
    if len(calls) == 1:
        return calls[0]
    calls = [[part if part.ndim == 3 else part[:, None] for part in c] for c in calls]
    return [torch.cat(parts, dim=1) for parts in zip(*calls, strict=True)]


def _with_factors(layer, inputs):
    r"""Inputs times the weights' factor :math:`w`, beside the bias' factor :math:`b`.

    A layer computes :math:`w W x + b c`, with the weights :math:`W` and bias :math:`c`
    that are trained: hence :math:`\partial / \partial (W, c) = g \otimes (w x, b)`.
    """
    inputs = _single(inputs)
    parts = []
    if layer.weight_factor:
        parts.append(layer.weight_factor * inputs)
    if layer.bias_factor:
        column = inputs.new_full((*inputs.shape[:-1], 1), layer.bias_factor)
        parts.append(column)
    return torch.cat(parts, dim=-1)


def _single(tensor):
    """A tensor in float32 or better."""
    return tensor if tensor.dtype is torch.float64 else tensor.float()


def _patches(module, inputs):
    """What a convolution sees: (n_rows, n_positions, n_groups, n_inputs).

    Inputs are in the order of the layer's weights.
    """
    mode = "constant" if module.padding_mode == "zeros" else module.padding_mode
    inputs = functional.pad(inputs, module._reversed_padding_repeated_twice, mode=mode)
    sizes = module.kernel_size, module.stride, module.dilation
    for i, (kernel, stride, dilation) in enumerate(zip(*sizes, strict=True)):
        # Windows along one dimension: its length becomes that of the output, and the
        # window stands as a new last dimension, of which every dilation-th is seen.
        span = dilation * (kernel - 1) + 1
        inputs = inputs.unfold(2 + i, span, stride)[..., ::dilation]
    # Now (rows, channels, *positions, *kernel), and nothing has been copied.
    n_dims = len(module.kernel_size)
    n_rows, n_channels = inputs.shape[:2]
    positions = math.prod(inputs.shape[2 : 2 + n_dims])
    # The copy: (rows, groups, channels of a group, positions, kernel).
    inputs = inputs.reshape(
        n_rows, module.groups, n_channels // module.groups, positions, -1
    )
    # (rows, positions, groups, channels * kernel), the order of a weight's entries.
    return inputs.permute(0, 3, 1, 2, 4).flatten(3)
