"""Copies of the data in a value of any kind, such as a parameter of ``fit``."""

from copy import copy, deepcopy
from typing import Any

from skbadge.pools._kinds import kind_of
from skbadge.pools._rows import copy_rows


def copy_data(value: Any) -> Any:
    """A value whose data its owner's changes do not reach.

    Parameters
    ----------
    value : object
        Containers of rows, arrays of any shape, and dicts, lists and tuples of those,
        at any depth, are data.

    Returns
    -------
    value : same kind
        Any other object, such as a callback, is shared: it may be there to be written
        to.
    """
    if isinstance(value, type):
        return value
    if isinstance(value, dict | list):
        # Shallow copies keep the class, and what it has beside the entries.
        copied: Any = copy(value)
        for key in value if isinstance(value, dict) else range(len(value)):
            copied[key] = copy_data(value[key])
        return copied
    if isinstance(value, tuple):
        parts = map(copy_data, value)
        return value._make(parts) if hasattr(value, "_make") else tuple(parts)
    if kind_of(value) != "array":
        return copy_rows(value)
    is_data = hasattr(value, "__array__") or isinstance(value, bytearray | set)
    return deepcopy(value) if is_data else value
