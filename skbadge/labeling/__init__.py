"""Sessions of labelling: rows go out to people, and no answer is ever lost.

A `LabelingSession` hands out the rows that a querier asks for, keeps what is said of
them in a SQLite file, and trains the querier on it.

Where to find what: ``_ledger`` writes events, and ``_standing`` is what they come to.
``_desk`` knows who has which rows, ``_rounds`` trains and asks. On these stands
``_session``, whose methods are in ``_taking_answers``, ``_telling``, ``_exchange`` and
``_panel`` too. Behind both panels is ``_turns``, with what rows look like in
``_contents``. Files are ``_tables`` and ``_label_studio``, with what they say of a row
in ``_fields``; ``_matching`` decides what an answer that comes back means.
"""

from skbadge.labeling._imported import Imported, Problem
from skbadge.labeling._label_studio import label_studio_config
from skbadge.labeling._progress_report import Progress
from skbadge.labeling._reading import read_history, read_labels, read_progress
from skbadge.labeling._session import LabelingSession
from skbadge.labeling._task import Task
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
