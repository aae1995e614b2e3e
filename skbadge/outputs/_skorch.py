"""Reading skorch nets: the one place of this layer that imports torch."""

from collections import namedtuple
from contextlib import contextmanager
from itertools import chain

import numpy as np
import skorch.utils
import torch
from scipy import sparse
from sklearn.exceptions import NotFittedError
from skorch import NeuralNet, NeuralNetRegressor
from skorch.dataset import Dataset
from torch import nn
from torch.utils.data import DataLoader, RandomSampler

from skbadge.outputs._buffer import RowBuffer
from skbadge.outputs._check import check_outputs
from skbadge.outputs._inputs import (
    frame_to_arrays,
    is_multi_input,
    is_sliceable,
    map_parts,
    parts_of,
    row_nbytes,
)
from skbadge.outputs._layers import (
    find_output_layer,
    layer_error,
    named_modules,
    not_called_error,
)
from skbadge.outputs._outputs import Outputs
from skbadge.outputs._restore import restored

PROBE_ROWS = 4
MAX_BATCH_ROWS = 8192
BATCH_NBYTES = 2**23

HINT = (
    "skorch applies a softmax only with criterion=CrossEntropyLoss, for modules that "
    "return logits. A module trained with NLLLoss must itself return probabilities. "
    "For other criteria set the net's `predict_nonlinearity`."
)

# How a net is run: the number of rows (None if unknown), a function that runs a few of
# them, and an iterator that runs all of them, batch by batch.
Steps = namedtuple("Steps", ["n_rows", "probe", "outputs"])


def read_net(net, X, needs, feature_layer, batch_size):
    """Read a fitted skorch net, see `model_outputs`."""
    _check_fitted(net)
    if "proba" in needs and isinstance(net, NeuralNetRegressor):
        raise TypeError(
            f"{type(net).__name__} predicts no probabilities, and they are needed. Use "
            "a classifier, or a strategy that needs features only."
        )
    with _inference(net):
        steps = _steps(net, X, batch_size)
        layer = None
        if "features" in needs:
            layer = _choose_layer(net, feature_layer, steps.probe)
        return _collect(net, steps, layer, feature_layer, "proba" in needs)


def net_n_outputs(net, X):
    """Number of output units of a fitted skorch net, see `n_outputs`."""
    _check_fitted(net)
    with _inference(net):
        output = _first(_steps(net, X, "auto").probe())
    return output.numel() // len(output)


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


def _steps(net, X, batch_size):
    dataset = None
    if not _overridden(net, "get_dataset", "get_iterator", "forward_iter"):
        dataset = net.get_dataset(X)
        data = _sliceable_data(net, dataset)
        if data is not None:
            return _sliced_steps(net, data, batch_size)
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


def _sliced_steps(net, data, batch_size):
    """Slice large batches off the arrays, without per-row collation."""
    # Other sparse formats cannot be sliced.
    data = map_parts(lambda part: part.tocsr() if sparse.issparse(part) else part, data)
    n_rows = parts_of(data)[0].shape[0]
    _check_n_rows(n_rows)
    rule = _cast_rule(_main_module(net), data)
    if batch_size == "auto":
        own = net.get_params_for("iterator_valid").get("batch_size", net.batch_size)
        fitting = min(MAX_BATCH_ROWS, BATCH_NBYTES // row_nbytes(data))
        batch_size = max(fitting, own, 1)

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


def _first(output):
    return output[0] if isinstance(output, tuple) else output


# Features


def _choose_layer(net, feature_layer, probe):
    modules = named_modules(_roots(net))
    linears = {name: m for name, m in modules.items() if isinstance(m, nn.Linear)}
    if feature_layer == "auto":
        name = find_output_layer(linears, lambda: _first(probe()), _eps)
    else:
        name = feature_layer if feature_layer in modules else None
    if name is None:
        raise layer_error(feature_layer, modules, linears)
    return modules[name]


def _eps(tensor):
    return torch.finfo(tensor.dtype).eps if tensor.is_floating_point() else 0.0


class _TensorBuffer(RowBuffer):
    """A buffer that is filled with tensors, by torch's threads and from any device.

    It also sees whether all values are finite, while they are in cache.
    """

    all_finite = True

    def stage(self, tensor):
        """Write a tensor of shape (n_batch, n_columns), in float32 or better."""
        is_double = tensor.dtype is torch.float64
        super().stage(tensor, np.float64 if is_double else np.float32, _copy)
        # A sum is not finite if any term is; it may overflow, too, and tells no more
        # than that a closer look is due.
        self.all_finite = self.all_finite and bool(tensor.sum().isfinite())


def _copy(target, tensor):
    torch.from_numpy(target).copy_(tensor)


def _collect(net, steps, layer, feature_layer, with_proba):
    """Run all batches, and keep features and probabilities as they come."""
    features = _TensorBuffer(steps.n_rows, "features")
    proba = _TensorBuffer(steps.n_rows, "probabilities")
    nonlinearity = _nonlinearity(net)
    one_logit = nonlinearity in (_logit_columns, _probability_columns)
    with _watched_input(layer, features):
        for output in map(_first, steps.outputs):
            if layer is not None:
                if not features.has_staged:
                    raise not_called_error(feature_layer)
                features.commit(len(output))
            if with_proba:
                columns = _probabilities(output, nonlinearity)
                one_logit = output.numel() == len(output) and columns.shape[1] == 2
                proba.stage(columns)
                proba.commit(len(output))
    outputs = Outputs(
        proba=proba.finish() if with_proba else None,
        features=features.finish() if layer is not None else None,
        one_logit=one_logit,
    )
    all_finite = features.all_finite and proba.all_finite
    return check_outputs(outputs, HINT, all_finite=all_finite)


@contextmanager
def _watched_input(layer, features):
    """Stage what the layer is given, in each of its calls; None watches nothing."""
    if layer is None:
        yield
        return

    def keep(module, args, kwargs):
        entry = next(chain(args, kwargs.values()), None)
        if not isinstance(entry, torch.Tensor):
            raise ValueError(
                "The module that `feature_layer` names must take a tensor. It got a "
                f"{type(entry).__name__}."
            )
        # Copied at once: what follows in the forward pass may change it in place.
        features.stage(entry.detach().reshape(len(entry), -1))

    handle = layer.register_forward_pre_hook(keep, with_kwargs=True)
    try:
        yield
    finally:
        handle.remove()


# Probabilities


def _nonlinearity(net):
    nonlinearity = net._get_predict_nonlinearity()
    is_softmax = getattr(nonlinearity, "func", None) is torch.softmax
    if is_softmax and nonlinearity.keywords == {"dim": -1}:
        return _softmax_columns
    # skorch forms the first of two columns as 1 - sigmoid, exactly 0 for large logits.
    if nonlinearity is skorch.utils._sigmoid_then_2d:
        return _logit_columns
    if nonlinearity is skorch.utils._make_2d_probs:
        return _probability_columns
    return nonlinearity


def _probabilities(output, nonlinearity):
    # Before the softmax: half precision would lose the small probabilities.
    output = output if output.dtype is torch.float64 else output.float()
    if nonlinearity in (_logit_columns, _probability_columns):
        if output.numel() != len(output):
            raise ValueError(
                "A net with a binary cross-entropy must have one output for each row. "
                f"Got outputs of shape {tuple(output.shape)}: several labels per row "
                "are not supported."
            )
        output = output.reshape(-1)
    proba = nonlinearity(output)
    if proba.ndim != 2:
        raise ValueError(
            "The net's probabilities must have shape (n_rows, n_classes). Got shape "
            f"{tuple(proba.shape)} instead. {HINT}"
        )
    return proba


def _softmax_columns(logits):
    if logits.ndim != 2:
        return torch.softmax(logits, dim=-1)
    # Along the rows it is several times faster, as rows are many and columns few.
    return torch.softmax(logits.T.contiguous(), dim=0).T


def _logit_columns(logit):
    return torch.stack((torch.sigmoid(-logit), torch.sigmoid(logit)), dim=1)


def _probability_columns(proba):
    return torch.stack((1 - proba, proba), dim=1)
