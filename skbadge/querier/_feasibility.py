"""From what a query is told of candidates, groups and pending rows to `Feasible`."""

import numpy as np
from sklearn.utils import check_random_state

from skbadge.pools import ChunkedPool, n_rows, row_codes, row_ids, rows_among
from skbadge.samplers import Feasible
from skbadge.utils._shown import shown
from skbadge.utils._validation import (
    check_masked,
    check_positions,
    is_int,
    is_missing,
)


def resolve_feasible(
    X_pool,
    candidates,
    groups,
    max_per_group,
    pending,
    X_labeled=None,
    *,
    name="groups",
    of="X_pool",
):
    """The rows of a pool that a query may return.

    Rows that equal one of ``X_labeled`` are marked as repeats. ``name`` and ``of`` say
    in errors what the groups are called, and the rows.
    """
    n_pool, mask = _n_pool(X_pool), None
    if candidates is not None:
        mask = np.zeros(n_pool, dtype=bool)
        mask[read_positions(candidates, n_pool, "candidates", of)] = True
        if not mask.any():
            raise ValueError(
                "`candidates` must hold at least one row. Got none: there is nothing "
                "left to query."
            )
    codes = None
    if groups is None and max_per_group != 1:
        raise ValueError(
            f"`max_per_group`={shown(max_per_group)} is a quota of `{name}`. Got no "
            "groups."
        )
    if groups is not None:
        make = _of_content if isinstance(groups, str) else _group_codes
        codes = make(groups, X_pool, name, of)
    waiting = ()
    if pending is not None:
        waiting = read_positions(pending, n_pool, "pending", of)
    repeats = None if X_labeled is None else _among(X_pool, X_labeled)
    return Feasible(n_pool, mask, codes, max_per_group, waiting, repeats)


def _n_pool(X_pool):
    return len(X_pool) if isinstance(X_pool, ChunkedPool) else n_rows(X_pool)


def read_positions(rows, n_rows, name, of):
    """Distinct positions, from a boolean mask or from positions, of ``n_rows`` rows.

    ``name`` and ``of`` say in errors what they are and which rows these are.
    """
    check_masked(rows, name)
    rows = np.asarray(rows)
    if rows.dtype == object and rows.ndim == 1:
        rows = _without_objects(rows, name)
    if rows.dtype == bool:
        if rows.shape != (n_rows,):
            raise ValueError(
                f"`{name}` must have one entry for each of the {n_rows} rows of "
                f"`{of}`, if it is a boolean mask. Got shape {rows.shape}."
            )
        return np.flatnonzero(rows)
    if rows.size == 0 and rows.ndim == 1:
        return np.empty(0, dtype=np.int64)
    if rows.ndim != 1 or rows.dtype.kind not in "iu":
        raise TypeError(
            f"`{name}` must be a boolean mask of the {n_rows} rows of `{of}`, or int "
            f"positions in it. Got dtype {rows.dtype} and shape {rows.shape}."
        )
    hint = ""
    if len(rows) == n_rows and rows.max() == 1:
        hint = " If the zeros and ones are a mask, pass a boolean mask: `== 1`."
    return check_positions(rows, n_rows, f"`{name}` must hold", hint)


def _without_objects(rows, name):
    """What pandas hands over as objects: nullable booleans, and positions."""
    missing = [is_missing(item) for item in rows]
    if any(missing):
        raise ValueError(
            f"`{name}` must have no missing values. Got {sum(missing)} of {len(rows)}; "
            "fill them first, such as by `.fillna(False)`."
        )
    if all(map(is_int, rows)):
        return np.array(rows.tolist())
    kinds = {type(item) for item in rows}
    return rows.astype(bool) if kinds <= {bool, np.bool_} else rows


def thinned(feasible, n_rows, n, seed):
    """The same with a uniform sample of the rows that may be picked, at least ``n``."""
    if not is_int(n_rows) or n_rows < 1:
        raise ValueError(f"`subsample` must be an int >= 1, or None. Got {n_rows!r}.")
    return feasible.only(feasible.sample(n_rows, n, check_random_state(seed)))


def _among(X_pool, X_labeled):
    if not isinstance(X_pool, ChunkedPool):
        return rows_among(X_pool, X_labeled)
    parts = [rows_among(chunk, X_labeled) for _, chunk in X_pool.chunks()]
    return np.concatenate(parts)


def _of_content(groups, X_pool, name, of):
    if isinstance(X_pool, ChunkedPool):
        return _of_chunks(groups, X_pool, name, of)
    if groups != "duplicates":
        raise ValueError(
            f'`{name}` must be "duplicates" or hold one value for each row of `{of}`. '
            f"Got {shown(groups)}."
        )
    return row_codes(X_pool)


def _of_chunks(groups, pool, name, of):
    """Codes of rows by content, known by digests of 64 bits, or by a column."""
    if groups != "duplicates":
        return _group_codes(pool.column(groups), pool, name, of)
    digests = [
        np.fromiter((int(name, 16) for name in row_ids(chunk)), dtype=np.uint64)
        for _, chunk in pool.chunks()
    ]
    return np.unique(np.concatenate(digests), return_inverse=True)[1]


def _group_codes(groups, X_pool, name, of):
    """Numbers from 0 on for values of any kind."""
    check_masked(groups, name)
    n_pool = _n_pool(X_pool)
    # NumPy would make values of one kind of a list, and 1 and "1" the same.
    values = groups if isinstance(groups, list | tuple) else np.asarray(groups)
    if getattr(values, "ndim", 1) != 1 or len(values) != n_pool:
        raise ValueError(
            f"`{name}` must hold one value for each of the {n_pool} rows of `{of}`. "
            f"Got {np.shape(values)[:2]}."
        )
    if isinstance(values, np.ndarray) and values.dtype.kind in "biufSUmM":
        missing = values != values
        codes = np.unique(values, return_inverse=True)[1]
    else:
        missing, codes = _listed_codes(list(values), name)
    if missing.any():
        row = int(np.argmax(missing))
        raise ValueError(
            f"`{name}` must have a value for each row. {int(missing.sum())} of "
            f"{n_pool} are missing, the first is that of row {row}. Give rows without "
            "a group values of their own."
        )
    return codes


def _listed_codes(values, name):
    """Which values are missing, and numbers for them; they may have no order."""
    known = {}
    try:
        codes = [known.setdefault(item, len(known)) for item in values]
    except TypeError as error:
        raise TypeError(
            f"`{name}` must hold values that can be told apart by `hash`, such as "
            f"strings, numbers or tuples: {error}."
        ) from error
    return np.array([is_missing(item) for item in values]), np.array(codes)
