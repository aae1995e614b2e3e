"""Rounds: trainings and queries, one at a time over all processes, in the ledger."""

import threading
from contextlib import contextmanager

from skbadge.exceptions import QueryWarning
from skbadge.labeling.ledger._resolution import contradicts, resolve, trainable
from skbadge.labeling.ledger._row_standing import AUDIT
from skbadge.labeling.ledger._scalars import from_text
from skbadge.labeling.ledger._standing import Standing
from skbadge.labeling.rounds._reserve import Pick, interleaved
from skbadge.labeling.rounds._watch import as_of_others
from skbadge.querier._strategy_in_use import kind_of
from skbadge.strategies import get_strategy
from skbadge.utils._caller import warn_caller
from skbadge.utils._shown import listed

# The file, among those of lives, that whoever trains or asks has locked.
TURN = "turn"


class Rounds:
    """Trainings and queries, one at a time over all processes of a store.

    A process knows by the ledger what others have trained. Where a training starts from
    scratch, and the strategy learns nothing over the rounds, it repeats the last one
    when it needs the model; else all trainings and queries, in order.

    Parameters
    ----------
    ledger : Ledger
        Where they are written.

    pool : PoolRows
        The rows.

    reserve : Reserve
        Of rows for the audit.

    taught : TaughtQuerier
        What is trained and asked.

    life : LifeLock
        The session's.

    watch : Watch
        Told of each round before it ends.

    resolution : str
        How several answers make one label.

    batch_size : int
        Rows of a query, at least.

    patience : float
        Seconds to wait for the turn before that is said.
    """

    def __init__(
        self,
        ledger,
        pool,
        reserve,
        taught,
        life,
        watch,
        *,
        resolution,
        batch_size,
        patience,
    ):
        self._ledger, self._pool, self._taught = ledger, pool, taught
        self._reserve, self._watch = reserve, watch
        # Of the queries since the last training, by their events.
        self._reports: dict = {}
        self._resolution, self._batch_size = resolution, batch_size
        querier = taught.querier
        strategy = get_strategy(querier.strategy, kind_of(querier._estimator()))
        self._replays = querier.warm_start or strategy.learns
        # Up to which event, and to which training, the taught is.
        self._seq, self._round, self._then = 0, 0, Standing()
        self._thread = threading.RLock()
        self._life, self._patience = life, patience

    @contextmanager
    def _in_turn(self, waits=True):
        """Nobody else trains or asks meanwhile; yields whether it is one's turn."""
        if not self._thread.acquire(blocking=waits):
            yield False
            return
        try:
            # One of this turn: what Ctrl-C keeps from being released goes with it.
            turn = self._life.shared(TURN)
            try:
                if not self._take(turn, waits):
                    yield False
                    return
                yield True
            finally:
                # Even if Ctrl-C came just after it was taken.
                turn.release()
        finally:
            self._thread.release()

    def _take(self, turn, waits):
        with self._life.locking(turn):
            try:
                turn.acquire(self._patience, blocking=waits)
            except TimeoutError:
                if not waits:
                    return False
            else:
                return True
            warn_caller(
                "Another process has been training, or choosing rows, for "
                f"{self._patience:g} s. This one waits until it is done. If it hangs, "
                f"end it: it is one of those in {str(self._life.folder)!r}, whose "
                "names have their numbers.",
                QueryWarning,
            )
            turn.acquire()
        return True

    def train(self):
        """Train on the labels there are, unless the last training was on the same."""
        with self._in_turn():
            self._train()

    def train_if_due(self, every):
        """Train if so many answers are new, and nobody else is at it."""
        if self._is_due(every):
            with self._in_turn(waits=False) as is_ours:
                if is_ours and self._is_due(every):
                    self._train()

    def fill_queue(self, n_missing):
        """Make a query for the rows that are missing, or more.

        Whoever waited for the turn uses what another process has found meanwhile.
        Returns whether there was anything to find.
        """
        with self._in_turn():
            with self._ledger.lock:
                n = n_missing(self._ledger.catch_up())
            if not n:
                return True
            self._bring_up()
            return self._ask(max(n, self._batch_size))

    def trained(self):
        """The querier as the last training has left it."""
        with self._in_turn():
            self._bring_up()
            return self._taught.querier

    def guess(self, position):
        """What the model says of a row, as it was trained last here; None before."""
        if not self._taught.labels:
            return None
        return self._taught.querier.predict(self._pool.take([position]))[0]

    def _is_due(self, every):
        with self._ledger.lock:
            standing = self._ledger.catch_up()
            if every is None or standing.changes.n < every:
                return False
            found = self._labels(standing).values()
            # One label alone trains few models.
            return len({label for label, _ in found}) > 1

    def _labels(self, standing):
        found = {}
        for key, row in trainable(standing):
            vote = resolve(row, self._resolution)
            if vote is not None:
                found[key] = vote.label, row.order
        return found

    def _train(self):
        with self._ledger.lock:
            standing = self._ledger.catch_up()
            known, number = standing.seq, standing.round
            labels = self._labels(standing)
            if self._resolution == "refuse":
                _refuse_contradictions(standing)
        if not labels:
            raise ValueError("There are no labels to train on yet.")
        self._bring_up()
        if number and labels == self._taught.labels:
            return
        line = None if self._watch.monitor is None else self._watched(number, labels)
        with self._forgetting():
            self._taught.learn(labels)
            with self._ledger.writing() as page:
                page.write("trained", round=number + 1, refers_to=known, reason=line)
        self._reports = {}
        self._is_up()
        with self._ledger.lock:
            self._taught.look_over(self._ledger.standing)

    @contextmanager
    def _forgetting(self):
        """What was taught is forgotten if the block raises, and taught again later."""
        try:
            yield
        except BaseException:
            self._taught.forget_all()
            self._seq, self._round, self._then = 0, 0, Standing()
            raise

    def _watched(self, number, labels):
        """What the monitor says of the round that ends; it never keeps it from ending.

        Reports of other processes are made again, by asking again.
        """
        with self._ledger.lock:
            standing = self._ledger.standing
            since = standing.trainings[-1].seq if number else 0
            events = list(self._ledger.events(since, standing.seq))
            audit = self._audit_so_far(standing)[:2]
        asked: list = []
        for event in events:
            if event.kind == "queried":
                asked.append((event, []))
            elif event.kind == "queued" and event.strategy != AUDIT:
                asked[-1][1].append(event)
        try:
            found = [self._report_of(*each) for each in asked if each[0].rank]
            reports = [report for report in found if report is not None]
            querier = self._taught.querier
            return self._watch.tell(number, querier, reports, labels, audit)
        except Exception as error:
            warn_caller(
                f"All answers are kept, but the round is not in the monitor: {error}",
                QueryWarning,
            )
            return None

    def _report_of(self, query, queued):
        report = self._reports.get(query.seq)
        if report is not None:
            return report
        then = Standing(self._ledger.events(until=query.refers_to))
        ask = self._taught.prepare(then, query.rank)
        if ask is None:
            return None
        found, report = ask()
        keys = [event.id for event in queued]
        if [self._pool.key(row) for row in found] == keys:
            return report
        rows = [self._pool.position(key) for key in keys]
        rows = [row for row in rows if row is not None]
        return as_of_others(report, rows, query.strategy)

    def _audit_so_far(self, standing):
        """Ids and labels of the audit, and how many rows it lacks."""
        keys, n_lacking = self._reserve.audited(standing)
        votes = [resolve(standing.rows[key], self._resolution) for key in keys]
        labels = [None if vote is None else from_text(vote.label) for vote in votes]
        return keys, labels, n_lacking

    def audited(self):
        """The model, ids and labels of the audit, and how many rows it lacks."""
        with self._in_turn():
            self._bring_up()
            with self._ledger.lock:
                return self._taught.querier, *self._audit_so_far(self._ledger.standing)

    def _ask(self, n):
        with self._ledger.lock:
            standing = self._ledger.standing
            known, number = standing.seq, standing.round
            drawn = self._reserve.left(standing, n)
            slots = self._reserve.slots(standing, n)[: len(drawn)]
            ask = self._taught.prepare(standing, n - len(slots))
        if ask is None and not drawn:
            return False
        picks, strategy, fallbacks = [], AUDIT, ()
        if ask is not None:
            rows, report = ask()
            strategy, fallbacks = report.strategy, report.fallbacks
            picks = _picks(rows, report)
        found = interleaved(picks, drawn[: n - len(picks)], slots)
        digests = self._pool.digests([pick.position for pick in found])
        with self._ledger.writing() as page:
            page.write(
                "queried",
                rank=len(picks),
                reason="; ".join(fallbacks) or None,
                refers_to=known,
                strategy=strategy,
                round=number,
            )
            for (position, *why), digest in zip(found, digests, strict=True):
                rank, strategy, chance = why
                page.write(
                    "queued",
                    self._pool.key(position),
                    rank=rank,
                    probability=chance,
                    strategy=strategy,
                    round=number,
                    digest=digest,
                )
        if picks and self._watch.monitor is not None:
            self._reports[page.events[0].seq] = report
        self._is_up()
        return True

    def _is_up(self):
        with self._ledger.lock:
            standing = self._ledger.standing
            self._seq, self._round = standing.seq, standing.round

    def _bring_up(self):
        """Repeat what others, or processes before this one, have trained."""
        with self._ledger.lock:
            standing = self._ledger.catch_up()
            seq, number = standing.seq, standing.round
            known = standing.trainings[-1].known if number else 0
        with self._forgetting():
            if self._replays:
                self._replay(seq)
            elif self._round < number:
                then = Standing(self._ledger.events(until=known))
                self._taught.learn(self._labels(then))
        self._seq, self._round = seq, number

    def _replay(self, until):
        then = self._then
        for event in self._ledger.events(self._seq, until):
            if event.kind not in ("queried", "trained"):
                continue
            # Turns are taken one after another, so that this only ever goes on.
            for each in self._ledger.events(then.seq, event.refers_to):
                then.add(each)
            if event.kind == "trained":
                self._taught.learn(self._labels(then))
                self._reports = {}
            elif (ask := self._taught.prepare(then, event.rank)) is not None:
                self._reports[event.seq] = ask()[1]


def _picks(rows, report):
    """Rows of a query, and why they were picked, in the order of selection."""
    chances = [None] * len(rows)
    if report.probabilities is not None:
        chances = report.probabilities.tolist()
    return [
        Pick(row, rank, report.strategy, chance)
        for rank, (row, chance) in enumerate(zip(rows.tolist(), chances, strict=True))
    ]


def _refuse_contradictions(standing):
    ids = [from_text(key) for key, row in trainable(standing) if contradicts(row)]
    if ids:
        raise ValueError(
            f"The answers to {len(ids)} rows contradict each other: {listed(ids)}. "
            "`correct` them, or open the session with another `resolution`."
        )
