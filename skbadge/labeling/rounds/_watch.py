"""Watch: tells a monitor of each round, before the training that ends it."""

from dataclasses import replace

import numpy as np

from skbadge.labeling.ledger._scalars import from_text

_APART = "rows came or went between the queries of this round: it is about the first"
_OF_PARTS = (
    "the queries of this round drew from parts of the pool: it is about the first"
)
_NO_ESTIMATE = "no estimate of the error"
_OTHER_ROWS = (
    f"{_NO_ESTIMATE}: this process did not choose the batch, and asked again, the "
    "querier chose other rows. The pool, the model or the strategy has changed"
)


class Watch:
    """Tells a monitor of each round, before the training that ends it.

    Parameters
    ----------
    monitor : Monitor or None
        The user's.

    pool : PoolRows
        The rows.
    """

    def __init__(self, monitor, pool):
        self.monitor, self._pool = monitor, pool
        # Of the last round that was told, its number and the line.
        self._told: tuple = (None, None)

    def tell(self, number, querier, reports, labels, audit):
        """Add a round, and return what the monitor says of it in a line, or None.

        Parameters
        ----------
        number : int
            That of the training before.

        querier : BadgeQuerier
            As that training left it.

        reports : list of QueryReport
            Of the queries since.

        labels : dict of str to (str, int)
            The labels, as JSON, that the next training is on, by the rows' ids.

        audit : tuple of list
            Ids and labels of the audit so far.
        """
        if not reports:
            return None
        if self._told[0] == number:
            # The training after it has failed.
            return self._told[1]
        report, notes = joined(reports)
        keys = [self._pool.key(row) for row in report.rows]
        y = [from_text(labels[key][0]) if key in labels else None for key in keys]
        n = max((i for i, label in enumerate(y, 1) if label is not None), default=0)
        if not n:
            return None
        one = self._add(querier, cut(report, n), y[:n], audit)
        if notes and one.source != "audit":
            kept = (note for note in one.notes if not note.startswith(_NO_ESTIMATE))
            one = replace(one, notes=(*kept, *notes))
            self.monitor.rounds[-1] = one
        self._told = number, str(one)
        return str(one)

    def _add(self, querier, report, y, audit):
        keys, told = audit
        rows, more = self._pool.take(report.rows), None
        if any(label is not None for label in told):
            # Answers may be corrected, so that the monitor has them for one round.
            more = self._pool.take(self._pool.positions(keys)), told
        return self.monitor._add(querier, report, rows, y, more=more)


def joined(reports):
    """The queries of one round as one, and notes of what that is not.

    While no row comes or goes in between, their draws follow one another as those of
    one query do: each from the rows that are left, by the same model.
    """
    first, *others = reports
    several, notes = [first], ()
    n_left = first.n_candidates - len(first.rows)
    for other in others:
        if other.n_candidates != n_left:
            notes = (_APART,)
            break
        if first.n_subsample not in (None, first.n_candidates):
            # Each from a subsample of its own.
            notes = (_OF_PARTS,)
            break
        several.append(other)
        n_left -= len(other.rows)
    if any(_OTHER_ROWS in each.notes for each in several):
        notes = (_OTHER_ROWS,)
    if len(several) == 1:
        return first, notes
    chances = [each.probabilities for each in several]
    is_known = all(chance is not None for chance in chances)
    batch = _without_details(
        first,
        rows=np.concatenate([each.rows for each in several]),
        probabilities=np.concatenate(chances) if is_known else None,
        uniform_share=min(each.uniform_share for each in several),
        # The model is the same: they are made again.
        predictions=None,
    )
    return batch, notes


def cut(report, n):
    """The first ``n`` draws of a query."""
    if n == len(report.rows):
        return report
    chances, said = report.probabilities, report.predictions
    return _without_details(
        report,
        rows=report.rows[:n],
        probabilities=None if chances is None else chances[:n],
        predictions=None if said is None else said.take(slice(n)),
    )


def as_of_others(report, rows, strategy):
    """A report of rows that were chosen otherwise."""
    return _without_details(
        report,
        rows=np.array(rows, dtype=np.int64),
        strategy=strategy,
        notes=(_OTHER_ROWS,),
        probabilities=None,
        predictions=None,
    )


def _without_details(report, **changes):
    details = ("values", "norms", "embedding", "standard_errors", "ids")
    return replace(report, **dict.fromkeys(details), **changes)
