"""Checks of arguments that several layers share."""

import warnings
from math import prod
from numbers import Integral

import numpy as np
from scipy import sparse

from skbadge.exceptions import QueryWarning
from skbadge.utils._chunks import row_chunks
from skbadge.utils._row_errors import row_error
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
    """Check positions that code of others selected; return them as distinct int64.

    ``source`` names that code in errors.
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


def not_finite_rows(values):
    """A mask of the rows that hold NaN or infinity; None if there are none.

    ``values`` is an array or sparse matrix of any dtype.
    """
    values = values.tocsr() if sparse.issparse(values) else values
    data = values.data if sparse.issparse(values) else values
    if data.dtype.kind != "f":
        return None
    # No product: threads of BLAS that have run spin for a while, and slow the model.
    flat = data.ravel(order="K") if data.flags.forc else data
    blocks = row_chunks(len(flat), prod(flat.shape[1:]), budget=2**16, minimum=1)
    if all(np.isfinite(flat[block]).all() for block in blocks):
        return None
    if not sparse.issparse(values):
        return ~np.isfinite(values).reshape(len(values), -1).all(axis=1)
    entries = values.tocoo()
    bad = np.zeros(values.shape[0], dtype=bool)
    bad[entries.row[~np.isfinite(entries.data)]] = True
    return bad


def check_masked(values, name):
    """Raise if an array, or one of a list of arrays, has masked entries.

    Most code ignores masks, and would train on the values under them.
    """
    if isinstance(values, np.ma.MaskedArray):
        rows = _masked_rows(np.atleast_1d(values))
    elif isinstance(values, list | tuple):
        is_masked = [isinstance(v, np.ma.MaskedArray) and v.mask.any() for v in values]
        rows = np.flatnonzero(is_masked)
    else:
        return
    if len(rows):
        raise row_error(
            f"`{name}` has masked entries: {len(rows)} of {len(values)} rows, the "
            "first is row {row}. Leave these rows out, or put values there, such as "
            f"`{name}.filled(0)`.",
            rows[0],
        )


def _masked_rows(values):
    mask = np.ma.getmaskarray(values)
    # The mask of a structured array has its fields.
    entries = np.frombuffer(np.ascontiguousarray(mask), dtype=bool)
    return np.flatnonzero(entries.reshape(len(mask), -1).any(axis=1))


def check_names(names, parameter):
    """Raise unless the names that a parameter gives things, its keys, are str."""
    for name in names:
        if not isinstance(name, str):
            raise ValueError(
                f"The keys of `{parameter}` are names in the results and must be str. "
                f"Got {shown(name)} instead: write {str(name)!r} or another name."
            )


def is_int(value):
    """Whether a value is a whole number; True and False are not."""
    return isinstance(value, Integral) and not isinstance(value, bool | np.bool_)


def is_null(value):
    """Whether a value is None, or pandas' NaT or NA."""
    # NA has no truth value, and pandas may not be there to ask.
    return value is None or type(value).__name__ in ("NAType", "NaTType")


def is_missing(value):
    """Whether a value of any kind is None, NaN, NaT or pandas' NA."""
    if is_null(value):
        return True
    if getattr(value, "shape", ()):
        # An array has an entry, missing or not, at each place.
        return False
    try:
        return bool(value != value)
    except ArithmeticError:
        # A signalling NaN of the decimal module.
        return True


def check_one_label_a_row(y):
    """Raise if rows have several labels: columns of a matrix, or collections."""
    came = None
    try:
        array = None if sparse.issparse(y) else np.asarray(y)
    except ValueError:
        came = "lists of different lengths"
    else:
        if array is None or array.shape[1:] not in ((), (1,)):
            came = f"shape {np.shape(y)}"
        elif array.dtype == object and array.ndim == 1:
            several = [label for label in array if isinstance(label, _COLLECTIONS)]
            came = f"{several[0]!r} for a row" if several else None
    if came is not None:
        raise ValueError(
            "Multi-label and multi-output classification are not supported: `y` must "
            f"hold one label for each row, in shape (n_rows,). Got {came}. If each row "
            "marks one class, pass its position, `y.argmax(axis=1)`; else give each "
            "output a querier of its own."
        )


_COLLECTIONS = list | tuple | set | frozenset | np.ndarray
