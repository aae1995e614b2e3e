"""Deep copies of objects of which some parts cannot be copied."""

from copy import deepcopy
from typing import Any


def copied_attributes(thing: Any, memo: dict[int, Any]) -> dict[str, Any]:
    """Deep copies of an object's attributes; those that have none are shared.

    Such as open files and locks. ``memo`` is that of `copy.deepcopy`.
    """
    copied = {}
    for name, value in vars(thing).items():
        try:
            copied[name] = deepcopy(value, memo)
        except Exception:
            copied[name] = value
    return copied
