"""What is picked of rows in chunks, without an array over all of them."""

import numpy as np

from skbadge.samplers._feasible import OpenRows
from skbadge.samplers._row_sketch import Drawn, merged, new_seed
from skbadge.utils._chunks import rows_of_chunk


class Taken:
    """The rows that count as picked, by their numbers, and what their groups have left.

    What `OpenRows` is to rows in memory. Only groups take an array over all rows.

    Parameters
    ----------
    feasible : Feasible
        Without a mask: rows that may never be picked have no number.
    """

    def __init__(self, feasible):
        self.n_rows = feasible.n_rows
        self.rows = np.sort(feasible.pending)
        self.groups = feasible.groups
        self.quota = None if self.groups is None else feasible._quota.copy()

    def opened(self, first, n_rows):
        """Positions of the rows that may be picked in a chunk, given its first row."""
        is_open = np.ones(n_rows, dtype=bool)
        is_open[rows_of_chunk(self.rows, first, n_rows)[0]] = False
        if self.groups is not None:
            is_open &= self.quota[self.groups[first : first + n_rows]] > 0
        return np.flatnonzero(is_open)

    def open_part(self, chunk, first):
        """Positions of the open rows of a chunk, and their embedding."""
        opened = self.opened(first, len(chunk))
        return opened, chunk if len(opened) == len(chunk) else chunk.take(opened)

    def quotas(self, rows):
        """Groups of some rows and what those have left, None without groups."""
        if self.groups is None:
            return None
        groups = self.groups[rows]
        return groups, self.quota[groups]

    def open_rows(self, rows):
        """The open rows among some that are all open now."""
        mask = np.ones(len(rows), dtype=bool)
        if self.groups is None:
            return OpenRows(mask)
        groups, own = np.unique(self.groups[rows], return_inverse=True)
        return OpenRows(mask, own, self.quota[groups])

    def add(self, rows):
        """Count rows as picked."""
        self.rows = np.sort(np.concatenate([self.rows, rows]))
        if self.groups is not None:
            np.subtract.at(self.quota, self.groups[rows], 1)

    def draw(self, n, rng):
        """Pick rows uniformly, one after another, from those that may be picked.

        The pool is not read: a row's number is drawn, whatever it holds.
        """
        drawn, sketch = Drawn(new_seed(rng), "uniform"), None
        for first in range(0, self.n_rows, 2**16):
            n_rows = min(2**16, self.n_rows - first)
            opened = self.opened(first, n_rows)
            quotas = self.quotas(first + opened)
            weights = np.ones(len(opened))
            part = drawn.sketch(n, weights, first, opened, quotas=quotas)
            sketch = part if sketch is None else merged(sketch, part)
        self.add(sketch.rows)
        return sketch.rows
