"""Monitor: what the rounds of active learning say, one after the other."""

from copy import copy
from numbers import Integral
from typing import TYPE_CHECKING, Any, Literal, Self

from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator

from skbadge._compat import Interval, StrOptions, validate_params
from skbadge.monitoring.assessing._assessed import JUDGING, MetricName, opened
from skbadge.monitoring.estimates._metrics import check_pos_label
from skbadge.monitoring.planning._forecast import Forecast, forecast_labels
from skbadge.monitoring.planning._stopping import StoppingAdvice, stopping_advice
from skbadge.monitoring.planning._target import check_not_a_score, with_estimate
from skbadge.monitoring.rounds._agreement import agreement
from skbadge.monitoring.rounds._answered_batch import AnsweredBatch
from skbadge.monitoring.rounds._judge import Judge
from skbadge.monitoring.rounds._kept_rows import extended, lent, sampled
from skbadge.monitoring.rounds._monitored_round import MonitoredRound
from skbadge.monitoring.rounds._rounds_table import about, as_frame, as_html, as_text
from skbadge.pools import n_rows
from skbadge.querier import QueryReport
from skbadge.querier._batch_predictions import predicted
from skbadge.utils._shared_state import exclusive
from skbadge.utils._shown import shown
from skbadge.utils._typing import RandomState, Rows

if TYPE_CHECKING:
    import pandas as pd

_NO_REFERENCE = "no agreement: give the Monitor the pool, as `X_pool`"
_FIRST_MODEL = "no agreement: there was no model before this one"
_SAME_MODEL = (
    "no agreement: the model is that of the round before. Train it after each round"
)


class Monitor:
    r"""Watches the rounds of active learning: is it helping, and how good is the model.

    Hand each batch with its answers to `add`, before the model learns from them. It
    costs no label, but with an audit.

    Parameters
    ----------
    X_pool : array-like of shape (n_pool, n_features) or None, default=None
        The pool, of any kind that the estimator takes, also in chunks. ``n_reference``
        rows of it, drawn uniformly, are copied; the models of successive rounds are
        compared on them. None compares nothing.

    n_reference : int, default=1000
        How many rows at most.

    audit : tuple (X_audit, y_audit) or None, default=None
        Labelled rows drawn uniformly from the pool and kept out of it, which the model
        never learns from, see `audit`. They judge the model of each round in place of
        the batch. That works with any strategy, and spares ``n_folds`` trainings a
        round.

    metric : str, default="accuracy"
        As for `assess`; for a regressor "root_mean_squared_error".

    interval : {"bernstein", "normal"} or None, default=None
        As for `assess`. None takes Bernstein's where it holds, that is for the
        accuracy, and with ``max_loss`` for "log_loss" and "root_mean_squared_error",
        and the normal one elsewhere; of an audit of the accuracy the exact one.

    confidence, n_folds, max_loss, pos_label
        As for `assess`.

    random_state : None, int or RandomState, default=None
        Determines which rows are the reference.

    Attributes
    ----------
    rounds : list of MonitoredRound
        One for each call of `add`.

    See Also
    --------
    MonitorDisplay : Draws the rounds.

    Notes
    -----
    The error is that on rows like the pool as it was at first, see `assess`. The
    agreement of two models is Cohen's :math:`\kappa = (p_o - p_e) / (1 - p_e)`, with
    the share :math:`p_o` of reference rows of which both say the same class, and the
    share :math:`p_e` of which they would if they were independent; for numbers it is
    Lin's concordance. It comes close to 1 when more labels stop to change the model;
    that is no proof that the model is good.

    A round takes the time of `assess` or of `audit`, and of predicting batch and
    reference rows once. Threads may share a monitor: one adds at a time, and no other
    trains the querier meanwhile. A copy is independent, and so is what was pickled.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skbadge import BadgeQuerier
    >>> from skbadge.monitoring import Monitor
    >>> from skbadge.strategies import Badge
    >>> X, y = load_digits(return_X_y=True)
    >>> X, pool, answers = X / 16, X[100:] / 16, y[100:]
    >>> querier = BadgeQuerier(
    ...     LogisticRegression(), strategy=Badge(uniform_share=0.2), random_state=0
    ... )
    >>> querier = querier.fit(X[:100], y[:100])
    >>> monitor = Monitor(pool, random_state=0)
    >>> rows, report = querier.query(pool, n=50, return_report=True)
    >>> one = monitor.add(querier, report, pool[rows], answers[rows])
    >>> querier = querier.partial_fit(pool[rows], answers[rows])
    >>> one.n_labeled, one.source, one.duplicates
    (100, 'batch', 0.0)
    """

    rounds: list[MonitoredRound]

    @validate_params(
        {
            **JUDGING,
            "n_reference": [Interval(Integral, 1, None, closed="left")],
            "interval": [StrOptions({"bernstein", "normal"}), None],
            "n_folds": [Interval(Integral, 2, None, closed="left")],
            "random_state": ["random_state"],
        }
    )
    def __init__(
        self,
        X_pool: Rows | None = None,
        *,
        n_reference: int = 1000,
        audit: tuple[Rows, ArrayLike] | None = None,
        metric: MetricName = "accuracy",
        interval: Literal["bernstein", "normal"] | None = None,
        confidence: float = 0.95,
        n_folds: int = 10,
        max_loss: float | None = None,
        pos_label: Any = None,
        random_state: RandomState = None,
    ) -> None:
        check_pos_label(pos_label)
        self.rounds = []
        self._judge = Judge(
            metric=metric,
            interval=interval,
            confidence=confidence,
            n_folds=n_folds,
            max_loss=max_loss,
            pos_label=pos_label,
        )
        self._sampling = n_reference, random_state
        self._reference = None
        if X_pool is not None:
            self._reference = sampled(X_pool, *self._sampling)
        self._audit: tuple | None = None
        if audit is not None:
            if not isinstance(audit, tuple | list) or len(audit) != 2:
                raise ValueError(
                    "`audit` must be a tuple (X_audit, y_audit), or None. Got "
                    f"{shown(audit)}."
                )
            self.extend_audit(*audit)
        # The model of the last round, and what it says of the reference rows.
        self._last: tuple = ("", None)
        self._batches: set = set()

    @exclusive()
    def extend_audit(self, X: Rows, y: ArrayLike) -> Self:
        """Have more rows in the audit, for the rounds to come.

        Parameters
        ----------
        X : array-like of shape (n, n_features), or what the estimator takes
            Rows drawn uniformly from the pool, as those before, and in no training.

        y : array-like of shape (n,) or (n, n_outputs)
            Their labels; None or NaN for a row that was skipped.

        Returns
        -------
        self : Monitor
            With copies of these rows.
        """
        self._audit = extended(self._audit, X, y)
        return self

    def add(
        self,
        querier: BaseEstimator,
        report: QueryReport,
        X_new: Rows,
        y_new: ArrayLike,
    ) -> MonitoredRound:
        """Keep what a batch and its answers say; call it before ``partial_fit``.

        Parameters
        ----------
        querier : BadgeQuerier
            That chose the batch, or a `~sklearn.pipeline.Pipeline` or search around it.
            It is left as it is.

        report : QueryReport
            Of that query: ``query(..., return_report=True)``.

        X_new : array-like of shape (n, n_features), or what the estimator takes
            The rows of the batch, in the order of ``report.rows``: those that
            ``partial_fit`` is to get.

        y_new : array-like of shape (n,) or (n, n_outputs)
            The answers in that order. None or NaN for a row without one.

        Returns
        -------
        one : MonitoredRound
            The last of ``rounds``. What could not be known is None there, and its
            ``notes`` say why: of a strategy without probabilities, for instance.

        Raises
        ------
        ValueError
            If rows or answers are not those of the batch, the querier was trained
            since, the metric does not suit the model, or the batch was added already.
            Nothing is kept then.
        """
        return self._add(querier, report, X_new, y_new)

    @exclusive()
    def _add(self, querier, report, X_new, y_new, *, more=None):
        """`add`, with more rows in the audit, and their labels, for this round only."""
        batch = AnsweredBatch.of(querier, report, X_new, y_new)
        mark = report.model, report.n_labeled, report.rows.tobytes()
        if mark in self._batches:
            raise ValueError(
                "`report` is of a batch that was added already. Add each one once, and "
                "have a Monitor of its own for each run."
            )
        audit = self._audit if more is None else extended(self._audit, *more)
        assessment, source, notes = self._judge.judge(batch, audit)
        last, agrees, on_agreement = self._compare(batch)
        n_before = len(self.rounds)
        one = MonitoredRound(
            number=n_before + 1,
            n_labeled=report.n_labeled,
            strategy=report.strategy,
            n_asked=len(report.rows),
            n_answered=int(batch.answered.sum()),
            assessment=assessment,
            source=source,
            agreement=agrees,
            disagreement=batch.disagreement(),
            class_counts=batch.class_counts(),
            duplicates=batch.duplicates(),
            notes=notes + on_agreement,
        )
        # All or nothing: no call stands here, after which Ctrl-C could come in between.
        self.rounds[n_before:], self._last, self._batches = (
            [one],
            last,
            self._batches | {mark},
        )
        return one

    def _compare(self, batch):
        """The model and what it says of the reference, its agreement, and notes."""
        if self._reference is None:
            return self._last, None, (_NO_REFERENCE,)
        model = batch.report.model
        if not model:
            return self._last, None, ()
        said = self._said_of_reference(batch.fitted)
        name, before = self._last
        if before is None:
            return (model, said), None, (_FIRST_MODEL,)
        if name == model:
            return self._last, None, (_SAME_MODEL,)
        agrees = agreement(said, before, is_of_classes=batch.is_of_classes)
        return (model, said), agrees, ()

    def _said_of_reference(self, fitted):
        try:
            return predicted(*opened(fitted, lent(self._reference)))
        except ValueError as error:
            raise ValueError(
                "The reference rows, of the Monitor's `X_pool`, must be rows as the "
                f"querier gets them: {error} Of a pool in chunks, hand in what "
                "`skbadge.pools.from_chunks` makes of them."
            ) from error

    def should_stop(
        self,
        target: float,
        *,
        confidence: float = 0.95,
        least_agreement: float = 0.99,
        window: int = 3,
        tolerance: float = 0.01,
    ) -> StoppingAdvice:
        """Whether to stop labelling, from all rounds so far.

        Parameters
        ----------
        target, confidence, least_agreement, window, tolerance
            As for `stopping_advice`.

        Returns
        -------
        advice : StoppingAdvice
            True if to stop. Print it to read why.
        """
        return stopping_advice(
            self.rounds,
            target,
            confidence=confidence,
            least_agreement=least_agreement,
            window=window,
            tolerance=tolerance,
        )

    def forecast(
        self,
        target: float,
        *,
        confidence: float = 0.9,
        n_bootstrap: int = 1000,
        random_state: RandomState = None,
    ) -> Forecast:
        """How many labels it takes to reach an error, from all rounds so far.

        Parameters
        ----------
        target, confidence, n_bootstrap, random_state
            As for `forecast_labels`.

        Returns
        -------
        forecast : Forecast
            From the rounds with an estimate whose standard error is known, that is of
            two rows at least. Labels of an audit do not count.

        Raises
        ------
        ValueError
            If these are fewer than four.
        """
        check_not_a_score(self.rounds, target)
        judged = with_estimate(self.rounds)
        return forecast_labels(
            [one.n_labeled for one, _ in judged],
            [error.estimate for _, error in judged],
            target,
            standard_errors=[error.standard_error for _, error in judged],
            same_rows=bool(judged) and all(one.source == "audit" for one, _ in judged),
            confidence=confidence,
            n_bootstrap=n_bootstrap,
            random_state=random_state,
        )

    def _started_anew(self, X_pool):
        """A monitor with the same parameters and no rounds, for another run.

        Without reference rows, it draws some of the pool.
        """
        other = copy(self)
        other.rounds, other._last, other._batches = [], ("", None), set()
        if self._reference is None:
            other._reference = sampled(X_pool, *self._sampling)
        return other

    def to_frame(self) -> "pd.DataFrame":
        """The rounds as a data frame.

        Returns
        -------
        frame : DataFrame
            A row for each round: ``round``, ``n_labeled``, ``strategy``, ``n_asked``,
            ``n_answered``, ``source``, ``metric``, ``interval``, ``error`` with
            ``error_low`` and ``error_high``, ``agreement``, ``disagreement`` and
            ``duplicates`` as shares between 0 and 1, ``n_<class>`` for the answers of
            each class, and ``notes``. NaN where nothing is known.
        """
        return as_frame(self.rounds)

    def __getstate__(self):
        # Of a copy, too: `add` extends the list.
        return self.__dict__ | {"rounds": [*self.rounds]}

    def __repr__(self):
        return f"<{type(self).__name__}: {self._title()}>"

    def __str__(self):
        table = f"\n{as_text(self.rounds)}" if self.rounds else ""
        return self._title() + table

    def _repr_html_(self):
        table = as_html(self.rounds) if self.rounds else ""
        return f"<p><b>{self._title()}</b></p>{table}"

    def _title(self):
        source = "batch" if self._audit is None else "audit"
        facts = [about(self.rounds, self._judge, source)]
        if self._reference is not None:
            facts.append(f"{n_rows(self._reference)} reference rows")
        if self._audit is not None:
            facts.append(f"an audit of {len(self._audit[1])} rows")
        return ", ".join(facts)
