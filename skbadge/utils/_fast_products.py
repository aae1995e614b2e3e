"""Products of float32 matrices by oneDNN, where the library that torch asks is slow.

Torch asks MKL, which leaves the widest instructions of AMD's processors alone: oneDNN,
which torch brings along for convolutions, takes half the time with AVX-512, and nine
tenths with AVX2. A table and the shape of a product say which of them forms it, never a
measurement: results would differ from run to run.
"""

import os
import platform
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from pathlib import Path

import torch
from torch.nn import functional

from skbadge._compat import is_transformed, onednn_linear

VENDORS = {"AuthenticAMD"}
# With the first one it was measured; with the second one it has to be anew.
TORCH_VERSIONS = "2.13", "3"

# Below, oneDNN is no faster, or too little to make up for the kernel that it writes for
# each new shape (0.2 ms). Measured from 64 to 8,192 rows, 3 to 784 inputs and 1 to 512
# outputs, with one thread and two.
LEAST_MULTIPLICATIONS = 2**22
LEAST_OUTPUTS = 8

# "0" in this environment variable leaves all products to torch.
SWITCH = "SKBADGE_FAST_LINEAR"

NOTE = (
    "large products of linear layers were formed by oneDNN, which rounds its own way; "
    f"{SWITCH}=0 in the environment turns it off"
)

_PLAIN = {torch.Tensor, torch.nn.Parameter}
_current: ContextVar[set | None] = ContextVar("products", default=None)


@contextmanager
def noting_products():
    """Yield a set that holds `NOTE` once a product of this thread went to oneDNN."""
    notes: set[str] = set()
    token = _current.set(notes)
    try:
        yield notes
    finally:
        _current.reset(token)


def linear(input, weight, bias=None):
    """What `torch.nn.functional.linear` returns, up to rounding, in less time.

    May be differentiated like it. Gradients with respect to the input take less time as
    well, if none are wanted with respect to weight and bias.
    """
    if not (_is_suited(input, weight, bias) and is_in_use()):
        return functional.linear(input, weight, bias)
    if (notes := _current.get()) is not None:
        notes.add(NOTE)
    if torch.is_grad_enabled() and input.requires_grad:
        return _Linear.apply(input, weight, bias)
    return onednn_linear()(input, weight, bias)


def product(left, right):
    """What ``left @ right`` is, up to rounding, for a matrix ``right``."""
    return linear(left, right.mT)


def is_in_use():
    """Whether products go to oneDNN at all."""
    return (
        os.environ.get(SWITCH) != "0"
        and torch.backends.mkldnn.enabled
        and _is_faster()
        and _is_right()
    )


def _is_suited(rows, weight, bias):
    """Whether a product is of the kind and size for which oneDNN is faster."""
    parts = (rows, weight) if bias is None else (rows, weight, bias)
    if not {type(part) for part in parts} <= _PLAIN or weight.ndim != 2:
        return False
    if len(weight) < LEAST_OUTPUTS or rows.ndim < 2:
        return False
    return (
        rows.numel() * len(weight) >= LEAST_MULTIPLICATIONS
        and rows.shape[-1] == weight.shape[1]
        and all(_is_of_cpu(part) for part in parts)
        and not (torch.is_grad_enabled() and any(p.requires_grad for p in parts[1:]))
        and not torch.is_autocast_enabled("cpu")
        and not is_transformed()
    )


def _is_of_cpu(tensor):
    kind = torch.float32, torch.strided, "cpu"
    return (tensor.dtype, tensor.layout, tensor.device.type) == kind


class _Linear(torch.autograd.Function):
    """The same with gradients with respect to the input, of any order."""

    @staticmethod
    def forward(ctx, rows, weight, bias):
        ctx.save_for_backward(weight)
        return onednn_linear()(rows, weight, bias)

    @staticmethod
    def backward(ctx, gradient):
        (weight,) = ctx.saved_tensors
        return product(gradient, weight), None, None


@cache
def _is_faster():
    """What the table says of this processor and this torch."""
    least, above = TORCH_VERSIONS
    return (
        _processor_vendor() in VENDORS
        and least <= torch.__version__ < above
        and torch.backends.mkl.is_available()
        and torch.backends.mkldnn.is_available()
    )


def _processor_vendor():
    """Who has made the processor, by its own word; "" if the system does not tell."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        # Windows ends with it.
        return platform.processor().split(" ")[-1]
    named = (line.split(":")[-1].strip() for line in lines if "vendor_id" in line)
    return next(named, "")


@cache
def _is_right():
    """Whether the operator, which is private to torch, does what it is taken for.

    Tried once a process, on a product that is as small as any it is used for.
    """
    how = {"generator": torch.Generator().manual_seed(0), "device": "cpu"}
    shapes = (LEAST_MULTIPLICATIONS // 64**2, 64), (64, 64), (64,)
    with torch.inference_mode(False), torch.no_grad():
        parts = [torch.randn(shape, dtype=torch.float32, **how) for shape in shapes]
        # Weights may be the transpose of what lies in memory.
        parts[1] = parts[1].mT
        try:
            found = onednn_linear()(*parts)
        except Exception:
            return False
        parts = [part.double() for part in parts]
        right = functional.linear(*parts)
        # The bound on the error of a sum of n terms: n eps sum |x w|.
        terms = functional.linear(*(part.abs() for part in parts))
        bound = 65 * torch.finfo(torch.float32).eps * terms
        is_alike = found.dtype is torch.float32 and found.shape == right.shape
        return is_alike and bool(((found - right).abs() <= bound).all())
