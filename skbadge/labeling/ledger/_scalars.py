"""Ids and labels as JSON texts, from which their type comes back exactly."""

import json
from math import isfinite
from typing import Any

from skbadge.utils._shown import shown

# Python reads no number of more than 4300 digits, and other programs of far fewer.
_MAX_BITS = 4096

Scalar = bool | int | float | str


def as_text(value: Any, name: str) -> str:
    """An id or a label as JSON: equal texts are equal values of equal type.

    3, 3.0, "3" and True are four texts. NumPy's scalars, and arrays and tensors
    without dimensions, count as Python's.
    """
    # Of times, some would become ints.
    is_time = getattr(getattr(value, "dtype", None), "kind", "O") in "mM"
    if getattr(value, "shape", None) == () and not is_time:
        value = value.item()
    if isinstance(value, bool):
        return "true" if value else "false"
    # Members of an enumeration count as what they are besides.
    if isinstance(value, int) and int.bit_length(value) <= _MAX_BITS:
        return int.__repr__(value)
    if isinstance(value, float) and isfinite(value):
        # Minus zero equals zero.
        return float.__repr__(value + 0.0)
    if isinstance(value, str):
        text = str.__str__(value)
        try:
            text.encode()
        except UnicodeEncodeError:
            # Half a surrogate pair, which a file of UTF-8 cannot hold as it is.
            return json.dumps(text)
        return json.dumps(text, ensure_ascii=False)
    raise TypeError(
        f"`{name}` must be a string, an int, a finite float or a bool. Got "
        f"{shown(value)} of type {type(value).__name__}."
    )


def from_text(text: str) -> Scalar:
    """The value of a text."""
    return json.loads(text)


def is_scalar_text(text: Any) -> bool:
    """Whether it is what `as_text` makes, as far as reading it tells."""
    try:
        return isinstance(json.loads(text), Scalar)
    except (TypeError, ValueError, RecursionError):
        return False
