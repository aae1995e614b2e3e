"""Rows of the containers a model may take: count them, and put them together."""

import sys
from copy import copy

import numpy as np
from scipy import sparse

from skbadge._compat import num_samples


def _torch():
    # If torch was never imported, nothing can be a tensor or a data set of its kind.
    return sys.modules.get("torch")


def is_tensor(X):
    """Whether ``X`` is a torch tensor."""
    torch = _torch()
    return torch is not None and isinstance(X, torch.Tensor)


def is_dataset(X):
    """Whether ``X`` is a torch ``Dataset``."""
    torch = _torch()
    return torch is not None and isinstance(X, torch.utils.data.Dataset)


def is_dict(X):
    """Whether ``X`` is a dict of containers, and not a matrix in the guise of one."""
    return isinstance(X, dict) and not sparse.issparse(X)


def is_frame(X):
    """Whether ``X`` is a data frame or series, of pandas or of its kind."""
    return hasattr(X, "iloc")


def is_table(X):
    """Whether ``X`` is something `sklearn.utils.check_array` is meant for."""
    return not (is_dict(X) or is_tensor(X) or is_dataset(X))


def n_rows(X):
    """Number of rows.

    Parameters
    ----------
    X : array-like, sparse matrix, data frame, tensor, dict of these, or Dataset
        The rows. The values of a dict must have equal numbers of rows.

    Returns
    -------
    n_rows : int
        How many.
    """
    if is_dict(X):
        sizes = {key: n_rows(value) for key, value in X.items()}
        if len(set(sizes.values())) != 1:
            raise ValueError(
                f"The entries of a dict must have equal numbers of rows. Got {sizes}."
            )
        return next(iter(sizes.values()))
    return len(X) if is_dataset(X) else num_samples(X)


def first_rows(X, n):
    """The first rows of a container.

    Parameters
    ----------
    X : array-like, sparse matrix, data frame, tensor, dict of these, or Dataset
        The rows.

    n : int
        How many, at most.

    Returns
    -------
    rows : same kind
        A view where the container allows it.
    """
    if is_dict(X):
        return {key: first_rows(value, n) for key, value in X.items()}
    if is_dataset(X):
        return _torch().utils.data.Subset(X, range(min(n, len(X))))
    return X.iloc[:n] if is_frame(X) else X[:n]


def take_rows(X, rows):
    """Some rows of a container.

    Parameters
    ----------
    X : array-like, sparse matrix, data frame, tensor, dict of these, or Dataset
        The rows.

    rows : ndarray of int
        Which, in which order.

    Returns
    -------
    rows : same kind
        A copy; of a list, an ndarray; of a Dataset, a Subset.
    """
    if is_dict(X):
        return {key: take_rows(value, rows) for key, value in X.items()}
    if is_dataset(X):
        return _torch().utils.data.Subset(X, rows)
    if is_frame(X):
        return X.iloc[rows]
    if sparse.issparse(X):
        return X.tocsr()[rows]
    return X[rows] if is_tensor(X) else np.asarray(X)[rows]


def copy_rows(X):
    """A copy that its owner's changes do not reach; a Dataset stays the same.

    Parameters
    ----------
    X : array-like, sparse matrix, data frame, tensor, dict of these, or Dataset
        The rows.

    Returns
    -------
    rows : same kind
        The copy.
    """
    if is_dict(X):
        return {key: copy_rows(value) for key, value in X.items()}
    if is_tensor(X):
        return X.detach().clone()
    return X if is_dataset(X) else copy(X)


def concatenate_rows(first, second, name="X"):
    """All rows of one container, then all rows of another of the same kind.

    Parameters
    ----------
    first, second : array-like, sparse matrix, data frame, tensor, dict or Dataset
        Of the same kind. Lists and arrays are one kind.

    name : str
        What to call ``second`` in an error.

    Returns
    -------
    rows : same kind
        A new container.
    """
    if _kind(first) != _kind(second):
        raise TypeError(
            f"`{name}` must be of the same kind as the labelled rows so far, "
            f"{_kind(first)}. Got {_kind(second)} instead."
        )
    if is_dict(first):
        if first.keys() != second.keys():
            raise ValueError(
                f"`{name}` must have the keys {list(first)}. Got {list(second)}."
            )
        return {
            key: concatenate_rows(first[key], second[key], f"{name}[{key!r}]")
            for key in first
        }
    if is_dataset(first):
        return _torch().utils.data.ConcatDataset([first, second])
    if is_tensor(first):
        return _torch().cat([first, second])
    if sparse.issparse(first):
        return sparse.vstack([first, second], format="csr")
    if is_frame(first):
        concat = sys.modules["pandas"].concat
        return concat([first, second], ignore_index=True)
    return np.concatenate([np.asarray(first), np.asarray(second)])


def _kind(X):
    if is_dict(X):
        return "dict"
    if is_dataset(X):
        return "Dataset"
    if is_tensor(X):
        return "tensor"
    if sparse.issparse(X):
        return "sparse matrix"
    return "data frame" if is_frame(X) else "array"
