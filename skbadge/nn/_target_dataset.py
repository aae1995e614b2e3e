"""A skorch dataset for regression on tables."""

from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import ArrayLike

from skbadge.nn._dataset import ArrayDataset


class TargetDataset(ArrayDataset):
    """An `ArrayDataset` that hands out targets as a regression loss wants them.

    Parameters
    ----------
    X, length, dtype, cast_integers
        As for `ArrayDataset`.

    y : array-like of shape (n_samples,) or (n_samples, n_outputs), or None
        The targets, cast to ``dtype`` along with ``X``. It is here that they are cast,
        so that transformations of targets before it see all their digits.

    target_shape : tuple of int or None, default=None
        Shape of the targets of one row, that of the module's outputs. None makes a
        column of ``y`` if it is 1-D.

    Attributes
    ----------
    y : tensor of shape (n_samples, ...) or None
        The converted targets.
    """

    def __init__(
        self,
        X: Any,
        y: ArrayLike | None = None,
        length: int | None = None,
        dtype: Literal["float16", "bfloat16", "float32", "float64"] = "float32",
        cast_integers: bool | Literal["codes"] = True,
        target_shape: tuple[int, ...] | None = None,
    ):
        if y is not None:
            y = torch.from_numpy(np.array(np.asarray(y), np.float64, order="C"))
            shape = y.shape[1:] or (1,) if target_shape is None else target_shape
            y = y.reshape(len(y), *shape).to(getattr(torch, dtype))
        super().__init__(X, y, length, dtype, cast_integers)
        self.target_shape = target_shape
