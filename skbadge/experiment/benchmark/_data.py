"""The data sets of a benchmark: arrays, or functions that read them."""

from dataclasses import dataclass, replace
from hashlib import sha256

import numpy as np

from skbadge.experiment.store import content_hash, describe
from skbadge.pools import (
    check_masked_parts,
    column_dtypes,
    is_dataset,
    is_frame,
    kind_of,
    n_rows,
    read_inputs,
    row_ids,
    take_rows,
)
from skbadge.utils._validation import check_masked

_CHUNK = 4096


@dataclass(frozen=True, eq=False)
class Data:
    """A data set in memory.

    Parameters
    ----------
    X : array-like, data frame, sparse matrix, tensor, dict or Dataset
        All rows.

    y : ndarray of shape (n_rows,)
        Their targets.

    preprocessor : transformer or None, default=None
        What makes ``X`` fit for a model, unfitted.

    digest : str or None, default=None
        Of the content, to notice when it changes.
    """

    X: object
    y: np.ndarray
    preprocessor: object = None
    digest: str | None = None


def describe_data(source, name):
    """What a data set is, as JSON: a function to call, or the hash of what is there."""
    if callable(source):
        return describe(source, name)
    data = as_data(source, name)
    preprocessor = describe(data.preprocessor, name)
    return {"content": content_hash((data.X, data.y)), "preprocessor": preprocessor}


def read_data(source, name):
    """Read a data set into memory, with a digest of what a function returned."""
    data = as_data(source() if callable(source) else source, name)
    # Data given as they are have a hash in their description.
    return replace(data, digest=_digest(data)) if callable(source) else data


def _digest(data):
    """SHA-256 of rows and targets, the same in every process."""
    digest = sha256(repr([_layout(data.X), _layout(data.y)]).encode())
    # The rows of a Dataset may be drawn anew each time they are read.
    parts = [data.y] if is_dataset(data.X) else [data.X, data.y]
    for part in parts:
        for start in range(0, n_rows(part), _CHUNK):
            rows = np.arange(start, min(start + _CHUNK, n_rows(part)))
            digest.update("".join(row_ids(take_rows(part, rows))).encode())
    return digest.hexdigest()


def _layout(X):
    """What single rows do not tell: the container, names of columns, and dtypes."""
    kind = kind_of(X)
    if kind in ("dict", "inputs"):
        parts = X.items() if kind == "dict" else enumerate(X)
        return kind, sorted((key, _layout(part)) for key, part in parts)
    if is_frame(X):
        return kind, [(str(name), _type(dtype)) for name, dtype in column_dtypes(X)]
    return kind, _type(getattr(X, "dtype", None)), tuple(getattr(X, "shape", ()))[1:]


def _type(dtype):
    """Name of a dtype; for text, pandas has several, which differ between versions."""
    name = str(dtype)
    is_text = name.lower().startswith(("object", "str", "<u"))
    return "text" if is_text else name


def as_data(found, name):
    """The rows, targets and preprocessor in what a reader returned, as `Data`."""
    preprocessor = getattr(found, "preprocessor", None)
    if isinstance(found, tuple | list) and len(found) == 2:
        X, y = found
    elif hasattr(found, "X") and hasattr(found, "y"):
        X, y = found.X, found.y
    elif hasattr(found, "data") and hasattr(found, "target"):
        X, y = found.data, found.target
    else:
        raise TypeError(
            f"{name} must be a pair (X, y) or an object with `X` and `y`. Got "
            f"{type(found).__name__} instead."
        )
    check_masked_parts(X, f"X of {name}")
    check_masked(y, f"y of {name}")
    y = np.asarray(y)
    if n_rows(X) != len(y):
        # It cannot be a list of rows.
        X = read_inputs(X)
    if n_rows(X) != len(y):
        raise ValueError(
            f"{name} must have as many rows as targets. Got {n_rows(X)} rows and "
            f"{len(y)} targets."
        )
    return Data(X, y, preprocessor)
