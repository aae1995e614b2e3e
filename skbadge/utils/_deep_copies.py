"""Deep copies of objects of which some parts cannot be copied."""

from copy import deepcopy
from typing import Any


def copied_attributes(thing: Any, memo: dict[int, Any]) -> dict[str, Any]:
    """Deep copies of an object's attributes; what cannot be copied is shared.

    That is the case for open files and locks. ``memo`` is that of `copy.deepcopy`.
    """
    copied = {}
    for name, value in vars(thing).items():
        try:
            copied[name] = deepcopy(value, memo)
        except Exception:
            copied[name] = value
    return copied
