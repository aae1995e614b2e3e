"""Gradients of a net's output for each row, with respect to its layers' weights."""

import warnings
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import chain

import torch
from torch import nn
from torch.nn.utils.parametrize import ParametrizationList

from skbadge.exceptions import QueryWarning
from skbadge.outputs.readers._inference import gradients_within, in_this_thread
from skbadge.outputs.readers._layer_factors import (
    LAYERS,
    Call,
    LayerGradient,
    layer_of,
    single,
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


class Start(torch.autograd.Function):
    """Makes a tensor that depends on nothing the start of what is differentiated.

    In place, and without a copy. Unlike a leaf it may be changed in place afterwards.
    """

    @staticmethod
    def forward(ctx, output, anchor):
        """The output itself, as a function of the anchor."""
        ctx.mark_dirty(output)
        return output

    @staticmethod
    def backward(ctx, gradient):
        """Nothing comes before it."""
        return None, None


@dataclass
class Record:
    """What is known of one call of a layer while its batch runs."""

    inputs: torch.Tensor
    source: torch.Tensor
    version: int
    shape: torch.Size
    gradient: torch.Tensor | None = None

    @property
    def is_changed(self):
        """Whether what came in was changed in place after the layer had used it."""
        return self.source._version != self.version


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

    buffer : TensorGradients
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
        # It has no entry: autograd follows the graph to it, and hands over nothing.
        self._anchor = torch.zeros(0, requires_grad=True)
        self._records = {}
        self._called = None
        self._overwritten = None
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
                return
            if not output.requires_grad:
                Start.apply(output, self._anchor)
            source = next(chain(args, kwargs.values())).detach()
            # The first batch tells of which layers later ones overwrite the inputs.
            is_kept = self._overwritten is not None and (
                layer.name not in self._overwritten
            )
            inputs = source if is_kept else source.clone()
            call = Record(inputs, source, source._version, output.shape)
            # Of the output as it is now, whatever later layers change in place.
            output.register_hook(partial(setattr, call, "gradient"))
            self._records.setdefault(layer.name, []).append(call)

        return record

    def commit(self, output):
        """Differentiate the batch that was run last, given what the net returned."""
        records, self._records = self._records, {}
        layers = [layer for layer in self.layers if layer.name in records]
        self._check(output, layers, records)
        gradients = []
        # Rows do not meet in inference mode, so that one backward pass of a sum over
        # the rows gives each row its own gradient.
        directions = self._directions(output.detach())
        for i, direction in enumerate(directions):
            torch.autograd.grad(
                output,
                self._anchor,
                direction.to(output.dtype),
                retain_graph=i < len(directions) - 1,
                allow_unused=True,
            )
            for layer in layers:
                calls = [_call(record, output) for record in records[layer.name]]
                gradients.append(LayerGradient(layer, calls))
        self.buffer.add(gradients)

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

    def _check(self, output, layers, records):
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
        for name in names:
            for call in records[name]:
                if len(call.inputs) != len(output) or call.shape[0] != len(output):
                    raise ValueError(
                        f"The layer {name!r} must be given the rows along its first "
                        f"dimension. Got {call.shape[0]} for {len(output)} rows."
                    )
        self._check_overwritten(records)

    def _check_overwritten(self, records):
        """Learn from the first batch which inputs are changed in place, or compare."""
        overwritten = {
            name
            for name, calls in records.items()
            if any(call.is_changed for call in calls)
        }
        if self._overwritten is None:
            self._overwritten = overwritten
        elif not overwritten <= self._overwritten:
            raise ValueError(
                "The net must treat all rows alike. It changes the inputs of the "
                f"layers {sorted(overwritten - self._overwritten)} in place, after "
                "they were used, which it did not for the first rows."
            )


def _call(record, output):
    """A layer's call, with the gradient that a backward pass has left."""
    gradient, record.gradient = record.gradient, None
    if gradient is None:
        # The output does not depend on this call.
        gradient = output.new_zeros(record.shape)
    return Call(single(record.inputs), single(gradient))


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
