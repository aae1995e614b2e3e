"""Checks of arguments that several layers share."""

import warnings
from numbers import Integral

import numpy as np

from skbadge.exceptions import QueryWarning
from skbadge.utils._shown import shown


def check_n(n, n_rows, which="there are"):
    """Number of rows to select: ``n``, or all there are with a `QueryWarning`.

    ``which`` says in the warning which rows these are.
    """
    if not is_int(n):
        raise TypeError(f"`n` must be an int. Got {shown(n)} instead.")
    if n < 0:
        raise ValueError(f"`n` must be >= 0. Got {n} instead.")
    if n > n_rows:
        warnings.warn(
            f"`n`={n} is above the {n_rows} rows {which}: all of them are returned.",
            QueryWarning,
            stacklevel=2,
        )
    return min(int(n), n_rows)


def check_rows(rows, n, n_rows, source):
    """Positions that somebody else's code selected, checked against the contract.

    ``source`` says in an error whose code it was. Returns distinct int64 positions.
    """
    rows = np.asarray(rows)
    if rows.shape != (n,) or not (n == 0 or np.issubdtype(rows.dtype, np.integer)):
        raise ValueError(
            f"{source} must return an array of {n} int positions. Got dtype "
            f"{rows.dtype} and shape {rows.shape} instead."
        )
    return check_positions(rows, n_rows, f"{source} must return")


def check_positions(rows, n_rows, claim, hint=""):
    """Distinct int64 positions; an error starts with a claim, "`rows` must hold"."""
    rows = rows.astype(np.int64, copy=False)
    outside = rows[(rows < 0) | (rows >= n_rows)]
    if len(outside):
        raise ValueError(
            f"{claim} positions between 0 and {n_rows - 1}. Got {outside[0]} among "
            "them."
        )
    found, counts = np.unique(rows, return_counts=True)
    if len(found) < len(rows):
        repeated = found[counts > 1]
        raise ValueError(
            f"{claim} distinct positions. Got {len(repeated)} of {len(found)} more "
            f"than once, such as {repeated[0]}.{hint}"
        )
    return rows


def is_int(value):
    """Whether a value is a whole number, True and False not being any."""
    return isinstance(value, Integral) and not isinstance(value, bool | np.bool_)


def is_missing(value):
    """Whether a value of any kind is None, NaN, NaT or pandas' NA."""
    # pandas' NA has no truth value, and pandas may not be there to ask.
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return True
    try:
        return bool(value != value)
    except ArithmeticError:
        # A signalling NaN of the decimal module.
        return True
