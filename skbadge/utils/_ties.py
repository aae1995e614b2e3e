"""One rule for ties: values equal to within rounding are ordered by chance."""

import numpy as np

from skbadge.utils._streams import row_uniforms

# Significant decimal digits in which two values agree that are equal but for rounding.
DIGITS = {np.dtype(np.float64): 12, np.dtype(np.float32): 5}


def rounded(values, dtype=np.float64, quantum=0.0):
    """Values rounded so that those equal to within rounding become equal.

    Rounding to a grid is transitive, which a tolerance is not.

    Parameters
    ----------
    values : ndarray
        float64; infinities stay.

    dtype : {numpy.float64, numpy.float32}, default=numpy.float64
        Precision in which they were formed.

    quantum : float, default=0.0
        Spacing of the grid at least, where rounding leaves errors of an absolute size.

    Returns
    -------
    rounded : ndarray
        float64 of the same shape.
    """
    values = np.asarray(values, dtype=np.float64)
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        exponent = np.floor(np.log10(np.abs(values)))
        step = np.maximum(10.0 ** (exponent - (DIGITS[np.dtype(dtype)] - 1)), quantum)
        on_grid = np.round(values / step) * step
    # Zero has no exponent, infinity no grid, and a subnormal step is no step.
    return np.where(np.isfinite(on_grid), on_grid, values)


class Ties:
    """Orders rows of equal value: each row has a number of its own.

    Parameters
    ----------
    rng : RandomState
        Advanced by one draw.
    """

    def __init__(self, rng):
        self.seed = int(rng.randint(2**31 - 1))

    def keys(self, rows):
        """The rows' own numbers.

        Parameters
        ----------
        rows : ndarray of int
            Positions.

        Returns
        -------
        keys : ndarray of float64
            Uniform between 0 and 1; of equal rows that of the least key comes first.
        """
        return row_uniforms(self.seed, rows)

    def greatest(self, values, rows=None, dtype=np.float64, quantum=0.0):
        """Where the greatest value is, of equal ones that of least key.

        Parameters
        ----------
        values : ndarray of shape (n,)
            At least one; not NaN.

        rows : ndarray of int of shape (n,) or None, default=None
            The rows they belong to; None for ``0 .. n - 1``.

        dtype, quantum
            As for `rounded`.

        Returns
        -------
        position : int
            In ``values``.
        """
        greatest = values.max()
        near = np.flatnonzero(values >= equal_floor(greatest, dtype, quantum))
        if len(near) == 1:
            return int(near[0])
        own = rounded(greatest, dtype, quantum)
        tied = near[rounded(values[near], dtype, quantum) == own]
        return int(tied[self.keys(tied if rows is None else rows[tied]).argmin()])


def equal_floor(value, dtype=np.float64, quantum=0.0):
    """A bound from below for the values that round to what a value rounds to.

    Parameters
    ----------
    value : float
        The value.

    dtype, quantum
        As for `rounded`.

    Returns
    -------
    floor : float
        At most ``value``.
    """
    value = float(value)
    if not np.isfinite(value):
        return value
    digits = DIGITS[np.dtype(dtype)]
    exponent = np.floor(np.log10(abs(value))) if value else -np.inf
    return value - max(10.0 ** (exponent - digits + 1), quantum)
