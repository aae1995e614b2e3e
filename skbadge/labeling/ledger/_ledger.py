"""Ledger: events in a SQLite file, to which they are only ever added."""

import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from os import PathLike
from pathlib import Path

from skbadge.labeling.ledger._ledger_format import ACTIONS, LEDGER, OF_ALL_ROWS, Event
from skbadge.labeling.ledger._scalars import is_scalar_text
from skbadge.labeling.ledger._standing import Standing
from skbadge.utils._database import Database
from skbadge.utils._shown import shown

_COLUMNS = ", ".join(Event._fields)
_INSERT = f"INSERT INTO events VALUES ({', '.join('?' * len(Event._fields))})"
_SELECT = f"SELECT {_COLUMNS} FROM events WHERE seq > ? AND seq <= ? ORDER BY seq"
_LAST = 2**63 - 1
# Events in memory while they are read.
_AT_A_TIME = 10_000


class Ledger:
    """Events in a SQLite file, and what they come to.

    Parameters
    ----------
    path : path-like
        The file.

    session : str or None, default=None
        The name under which events are written. None only reads, and makes no file.

    timeout : float, default=60.0
        Seconds to wait for other processes that are writing.

    synchronous : {"full", "normal"}, default="full"
        Whether an event outlives a crash of the whole machine as soon as it is
        written; it outlives the process in any case.

    Attributes
    ----------
    standing : Standing
        What the events come to that were read so far.

    lock : RLock
        To hold while using ``standing``, which other threads may bring up to date.
    """

    def __init__(
        self,
        path: str | PathLike,
        *,
        session: str | None = None,
        timeout: float = 60.0,
        synchronous: str = "full",
    ):
        self.path = Path(path)
        self.lock = threading.RLock()
        self._session, self._process = session, os.getpid()
        self._db = Database(
            self.path,
            LEDGER,
            create=session is not None,
            timeout=timeout,
            synchronous=synchronous.upper(),
        )
        self.standing = Standing()
        self.catch_up()

    @property
    def is_open(self) -> bool:
        """Whether it is not closed."""
        return self._db.is_open

    @property
    def is_inherited(self) -> bool:
        """Whether another process has opened it, of which this one is a fork."""
        return os.getpid() != self._process

    def close(self) -> None:
        """Close the file."""
        with self.lock:
            self._db.close()

    def check(self) -> None:
        """Read the whole file, and raise an `OSError` if it is damaged."""
        self._db.check()

    @contextmanager
    def about(self):
        """What is known of pool and classes, a dict to be changed, in one transaction.

        Nobody else writes meanwhile.
        """
        with self.lock, self._db.transaction() as db:
            rows = db.execute("SELECT key, value FROM about").fetchall()
            before = {key: json.loads(value) for key, value in rows}
            told = dict(before)
            yield told
            changed = [
                (key, json.dumps(value))
                for key, value in told.items()
                if key not in before or before[key] != value
            ]
            db.executemany("INSERT OR REPLACE INTO about VALUES (?, ?)", changed)

    def told(self) -> dict:
        """What is known of pool and classes, only to be read."""
        with self.lock:
            _, rows = self._db.read("SELECT key, value FROM about")
        return {key: json.loads(value) for key, value in rows}

    def events(self, after: int = 0, until: int = _LAST) -> Iterator[Event]:
        """Events by their numbers: those behind ``after``, up to ``until``."""
        rows: list = [None] * _AT_A_TIME
        while len(rows) == _AT_A_TIME:
            with self.lock:
                query = f"{_SELECT} LIMIT {_AT_A_TIME}"
                _, rows = self._db.read(query, (after, until))
            yield from map(Event._make, rows)
            after = rows[-1][0] if rows else after

    def times(self) -> dict[int, str]:
        """When labels were given, by the numbers of the events."""
        with self.lock:
            return dict(
                self._db.read("SELECT seq, time FROM events WHERE label NOT NULL")[1]
            )

    def given(self) -> list[str]:
        """All labels that were ever given, as JSON."""
        query = "SELECT DISTINCT label FROM events WHERE label NOT NULL ORDER BY label"
        with self.lock:
            return [label for (label,) in self._db.read(query)[1]]

    def time_of(self, seq: int) -> datetime:
        """When an event was written."""
        query = "SELECT time FROM events WHERE seq = ?"
        with self.lock:
            _, ((time,),) = self._db.read(query, (seq,))
        return datetime.fromisoformat(time)

    def reasons(self, beginning: str) -> dict[int, str]:
        """Reasons that begin so, by the numbers of the events."""
        query = "SELECT seq, reason FROM events WHERE substr(reason, 1, ?) = ?"
        with self.lock:
            return dict(self._db.read(query, (len(beginning), beginning))[1])

    def digests(self) -> dict[str, str]:
        """What was in the rows that were asked or spoken of, by their ids as JSON."""
        query = "SELECT id, digest FROM events WHERE digest NOT NULL"
        with self.lock:
            return dict(self._db.read(query)[1])

    def catch_up(self) -> Standing:
        """Take in what others have written."""
        with self.lock:
            self._take_in(self.events(self.standing.seq))
            return self.standing

    def _take_in(self, events):
        try:
            for event in events:
                if flaw := _flaw(event):
                    raise self._db.damage(f"event {event.seq} {flaw}")
                self.standing.add(event)
        except BaseException:
            # Half of an event may be in it, at Ctrl-C for one.
            self.standing = Standing()
            raise

    @contextmanager
    def writing(self):
        """A transaction, to write events by a `Page`: all of them or none.

        ``standing`` is that of all events before it, and nobody else writes meanwhile.
        """
        if self.is_inherited:
            raise RuntimeError(
                "A session belongs to the process that has opened it. Open another one "
                "on the same store after a fork."
            )
        with self.lock:
            with self._db.transaction() as db:
                found = db.execute(_SELECT, (self.standing.seq, _LAST))
                self._take_in(map(Event._make, found))
                page = Page(self.standing.seq, self._session)
                yield page
                db.executemany(_INSERT, page.events)
            # Not before they are durable.
            self._take_in(page.events)

    def last_action(self, annotator: str | None) -> Event | None:
        """What somebody, or this session, last did that is not undone."""
        _, rows = self._db.read(
            f"SELECT {_COLUMNS} FROM events AS done WHERE annotator IS :annotator "
            "AND (:annotator NOT NULL OR session = :session) "
            f"AND kind IN {ACTIONS} AND NOT EXISTS (SELECT 1 FROM events WHERE "
            "seq > done.seq AND kind = 'undone' AND refers_to = done.seq) "
            "ORDER BY seq DESC LIMIT 1",
            {"annotator": annotator, "session": self._session},
        )
        return Event._make(rows[0]) if rows else None


def _flaw(event):
    """What is wrong with an event that was damaged, or changed by others; or None."""
    if event.id is None and event.kind not in OF_ALL_ROWS:
        return "is of no row"
    for name in ("id", "label"):
        text = getattr(event, name)
        if text is not None and not is_scalar_text(text):
            return f"has the {name} {shown(text)}, which is no JSON of a scalar"
    try:
        datetime.fromisoformat(event.time)
    except (TypeError, ValueError):
        return f"has the time {shown(event.time)}, which is none"
    return None


class Page:
    """Events that are about to be written."""

    def __init__(self, seq, session):
        self.events: list[Event] = []
        self._seq, self._session = seq, session
        self._time = datetime.now(UTC).isoformat(timespec="milliseconds")

    def write(self, kind, key=None, annotator=None, **columns):
        """Add an event of this session, now."""
        self._seq += 1
        self.events.append(
            Event(self._seq, self._time, kind, key, annotator, self._session, **columns)
        )
