"""A skorch dataset for regression on tables."""

import numpy as np
import torch

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
        X,
        y=None,
        length=None,
        dtype="float32",
        cast_integers=True,
        target_shape=None,
    ):
        if y is not None:
            y = torch.from_numpy(np.array(np.asarray(y), np.float64, order="C"))
            shape = y.shape[1:] or (1,) if target_shape is None else target_shape
            y = y.reshape(len(y), *shape).to(getattr(torch, dtype))
        super().__init__(X, y, length, dtype, cast_integers)
        self.target_shape = target_shape
