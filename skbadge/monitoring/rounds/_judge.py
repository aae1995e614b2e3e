"""How a `Monitor` judges the model of each round."""

from dataclasses import dataclass
from typing import Any

from skbadge.monitoring.assessing._assess import assess
from skbadge.monitoring.assessing._audit import audit
from skbadge.monitoring.assessing._cross_fit import CrossFitError
from skbadge.monitoring.estimates._metrics import check_kind
from skbadge.monitoring.rounds._kept_rows import lent
from skbadge.utils._shown import listed

# Metrics that are means of bounded losses, if the greatest loss is known.
_BOUNDED_BY_LOSS = ("log_loss", "root_mean_squared_error")
_OF_ONE_CLASS = ("precision", "recall")
_NO_MODEL = (
    "there was no model yet that could be judged: error and disagreement begin after "
    "the first training"
)
_NO_LAW = (
    "no estimate of the error: {} drew these rows with no known probabilities. Have "
    "rows labelled that are drawn at random and kept out of the training, "
    "Monitor(audit=(X_audit, y_audit)), or take a strategy that has them, such as "
    "Badge(uniform_share=0.1), without `groups` and with distinct=False"
)
_NO_SUCH_CLASS = (
    "no estimate of the error: `pos_label` is {!r}, and the classes so far are {}"
)


@dataclass(frozen=True, kw_only=True)
class Judge:
    """What `assess` and `audit` are told.

    Parameters
    ----------
    metric, interval, confidence, n_folds, max_loss, pos_label
        As for `Monitor`.
    """

    metric: str
    interval: str | None
    confidence: float
    n_folds: int
    max_loss: float | None
    pos_label: Any

    def interval_of(self, source):
        """The interval that an audit or a batch gets."""
        if self.interval is not None:
            return self.interval
        if self.metric == "accuracy":
            return "exact" if source == "audit" else "bernstein"
        is_bounded = self.metric in _BOUNDED_BY_LOSS and self.max_loss is not None
        return "bernstein" if is_bounded else "normal"

    def judge(self, batch, kept):
        """How good the model is that chose a batch, what says so, and notes.

        Parameters
        ----------
        batch : AnsweredBatch
            The batch.

        kept : tuple (X, y) or None
            The audit.

        Returns
        -------
        assessment : Assessment or None
            None where neither can say.

        source : {"audit", "batch", ""}
            What has said so.

        notes : tuple of str
            Why it is None.
        """
        check_kind(self.metric, is_of_classes=batch.is_of_classes)
        if not batch.report.model:
            return None, "", (_NO_MODEL,)
        if self.metric in _OF_ONE_CLASS and self.pos_label is not None:
            known = batch.known_classes([] if kept is None else kept[1])
            if self.pos_label not in known:
                note = _NO_SUCH_CLASS.format(self.pos_label, listed(known))
                return None, "", (note,)
        source = "batch" if kept is None else "audit"
        told = {
            "metric": self.metric,
            "interval": self.interval_of(source),
            "confidence": self.confidence,
            "max_loss": self.max_loss,
            "pos_label": self.pos_label,
        }
        if kept is not None:
            X, y = kept
            found, notes = audit(batch.fitted, lent(X), y, **told), ()
            if self.metric == "accuracy":
                notes = batch.order_note(found.overall.estimate)
            return found, source, notes
        report = batch.report
        if report.probabilities is None:
            return None, "", (_NO_LAW.format(report.strategy),)
        # Where the report has predictions, the batch was compared with them.
        rows = batch.X if report.predictions is None else None
        told |= {"rows": rows, "n_folds": self.n_folds}
        try:
            # The rows are the querier's already.
            found = assess(batch.querier, report, batch.given, **told)
        except CrossFitError as error:
            return None, "", (f"no estimate of the error: {error}",)
        return found, source, ()
