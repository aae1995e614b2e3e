"""Targets of a regression: checked, standardised, and put back into their units."""

from dataclasses import dataclass

import numpy as np

from skbadge.nn._mlp import column_statistics


@dataclass(frozen=True, eq=False)
class TargetScaler:
    """Mean, scale and shape of targets, as the first ones had them.

    Parameters
    ----------
    mean, scale : ndarray of shape (n_outputs,)
        float64.

    shape : tuple of int
        Of the targets of one row: ``()`` or ``(n_outputs,)``.
    """

    mean: np.ndarray
    scale: np.ndarray
    shape: tuple

    @classmethod
    def of(cls, y, standardize=True):
        """The scaler of targets.

        Parameters
        ----------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            float64.

        standardize : bool, default=True
            Whether to scale them at all.
        """
        columns = y.reshape(len(y), -1)
        mean, scale = np.zeros(columns.shape[1]), np.ones(columns.shape[1])
        if standardize:
            mean, scale = column_statistics(columns)
        return cls(mean, scale, y.shape[1:])

    def encode(self, y, name="y"):
        """Targets as a net is trained on them.

        Parameters
        ----------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            float64.

        name : str
            What to call them in an error.

        Returns
        -------
        encoded : ndarray of shape (n_samples, n_outputs)
            float32, standardised in float64 before.

        Raises
        ------
        ValueError
            If they have another shape than the first ones.
        """
        if y.shape[1:] != self.shape:
            first = ", ".join(map(str, ("n_samples", *self.shape)))
            raise ValueError(
                f"{name} must have shape ({first}), as the first targets had. Got "
                f"shape {y.shape} instead."
            )
        columns = y.reshape(len(y), -1)
        return ((columns - self.mean) / self.scale).astype(np.float32)

    def decode(self, outputs):
        """Outputs of a net in the units and the shape of the first targets.

        Parameters
        ----------
        outputs : ndarray of shape (n_samples, n_outputs)
            In units of the standardised targets.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            float64.
        """
        y = outputs * self.scale + self.mean
        return y.reshape(len(y), *self.shape)


def check_targets(y):
    """Targets as float64.

    Parameters
    ----------
    y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
        Finite.

    Returns
    -------
    y : ndarray of the same shape
        float64.

    Raises
    ------
    ValueError
        If they are no real numbers, or of another shape.
    """
    if y.dtype.kind not in "biuf" or y.ndim > 2 or 0 in y.shape:
        raise ValueError(
            "y must hold real numbers and have shape (n_samples,) or (n_samples, "
            f"n_outputs). Got dtype {y.dtype} and shape {y.shape} instead."
        )
    return y.astype(np.float64)
