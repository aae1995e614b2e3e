"""Reading skorch nets: how they are run, in inference mode, batch by batch."""

from collections import namedtuple
from contextlib import contextmanager
from itertools import chain

import numpy as np
import torch
from scipy import sparse
from sklearn.exceptions import NotFittedError
from skorch import NeuralNet, NeuralNetRegressor
from skorch.dataset import Dataset
from torch import nn
from torch.utils.data import DataLoader, RandomSampler

from skbadge.outputs._collect import collect, first_output
from skbadge.outputs._restore import restored
from skbadge.pools._inputs import (
    frame_to_arrays,
    is_multi_input,
    is_sliceable,
    map_parts,
    parts_of,
    row_nbytes,
)

PROBE_ROWS = 4
MAX_BATCH_ROWS = 8192
BATCH_NBYTES = 2**23
GRADIENT_SHARE = 8

# How a net is run: the number of rows (None if unknown), a function that runs a few of
# them, and an iterator that runs all of them, batch by batch.
Steps = namedtuple("Steps", ["n_rows", "probe", "outputs"])


def read_net(net, X, needs, feature_layer, batch_size, sketch_size=None, seed=None):
    """Read a fitted skorch net, see `model_outputs`."""
    _check_fitted(net)
    if "proba" in needs and isinstance(net, NeuralNetRegressor):
        raise TypeError(
            f"{type(net).__name__} predicts no probabilities, and they are needed. Use "
            "a classifier, or a strategy that needs features only."
        )
    # Gradients take the activations of all layers at once.
    share = GRADIENT_SHARE if "gradients" in needs else 1
    with _inference(net):
        steps = _steps(net, X, batch_size, share)
        roots = _roots(net)
        return collect(net, roots, steps, needs, feature_layer, sketch_size, seed)


def net_output_shape(net, X):
    """What a fitted skorch net returns for one row, see `output_shape`."""
    _check_fitted(net)
    with _inference(net):
        output = first_output(_steps(net, X, "auto").probe())
    return tuple(output.shape[1:])


def _check_fitted(net):
    if not getattr(net, "initialized_", False):
        raise NotFittedError(
            f"This {type(net).__name__} is not initialized yet. Call `fit` (or "
            "`initialize`, to read an untrained net) first."
        )


@contextmanager
def _inference(net):
    """Without gradients, compilation and effects on modes and global generators."""
    names = [f"{name}_" for name in net._modules + net._criteria]
    parameters = (p for m in _roots(net).values() for p in m.parameters())
    cuda = {part.device for part in parameters if part.is_cuda}
    # An iterating DataLoader draws from torch's global generator.
    with (
        restored(vars(net), names),
        torch.random.fork_rng(devices=list(cuda)),
        torch.no_grad(),
    ):
        yield


def _roots(net):
    """Return the net's own modules by attribute name, the main one first."""
    roots = {f"{name}_": getattr(net, f"{name}_") for name in net._modules}
    roots = {name: root for name, root in roots.items() if isinstance(root, nn.Module)}
    return dict(sorted(roots.items(), key=lambda item: item[0] != "module_"))


def _main_module(net):
    return next(iter(_roots(net).values()))


# Input


def cast_input(module, X):
    """Rows as a module takes them, see `skbadge.outputs.cast_input`."""
    X = frame_to_arrays(X, module.forward)
    rule = _cast_rule(module, X)

    def cast(part):
        if sparse.issparse(part):
            dtype = cast(part.tocsr().data[:0]).dtype
            # scipy has no sparse matrices of half precision.
            return part.astype(dtype if dtype in ("f4", "f8", "i8") else "f4")
        if not is_sliceable(part, torch.Tensor):
            return part
        tensor = _as_tensor(part)
        wanted = rule(tensor.dtype)
        if wanted is tensor.dtype and _torch_takes(part):
            return part
        tensor = tensor.to(wanted)
        numpy_has_it = isinstance(part, np.ndarray) and wanted is not torch.bfloat16
        return tensor.numpy() if numpy_has_it else tensor

    return map_parts(cast, X)


def _cast_rule(module, X):
    """Return the function from the dtype that came to the dtype the module gets."""
    wanted = input_dtype(module)
    embeds = any(
        isinstance(m, nn.Embedding | nn.EmbeddingBag) for m in module.modules()
    )
    # Of several inputs the integers may be codes, masks or lengths.
    keeps_integers = embeds or is_multi_input(X)

    def rule(dtype):
        keep = wanted is None or dtype.is_complex
        keep = keep or (keeps_integers and not dtype.is_floating_point)
        return dtype if keep else wanted

    return rule


def input_dtype(module):
    """Dtype of a module's first floating parameter or buffer, None without any."""
    for tensor in chain(module.parameters(), module.buffers()):
        if tensor.is_floating_point():
            return tensor.dtype
    return None


def _as_tensor(part):
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


# Running


def _steps(net, X, batch_size, share=1):
    dataset = None
    if not _overridden(net, "get_dataset", "get_iterator", "forward_iter"):
        dataset = net.get_dataset(X)
        data = _sliceable_data(net, dataset)
        if data is not None:
            return _sliced_steps(net, data, batch_size, share)
    # What a dataset of the user's own does with X is its own matter.
    stock = net.dataset is Dataset and not _overridden(net, "get_dataset")
    if stock and not isinstance(X, torch.utils.data.Dataset):
        # skorch's dataset takes rows off sparse matrices, not off sparse arrays.
        X = map_parts(
            lambda part: sparse.csr_matrix(part) if sparse.issparse(part) else part,
            cast_input(_main_module(net), X),
        )
        dataset = None
    if _overridden(net, "forward_iter"):
        return Steps(
            None,
            lambda: next(iter(net.forward_iter(X, training=False))),
            net.forward_iter(X, training=False),
        )
    return _iterated_steps(net, net.get_dataset(X) if dataset is None else dataset)


def _overridden(net, *names):
    stock = (getattr(NeuralNet, name) for name in names)
    found = (getattr(getattr(net, name), "__func__", None) for name in names)
    return any(ours is not theirs for ours, theirs in zip(found, stock, strict=True))


def _sliceable_data(net, dataset):
    """Return the arrays behind a dataset, None unless slicing them is equivalent."""
    custom = set(net.get_params_for("iterator_valid"))
    custom -= {"batch_size", "num_workers", "pin_memory"}
    iterator = net.iterator_valid
    slices = getattr(iterator, "skbadge_tensor_batches", False)
    if custom or not (slices or iterator is DataLoader):
        return None
    ours = getattr(dataset, "skbadge_tensor_dataset", False)
    if not ours and type(dataset) is not Dataset:
        return None
    data = frame_to_arrays(dataset.X, _main_module(net).forward)
    if not is_sliceable(data, torch.Tensor):
        return None
    lengths = {part.shape[0] for part in parts_of(data)}
    return data if lengths == {len(dataset)} else None


def _sliced_steps(net, data, batch_size, share):
    """Slice large batches off the arrays, without per-row collation."""
    # Other sparse formats cannot be sliced.
    data = map_parts(lambda part: part.tocsr() if sparse.issparse(part) else part, data)
    n_rows = parts_of(data)[0].shape[0]
    _check_n_rows(n_rows)
    rule = _cast_rule(_main_module(net), data)
    if batch_size == "auto":
        own = net.get_params_for("iterator_valid").get("batch_size", net.batch_size)
        fitting = min(MAX_BATCH_ROWS, BATCH_NBYTES // row_nbytes(data))
        batch_size = max(fitting // share, own, 1)

    def run(start, stop):
        def batch_of(part):
            tensor = _as_tensor(part[start:stop])
            return tensor.to(rule(tensor.dtype))

        # The second entry stands for y, as in skorch's own dataset.
        n_batch = min(stop, n_rows) - start
        batch = map_parts(batch_of, data), torch.zeros(n_batch, 1)
        return net.evaluation_step(batch, training=False)

    starts = range(0, n_rows, batch_size)
    outputs = (run(start, start + batch_size) for start in starts)
    return Steps(n_rows, lambda: run(0, PROBE_ROWS), outputs)


def _iterated_steps(net, dataset):
    """Go through the net's own dataset and iterator."""
    iterator = net.get_iterator(dataset, training=False)
    shuffles = isinstance(getattr(iterator, "sampler", None), RandomSampler)
    if shuffles or getattr(iterator, "shuffle", False) is True:
        raise ValueError(
            "`iterator_valid` must keep the order of the rows. Got one that shuffles."
        )
    batches = iter(iterator)
    first = next(batches, None)
    n_rows = len(dataset) if hasattr(dataset, "__len__") else None
    _check_n_rows(0 if first is None else n_rows)

    def run(batch):
        return net.evaluation_step(batch, training=False)

    outputs = (run(batch) for batch in chain([first], batches))
    return Steps(n_rows, lambda: run(first), outputs)


def _check_n_rows(n_rows):
    if n_rows == 0:
        raise ValueError("`X` must have at least 1 row. Got 0 rows instead.")
