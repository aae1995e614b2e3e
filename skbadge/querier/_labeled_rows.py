"""The labelled rows, and the fit parameters that belong to them."""

from collections import Counter
from dataclasses import dataclass, replace

import numpy as np

from skbadge.pools import (
    concatenate_rows,
    copy_data,
    copy_rows,
    is_dataset,
    n_rows,
    row_codes,
    take_rows,
)
from skbadge.utils._shown import shown
from skbadge.utils._validation import check_masked


@dataclass(frozen=True, eq=False)
class LabeledRows:
    """The labelled rows with the fit parameters that belong to them.

    Parameters
    ----------
    X : array-like, sparse matrix, data frame, tensor, dict or Dataset
        The rows.

    y : ndarray of shape (n_rows,) or (n_rows, n_outputs)
        Their labels or targets.

    params : dict
        Parameters of the estimator's ``fit``.

    waiting : ndarray of shape (n_rows,)
        0 for a row that a model was trained on. Of the others, which were kept when
        their training failed, the number of the call that they came in.
    """

    X: object
    y: np.ndarray
    params: dict
    waiting: np.ndarray

    @classmethod
    def of(cls, X, y, params):
        """Copies of rows, labels and parameters, which no owner reaches."""
        for name, value in params.items():
            check_masked(value, name)
        params = {name: copy_data(value) for name, value in params.items()}
        return cls(copy_rows(X), y.copy(), params, np.ones(len(y), dtype=np.int64))

    def lent(self):
        """Copies for a model, which may write on what it gets.

        A Dataset hands out rows one by one, and stays the same.
        """
        X = self.X if is_dataset(self.X) else copy_rows(self.X)
        return replace(self, X=X, y=self.y.copy(), params=copy_data(self.params))

    def trained(self):
        """These rows, none of which is waiting for a training."""
        return replace(self, waiting=np.zeros_like(self.waiting))

    def extended(self, X, y, params):
        """These rows and copies of more, with what belongs to rows put together."""
        _check_kind(self.y, y)
        new = LabeledRows.of(X, y, params)
        call = self.waiting.max(initial=0) + 1
        merged = {**self.params, **new.params}
        for name in merged:
            mine, theirs = self.params.get(name), new.params.get(name)
            aligned = is_aligned(mine, self.y), is_aligned(theirs, y)
            if all(aligned):
                merged[name] = concatenate_rows(mine, theirs, name)
            elif any(aligned):
                given = "the earlier" if aligned[0] else "the new"
                raise ValueError(
                    f"`{name}` has one entry for each row, so it must be given for all "
                    f"rows or for none. It was given for {given} rows only."
                )
        X_all = concatenate_rows(self.X, new.X)
        y_all = _together(self.y, new.y)
        waiting = np.concatenate([self.waiting, call * new.waiting])
        return LabeledRows(X_all, y_all, merged, waiting)

    def without_those_retried(self, X):
        """These rows but for those whose training failed, and that come again.

        A call is a retry of one that failed if it has all rows of that one, or no
        others. Labels and parameters may have been corrected.
        """
        waiting = np.flatnonzero(self.waiting)
        if not len(waiting):
            return self
        both = concatenate_rows(take_rows(self.X, waiting), X)
        codes = row_codes(both)
        again, repeated = Counter(codes[len(waiting) :]), []
        for call in np.unique(self.waiting[waiting]):
            rows = np.flatnonzero(self.waiting[waiting] == call)
            mine = Counter(codes[rows])
            if not (mine <= again or again <= mine):
                continue
            for row in rows:
                if again[codes[row]]:
                    again[codes[row]] -= 1
                    repeated.append(waiting[row])
        return self.without(np.array(repeated, dtype=np.int64))

    def describe_contradiction(self):
        """Name two equal rows of different labels; None if there are none.

        None as well of a Dataset, which would be read for it row by row.
        """
        if is_dataset(self.X):
            return None
        _, first, group = np.unique(
            row_codes(self.X), return_index=True, return_inverse=True
        )
        differ = np.flatnonzero(self.y != self.y[first[group]])
        if not len(differ):
            return None
        row, twin = differ[0], first[group[differ[0]]]
        one, other = self.y[[twin, row]].tolist()
        return (
            f"Equal labelled rows have different labels: row {twin} of `X_labeled_` "
            f"has {one!r} and row {row} has {other!r}. Correct labels by `relabel`, or "
            "leave rows out by `forget`."
        )

    def relabeled(self, rows, y):
        """These rows with other, checked labels at some positions."""
        _check_kind(self.y, y)
        dtype = self.y.dtype
        with np.errstate(invalid="ignore"):
            fits = np.array_equal(y.astype(dtype), y)
        if not fits:
            # The dtype that holds strings of both lengths, or both kinds of numbers.
            dtype = _together(self.y, y).dtype
        changed = self.y.astype(dtype)
        changed[rows] = y
        return replace(self, y=changed)

    def without(self, rows):
        """These rows but some, with parameters of one entry a row cut likewise."""
        kept = np.setdiff1d(np.arange(len(self.y)), rows)
        params = {
            name: take_rows(value, kept) if is_aligned(value, self.y) else value
            for name, value in self.params.items()
        }
        X, waiting = take_rows(self.X, kept), self.waiting[kept]
        return LabeledRows(X, self.y[kept], params, waiting)


def is_aligned(value, y):
    """Whether a fit parameter has one entry for each row."""
    if value is None or isinstance(value, str) or not hasattr(value, "__len__"):
        return False
    return n_rows(value) == len(y)


def _together(y, others):
    """Labels and more of them in a dtype that holds all."""
    both = np.concatenate([y, others])
    if both.dtype.kind == "f" and y.dtype != others.dtype:
        # Integers are compared with floats exactly as Python's.
        exact = [*y.tolist(), *others.tolist()]
        lost = [
            label
            for label, cast in zip(exact, both.tolist(), strict=True)
            if label != cast
        ]
        if lost:
            raise ValueError(
                f"`y` must hold labels of dtype {y.dtype}, like the labelled rows so "
                f"far. Got dtype {others.dtype}, and no dtype holds {lost[0]} beside "
                "the others. Make strings or small ints of all labels."
            )
    return both


def _check_kind(y, others):
    """Raise unless labels have the shape and, which NumPy would mix up, the kind."""
    if y.shape[1:] != others.shape[1:]:
        raise ValueError(
            "`y` must have the shape of the targets so far but for the number of rows, "
            f"{y.shape}. Got {others.shape} instead."
        )
    if not len(y) or not len(others):
        return
    is_mixed = isinstance(y[0], str) != isinstance(others[0], str)
    # Dates and durations are of a kind each.
    kinds = {each.dtype.kind for each in (y, others)}
    if is_mixed or (len(kinds) > 1 and kinds & {"m", "M"}):
        raise ValueError(
            "`y` must hold labels of one kind, strings, numbers or dates. Got "
            f"{shown(others[0])} where the labelled rows so far have {shown(y[0])}."
        )
