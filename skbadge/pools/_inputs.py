"""Rows that are several inputs of a net, and tables as the arrays that a net takes."""

from collections.abc import Callable, Iterator
from inspect import Parameter, signature
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import sparse

from skbadge.pools._kinds import Inputs, is_frame, kind_of
from skbadge.utils._validation import check_masked

NUMERIC_KINDS = "biufc"


def read_inputs(X: Any) -> Any:
    """Tell several inputs of a net from a list of rows.

    Parameters
    ----------
    X : object
        What a net without steps before it is given.

    Returns
    -------
    X : Inputs, dict, or the same
        `Inputs` of a list or tuple whose elements all have two axes or more and equal
        lengths, also where it is an entry of a dict. Any other list is a list of rows.
    """
    kind = kind_of(X)
    if kind == "dict":
        return {name: read_inputs(part) for name, part in X.items()}
    if kind != "list" or not X:
        return X
    shapes: list[tuple[int, ...]] = [getattr(part, "shape", ()) for part in X]
    lengths = {shape[0] if len(shape) >= 2 else None for shape in shapes}
    return Inputs(X) if len(lengths) == 1 and None not in lengths else X


def map_parts(function: Callable[[Any], Any], X: Any) -> Any:
    """Apply a function to each of several arrays, or to the one array.

    Parameters
    ----------
    function : callable
        From a container of rows to anything.

    X : container of rows, or dict, list or tuple of those
        A list is taken for a list of arrays. Lists of rows are for the caller to find.

    Returns
    -------
    mapped : same kind
        What the function returned, in the same structure.
    """
    kind = kind_of(X)
    if kind == "dict":
        return {name: map_parts(function, part) for name, part in X.items()}
    if kind in ("inputs", "list"):
        return type(X)([map_parts(function, part) for part in X])
    return function(X)


def parts_of(X: Any) -> list:
    """List the arrays that make up ``X``, where `map_parts` would find them."""
    parts: list = []
    map_parts(parts.append, X)
    return parts


def named_parts(X: Any, name: str) -> Iterator[tuple[str, Any]]:
    """List the containers that make up rows, and what to call each in an error.

    Parameters
    ----------
    X : container of rows, dict or `Inputs`
        A plain list is one container.

    name : str
        What to call ``X``.

    Yields
    ------
    name : str
        Such as "X['image']" or "X[0]".

    part : container of rows
        The part.
    """
    kind = kind_of(X)
    if kind not in ("dict", "inputs"):
        yield name, X
        return
    for key, part in X.items() if kind == "dict" else enumerate(X):
        yield from named_parts(part, f"{name}[{key!r}]")


def check_masked_parts(X: Any, name: str) -> None:
    """Raise if any of the arrays that make up rows has masked entries."""
    for part_name, part in named_parts(X, name):
        check_masked(part, part_name)


def is_sliceable(X: Any) -> bool:
    """Whether every part of ``X`` is a tensor or a numeric, maybe sparse, array."""
    return all(
        isinstance(part, torch.Tensor)
        or (
            (isinstance(part, np.ndarray) or sparse.issparse(part))
            and part.ndim > 0
            and part.dtype.kind in NUMERIC_KINDS
        )
        for part in parts_of(X)
    )


def row_nbytes(X: Any) -> int:
    """Bytes of one row of ``X`` as dense arrays, at least 1."""
    total = 0
    for part in parts_of(X):
        itemsize = part.dtype.itemsize
        total += itemsize * int(np.prod(part.shape[1:], dtype=np.int64))
    return max(1, total)


# Tables


def frame_to_arrays(X: Any, forward: Callable) -> Any:
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
    if not is_frame(X) or not_numeric(X):
        return X
    if takes_columns(forward, X.columns):
        return {name: frame_to_array(X[name]).reshape(-1, 1) for name in X.columns}
    return frame_to_array(X)


def takes_columns(forward: Callable, columns: Any) -> bool:
    """Whether a forward takes the columns of a DataFrame one by one, by name."""
    parameters = signature(forward).parameters.values()
    kinds = (Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD)
    named = [parameter for parameter in parameters if parameter.kind not in kinds]
    if not named:
        return any(item.kind is Parameter.VAR_KEYWORD for item in parameters)
    required = [item for item in named if item.default is Parameter.empty]
    known = {parameter.name for parameter in named}
    return len(required) > 1 or (len(columns) > 1 and set(columns) <= known)


def column_dtypes(X: Any) -> list[tuple[str, Any]]:
    """Names and dtypes of the columns of a DataFrame or Series."""
    if hasattr(X, "columns"):
        return list(zip(X.columns, X.dtypes, strict=True))
    return [(X.name, X.dtype)]


def not_numeric(X: Any) -> list[str]:
    """Names of the columns that hold neither numbers nor booleans."""
    return [name for name, dtype in column_dtypes(X) if not _is_numeric(dtype)]


def _is_numeric(dtype):
    if hasattr(dtype, "is_numeric"):
        # polars'
        return dtype.is_numeric() or str(dtype) == "Boolean"
    return getattr(dtype, "kind", "O") in NUMERIC_KINDS


def frame_to_array(X: Any) -> NDArray:
    """Make one array of a numeric DataFrame, or of a Series.

    Parameters
    ----------
    X : DataFrame or Series, of pandas or polars
        Holds numbers and booleans, also nullable ones.

    Returns
    -------
    X : ndarray of shape (n_rows, n_columns) or (n_rows,)
        Not copied where the frame holds one. Missing values are NaN.
    """
    if kind_of(X) == "polars":
        array = X.to_numpy()
        # Booleans with nulls arrive as objects.
        return array.astype(np.float64) if array.dtype == object else array
    dtypes = {dtype for _, dtype in column_dtypes(X)}
    if len(dtypes) == 1 and isinstance(next(iter(dtypes)), np.dtype):
        return X.to_numpy()
    is_float = any(getattr(dtype, "kind", "O") not in "biu" for dtype in dtypes)
    if is_float or np.any(X.isna()):
        return X.to_numpy(dtype=np.float64, na_value=np.nan)
    return X.to_numpy(dtype=np.int64)
