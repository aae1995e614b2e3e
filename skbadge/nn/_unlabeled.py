"""Unlabelled rows in training: set apart by their mark, and drawn in mini-batches."""

import zlib

import numpy as np
import torch
from skorch.dataset import unpack_data
from skorch.utils import data_from_dataset, is_dataset, to_numpy
from torch.utils.data import Subset

from skbadge import pools
from skbadge.nn._dataset import _without_number_lists
from skbadge.pools import map_parts
from skbadge.utils._streams import torch_seeded


def is_unlabeled(X, y, label):
    """Find the rows that are marked as unlabelled.

    Parameters
    ----------
    X : array-like, or what else skorch takes
        The rows; asked for the targets only if ``y`` is None.

    y : array-like of shape (n_samples,) or None
        The targets. None stands for those of the dataset ``X``; if it does not tell
        them, all rows count as labelled.

    label : scalar
        The mark.

    Returns
    -------
    marks : ndarray of shape (n_samples,), dtype bool, or None
        None if no row is marked.

    Raises
    ------
    ValueError
        If all rows are marked, or ``y`` has several columns.
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
    """Take rows of whatever skorch trains on.

    Parameters
    ----------
    data : array-like, tensor, sparse matrix, DataFrame, Dataset, or a dict, list or \
            tuple of those
        The rows.

    rows : ndarray of shape (n_rows,), dtype int64
        Their positions.

    Returns
    -------
    taken : same kind
        A list of numbers becomes an array.
    """
    return map_parts(
        lambda part: pools.take_rows(part, rows), _without_number_lists(data)
    )


def take_labels(y, rows):
    """Take labels, and give numbers that stood beside a string their dtype back.

    Parameters
    ----------
    y : array-like of shape (n_samples,)
        Labels, and marks that may be of another kind.

    rows : ndarray of shape (n_rows,), dtype int64
        The positions of labels.

    Returns
    -------
    y : ndarray, tensor or Series of shape (n_rows,)
        Labels.
    """
    y = take_rows(y, rows)
    first = y[0] if isinstance(y, np.ndarray) and y.dtype.kind == "O" else ""
    return y if isinstance(first, str) else np.array(y.tolist())


class UnlabeledBatches:
    """Endless mini-batches of unlabelled rows, in an order of their own.

    Each pass goes through all rows in a new order. What is random about it, the order
    and the seed that comes with each batch, is drawn from a generator of its own. That
    one is seeded with a digest of the state of torch's generator, which is read and
    left as it is: training draws the numbers it would draw without unlabelled rows,
    and is reproducible where it would be.

    Parameters
    ----------
    dataset : Dataset
        The rows; their targets are never looked at.

    make_iterator : callable
        Makes an iterator over the batches of a dataset, in its order.
    """

    def __init__(self, dataset, make_iterator):
        state = torch.get_rng_state().numpy().tobytes()
        self._rng = np.random.default_rng(zlib.crc32(state))
        self._batches = self._cycle(dataset, make_iterator)

    def _cycle(self, dataset, make_iterator):
        while True:
            order = self._rng.permutation(len(dataset))
            yield from make_iterator(Subset(dataset, order))

    def draw(self):
        """Draw the next batch.

        Returns
        -------
        X : tensor, or a dict, list or tuple of tensors
            The rows.

        seed : int
            Seeds what is random in the forward pass of these rows.
        """
        seed = int(self._rng.integers(2**32))
        # A DataLoader draws from torch's generator, and so may transforms of rows.
        with torch_seeded(seed):
            X, _ = unpack_data(next(self._batches))
        return X, seed
