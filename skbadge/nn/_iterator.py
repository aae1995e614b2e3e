"""An iterator that slices batches instead of collating rows."""

from collections.abc import Iterator
from typing import Any, TypeAlias

import numpy as np
import torch
from torch.utils.data import Subset

from skbadge.nn._dataset import ArrayDataset
from skbadge.utils._validation import is_int

# What skorch tells its hooks of a batch, if there is one.
Batch: TypeAlias = tuple[torch.Tensor, torch.Tensor] | None


class TensorBatches:
    """Batches of an :class:`~skbadge.nn.ArrayDataset`, each cut in one piece.

    It replaces ``torch.utils.data.DataLoader`` as a net's ``iterator_train`` or
    ``iterator_valid``. The loader reads and collates row by row. For a table, that
    takes longer than a small net does.

    Parameters
    ----------
    dataset : ArrayDataset, or torch Subset of one (nested subsets too)
        The rows. skorch's ``ValidSplit`` makes subsets.

    batch_size : int, default=128
        Rows in a batch.

    shuffle : bool, default=False
        Whether every pass goes through the rows in a new order. torch's global
        generator draws it.

    drop_last : bool, default=False
        Whether to leave out a last batch of fewer than ``batch_size`` rows.

    Raises
    ------
    TypeError
        If ``dataset`` is not an ``ArrayDataset`` or a subset of one.

    ValueError
        If ``batch_size`` is no int, or smaller than 1.

    Examples
    --------
    >>> import numpy as np
    >>> from skbadge.nn import ArrayDataset, TensorBatches
    >>> dataset = ArrayDataset(np.ones((5, 2)), np.arange(5))
    >>> [y.tolist() for _, y in TensorBatches(dataset, batch_size=2)]
    [[0, 1], [2, 3], [4]]
    """

    # Code that reads the rows may take larger slices of the data set instead.
    skbadge_tensor_batches = True

    def __init__(
        self,
        dataset: ArrayDataset | Subset,
        batch_size: int = 128,
        shuffle: bool = False,
        drop_last: bool = False,
    ):
        if not (is_int(batch_size) and batch_size >= 1):
            raise ValueError(f"`batch_size` must be an int >= 1. Got {batch_size!r}.")
        self.dataset = dataset
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.drop_last = drop_last
        self._array_dataset, self._indices = _resolve(dataset)

    def __len__(self) -> int:
        """Count the batches."""
        whole, rest = divmod(len(self.dataset), self.batch_size)
        return whole + (rest > 0 and not self.drop_last)

    def __iter__(self) -> Iterator[tuple[Any, Any]]:
        """Yield ``(X, y)`` tensors, batch by batch."""
        order = self._indices
        if self.shuffle:
            drawn = torch.randperm(len(self.dataset)).numpy()
            order = drawn if order is None else order[drawn]
        for i in range(len(self)):
            rows = slice(i * self.batch_size, (i + 1) * self.batch_size)
            yield self._array_dataset.take_batch(rows if order is None else order[rows])


def _resolve(dataset):
    """Return the ``ArrayDataset`` and the rows of it, or None for all of them."""
    indices = None
    while isinstance(dataset, Subset):
        outer = np.asarray(dataset.indices, dtype=np.int64)
        indices = outer if indices is None else outer[indices]
        dataset = dataset.dataset
    if not getattr(dataset, "skbadge_tensor_dataset", False):
        raise TypeError(
            "TensorBatches slices an ArrayDataset, or a torch Subset of one. Got "
            f"{type(dataset).__name__} instead; set dataset=ArrayDataset on the net, "
            "or use torch.utils.data.DataLoader."
        )
    return dataset, indices
