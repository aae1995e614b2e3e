"""Rows in the dtypes that a torch module takes."""

from itertools import chain

import numpy as np
import torch
from scipy import sparse
from torch import nn

from skbadge.pools import frame_to_arrays, is_sliceable, kind_of, map_parts

# A net of several modules runs them in an order that is known to its `infer` alone. So
# its modules count as one here: any of them may be the one that is given the rows. They
# are of one dtype, and integers beside an embedding table are codes, whichever module
# has it. The first one, `module_` if there is one, says how many inputs there are.


def cast_input(modules, X):
    """Convert rows to what a net's modules take.

    Parameters
    ----------
    modules : list of torch.nn.Module
        Their first floating parameter or buffer gives the dtype.

    X : ndarray, tensor, sparse matrix, DataFrame, or dict or list of those
        Anything else is returned as it is.

    Returns
    -------
    X : ndarray, tensor, sparse matrix, or dict or list of those
        Floating values in the modules' dtype (a tensor if numpy lacks it). Integers
        and booleans too, unless a module has an ``Embedding`` or there are several
        inputs, where they may be codes or masks. A numeric DataFrame becomes one array,
        or a dict of columns if the first module's ``forward`` takes several inputs.
        Not copied where nothing changes, unless torch could not share its memory, as
        with read-only arrays.

    Examples
    --------
    >>> import numpy as np
    >>> from torch import nn
    >>> cast_input([nn.Linear(2, 3)], np.array([[1, 2]]))
    array([[1., 2.]], dtype=float32)
    """
    X = frame_to_arrays(X, modules[0].forward)
    rule = cast_rule(modules, X)

    def cast(part):
        if sparse.issparse(part):
            dtype = cast(part.tocsr().data[:0]).dtype
            # scipy has no sparse matrices of half precision.
            return part.astype(dtype if dtype in ("f4", "f8", "i8") else "f4")
        if not is_sliceable(part):
            return part
        tensor = as_tensor(part)
        wanted = rule(tensor.dtype)
        if wanted is tensor.dtype and _torch_takes(part):
            return part
        tensor = tensor.to(wanted)
        numpy_has_it = isinstance(part, np.ndarray) and wanted is not torch.bfloat16
        return tensor.numpy() if numpy_has_it else tensor

    return map_parts(cast, X)


def cast_rule(modules, X):
    """Return the function from the dtype that came to the dtype the modules get."""
    wanted = input_dtype(modules)
    # Integers among several inputs may be codes, masks or lengths.
    is_several = kind_of(X) in ("dict", "inputs", "list")
    keeps_integers = is_several or looks_up_integers(modules)

    def rule(dtype):
        keep = wanted is None or dtype.is_complex
        keep = keep or (keeps_integers and not dtype.is_floating_point)
        return dtype if keep else wanted

    return rule


def looks_up_integers(modules):
    """Whether any of the modules has an embedding table."""
    tables = nn.Embedding | nn.EmbeddingBag
    return any(isinstance(part, tables) for each in modules for part in each.modules())


def input_dtype(modules):
    """Dtype of the modules' first floating parameter or buffer, None without any."""
    for module in modules:
        for tensor in chain(module.parameters(), module.buffers()):
            if tensor.is_floating_point():
                return tensor.dtype
    return None


def as_tensor(part):
    """A dense tensor of the values of an array or sparse matrix."""
    if sparse.issparse(part):
        part = part.toarray()
    if not _torch_takes(part):
        part = part.astype(part.dtype.newbyteorder("="), order="C")
    return torch.as_tensor(part)


def _torch_takes(part):
    """Whether torch shares a dense array's memory without a warning or an error."""
    if isinstance(part, torch.Tensor):
        return True
    forward = all(stride >= 0 for stride in part.strides)
    return forward and part.flags.writeable and part.dtype.isnative
