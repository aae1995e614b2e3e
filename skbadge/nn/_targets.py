"""Targets of a regression: checked, standardised, and put back into their units."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from skbadge.nn._mlp import column_statistics


@dataclass(frozen=True, eq=False)
class TargetScaler:
    """Mean and scale of each output in the first targets, and one row's shape there."""

    mean: NDArray
    scale: NDArray
    shape: tuple[int, ...]

    @classmethod
    def of(cls, y, weights=None, *, standardize=True):
        """The scaler of the first targets; without `standardize`, the identity."""
        columns = y.reshape(len(y), -1)
        mean, scale = np.zeros(columns.shape[1]), np.ones(columns.shape[1])
        if standardize:
            mean, scale = column_statistics(columns, weights)
        return cls(mean, scale, y.shape[1:])

    def encode(self, y, name="y"):
        """Targets to train on: standardised in float64, then cast to float32."""
        if y.shape[1:] != self.shape:
            first = ", ".join(map(str, ("n_samples", *self.shape)))
            raise ValueError(
                f"{name} must have shape ({first}), as the first targets had. Got "
                f"shape {y.shape} instead."
            )
        columns = y.reshape(len(y), -1)
        return ((columns - self.mean) / self.scale).astype(np.float32)

    def decode(self, outputs):
        """Outputs of a net in the units and the shape of the first targets."""
        y = outputs * self.scale + self.mean
        return y.reshape(len(y), *self.shape)


def check_targets(y):
    """Targets as float64; a ValueError if they are not real or have a wrong shape."""
    is_sparse = sparse.issparse(y)
    if is_sparse or y.dtype.kind not in "biuf" or y.ndim > 2 or 0 in y.shape:
        kind = "a sparse matrix of " if is_sparse else ""
        raise ValueError(
            "y must hold real numbers and have shape (n_samples,) or (n_samples, "
            f"n_outputs), dense. Got {kind}dtype {y.dtype} and shape {y.shape} instead."
        )
    return y.astype(np.float64)
