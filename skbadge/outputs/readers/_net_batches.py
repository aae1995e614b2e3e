"""Running a net over all rows, batch by batch."""

from collections.abc import Mapping
from itertools import chain

import torch
from scipy import sparse
from skorch import NeuralNet
from skorch.dataset import Dataset
from torch.utils.data import DataLoader, RandomSampler

from skbadge.outputs._casting import as_tensor, cast_input, cast_rule
from skbadge.outputs.readers._inference import modules_of
from skbadge.pools import frame_to_arrays, is_sliceable, map_parts, parts_of, row_nbytes

PROBE_ROWS = 4

# Rows and bytes of input in a batch, at most.
MAX_BATCH = 8192, 2**23
# On a CPU the layers' outputs stay in its cache, and in memory that the process has
# already: larger ones are given back to the system and come in anew with each layer.
MAX_BATCH_ON_CPU = 2048, 2**21


class NotATensorError(TypeError):
    """A module returned something that predictions cannot be read from."""


def first_output(output):
    """What a net predicts: its output, or the first one of a tuple."""
    first = output[0] if isinstance(output, tuple) and output else output
    if isinstance(first, torch.Tensor):
        return first
    came = f"a {type(first).__name__}"
    if isinstance(first, Mapping):
        came += f" with the keys {list(first)}"
    elif isinstance(first, list):
        came += f" of {len(first)}"
    if isinstance(output, tuple):
        came = f"a tuple that starts with {came}" if output else "an empty tuple"
    raise NotATensorError(
        "The net's module must return a tensor, or a tuple that starts with one. It "
        f"returned {came}. Return the predictions from `forward`, or override the "
        "net's `infer` to pick them out."
    )


def batches_of(net, X, batch_size, share=1):
    """How a net is run on rows.

    Iterating over it gives the net's output, batch by batch, and `probe` that of a few
    rows; ``n_rows`` is None if it is unknown. ``share`` divides the automatic size.
    """
    dataset = None
    if not _overridden(net, "get_dataset", "get_iterator", "forward_iter"):
        dataset = net.get_dataset(X)
        data = _sliceable_data(net, dataset)
        if data is not None:
            return SlicedBatches(net, data, batch_size, share)
    # A dataset of the user's own is given X as it is.
    stock = net.dataset is Dataset and not _overridden(net, "get_dataset")
    if stock and not isinstance(X, torch.utils.data.Dataset):
        X = map_parts(_to_matrix, cast_input(modules_of(net), X))
        dataset = None
    if _overridden(net, "forward_iter"):
        return ForwardBatches(net, X)
    return IteratedBatches(net, net.get_dataset(X) if dataset is None else dataset)


class SlicedBatches:
    """Large batches sliced off the arrays, without per-row collation."""

    def __init__(self, net, data, batch_size, share):
        self.net = net
        # Other sparse formats cannot be sliced.
        self.data = map_parts(_to_matrix, data)
        self.n_rows = parts_of(self.data)[0].shape[0]
        _check_n_rows(self.n_rows)
        self.rule = cast_rule(modules_of(net), self.data)
        if batch_size == "auto":
            own = net.get_params_for("iterator_valid").get("batch_size", net.batch_size)
            batch_size = max(self._fitting_rows(share), own, 1)
        self.batch_size = batch_size

    def __iter__(self):
        for start in range(0, self.n_rows, self.batch_size):
            yield self._run(start, start + self.batch_size)

    def probe(self):
        """Run the first few rows."""
        return self._run(0, PROBE_ROWS)

    def _fitting_rows(self, share):
        """Rows of a batch that is large enough for speed, and no larger."""
        row = row_nbytes(self.data)
        n_rows, nbytes = MAX_BATCH
        fitting = min(n_rows, nbytes // row) // share
        parameters = modules_of(self.net)[0].parameters()
        if all(part.device.type == "cpu" for part in parameters):
            n_rows, nbytes = MAX_BATCH_ON_CPU
            fitting = min(fitting, n_rows, nbytes // row)
        return fitting

    def _run(self, start, stop):
        stop = min(stop, self.n_rows)
        parts = map_parts(lambda part: self._cast(part[start:stop]), self.data)
        # The second entry stands for y, as in skorch's own dataset.
        batch = parts, torch.zeros(stop - start, 1)
        return self.net.evaluation_step(batch, training=False)

    def _cast(self, part):
        tensor = as_tensor(part)
        return tensor.to(self.rule(tensor.dtype))


class IteratedBatches:
    """The batches of a net's own dataset and iterator."""

    def __init__(self, net, dataset):
        self.net = net
        iterator = net.get_iterator(dataset, training=False)
        shuffles = isinstance(getattr(iterator, "sampler", None), RandomSampler)
        if shuffles or getattr(iterator, "shuffle", False) is True:
            raise ValueError(
                "`iterator_valid` must keep the order of the rows. Got one that "
                "shuffles."
            )
        self.n_rows = len(dataset) if hasattr(dataset, "__len__") else None
        self._rest = iter(iterator)
        self._first = next(self._rest, None)
        if self._first is None or self.n_rows == 0:
            if self.n_rows == 0:
                _check_n_rows(0)
            raise ValueError(
                "The net's `iterator_valid` must give all rows, and gave none of "
                f"{'them' if self.n_rows is None else self.n_rows}. With "
                "`drop_last=True` it leaves out the last, incomplete batch: set "
                "`iterator_valid__drop_last=False`."
            )

    def __iter__(self):
        for batch in chain([self._first], self._rest):
            yield self.net.evaluation_step(batch, training=False)

    def probe(self):
        """Run the first batch."""
        return self.net.evaluation_step(self._first, training=False)


class ForwardBatches:
    """What a net's own ``forward_iter`` gives."""

    n_rows = None

    def __init__(self, net, X):
        self.net = net
        self.X = X

    def __iter__(self):
        return iter(self.net.forward_iter(self.X, training=False))

    def probe(self):
        """Run the first batch."""
        return next(iter(self))


def _to_matrix(part):
    """A sparse part as a CSR matrix: skorch takes no rows off sparse arrays."""
    return sparse.csr_matrix(part) if sparse.issparse(part) else part


def _overridden(net, *names):
    """Whether any of these methods is not skorch's."""
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
    data = frame_to_arrays(dataset.X, modules_of(net)[0].forward)
    if not is_sliceable(data):
        return None
    lengths = {part.shape[0] for part in parts_of(data)}
    return data if lengths == {len(dataset)} else None


def _check_n_rows(n_rows):
    """Raise if there is no row."""
    if n_rows == 0:
        raise ValueError("`X` must have at least 1 row. Got 0 rows instead.")
