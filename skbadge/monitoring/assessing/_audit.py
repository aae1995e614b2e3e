"""How good a model is on rows drawn uniformly, which it never learns from."""

from dataclasses import replace
from numbers import Integral
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator

from skbadge._compat import Interval, StrOptions, validate_params
from skbadge.exceptions import MonitoringWarning
from skbadge.monitoring.assessing._answers import read_answers
from skbadge.monitoring.assessing._assessed import (
    JUDGING,
    MetricName,
    assessment_of,
    metric_asked,
    opened,
    weighed,
)
from skbadge.monitoring.estimates._assessment import Assessment
from skbadge.monitoring.estimates._draws import Draws
from skbadge.pools import is_dataset, n_rows, rows_among
from skbadge.querier import BatchPredictions
from skbadge.utils._caller import warn_caller
from skbadge.utils._shown import listed
from skbadge.utils._typing import Rows

# Fewer rows may well equal labelled ones by chance.
_LEAST_EQUAL = 10


@validate_params(
    {
        **JUDGING,
        "interval": [StrOptions({"exact", "bernstein", "normal"}), None],
        "n_pool": [Interval(Integral, 1, None, closed="left"), None],
    }
)
def audit(
    querier: BaseEstimator,
    X_audit: Rows,
    y_audit: ArrayLike,
    *,
    metric: MetricName = "accuracy",
    n_pool: int | None = None,
    interval: Literal["exact", "bernstein", "normal"] | None = None,
    confidence: float = 0.95,
    max_loss: float | None = None,
    pos_label: Any = None,
) -> Assessment:
    r"""How good a model is on rows drawn uniformly, which it never learns from.

    A random test set: the plain alternative to `assess`. It costs labels that teach the
    model nothing, and needs the fewest of them for an interval of some width. One audit
    can judge the models of all rounds, as long as it has no part in any choice.

    Parameters
    ----------
    querier : BadgeQuerier
        Fitted, or a `~sklearn.pipeline.Pipeline` or search around it.

    X_audit : array-like of shape (n, n_features), or what the estimator takes
        Rows drawn uniformly from the pool before any other, and kept out of it. They
        must be in no call of ``fit`` and ``partial_fit``.

    y_audit : array-like of shape (n,) or (n, n_outputs)
        Their labels; None or NaN for a row that was skipped.

    metric, confidence, max_loss, pos_label
        As for `assess`.

    n_pool : int or None, default=None
        Number of rows that they were drawn from, if the interval is to be for the mean
        of these; None for that of their source.

    interval : {"exact", "bernstein", "normal"} or None, default=None
        The exact one, of the binomial distribution or, with ``n_pool``, of the
        hypergeometric one, is for the accuracy. It holds for any number of rows, and is
        the narrowest that does. None for it where the metric is the accuracy, and else
        for "bernstein". These two as for `assess`.

    Returns
    -------
    assessment : Assessment
        With ``overall``; ``rest`` and ``labeled`` are None.

    Warns
    -----
    MonitoringWarning
        If most of the rows equal labelled ones, or no label is a class of the model.

    Notes
    -----
    An interval for each of several rounds misses somewhere more often than one. To be
    sure that an error is below :math:`\tau`, about :math:`\log(1 / \alpha) / \tau` rows
    without any error are needed: 29 for a tenth, at a confidence of 0.95
    (`Assessment.error_bound`).

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skbadge import BadgeQuerier
    >>> from skbadge.monitoring import audit
    >>> X, y = load_iris(return_X_y=True)
    >>> order = np.random.default_rng(0).permutation(len(X))
    >>> kept, start = order[:30], order[30:60]  # the others are the pool
    >>> querier = BadgeQuerier(LogisticRegression()).fit(X[start], y[start])
    >>> assessment = audit(querier, X[kept], y[kept], n_pool=len(X))
    >>> assessment.overall.estimate > 0.8
    True
    """
    querier, X_audit = opened(querier, X_audit)
    predictions = BatchPredictions.of(querier, X_audit)
    n = len(predictions.labels)
    if n_pool is not None and n > n_pool:
        raise ValueError(
            f"`n_pool` must be at least the number of rows of the audit, {n}. Got "
            f"{n_pool}."
        )
    if interval is None:
        interval = "exact" if metric == "accuracy" else "bernstein"
    elif interval == "exact" and metric != "accuracy":
        raise ValueError(
            f"`interval` 'exact' is for the accuracy. Got `metric` {metric!r}: take "
            "'bernstein' or 'normal'."
        )
    y, answered = read_answers(querier, y_audit, n, "y_audit")
    _warn_of_other_names(querier, y)
    asked = metric_asked(querier, metric, [y], pos_label=pos_label, max_loss=max_loss)
    probabilities = None if n_pool is None else 1 / (n_pool - np.arange(n))
    draws = Draws(probabilities, n_pool, 1.0, answered)
    weighing, notes = weighed(
        asked, draws, y, predictions, interval=interval, confidence=confidence
    )
    notes = *_taught(querier, X_audit), *notes
    return replace(assessment_of(weighing, n_pool, notes=notes), rest=None)


def _warn_of_other_names(querier, y):
    known = getattr(querier, "classes_", None)
    if known is not None and not np.isin(y, known).any():
        warn_caller(
            "`y_audit` holds no class of the model, which counts as wrong in all rows. "
            f"Got {listed(np.unique(y))}, and its classes are {listed(known)}. Pass "
            "the names that it was trained on.",
            MonitoringWarning,
        )


def _taught(querier, X):
    """A note of rows that equal labelled ones; data sets are not read for it."""
    if not querier._n_labeled() or is_dataset(X):
        return ()
    X = querier._check_X(X, reset=False, name="X_audit")
    n_equal = int(rows_among(X, querier._labeled.X).sum())
    if not n_equal:
        return ()
    if n_equal >= _LEAST_EQUAL and 2 * n_equal > n_rows(X):
        warn_caller(
            f"{n_equal} of the {n_rows(X)} rows of the audit equal labelled ones. If "
            "the model has learned from them, the audit says nothing of its error: "
            "keep rows of the audit out of `fit`, `partial_fit` and the pool.",
            MonitoringWarning,
        )
    return (
        f"{n_equal} of {n_rows(X)} rows equal labelled ones: the model may have "
        "learned from them",
    )
