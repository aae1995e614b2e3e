"""The tables of a ledger, and its events."""

from typing import Any, NamedTuple

from skbadge.utils._file_format import FileFormat

# What a person says of a row, which `undo` takes back.
ACTIONS = ("labeled", "skipped", "unsure", "corrected", "withdrawn")

# Events that are not of one row.
OF_ALL_ROWS = ("queried", "trained", "pool")

_SCHEMA = """
CREATE TABLE about (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL
);
CREATE TABLE events (
    seq INTEGER PRIMARY KEY,
    time TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN (
        'queried', 'queued', 'asked', 'released', 'labeled', 'skipped', 'unsure',
        'corrected', 'withdrawn', 'undone', 'trained', 'pool'
    )),
    id TEXT,
    annotator TEXT,
    session TEXT NOT NULL,
    label TEXT,
    strategy TEXT,
    round INTEGER,
    rank INTEGER,
    probability REAL,
    reason TEXT,
    refers_to INTEGER,
    digest TEXT
);
CREATE TRIGGER events_never_change BEFORE UPDATE ON events
BEGIN SELECT RAISE(ABORT, 'events never change'); END;
CREATE TRIGGER events_never_go BEFORE DELETE ON events
BEGIN SELECT RAISE(ABORT, 'events never go'); END;
"""

LEDGER = FileFormat("ledger of labels", "store", 1, _SCHEMA)


class Event(NamedTuple):
    """One row of the table of events.

    ``id`` and ``label`` are JSON. ``refers_to`` is the ``seq`` of the event that is
    undone; of a training or a query, that of the last event that it knew of. ``rank``
    is the place in the order of a query, or of the audit; of the query itself, how many
    rows it found. ``reason`` of a training is what a monitor said of the round.
    """

    seq: int
    time: str
    kind: str
    id: Any
    annotator: str | None
    session: str
    label: Any = None
    strategy: str | None = None
    round: int | None = None
    rank: int | None = None
    probability: float | None = None
    reason: str | None = None
    refers_to: Any = None
    digest: str | None = None
