"""How errors show values: short, and in one line."""

from contextlib import contextmanager
from difflib import get_close_matches
from itertools import islice

import numpy as np

from skbadge._compat import InvalidParameterError

MAX_ITEMS = 8
MAX_CHARACTERS = 200
MAX_BITS = 2**13


def shown(value):
    """The representation of a value if that is short, else its type and size."""
    name = type(value).__name__
    if isinstance(value, type):
        return f"the class {value.__name__}"
    if getattr(value, "shape", ()):
        return f"{name} of shape {tuple(value.shape)}"
    value = value.item() if isinstance(value, np.generic) else value
    if isinstance(value, int) and value.bit_length() > MAX_BITS:
        # Python refuses to write it.
        return f"{name} of {value.bit_length()} bits"
    text = " ".join(repr(value).split())
    if len(text) <= MAX_CHARACTERS:
        return text
    return f"{name} of length {len(value)}" if hasattr(value, "__len__") else name


def listed(values, limit=MAX_ITEMS):
    """A list as text; of a long one the beginning, and how many entries follow."""
    values = values.tolist() if hasattr(values, "tolist") else list(values)
    if len(values) <= limit:
        return str(values)
    first = ", ".join(map(repr, islice(values, limit)))
    return f"[{first}, ... and {len(values) - limit} more]"


def did_you_mean(name, known, n=3, cutoff=0.5):
    """A question that names up to ``n`` known names near to a wrong one, or nothing."""
    close = get_close_matches(name, known, n, cutoff)
    return f" Did you mean {' or '.join(map(repr, close))}?" if close else ""


@contextmanager
def parameters_shown(params):
    """Let scikit-learn's errors for parameters show values by `shown`, too."""
    try:
        yield
    except InvalidParameterError as error:
        claim, got, _ = str(error).partition(" Got ")
        name = claim.partition("'")[2].partition("'")[0]
        if not got or name not in params:
            raise
        message = f"{claim} Got {shown(params[name])} instead."
        raise InvalidParameterError(message) from None
