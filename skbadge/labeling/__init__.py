"""Sessions of labelling: rows go out to people, and no answer is ever lost.

A `LabelingSession` hands out the rows that a querier asks for, keeps what is said of
them in a SQLite file, and trains the querier on it.

Four rooms, each of which knows those before it: ``ledger`` keeps what was said,
``rounds`` trains and hands out rows, ``files`` and ``panel`` are for people. On these
stands ``_session``, with more of its methods in ``_taking_answers`` and ``_telling``.
"""

from skbadge.labeling._session import LabelingSession
from skbadge.labeling.files._imported import Imported, Problem
from skbadge.labeling.files._label_studio import label_studio_config
from skbadge.labeling.ledger._progress_report import Progress
from skbadge.labeling.ledger._reading import read_history, read_labels, read_progress
from skbadge.labeling.rounds._task import Task
from skbadge.utils._database import StoreError

__all__ = [
    "Imported",
    "LabelingSession",
    "Problem",
    "Progress",
    "StoreError",
    "Task",
    "label_studio_config",
    "read_history",
    "read_labels",
    "read_progress",
]
