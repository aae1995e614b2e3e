"""Which rows may be picked, and what the picks so far leave of them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.random import RandomState
from numpy.typing import ArrayLike, NDArray

from skbadge.utils._under_way import one_more_picked
from skbadge.utils._validation import check_n, check_positions, check_rows, is_int


@dataclass(frozen=True, eq=False)
class Feasible:
    """The rows that may be picked, how many of each group, and what counts as picked.

    Parameters
    ----------
    n_rows : int
        Number of rows there are.

    mask : ndarray of bool of shape (n_rows,) or None, default=None
        True for the rows that may be picked; None for all.

    groups : ndarray of int of shape (n_rows,) or None, default=None
        The group of each row, numbered from 0; None for no quota.

    max_per_group : int, default=1
        Picks of one group at most, at least 1.

    pending : array-like of int, default=()
        Distinct rows that count as picked already, such as those out for labelling.
        Samplers keep away from them as from picks, they use up the quota of their
        groups, and they are not picked again.

    repeats : ndarray of bool of shape (n_rows,) or None, default=None
        True for rows that equal a labelled one. A rule that sums over pool and labelled
        rows counts such rows once. None if there are none.

    Raises
    ------
    ValueError
        If a length or a position does not fit, or no row may be picked.

    Examples
    --------
    >>> from skbadge.embeddings import DenseEmbedding
    >>> from skbadge.samplers import Feasible, KCenter
    >>> embedding = DenseEmbedding([[0.0], [1.0], [5.0], [9.0]])
    >>> feasible = Feasible(4, mask=np.array([True, True, True, False]))
    >>> KCenter().sample(embedding, 2, feasible=feasible)
    array([2, 0])

    A rule of your own takes the first of its favourites that may be picked:

    >>> feasible = Feasible(4, groups=np.array([0, 0, 1, 1]))
    >>> feasible.open().first(np.array([3, 2, 0, 1]), 2)
    array([3, 0])
    """

    n_rows: int
    mask: NDArray[np.bool_] | None = None
    groups: NDArray[np.integer] | None = None
    max_per_group: int = 1
    pending: Sequence[int] | NDArray[np.integer] = ()
    repeats: NDArray[np.bool_] | None = None

    def __post_init__(self) -> None:
        pending = np.asarray(self.pending)
        if pending.size == 0:
            pending = np.empty(0, dtype=np.int64)
        object.__setattr__(self, "pending", pending)
        self._check_mask()
        self._check_groups()
        self._check_pending()
        if self.n_rows and not self.n_left:
            quota = ""
            if self.groups is not None:
                quota = ", or their groups are used up (see `max_per_group`)"
            raise ValueError(
                f"No row may be picked. All {self.n_rows} rows are left out or "
                f"pending{quota}."
            )

    @classmethod
    def of(
        cls, feasible: "Feasible | NDArray[np.bool_] | None", n_rows: int
    ) -> "Feasible":
        """What a caller said of some rows, as an object.

        Parameters
        ----------
        feasible : Feasible, ndarray of bool of shape (n_rows,), or None
            A mask may stand for itself; None for all rows.

        n_rows : int
            Number of rows.
        """
        if not isinstance(feasible, Feasible):
            return cls(n_rows, feasible)
        if feasible.n_rows != n_rows:
            raise ValueError(
                f"`feasible` must be of the {n_rows} rows there are. Got one of "
                f"{feasible.n_rows} rows."
            )
        return feasible

    @property
    def is_everything(self) -> bool:
        """Whether any rows may be picked, in any combination."""
        return self.mask is None and self.groups is None and not len(self.pending)

    @cached_property
    def n_left(self) -> int:
        """Number of rows that can be picked at most."""
        if self.mask is None and self.groups is None:
            # No array over the rows, which may be more than fit in memory.
            return self.n_rows - len(self.pending)
        is_open = self.open().mask
        if self.groups is None:
            return int(is_open.sum())
        counts = np.bincount(self.groups[is_open], minlength=self._quota.size)
        return int(np.minimum(counts, self._quota).sum())

    @cached_property
    def _quota(self):
        """How many more rows of each group may be picked."""
        n_groups = int(self.groups.max(initial=-1)) + 1
        used = np.bincount(self.groups[self.pending], minlength=n_groups)
        return np.maximum(min(self.max_per_group, self.n_rows) - used, 0)

    def up_to(self, n: int) -> int:
        """How many rows to pick if asked for ``n``, with a warning if fewer are left.

        Parameters
        ----------
        n : int
            Number of rows asked for.

        Returns
        -------
        n : int
            At most `n_left`.
        """
        which = "there are" if self.is_everything else "that may be picked"
        return check_n(n, self.n_left, which)

    def check(self, rows: ArrayLike, n: int, source: str) -> NDArray[np.int64]:
        """Positions that somebody else's code selected, if it keeps to what may be.

        Parameters
        ----------
        rows : array-like of int of shape (n,)
            What was selected.

        n : int
            Number of rows that were asked for.

        source : str
            Who selected them, for the error.

        Returns
        -------
        picks : ndarray of shape (n,)
            The same as int64.
        """
        picks = check_rows(rows, n, self.n_rows, source)
        if self.mask is None and self.groups is None:
            wrong = np.intersect1d(picks, self.pending)
        else:
            wrong = np.setdiff1d(picks, self.open().first(picks, n))
        if len(wrong):
            raise ValueError(
                f"{source} must return rows that may be picked. Row {wrong[0]} is not "
                "a candidate, is pending, or its group is used up."
            )
        return picks

    def open(self) -> "OpenRows":
        """The state of a selection that has not picked anything yet.

        Returns
        -------
        rows : OpenRows
            With the rows that may be picked, less the pending ones.
        """
        mask = (
            np.ones(self.n_rows, dtype=bool) if self.mask is None else self.mask.copy()
        )
        mask[self.pending] = False
        if self.groups is None:
            return OpenRows(mask)
        return OpenRows(mask, self.groups, self._quota.copy())

    def sample(self, size: int, n: int, rng: RandomState) -> NDArray[np.int64]:
        """Draw some of the rows that may be picked, to pick from.

        The draw is uniform, whatever the groups are, but for the rows that take the
        place of the last ones where groups would not let ``n`` of them be picked.

        Parameters
        ----------
        size : int
            How many; it is at least ``n``, and all if there are no more.

        n : int
            How many of them are to be picked, no more than ``n_left``.

        rng : RandomState
            Source of randomness.

        Returns
        -------
        rows : ndarray of shape (size,)
            int64, ascending.
        """
        open_rows = self.open()
        order = rng.permutation(np.flatnonzero(open_rows.mask))
        if self.groups is None:
            return np.sort(order[: max(size, n)])
        together = np.zeros(self.n_rows, dtype=bool)
        together[open_rows.first(order, n)] = True
        others = order[:size][~together[order[:size]]][: max(0, size - n)]
        return np.sort(np.concatenate([np.flatnonzero(together), others]))

    def restricted(self) -> "tuple[NDArray[np.int64], Feasible]":
        """The rows that may be picked and the pending ones by themselves.

        Returns
        -------
        rows : ndarray of int64
            Their positions, ascending.

        feasible : Feasible
            The same of these rows alone.
        """
        if self.mask is None:
            return np.arange(self.n_rows), self
        kept = self.mask.copy()
        kept[self.pending] = True
        rows = np.flatnonzero(kept)
        return rows, self.among(rows)

    def among(
        self, rows: NDArray[np.int64], mask: NDArray[np.bool_] | None = None
    ) -> "Feasible":
        """The same of some rows alone.

        Parameters
        ----------
        rows : ndarray of int64
            Which, ascending, the pending ones among them.

        mask : ndarray of bool of shape (n_some_rows,) or None, default=None
            Which of these may be picked, in place of ``mask``; None for all.

        Returns
        -------
        feasible : Feasible
            Over ``len(rows)`` rows.
        """
        return Feasible(
            len(rows),
            mask,
            None if self.groups is None else self.groups[rows],
            self.max_per_group,
            np.searchsorted(rows, self.pending),
            None if self.repeats is None else self.repeats[rows],
        )

    def only(self, rows: NDArray[np.int64]) -> "Feasible":
        """The same if no other rows may be picked.

        Parameters
        ----------
        rows : ndarray of int64
            Which, at least one of them open.

        Returns
        -------
        feasible : Feasible
            Over as many rows as this one.
        """
        mask = np.zeros(self.n_rows, dtype=bool)
        mask[rows] = True
        return replace(self, mask=mask)

    def _check_mask(self):
        if self.mask is None:
            return
        mask = np.asarray(self.mask)
        if mask.dtype != bool or mask.shape != (self.n_rows,):
            raise ValueError(
                f"`mask` must be a boolean array with one entry for each of the "
                f"{self.n_rows} rows. Got dtype {mask.dtype} and shape {mask.shape}."
            )
        object.__setattr__(self, "mask", mask)

    def _check_groups(self):
        quota = self.max_per_group
        if not is_int(quota) or quota < 1:
            raise ValueError(f"`max_per_group` must be an int >= 1. Got {quota!r}.")
        if self.groups is None:
            return
        groups = np.asarray(self.groups)
        if groups.dtype.kind not in "iu" or groups.shape != (self.n_rows,):
            raise ValueError(
                f"`groups` must be an array of ints with one entry for each of the "
                f"{self.n_rows} rows. Got dtype {groups.dtype} and shape "
                f"{groups.shape}."
            )
        if groups.min(initial=0) < 0:
            raise ValueError(f"`groups` must be >= 0. Got {groups.min()} among them.")
        # What counts of groups are made of.
        object.__setattr__(self, "groups", groups.astype(np.int64, copy=False))

    def _check_pending(self):
        pending = self.pending
        if pending.ndim != 1 or pending.dtype.kind not in "iu":
            raise ValueError(
                "`pending` must hold positions of rows, ints. Got dtype "
                f"{pending.dtype} and shape {pending.shape}."
            )
        pending = check_positions(pending, self.n_rows, "`pending` must hold")
        object.__setattr__(self, "pending", pending)


class OpenRows:
    """The rows that may still be picked while a selection is under way.

    Parameters
    ----------
    mask : ndarray of bool of shape (n_rows,)
        True for the rows that may be picked, if their groups allow it. Changed as rows
        are picked.

    groups : ndarray of int of shape (n_rows,) or None, default=None
        The group of each row, numbered from 0; None for no quota.

    quota : ndarray of int of shape (n_groups,) or None, default=None
        How many rows of each group may be picked. Changed likewise.

    Attributes
    ----------
    mask : ndarray of bool of shape (n_rows,)
        True for the rows that may be picked next. Do not modify.

    groups : ndarray of int of shape (n_rows,) or None
        The groups.

    Examples
    --------
    >>> import numpy as np
    >>> from skbadge.samplers import OpenRows
    >>> rows = OpenRows(np.array([True, False, True, True]))
    >>> rows.first(np.array([1, 3, 2, 0]), 2)
    array([3, 2])
    """

    def __init__(
        self,
        mask: NDArray[np.bool_],
        groups: NDArray[np.integer] | None = None,
        quota: NDArray[np.integer] | None = None,
    ) -> None:
        self.mask = mask
        self.groups = groups
        self._quota = quota
        if groups is not None and quota is not None:
            self.mask &= quota[groups] > 0

    def among(self, rows: NDArray[np.int64]) -> "OpenRows":
        """Some of the rows by themselves: picks among them leave these open.

        Parameters
        ----------
        rows : ndarray of int64
            Which.

        Returns
        -------
        rows : OpenRows
            Over ``len(rows)`` rows.
        """
        if self.groups is None or self._quota is None:
            return OpenRows(self.mask[rows])
        return OpenRows(self.mask[rows], self.groups[rows], self._quota.copy())

    def close(self, row: int) -> NDArray[np.int64]:
        """Pick a row.

        Parameters
        ----------
        row : int
            One that is open.

        Returns
        -------
        closed : ndarray of int64
            The rows that may not be picked any more: the row itself, and the rest of
            its group if that is used up.
        """
        one_more_picked()
        closed = np.array([row])
        if self.groups is not None and self._quota is not None:
            group = self.groups[row]
            self._quota[group] -= 1
            if not self._quota[group]:
                members = self._members(group)
                closed = members[self.mask[members]]
        self.mask[closed] = False
        return closed

    def draw(self, n: int, rng: RandomState) -> NDArray[np.int64]:
        """Pick rows uniformly, one after another, from those that are open.

        Parameters
        ----------
        n : int
            How many, no more than can be picked.

        rng : RandomState
            Source of randomness.

        Returns
        -------
        rows : ndarray of shape (n,)
            int64.
        """
        return self.first(rng.permutation(np.flatnonzero(self.mask)), n)

    def first(self, order: NDArray[np.int64], n: int) -> NDArray[np.int64]:
        """Pick the first rows of an order that may be picked when it is their turn.

        Parameters
        ----------
        order : ndarray of int64
            Rows in order of preference; those that are not open are passed over.

        n : int
            How many to pick.

        Returns
        -------
        rows : ndarray of shape (n,)
            int64.
        """
        order = order[self.mask[order]]
        if self.groups is None:
            rows = order[:n]
            self.mask[rows] = False
            return rows
        picked: list[int] = []
        for row in order.tolist():
            if len(picked) == n:
                break
            if self.mask[row]:
                picked.append(row)
                self.close(row)
        return np.array(picked, dtype=np.int64)

    def _members(self, group):
        order, starts = self._sorted
        return order[starts[group] : starts[group + 1]]

    @cached_property
    def _sorted(self):
        """All rows by their groups, and where each group starts."""
        groups = self.groups
        order = np.argsort(groups, kind="stable")
        starts = np.searchsorted(groups[order], np.arange(len(self._quota) + 1))
        return order, starts
