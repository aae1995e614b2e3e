"""How good a model is, from the answers to the batch that it chose."""

from numbers import Integral
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, is_classifier

from skbadge._compat import Interval, validate_params
from skbadge.monitoring.assessing._answers import (
    check_is_report,
    check_order,
    check_same,
    order_note,
    read_answers,
)
from skbadge.monitoring.assessing._assessed import (
    JUDGING,
    MetricName,
    assessment_of,
    metric_asked,
    opened,
    weighed,
)
from skbadge.monitoring.assessing._cross_fit import cross_fitted
from skbadge.monitoring.estimates._assessment import Assessment
from skbadge.monitoring.estimates._draws import Draws
from skbadge.pools import n_rows
from skbadge.querier import BatchPredictions, QueryReport
from skbadge.utils._typing import Rows


@validate_params(
    {
        **JUDGING,
        "n_folds": [Interval(Integral, 2, None, closed="left")],
    }
)
def assess(
    querier: BaseEstimator,
    report: QueryReport,
    y_new: ArrayLike,
    *,
    metric: MetricName = "accuracy",
    rows: Rows = None,
    interval: Literal["bernstein", "normal"] = "bernstein",
    confidence: float = 0.95,
    n_folds: int = 10,
    max_loss: float | None = None,
    pos_label: Any = None,
) -> Assessment:
    r"""How good a model is, from the answers to the batch that it chose.

    No label is spent on it. Call it with the answers before ``partial_fit`` learns from
    them. The strategy must draw with known probabilities, such as
    ``Badge(uniform_share=0.1)``.

    Parameters
    ----------
    querier : BadgeQuerier
        That chose the batch, or a `~sklearn.pipeline.Pipeline` or search around it.

    report : QueryReport
        Of that query: ``query(..., return_report=True)``.

    y_new : array-like of shape (n,) or (n, n_outputs)
        The answers, in the order of ``report.rows``. None or NaN for a row that was
        skipped.

    metric : str, default="accuracy"
        For a classifier "accuracy", "balanced_accuracy", "log_loss", "precision" or
        "recall"; for a regressor "root_mean_squared_error". As scikit-learn's functions
        of these names.

    rows : array-like of shape (n, n_features) or None, default=None
        The rows of the batch, where the report has no predictions: of a pool in chunks,
        ``pool.take(report.rows)``.

    interval : {"bernstein", "normal"}, default="bernstein"
        Empirical Bernstein holds for any number of rows, and is wide. It is for the
        accuracy, and with ``max_loss`` for "log_loss" and "root_mean_squared_error" of
        one output. The others, ratios of means, always have the normal one, by the
        delta method; it holds for many rows of no rare and large weights.

    confidence : float, default=0.95
        Probability with which the interval holds the metric of the pool.

    n_folds : int, default=10
        So many clones of the estimator are trained, to judge the labelled rows by a
        model that does not know them. Fewer where labels are few.

    max_loss : float or None, default=None
        Greatest loss that a row can have: its logarithmic loss, or its absolute error.
        Without it, Bernstein's interval of these two says nothing.

    pos_label : label or None, default=None
        The class that "precision" and "recall" are about; None for the second of two.

    Returns
    -------
    assessment : Assessment
        ``overall`` on rows like the pool as it was at first, which is the number that
        is shown, and ``rest`` on the rows that were left, with ``estimate``, ``low``
        and ``high`` each.

    Raises
    ------
    ValueError
        If the report has no probabilities or is of a query without a model, the answers
        are not of its rows, the model cannot be judged by the metric, or labels are too
        few to train a model without some of them.

    Notes
    -----
    The rows left are the harder or, later, the easier part of the pool. With
    :math:`N_{left}` of them and n labelled ones, what is shown is

    .. math:: \hat R_{all} = \frac{N_{left}}{N_{left} + n} \hat R
        + \frac{n}{N_{left} + n} \bar\ell

    with the unbiased :math:`\hat R` of `risk_estimate` and the mean loss
    :math:`\bar\ell` of the labelled rows, cross-fitted. Other metrics are computed from
    weights likewise. The labelled rows are taken to be of the pool, and cross-fitted
    models, trained on fewer rows, to be as good as the model: it is a little better.
    The interval is that of :math:`\hat R`, for the rows of this pool; a pool is itself
    a sample.

    If rows were skipped, the estimate is a ratio over the answered ones. It is right if
    skipping has nothing to do with the loss. Bernstein's interval does not rest on
    that: it lets skipped rows have any loss.

    To be sure that an error is below :math:`\tau` (`Assessment.error_bound`), about
    :math:`\log(1 / \alpha) / (\epsilon \tau)` rows without any error are needed with a
    uniform share :math:`\epsilon`, ten times as many with a tenth as from an `audit`.

    References
    ----------
    Farquhar, Gal, Rainforth: "On statistical bias in active learning: how and when to
    fix it" (ICLR 2021); Kossen et al.: "Active testing" (ICML 2021).

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skbadge import BadgeQuerier
    >>> from skbadge.monitoring import assess
    >>> from skbadge.strategies import Badge
    >>> X, y = load_digits(return_X_y=True)
    >>> querier = BadgeQuerier(
    ...     LogisticRegression(max_iter=500),
    ...     strategy=Badge(uniform_share=0.2),
    ...     random_state=0,
    ... )
    >>> querier = querier.fit(X[:100], y[:100])
    >>> rows, report = querier.query(X[100:], n=40, return_report=True)
    >>> answers = y[100:][rows]
    >>> assessment = assess(querier, report, answers, interval="normal")
    >>> querier = querier.partial_fit(X[100:][rows], answers)
    >>> assessment.rest.n, assessment.n_labeled
    (40, 100)
    """
    check_is_report(report)
    querier, rows = opened(querier, rows)
    _check_report(report)
    check_order(report, y_new)
    y, answered = read_answers(querier, y_new, len(report.rows), "y_new")
    batch = _batch(querier, report, rows)
    known, notes = _labeled(querier, report)
    asked = metric_asked(
        querier,
        metric,
        [y] if known is None else [y, known.y],
        pos_label=pos_label,
        max_loss=max_loss,
    )
    n_left = n_drawn_from = report.n_candidates
    if report.n_subsample is not None:
        n_drawn_from = report.n_subsample
        notes += (
            f"the batch was drawn from {n_drawn_from} of {n_left} rows, and the "
            "interval is about these",
        )
    draws = Draws(report.probabilities, n_drawn_from, report.uniform_share, answered)
    # Raises before a training.
    weighing, more = weighed(
        asked, draws, y, batch, interval=interval, confidence=confidence
    )
    fitted = None
    if known is not None:
        predictions, n_used = cross_fitted(querier, known, n_folds)
        fitted = known.y, predictions, n_used
        if is_classifier(querier):
            right = float(np.mean(predictions.labels == known.y))
            notes += order_note(batch.labels[answered], y, right)
    return assessment_of(weighing, n_left, known=fitted, notes=[*notes, *more])


def _check_report(report):
    """Raise if a batch says nothing of the pool."""
    if not report.model:
        raise ValueError(
            "`report` is of a query before there was a model that could be asked, so "
            "that there is nothing to judge. Train the model on these rows, and assess "
            "the next batch."
        )
    if not len(report.rows):
        raise ValueError("`report` is of a query that selected no rows.")
    if report.probabilities is None:
        raise ValueError(
            f"`report` has no probabilities: {report.strategy} chooses by a rule "
            "without chance, with `groups`, or lets copies wait. A batch says "
            "something of the pool if its rows were drawn with known probabilities, by "
            "Badge(uniform_share=0.1), PosteriorKMeansPlusPlus(uniform_share=0.1), "
            'Margin(noise="power", distinct=False, uniform_share=0.1), other scores '
            'likewise, or "random", all of them without `groups`. Or have some rows '
            "labelled at random, for `skbadge.monitoring.audit`."
        )


def _batch(querier, report, rows):
    """The predictions of the model that chose the batch."""
    n = len(report.rows)
    if rows is not None and n_rows(rows) != n:
        raise ValueError(
            f"`rows` must be the {n} rows of the batch, as `report.rows` names them. "
            f"Got {n_rows(rows)} rows."
        )
    is_same_model = querier._model_name() == report.model
    if report.predictions is not None:
        if rows is not None and is_same_model:
            said = BatchPredictions.of(querier, rows)
            check_same(said, report.predictions, "rows")
        return report.predictions
    if rows is None:
        raise ValueError(
            "`report` has no predictions, as the pool came in chunks. Pass the rows of "
            "the batch: rows=pool.take(report.rows)."
        )
    if not is_same_model:
        raise ValueError(
            "`querier` was trained since, and would predict `rows` by another model "
            "than the one that chose them. Call `assess` before `partial_fit`."
        )
    return BatchPredictions.of(querier, rows)


def _labeled(querier, report):
    """The labelled rows as they were when the batch was chosen, None of none; notes."""
    if not report.n_labeled:
        return None, ()
    if not querier._has_rows_of(report.model):
        raise ValueError(
            f"`querier` had {report.n_labeled} labelled rows when it was asked, and "
            "has lost some since. Call `assess` before `fit` and `forget`."
        )
    notes = ()
    if querier._model_name() != report.model:
        notes = (
            "the querier was trained since: this is about the model that chose the "
            f"batch, with the first {report.n_labeled} labelled rows",
        )
    later = np.arange(report.n_labeled, querier._n_labeled())
    return querier._labeled.without(later), notes
