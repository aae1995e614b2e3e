"""What results of a comparison print: a title, a table, and notes."""

import html
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any


class Printed:
    """Prints a title, a table and notes, as text and in notebooks.

    A subclass has `_title()`, a str, `_table()`, a DataFrame, and `_notes()`, a list of
    str.
    """

    # Keywords of `DataFrame.to_string` and `DataFrame.to_html`.
    _format: Mapping[str, Any] = MappingProxyType({})

    def __str__(self):
        table = self._table().to_string(**self._format)
        return "\n".join([self._title(), table, *self._notes()])

    def _repr_html_(self):
        title, *notes = (
            f"<p>{html.escape(text)}</p>" for text in (self._title(), *self._notes())
        )
        return title + self._table().to_html(**self._format) + "".join(notes)


def left_out(skipped):
    """The note on what was left out: a list of at most one str."""
    n = len(skipped)
    return [f"Left out: {n} things, see `skipped`."] if n else []
