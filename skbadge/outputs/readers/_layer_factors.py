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
from torch.nn import functional, grad

from skbadge.utils._chunks import row_chunks

CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
LAYERS = (nn.Linear, *CONVOLUTIONS)

# By the number of dimensions of a row's position.
_CONVOLVE = {1: functional.conv1d, 2: functional.conv2d, 3: functional.conv3d}
_WEIGHT_GRADIENT = {
    1: grad.conv1d_weight,
    2: grad.conv2d_weight,
    3: grad.conv3d_weight,
}

# Numbers that a block of rows may hold while its positions are summed: 4 MiB of
# float32. With fewer rows the kernels are slow, with more memory is.
BLOCK_NUMBERS = 2**20

# oneDNN's kernels take channels by the dozen: other counts are brought to a multiple.
CHANNELS, WIDENED_CHANNELS = 8, 16


class Layer(NamedTuple):
    r"""A layer whose weights are differentiated. A factor of 0 leaves its part out.

    It computes :math:`w W x + b c`, with the weights :math:`W` and bias :math:`c` that
    are trained: hence :math:`\partial / \partial (W, c) = g \otimes (w x, b)`.
    """

    name: str
    module: nn.Module
    weight_factor: float
    bias_factor: float

    @property
    def n_groups(self):
        """Groups of channels, each with a block of its own."""
        return getattr(self.module, "groups", 1)

    @property
    def widths(self):
        """Widths of :math:`g` and of :math:`(w x, b)` in each group."""
        weight = self.module.weight
        n_inputs = math.prod(weight.shape[1:]) if self.weight_factor else 0
        return len(weight) // self.n_groups, n_inputs + bool(self.bias_factor)


class Call(NamedTuple):
    """One application of a layer to a batch: what came in, and what comes back."""

    inputs: torch.Tensor
    gradient: torch.Tensor


class LayerGradient(NamedTuple):
    """The gradients of a batch with respect to the weights of one layer."""

    layer: Layer
    calls: list[Call]

    @property
    def is_product(self):
        """Whether a row's gradient is one outer product."""
        return len(self.calls) == 1 and self.calls[0].gradient.ndim == 2

    def factors(self):
        r"""The factors :math:`g` and :math:`(w x, b)` of an outer product."""
        inputs, gradient = self.calls[0]
        layer, parts = self.layer, []
        if layer.weight_factor:
            parts.append(layer.weight_factor * inputs)
        if layer.bias_factor:
            parts.append(gradient.new_full((len(inputs), 1), layer.bias_factor))
        return gradient, torch.cat(parts, dim=1)

    def columns(self):
        """The gradients, a row each: of a group all inputs of each of its outputs."""
        layer, n_rows = self.layer, len(self.calls[0].gradient)
        n_left, n_right = layer.widths
        shape = n_rows, layer.n_groups, n_left, n_right
        columns = self.calls[0].gradient.new_zeros(shape)
        for call in self.calls:
            if layer.weight_factor:
                cost = position_sum_cost(layer.module, call)
                for rows in row_chunks(n_rows, cost, BLOCK_NUMBERS, 1):
                    sums = sums_of_products(layer.module, call, rows)
                    block = columns[rows, ..., : sums.shape[-1]]
                    block.add_(sums, alpha=layer.weight_factor)
            if layer.bias_factor:
                sums = sums_of_gradients(layer.module, call).reshape(shape[:3])
                columns[..., -1].add_(sums, alpha=layer.bias_factor)
        return columns.flatten(1)


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


def single(tensor):
    """A tensor in float32 or better."""
    return tensor if tensor.dtype is torch.float64 else tensor.float()


def by_position(tensor):
    """What a linear layer was given or returned as (n_rows, n_positions, width)."""
    return tensor.reshape(len(tensor), -1, tensor.shape[-1])


def position_sum_cost(module, call):
    """Numbers that a row takes while its positions are summed."""
    inputs, gradient = call
    return (inputs.numel() + gradient.numel()) // len(inputs) + module.weight.numel()


def sums_of_products(module, call, rows):
    r"""The sums :math:`\sum_p g_p \otimes x_p` of some rows, without the factors.

    Of shape (n_rows, n_groups, n_outputs, n_inputs), inputs in the order of weights.
    """
    inputs, gradient = (part[rows] for part in call)
    if not isinstance(module, CONVOLUTIONS):
        left, right = by_position(gradient), by_position(inputs)
        # A single position is multiplied, several are a product of matrices.
        sums = left.mT * right if left.shape[1] == 1 else left.mT @ right
        return sums[:, None]
    (n_outputs, n_inputs, *kernel), n_groups = module.weight.shape, module.groups
    inputs, padding = _padded(module, inputs)
    if n_groups == 1:
        inputs, gradient = _widened(inputs), _widened(gradient)
    n_rows, n_left, n_right = len(inputs), gradient.shape[1], inputs.shape[1]
    # The gradient of the weights of one convolution in which each row is a group of
    # channels, so that rows do not meet. No patch is cut.
    sums = _WEIGHT_GRADIENT[len(kernel)](
        inputs.flatten(0, 1)[None],
        (n_rows * n_left, n_right // n_groups, *kernel),
        gradient.flatten(0, 1)[None],
        stride=module.stride,
        padding=padding,
        dilation=module.dilation,
        groups=n_rows * n_groups,
    )
    sums = sums.reshape(n_rows, n_groups, n_left // n_groups, n_right // n_groups, -1)
    return sums[:, :, : n_outputs // n_groups, :n_inputs].flatten(3)


def sums_of_gradients(module, call):
    r"""The sums :math:`\sum_p g_p`, of shape (n_rows, n_outputs)."""
    gradient = call.gradient
    if isinstance(module, CONVOLUTIONS):
        return gradient.flatten(2).sum(2)
    return by_position(gradient).sum(1)


def convolved(module, inputs, weight, bias):
    """What a convolution returns with other weights, of any number of outputs."""
    inputs, padding = _padded(module, inputs)
    shape = module.stride, padding, module.dilation, module.groups
    return _CONVOLVE[weight.ndim - 2](inputs, weight, bias, *shape)


def _widened(tensor):
    """A tensor with channels of zeros, where that makes its kernels faster."""
    n_channels = tensor.shape[1]
    is_suited = n_channels == 1 or n_channels % CHANNELS == 0
    if is_suited or tensor.dtype is not torch.float32 or tensor.is_cuda:
        return tensor
    n_zeros = -n_channels % WIDENED_CHANNELS
    return functional.pad(tensor, (0, 0) * (tensor.ndim - 2) + (0, n_zeros))


def _padded(module, inputs):
    """What a convolution is applied to, and the padding that is still to come."""
    mode, padding = module.padding_mode, module.padding
    if mode == "zeros" and not isinstance(padding, str):
        return inputs, padding
    mode = "constant" if mode == "zeros" else mode
    sizes = module._reversed_padding_repeated_twice
    return functional.pad(inputs, sizes, mode=mode), 0
