"""Validation rows of the user's, as a net reads its training rows."""

from typing import Any

import numpy as np
import skorch.dataset
import torch
from numpy.typing import ArrayLike, NDArray
from skorch.utils import data_from_dataset, to_numpy
from torch.utils.data import Dataset, Subset

from skbadge.nn._dataset import ArrayDataset
from skbadge.nn._target_dataset import TargetDataset
from skbadge.pools import is_dataset


class RelabeledDataset(Dataset):
    """The rows of a dataset with other targets: skorch trains on those inside it.

    ``of_pairs`` says that items are pairs of a row and a target that is ignored; else
    they may also be rows.
    """

    def __init__(self, rows, target, of_pairs=True):
        self.rows = rows
        self.target = target
        self.of_pairs = of_pairs

    def __len__(self):
        return len(self.target)

    def __getitem__(self, i):
        item = self.rows[i]
        if isinstance(item, list | tuple) and len(item) == 2:
            return item[0], self.target[i]
        if self.of_pairs:
            size = f" of {len(item)}" if isinstance(item, list | tuple) else ""
            raise ValueError(
                "The items of a Dataset must be pairs (row, target), as skorch takes "
                f"them; targets inside are ignored. Got a {type(item).__name__}{size}."
            )
        return item, self.target[i]


class CodedSplit:
    """A `train_split` whose validation rows are read as the training rows are.

    Parameters
    ----------
    split : callable
        skorch's validation split. Rows that it splits off the training rows stay as
        they are. Those of another data set, as in `skorch.helper.predefined_split`, may
        be a pair ``(X, y)`` too.

    classes : ndarray of shape (n_classes,) or None, default=None
        The labels in the order of their codes; None for targets of a regression.
        Validation labels that are codes already remain.

    dtype : str or None, default=None
        Dtype of the codes.
    """

    def __init__(
        self, split: Any, classes: NDArray | None = None, dtype: str | None = None
    ):
        self.split = split
        self.classes = classes
        self.dtype = dtype

    def __call__(self, dataset: Dataset, *args: Any, **kwargs: Any) -> tuple:
        """Split a data set, with targets or groups as `split` takes them."""
        train, valid = self.split(dataset, *args, **kwargs)
        if valid is None or _root(valid) is _root(dataset):
            return train, valid
        X, y = _rows_and_targets(valid)
        if self.classes is not None:
            y = _codes(y, self.classes).astype(self.dtype)
        if not isinstance(_root(dataset), ArrayDataset):
            if X is None or is_dataset(X):
                return train, RelabeledDataset(valid if X is None else X, y, X is None)
            return train, skorch.dataset.Dataset(X, y)
        if X is None:
            X = np.stack([np.asarray(_parts(valid[i])[0]) for i in range(len(y))])
        return train, _like(_root(dataset), X, y)


def _root(dataset):
    while isinstance(dataset, Subset):
        dataset = dataset.dataset
    return dataset


def _holds_arrays(dataset):
    # Other classes may change a row when they read it.
    return type(dataset) is skorch.dataset.Dataset or isinstance(dataset, ArrayDataset)


def _parts(item):
    """Row and target of an item of a data set."""
    if isinstance(item, list | tuple) and len(item) == 2:
        return item
    raise ValueError(
        "The data set for validation in `train_split` must give pairs of a row and its "
        f"label. Got a {type(item).__name__}."
    )


def _rows_and_targets(valid):
    """All rows, or None if they come one by one, and an array of targets."""
    if isinstance(valid, list | tuple):
        X, y = _parts(valid)
        X = np.asarray(X) if isinstance(X, list) else X
    elif _holds_arrays(_root(valid)):
        X, y = data_from_dataset(valid)
    else:
        X, y = None, [_parts(valid[i])[1] for i in range(len(valid))]
    if y is None:
        raise ValueError(
            "The data set for validation in `train_split` must hold labels. Got y=None."
        )
    return X, to_numpy(y) if torch.is_tensor(y) else np.asarray(y)


def _codes(y: ArrayLike, classes: NDArray) -> NDArray:
    """Codes of labels, or labels that are codes already."""
    known, y = classes.tolist(), np.asarray(y)
    labels = set(y.ravel().tolist())
    if labels <= set(known):
        return np.array([known.index(label) for label in y.tolist()], dtype=np.int64)
    if labels <= set(range(len(known))):
        return y.astype(np.int64)
    unknown = sorted(labels - set(known), key=str)
    raise ValueError(
        "The labels for validation in `train_split` must be among the classes "
        f"{known}, or their positions there. Got {unknown} besides."
    )


def _like(dataset, X, y):
    """A data set of other rows that reads them as a given one reads its rows."""
    kwargs = {"dtype": dataset.dtype, "cast_integers": dataset.cast_integers}
    if isinstance(dataset, TargetDataset):
        kwargs["target_shape"] = dataset.target_shape
    else:
        kwargs["target_dtype"] = dataset.target_dtype
    return type(dataset)(X, y, **kwargs)
