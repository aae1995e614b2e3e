"""Sessions of labelling: rows go out to people, and no answer is ever lost.

A `LabelingSession` hands out the rows that a querier asks for, keeps what is said of
them in a SQLite file, and trains the querier on it.
"""

from skbadge.labeling._progress_report import Progress
from skbadge.labeling._reading import read_history, read_labels
from skbadge.labeling._session import LabelingSession
from skbadge.labeling._task import Task
from skbadge.utils._database import StoreError

__all__ = [
    "LabelingSession",
    "Progress",
    "StoreError",
    "Task",
    "read_history",
    "read_labels",
]
