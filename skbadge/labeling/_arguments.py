"""Checks of what users hand to a session."""

import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import chain
from numbers import Real
from typing import Any

import numpy as np
from sklearn.base import is_classifier

from skbadge.labeling.ledger._resolution import check_resolution
from skbadge.labeling.ledger._scalars import as_text, from_text
from skbadge.monitoring import Monitor
from skbadge.querier import BadgeQuerier
from skbadge.utils._shown import did_you_mean, listed, shown
from skbadge.utils._validation import is_int

_SYNCHRONOUS = ("full", "normal")
# SQLite counts them as milliseconds, in 32 bits.
_MAX_SECONDS = 2_000_000


def check_options(
    querier,
    *,
    resolution,
    train_every,
    audit_share,
    monitor,
    batch_size,
    lease,
    synchronous,
    timeout,
) -> None:
    """Raise for a parameter of a session that is not allowed."""
    if not isinstance(querier, BadgeQuerier):
        raise TypeError(
            f"`querier` must be a BadgeQuerier. Got {shown(querier)}. Put steps before "
            "it into its estimator: BadgeQuerier(make_pipeline(...))."
        )
    check_resolution(resolution)
    if synchronous not in _SYNCHRONOUS:
        raise ValueError(
            f"`synchronous` must be one of {list(_SYNCHRONOUS)}. Got "
            f"{shown(synchronous)}."
        )
    for name, value in (("train_every", train_every), ("batch_size", batch_size)):
        is_none = name == "train_every" and value is None
        if not (is_none or (is_int(value) and value >= 1)):
            raise ValueError(f"`{name}` must be an int >= 1. Got {shown(value)}.")
    if not (_is_number(audit_share) and 0 <= audit_share <= 0.5):
        raise ValueError(
            f"`audit_share` must be a number from 0 to 0.5. Got {shown(audit_share)}."
        )
    if not isinstance(monitor, Monitor | None):
        raise TypeError(
            "`monitor` must be a skbadge.monitoring.Monitor, or None. Got "
            f"{shown(monitor)}."
        )
    if lease is not None and not (_is_number(lease) and 0 < lease < np.inf):
        raise ValueError(f"`lease` must be a number > 0, or None. Got {shown(lease)}.")
    if not (_is_number(timeout) and 0 <= timeout <= _MAX_SECONDS):
        raise ValueError(
            f"`timeout` must be a number of seconds from 0 to {_MAX_SECONDS:,}. Got "
            f"{shown(timeout)}."
        )


def _is_number(value):
    return isinstance(value, Real) and not isinstance(value, bool)


def check_annotator(annotator: Any) -> Any:
    """The name of a person, or None; raises if a ledger cannot hold it."""
    if annotator is None or (is_text(annotator) and annotator):
        return annotator
    raise ValueError(
        "`annotator` must be a text that is not empty, or None. Got "
        f"{shown(annotator)}."
    )


def check_people(annotators: Any) -> None:
    """Raise unless it gives names to people, or is None."""
    if annotators is None:
        return
    if not isinstance(annotators, Mapping):
        raise ValueError(
            f"`annotators` must be a dict of names, or None. Got {shown(annotators)}."
        )
    for name in annotators.values():
        check_annotator(str(name))


def check_reason(reason: Any) -> None:
    """Raise if a ledger cannot hold a reason."""
    if not (reason is None or is_text(reason)):
        raise ValueError(f"`reason` must be a text, or None. Got {shown(reason)}.")


def is_text(value: Any) -> bool:
    """Whether a ledger can hold it as a text."""
    if not isinstance(value, str):
        return False
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def check_lists(ids: Any, y: Any) -> tuple[list, list]:
    """Ids and labels as lists; raises unless there is one label for each id."""
    for name, value in (("ids", ids), ("y", y)):
        # A set has no order.
        if not _is_list(value) or isinstance(value, set | frozenset):
            raise TypeError(
                f"`{name}` must be a list, with one label for each id. Got "
                f"{shown(value)}."
            )
    ids, y = list(ids), list(y)
    if len(ids) != len(y):
        raise ValueError(
            f"`y` must have {len(ids)} entries, one for each id. Got {len(y)}."
        )
    return ids, y


def _is_list(values):
    """Whether values come one by one; of a mapping or bytes, others would."""
    is_other = isinstance(values, str | bytes | bytearray | Mapping)
    is_point = getattr(values, "shape", None) == ()
    return isinstance(values, Iterable) and not (is_other or is_point)


def check_distinct(keys: list[str]) -> None:
    """Raise if an id comes twice."""
    if len(set(keys)) < len(keys):
        twice = Counter(keys).most_common(1)[0][0]
        raise ValueError(f"`ids` must be distinct. Got {from_text(twice)!r} twice.")


def texts_of_classes(classes: Any, name: str) -> list[str] | None:
    """Classes as JSON; raises for those that could not be told apart."""
    if classes is None:
        return None
    if not _is_list(classes):
        raise ValueError(f"`{name}` must be a list of labels. Got {shown(classes)}.")
    texts = [as_text(label, name) for label in classes]
    labels = list(map(from_text, texts))
    if len(set(map(_kind_of, texts))) > 1:
        raise ValueError(
            f"`{name}` must be of one kind: make them all strings. Got "
            f"{listed(labels)}."
        )
    # 1 and 1.0 are one class to an estimator.
    if len(set(labels)) < len(labels) or not labels:
        raise ValueError(
            f"`{name}` must be distinct, and one at least. Got {listed(labels)}."
        )
    for text in texts:
        if reason := why_not_learned(text):
            raise ValueError(
                f"`{name}` must be what an estimator can tell apart. Got "
                f"{shown(from_text(text))}, {reason}."
            )
    return [_in_one_type(text, is_classifier=True) for text in texts]


def why_not_learned(text: str, is_classifier: bool = True) -> str | None:
    """Why an estimator could not learn a label; None if it can."""
    value = from_text(text)
    if is_classifier and isinstance(value, float) and not value.is_integer():
        return (
            "a number with a fraction, which only a regressor learns: use one, or make "
            "all labels strings"
        )
    if isinstance(value, str):
        if value.endswith("\0"):
            return "a text with a null character at its end, which NumPy drops"
    elif is_classifier and not -(2**63) <= value < 2**63:
        return "a number beyond 64 bits: make all labels strings"
    elif not abs(value) <= sys.float_info.max:
        return "a number beyond 64 bits"
    return None


def text_of_label(value: Any, is_classifier: bool) -> str:
    """A label as JSON. Of 1 and 1.0, which are equal to an estimator, only one is kept.

    Classes are ints, and targets floats, if they can be.
    """
    return _in_one_type(as_text(value, "y"), is_classifier)


def _in_one_type(text, is_classifier):
    value = from_text(text)
    if isinstance(value, bool | str) or why_not_learned(text, is_classifier):
        return text
    return as_text(int(value) if is_classifier else float(value), "y")


class LabelReader:
    """Checks labels, and makes JSON of them.

    Parameters
    ----------
    classes : list of str or None
        As JSON; None for any.

    querier : BadgeQuerier
        That is to learn them.

    Attributes
    ----------
    is_classifier : bool
        Whether labels are classes; else they are numbers.
    """

    def __init__(self, classes, querier):
        self._texts = classes
        self.classes = None if classes is None else [from_text(t) for t in classes]
        self.is_classifier = is_classifier(querier)
        # The id of a row that had a label, to be looked at first.
        self._witness = None

    def texts(self, y: list, standing: Any) -> list[str]:
        """Labels as JSON; raises for one that the querier could not learn."""
        texts = [text_of_label(label, self.is_classifier) for label in y]
        if self._texts is not None:
            for text in texts:
                if text not in self._texts:
                    self._refuse(from_text(text))
        elif texts:
            self._check_kinds(texts, standing)
        return texts

    def _refuse(self, label):
        twins = [each for each in self.classes if str(each) == str(label)]
        names = [each for each in self.classes if isinstance(each, str)]
        hint = f" Did you mean {twins[0]!r}?" if twins else ""
        if not hint and isinstance(label, str):
            hint = did_you_mean(label, names)
        raise ValueError(
            f"`y` must be one of the classes {listed(self.classes)}. Got "
            f"{shown(label)}.{hint}"
        )

    def _check_kinds(self, texts, standing):
        kind = self._kind_so_far(standing) or _kind_of(texts[0])
        for text in texts:
            if _kind_of(text) != kind:
                raise ValueError(
                    f"`y` must be {kind}, as the labels so far are or the estimator "
                    f"needs. Got {shown(from_text(text))}."
                )
            if reason := why_not_learned(text, self.is_classifier):
                raise ValueError(
                    "`y` must be a label that an estimator can tell apart. Got "
                    f"{shown(from_text(text))}, {reason}."
                )

    def _kind_so_far(self, standing):
        """Texts, numbers or bools, as labels so far; None if there are none.

        Those that were withdrawn count as well: an undo may bring them back.
        """
        if not self.is_classifier:
            return _NUMBER
        rows = standing.rows
        for key in chain(rows.keys() & {self._witness}, rows):
            for label in rows[key].labels():
                self._witness = key
                return _kind_of(label)
        return None


_NUMBER = "a number"


def _kind_of(text):
    value = from_text(text)
    if isinstance(value, bool):
        return "a bool"
    return "a string" if isinstance(value, str) else _NUMBER
