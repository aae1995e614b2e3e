"""What kind of container holds some rows, decided in one place."""

import sys
from collections.abc import Mapping
from typing import Any, Literal

import torch
from scipy import sparse

Kind = Literal[
    "array",
    "dict",
    "inputs",
    "list",
    "pandas",
    "polars",
    "sparse",
    "tensor",
    "torch dataset",
]


class Inputs(list):
    """Several inputs of a net, each with one entry a row: skorch's list of arrays.

    A plain list is a list of rows. `read_inputs` makes the difference once, where rows
    come in from outside.

    Parameters
    ----------
    iterable : iterable of containers
        The inputs.

    Examples
    --------
    >>> import numpy as np
    >>> from skbadge.pools import Inputs, n_rows
    >>> n_rows(Inputs([np.zeros((3, 2)), np.zeros((3, 5))]))
    3
    """


def kind_of(X: Any) -> Kind:
    """What kind of container holds some rows.

    Parameters
    ----------
    X : object
        The container.

    Returns
    -------
    kind : str
        "array" for everything that NumPy has to make sense of.
    """
    # Before the dicts: in older versions of SciPy, a matrix of format dok is one.
    if sparse.issparse(X):
        return "sparse"
    if isinstance(X, Mapping):
        return "dict"
    if isinstance(X, Inputs):
        return "inputs"
    if isinstance(X, list | tuple):
        return "list"
    if isinstance(X, torch.Tensor):
        return "tensor"
    if isinstance(X, torch.utils.data.Dataset):
        return "torch dataset"
    if hasattr(X, "iloc"):
        return "pandas"
    # If polars was never imported, nothing can be its frame.
    polars = sys.modules.get("polars")
    if polars is not None and isinstance(X, polars.DataFrame | polars.Series):
        return "polars"
    return "array"


def is_frame(X: Any) -> bool:
    """Whether rows are a DataFrame, of pandas or polars; a Series is none."""
    return hasattr(X, "columns") and kind_of(X) in ("pandas", "polars")


def is_several(X: Any) -> bool:
    """Whether rows are several containers, a dict of them or `Inputs`."""
    return kind_of(X) in ("dict", "inputs")


def is_dataset(X: Any) -> bool:
    """Whether rows are a torch ``Dataset``."""
    return kind_of(X) == "torch dataset"


def is_tensor(X: Any) -> bool:
    """Whether rows are a torch tensor."""
    return kind_of(X) == "tensor"


def is_table(X: Any) -> bool:
    """Whether rows are something `sklearn.utils.check_array` is meant for."""
    return kind_of(X) in ("array", "list", "pandas", "polars", "sparse")
