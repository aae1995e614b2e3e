"""What a report says, block by block: each format is written from the same blocks."""

from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any

from skbadge.inspection._frame import import_pandas

TITLE = "Active learning benchmark"


@dataclass(frozen=True)
class Heading:
    """A heading, of level 2 for a section, or 3 for a part of one."""

    text: str
    level: int


@dataclass(frozen=True)
class Text:
    """A paragraph. It has no marks of a format: writers show it as it is."""

    text: str


@dataclass(frozen=True, eq=False)
class Table:
    """A data frame, shown without its index.

    Its last ``n_foot`` rows sum up the others, and keep their place when it is sorted.
    """

    frame: Any
    n_foot: int = 0


@dataclass(frozen=True)
class File:
    """A CSV file of the report's folder, and what it holds."""

    name: str
    text: str = ""


@dataclass(frozen=True)
class Picture:
    """A PNG file of the report's folder."""

    name: str
    caption: str


def is_numeric(column):
    """Whether a column of a frame holds numbers."""
    return column.dtype.kind in "iuf"


def shown(value):
    """A cell of a table as text: four significant digits, and a dash for none.

    Examples
    --------
    >>> from skbadge.experiment.report._blocks import shown
    >>> shown(0.12345), shown(12345), shown(None), shown(float("nan")), shown("a")
    ('0.1235', '12345', '-', '-', 'a')
    """
    if import_pandas().isna(value):
        return "-"
    if isinstance(value, Real) and not isinstance(value, Integral):
        return f"{value:.4g}"
    return str(value)
