"""Progress: how far a labelling is, in numbers."""

from collections import Counter
from dataclasses import dataclass, field

from skbadge.labeling.ledger._resolution import answered, contradicts, resolve
from skbadge.labeling.ledger._scalars import Scalar, from_text
from skbadge.utils._html_tables import facts_table

# So many numbers are listed as labels one by one.
_N_NUMBERS = 20


@dataclass(frozen=True)
class Progress:
    """How far a labelling is.

    Attributes
    ----------
    n_pool : int
        Rows of the pool.

    n_asked : int
        Rows that were handed out at least once.

    n_labeled : int
        Rows that have an answer.

    n_skipped : int
        Rows that were left out.

    n_unsure : int
        Rows without an answer, of which somebody could not tell.

    n_open : int
        Rows that are out for labelling.

    n_contradictory : int
        Labelled rows whose answers differ, and that nobody has corrected.

    n_audit : int
        Labelled rows of the audit, on which nothing is trained.

    n_new : int
        Answers that were given, changed or taken back since the last training, but for
        those of the audit.

    n_trainings : int
        How many trainings there were.

    by_class : dict of label to int
        Labelled rows by their label, in sorted order.

    by_annotator : dict of str or None to int
        Answers that stand, by person; None for all without a name.

    last_round : str or None
        What a monitor said of the last round that it was told of, in a line.
    """

    n_pool: int
    n_asked: int
    n_labeled: int
    n_skipped: int
    n_unsure: int
    n_open: int
    n_contradictory: int
    n_audit: int
    n_new: int
    n_trainings: int
    by_class: dict[Scalar, int] = field(default_factory=dict)
    by_annotator: dict[str | None, int] = field(default_factory=dict)
    last_round: str | None = None

    def __str__(self):
        return "\n".join(f"{name}: {value}" for name, value in self._lines())

    def _repr_html_(self):
        return facts_table(self._lines())

    def _lines(self):
        yield "labelled", f"{self.n_labeled} of {self.n_pool} rows"
        yield "open", self.n_open
        yield "skipped", self.n_skipped
        yield "unsure", self.n_unsure
        yield "contradictory", self.n_contradictory
        if self.n_audit:
            yield "of the audit", self.n_audit
        yield "trainings", f"{self.n_trainings}, {self.n_new} answers since"
        yield from self._lines_of_labels()
        for person, count in self.by_annotator.items():
            yield f"by {'nobody named' if person is None else person}", count
        if self.last_round:
            yield "last round", self.last_round

    def _lines_of_labels(self):
        labels = list(self.by_class)
        if len(labels) > _N_NUMBERS and not any(isinstance(y, str) for y in labels):
            # The targets of a regressor, say.
            yield "labels", f"{len(labels)} numbers, {min(labels)} to {max(labels)}"
            return
        for label, count in self.by_class.items():
            yield f"label {label!r}", count


def progress_of(standing, n_pool, resolution):
    """How far the labelling of a pool of so many rows is."""
    classes, people = Counter(), Counter()
    n_contradictory = n_audit = 0
    for _, row in answered(standing):
        vote = resolve(row, resolution)
        if vote is not None:
            classes[vote.label] += 1
        people.update(vote.who[0] for vote in row.votes)
        n_contradictory += contradicts(row)
        n_audit += row.is_audit
    found = [(from_text(label), count) for label, count in classes.items()]
    return Progress(
        n_pool=n_pool,
        n_asked=sum(row.asked is not None for row in standing.rows.values()),
        n_labeled=standing.counts["answered"],
        n_skipped=standing.counts["skipped"],
        n_unsure=standing.counts["unsure"],
        n_open=standing.counts["open"],
        n_contradictory=n_contradictory,
        n_audit=n_audit,
        n_new=standing.changes.n,
        n_trainings=standing.round,
        by_class=dict(sorted(found, key=_in_order)),
        by_annotator=dict(people),
        last_round=next(
            (each.line for each in reversed(standing.trainings) if each.line), None
        ),
    )


def _in_order(item):
    """Sorts labels of whatever kinds."""
    label, _ = item
    return isinstance(label, str), label
