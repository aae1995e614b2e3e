"""Which layer of a net has the features as its input."""

from contextlib import ExitStack
from functools import partial

import numpy as np
import torch
from scipy.special import expit, log_softmax, softmax
from torch import nn

from skbadge.outputs.readers._check import not_finite_error
from skbadge.outputs.readers._inference import gradients_within, in_this_thread
from skbadge.outputs.readers._layer_factors import LAYERS, n_positions
from skbadge.outputs.readers._net_batches import first_output
from skbadge.utils._shown import MAX_ITEMS, did_you_mean, shown

# Functions that a net may apply to the output of its last layer.
TRANSFORMS = (partial(softmax, axis=1), partial(log_softmax, axis=1), expit)


def named_modules(roots):
    """Name every module of a net, given its roots by attribute name.

    Those inside ``module_`` have the names of its own ``named_modules()``, those inside
    another root start with the root's name. Roots have their own name.
    """
    modules = {}
    for name, root in roots.items():
        prefix = "" if name == "module_" else f"{name}."
        for path, module in root.named_modules():
            modules[f"{prefix}{path}" if path else name] = module
    return modules


def choose_feature_layer(modules, feature_layer, batches):
    """Find the module whose input are the features, by its name or "auto"."""
    linears = {name: m for name, m in modules.items() if isinstance(m, nn.Linear)}
    if feature_layer == "auto":
        name = _find_output_layer(linears, batches)
    else:
        name = feature_layer if feature_layer in modules else None
    if name is None:
        raise layer_error(feature_layer, modules, linears)
    return modules[name]


def first_layer(modules, batches):
    """The first linear or convolution layer that the net runs."""
    called = []

    def watch(module, args):
        called.append(module)

    hook = in_this_thread(watch)
    with ExitStack() as stack:
        for module in modules.values():
            if isinstance(module, LAYERS):
                stack.enter_context(module.register_forward_pre_hook(hook))
        batches.probe()
    if not called:
        raise ValueError(
            "The inputs of a net are those of the first torch.nn.Linear or convolution "
            "that it runs. It runs none."
        )
    return called[0]


def _find_output_layer(linears, batches):
    """Name the linear layer whose output is the net's output, None if there is none.

    The output is compared as it is, and after a softmax, log-softmax or sigmoid.
    """
    calls = []

    def watch(name, module, args, output):
        # The snapshot survives later in-place changes. The tensor is kept so that its
        # memory, whose address is compared below, is not given to another.
        calls.append((name, output, _snapshot(output)))

    with ExitStack() as stack:
        for name, module in linears.items():
            hook = in_this_thread(partial(watch, name))
            stack.enter_context(module.register_forward_hook(hook))
        output = first_output(batches.probe())
    found = _match(calls[::-1], output)
    if found is None:
        values = np.atleast_2d(_snapshot(output))
        # Minus infinity may be how the net rules out a class.
        bad = np.isnan(values) | np.isposinf(values)
        if bad.any():
            raise not_finite_error("proba", bad.any(axis=1), "rows tried first")
    return found


def _match(calls, output):
    """Name of the latest call whose output is the net's output."""
    target = _snapshot(output)
    calls = [call for call in calls if call[2].shape == target.shape]
    same_memory = [call for call in calls if call[1].data_ptr() == output.data_ptr()]
    for name, _, value in same_memory + calls:
        if np.array_equal(value, target, equal_nan=True):
            return name
    eps = torch.finfo(output.dtype).eps if output.is_floating_point() else 0.0
    # A float32 softmax of logits around 50 is off by about that many roundings.
    close = {"rtol": 64 * eps, "atol": 8 * eps, "equal_nan": True}
    for name, _, value in calls:
        for transform in TRANSFORMS:
            if np.allclose(transform(value), target, **close):
                return name
    return None


def _snapshot(tensor):
    """A copy of a tensor, a float64 row for each of its rows."""
    array = tensor.detach().cpu().double().numpy().copy()
    return array.reshape(len(array), -1) if array.ndim else array


def layer_error(feature_layer, modules, linears):
    """Make the error for a layer that cannot be found, with the nearest name."""
    named = [
        f"{name!r} ({layer.in_features} -> {layer.out_features})"
        for name, layer in linears.items()
    ]
    left_out = f" (the last of {len(named)})" if len(named) > MAX_ITEMS else ""
    names = ", ".join(named[-MAX_ITEMS:])
    choices = f"The linear layers are {names}{left_out}." if named else "It has none."
    if feature_layer == "auto":
        return ValueError(
            "`feature_layer`='auto' found no linear layer whose output is the net's "
            "output. Give the name of the module whose input are the features. "
            + choices
        )
    meant = did_you_mean(str(feature_layer), modules, n=1, cutoff=0.6)
    return ValueError(
        "`feature_layer` must be 'auto' or the name of a module of the net, as in "
        f"`named_modules()`. Got {shown(feature_layer)} instead.{meant} {choices}"
    )


def not_called_error(feature_layer):
    """Make the error for a layer that the forward pass does not use."""
    return ValueError(
        f"`feature_layer`={feature_layer!r} is not called in the net's forward pass. "
        "Name a module that is, or use 'auto'."
    )


def only_layer(module, modules):
    """The layer inside a module, itself included, if there is exactly one."""
    layers = {part for part in modules.values() if isinstance(part, LAYERS)}
    inside = layers.intersection(module.modules())
    return inside.pop() if len(inside) == 1 else None


def last_calls(modules, roots, batches, layer):
    """Which of a layer's calls reach the net's output without another layer between.

    A few rows are run with the graph cut at the output of each layer. The net's output
    then depends on the last calls only.

    Returns
    -------
    is_last : list of bool
        For each call, in order.
    """
    cuts = []

    def cut(module, args, output):
        if not (torch.is_grad_enabled() and isinstance(output, torch.Tensor)):
            return None
        start = output.detach().requires_grad_()
        if module is layer:
            cuts.append(start)
        # Later layers may change their input in place: this copy.
        return start.clone()

    hook = in_this_thread(cut)
    with gradients_within(roots), ExitStack() as stack:
        for part in modules.values():
            if part is layer or isinstance(part, LAYERS):
                stack.enter_context(part.register_forward_hook(hook))
        output = first_output(batches.probe())
        if not (cuts and output.requires_grad):
            return [False] * len(cuts)
        torch.set_grad_enabled(True)
        gradients = torch.autograd.grad(output.sum(), cuts, allow_unused=True)
    return [gradient is not None for gradient in gradients]


def tied_error(layer, modules, feature_layer):
    """Make the error for weights that are those of another module, too; or None."""
    weight = layer._parameters.get("weight")
    for name, module in modules.items():
        owned = module._parameters.values()
        is_shared = weight is not None and any(part is weight for part in owned)
        if is_shared and module is not layer:
            return ValueError(
                f"`feature_layer`={feature_layer!r} is the last layer of the net, and "
                f"shares its weights with {name!r}: their gradient is a sum over both. "
                + HINT
            )
    return None


def outer_product_error(layer, calls, feature_layer, is_exempt):
    """Make the error for a gradient that is no outer product with the input; or None.

    ``calls`` are the layer's applications to a batch, the shapes of the input and the
    output of each. With ``is_exempt``, several positions of one call are let pass.
    """
    if not calls:
        return None
    if not isinstance(layer, LAYERS):
        entry = calls[0][0][1:]
        return _weights_error(feature_layer) if entry.numel() != max(entry) else None
    positions = sum(n_positions(layer, output) for _, output in calls)
    if positions > 1 and not (is_exempt and len(calls) == 1):
        return ValueError(
            f"`feature_layer`={feature_layer!r} is the last layer of the net, and it "
            f"is applied at {positions} positions of each row: its input, flattened, "
            "is not what its gradient is made of. Where the net averages over the "
            "positions, average first and apply the layer once (the same net). " + HINT
        )
    if isinstance(layer, nn.Linear):
        return None
    seen_at_once = tuple(calls[0][0][2:]) == tuple(layer.kernel_size)
    padded = any(layer._reversed_padding_repeated_twice)
    if layer.groups == 1 and seen_at_once and not padded:
        return None
    return ValueError(
        f"`feature_layer`={feature_layer!r} is the last layer of the net, and a "
        "convolution that does not see all of its input, flattened, at once (by "
        "groups, padding or stride): that is not what its gradient is made of. " + HINT
    )


def has_own_weights(module):
    """Whether a module may be a last layer: it has weights, in no module inside."""
    owned = [part for part in module._parameters.values() if part is not None]
    is_plain = not any(module.children())
    return isinstance(module, LAYERS) or (
        is_plain and any(part.ndim > 1 for part in owned)
    )


def _weights_error(feature_layer):
    return ValueError(
        f"`feature_layer`={feature_layer!r} has the net's last weights, and is no "
        "torch.nn.Linear or convolution: whether its gradient is made of its input, "
        "flattened, is not known. " + HINT
    )


HINT = (
    "For features only, name a module without weights before it, such as "
    "torch.nn.Identity."
)
