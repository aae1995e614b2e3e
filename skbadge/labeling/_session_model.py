"""SessionModel: a querier that knows what the ledger says it has learned."""

from copy import copy

import numpy as np
from sklearn.base import clone

from skbadge.labeling._resolution import answered, resolve
from skbadge.labeling._scalars import from_text
from skbadge.labeling._standing import Standing
from skbadge.querier._strategy_in_use import kind_of
from skbadge.strategies import get_strategy
from skbadge.utils._streams import stream_seed


class SessionModel:
    """A querier, trained as the ledger says.

    Where a training starts from scratch, and the strategy learns nothing over the
    rounds, the last one is repeated; else all trainings and queries are, in order.

    Parameters
    ----------
    querier : BadgeQuerier
        Of which clones are trained.

    pool : PoolRows
        The rows.

    resolution : str
        How several answers make one label.
    """

    def __init__(self, querier, pool, resolution):
        self._bare, self._pool, self._resolution = querier, pool, resolution
        strategy = get_strategy(querier.strategy, kind_of(querier._estimator()))
        self._replays = querier.warm_start or strategy.learns
        self.forget_all()

    def forget_all(self):
        """Start with a querier that knows nothing."""
        self.querier = clone(self._bare)
        self.round, self._seq, self._held = 0, 0, {}

    def labels(self, standing):
        """The label of each row to train on, as (text, place), by the row's id."""
        found = {}
        for key, row in answered(standing):
            vote = resolve(row, self._resolution)
            if vote is not None:
                found[key] = vote.label, row.order
        return found

    def is_taught(self, labels):
        """Whether the model was trained on just these labels."""
        return self.round > 0 and labels == self._held

    def bring_up(self, ledger):
        """Repeat what the ledger says was learned since."""
        standing = ledger.standing
        if self._replays:
            self._replay(ledger)
        elif self.round < standing.round:
            known = standing.trainings[-1].known
            self.learn(self.labels(Standing(ledger.events(until=known))))
        self.round, self._seq = standing.round, standing.seq

    def _replay(self, ledger):
        standing, known = Standing(), Standing()
        for event in ledger.events(until=ledger.standing.seq):
            standing.add(event)
            if event.seq <= self._seq:
                continue
            if event.kind == "queried":
                before = Standing(ledger.events(until=event.refers_to))
                self.ask(before, event.rank)
            elif event.kind == "trained":
                for each in ledger.events(known.seq, event.refers_to):
                    known.add(each)
                self.learn(self.labels(known))

    def learn(self, labels):
        """Train on labels, those learned before corrected or forgotten where needed."""
        try:
            self._learn(labels)
        except BaseException:
            self.forget_all()
            raise
        self._held = labels

    def _learn(self, labels):
        kept = {
            key: place
            for key, (_, place) in self._held.items()
            if key in labels and labels[key][1] == place
        }
        # Rows are held in the order of their places, as in a training from scratch.
        new = [place for key, (_, place) in labels.items() if key not in kept]
        first = min(new, default=np.inf)
        kept = {key for key, place in kept.items() if place < first}
        if self._held:
            held = list(self._held)
            self.querier.forget([i for i, key in enumerate(held) if key not in kept])
            held = [key for key in held if key in kept]
            changed = [
                i for i, key in enumerate(held) if labels[key][0] != self._held[key][0]
            ]
            self.querier.relabel(
                changed, [from_text(labels[held[i]][0]) for i in changed]
            )
        added = [key for key in labels if key not in kept]
        if added or not self._held:
            y = [from_text(labels[key][0]) for key in added]
            self.querier.partial_fit(self._rows(added), y)
        else:
            self.querier.partial_fit()

    def _rows(self, keys):
        return self._pool.take([self._pool.position(key) for key in keys])

    def ask(self, standing, n):
        """Positions of rows to ask for next, and the report of the query."""
        free = np.ones(self._pool.n_rows, dtype=bool)
        pending = []
        known = set() if not self.round else self._held.keys()
        for key, row in standing.rows.items():
            position = self._pool.position(key)
            if row.status == "free" or position is None:
                continue
            free[position] = False
            is_out = row.status in ("open", "returned")
            if is_out or (row.status == "answered" and key not in known):
                pending.append(position)
        n = min(n, int(free.sum()))
        if n == 0:
            return np.empty(0, dtype=np.int64), None
        # A copy, so that what is asked leaves no trace in the streams of randomness.
        asked = copy(self.querier)
        number = f"query-{standing.round}-{standing.n_queries}"
        asked.random_state = stream_seed(self._bare.random_state, number)
        # A session starts so as a matter of course; the tasks tell what selected them.
        asked._doubts = (*asked._doubts, "start")
        return asked.query(
            self._pool.X,
            n,
            candidates=None if free.all() else free,
            pending=np.array(sorted(pending), dtype=np.int64) if pending else None,
            return_report=True,
        )
