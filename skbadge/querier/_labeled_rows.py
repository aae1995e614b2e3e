"""The labelled rows, and the fit parameters that belong to them."""

from dataclasses import dataclass, field, replace

import numpy as np

from skbadge.pools import concatenate_rows, copy_rows, n_rows, take_rows
from skbadge.utils._shown import shown


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
    """

    X: object
    y: np.ndarray
    params: dict = field(default_factory=dict)

    @classmethod
    def of(cls, X, y, params):
        """Copies of rows, labels and what belongs to rows, which no owner reaches."""
        kept = {
            name: copy_rows(value) if is_aligned(value, y) else value
            for name, value in params.items()
        }
        return cls(copy_rows(X), y.copy(), kept)

    def extended(self, X, y, params):
        """These rows and copies of more, with what belongs to rows put together."""
        _check_kind(self.y, y)
        new = LabeledRows.of(X, y, params)
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
        return LabeledRows(X_all, np.concatenate([self.y, new.y]), merged)

    def relabeled(self, rows, y):
        """These rows with other, checked labels at some positions."""
        _check_kind(self.y, y)
        dtype = self.y.dtype
        if not np.array_equal(y.astype(dtype), y):
            # Of two lengths of strings, or kinds of numbers, the one that holds both.
            dtype = np.result_type(self.y, y)
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
        return LabeledRows(take_rows(self.X, kept), self.y[kept], params)


def is_aligned(value, y):
    """Whether a fit parameter has one entry for each row."""
    if value is None or isinstance(value, str) or not hasattr(value, "__len__"):
        return False
    return n_rows(value) == len(y)


def _check_kind(y, others):
    """Raise unless labels have the shape and, which NumPy would mix up, the kind."""
    if y.shape[1:] != others.shape[1:]:
        raise ValueError(
            "`y` must have the shape of the targets so far but for the number of rows, "
            f"{y.shape}. Got {others.shape} instead."
        )
    if len(y) and len(others) and isinstance(y[0], str) != isinstance(others[0], str):
        raise ValueError(
            "`y` must hold labels of one kind, strings or numbers. Got "
            f"{shown(others[0])} where the labelled rows so far have {shown(y[0])}."
        )
