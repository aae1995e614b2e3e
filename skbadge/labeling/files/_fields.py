"""What a file says of a row to a person: names and plain values, its fields."""

import math
from collections.abc import Mapping
from datetime import date, datetime, time
from numbers import Integral, Real

import numpy as np

from skbadge.utils._shown import shown
from skbadge.utils._validation import is_missing

# What the row's id and its label are called in files.
ID = "skbadge_id"
LABEL = "label"
# A longer row of numbers tells a person nothing.
_MAX_NUMBERS = 50


def fields_of(row, render=None):
    """What a file says of a row, as a dict of strings, numbers and bools.

    Parameters
    ----------
    row : object
        A row of the user's own kind.

    render : callable or None
        What gives a dict, or a text, for a row. None is for rows of tables, texts and
        short rows of numbers.

    Raises
    ------
    TypeError
        If the row is, or ``render`` returns, something else.
    """
    shown_row = row if render is None else render(row)
    if isinstance(shown_row, str):
        return {"text": shown_row}
    if hasattr(shown_row, "to_dicts"):
        (shown_row,) = shown_row.to_dicts()
    elif hasattr(shown_row, "to_dict"):
        is_frame = getattr(shown_row, "ndim", 1) == 2
        shown_row = shown_row.iloc[0].to_dict() if is_frame else shown_row.to_dict()
    elif _is_numbers(shown_row):
        values = np.asarray(shown_row).reshape(-1).tolist()
        shown_row = {f"x{i}": value for i, value in enumerate(values)}
    is_plain = isinstance(shown_row, Mapping) and not any(
        getattr(value, "size", 0) > _MAX_NUMBERS for value in shown_row.values()
    )
    if not is_plain:
        raise TypeError(
            "`render` must be a function that gives a dict, or a text, of what to show "
            f"of a row, such as an image's address. Rows are {shown(row)}"
            + ("." if render is None else f", and it gave {shown(shown_row)}.")
        )
    return {str(name): _plain(value) for name, value in shown_row.items()}


def _is_numbers(row):
    if not isinstance(row, np.ndarray | np.generic):
        return False
    return row.dtype.kind in "biuf" and row.size <= _MAX_NUMBERS


def _plain(value):
    """A value as JSON and spreadsheets have it; what is missing is an empty text."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, np.ndarray):
        return str(value.tolist())
    if isinstance(value, str | bool):
        return value
    if is_missing(value):
        return ""
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, Real):
        return float(value) if math.isfinite(value) else str(float(value))
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    return str(value)


def check_free(names, contents, label):
    """Raise if the content of a row has a name that the file needs for itself.

    ``label`` is the one of ``names`` that the user can choose.
    """
    for content in contents:
        for name in names:
            if name in content:
                raise ValueError(
                    f"The file needs the name {name!r} for itself. Let `render` give "
                    "the row's content other names"
                    + (", or choose another `label`." if name == label else ".")
                )
