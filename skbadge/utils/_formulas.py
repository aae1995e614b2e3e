"""Text in tables that a spreadsheet takes for a formula, and its safe form."""

import csv
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


def write_safe_csv(frame, place, *, encoding="utf-8"):
    """Write a pandas frame without its index, its texts safe in a spreadsheet."""
    texts = frame.select_dtypes(["object", "string", "category"])
    safe = {name: column.map(without_formula) for name, column in texts.items()}
    frame = frame.assign(**safe).rename(columns=without_formula)
    # Before Python 3.13 a carriage return gets quotes only if all texts do.
    cells = (cell for column in (frame, *safe.values()) for cell in column)
    has_return = any(isinstance(cell, str) and "\r" in cell for cell in cells)
    quoting = csv.QUOTE_NONNUMERIC if has_return else csv.QUOTE_MINIMAL
    frame.to_csv(place, index=False, encoding=encoding, quoting=quoting)
