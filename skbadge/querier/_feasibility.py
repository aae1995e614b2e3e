"""From what a query is told of candidates, groups and pending rows to `Feasible`."""

import numpy as np

from skbadge.pools import n_rows, row_codes, rows_among
from skbadge.samplers import Feasible
from skbadge.utils._validation import check_positions, is_missing


def resolve_feasible(
    X_pool, candidates, groups, max_per_group, pending, X_labeled=None
):
    """The rows of a pool that a query may return.

    Rows that equal one of ``X_labeled`` are marked as repeats.
    """
    n_pool, mask = n_rows(X_pool), None
    if candidates is not None:
        mask = np.zeros(n_pool, dtype=bool)
        mask[_positions(candidates, n_pool, "candidates")] = True
        if not mask.any():
            raise ValueError(
                "`candidates` must hold at least one row. Got none: there is nothing "
                "left to query."
            )
    codes = None
    if groups is not None:
        is_name = isinstance(groups, str)
        codes = _of_content(X_pool, groups) if is_name else _group_codes(groups, n_pool)
    waiting = () if pending is None else _positions(pending, n_pool, "pending")
    repeats = None if X_labeled is None else rows_among(X_pool, X_labeled)
    return Feasible(n_pool, mask, codes, max_per_group, waiting, repeats)


def _positions(rows, n_pool, name):
    """Distinct positions, from a boolean mask or from positions."""
    rows = np.asarray(rows)
    if rows.dtype == bool:
        if rows.shape != (n_pool,):
            raise ValueError(
                f"`{name}` must have one entry for each of the {n_pool} rows of "
                f"`X_pool`, if it is a boolean mask. Got shape {rows.shape}."
            )
        return np.flatnonzero(rows)
    if rows.size == 0 and rows.ndim == 1:
        return np.empty(0, dtype=np.int64)
    if rows.ndim != 1 or rows.dtype.kind not in "iu":
        raise TypeError(
            f"`{name}` must be a boolean mask of the {n_pool} rows of `X_pool`, or "
            f"int positions in it. Got dtype {rows.dtype} and shape {rows.shape}."
        )
    hint = ""
    if len(rows) == n_pool and rows.max() == 1:
        hint = " If the zeros and ones are a mask, pass a boolean mask: `== 1`."
    return check_positions(rows, n_pool, f"`{name}` must hold", hint)


def _of_content(X_pool, groups):
    if groups != "duplicates":
        raise ValueError(
            '`groups` must be "duplicates" or hold one value for each row of `X_pool`. '
            f"Got {groups!r}."
        )
    return row_codes(X_pool)


def _group_codes(groups, n_pool):
    """Numbers from 0 on for values of any kind."""
    values = np.asarray(groups)
    if values.shape != (n_pool,):
        raise ValueError(
            f"`groups` must hold one value for each of the {n_pool} rows of `X_pool`. "
            f"Got shape {values.shape}."
        )
    if values.dtype != object:
        missing = values != values
        codes = np.unique(values, return_inverse=True)[1]
    else:
        # Values of several kinds have no order.
        listed = values.tolist()
        missing = np.array([is_missing(item) for item in listed])
        known = {}
        codes = np.array([known.setdefault(item, len(known)) for item in listed])
    if missing.any():
        row = int(np.argmax(missing))
        raise ValueError(
            f"`groups` must have a value for each row. {int(missing.sum())} of "
            f"{n_pool} are missing, the first is that of row {row}. Give rows without "
            "a group values of their own."
        )
    return codes
