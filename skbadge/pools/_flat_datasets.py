"""Rows of torch Datasets, taken and put together without nesting."""

from copy import deepcopy
from typing import NamedTuple

import joblib
import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import (
    ConcatDataset,
    Dataset,
    IterableDataset,
    Subset,
    TensorDataset,
)

from skbadge.pools._kinds import is_tensor
from skbadge.pools._numbers import array_of
from skbadge.utils._deep_copies import copied_attributes


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


def copy(X: Dataset) -> Dataset:
    """The rows, of copies of the datasets at the bottom.

    Of a ``TensorDataset``, only these rows are copied. Any other dataset is copied as a
    whole, except for what cannot be copied and for memory maps.
    """
    flat = _flatten(X)
    datasets, position = [], flat.position.copy()
    for i, dataset in enumerate(flat.datasets):
        mine = flat.source == i
        if not mine.any():
            pass
        elif type(dataset) is TensorDataset:
            rows = torch.as_tensor(position[mine])
            parts = (part.detach() for part in dataset.tensors)
            dataset = TensorDataset(*(part[rows.to(part.device)] for part in parts))
            position[mine] = np.arange(len(rows))
        else:
            dataset = _copied(dataset)
        datasets.append(dataset)
    return _build(_Flat(datasets, flat.source, position))


def _copied(dataset):
    parts = _attributes(dataset).values()
    memo = {id(part): part for part in parts if isinstance(part, np.memmap)}
    try:
        return deepcopy(dataset, dict(memo))
    except Exception:
        copied = object.__new__(type(dataset))
        vars(copied).update(copied_attributes(dataset, memo))
        return copied


def _attributes(dataset):
    return getattr(dataset, "__dict__", {})


def concatenate(first: Dataset, second: Dataset) -> Dataset:
    """All rows of one dataset, then all of the other.

    However often it is repeated, there is at most one ``Subset`` of one
    ``ConcatDataset``, whose members are distinct. Copies of one dataset, such as of a
    pool whose rows come in rounds, become one.
    """
    mine, theirs = _flatten(first), _flatten(second)
    datasets = [_twin(each, mine.datasets) for each in theirs.datasets]
    return _build(_join([mine, theirs._replace(datasets=datasets)]))


def _twin(dataset, others):
    """One of the others that holds the same, or else the dataset itself."""
    if type(dataset) is TensorDataset:
        # Copies of these hold no more than the rows of their round.
        return dataset
    return next((other for other in others if _holds_same(dataset, other)), dataset)


def _holds_same(dataset, other):
    if type(dataset) is not type(other) or len(dataset) != len(other):
        return dataset is other
    mine, theirs = _attributes(dataset), _attributes(other)
    if mine.keys() != theirs.keys():
        return False
    return all(_is_equal(mine[name], theirs[name]) for name in mine)


def _is_equal(part, other):
    if part is other:
        return True
    if type(part) is not type(other):
        return False
    if isinstance(part, str | bytes | int | float):
        return part == other
    if isinstance(part, dict):
        part, other = list(part.items()), list(other.items())
    if isinstance(part, list | tuple):
        return len(part) == len(other) and all(map(_is_equal, part, other))
    if is_tensor(part):
        # Hashes of tensors differ from copy to copy.
        part, other = array_of(part), array_of(other)
    if isinstance(part, np.ndarray) and _looks_different(part, other):
        return False
    try:
        return joblib.hash(part) == joblib.hash(other)
    except Exception:
        # What has no hash by value is equal to itself only.
        return False


def _looks_different(array, other):
    """Whether two arrays are seen to differ without a pass over them."""
    if array.dtype == object or not array.ndim:
        return False
    first, second = array[:1].tobytes(), other[:1].tobytes()
    return array.shape != other.shape or first != second


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
