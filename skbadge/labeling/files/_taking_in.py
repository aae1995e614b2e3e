"""Answers of a file are compared with the ledger, and what is new is added to it."""

from functools import cache

from skbadge.labeling._arguments import text_of_label, why_not_learned
from skbadge.labeling.files._label_studio import UNKNOWN
from skbadge.labeling.files._matching import (
    Known,
    Refusal,
    found_id,
    found_label,
    found_unlisted_label,
    kinds_of,
    sort_out,
)
from skbadge.labeling.ledger._row_standing import ANSWERS
from skbadge.labeling.ledger._scalars import as_text, from_text

# What the ledger keeps of an annotation that was imported begins so.
_SOURCE = f"{UNKNOWN}:"


def take_in(session, answers, refused, unnamed, on_conflict):
    """Add to the ledger, in one transaction, what of the answers is new."""
    if on_conflict not in ("list", "correct"):
        raise ValueError(
            f"`on_conflict` must be 'list' or 'correct'. Got {on_conflict!r}."
        )
    pool, ledger = session._pool, session._ledger
    with ledger.lock:
        digests = _digests(pool, ledger.catch_up(), answers)
    with ledger.writing() as page:
        standing = ledger.standing
        sources = ledger.reasons(_SOURCE)

        @cache
        def known_of(row):
            return _known(standing.rows.get(as_text(row, "id")), sources)

        events, imported = sort_out(
            answers,
            refused,
            known_of,
            find_id=lambda key: found_id(key, _contains(pool)),
            find_label=_label_finder(session, standing, answers),
            unnamed=unnamed,
            on_conflict=on_conflict,
        )
        for kind, answer in events:
            key = as_text(answer.id, "id")
            row = standing.rows.get(key)
            why = {"round": standing.round, "digest": digests.get(key)}
            if row is not None:
                why = session._why(row, key)
            source = f"{answer.source} {answer.version}" if answer.source else None
            label = None if answer.label is None else as_text(answer.label, "y")
            page.write(kind, key, answer.annotator, label=label, reason=source, **why)
    if imported.n_new or imported.n_corrected:
        session._train_if_due()
    return imported


def _contains(pool):
    """A function that says whether there is a row of an id."""
    return lambda key: pool.position(as_text(key, "id")) is not None


def _digests(pool, standing, answers):
    """The contents, by key, of rows that the ledger knows nothing of."""
    keys = set()
    for answer in answers:
        try:
            keys.add(as_text(found_id(answer.id, _contains(pool)), "id"))
        except Refusal:
            continue
    new = sorted(keys - standing.rows.keys())
    found = pool.digests([pool.position(key) for key in new])
    return dict(zip(new, found, strict=True))


def _label_finder(session, standing, answers):
    """What reads the labels of a file."""
    if session.classes is not None:
        return lambda label: found_label(label, session.classes)
    texts = {text for row in standing.rows.values() for text in row.labels()}
    seen = [from_text(text) for text in sorted(texts)]
    is_number = not session._reader.is_classifier
    is_mixed = len(kinds_of(answer.label for answer in answers)) > 1

    def find(label):
        if is_mixed and not seen and not is_number:
            raise Refusal("labels are of several types, and no classes are known")
        found = found_unlisted_label(label, seen, is_number=is_number)
        if reason := why_not_learned(as_text(found, "y"), not is_number):
            raise Refusal(f"this is {reason}")
        return from_text(text_of_label(found, not is_number))

    return find


def _known(row, sources):
    """What the ledger has of a row."""
    found = Known()
    if row is None:
        return found
    undone = {mark.refers_to for mark in row.marks if mark.kind == "undone"}
    for mark in row.marks:
        name = mark.who[0] or mark.holder
        if mark.seq in undone or mark.kind not in (*ANSWERS, "skipped", "unsure"):
            continue
        label = None if mark.label is None else from_text(mark.label)
        if mark.kind in ANSWERS:
            found.gone[name] = label
        elif row.status in ("skipped", "unsure"):
            found.votes[name] = None
        source, _, version = sources.get(mark.seq, "").partition(" ")
        found.sources[source] = version, label
    found.sources.pop("", None)
    for vote in row.counting():
        name = vote.who[0] or vote.holder
        found.votes[name] = from_text(vote.label)
        found.gone.pop(name, None)
    return found
