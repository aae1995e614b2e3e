"""What a session tells of its ledger."""

from html import escape
from typing import TYPE_CHECKING

from skbadge.labeling._frames import agreement_frame, history_frame, labels_frame
from skbadge.labeling._ledger import Ledger
from skbadge.labeling._progress_report import Progress, progress_of
from skbadge.labeling._row_ids import PoolRows

if TYPE_CHECKING:
    import pandas as pd


class Telling:
    """What a session tells of its ledger."""

    resolution: str
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
            people; and ``is_contradictory``, whether those that count differ.
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
