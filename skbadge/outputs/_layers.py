"""Which layer of a net has the features as its input.

Free of torch: modules and tensors are used through their methods only.
"""

from difflib import get_close_matches

import numpy as np
from scipy.special import expit, log_softmax, softmax


def named_modules(roots):
    """Name every module of a net.

    Parameters
    ----------
    roots : dict of str to module
        The net's modules by attribute name.

    Returns
    -------
    modules : dict of str to module
        Those inside ``module_`` have the names of its own ``named_modules()``, those
        inside another root start with the root's name. Roots have their own name.
    """
    modules = {}
    for name, root in roots.items():
        prefix = "" if name == "module_" else f"{name}."
        for path, module in root.named_modules():
            modules[f"{prefix}{path}" if path else name] = module
    return modules


def find_output_layer(linears, forward, eps):
    """Find the linear layer whose output is the net's output.

    Parameters
    ----------
    linears : dict of str to module
        The candidates. Their hooks are removed before returning.

    forward : callable
        Runs the net on a few rows and returns its output tensor, of shape
        (n_rows, n_outputs) or (n_rows,).

    eps : callable
        Gives the relative precision of a tensor's dtype.

    Returns
    -------
    name : str or None
        None if no candidate's output equals the net's output: neither as it is, nor
        after a softmax, log-softmax or sigmoid.
    """
    calls = []

    def watch(name):
        def hook(module, args, output):
            # The snapshot survives later in-place changes; the tensor is kept so that
            # its memory, whose address is compared below, is not given to another.
            calls.append((name, output, _snapshot(output)))

        return hook

    handles = []
    try:
        for name, module in linears.items():
            handles.append(module.register_forward_hook(watch(name)))
        output = forward()
    finally:
        for handle in handles:
            handle.remove()
    return _match(calls[::-1], output, eps(output))


def _match(calls, output, eps):
    target = _snapshot(output)
    calls = [call for call in calls if call[2].shape == target.shape]
    same_memory = [call for call in calls if call[1].data_ptr() == output.data_ptr()]
    for name, _, value in same_memory + calls:
        if np.array_equal(value, target, equal_nan=True):
            return name
    # A float32 softmax of logits around 50 is off by about that many roundings.
    close = {"rtol": 64 * eps, "atol": 8 * eps, "equal_nan": True}
    for name, _, value in calls:
        for transform in (_softmax, _log_softmax, expit):
            if np.allclose(transform(value), target, **close):
                return name
    return None


def _snapshot(tensor):
    array = tensor.detach().cpu().double().numpy().copy()
    return array.reshape(len(array), -1) if array.ndim else array


def _softmax(logits):
    return softmax(logits, axis=1)


def _log_softmax(logits):
    return log_softmax(logits, axis=1)


def layer_error(feature_layer, modules, linears):
    """Make the error for a layer that cannot be found.

    Parameters
    ----------
    feature_layer : str
        What the user asked for, "auto" or a name.

    modules : dict of str to module
        Every module that could have been named.

    linears : dict of str to module
        The linear layers among them.

    Returns
    -------
    error : ValueError
        Names the parameter, what came, the nearest name and the candidates.
    """
    listed = ", ".join(
        f"{name!r} ({layer.in_features} -> {layer.out_features})"
        for name, layer in linears.items()
    )
    choices = f"The linear layers are {listed}." if listed else "It has none."
    if feature_layer == "auto":
        return ValueError(
            "`feature_layer`='auto' found no linear layer whose output is the net's "
            "output. Give the name of the module whose input are the features. "
            + choices
        )
    near = get_close_matches(str(feature_layer), modules, n=1)
    meant = f" Did you mean {near[0]!r}?" if near else ""
    return ValueError(
        "`feature_layer` must be 'auto' or the name of a module of the net, as in "
        f"`named_modules()`. Got {feature_layer!r} instead.{meant} {choices}"
    )


def not_called_error(feature_layer):
    """Make the error for a layer that the forward pass does not use."""
    return ValueError(
        f"`feature_layer`={feature_layer!r} is not called in the net's forward pass. "
        "Name a module that is, or use 'auto'."
    )
