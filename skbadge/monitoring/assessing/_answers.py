"""Answers to a batch: which rows have one, and whether they are the batch's."""

import numpy as np

from skbadge.pools import array_of, is_tensor
from skbadge.querier import QueryReport
from skbadge.querier._checks import check_y
from skbadge.utils._shown import listed, shown
from skbadge.utils._validation import check_masked, is_missing

# Predictions of the same rows differ by rounding, with their places in a mini-batch:
# by less than this share of their range, and labels in less than this share of rows.
_FEW = 0.02
# Fewer answers say nothing of their order.
_ENOUGH = 20


def read_answers(querier, y, n, name):
    """The answers as `check_y` returns them, and a mask of the rows that have one.

    Parameters
    ----------
    querier : BadgeQuerier
        Whose kind of labels they are.

    y : array-like of shape (n,) or (n, n_outputs)
        None or NaN for a row without an answer.

    n : int
        Number of rows.

    name : str
        What to call them in errors.
    """
    check_masked(y, name)
    entries = np.asarray(array_of(y) if is_tensor(y) else y, dtype=object)
    if entries.ndim == 0:
        raise ValueError(
            f"`{name}` must have one entry for each row. Got {shown(y)} instead."
        )
    if len(entries) != n:
        raise ValueError(
            f"`{name}` must have one label for each of the {n} rows that were drawn, "
            f"in that order. Got {len(entries)}. A batch that is shortened, extended "
            "or put together by hand has no known probabilities; for a row that was "
            "skipped, pass None."
        )
    missing = [any(map(is_missing, np.ravel(entry))) for entry in entries]
    answered = ~np.array(missing, dtype=bool)
    if not answered.any():
        raise ValueError(f"`{name}` must have at least one label. Got none.")
    model = querier._estimator()
    labels = check_y(querier, entries[answered], answered[answered], model)
    known = getattr(querier, "classes_", None)
    if known is not None and isinstance(labels[0], str) != isinstance(known[0], str):
        raise ValueError(
            f"`{name}` must hold labels of the kind of the model's classes, "
            f"{listed(known)}. Got {shown(labels[0])}."
        )
    return labels, answered


def check_order(report, y):
    """Raise if an index says that answers are of other rows, or in another order."""
    index = getattr(y, "index", None)
    if index is None or callable(index):
        # Lists have a method of that name.
        return
    names = np.asarray(index).tolist()
    if names == list(range(len(names))):
        # It was not taken from anywhere.
        return
    known = (report.rows if report.ids is None else report.ids).tolist()
    if names == known or len(names) != len(known):
        return
    is_same = set(names) == set(known)
    if is_same or report.ids is not None:
        what = "in another order than" if is_same else "of other rows than"
        where = "`report.rows`" if report.ids is None else "`report.ids`"
        raise ValueError(
            f"`y_new` is {what} {where}, by its index. The probabilities belong to the "
            f"rows in the order in which they were drawn: y_new.loc[{where[1:-1]}]."
        )


def order_note(said, y, accuracy):
    """A note if answers look as if they were in another order than the rows.

    Parameters
    ----------
    said : ndarray of shape (n,)
        Classes that the model said of the rows.

    y : ndarray of shape (n,)
        The answers.

    accuracy : float
        That of the model on other rows.
    """
    labels, shares = np.unique(y, return_counts=True)
    # Of two classes, a model may well be wrong about half of the rows it asks for.
    if len(y) < _ENOUGH or len(labels) < 3:
        return ()
    by_chance = sum(
        np.mean(said == label) * n for label, n in zip(labels, shares, strict=True)
    )
    by_chance /= len(y)
    spread = np.sqrt(by_chance * (1 - by_chance) / len(y))
    is_chance = np.mean(said == y) <= by_chance + spread
    if not is_chance or accuracy < (1 + by_chance) / 2:
        return ()
    return (
        "the answers are what the model said no more often than by chance, and on "
        f"other rows it is right in {accuracy:.0%}".replace("%", " %")
        + ": are they in the order of `report.rows`?",
    )


def check_is_report(report):
    """Raise unless it is the report of a query."""
    if not isinstance(report, QueryReport):
        raise TypeError(
            "`report` must be a QueryReport, of `query(..., return_report=True)`. Got "
            f"{shown(report)} instead."
        )


def check_same(said, known, name):
    """Raise if what the model says of the rows is not what it said of the batch."""
    if known is None:
        return
    if said.proba is None and said.labels.dtype.kind != "f":
        is_same = np.mean(said.labels != known.labels) <= _FEW
    else:
        both = (said.labels, known.labels)
        if said.proba is not None:
            both = said.proba, known.proba
        is_same = np.allclose(*both, rtol=1e-5, atol=_FEW * np.ptp(both[1]))
    if not is_same:
        raise ValueError(
            f"`{name}` must be the rows of the batch, in the order of `report.rows`: "
            "X_pool[report.rows]. Got rows of which the model says something else than "
            "of the batch."
        )
