"""Gradients of a net's output for each row, with respect to its layers' weights."""

import warnings
from contextlib import ExitStack, contextmanager
from itertools import chain

import torch
from torch import nn
from torch.nn.utils.parametrize import ParametrizationList

from skbadge.exceptions import QueryWarning
from skbadge.outputs.readers._gradient_buffer import GradientBuffer
from skbadge.outputs.readers._inference import gradients_within, in_this_thread
from skbadge.outputs.readers._layer_factors import (
    LAYERS,
    Call,
    joined,
    kept_inputs,
    layer_of,
    left_factors,
    n_numbers,
    n_positions,
    right_factors,
)
from skbadge.outputs.readers._probabilities import loss_gradient

# A scale and a shift each, besides batch normalisation; the last one holds the weights
# of a parametrised layer.
NOT_COUNTED = (
    nn.LayerNorm,
    nn.GroupNorm,
    getattr(nn, "RMSNorm", nn.LayerNorm),
    ParametrizationList,
)

# Numbers that the factors of a block of rows may hold: 64 MiB of float32.
BLOCK_NUMBERS = 2**24


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
    the gradients :math:`g` with respect to these outputs. Gradients with respect to
    weights are never formed. With :math:`x` a layer's input (for a convolution, the
    patch at a position), its block is :math:`g \otimes (w x, b)`, summed over positions
    and calls; :math:`w, b` are the layer's ``weight_factor`` and ``bias_factor``,
    1 where it has none.

    Parameters
    ----------
    modules : dict of str to module
        All modules of the net, see `named_modules`.

    roots : list of module
        Those that are called on batches of rows.

    nonlinearity : callable or None
        From a classifier's output to probabilities, to differentiate the loss at the
        predicted label. None differentiates each output, with blocks of its own.

    buffer : TensorGradientBuffer
        Where gradients go.
    """

    def __init__(self, modules, roots, nonlinearity, buffer):
        self.roots = roots
        self.nonlinearity = nonlinearity
        self.buffer = buffer
        self.layers = [
            layer
            for layer in (layer_of(name, module) for name, module in modules.items())
            if layer.weight_factor or layer.bias_factor
        ]
        self._calls = {}
        self._called = None
        _warn_of_left_out(modules)

    @contextmanager
    def watching(self):
        """Record what the layers are given and return, in each run of the net."""
        parameters = {p for root in self.roots for p in root.parameters()}
        trained = [p for p in parameters if p.requires_grad]
        with gradients_within(self.roots), ExitStack() as stack:
            for layer in self.layers:
                hook = in_this_thread(self._recorder(layer))
                handle = layer.module.register_forward_hook(hook, with_kwargs=True)
                stack.enter_context(handle)
            # Without them torch keeps no layer's input for the sake of its weights.
            for parameter in trained:
                stack.callback(parameter.requires_grad_)
                parameter.requires_grad_(False)
            yield

    def _recorder(self, layer):
        """A hook that records a layer's calls."""

        def record(module, args, kwargs, output):
            # Layers that the net runs without gradients take no part in training.
            if not torch.is_grad_enabled():
                return None
            if not output.requires_grad:
                output.requires_grad_()
            entry = next(chain(args, kwargs.values()))
            call = Call(kept_inputs(layer, entry.detach()), output)
            self._calls.setdefault(layer.name, []).append(call)
            # Later layers may change their input in place: this copy, not the record.
            return output.clone()

        return record

    def commit(self, output):
        """Differentiate the batch that was run last, given what the net returned."""
        calls, self._calls = self._calls, {}
        layers = [layer for layer in self.layers if layer.name in calls]
        calls = [calls[layer.name] for layer in layers]
        self._check(output, layers, calls)
        flat = [call.output for each in calls for call in each]
        # Rows do not meet in inference mode, so that one backward pass of a sum over
        # the rows gives each row its own gradient.
        gradients = []
        directions = self._directions(output.detach())
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

    def finish(self):
        """The fields of `Outputs`."""
        return {"gradients": self.buffer.finish()}

    def _directions(self, output):
        """What the outputs of a row are multiplied by, to give what is differentiated.

        A list of tensors of the shape of the output: the gradient of a classifier's
        loss, or a unit vector for each output of a regressor.
        """
        if self.nonlinearity is not None:
            return [loss_gradient(output, self.nonlinearity)]
        flat = output.reshape(len(output), -1)
        units = torch.eye(flat.shape[1], dtype=flat.dtype, device=flat.device)
        return [unit.repeat(len(flat), 1).reshape(output.shape) for unit in units]

    def _check(self, output, layers, calls):
        """Raise unless the layers that were run can be differentiated row by row."""
        names = [layer.name for layer in layers]
        if not names or not output.requires_grad:
            raise ValueError(
                "The net's output must depend on a torch.nn.Linear or convolution with "
                "trained parameters, in a way that torch can differentiate. It runs "
                f"{names or 'no such layer'}; what runs under torch.no_grad or "
                "torch.inference_mode, in `forward` or around the call, is not seen."
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
        n_columns = self.buffer.n_columns or 0
        cost = sum(
            n_positions(layer.module, call.output.shape)
            * (n_numbers(layer.module) + n_columns)
            for layer, each in zip(layers, calls, strict=True)
            for call in each
        )
        step = max(1, BLOCK_NUMBERS // cost)
        for start in range(0, n_rows, step):
            rows = slice(start, start + step)
            rights = [
                joined([right_factors(layer, call.inputs[rows]) for call in each])
                for layer, each in zip(layers, calls, strict=True)
            ]
            blocks = []
            for direction in gradients:
                left = iter(direction)
                for layer, each, right in zip(layers, calls, rights, strict=True):
                    lefts = joined(
                        [left_factors(layer, call, next(left), rows) for call in each]
                    )
                    blocks += zip(lefts, right, strict=True)
            self.buffer.add(blocks)


def _warn_of_left_out(modules):
    """Name the trained parts of a net that are not differentiated.

    Normalisation layers are not counted: a scale and a shift.
    """
    names = [
        f"{name} ({type(module).__name__})"
        for name, module in modules.items()
        if not isinstance(module, LAYERS)
        and not isinstance(module, NOT_COUNTED)
        and not hasattr(module, "running_mean")
        and any(p.requires_grad for p in module.parameters(recurse=False))
    ]
    if names:
        warnings.warn(
            "Gradients are those of linear and convolution layers. Trained parameters "
            f"of other layers do not count: {', '.join(names)}.",
            QueryWarning,
            stacklevel=2,
        )
