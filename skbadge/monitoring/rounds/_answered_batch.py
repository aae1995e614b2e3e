"""A batch with its answers, and the model that chose it."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, is_classifier

from skbadge.monitoring.assessing._answers import (
    check_is_report,
    check_order,
    check_same,
    order_note,
    read_answers,
)
from skbadge.monitoring.assessing._assessed import opened
from skbadge.pools import n_rows, row_codes, rows_among
from skbadge.querier import BadgeQuerier, BatchPredictions, QueryReport
from skbadge.querier._check_rows import check_container
from skbadge.utils._validation import is_missing


@dataclass(frozen=True, eq=False)
class AnsweredBatch:
    """A batch with its answers, checked against the model that chose it.

    Parameters
    ----------
    fitted : estimator object
        The querier, or a Pipeline or search around it.

    querier : BadgeQuerier
        Without what is around it.

    report : QueryReport
        Of the query.

    X : container of rows
        The batch, as the querier gets it.

    given : array-like of shape (n,) or (n, n_outputs)
        The answers as they came, with gaps.

    y : ndarray of shape (n_answered,) or (n_answered, n_outputs)
        Those that there are.

    answered : ndarray of bool of shape (n,)
        Which rows have one.

    said : BatchPredictions or None
        What the model says of the batch; None before there is a model.
    """

    fitted: BaseEstimator
    querier: BadgeQuerier
    report: QueryReport
    X: Any
    given: Any
    y: NDArray
    answered: NDArray
    said: BatchPredictions | None

    @classmethod
    def of(cls, fitted, report, X, given):
        """Raise unless rows and answers are those of the report, and the model is."""
        check_is_report(report)
        querier, _ = opened(fitted, None)
        _check_model(querier, report)
        X = _rows(fitted, querier, report, X)
        n = len(report.rows)
        if n_rows(X) != n:
            raise ValueError(
                f"`X_new` must be the {n} rows of the batch, in the order of "
                f"`report.rows`. Got {n_rows(X)} rows."
            )
        check_order(report, given)
        y, answered = read_answers(querier, given, n, "y_new")
        said = None
        if report.model:
            said = BatchPredictions.of(querier, X)
            check_same(said, report.predictions, "X_new")
        return cls(fitted, querier, report, X, given, y, answered, said)

    @property
    def is_of_classes(self):
        """Whether answers are labels, not numbers."""
        return is_classifier(self.querier)

    def order_note(self, accuracy):
        """A note if the answers look as if they were in another order."""
        return order_note(self.said.labels[self.answered], self.y, accuracy)

    def disagreement(self):
        """Share of the answers that the model would not have given, if it is known."""
        if self.said is None or not self.is_of_classes:
            return None
        return float(np.mean(self.said.labels[self.answered] != self.y))

    def class_counts(self):
        """How many answers are of each class."""
        if not self.is_of_classes:
            return {}
        labels, counts = np.unique(self.y, return_counts=True)
        return dict(zip(labels.tolist(), counts.tolist(), strict=True))

    def known_classes(self, others):
        """The classes of the model, the answers and others, which may have gaps."""
        told = [label for label in others if not is_missing(label)]
        return {*getattr(self.querier, "classes_", ()), *self.y, *told}

    def duplicates(self):
        """Share of the rows that equal a labelled row or an earlier one."""
        codes = row_codes(self.X)
        repeats = np.ones(len(codes), dtype=bool)
        repeats[np.unique(codes, return_index=True)[1]] = False
        if self.querier._n_labeled():
            repeats |= rows_among(self.X, self.querier._labeled.X)
        return float(repeats.mean())


def _check_model(querier, report):
    """Raise if the model that chose the batch is not there any more."""
    if report.model:
        is_it = querier._model_name() == report.model
    else:
        is_it = querier._n_labeled() == report.n_labeled
    if not is_it:
        raise ValueError(
            "`report` must be of the model as it is. The querier was trained since, or "
            "has other labelled rows. Call `add` before `fit`, `partial_fit` and "
            "`forget`."
        )


def _rows(fitted, querier, report, X):
    """The batch as the querier gets it, behind the steps before it."""
    if report.model or querier._n_labeled():
        querier, X = opened(fitted, X)
        return querier._check_X(X, reset=False, name="X_new")
    # The steps, and the names of the columns, are not fitted yet.
    estimator = querier._any_estimator() if fitted is querier else fitted
    return check_container(X, estimator, "X_new")
