"""Text in tables that a spreadsheet takes for a formula, and its safe form."""

import re

# An apostrophe before such text makes it safe, and one more makes that unambiguous.
_FORMULA = re.compile(r"'*[=+\-@\t\r]")


def without_formula(value):
    """What to write for a value: an apostrophe stands before a formula."""
    is_formula = isinstance(value, str) and _FORMULA.match(value)
    return f"'{value}" if is_formula else value


def with_formula(value):
    """The value that `without_formula` made this of."""
    is_safe = isinstance(value, str) and value[:1] == "'" and _FORMULA.match(value)
    return value[1:] if is_safe else value


def frame_without_formulas(frame):
    """A pandas frame whose texts are safe in a spreadsheet."""
    texts = frame.select_dtypes(["object", "string", "category"])
    safe = {name: column.map(without_formula) for name, column in texts.items()}
    return frame.assign(**safe)
