"""What a session tells of its ledger."""

from dataclasses import replace
from html import escape
from typing import TYPE_CHECKING, Any, Literal

from skbadge.labeling.ledger._frames import agreement_frame, history_frame, labels_frame
from skbadge.labeling.ledger._ledger import Ledger
from skbadge.labeling.ledger._progress_report import Progress, progress_of
from skbadge.labeling.rounds._rounds import Rounds
from skbadge.labeling.rounds._row_ids import PoolRows
from skbadge.monitoring import Assessment, audit
from skbadge.monitoring.assessing._assessed import MetricName

if TYPE_CHECKING:
    import pandas as pd


class Telling:
    """What a session tells of its ledger."""

    resolution: str
    _rounds: Rounds
    _ledger: Ledger
    _pool: PoolRows

    def labels(self) -> "pd.DataFrame":
        """The labelled rows, in the order of their first answers.

        Returns
        -------
        labels : DataFrame
            By ``id``: the ``label`` by `resolution`, missing if that gives none;
            ``annotator``, ``time``, ``strategy``, ``round``, ``rank`` and
            ``probability`` of the answer that it is from; ``n_answers``, of different
            people; and ``is_contradictory``, whether those that count differ. The
            strategy of rows of the audit, which are in no training, is "audit".
        """
        with self._ledger.lock:
            self._ledger.catch_up()
            return labels_frame(self._ledger, self.resolution)

    def history(self) -> "pd.DataFrame":
        """All events since the beginning.

        Returns
        -------
        history : DataFrame
            By ``seq``, with a column for each of the ledger's table.
        """
        return history_frame(self._ledger)

    def progress(self) -> Progress:
        """How far the labelling is.

        Returns
        -------
        progress : Progress
            Numbers of rows, by class and by person too.
        """
        with self._ledger.lock:
            standing = self._ledger.catch_up()
            return progress_of(standing, self._pool.n_rows, self.resolution)

    def audit(
        self,
        *,
        metric: MetricName = "accuracy",
        interval: Literal["exact", "bernstein", "normal"] | None = None,
        confidence: float = 0.95,
        max_loss: float | None = None,
        pos_label: Any = None,
    ) -> Assessment:
        """How good the model is, by the answers to the rows of the audit.

        These rows were drawn uniformly from the whole pool, see ``audit_share``. No
        model of the session has learned from them. Open rows count as skipped, but for
        those that were drawn after the last one with an answer, or skipped.

        Parameters
        ----------
        metric, interval, confidence, max_loss, pos_label
            As for `skbadge.monitoring.audit`.

        Returns
        -------
        assessment : Assessment
            Of the model of the last training.

        Raises
        ------
        ValueError
            If there was no training, or the audit has no answer.
        """
        querier, keys, labels, n_lacking = self._rounds.audited()
        if not self.progress().n_trainings:
            raise ValueError("There is no model to audit yet. Call `train` first.")
        if all(label is None for label in labels):
            raise ValueError(
                "No row of the audit has an answer. Open the session with an "
                "`audit_share` above 0, such as 0.1, and answer what `next` hands out."
            )
        found = audit(
            querier,
            self._pool.take(self._pool.positions(keys)),
            labels,
            metric=metric,
            # With some missing, they are drawn from an unknown part of the pool.
            n_pool=None if n_lacking else self._pool.n_rows,
            interval=interval,
            confidence=confidence,
            max_loss=max_loss,
            pos_label=pos_label,
        )
        if not n_lacking:
            return found
        note = (
            f"the audit lacks {n_lacking} rows that were chosen or labelled, or that "
            "came into the pool later: it is about rows like the others"
        )
        return replace(found, notes=(*found.notes, note))

    def _repr_html_(self):
        """In a notebook a session shows how far the labelling is."""
        title = f"<p>{escape(repr(self))}</p>"
        return title + self.progress()._repr_html_() if self._ledger.is_open else title

    def agreement(self) -> "pd.DataFrame":
        """What was said of rows that several people answered.

        Returns
        -------
        agreement : DataFrame
            By ``id``: ``answers``, a dict of each person's last; ``agrees``, whether
            they are equal; and ``is_decided``, whether somebody has used `correct`.
        """
        with self._ledger.lock:
            self._ledger.catch_up()
            return agreement_frame(self._ledger)
