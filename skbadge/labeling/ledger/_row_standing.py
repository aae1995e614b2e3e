"""RowStanding: what the events of one row come to."""

from typing import NamedTuple

ANSWERS = ("labeled", "corrected")

# The strategy of rows that were drawn for the audit.
AUDIT = "audit"


class Why(NamedTuple):
    """What had asked for a row."""

    strategy: str | None
    round: int | None
    rank: int | None
    probability: float | None


def why_of(event):
    """What had asked for a row, as everything that is said of it repeats."""
    return Why(event.strategy, event.round, event.rank, event.probability)


class Mark(NamedTuple):
    """What is kept of an event of a row; a ledger may have millions."""

    seq: int
    kind: str
    # The annotator, or None, and the session.
    who: tuple
    label: str | None
    refers_to: int | None
    why: Why

    @property
    def holder(self):
        """Whose tasks and answers these are."""
        return holder_of(*self.who)


def holder_of(annotator, session):
    """Whom tasks belong to: a person wherever they work, else this session alone."""
    return (None, session) if annotator is None else (annotator, None)


class RowStanding:
    """What the events of one row come to.

    Attributes
    ----------
    status : str
        "free"; "open" with somebody; "returned", when that session ended before it
        answered; "answered"; "unsure"; "skipped".

    asked : Mark or None
        The last time it was handed out.

    is_audit : bool
        Whether it was handed out for the audit. It stays so, and is never trained on.

    votes : tuple of Mark
        The last answer of each person or session, while it stands, the oldest first.

    decided : int
        The ``seq`` of the last correction, or 0: votes before it do not count.

    order : int
        The ``seq`` of the first of the answers: the place among labelled rows.

    unsure_of : tuple of str or None
        The people who could not tell, and have not answered since.
    """

    __slots__ = (
        "asked",
        "decided",
        "is_audit",
        "marks",
        "order",
        "status",
        "unsure_of",
        "votes",
    )

    def __init__(self):
        self.marks: tuple[Mark, ...] = ()
        self.is_audit = False
        self._start()

    def _start(self):
        self.status, self.asked = "free", None
        self.votes, self.decided, self.order = (), 0, 0
        self.unsure_of = ()

    def add(self, mark):
        """Take in an event of this row; one that undoes another starts over."""
        self.marks += (mark,)
        if mark.kind != "undone":
            self._apply(mark)
            return
        self._start()
        for each in self.not_undone():
            self._apply(each)

    def not_undone(self):
        """The events that nobody has undone, the oldest first."""
        undone = {each.refers_to for each in self.marks if each.kind == "undone"}
        kept = (each for each in self.marks if each.kind != "undone")
        return [each for each in kept if each.seq not in undone]

    def labels(self):
        """All labels that it was ever given, but for those undone."""
        return [each.label for each in self.not_undone() if each.label is not None]

    def votes_at(self, seq):
        """The votes after an event, of this row or another."""
        then = RowStanding()
        for mark in self.marks:
            if mark.seq <= seq:
                then.add(mark)
        return then.votes

    def _apply(self, mark):
        kind = mark.kind
        if kind == "asked":
            # An undo may bring back answers behind which it was handed out.
            self.status = "answered" if self.votes else "open"
            self.asked = mark
            self.is_audit = mark.why.strategy == AUDIT
        elif kind == "released":
            self.status = "answered" if self.votes else "returned"
        elif kind in ANSWERS:
            if not self.votes:
                self.order = mark.seq
            others = (each for each in self.votes if each.holder != mark.holder)
            self.votes = (*others, mark)
            self.unsure_of = tuple(who for who in self.unsure_of if who != mark.who[0])
            if kind == "corrected":
                self.decided = mark.seq
            self.status = "answered"
        elif kind == "unsure":
            self.unsure_of = (*self.unsure_of, mark.who[0])
            self.status = "answered" if self.votes else "unsure"
        else:
            self.votes, self.decided, self.order = (), 0, 0
            self.status = "skipped" if kind == "skipped" else "free"

    def stands(self, kind, holder, label):
        """Whether somebody has given a label, or corrected by it, and it counts."""
        for vote in self.votes:
            if vote.holder == holder and vote.label == label:
                if kind == "corrected":
                    return vote.seq == self.decided
                return vote.seq >= self.decided
        return False

    def is_told(self, kind, annotator):
        """Whether a row was skipped, or somebody could not tell, and it stands."""
        if kind == "unsure":
            return self.status in (kind, "answered") and annotator in self.unsure_of
        return self.status == kind == "skipped"

    def counting(self):
        """The votes that say what the row's label is, the oldest first."""
        return [vote for vote in self.votes if vote.seq >= self.decided]
