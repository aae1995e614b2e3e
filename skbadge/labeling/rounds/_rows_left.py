"""RowsLeft: which rows of a pool a query may find, and which count as picked."""

import numpy as np


class RowsLeft:
    """Which rows of a pool a query may find, and which count as picked.

    A standing may be of a million rows, so that only those are looked at that have
    changed since the last time.

    Parameters
    ----------
    pool : PoolRows
        The rows.

    reserve : Reserve
        Of rows for the audit, which a query never finds. They do not count as picked.
    """

    def __init__(self, pool, reserve):
        self._pool, self._reserve = pool, reserve
        self._standing = self._labels = None

    def of(self, standing, labels):
        """A mask of the rows to choose among, and positions of those picked.

        ``labels`` holds the ids of the rows that the model was trained on.
        """
        is_new = standing is not self._standing or labels is not self._labels
        changed = standing.rows if is_new else standing.changed
        positions = self._pool.positions(changed)
        standing.changed = {}
        if is_new:
            self._standing, self._labels = standing, labels
            self._free = ~self._reserve.mask
            self._on_their_way = {}
        for key, position in zip(changed, positions, strict=True):
            row = standing.rows[key]
            status = "audit" if row.is_audit else row.status
            self._free[position] = status == "free"
            is_unlearned = status == "answered" and key not in labels
            if is_unlearned or status in ("open", "returned"):
                self._on_their_way[key] = position
            else:
                self._on_their_way.pop(key, None)
        in_line = [
            position
            for event in standing.queue
            # Of a pool that has changed, rows that were not asked may be gone.
            if (position := self._pool.position(event.id)) is not None
            and self._free[position]
            and self._reserve.allows(event, standing)
        ]
        free = self._free.copy()
        free[in_line] = False
        pending = sorted({*in_line, *self._on_their_way.values()})
        return free, np.array(pending, dtype=np.int64)
