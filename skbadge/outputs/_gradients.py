"""Gradients of a net's output for each row, with respect to its layers' weights."""

import math
from contextlib import ExitStack, contextmanager
from itertools import chain
from typing import NamedTuple

import torch
from torch import nn
from torch.nn import functional
from torch.nn.utils.parametrize import ParametrizationList

from skbadge.outputs._gradient_buffer import GradientBuffer

CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
LAYERS = (nn.Linear, *CONVOLUTIONS)

# A scale and a shift each, besides batch normalisation; the last one holds the weights
# of a parametrised layer.
NOT_COUNTED = (
    nn.LayerNorm,
    nn.GroupNorm,
    getattr(nn, "RMSNorm", nn.LayerNorm),
    ParametrizationList,
)

# What factors of a block of rows may hold, in numbers: 64 MiB of float32.
BLOCK_NUMBERS = 2**24


class Layer(NamedTuple):
    """A layer whose weights are differentiated; a factor of 0 leaves its part out."""

    name: str
    module: nn.Module
    weight_factor: float
    bias_factor: float


class Call(NamedTuple):
    """One application of a layer to a batch: what came in, and what went out."""

    inputs: torch.Tensor
    output: torch.Tensor


class TensorGradientBuffer(GradientBuffer):
    """A buffer of gradients that is filled with tensors, from any device."""

    def to_numpy(self, rows):
        """Rows as an ndarray."""
        return rows.detach().cpu().numpy()

    def from_numpy(self, array, like):
        """An array as a tensor of the dtype and on the device of another."""
        return torch.from_numpy(array).to(like)


class LayerGradients:
    r"""Differentiates a net for each row of a batch, after it was run on the batch.

    One forward pass records the inputs and outputs of every `torch.nn.Linear`, `Conv1d`
    to `Conv3d` with trained parameters, and one backward pass for each direction gives
    the gradients :math:`g` with respect to these outputs; gradients with respect to
    weights are never formed. With :math:`x` a layer's input (for a convolution, the
    patch at a position), its block is :math:`g \otimes (w x, b)`, summed over positions
    and calls; :math:`w, b` are the layer's ``weight_factor`` and ``bias_factor``,
    1 where it has none.

    Parameters
    ----------
    modules : dict of str to module
        All modules of the net, see `skbadge.outputs._layers.named_modules`.

    roots : list of module
        Those that are called on batches of rows.

    directions : callable
        From the net's output to a list of tensors of its shape: what the outputs of a
        row are multiplied by to give the number that is differentiated. Each direction
        has blocks of its own.

    buffer : TensorGradientBuffer
        Where gradients go.
    """

    def __init__(self, modules, roots, directions, buffer):
        self.roots = roots
        self.directions = directions
        self.buffer = buffer
        self.layers = [
            layer
            for layer in (_layer(name, module) for name, module in modules.items())
            if layer.weight_factor or layer.bias_factor
        ]
        self._calls = {}
        self._called = None

    @contextmanager
    def watching(self):
        """Record what the layers are given and return, in each run of the net."""
        parameters = {p for root in self.roots for p in root.parameters()}
        trained = [p for p in parameters if p.requires_grad]
        with ExitStack() as stack:
            # On for the rest of skorch's step, which may reshape the output, and which
            # puts the mode back; so does this, should a step of the user's not.
            stack.callback(torch.set_grad_enabled, torch.is_grad_enabled())
            for root in self.roots:
                self._hook(stack, root.register_forward_pre_hook, _enable_grad)
            for layer in self.layers:
                hook = layer.module.register_forward_hook
                self._hook(stack, hook, self._recorder(layer), with_kwargs=True)
            # Without them torch keeps no layer's input for the sake of its weights.
            for parameter in trained:
                stack.callback(parameter.requires_grad_)
                parameter.requires_grad_(False)
            yield

    @staticmethod
    def _hook(stack, register, hook, **options):
        stack.callback(register(hook, **options).remove)

    def _recorder(self, layer):
        def record(module, args, kwargs, output):
            # What the net itself runs without gradients takes no part in training.
            if not torch.is_grad_enabled():
                return None
            if not output.requires_grad:
                output.requires_grad_()
            entry = next(chain(args, kwargs.values()))
            call = Call(_inputs(layer, entry.detach()), output)
            self._calls.setdefault(layer.name, []).append(call)
            # What follows may change its input in place: this copy, not the record.
            return output.clone()

        return record

    def commit(self, output):
        """Differentiate the batch that was run last.

        Parameters
        ----------
        output : tensor of shape (n_batch, ...)
            What the net returned for it.

        Raises
        ------
        ValueError
            If the net ran no layer, or others than before, or not on the rows in
            order, or torch cannot differentiate its output.
        """
        calls, self._calls = self._calls, {}
        layers = [layer for layer in self.layers if layer.name in calls]
        calls = [calls[layer.name] for layer in layers]
        self._check(output, layers, calls)
        flat = [call.output for each in calls for call in each]
        gradients = []
        directions = self.directions(output.detach())
        for i, direction in enumerate(directions):
            gradients.append(
                torch.autograd.grad(
                    output,
                    flat,
                    direction.to(output.dtype),
                    retain_graph=i < len(directions) - 1,
                    allow_unused=True,
                )
            )
        self._add(layers, calls, gradients)

    def _check(self, output, layers, calls):
        names = [layer.name for layer in layers]
        if not names or not output.requires_grad:
            raise ValueError(
                "The net's output must depend on a torch.nn.Linear or convolution with "
                "trained parameters, in a way that torch can differentiate. It runs "
                f"{names or 'no such layer'}."
            )
        if self._called not in (None, names):
            raise ValueError(
                "The net must run the same layers for all rows. It ran "
                f"{self._called} first and {names} later."
            )
        self._called = names
        for layer, each in zip(layers, calls, strict=True):
            for call in each:
                if len(call.inputs) != len(output) or len(call.output) != len(output):
                    raise ValueError(
                        f"The layer {layer.name!r} must be given the rows along its "
                        f"first dimension. Got {len(call.output)} for {len(output)} "
                        "rows."
                    )

    def _add(self, layers, calls, gradients):
        """Form the factors of a few rows at a time, and hand them on."""
        n_rows = len(calls[0][0].output)
        n_sketch = self.buffer.sketch_size or 0
        cost = sum(
            _positions(call.output, layer) * (_width(layer, call.output) + n_sketch)
            for layer, each in zip(layers, calls, strict=True)
            for call in each
        )
        step = max(1, BLOCK_NUMBERS // cost)
        for start in range(0, n_rows, step):
            rows = slice(start, start + step)
            rights = [
                _joined([_rights(layer, call.inputs[rows]) for call in each])
                for layer, each in zip(layers, calls, strict=True)
            ]
            blocks = []
            for direction in gradients:
                left = iter(direction)
                for layer, each, right in zip(layers, calls, rights, strict=True):
                    lefts = _joined(
                        [_lefts(layer, call, next(left), rows) for call in each]
                    )
                    blocks += zip(lefts, right, strict=True)
            self.buffer.add(blocks)


def left_out(modules):
    """Name the trained parts of a net that are not differentiated.

    Parameters
    ----------
    modules : dict of str to module
        All modules of the net.

    Returns
    -------
    names : list of str
        With their types. Normalisation layers are not counted: a scale and a shift.
    """
    return [
        f"{name} ({type(module).__name__})"
        for name, module in modules.items()
        if not isinstance(module, LAYERS)
        and not isinstance(module, NOT_COUNTED)
        and not hasattr(module, "running_mean")
        and any(p.requires_grad for p in module.parameters(recurse=False))
    ]


def _enable_grad(module, args):
    torch.set_grad_enabled(True)


def _layer(name, module):
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
    value = getattr(module, part)
    if value is None or isinstance(value, nn.Parameter):
        return value is not None and value.requires_grad
    # Of a parametrised layer, the weights are a function of what is trained.
    return any(p.requires_grad for name, p in module.named_parameters() if part in name)


def _inputs(layer, entry):
    """A copy of what came in, with the layer's factors if it is a linear layer."""
    if isinstance(layer.module, CONVOLUTIONS):
        return entry.clone()
    return _with_factors(layer, entry)


def _with_factors(layer, inputs):
    """Inputs times the weights' factor, beside the bias' factor."""
    inputs = _single(inputs)
    parts = []
    if layer.weight_factor:
        parts.append(layer.weight_factor * inputs)
    if layer.bias_factor:
        column = inputs.new_full((*inputs.shape[:-1], 1), layer.bias_factor)
        parts.append(column)
    return torch.cat(parts, dim=-1)


def _single(tensor):
    return tensor if tensor.dtype is torch.float64 else tensor.float()


def _rights(layer, inputs):
    """What the blocks of a layer have on the right: one, or one for each group."""
    if not isinstance(layer.module, CONVOLUTIONS):
        return [inputs if inputs.ndim == 2 else inputs.flatten(1, -2)]
    patches = _patches(layer.module, inputs)
    return [_with_factors(layer, patches[:, :, i]) for i in range(patches.shape[2])]


def _lefts(layer, call, gradient, rows):
    """What they have on the left: the gradients with respect to the output."""
    if gradient is None:
        gradient = torch.zeros_like(call.output)
    gradient = _single(gradient[rows])
    if not isinstance(layer.module, CONVOLUTIONS):
        return [gradient if gradient.ndim == 2 else gradient.flatten(1, -2)]
    return list(gradient.flatten(2).swapaxes(1, 2).chunk(layer.module.groups, dim=2))


def _joined(calls):
    """Put the positions of several calls of a layer one after another."""
    if len(calls) == 1:
        return calls[0]
    calls = [[part if part.ndim == 3 else part[:, None] for part in c] for c in calls]
    return [torch.cat(parts, dim=1) for parts in zip(*calls, strict=True)]


def _patches(module, inputs):
    """What a convolution sees at each position.

    Returns
    -------
    patches : tensor of shape (n_rows, n_positions, n_groups, n_inputs)
        Inputs in the order of the layer's weights.
    """
    mode = "constant" if module.padding_mode == "zeros" else module.padding_mode
    inputs = functional.pad(inputs, module._reversed_padding_repeated_twice, mode=mode)
    sizes = module.kernel_size, module.stride, module.dilation
    for i, (kernel, stride, dilation) in enumerate(zip(*sizes, strict=True)):
        span = dilation * (kernel - 1) + 1
        inputs = inputs.unfold(2 + i, span, stride)[..., ::dilation]
    n_dims = len(module.kernel_size)
    n_rows, n_channels = inputs.shape[:2]
    positions = math.prod(inputs.shape[2 : 2 + n_dims])
    inputs = inputs.reshape(
        n_rows, module.groups, n_channels // module.groups, positions, -1
    )
    return inputs.permute(0, 3, 1, 2, 4).flatten(3)


def _positions(output, layer):
    is_convolution = isinstance(layer.module, CONVOLUTIONS)
    shape = output.shape[2:] if is_convolution else output.shape[1:-1]
    return math.prod(shape)


def _width(layer, output):
    """Numbers that the factors of a row hold at one position."""
    module = layer.module
    if isinstance(module, CONVOLUTIONS):
        return module.in_channels * math.prod(module.kernel_size) + module.out_channels
    return module.in_features + module.out_features
