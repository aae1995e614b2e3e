"""The same numeric rows in every kind of container, and a way back to an array."""

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import sparse
from torch.utils.data import ConcatDataset, Subset, TensorDataset

from skbadge.pools import Inputs, is_several, kind_of

try:
    import polars as pl
except ImportError:
    pl = None

COLUMNS = ["u", "v"]
FORMATS = ["csr", "csc", "coo", "lil", "dok", "bsr", "dia"]


class Rows(torch.utils.data.Dataset):
    """Rows with a dummy target."""

    def __init__(self, X):
        self.X = X

    def __len__(self):
        return len(self.X)

    def __getitem__(self, i):
        return torch.as_tensor(self.X[i]), 0


def read(X):
    """What is in the rows, as a float64 array of shape (n_rows, n_columns)."""
    if kind_of(X) == "dict":
        parts = [read(X[key]) for key in sorted(X)]
        return np.hstack(parts)
    if isinstance(X, Inputs):
        return np.hstack([read(part) for part in X])
    if isinstance(X, torch.utils.data.Dataset):
        return np.array([X[i][0].numpy() for i in range(len(X))]).reshape(len(X), -1)
    if isinstance(X, torch.Tensor):
        X = X.double()
    array = X.toarray() if sparse.issparse(X) else np.asarray(X)
    return array.reshape(len(array), -1).astype(np.float64)


def spoil(rows):
    """Change rows in place, through everything that holds them."""
    if is_several(rows):
        for part in rows.values() if kind_of(rows) == "dict" else rows:
            spoil(part)
    elif isinstance(rows, ConcatDataset):
        for part in rows.datasets:
            spoil(part)
    elif isinstance(rows, Subset):
        spoil(rows.dataset)
    elif isinstance(rows, torch.utils.data.Dataset):
        for part in rows.tensors if hasattr(rows, "tensors") else [rows.X]:
            part[:] = 99
    elif sparse.issparse(rows) and rows.format == "dok":
        for key in list(rows.keys()):
            rows[key] = 99
    elif sparse.issparse(rows) and rows.format == "lil":
        for data in rows.data:
            data[:] = [99] * len(data)
    elif sparse.issparse(rows):
        for name in ("data", "indices", "row", "col", "offsets"):
            if hasattr(rows, name):
                getattr(rows, name)[:] = 0
    elif isinstance(rows, list):
        for i, row in enumerate(rows):
            rows[i] = 99
            if isinstance(row, list | np.ndarray):
                row[:] = [99] * len(row)
    elif kind_of(rows) == "polars":
        rows[0, "u"] = 99
    elif hasattr(rows, "iloc"):
        rows.iloc[:, :] = 99
    elif not isinstance(rows, tuple):
        rows[:] = 99


def _frame(X):
    # pandas 2 would keep the array itself.
    return pd.DataFrame(X.copy(), columns=COLUMNS, index=np.arange(len(X))[::-1] + 100)


def _tensors(X):
    return TensorDataset(torch.tensor(X.copy()), torch.zeros(len(X)))


CONTAINERS = {
    "array": np.array,
    "float32": lambda X: X.astype(np.float32),
    "fortran": lambda X: np.array(X, order="F"),
    "ints": lambda X: X.astype(np.int64),
    "bytes": lambda X: X.astype(np.uint8),
    "objects": lambda X: X.astype(object),
    "images": lambda X: X.reshape(len(X), 2, 1).copy(),
    "list": np.ndarray.tolist,
    "tuple": lambda X: tuple(map(tuple, X.tolist())),
    "list of arrays": lambda X: list(X.copy()),
    **{f"{name}_matrix": getattr(sparse, f"{name}_matrix") for name in FORMATS},
    **{f"{name}_array": getattr(sparse, f"{name}_array") for name in FORMATS},
    "frame": _frame,
    "mixed frame": lambda X: _frame(X).astype({"u": "int64"}),
    "object frame": lambda X: _frame(X).astype({"v": object}),
    "nullable frame": lambda X: _frame(X).convert_dtypes(),
    "tensor": lambda X: torch.tensor(X),
    "bfloat16": lambda X: torch.tensor(X, dtype=torch.bfloat16),
    "dict": lambda X: {"u": X[:, 0].copy(), "v": torch.tensor(X[:, 1])},
    "nested dict": lambda X: {"u": {"w": X[:, :1].copy()}, "v": X[:, 1].tolist()},
    "inputs": lambda X: Inputs([X[:, :1].copy(), torch.tensor(X[:, 1:])]),
    "dataset": lambda X: Rows(X.copy()),
    "tensor dataset": _tensors,
    "subset": lambda X: Subset(Rows(X[::-1].copy()), range(len(X))[::-1]),
    "tensor subset": lambda X: Subset(_tensors(X[::-1]), range(len(X))[::-1]),
    "several datasets": lambda X: ConcatDataset([Rows(X[:1].copy()), _tensors(X[1:])]),
}
if pl is not None:
    CONTAINERS["polars"] = lambda X: pl.DataFrame(X, schema=COLUMNS)
    CONTAINERS["mixed polars"] = lambda X: pl.DataFrame(
        {"u": X[:, 0].astype(int), "v": X[:, 1].copy()}
    )

all_containers = pytest.mark.parametrize("make", CONTAINERS.values(), ids=CONTAINERS)
