"""What `assess` and `audit` have in common."""

from numbers import Real
from typing import Literal

import numpy as np
from sklearn.base import is_classifier

from skbadge._compat import Interval, StrOptions
from skbadge.monitoring.estimates._assessment import Assessment
from skbadge.monitoring.estimates._metrics import (
    CLASSIFICATION,
    REGRESSION,
    metric_of,
)
from skbadge.monitoring.estimates._weighing import Weighing
from skbadge.outputs._pipeline import unwrap, wrapped
from skbadge.querier import BadgeQuerier

MetricName = Literal[
    "accuracy",
    "balanced_accuracy",
    "log_loss",
    "precision",
    "recall",
    "root_mean_squared_error",
]

JUDGING: dict = {
    "metric": [StrOptions({*CLASSIFICATION, *REGRESSION})],
    "interval": [StrOptions({"bernstein", "normal"})],
    "confidence": [Interval(Real, 0, 1, closed="neither")],
    "max_loss": [Interval(Real, 0, None, closed="neither"), None],
}


def opened(fitted, X):
    """The querier in a Pipeline or search, and rows as it gets them."""
    querier = wrapped(fitted)[-1]
    if not isinstance(querier, BadgeQuerier):
        raise TypeError(
            "`querier` must be a BadgeQuerier, or a Pipeline or search that ends in "
            f"one. Got {type(querier).__name__} at the end instead."
        )
    return (querier, X) if X is None else unwrap(fitted, X)


def metric_asked(querier, name, labels, *, pos_label, max_loss):
    """The metric of a querier whose answers are in a list of arrays."""
    classes = None
    if is_classifier(querier):
        known = [getattr(querier, "classes_", labels[0]), *labels]
        classes = np.unique(np.concatenate(known))
    return metric_of(name, classes, pos_label=pos_label, max_loss=max_loss)


def weighed(metric, draws, y, predictions, *, interval, confidence):
    """Rows drawn, weighed by a metric, and notes; an error if it cannot judge them.

    Of those that have a label, ``y`` are the labels; ``predictions`` are for all.
    """
    some = metric.moments(y, predictions.take(draws.answered))
    moments = np.zeros((len(draws), some.shape[1]))
    moments[draws.answered] = some
    interval, notes = _interval_in_use(metric, interval, moments, draws)
    return Weighing(metric, draws, moments, 1 - confidence, interval), notes


def assessment_of(weighing, n_left, *, known=None, notes=()):
    """How good a model is, by rows drawn and by labelled ones if there are some.

    Parameters
    ----------
    weighing : Weighing
        The rows drawn.

    n_left : int or None
        Number of rows that they stand for.

    known : tuple or None, default=None
        Of labelled rows the labels, predictions, and the number of models that made
        them. None of an audit, and where there are none.

    notes : sequence of str
        What is to be said.
    """
    metric, more = weighing.metric, ()
    rest, ends = weighing.estimate(n_pool=n_left)
    overall, of_known, n_known, n_folds = rest, None, 0, 0
    if known is not None:
        y_known, fitted, n_folds = known
        n_known = len(y_known)
        found = metric.moments(y_known, fitted)
        of_known = float(metric.value(found.mean(axis=0)))
        overall, ends = weighing.estimate(n_left, found, n_left + n_known)
    if np.isnan(overall.estimate):
        more = (f"no row counts for the {metric.name}: it is not defined",)
    return Assessment(
        metric.name,
        overall,
        rest,
        of_known,
        n_known,
        n_folds,
        weighing.interval,
        metric.is_score,
        ends,
        (*notes, *more),
    )


def _interval_in_use(metric, interval, moments, draws):
    """Which interval there can be, and what is to be said of it; a list."""
    notes = []
    if not draws.answered.all():
        notes.append(
            f"{(~draws.answered).sum()} of {len(draws)} rows were skipped: the "
            "estimate is a ratio over the others, and right if skipping has "
            "nothing to do with the loss"
        )
    if moments.shape[1] > 1 and interval == "bernstein":
        notes.append(
            f"the {metric.name} is no mean of bounded losses: the interval is the "
            "normal one, by the delta method"
        )
        return "normal", notes
    if interval != "bernstein":
        return interval, notes
    if metric.max_moment is None:
        notes.append(
            f"the {metric.name} has no bound: give `max_loss`, the greatest loss "
            "that a row can have, or take interval='normal'"
        )
    elif not draws.uniform_share:
        notes.append(
            "no row was sure to have a chance, so that the interval says nothing: "
            "give the strategy a `uniform_share` above 0"
        )
    elif moments.max() > metric.max_moment:
        raise ValueError(
            "`max_loss` must be the greatest loss that a row can have. Got one "
            f"that is below those of {(moments > metric.max_moment).sum()} rows of "
            f"{len(draws)}."
        )
    return interval, notes
