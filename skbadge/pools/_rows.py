"""Rows of any container: count, take, copy them, and put them together.

skorch's ``get_len`` and ``multi_indexing`` read every list as a list of arrays, and
know neither polars nor all sparse formats, so that what a container can do is said
here, once for each kind.
"""

import sys
from copy import deepcopy
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike
from scipy import sparse

from skbadge._compat import num_samples
from skbadge.pools import _flat_datasets
from skbadge.pools._kinds import Inputs, kind_of
from skbadge.pools._numbers import objects_of


def n_rows(X: Any) -> int:
    """Number of rows.

    Parameters
    ----------
    X : array-like, sparse matrix, data frame, tensor, Dataset, or dict or `Inputs` of \
            those
        The rows. The parts of a dict must have equal numbers of rows.

    Returns
    -------
    n_rows : int
        How many.
    """
    return _operations(X).count(X)


def first_rows(X: Any, n: int) -> Any:
    """The first rows of a container.

    Parameters
    ----------
    X : as for `n_rows`
        The rows.

    n : int
        How many, at most.

    Returns
    -------
    rows : same kind
        A view where the container allows it.
    """
    return slice_rows(X, 0, n)


def slice_rows(X: Any, start: int, stop: int) -> Any:
    """Consecutive rows of a container.

    Parameters
    ----------
    X : as for `n_rows`
        The rows.

    start, stop : int
        From which on, and before which; neither is negative.

    Returns
    -------
    rows : same kind
        A view where the container allows it; fewer where the container ends earlier.
    """
    return _operations(X).slice(X, start, stop)


def take_rows(X: Any, rows: ArrayLike) -> Any:
    """Some rows of a container.

    Parameters
    ----------
    X : as for `n_rows`
        The rows.

    rows : ndarray of int
        Which, in which order.

    Returns
    -------
    rows : same kind
        A copy, of pandas with the index; of a sparse matrix, CSR; of a Dataset, a
        ``Subset`` of the dataset at the bottom.
    """
    return _operations(X).take(X, np.asarray(rows, dtype=np.int64))


def copy_rows(X: Any) -> Any:
    """A copy that its owner's changes do not reach.

    Parameters
    ----------
    X : as for `n_rows`
        The rows.

    Returns
    -------
    rows : same kind
        The copy, of objects in arrays and data frames too. Of a torch Dataset, what
        cannot be copied and what lies in files is shared.
    """
    return _operations(X).copy(X)


def concatenate_rows(first: Any, second: Any, name: str = "X") -> Any:
    """All rows of one container, then all rows of another of the same kind.

    Parameters
    ----------
    first, second : as for `n_rows`
        Of the same kind. Lists and arrays are one kind.

    name : str
        What to call ``second`` in an error.

    Returns
    -------
    rows : same kind
        A new container. Two lists make a list, a list and an array make an array; the
        indices of pandas are kept, and sparse matrices make a CSR matrix.
    """
    mine, theirs = _operations(first), _operations(second)
    if mine.name(first) != theirs.name(second):
        raise TypeError(
            f"`{name}` must be of the same kind as the labelled rows so far, "
            f"{mine.name(first)}. Got {theirs.name(second)} instead."
        )
    # If a list meets an array, the array decides.
    chosen = theirs if isinstance(mine, _List) else mine
    return chosen.concatenate(first, second, name)


class _Array:
    """Arrays, and what NumPy makes arrays of."""

    def name(self, X):
        return "array"

    def count(self, X):
        return num_samples(X)

    def slice(self, X, start, stop):
        return X[start:stop]

    def take(self, X, rows):
        # The mask of a masked array goes with the rows.
        return np.asanyarray(X)[rows]

    def copy(self, X):
        array = np.array(X)
        return deepcopy(array) if array.dtype.hasobject else array

    def concatenate(self, first, second, name):
        return np.concatenate([_as_array(first, second), _as_array(second, first)])


def _as_array(X, other):
    """Rows as an array; those of a list stay objects beside an array of objects."""
    if not isinstance(X, list | tuple) or other.dtype != object:
        return np.asarray(X)
    if other.ndim > 1:
        return np.array(X, dtype=object)
    return objects_of(X)


class _List(_Array):
    """Lists and tuples of rows, which may be of different lengths: they stay lists."""

    def take(self, X, rows):
        return [X[row] for row in rows]

    def copy(self, X):
        return deepcopy(X)

    def concatenate(self, first, second, name):
        return [*first, *second]


class _Several:
    """Several containers with one entry a row each: dicts of them, and `Inputs`."""

    def name(self, X):
        return "list of arrays" if isinstance(X, Inputs) else "dict"

    def count(self, X):
        sizes = {key: n_rows(part) for key, part in _items(X)}
        if len(set(sizes.values())) != 1:
            raise ValueError(
                f"The entries of a {self.name(X)} must have equal numbers of rows. "
                f"Got {sizes}."
            )
        return next(iter(sizes.values()))

    def slice(self, X, start, stop):
        return _like(X, {key: slice_rows(part, start, stop) for key, part in _items(X)})

    def take(self, X, rows):
        return _like(X, {key: take_rows(part, rows) for key, part in _items(X)})

    def copy(self, X):
        return _like(X, {key: copy_rows(part) for key, part in _items(X)})

    def concatenate(self, first, second, name):
        mine, theirs = dict(_items(first)), dict(_items(second))
        if mine.keys() != theirs.keys():
            raise ValueError(
                f"`{name}` must have the keys {list(mine)}. Got {list(theirs)}."
            )
        parts = {
            key: concatenate_rows(part, theirs[key], f"{name}[{key!r}]")
            for key, part in mine.items()
        }
        return _like(first, parts)


def _items(X):
    return enumerate(X) if isinstance(X, Inputs) else X.items()


def _like(X, parts):
    return Inputs(parts.values()) if isinstance(X, Inputs) else parts


class _Sparse(_Array):
    """Sparse matrices and arrays. Only some formats can be sliced: CSR can."""

    def name(self, X):
        return "sparse matrix"

    def slice(self, X, start, stop):
        return X.tocsr()[start:stop]

    def take(self, X, rows):
        return X.tocsr()[rows]

    def copy(self, X):
        return X.copy()

    def concatenate(self, first, second, name):
        return sparse.vstack([first, second], format="csr")


class _Tensor(_Array):
    """Torch tensors, on the device where they are."""

    def name(self, X):
        return "tensor"

    def take(self, X, rows):
        return X[torch.as_tensor(rows, device=X.device)]

    def copy(self, X):
        return X.detach().clone()

    def concatenate(self, first, second, name):
        return torch.cat([first, second])


class _Dataset:
    """Torch Datasets."""

    count = staticmethod(_flat_datasets.count)
    take = staticmethod(_flat_datasets.take)
    copy = staticmethod(_flat_datasets.copy)

    def name(self, X):
        return "Dataset"

    def slice(self, X, start, stop):
        return take_rows(X, np.arange(start, min(stop, n_rows(X))))

    def concatenate(self, first, second, name):
        return _flat_datasets.concatenate(first, second)


class _Pandas(_Array):
    """DataFrames and Series of pandas; their index goes with the rows."""

    def name(self, X):
        return "data frame" if hasattr(X, "columns") else "series"

    def slice(self, X, start, stop):
        return X.iloc[start:stop]

    def take(self, X, rows):
        return X.iloc[rows]

    def copy(self, X):
        if not hasattr(X, "columns"):
            copied = _copied_series(X)
        else:
            copied = X.copy()
            for i in np.flatnonzero([dtype.kind == "O" for dtype in X.dtypes]):
                copied.isetitem(i, _copied_series(X.iloc[:, i]))
            copied.columns = X.columns.copy(deep=True)
        # An index may share memory with an array that it was made of.
        copied.index = X.index.copy(deep=True)
        return copied

    def concatenate(self, first, second, name):
        _check_columns(first, second, name)
        return sys.modules["pandas"].concat([first, second])


def _copied_series(X):
    """A Series of pandas with copies of its objects."""
    if X.dtype != object:
        return X.copy()
    entries = deepcopy(X.to_numpy())
    return X._constructor(entries, index=X.index, name=X.name, dtype=object)


class _Polars(_Array):
    """DataFrames and Series of polars."""

    def name(self, X):
        return f"polars {_Pandas().name(X)}"

    def take(self, X, rows):
        return X[rows]

    def copy(self, X):
        # A clone would share memory with a NumPy array that X was made of.
        copied = X[np.arange(len(X))]
        if hasattr(X, "columns"):
            objects = [name for name in X.columns if str(X[name].dtype) == "Object"]
            return copied.with_columns([_copied_objects(X[name]) for name in objects])
        return _copied_objects(X) if str(X.dtype) == "Object" else copied

    def concatenate(self, first, second, name):
        _check_columns(first, second, name)
        if not hasattr(first, "columns"):
            frames = first.to_frame(), second.alias(first.name).to_frame()
            return self.concatenate(*frames, name).to_series()
        # The columns of a few rows may have found a narrower dtype.
        frames = [first, second.select(first.columns)]
        return sys.modules["polars"].concat(frames, how="vertical_relaxed")


def _copied_objects(X):
    """A Series of polars with copies of its objects."""
    return type(X)(X.name, deepcopy(X.to_list()), dtype=X.dtype)


def _check_columns(first, second, name):
    mine, theirs = (list(getattr(X, "columns", ())) for X in (first, second))
    if len(mine) != len(theirs) or set(mine) != set(theirs):
        raise ValueError(f"`{name}` must have the columns {mine}. Got {theirs}.")


_OPERATIONS = {
    "array": _Array(),
    "dict": _Several(),
    "inputs": _Several(),
    "list": _List(),
    "pandas": _Pandas(),
    "polars": _Polars(),
    "sparse": _Sparse(),
    "tensor": _Tensor(),
    "torch dataset": _Dataset(),
}


def _operations(X):
    return _OPERATIONS[kind_of(X)]
