"""Leaving a net's modules as they were found.

Free of torch: modules are used through their methods and attributes only.
"""

from contextlib import contextmanager


@contextmanager
def restored(attributes, names):
    """Restore train modes on exit, and run uncompiled modules meanwhile.

    Parameters
    ----------
    attributes : dict
        The ``vars`` of the object that holds the modules.

    names : list of str
        The attributes that hold them. What is not a module is left alone.
    """
    roots = [attributes[name] for name in names if name in attributes]
    modules = [m for root in roots if hasattr(root, "modules") for m in root.modules()]
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
