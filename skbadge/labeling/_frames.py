"""What a ledger says, as frames of pandas and as a summary."""

from collections import Counter
from dataclasses import dataclass, field

from skbadge.labeling._resolution import answered, contradicts, resolve
from skbadge.labeling._scalars import from_text
from skbadge.utils._optional import import_optional


def _pandas():
    return import_optional("pandas", extra="labeling", purpose="A frame")


def labels_frame(ledger, resolution):
    """The labelled rows by id."""
    pd = _pandas()
    times = {
        event.seq: event.time for event in ledger.events() if event.label is not None
    }
    columns = ("label", "annotator", "time", "round", "strategy", "n_answers")
    ids, rows = [], []
    for key, row in answered(ledger.standing):
        vote = resolve(row, resolution)
        last = vote or row.counting()[-1]
        ids.append(from_text(key))
        rows.append(
            (
                None if vote is None else from_text(vote.label),
                None if vote is None else vote.annotator,
                pd.Timestamp(times[last.seq]),
                last.round,
                last.strategy,
                len(row.votes),
                contradicts(row),
            )
        )
    frame = pd.DataFrame(
        rows, columns=[*columns, "is_contradictory"], index=_index(pd, ids)
    )
    return frame


def history_frame(ledger):
    """All events."""
    pd = _pandas()
    rows = []
    for event in ledger.events():
        values = event._asdict()
        for name in ("id", "label"):
            if values[name] is not None:
                values[name] = from_text(values[name])
        rows.append(values)
    frame = pd.DataFrame(rows, columns=list(ledger_columns()))
    frame["time"] = pd.to_datetime(frame["time"], utc=True, format="ISO8601")
    for name in ("round", "rank", "refers_to"):
        frame[name] = frame[name].astype("Int64")
    return frame.set_index("seq")


def ledger_columns():
    """Names of what is known of an event."""
    from skbadge.labeling._ledger_format import Event

    return Event._fields


def agreement_frame(ledger):
    """One row for each answer where several people answered one row."""
    pd = _pandas()
    several = [
        (key, row) for key, row in answered(ledger.standing) if len(row.votes) > 1
    ]
    ids = [from_text(key) for key, row in several]
    rows = [
        (
            {
                vote.annotator or vote.session: from_text(vote.label)
                for vote in sorted(row.votes.values())
            },
            len({vote.label for vote in row.votes.values()}) == 1,
            row.decided > 0,
        )
        for key, row in several
    ]
    return pd.DataFrame(
        rows, columns=["answers", "agrees", "is_decided"], index=_index(pd, ids)
    )


def _index(pd, ids):
    kinds = {type(each) for each in ids}
    mixed = len(kinds) > 1
    return pd.Index(ids, name="id", dtype=object if mixed else None)


@dataclass(frozen=True)
class Progress:
    """How far the labelling is.

    Attributes
    ----------
    n_pool : int
        Rows of the pool.

    n_asked : int
        Rows that were handed out at least once.

    n_labeled, n_skipped, n_unsure, n_open : int
        Rows that have a label, that were skipped, of which somebody could not tell and
        nobody could, and that are out for labelling.

    n_contradictory : int
        Labelled rows with answers that differ and no correction.

    n_new : int
        Answers, corrections and the like that the last training did not know of.

    round : int
        Number of trainings.

    by_class : dict
        Labelled rows by label.

    by_annotator : dict
        Answers that stand by person; None for sessions without a name.
    """

    n_pool: int
    n_asked: int
    n_labeled: int
    n_skipped: int
    n_unsure: int
    n_open: int
    n_contradictory: int
    n_new: int
    round: int
    by_class: dict = field(default_factory=dict)
    by_annotator: dict = field(default_factory=dict)

    def _repr_html_(self):
        cells = "".join(
            f"<tr><th style='text-align:left'>{_escaped(name)}</th>"
            f"<td>{_escaped(value)}</td></tr>"
            for name, value in self._lines()
        )
        return f"<table>{cells}</table>"

    def __str__(self):
        return "\n".join(f"{name}: {value}" for name, value in self._lines())

    def _lines(self):
        yield "labelled", f"{self.n_labeled} of {self.n_pool}"
        yield "skipped", self.n_skipped
        yield "unsure", self.n_unsure
        yield "open", self.n_open
        yield "contradictory", self.n_contradictory
        yield "trainings", self.round
        yield "new since", self.n_new
        yield from ((f"class {label!r}", n) for label, n in self.by_class.items())
        yield from (
            (f"by {who or 'nobody named'}", n) for who, n in self.by_annotator.items()
        )


def _escaped(value):
    from html import escape

    return escape(str(value))


def progress_of(standing, n_pool, resolution):
    """What of a pool is done."""
    classes, people, n_contradictory = Counter(), Counter(), 0
    for _, row in answered(standing):
        vote = resolve(row, resolution)
        if vote is not None:
            classes[from_text(vote.label)] += 1
        people.update(each.annotator for each in row.votes.values())
        n_contradictory += contradicts(row)
    return Progress(
        n_pool=n_pool,
        n_asked=sum(row.asked is not None for row in standing.rows.values()),
        n_labeled=standing.count("answered"),
        n_skipped=standing.count("skipped"),
        n_unsure=standing.count("unsure"),
        n_open=standing.count("open"),
        n_contradictory=n_contradictory,
        n_new=len(standing.fresh),
        round=standing.round,
        by_class=dict(classes),
        by_annotator=dict(people),
    )
