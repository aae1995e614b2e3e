"""Uniform samples of rows, for rules that cannot afford to look at all of them."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.random import RandomState
from numpy.typing import NDArray

from skbadge.samplers._feasible import Feasible
from skbadge.samplers._taken import Taken


@dataclass(frozen=True, eq=False)
class Samples:
    """Rows to evaluate a rule on, and rows to pick from.

    Which they are does not depend on what the rows hold.

    Parameters
    ----------
    evaluation : ndarray of shape (n_evaluation_rows,)
        Those to evaluate on, of all rows; int64, ascending.

    candidates : ndarray of shape (n_candidates,)
        Those to pick from, of the rows that may be picked; likewise.

    n_population : int
        Number of all rows.

    n_open : int
        Number of the rows that may be picked.
    """

    evaluation: NDArray[np.int64]
    candidates: NDArray[np.int64]
    n_population: int
    n_open: int

    @classmethod
    def draw(
        cls,
        feasible: Feasible,
        n: int,
        rng: RandomState,
        *,
        n_evaluation_rows: int,
        n_candidates: int,
    ) -> "Samples":
        """Draw both, or take all rows where there are no more.

        Parameters
        ----------
        feasible : Feasible
            The rows that may be picked. However few of a group may be, candidates are
            drawn from all of its rows, and ``n`` of them can be picked.

        n : int
            Number of rows that are to be picked, no more than ``feasible.n_left``.

        rng : RandomState
            Source of randomness.

        n_evaluation_rows, n_candidates : int
            Sizes of the samples; they are at least ``4 * n`` and ``n``. Rows to pick
            could hardly be told apart by fewer.
        """
        n_rows = feasible.n_rows
        n_evaluation_rows = max(n_evaluation_rows, 4 * n)
        evaluation = _drawn(Feasible(n_rows), n_rows, n_evaluation_rows, 0, rng)
        if feasible.mask is None and feasible.groups is None:
            n_open = feasible.n_left
        else:
            n_open = int(feasible.open().mask.sum())
        candidates = _drawn(feasible, n_open, max(n, n_candidates), n, rng)
        return cls(evaluation, candidates, n_rows, n_open)

    @property
    def notes(self) -> tuple[str, ...]:
        """What a report says of them."""
        parts = (
            ("evaluated on", len(self.evaluation), self.n_population),
            ("picked from", len(self.candidates), self.n_open),
        )
        return tuple(
            f"{what} {size} rows, drawn uniformly from {n_rows}"
            for what, size, n_rows in parts
            if size < n_rows
        )

    def among(self, rows: NDArray[np.int64]) -> "Samples":
        """The same, with positions in some rows, ascending, that hold all of them."""
        return replace(
            self,
            evaluation=np.searchsorted(rows, self.evaluation),
            candidates=np.searchsorted(rows, self.candidates),
        )


def _drawn(feasible, n_open, size, n, rng):
    """Some of the open rows, ascending; all if there are no more than a size."""
    if n_open <= size:
        if feasible.is_everything:
            return np.arange(feasible.n_rows)
        return np.flatnonzero(feasible.open().mask)
    if feasible.groups is not None:
        return feasible.sample(size, n, rng)
    # Without an array over the rows, which may be more than fit in memory.
    rows = None
    if feasible.mask is not None:
        rows, feasible = feasible.restricted()
    drawn = np.sort(Taken(feasible).draw(size, rng))
    return drawn if rows is None else rows[drawn]
