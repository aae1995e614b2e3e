"""The data sets of a benchmark: arrays, or functions that read them."""

from dataclasses import dataclass

import joblib
import numpy as np

from skbadge.experiment.store._configuration import describe
from skbadge.pools import n_rows


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
    """

    X: object
    y: np.ndarray
    preprocessor: object = None


def describe_data(source, name):
    """What a data set is, as JSON: a function to call, or the hash of what is there.

    Parameters
    ----------
    source : function, tuple or object
        As `Benchmark` takes it.

    name : str
        For errors.

    Returns
    -------
    description : dict
        See `describe`.
    """
    if callable(source):
        return describe(source, name)
    data = as_data(source, name)
    preprocessor = describe(data.preprocessor, name)
    return {"content": joblib.hash((data.X, data.y)), "preprocessor": preprocessor}


def read_data(source, name):
    """Read a data set.

    Parameters
    ----------
    source : function, tuple or object
        As `Benchmark` takes it.

    name : str
        For errors.

    Returns
    -------
    data : Data
        In memory.
    """
    return as_data(source() if callable(source) else source, name)


def as_data(found, name):
    """The rows, targets and preprocessor in what a reader returned.

    Parameters
    ----------
    found : tuple (X, y) or object
        An object has ``X`` and ``y``, or ``data`` and ``target``.

    name : str
        For errors.

    Returns
    -------
    data : Data
        The same.

    Raises
    ------
    TypeError
        If it is something else.
    ValueError
        If ``X`` and ``y`` differ in length.
    """
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
    y = np.asarray(y)
    if n_rows(X) != len(y):
        raise ValueError(
            f"{name} must have as many rows as targets. Got {n_rows(X)} rows and "
            f"{len(y)} targets."
        )
    return Data(X, y, preprocessor)
