"""Unlabelled rows in training: set apart by their mark, and drawn in mini-batches."""

import zlib

import numpy as np
import torch
from skorch.dataset import unpack_data
from skorch.utils import data_from_dataset, is_dataset, to_numpy
from torch.utils.data import Subset

from skbadge import pools
from skbadge.nn._dataset import without_number_lists
from skbadge.pools import map_parts
from skbadge.pools._numbers import array_of
from skbadge.utils._shared_state import seeded


def is_unlabeled(X, y, label):
    """A mask of the rows that `label` marks as unlabelled, or None if it marks none.

    If `y` is None, the targets are those inside the dataset `X`. All rows of a dataset
    that hides its targets count as labelled. Raises a ValueError if all rows are
    marked.
    """
    if y is None and is_dataset(X):
        try:
            _, y = data_from_dataset(X)
        except AttributeError:
            return None
    if y is None:
        return None
    marks = np.asarray((to_numpy(y) if torch.is_tensor(y) else np.asarray(y)) == label)
    if not marks.any():
        return None
    if marks.ndim != 1:
        raise ValueError(
            f"y must have shape (n_samples,) where unlabeled_label={label!r} marks "
            f"rows. Got shape {marks.shape} instead."
        )
    if marks.all():
        raise ValueError(
            f"y must have labels. All {len(marks)} rows carry unlabeled_label="
            f"{label!r}, which marks a row without one."
        )
    return marks


def take_rows(data, rows):
    """Take rows of anything skorch trains on; a list of numbers becomes an array."""
    return map_parts(
        lambda part: pools.take_rows(part, rows), without_number_lists(data)
    )


def take_labels(y, rows):
    """Take the labels of rows, without the marks of other rows."""
    if isinstance(y, list | tuple):
        # NumPy makes texts of numbers beside a mark that is one.
        y = array_of(y)
    elif getattr(getattr(y, "dtype", None), "kind", "") == "O":
        y = np.asarray(y)
    y = take_rows(y, rows)
    # Numbers beside a mark that is a string were objects; they get their dtype back.
    first = y[0] if isinstance(y, np.ndarray) and y.dtype.kind == "O" else ""
    return y if isinstance(first, str) else np.array(y.tolist())


class UnlabeledBatches:
    """Endless mini-batches of unlabelled rows.

    Each pass goes through all rows in a new order. A generator of this object draws
    the orders and a seed for each batch. Its own seed is a digest of the state of
    torch's generator, which does not advance. Training therefore draws the same
    numbers from torch's generator with and without unlabelled rows, and it is as
    reproducible. `make_iterator` makes an iterator over the batches of a dataset, in
    its order.
    """

    def __init__(self, dataset, make_iterator):
        state = torch.get_rng_state().numpy().tobytes()
        self._rng = np.random.default_rng(zlib.crc32(state))
        self._batches = self._cycle(dataset, make_iterator)

    def _cycle(self, dataset, make_iterator):
        """Yield the batches of one pass after another."""
        while True:
            order = self._rng.permutation(len(dataset))
            yield from make_iterator(Subset(dataset, order))

    def draw(self):
        """The next batch, and a seed for its forward pass."""
        seed = int(self._rng.integers(2**32))
        # A DataLoader draws from torch's generator. Transforms of rows may do so, too.
        with seeded(seed):
            X, _ = unpack_data(next(self._batches))
        return X, seed
