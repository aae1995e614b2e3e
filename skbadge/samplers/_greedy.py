"""Greedy selection of rows whose values only fall, lazy and exact."""

from abc import ABC, abstractmethod

import numpy as np

from skbadge.samplers._row_sketch import NOTHING
from skbadge.utils._threads import small_products
from skbadge.utils._ties import equal_floor, rounded


class LazyGreedy(ABC):
    """A selection under way that takes the row of greatest value again and again.

    A row's value never grows as rows are picked, so that a value that was right some
    picks ago bounds the one it has now: of the rows of greatest bound, the contenders,
    a row whose true value is beyond all other bounds is the greatest of all. Values are
    formed in float64, and of equal ones that of least key is picked (see `Ties`). A
    subclass says how values are brought up to date, in `_enter` and `_lower`.

    Parameters
    ----------
    embedding : Embedding
        The candidates.

    n : int
        Number of rows to pick.

    open_rows : OpenRows
        The rows that may be picked.

    ties : Ties
        Orders rows of equal value.

    bound : ndarray of shape (n_rows,)
        What no row's value exceeds, float64.

    negligible : float
        Value that rounding alone can leave in place of zero.

    quantum : float, default=0.0
        Differences that rounding alone can leave, see `skbadge.utils._ties.rounded`.
    """

    # The value of a row that may not be picked.
    closed_value = -np.inf

    # The first of the rows that are no candidates here, but of the pool.
    outside = NOTHING

    # Whether no candidate had a bound too low to contend the last time.
    all_contend = False

    def __init__(
        self, embedding, n, open_rows, ties, bound, negligible, *, quantum=0.0
    ):
        self.embedding = embedding
        self.n = n
        self.open_rows = open_rows
        self.ties = ties
        self.bound = bound
        self.negligible = negligible
        self.quantum = quantum
        self.rows = []
        self.values = []
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

    def _lower_cost(self):
        """How many products of numbers `_lower` forms for a contender, 0 for few."""
        return 0

    @abstractmethod
    def _lower(self, block, values, position):
        """Lower the values, in place, to what they are after a contender's pick."""

    def _leave(self, contenders, block):  # noqa: B027 (not all have anything to keep)
        """Keep what will be wanted when these rows contend again."""

    def _pick(self, row, value):
        self.rows.append(int(row))
        self.values.append(float(value))
        closed = self.open_rows.close(row)
        self.bound[closed] = self.closed_value
        return closed

    def _contenders(self, size):
        """Rows of greatest bound, equal ones by their keys.

        Returns
        -------
        contenders : ndarray
            The rows.

        limit : float
            No row outside has a greater bound, but for rounding.

        first_outside : float
            The least key of the rows outside whose bounds are equal to ``limit``.
        """
        contenders, limit, first_outside = self._greatest_bounds(size)
        self.all_contend = limit == -np.inf
        own, edge = self._rounded(np.array([limit, self.outside.value]))
        if own == edge:
            first_outside = min(first_outside, self.outside.tie)
        elif own < edge:
            first_outside = self.outside.tie
        return contenders, max(limit, self.outside.value), first_outside

    def _greatest_bounds(self, size):
        """`_contenders` among the candidates."""
        n_rows = len(self.bound)
        if size >= n_rows:
            return np.arange(n_rows), -np.inf, np.inf
        limit = np.partition(self.bound, n_rows - size)[n_rows - size]
        if limit == -np.inf:
            return np.flatnonzero(self.bound > limit), limit, np.inf
        contenders, tied = self._at_least(limit)
        n_tied = size - len(contenders)
        if n_tied >= len(tied):
            return np.concatenate([contenders, tied]), limit, np.inf
        keys = self.ties.keys(tied)
        order = np.argpartition(keys, n_tied)
        first = tied[order[:n_tied]]
        return np.concatenate([contenders, first]), limit, keys[order[n_tied]]

    def _at_least(self, limit):
        """The rows of bound greater than a limit and those equal to it."""
        floor = equal_floor(limit, quantum=self.quantum)
        near = np.flatnonzero(self.bound >= floor)
        bound = self.bound[near]
        # Beyond this, values are greater even if theirs is the next power of ten.
        far = bound > limit + 10 * (limit - floor)
        above, near, bound = near[far], near[~far], bound[~far]
        if (bound == limit).all():
            return above, near
        own, edge = self._rounded(bound), self._rounded(limit)
        return np.concatenate([above, near[own > edge]]), near[own == edge]

    def _contest(self, contenders, limit, first_outside):
        """Pick the greatest contenders while they are the greatest rows of all.

        Returns whether anything but negligible values may be left.
        """
        block, values = self._enter(contenders)
        with small_products(len(contenders) * self._lower_cost()):
            goes_on = self._pick_while_first(
                contenders, block, values, limit, first_outside
            )
        self.bound[contenders] = values
        return goes_on

    def _pick_while_first(self, contenders, block, values, limit, first_outside):
        """The picks of `_contest`."""
        while len(self.rows) < self.n:
            position = self.ties.greatest(values, contenders, quantum=self.quantum)
            value, row = values[position], contenders[position]
            if self._may_be_beaten(row, value, limit, first_outside):
                self._leave(contenders, block)
                return True
            if value <= self.negligible:
                return False
            closed = self._pick(row, value)
            self._lower(block, values, position)
            if len(closed) == 1:
                values[position] = self.closed_value
            else:
                values[np.isin(contenders, closed)] = self.closed_value
        return True

    def _may_be_beaten(self, row, value, limit, first_outside):
        """Whether a row outside may come before the first of the contenders."""
        if limit < equal_floor(value, quantum=self.quantum):
            return False
        if value != limit:
            own, edge = self._rounded(value), self._rounded(limit)
            if own != edge:
                return own < edge
        return first_outside < self.ties.keys(np.array([row]))[0]

    def _rounded(self, values):
        return rounded(values, quantum=self.quantum)
