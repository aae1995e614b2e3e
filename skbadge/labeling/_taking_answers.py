"""What people tell a session, written down before a method returns."""

from collections.abc import Iterable

from skbadge.exceptions import QueryWarning
from skbadge.labeling._arguments import (
    LabelReader,
    check_annotator,
    check_distinct,
    check_lists,
    check_reason,
)
from skbadge.labeling._telling import Telling
from skbadge.labeling.ledger._row_standing import holder_of
from skbadge.labeling.ledger._scalars import Scalar, from_text
from skbadge.utils._caller import warn_caller
from skbadge.utils._life_lock import LifeLock
from skbadge.utils._shown import shown


class TakingAnswers(Telling):
    """What people tell a session, written down before a method returns."""

    annotator: str | None
    train_every: int | None
    _life: LifeLock
    _reader: LabelReader

    def label(self, id: Scalar, y: Scalar, annotator: str | None = None) -> None:
        """Say what a row is. The answer is durable before this returns.

        Parameters
        ----------
        id : str, int, float or bool
            The row's. It need not have been asked. If it is open with somebody else, it
            is no more.

        y : str, int, float or bool
            Its label, or target. 1 and 1.0 are one label.

        annotator : str or None, default=None
            Who says so; None for the session's. What others said stays, see
            `agreement`; what this person said of the row is replaced, and stays in the
            history. An answer that stands already is not written again.

        Raises
        ------
        ValueError
            If no row has that id, or ``y`` is none of the classes.
        """
        self._answer("labeled", [id], [y], annotator)

    def label_many(
        self, ids: Iterable[Scalar], y: Iterable[Scalar], annotator: str | None = None
    ) -> None:
        """Say what several rows are: all answers are written, or none.

        Parameters
        ----------
        ids : array-like of shape (n,)
            The rows'.

        y : array-like of shape (n,)
            Their labels.

        annotator : str or None, default=None
            As for `label`.
        """
        self._answer("labeled", ids, y, annotator)

    def correct(self, id: Scalar, y: Scalar, annotator: str | None = None) -> None:
        """Decide what a row is: the answers before do not count any more.

        Parameters
        ----------
        id, y, annotator
            As for `label`.
        """
        self._answer("corrected", [id], [y], annotator)

    def skip(
        self, id: Scalar, reason: str | None = None, annotator: str | None = None
    ) -> None:
        """Leave a row out: nobody is asked again, and its labels do not count.

        Parameters
        ----------
        id : str, int, float or bool
            The row's. A later `label` brings it back.

        reason : str or None, default=None
            Why.

        annotator : str or None, default=None
            Who says so; None for the session's.
        """
        self._say("skipped", id, annotator, reason)

    def unsure(
        self, id: Scalar, reason: str | None = None, annotator: str | None = None
    ) -> None:
        """Say that one cannot tell.

        One is not asked again. Another person may be, until the next training; a later
        `label` brings the row back in any case.

        Parameters
        ----------
        id, reason, annotator
            As for `skip`.
        """
        self._say("unsure", id, annotator, reason)

    def withdraw(
        self, id: Scalar, reason: str | None = None, annotator: str | None = None
    ) -> None:
        """Take back all labels of a row, which may be asked again.

        Parameters
        ----------
        id, reason, annotator
            As for `skip`.

        Raises
        ------
        ValueError
            If the row has no label.
        """
        self._say("withdrawn", id, annotator, reason)

    def undo(self, *, annotator: str | None = None) -> Scalar | None:
        """Take back what somebody did last: a label, a correction, a skip, ...

        Parameters
        ----------
        annotator : str or None, default=None
            Who; None for the session's. Without a name, what this session did.

        Returns
        -------
        id : str, int, float or bool
            That of the row, which is open with them again if it was; None if there is
            nothing to take back.
        """
        who = self._who(annotator)
        with self._ledger.writing() as page:
            last = self._ledger.last_action(who)
            if last is None:
                return None
            page.write("undone", last.id, who, refers_to=last.seq)
        return from_text(last.id)

    def _answer(self, kind, ids, y, annotator):
        who = self._who(annotator)
        ids, y = check_lists(ids, y)
        keys = [self._pool.key_of(id) for id in ids]
        check_distinct(keys)
        holder = holder_of(who, self._life.name)
        with self._ledger.writing() as page:
            labels = self._reader.texts(y, self._ledger.standing)
            for key, label in zip(keys, labels, strict=True):
                row = self._ledger.standing.rows.get(key)
                if row is None or not row.stands(kind, holder, label):
                    page.write(kind, key, who, label=label, **self._why(row, key))
        self._train_if_due()

    def _train_if_due(self):
        if self.train_every is None:
            return
        try:
            self._rounds.train_if_due(self.train_every)
        except Exception as error:
            warn_caller(
                f"All answers are kept, but the training after them failed: {error}",
                QueryWarning,
            )

    def _say(self, kind, id, annotator, reason):
        key, who = self._pool.key_of(id), self._who(annotator)
        check_reason(reason)
        with self._ledger.writing() as page:
            row = self._ledger.standing.rows.get(key)
            if kind == "withdrawn" and (row is None or not row.votes):
                raise ValueError(f"The row {shown(id)} has no label to withdraw.")
            if row is None or not row.is_told(kind, who):
                page.write(kind, key, who, reason=reason, **self._why(row, key))

    def _why(self, row, key):
        """What had asked for a row, and what is in it if nobody had."""
        if row is not None:
            why = row.marks[0].why if row.asked is None else row.asked.why
            return why._asdict()
        (digest,) = self._pool.digests([self._pool.position(key)])
        return {"round": self._ledger.standing.round, "digest": digest}

    def _who(self, annotator):
        return self.annotator if annotator is None else check_annotator(annotator)
