"""Task: a row that somebody is to label."""

from dataclasses import dataclass
from typing import Any

from skbadge.labeling._scalars import Scalar


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
        Its place in the order of selection of its query, from 0 on.

    strategy : str
        What has selected it.

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
