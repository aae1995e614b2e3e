"""Rows of torch Datasets, taken and put together without nesting."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from torch.utils.data import ConcatDataset, Dataset, IterableDataset, Subset


class _Flat(NamedTuple):
    """Rows of several datasets: each row's dataset, and its position there."""

    datasets: list
    source: NDArray
    position: NDArray


def count(X: Dataset) -> int:
    """Number of rows."""
    # A stream may have a length, which it asks of the streams that make it up.
    if isinstance(X, IterableDataset) or not hasattr(X, "__len__"):
        raise TypeError(
            "A Dataset must have a length, and be indexed by row. Got a "
            f"{type(X).__name__} instead. Read its rows into a TensorDataset, or "
            "into arrays."
        )
    return len(X)


def take(X: Dataset, rows: NDArray) -> Dataset:
    """Some rows, as a subset of the dataset at the bottom."""
    flat = _flatten(X)
    return _build(_Flat(flat.datasets, flat.source[rows], flat.position[rows]))


def concatenate(first: Dataset, second: Dataset) -> Dataset:
    """All rows of one dataset, then all of the other.

    However often it is repeated, there is at most one ``Subset`` of one
    ``ConcatDataset``, whose members are distinct.
    """
    return _build(_join([_flatten(first), _flatten(second)]))


def _flatten(X):
    # Subclasses may do more to a row than these two.
    if type(X) is Subset:
        inside = _flatten(X.dataset)
        rows = np.asarray(X.indices, dtype=np.int64)
        return _Flat(inside.datasets, inside.source[rows], inside.position[rows])
    if type(X) is ConcatDataset:
        return _join([_flatten(part) for part in X.datasets])
    size = count(X)
    return _Flat([X], np.zeros(size, dtype=np.int64), np.arange(size))


def _join(parts):
    datasets = list(
        {id(each): each for part in parts for each in part.datasets}.values()
    )
    number = {id(each): i for i, each in enumerate(datasets)}
    source = [
        np.array([number[id(each)] for each in part.datasets])[part.source]
        for part in parts
    ]
    position = np.concatenate([part.position for part in parts])
    return _Flat(datasets, np.concatenate(source), position)


def _build(flat):
    """The rows as torch's own classes, without the datasets that none is from."""
    used, source = np.unique(flat.source, return_inverse=True)
    # No row at all is still a subset of something.
    datasets = [flat.datasets[i] for i in used] or flat.datasets[:1]
    starts = np.cumsum([0, *(len(each) for each in datasets)])
    rows = starts[source] + flat.position
    whole = datasets[0] if len(datasets) == 1 else ConcatDataset(datasets)
    if np.array_equal(rows, np.arange(starts[-1])):
        return whole
    return Subset(whole, rows.tolist())
