"""Linear layers of unmodified nets by the faster kernels, while a net is read."""

from contextlib import nullcontext

import torch
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from skbadge.utils._fast_products import is_in_use, linear


def fast_linears():
    """Have linear layers that run in this thread, inside the block, ask oneDNN.

    Nothing is in the way of torch's functions where that is not faster.
    """
    return _FastLinears() if is_in_use() else nullcontext()


class _FastLinears(TorchFunctionMode):
    """Hands the calls of `torch.nn.functional.linear` on; torch turns it off inside."""

    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        # What torch compiles chooses its kernels itself.
        if func is functional.linear and not torch.compiler.is_compiling():
            return linear(*args, **kwargs)
        return func(*args, **kwargs)
