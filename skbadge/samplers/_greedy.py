"""Greedy selection of rows whose values only fall, lazy and exact."""

from abc import ABC, abstractmethod

import numpy as np


class LazyGreedy(ABC):
    """A selection under way that takes the row of greatest value again and again.

    A row's value never grows as rows are picked, so that a value that was right some
    picks ago bounds the one it has now: of the rows of greatest bound, the contenders,
    a row whose true value is beyond all other bounds is the greatest of all. A
    subclass says how values are brought up to date, in `_enter` and `_lower`.

    Parameters
    ----------
    embedding : Embedding
        The candidates.

    n : int
        Number of rows to pick.

    bound : ndarray of shape (n_rows,)
        What no row's value exceeds, float64.

    negligible : float
        Value that rounding alone can leave in place of zero.

    tolerance : float, default=0.0
        Values that differ by no more are equal, and of equal rows the first is picked.
    """

    def __init__(self, embedding, n, bound, negligible, tolerance=0.0):
        self.embedding = embedding
        self.n = n
        self.rows = []
        self.values = []
        self.bound = bound
        self.negligible = negligible
        self.tolerance = tolerance
        self.n_distances = 0

    @abstractmethod
    def _enter(self, contenders):
        """Bring contenders up to date.

        Returns
        -------
        block : object
            What `_lower` needs of them.

        values : ndarray of shape (n_contenders,)
            Their values.
        """

    @abstractmethod
    def _lower(self, block, values, position):
        """Lower the values, in place, to what they are after a contender's pick.

        The pick's own becomes one that is not picked again.
        """

    def _leave(self, contenders, block):  # noqa: B027 (not all have anything to keep)
        """Keep what will be wanted when these rows contend again."""

    def _pick(self, row, value):
        self.rows.append(int(row))
        self.values.append(float(value))

    def _contenders(self, size):
        """Rows of greatest bound, equal ones by position.

        Returns
        -------
        contenders : ndarray
            The rows.

        limit : float
            No row outside has a greater bound.

        first_outside : int
            The first row outside whose value may be equal to one near ``limit``.
        """
        n_rows = len(self.bound)
        if size >= n_rows:
            return np.arange(n_rows), -np.inf, n_rows
        limit = np.partition(self.bound, n_rows - size)[n_rows - size]
        above = np.flatnonzero(self.bound > limit)
        equal = np.flatnonzero(self.bound == limit)
        contenders = np.concatenate([above, equal[: size - len(above)]])
        near = self.bound >= limit - 2 * self.tolerance
        near[contenders] = False
        first_outside = int(near.argmax()) if near.any() else n_rows
        return contenders, limit, first_outside

    def _contest(self, contenders, limit, first_outside):
        """Pick the greatest contenders while they are the greatest rows of all.

        Returns whether anything but negligible values may be left.
        """
        block, values = self._enter(contenders)
        go_on = True
        while len(self.rows) < self.n:
            greatest = values.max()
            tied = np.flatnonzero(values >= greatest - self.tolerance)
            position = tied[contenders[tied].argmin()]
            row = contenders[position]
            if greatest < limit - self.tolerance or (
                greatest <= limit + self.tolerance and row > first_outside
            ):
                self._leave(contenders, block)
                break
            if greatest <= self.negligible:
                go_on = False
                break
            self._pick(row, values[position])
            self._lower(block, values, position)
        self.bound[contenders] = values
        return go_on
