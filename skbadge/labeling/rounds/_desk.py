"""Desk: which rows are with whom, and who gets the next ones."""

from datetime import UTC, datetime

from skbadge.labeling.ledger._row_standing import holder_of, why_of

# A row that counts as done with, or is on its way.
_NOT_FREE = ("open", "returned", "answered", "unsure", "skipped")


class Desk:
    """Which rows are with whom, and who gets the next ones.

    Rows that a named person has are theirs in every process, until they say something
    of them or give them back. Those of a session without a name are its own while it
    lives, which the operating system tells by a lock.

    Parameters
    ----------
    ledger : Ledger
        Where it is written who has which rows.

    pool : PoolRows
        The rows.

    reserve : Reserve
        Of rows for the audit.

    life : LifeLock
        This session's sign of life, by which others' are seen.

    lease : float or None
        Seconds after which a row may go to somebody else; None for no limit.
    """

    def __init__(self, ledger, pool, reserve, life, lease):
        self._ledger, self._pool, self._reserve = ledger, pool, reserve
        self._life, self._lease = life, lease

    def take(self, n, annotator, *, fewer):
        """Ids of somebody's open rows and of new ones, written down as theirs.

        Where there are not enough, with ``fewer``, those there are, else None and
        nothing is written: a batch is handed out as a whole.
        """
        self._release_left()
        with self._ledger.writing() as page:
            standing = self._ledger.standing
            mine = self._open_with(annotator, standing)[:n]
            found = self._in_line(standing, annotator)[: n - len(mine)]
            is_enough = len(mine) + len(found) == n or self._is_used_up(standing)
            if not (is_enough or fewer):
                return None
            for key, why in found:
                page.write("asked", key, annotator, **why._asdict())
        return mine + [key for key, _ in found]

    def n_missing(self, standing, n, annotator):
        """How many rows a query has to find; 0 if there are none it could find."""
        if self._is_used_up(standing):
            return 0
        mine = self._open_with(annotator, standing)
        return max(0, n - len(mine) - len(self._in_line(standing, annotator)))

    def open_with(self, annotator):
        """Ids of somebody's open rows."""
        with self._ledger.lock:
            return self._open_with(annotator, self._ledger.catch_up())

    def give_back(self, annotator, keys=None):
        """Let others have somebody's open rows: some, or all with None."""
        with self._ledger.writing() as page:
            for key in self._open_with(annotator, self._ledger.standing):
                if keys is None or key in keys:
                    page.write("released", key, annotator)

    def _open_with(self, annotator, standing):
        return standing.open_with(holder_of(annotator, self._life.name))

    def _in_line(self, standing, annotator):
        """Rows in line for somebody, the first to ask first: ids, and why.

        Rows that were left behind come before those of the queue, so that a session
        that was killed and goes on asks for the same rows as one that was not. Nobody
        gets a row again of which they could not tell what it is.
        """
        rows = standing.rows
        found = {
            key: rows[key].asked.why
            for key in standing.in_order_of_asking(standing.returned)
        }
        for event in self._queue(standing):
            if standing.status_of(event.id) in ("free", "unsure"):
                found[event.id] = why_of(event)
        since = standing.trainings[-1].seq if standing.trainings else 0
        for key in standing.unsure:
            # A training has emptied the queue that these came from.
            if rows[key].asked is not None and rows[key].marks[-1].seq > since:
                found.setdefault(key, rows[key].asked.why)
        return [
            (key, why)
            for key, why in found.items()
            # Of a pool that has changed, rows may be gone.
            if self._pool.position(key) is not None
            and (key not in rows or annotator not in rows[key].unsure_of)
        ]

    def _queue(self, standing):
        """What is in line, without rows that came into the reserve, or left it."""
        return [e for e in standing.queue if self._reserve.allows(e, standing)]

    def _is_used_up(self, standing):
        """Whether all rows of the pool are done with, out, or in line."""
        queue = self._queue(standing)
        n_free = sum(standing.status_of(event.id) == "free" for event in queue)
        n_known = sum(standing.counts[status] for status in _NOT_FREE)
        return n_known + n_free >= self._pool.n_rows

    def _release_left(self):
        """Let others have the rows of sessions that are no more, and of late people."""
        with self._ledger.lock:
            if not self._others(self._ledger.catch_up()):
                return
            with self._ledger.writing() as page:
                standing, alive = self._ledger.standing, {}
                for key in self._others(standing):
                    asked = standing.rows[key].asked
                    annotator, session = asked.who
                    if session not in alive:
                        # Within a transaction, as the lock needs it.
                        alive[session] = self._life.is_held(session)
                    is_left = annotator is None and not alive[session]
                    if is_left or self._is_late(asked):
                        reason = f"the {'session' if is_left else 'lease'} ended"
                        page.write("released", key, reason=reason)

    def _others(self, standing):
        """Ids of the open rows that may have to be released."""
        return [
            key
            for key in standing.in_order_of_asking(standing.open)
            if self._is_late(asked := standing.rows[key].asked)
            or (asked.who[0] is None and asked.who[1] != self._life.name)
        ]

    def _is_late(self, asked):
        if self._lease is None:
            return False
        gone = datetime.now(UTC) - self._ledger.time_of(asked.seq)
        return gone.total_seconds() > self._lease
