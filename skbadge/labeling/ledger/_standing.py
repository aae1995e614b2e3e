"""Standing: what a ledger's events come to."""

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from skbadge.labeling.ledger._ledger_format import Event
from skbadge.labeling.ledger._row_standing import Mark, RowStanding, why_of


class Training(NamedTuple):
    """A training: when, the last event that it knew of, and what a monitor said."""

    seq: int
    known: int
    line: str | None


class Changes:
    """How many answers were given, changed or taken since the last training.

    Of each row, the votes that the training knew are compared with those of now: what
    was done and undone counts for nothing.

    Attributes
    ----------
    n : int
        The number.
    """

    def __init__(self):
        self._start()

    def _start(self):
        self.n = 0
        # The votes that the training knew, of rows that changed at least once since.
        self._known: dict[str, tuple] = {}
        self._counts: Counter[str] = Counter()

    def add(self, key, before, row):
        """Take in an event of a row, of which the votes before are given."""
        if key not in self._known and row.votes == before:
            return
        known = {vote.seq for vote in self._known.setdefault(key, before)}
        now = {vote.seq for vote in row.votes}
        count = max(len(now - known), len(known - now))
        self.n += count - self._counts[key]
        self._counts[key] = count

    def start_over(self, seq, rows):
        """Begin with a training, which knew the events up to one."""
        keys = list(self._known)
        self._start()
        for key in keys:
            row = rows[key]
            if row.marks[-1].seq > seq:
                self.add(key, row.votes_at(seq), row)


class Standing:
    """What the events so far come to; each is taken in once, in order.

    Attributes
    ----------
    seq : int
        Of the last event.

    rows : dict of str to RowStanding
        The rows that were asked or spoken of, by their ids as JSON.

    counts : Counter
        How many of these rows have which status.

    open, returned, unsure : dict
        Ids of the rows of these three statuses.

    changed : dict
        Ids of the rows whose status has changed since somebody emptied this.

    queue : list of Event
        What the queries since the last training found, the first to be asked first.

    trainings : list of Training
        One for each round.

    n_queries : int
        How many queries were made.

    changes : Changes
        Since the last training, but for rows of the audit.
    """

    def __init__(self, events: Iterable[Event] = ()):
        self.seq = 0
        self.rows: dict[str, RowStanding] = {}
        self.counts: Counter[str] = Counter()
        self.open: dict[str, None] = {}
        self.returned: dict[str, None] = {}
        self.unsure: dict[str, None] = {}
        self.changed: dict[str, None] = {}
        self.queue: list[Event] = []
        self.trainings: list[Training] = []
        self.n_queries = 0
        self.changes = Changes()
        # Equal parts of events, each kept once.
        self._kept: dict = {}
        for event in events:
            self.add(event)

    @property
    def round(self):
        """The number of trainings so far."""
        return len(self.trainings)

    def add(self, event):
        """Take in the next event."""
        self.seq = event.seq
        kind = event.kind
        if kind == "queued":
            self.queue.append(event)
        elif kind == "queried":
            self.n_queries += 1
        elif kind == "trained":
            self.trainings.append(Training(event.seq, event.refers_to, event.reason))
            self.queue = []
            self.changes.start_over(event.refers_to, self.rows)
        else:
            self._add_to_row(event)

    def _add_to_row(self, event):
        row = self.rows.get(event.id)
        if row is None:
            row = self.rows[event.id] = RowStanding()
            before = None
        else:
            before = row.status
        votes = row.votes
        row.add(self._mark(event))
        if row.status != before:
            self._move(event.id, before, row.status)
        if not row.is_audit:
            self.changes.add(event.id, votes, row)

    def _mark(self, event):
        keep = self._kept.setdefault
        who = (event.annotator, event.session)
        why, kind, label = why_of(event), event.kind, event.label
        return Mark(
            event.seq,
            keep(kind, kind),
            keep(who, who),
            keep(label, label),
            event.refers_to,
            keep(why, why),
        )

    def _move(self, key, before, after):
        if before is not None:
            self.counts[before] -= 1
        self.counts[after] += 1
        self.changed[key] = None
        for status in ("open", "returned", "unsure"):
            keys = getattr(self, status)
            if before == status:
                del keys[key]
            if after == status:
                keys[key] = None

    def status_of(self, key):
        """That of a row, which may never have been spoken of."""
        row = self.rows.get(key)
        return "free" if row is None else row.status

    def in_order_of_asking(self, keys):
        """Ids of rows that were handed out, the first one first."""
        return sorted(keys, key=lambda key: self.rows[key].asked.seq)

    def open_with(self, holder):
        """Ids of the rows that are open with somebody, in the order of asking."""
        mine = [key for key in self.open if self.rows[key].asked.holder == holder]
        return self.in_order_of_asking(mine)
