"""One rule for ties: values equal to within rounding are ordered by chance."""

from copy import copy
from math import floor, isfinite, log10

import numpy as np

from skbadge.utils._streams import row_uniforms

# Significant decimal digits in which two values agree that are equal but for rounding.
DIGITS = {np.dtype(np.float64): 12, np.dtype(np.float32): 5}

# From a table, since a power may come out otherwise in an array than by itself.
LEAST_POWER = -340
POWERS = np.array([float(f"1e{power}") for power in range(LEAST_POWER, 309)])


def rounded(values, dtype=np.float64, quantum=0.0):
    """Values rounded so that those equal to within rounding become equal.

    Rounding to a grid is transitive, which a tolerance is not, and a greater value is
    never rounded to a lesser one.

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
    digits = DIGITS[np.dtype(dtype)]
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        power = np.floor(np.log10(np.abs(values))) - (digits - 1)
        counts = np.round(values / _ten_to(power))
        # 9.99... rounds to 10, which must be the 10 of the next power.
        carries = np.abs(counts) == 10.0**digits
        on_grid = np.where(carries, counts / 10, counts) * _ten_to(power + carries)
        if quantum:
            edge = 10.0 ** (digits - 1) * _ten_to(np.ceil(np.log10(quantum)))
            coarse = np.clip(np.round(values / quantum) * quantum, -edge, edge)
            on_grid = np.where(np.abs(values) < edge, coarse, on_grid)
    # Zero has no power, infinity no grid, and a subnormal spacing is none.
    return np.where(np.isfinite(on_grid), on_grid, values)


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
    if value == 0 or not isfinite(value):
        return value - quantum
    power = floor(log10(abs(value))) - (DIGITS[np.dtype(dtype)] - 1)
    # Below a negative value the grid may be that of the next power of ten.
    spacing = 10.0 ** (power + (value < 0))
    return value - max(spacing, quantum)


def _ten_to(power):
    inside = np.clip(power, LEAST_POWER, 308)
    return POWERS[inside.astype(np.intp) - LEAST_POWER]


class Ties:
    """Orders rows of equal value: each row has a number of its own.

    Parameters
    ----------
    rng : RandomState
        Advanced by one draw.
    """

    def __init__(self, rng):
        self.seed = int(rng.randint(2**31 - 1))

    # What the rows are known as, if not by their positions.
    numbers = None

    def of(self, numbers):
        """The same order for a few rows, whose numbers in the pool are given."""
        ties = copy(self)
        ties.numbers = numbers
        return ties

    def keys(self, rows):
        """The rows' own uniform numbers; of equal rows that of least key is first."""
        numbers = rows if self.numbers is None else self.numbers[rows]
        return row_uniforms(self.seed, numbers)

    def greatest(self, values, rows=None, dtype=np.float64, quantum=0.0):
        """Where the greatest value is, of equal ones that of least key.

        ``rows`` are those that the values belong to, None for ``0 .. n - 1``. For
        ``dtype`` and ``quantum`` see `rounded`.
        """
        greatest = values.max()
        near = np.flatnonzero(values >= equal_floor(greatest, dtype, quantum))
        if len(near) == 1:
            return int(near[0])
        tied = near
        if values[near].min() < greatest:
            own = rounded(greatest, dtype, quantum)
            tied = near[rounded(values[near], dtype, quantum) == own]
        return int(tied[self.keys(tied if rows is None else rows[tied]).argmin()])
