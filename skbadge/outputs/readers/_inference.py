"""Running a net in inference mode, and leaving everything as it was found."""

from contextlib import ExitStack, contextmanager
from threading import get_ident

import torch
from sklearn.exceptions import NotFittedError
from torch import nn

from skbadge.outputs.readers._fast_linears import fast_linears


@contextmanager
def inference(net):
    """Run a fitted net without gradients, compilation, fused layers and side effects.

    Inside the block linear layers run by the faster kernels, and modules are in
    whatever mode skorch puts them. After it the modes, compiled modules, torch's
    generators and its flags are as they were.
    """
    check_initialized(net)
    names = [f"{name}_" for name in net._modules + net._criteria]
    parameters = (p for m in roots_of(net).values() for p in m.parameters())
    cuda = {part.device for part in parameters if part.is_cuda}
    # An iterating DataLoader draws from torch's global generator.
    with (
        restored(vars(net), names),
        torch.random.fork_rng(devices=list(cuda)),
        # Gradients may be wanted all the same.
        torch.inference_mode(False),
        torch.no_grad(),
        without_fast_paths(),
        fast_linears(),
    ):
        yield


def check_initialized(net):
    """Raise unless a net has modules."""
    if not getattr(net, "initialized_", False):
        raise NotFittedError(
            f"This {type(net).__name__} is not initialized yet. Call `fit` (or "
            "`initialize`, to read an untrained net) first."
        )


def roots_of(net):
    """Return the net's own modules by attribute name, the main one first."""
    roots = {f"{name}_": getattr(net, f"{name}_") for name in net._modules}
    roots = {name: root for name, root in roots.items() if isinstance(root, nn.Module)}
    return dict(sorted(roots.items(), key=lambda item: item[0] != "module_"))


def modules_of(net):
    """Return the net's own modules, the main one first; raise if there are none yet."""
    check_initialized(net)
    return list(roots_of(net).values())


def in_this_thread(hook):
    """A hook that does nothing where another thread runs the same module."""
    owner = get_ident()

    def own(*args):
        return hook(*args) if get_ident() == owner else None

    return own


@contextmanager
def gradients_within(roots):
    """Turn gradients on while one of these modules runs, and for the rest of the block.

    What skorch does after the module may reshape the output.
    """

    def start(module, args):
        torch.set_grad_enabled(True)

    with ExitStack() as stack:
        # skorch puts the mode back; so does this, should a step of the user's not.
        stack.callback(torch.set_grad_enabled, torch.is_grad_enabled())
        for root in roots:
            stack.enter_context(root.register_forward_pre_hook(in_this_thread(start)))
        yield


@contextmanager
def without_fast_paths():
    """Keep torch from replacing attention layers by fused kernels.

    The fused layers skip the modules inside them, so that hooks do not see them and
    dropout cannot act, and with a padding mask they pass nested tensors, which have no
    shape.
    """
    found = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        yield
    finally:
        torch.backends.mha.set_fastpath_enabled(found)


@contextmanager
def restored(attributes, names):
    """Restore train modes on exit, and run uncompiled modules meanwhile.

    The names are those of attributes. What is not a module is left alone.
    """
    roots = [attributes[name] for name in names if name in attributes]
    modules = [
        m for root in roots if isinstance(root, nn.Module) for m in root.modules()
    ]
    modes = [(module, module.training) for module in modules]
    compiled = list(_compiled_entries(attributes, modules))
    try:
        for holder, key, found in compiled:
            holder[key] = getattr(found, "_orig_mod", None)
        yield
    finally:
        for holder, key, found in compiled:
            holder[key] = found
        for module, mode in modes:
            module.training = mode


def _compiled_entries(attributes, modules):
    """Where compiled modules and calls are held."""
    # Hooks inside compiled code may be skipped, so the originals are run: the module
    # that `torch.compile` wrapped, or the one on which `compile()` was called.
    for holder in [attributes, *(module._modules for module in modules)]:
        for key, value in list(holder.items()):
            if hasattr(type(value), "forward") and hasattr(value, "_orig_mod"):
                yield holder, key, value
    for module in modules:
        call = vars(module).get("_compiled_call_impl")
        if call is not None:
            yield vars(module), "_compiled_call_impl", call
