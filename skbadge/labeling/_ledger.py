"""Ledger: events in a SQLite file, to which they are only ever added."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from os import PathLike
from pathlib import Path

from skbadge.labeling._ledger_format import ACTIONS, LEDGER, Event
from skbadge.labeling._standing import Standing
from skbadge.utils._database import Database

_COLUMNS = ", ".join(Event._fields)
_INSERT = f"INSERT INTO events VALUES ({', '.join('?' * len(Event._fields))})"
_SELECT = f"SELECT {_COLUMNS} FROM events WHERE seq > ? AND seq <= ? ORDER BY seq"
_LAST = 2**63 - 1


class Ledger:
    """Events in a SQLite file, and what they come to.

    Parameters
    ----------
    path : path-like
        The file.

    create : bool, default=True
        Whether to make one if there is none.

    timeout : float, default=60.0
        Seconds to wait for other processes that are writing.

    synchronous : {"full", "normal"}, default="full"
        Whether an event outlives a crash of the whole machine as soon as it is
        written; it outlives the process in any case.

    Attributes
    ----------
    standing : Standing
        What the events come to that this object has read.
    """

    def __init__(
        self,
        path: str | PathLike,
        *,
        create: bool = True,
        timeout: float = 60.0,
        synchronous: str = "full",
    ):
        self.path = Path(path)
        self._db = Database(
            self.path,
            LEDGER,
            create=create,
            timeout=timeout,
            synchronous=synchronous.upper(),
        )
        self.standing = Standing()
        self.catch_up()

    @property
    def is_open(self) -> bool:
        """Whether it is not closed."""
        return self._db.is_open

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def check(self) -> None:
        """Read the whole file, and raise an `OSError` if it is damaged."""
        self._db.check()

    def about(self) -> dict:
        """What is known of the pool and the classes."""
        _, rows = self._db.read("SELECT key, value FROM about")
        return {key: json.loads(value) for key, value in rows}

    @contextmanager
    def describing(self):
        """Change what `about` says, within one transaction: a dict to be changed."""
        with self._db.transaction() as db:
            told = {
                key: json.loads(value)
                for key, value in db.execute("SELECT key, value FROM about")
            }
            before = dict(told)
            yield told
            changed = [
                (key, json.dumps(value))
                for key, value in told.items()
                if key not in before or before[key] != value
            ]
            db.executemany("INSERT OR REPLACE INTO about VALUES (?, ?)", changed)

    def events(self, after: int = 0, until: int = _LAST) -> Iterator[Event]:
        """Events by their numbers."""
        _, rows = self._db.read(_SELECT, (after, until))
        return map(Event._make, rows)

    def catch_up(self) -> Standing:
        """Take in what others have written."""
        for event in self.events(self.standing.seq):
            self.standing.add(event)
        return self.standing

    @contextmanager
    def writing(self):
        """A transaction: a list of events to be filled, written together or not at all.

        Events are dicts without ``seq`` and ``time``. `standing` is that of all events
        before it, and nobody else writes meanwhile.
        """
        new: list[dict] = []
        with self._db.transaction() as db:
            for row in db.execute(_SELECT, (self.standing.seq, _LAST)):
                self.standing.add(Event._make(row))
            yield new
            seq, time = self.standing.seq, now()
            events = [
                Event(seq + i, time, **columns) for i, columns in enumerate(new, 1)
            ]
            db.executemany(_INSERT, events)
        for event in events:
            self.standing.add(event)

    def last_action(self, annotator: str | None, session: str) -> Event | None:
        """What somebody last did that is not undone."""
        _, rows = self._db.read(
            f"SELECT {_COLUMNS} FROM events AS done WHERE annotator IS :annotator "
            "AND (:annotator IS NOT NULL OR session = :session) "
            f"AND kind IN {ACTIONS} AND NOT EXISTS (SELECT 1 FROM events WHERE "
            "seq > done.seq AND kind = 'undone' AND refers_to = done.seq) "
            "ORDER BY seq DESC LIMIT 1",
            {"annotator": annotator, "session": session},
        )
        return Event._make(rows[0]) if rows else None


def now() -> str:
    """The time, as the ledger keeps it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")
