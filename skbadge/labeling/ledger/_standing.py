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

    open, returned : dict
        Ids of the rows of these two statuses.

    changed : dict
        Ids of the rows whose status has changed since somebody emptied this.

    queue : list of Event
        What the queries since the last training found, the first to be asked first.

    trainings : list of Training
        One for each round.

    n_queries : int
        How many queries were made.

    fresh : dict
        The answers and what changes them, that the last training did not know of, but
        for those of the audit. A row that is skipped takes its answers with it.
    """

    def __init__(self, events: Iterable[Event] = ()):
        self.seq = 0
        self.rows: dict[str, RowStanding] = {}
        self.counts: Counter[str] = Counter()
        self.open: dict[str, None] = {}
        self.returned: dict[str, None] = {}
        self.changed: dict[str, None] = {}
        self.queue: list[Event] = []
        self.trainings: list[Training] = []
        self.n_queries = 0
        self.fresh: dict[int, None] = {}
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
            self.fresh = {seq: None for seq in self.fresh if seq > event.refers_to}
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
        if row.is_audit:
            return
        if event.kind == "undone" and event.refers_to in self.fresh:
            del self.fresh[event.refers_to]
        elif row.votes != votes:
            self.fresh[event.seq] = None

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
        for status, keys in (("open", self.open), ("returned", self.returned)):
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
