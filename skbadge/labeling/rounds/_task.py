"""Task: a row that somebody is to label."""

from dataclasses import dataclass
from typing import Any

from skbadge.labeling.ledger._scalars import Scalar
from skbadge.utils._shown import shown

# Characters of a text that the representation of a task shows.
_MAX_TEXT = 80


@dataclass(frozen=True, eq=False)
class Task:
    """A row that somebody is to label.

    Attributes
    ----------
    id : str, int, float or bool
        What the row is called.

    row : object
        The row as its container hands it out: a Series of a data frame, an array, a
        sparse matrix of one row, a text.

    rank : int
        Its place in the order of selection of its query, or of the audit, from 0 on.

    strategy : str
        What has selected it; "audit" for a row of the audit.

    round : int
        How many trainings came before.

    probability : float or None
        That of having been drawn, where it is known.
    """

    id: Scalar
    row: Any
    rank: int
    strategy: str
    round: int
    probability: float | None = None

    def __repr__(self):
        values = {**vars(self), "row": None}
        texts = {name: repr(value) for name, value in values.items()}
        texts["row"] = _in_a_line(self.row)
        return f"Task({', '.join(f'{name}={text}' for name, text in texts.items())})"


def _in_a_line(row):
    """A text's beginning, the values of a table's row, or what kind of row it is."""
    if isinstance(row, str):
        return repr(str(row[:_MAX_TEXT])) + "..." * (len(row) > _MAX_TEXT)
    is_series = hasattr(row, "index") and hasattr(row, "to_dict")
    return shown(row.to_dict() if is_series else row)
