"""From what a file says to events: which row, which class, and what is new.

Nothing is guessed. An id or a label is taken if there is exactly one that it can mean,
and an answer replaces another only if the same tool has changed its own.
"""

import math
from collections import defaultdict
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from skbadge.labeling._arguments import is_text
from skbadge.labeling.files._imported import Imported, Problem
from skbadge.utils._shown import listed


class Refusal(ValueError):
    """Why an id or a label of a file means nothing here."""


@dataclass
class Known:
    """What the ledger has of one row.

    Parameters
    ----------
    votes : dict
        Everybody's last answer that counts, by name; None for who could not tell, or
        has skipped it.

    sources : dict of str to (version, label)
        What was imported last of each answer of a tool.

    gone : dict
        Last answers that do not count any more, by name: the row was corrected,
        withdrawn or skipped since.
    """

    votes: dict[Any, Any] = field(default_factory=dict)
    sources: dict[str, tuple[str, Any]] = field(default_factory=dict)
    gone: dict[Any, Any] = field(default_factory=dict)


def found_id(key, contains):
    """The id that a file's text or number means.

    Parameters
    ----------
    key : str, int or float
        What the file has. A float without fraction stands for the whole number.

    contains : callable
        Whether there is such an id, of this type.
    """
    if isinstance(key, float) and key.is_integer():
        key = int(key)
    is_finite = not isinstance(key, float) or math.isfinite(key)
    if not isinstance(key, str | int | float) or not is_finite:
        raise Refusal("this can be no id")
    twin = _whole_number(key) if isinstance(key, str) else str(key)
    other = None if isinstance(key, float) else _fraction(key)
    forms = (key, twin, other)
    found = [form for form in forms if form is not None and contains(form)]
    if not found:
        raise Refusal("there is no row with this id")
    if len(found) > 1:
        raise Refusal(f"the ids {found[0]!r} and {found[1]!r} look the same")
    return found[0]


def found_label(label, classes):
    """The class that a file's text or number means."""
    for same in (_is_same, _is_same_text, _is_same_number, _is_same_bool):
        found = [c for c in classes if same(label, c)]
        if len(found) == 1:
            return found[0]
        if found:
            raise Refusal(f"the classes {found[0]!r} and {found[1]!r} look the same")
    raise Refusal(f"this is not one of the classes {listed(classes)}")


def found_unlisted_label(label, seen, *, is_number):
    """The label that a file's text or number means, where no classes are known.

    Parameters
    ----------
    label : str, bool, int or float
        What the file has.

    seen : list
        The labels so far.

    is_number : bool
        Whether labels are numbers, as for a regressor.
    """
    is_endless = isinstance(label, float) and not math.isfinite(label)
    if not isinstance(label, str | int | float) or is_endless:
        raise Refusal("this can be no label")
    if not is_number:
        try:
            return found_label(label, seen)
        except Refusal:
            # One that was not there before.
            if not seen:
                return label
        if isinstance(seen[0], str | bool):
            if type(label) is type(seen[0]):
                return label
            raise Refusal(f"labels are of type {type(seen[0]).__name__} so far")
        whole = _whole_number(str(label))
        if whole is not None:
            return whole
    try:
        number = float(label)
    except (ValueError, OverflowError):
        number = math.nan
    if isinstance(label, bool) or not math.isfinite(number):
        example = 3.5 if is_number else 3
        raise Refusal(f"labels are numbers, such as {example}, and this is none")
    return number


def kinds_of(labels):
    """Of labels of a file, the types that are not each other's."""
    kinds = {type(label) for label in labels if isinstance(label, str | int | float)}
    return {float if kind is int else kind for kind in kinds}


def _whole_number(text):
    try:
        number = int(text)
    except ValueError:
        return None
    return number if str(number) == text.strip() else None


def _fraction(key):
    """The float of an id, as a file writes it: with a fraction or, by some, without."""
    try:
        number = float(key)
    except (ValueError, OverflowError):
        return None
    looks = (repr(number), repr(number).removesuffix(".0"))
    return number if str(key).strip() in looks and math.isfinite(number) else None


def _is_same(label, known):
    return type(label) is type(known) and label == known


def _is_same_text(label, known):
    return str(label).strip() == str(known).strip()


def _is_same_number(label, known):
    """Whether 3.0 stands for 3, as where a spreadsheet has made it a float."""
    if isinstance(known, bool | str) or isinstance(label, bool):
        return False
    try:
        return float(label) == float(known)
    except (TypeError, ValueError, OverflowError):
        return False


def _is_same_bool(label, known):
    """Whether TRUE stands for True, as spreadsheets write it."""
    is_bool = str(known) in ("True", "False")
    return is_bool and str(label).strip().casefold() == str(known).casefold()


def sort_out(answers, refused, known_of, *, find_id, find_label, unnamed, on_conflict):
    """Say what to add to the ledger, and what came of each answer.

    Parameters
    ----------
    answers : list of Answer
        With ids and labels as the file has them.

    refused : list of Problem
        What was none already.

    known_of : callable
        What the ledger has of an id, a `Known`.

    find_id, find_label : callable
        The id and the label that the file's mean, or a `Refusal`.

    unnamed : str
        The name for answers whose file names nobody.

    on_conflict : {"list", "correct"}
        Whether answers that differ from the same person's in the ledger replace them.
        Those that differ within the file never do.

    Returns
    -------
    events : list of (kind, Answer)
        What to add, in the order of the answers: "labeled", "corrected", "skipped" or
        "unsure".

    imported : Imported
        What they amount to.

    Notes
    -----
    What is added does not depend on the order of the answers. A row that somebody has
    skipped and somebody else has labelled is labelled.
    """
    understood, refused = _understood(answers, refused, find_id, find_label)
    said = defaultdict(list)
    labels = defaultdict(set)
    for _, answer in understood:
        said[answer.id, answer.annotator].append(answer.label)
        labels[answer.id].add(answer.label)
    events, conflicts, disagreements = [], [], []
    n_known = n_changed = 0
    added = set()
    for raw, answer in understood:
        key = answer.id, answer.annotator
        known = known_of(answer.id)
        verdict, now = _verdict(answer, known, unnamed)
        if any(label != said[key][0] for label in said[key]):
            conflicts.append(_problem(raw, now, "answered differently in this file"))
        elif verdict == "known" or key in added:
            n_known += 1
        elif verdict == "conflict" and on_conflict == "list":
            reason = "the session has another answer"
            if now is None:
                reason = "it was withdrawn, or the row was skipped"
            conflicts.append(_problem(raw, now, reason))
        else:
            added.add(key)
            kind = _kind(answer, known, labels[answer.id], verdict, now)
            events.append((kind, replace(answer, annotator=key[1] or unnamed)))
            n_changed += now is not None and answer.label is not None
            other = _disagreement(answer, known)
            if other is not None and kind == "labeled":
                disagreements.append(_problem(raw, other, "somebody else disagrees"))
    n_skipped = sum(answer.label is None for _, answer in events)
    imported = Imported(
        n_new=len(events) - n_changed - n_skipped,
        n_corrected=n_changed,
        n_skipped=n_skipped,
        n_known=n_known,
        conflicts=conflicts,
        disagreements=disagreements,
        refused=refused,
    )
    return events, imported


def _understood(answers, refused, find_id, find_label):
    """Pairs of an answer as the file has it and as it is meant; and what is neither."""
    understood, refused = [], list(refused)
    for answer in answers:
        try:
            if not (answer.annotator is None or is_text(answer.annotator)):
                raise Refusal("this can be nobody's name")
            row = find_id(answer.id)
            label = None if answer.label is None else find_label(answer.label)
        except Refusal as reason:
            refused.append(_problem(answer, None, str(reason)))
        else:
            understood.append((answer, replace(answer, id=row, label=label)))
    return understood, refused


def _verdict(answer, known, unnamed):
    """Whether an answer is known, new or in conflict, and with what."""
    name = answer.annotator or unnamed
    now = known.votes.get(name)
    others = [label for label in known.votes.values() if label is not None]
    if now is None and others and (answer.annotator is None or name in known.gone):
        # Nobody knows who that is, or else somebody has corrected them.
        now = answer.label if answer.label in others else others[-1]
        before = known.sources.get(answer.source)
        is_old = before is not None and before[1] == answer.label
        return ("known" if now == answer.label or is_old else "conflict"), now
    before = known.sources.get(answer.source)
    if before is not None:
        version, label = before
        # An export that is older than what was imported, or no change since.
        if _time(answer.version) <= _time(version) or label == answer.label:
            return "known", now
        if now == label:
            return "new", now
    is_told = now is not None or name in known.votes
    if is_told and now == answer.label:
        return "known", now
    # The same file once more, after the row was withdrawn.
    is_gone = not answer.source and known.gone.get(name) == answer.label is not None
    return ("conflict" if now is not None or is_gone else "new"), now


def _kind(answer, known, labels, verdict, now):
    """The kind of event.

    A correction decides for all, and a skip takes a row out for all: neither may where
    others have answered, unless a file that names nobody is to correct them.
    """
    others = _labels_of_others(answer, known)
    if answer.label is None:
        return "unsure" if others or labels != {None} else "skipped"
    decides = not others or (answer.annotator is None and verdict == "conflict")
    return "corrected" if now is not None and decides else "labeled"


def _labels_of_others(answer, known):
    return [
        label
        for name, label in known.votes.items()
        if name != answer.annotator and label is not None
    ]


def _disagreement(answer, known):
    """An answer of somebody else that differs."""
    others = [] if answer.label is None else _labels_of_others(answer, known)
    return next((label for label in others if label != answer.label), None)


def _time(text):
    """A time that can be compared; what is none comes before all others."""
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return datetime.min.replace(tzinfo=UTC)
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def _problem(answer, known, reason):
    return Problem(
        answer.where, answer.id, answer.annotator, answer.label, known, reason
    )
