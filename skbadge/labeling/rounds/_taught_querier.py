"""TaughtQuerier: a querier that is taught labels, and asked for rows."""

from copy import copy
from functools import partial

import numpy as np
from sklearn.base import clone

from skbadge.labeling.ledger._scalars import from_text
from skbadge.labeling.rounds._rows_left import RowsLeft
from skbadge.utils._streams import stream_seed

# What a querier carries from one query to the next.
_LEARNED_BY_ASKING = ("strategy_", "_strategy_mark", "_has_warned", "_doubts")


class TaughtQuerier:
    """A querier that is taught labels, and asked for rows.

    Parameters
    ----------
    querier : BadgeQuerier
        Of which a clone is trained. Its ``random_state`` is an int.

    pool : PoolRows
        The rows.

    reserve : Reserve
        Of rows that are in no query.

    Attributes
    ----------
    querier : BadgeQuerier
        The clone.

    labels : dict
        What it was last taught: the label of each row as (JSON, place), in the order
        of the places, by the row's id as JSON.
    """

    def __init__(self, querier, pool, reserve):
        self._bare, self._pool, self._reserve = querier, pool, reserve
        self.forget_all()

    def forget_all(self):
        """Start with a querier that knows nothing."""
        self.querier, self.labels = clone(self._bare), {}
        self._rows_left = RowsLeft(self._pool, self._reserve)

    def learn(self, labels):
        """Train on labels; those learned before are corrected and forgotten."""
        try:
            self._learn(labels)
        except BaseException:
            # Half taught, it would not be what the ledger says.
            self.forget_all()
            raise
        self.labels = labels

    def _learn(self, labels):
        kept = self._still_in_place(labels)
        if self.labels:
            held = list(self.labels)
            self.querier.forget([i for i, key in enumerate(held) if key not in kept])
            held = [key for key in held if key in kept]
            changed = [
                i for i, key in enumerate(held) if labels[key] != self.labels[key]
            ]
            self.querier.relabel(changed, _values(labels, [held[i] for i in changed]))
        added = [key for key in labels if key not in kept]
        if added:
            rows = self._pool.take(self._pool.positions(added))
            self.querier.partial_fit(rows, _values(labels, added))
        else:
            self.querier.partial_fit()

    def _still_in_place(self, labels):
        """The rows that need not be taught again.

        Rows are held in the order of their places, as in a training from scratch, so
        that a row that takes a place in between moves those behind it.
        """
        kept = {
            key: place
            for key, (_, place) in self.labels.items()
            if key in labels and labels[key][1] == place
        }
        first = min(
            (place for key, (_, place) in labels.items() if key not in kept),
            default=np.inf,
        )
        return {key for key, place in kept.items() if place < first}

    def look_over(self, standing):
        """Look at all rows in the light of the labels, as the next query has to."""
        self._rows_left.of(standing, self.labels)

    def prepare(self, standing, n):
        """What makes a query for up to ``n`` rows, and returns them and the report.

        None if no row is left. Rows that are on their way to a label count as picked.
        The standing is not looked at later.
        """
        free, pending = self._rows_left.of(standing, self.labels)
        n_left = int(np.count_nonzero(free))
        n = min(n, n_left)
        if n == 0:
            return None
        # Of a copy, so that how often one asks has no part in what is trained later.
        asked = copy(self.querier)
        stream = f"query-{standing.round}-{standing.n_queries}"
        asked.random_state = stream_seed(self._bare.random_state, stream)
        # A session starts so as a matter of course, and its tasks tell.
        asked._doubts = (*asked._doubts, "start")
        told = {
            "candidates": None if n_left == len(free) else free,
            "pending": pending if len(pending) else None,
        }
        return partial(self._ask, asked, n, told)

    def _ask(self, asked, n, told):
        answer = asked.query(self._pool.X, n, **told, return_report=True)
        found = vars(asked)
        vars(self.querier).update(
            {name: found[name] for name in _LEARNED_BY_ASKING if name in found}
        )
        return answer


def _values(labels, keys):
    return [from_text(labels[key][0]) for key in keys]
