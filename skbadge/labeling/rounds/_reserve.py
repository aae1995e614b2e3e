"""Reserve: rows that are kept apart for a random audit."""

from collections import deque
from functools import cached_property
from hashlib import blake2b
from typing import NamedTuple

import numpy as np

from skbadge.labeling.ledger._row_standing import AUDIT
from skbadge.utils._streams import stream_seed

# What a row of the audit is once somebody said something of it.
_SPOKEN_OF = ("answered", "skipped", "unsure")


class Pick(NamedTuple):
    """A row to hand out: where it is, and why."""

    position: int
    rank: int
    strategy: str
    probability: float | None


class Reserve:
    """Rows that are kept apart for a random audit.

    Each row has a uniform number, a hash of its id and of the session's seed: neither
    the order of rows, nor rows that are added, nor a restart changes it. Rows whose
    number is below the share are in the reserve for as long as nothing was asked or
    said of them. No query finds them. They are handed out in the order of their
    numbers, and are of the audit for ever then.

    The numbers know of no label and of no choice. So the rows of the audit are drawn
    uniformly from all rows, without replacement.

    Parameters
    ----------
    pool : PoolRows
        The rows.

    seed : int
        That of the session.

    share : float
        From 0 to 0.5.
    """

    def __init__(self, pool, seed, share):
        self._pool, self._seed, self._share = pool, seed, share

    @cached_property
    def _numbers(self):
        """A number between 0 and 1 for each row, in the order of the pool."""
        salt = str(self._seed).encode()[:64]
        words = b"".join(
            blake2b(self._pool.key(i).encode(), digest_size=8, key=salt).digest()
            for i in range(self._pool.n_rows)
        )
        return (np.frombuffer(words, "<u8") >> np.uint64(11)) * 2.0**-53

    @cached_property
    def _places(self):
        """Ids of the rows below the share, with their places in the audit's order."""
        if not self._share:
            return {}
        below = np.flatnonzero(self.mask)
        order = below[np.argsort(self._numbers[below], kind="stable")]
        return {self._pool.key(i): place for place, i in enumerate(order)}

    @cached_property
    def mask(self):
        """Which rows of the pool have a number below the share."""
        if not self._share:
            return np.zeros(self._pool.n_rows, dtype=bool)
        return self._numbers < self._share

    def holds(self, key, standing):
        """Whether a row is in the reserve, or of the audit already."""
        row = standing.rows.get(key)
        return key in self._places if row is None else row.is_audit

    def allows(self, event, standing):
        """Whether a row in line is still to be asked for the reason that it was."""
        return (event.strategy == AUDIT) == self.holds(event.id, standing)

    def left(self, standing, n):
        """The rows of the audit to be handed out next, up to n: a list of `Pick`."""
        found, n_pool = [], self._pool.n_rows
        in_line = {event.id for event in standing.queue if event.strategy == AUDIT}
        n_before = 0
        for key, place in self._places.items():
            if len(found) == n:
                break
            if not self.holds(key, standing):
                continue
            if standing.status_of(key) == "free" and key not in in_line:
                # Uniform among the rows left, if none is missing that came before it.
                chance = 1 / (n_pool - place) if n_before == place else None
                position = self._pool.position(key)
                found.append(Pick(position, place, AUDIT, chance))
            n_before += 1
        return found

    def slots(self, standing, n):
        """At which of the next n places rows of the audit are handed out.

        One at a random place of each block of 1 / share, so that nobody can tell them,
        and a batch that is stopped half way has its share of them.
        """
        if not self._share:
            return []
        stream = f"audit-{standing.round}-{standing.n_queries}"
        rng = np.random.default_rng(stream_seed(self._seed, stream))
        n_blocks = int(np.ceil(n * self._share)) + 1
        edges = np.rint(np.arange(n_blocks + 1) / self._share).astype(np.int64)
        found = rng.integers(edges[:-1], edges[1:])
        return found[found < n].tolist()

    def audited(self, standing):
        """The audit so far: keys in its order, and how many rows it lacks.

        It ends with the last row of which somebody said something, a skip too: where
        skips at the end were left out, they would choose how long it is. What it lacks
        are rows that would have been drawn before: they came later, or a strategy or a
        person had chosen them.
        """
        rows = [(key, row) for key, row in standing.rows.items() if row.is_audit]
        keys = [key for key, _ in rows]
        numbers = self._numbers[self._pool.positions(keys)]
        order = np.argsort(numbers, kind="stable")
        said = (i for i in order if rows[i][1].status in _SPOKEN_OF)
        last = max(said, key=numbers.take, default=-1)
        if last < 0:
            return [], 0
        found = [keys[i] for i in order if numbers[i] <= numbers[last]]
        return found, int(np.sum(self._numbers <= numbers[last])) - len(found)


def interleaved(picks, drawn, slots):
    """The picks of a query with rows of the audit in between, at some places.

    What is left of one of the two when the other is used up comes at the end.
    """
    found, slots = [], set(slots)
    picks, drawn = deque(picks), deque(drawn)
    for place in range(len(picks) + len(drawn)):
        is_audit = bool(drawn) and (place in slots or not picks)
        found.append((drawn if is_audit else picks).popleft())
    return found
