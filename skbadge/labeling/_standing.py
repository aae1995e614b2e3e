"""Standing: what a ledger's events come to, row by row."""

from collections.abc import Iterable
from typing import NamedTuple

from skbadge.labeling._ledger_format import Event

ANSWERS = ("labeled", "corrected")
_CHANGES = (*ANSWERS, "withdrawn")


class Training(NamedTuple):
    """A training: when, and the last event that it knew of."""

    seq: int
    known: int


class RowStanding:
    """What the events of one row come to.

    Attributes
    ----------
    status : str
        "free"; "open" with somebody; "returned", when that session ended before it
        answered; "answered"; "unsure"; "skipped".

    asked : Event or None
        The last time it was handed out.

    votes : dict of holder to Event
        The last answer of each person or session, while it stands.

    decided : int
        The ``seq`` of the last correction, or 0: votes before it do not count.

    order : int
        The ``seq`` of the first of the answers: the place among labelled rows.

    unsure_of : tuple of str or None
        The people who could not tell.
    """

    __slots__ = (
        "asked",
        "decided",
        "digest",
        "events",
        "order",
        "status",
        "unsure_of",
        "votes",
    )

    def __init__(self):
        self.events: list[Event] = []
        self.digest = None
        self._start()

    def _start(self):
        self.status, self.asked = "free", None
        self.votes, self.decided, self.order = {}, 0, 0
        self.unsure_of = ()

    def add(self, event):
        """Take in an event of this row; one that undoes another starts over."""
        self.events.append(event)
        self.digest = event.digest or self.digest
        if event.kind != "undone":
            self._apply(event)
            return
        undone = {each.refers_to for each in self.events if each.kind == "undone"}
        self._start()
        for each in self.events:
            if each.kind != "undone" and each.seq not in undone:
                self._apply(each)

    def _apply(self, event):
        kind = event.kind
        if kind == "asked":
            self.status, self.asked = "open", event
        elif kind == "released":
            self.status = "returned"
        elif kind in ANSWERS:
            if not self.votes:
                self.order = event.seq
            self.votes = {**self.votes, event.holder: event}
            if kind == "corrected":
                self.decided = event.seq
            self.status = "answered"
        elif kind == "unsure":
            self.unsure_of = (*self.unsure_of, event.annotator)
            self.status = "answered" if self.votes else "unsure"
        else:
            self.votes, self.decided, self.order = {}, 0, 0
            self.status = "skipped" if kind == "skipped" else "free"

    def kind_of(self, seq: int) -> str:
        """The kind of one of the row's events."""
        return next(event.kind for event in self.events if event.seq == seq)

    def stands(self, kind: str, holder: tuple, label: str) -> bool:
        """Whether somebody has given a label, or corrected by it, and it counts."""
        vote = self.votes.get(holder)
        if vote is None or vote.label != label:
            return False
        if kind == "corrected":
            return vote.seq == self.decided
        return vote.seq >= self.decided

    def counting(self) -> list[Event]:
        """The votes that say what the row's label is, the oldest first."""
        votes = [vote for vote in self.votes.values() if vote.seq >= self.decided]
        return sorted(votes)


class Standing:
    """What the events so far come to; each is taken in once, in order.

    Attributes
    ----------
    seq : int
        Of the last event.

    rows : dict of str to RowStanding
        The rows that were asked or spoken of, by their ids as JSON.

    queue : list of Event
        What the queries since the last training found, the first to be asked first.

    trainings : list of Training
        One for each round.

    n_queries : int
        How many queries were made.

    fresh : dict
        The answers and what changes them, that the last training did not know of.
    """

    def __init__(self, events: Iterable[Event] = ()):
        self.seq = 0
        self.rows: dict[str, RowStanding] = {}
        self.queue: list[Event] = []
        self.trainings: list[Training] = []
        self.n_queries = 0
        self.fresh: dict[int, None] = {}
        self._by_status: dict[str, dict[str, None]] = {}
        for event in events:
            self.add(event)

    @property
    def round(self) -> int:
        """The number of trainings so far."""
        return len(self.trainings)

    def add(self, event: Event) -> None:
        """Take in the next event."""
        self.seq = event.seq
        kind = event.kind
        if kind == "queued":
            self.queue.append(event)
        elif kind == "queried":
            self.n_queries += 1
        elif kind == "trained":
            self.trainings.append(Training(event.seq, event.refers_to))
            self.queue = []
            self.fresh = {seq: None for seq in self.fresh if seq > event.refers_to}
        elif event.id is not None:
            self._add_to_row(event)

    def _add_to_row(self, event):
        row = self.rows.get(event.id)
        if row is None:
            row = self.rows[event.id] = RowStanding()
        before = row.status
        row.add(event)
        if row.status != before:
            self._by_status.get(before, {}).pop(event.id, None)
            self._by_status.setdefault(row.status, {})[event.id] = None
        if event.kind in _CHANGES:
            self.fresh[event.seq] = None
        elif event.kind == "undone" and row.kind_of(event.refers_to) in _CHANGES:
            if event.refers_to in self.fresh:
                del self.fresh[event.refers_to]
            else:
                # What the last training knew of is taken back.
                self.fresh[event.seq] = None

    def status_of(self, key: str) -> str:
        """That of a row, which may never have been spoken of."""
        row = self.rows.get(key)
        return "free" if row is None else row.status

    def ids_of(self, status: str) -> list[str]:
        """Ids of the rows of a status, in the order in which they were last asked."""
        keys = self._by_status.get(status, {})
        return sorted(keys, key=lambda key: self.asked_at(key))

    def count(self, status: str) -> int:
        """How many rows have a status other than "free"."""
        return len(self._by_status.get(status, {}))

    def asked_at(self, key: str) -> int:
        """The ``seq`` of the last time a row was handed out; 0 if never."""
        asked = self.rows[key].asked
        return 0 if asked is None else asked.seq

    def open_with(self, holder: tuple) -> list[str]:
        """Ids of the rows that are open with somebody."""
        return [key for key in self.ids_of("open") if self.holder_of(key) == holder]

    def holder_of(self, key: str) -> tuple | None:
        """Who has a row, if it is open."""
        row = self.rows.get(key)
        if row is None or row.status != "open":
            return None
        return row.asked.holder
