"""A skorch dataset for regression on tables."""

from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike

from skbadge.nn._dataset import ArrayDataset, CastIntegers, Dtype
from skbadge.utils._validation import check_masked


class TargetDataset(ArrayDataset):
    """An `ArrayDataset` with targets in the dtype and shape of a regression loss.

    Parameters
    ----------
    X, length, dtype, cast_integers
        As for `ArrayDataset`.

    y : array-like of shape (n_samples,) or (n_samples, n_outputs), or None
        The targets, cast to ``dtype`` along with ``X``. The cast comes last, so that
        transformations of targets see all their digits.

    target_shape : tuple of int or None, default=None
        Shape of the module's outputs for one row, which the targets of one row get.
        None makes a column of a 1-D ``y``.

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
        dtype: Dtype = "float32",
        cast_integers: CastIntegers = True,
        target_shape: tuple[int, ...] | None = None,
    ):
        check_masked(y, "y")
        if y is not None:
            y = torch.from_numpy(np.array(np.asarray(y), np.float64, order="C"))
            shape = y.shape[1:] or (1,) if target_shape is None else target_shape
            y = y.reshape(len(y), *shape).to(getattr(torch, dtype))
        super().__init__(X, y, length, dtype, cast_integers)
        self.target_shape = target_shape
