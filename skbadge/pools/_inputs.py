"""What skorch users pass as ``X``: its rows, their size, and tables as arrays."""

from collections.abc import Mapping
from inspect import Parameter, signature

import numpy as np
from scipy import sparse

NUMERIC_KINDS = "biufc"


def is_frame(X):
    """Whether ``X`` is a pandas ``DataFrame``, without importing pandas."""
    return hasattr(X, "iloc") and hasattr(X, "columns")


def frame_to_arrays(X, forward):
    """Turn a numeric DataFrame into what a module's forward takes.

    Parameters
    ----------
    X : DataFrame
        Other types are returned as they are.

    forward : callable
        The module's ``forward``, bound.

    Returns
    -------
    X : ndarray, dict of str to ndarray of shape (n_rows, 1), or DataFrame
        One array for a module with one input, skorch's dict of columns for a module
        with several. A DataFrame with other than numeric columns is left to skorch.
    """
    if not is_frame(X):
        return X
    kinds = {getattr(dtype, "kind", "O") for dtype in X.dtypes}
    if not kinds <= set(NUMERIC_KINDS):
        return X
    if takes_columns(forward, X.columns):
        return {name: _to_numpy(X[name]).reshape(-1, 1) for name in X.columns}
    return _to_numpy(X)


def _to_numpy(X):
    array = X.to_numpy()
    # Nullable columns, and mixtures of booleans and numbers, arrive as objects.
    return X.to_numpy(dtype=float, na_value=np.nan) if array.dtype == object else array


def takes_columns(forward, columns):
    """Whether a forward takes the columns of a DataFrame one by one, by name."""
    parameters = signature(forward).parameters.values()
    kinds = (Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD)
    named = [parameter for parameter in parameters if parameter.kind not in kinds]
    if not named:
        return any(item.kind is Parameter.VAR_KEYWORD for item in parameters)
    required = [item for item in named if item.default is Parameter.empty]
    known = {parameter.name for parameter in named}
    return len(required) > 1 or (len(columns) > 1 and set(columns) <= known)


def map_parts(function, X):
    """Apply a function to each array of a dict or list, or to the one array."""
    if isinstance(X, Mapping):
        return {name: map_parts(function, part) for name, part in X.items()}
    if isinstance(X, list | tuple):
        return [map_parts(function, part) for part in X]
    return function(X)


def is_multi_input(X):
    """Whether ``X`` is several arrays, a dict or a list of them."""
    return isinstance(X, Mapping | list | tuple)


def parts_of(X):
    """List the arrays that make up ``X``."""
    if isinstance(X, Mapping):
        return [item for part in X.values() for item in parts_of(part)]
    if isinstance(X, list | tuple):
        return [item for part in X for item in parts_of(part)]
    return [X]


def is_sliceable(X, tensor_class):
    """Whether every part of ``X`` is a tensor or a numeric, maybe sparse, array."""
    return all(
        isinstance(part, tensor_class)
        or (
            (isinstance(part, np.ndarray) or sparse.issparse(part))
            and part.ndim > 0
            and part.dtype.kind in NUMERIC_KINDS
        )
        for part in parts_of(X)
    )


def row_nbytes(X):
    """Bytes of one row of ``X`` as dense arrays, at least 1."""
    total = 0
    for part in parts_of(X):
        itemsize = part.dtype.itemsize
        total += itemsize * int(np.prod(part.shape[1:], dtype=np.int64))
    return max(1, total)
