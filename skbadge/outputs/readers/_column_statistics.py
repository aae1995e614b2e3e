"""Statistics of columns that can be merged, for rows that come in chunks."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from skbadge.utils._chunks import row_chunks
from skbadge.utils._fold import tree_fold


class ColumnScaling(NamedTuple):
    """What standardises columns: ``(X - center) * factor``, both of (n_columns,)."""

    # 0 for a column that is mostly zeros.
    center: NDArray
    # 0 for a column without variance.
    factor: NDArray


class ColumnStatistics(NamedTuple):
    """What standardises columns, of some rows; each of shape (n_columns,)."""

    n_rows: int
    # Finite values, and zeros.
    counts: NDArray
    n_zeros: NDArray
    # Greatest absolute value.
    greatest: NDArray
    mean: NDArray
    deviation: NDArray

    @classmethod
    def of(cls, X):
        """Those of an array or CSR matrix, by its finite values."""
        if sparse.issparse(X):
            return cls._of_sparse(X)
        parts = (cls._of_dense(X[rows]) for rows in row_chunks(*X.shape))
        return tree_fold(parts, cls.merge)

    @classmethod
    def _of_dense(cls, X):
        known = np.isfinite(X)
        values = np.where(known, X, 0).astype(np.float64, copy=False)
        counts = known.sum(axis=0)
        n_zeros = (values == 0).sum(axis=0) - (~known).sum(axis=0)
        greatest = np.abs(values).max(axis=0, initial=0.0)
        unit, size = _unit(greatest), np.maximum(counts, 1)
        mean = (values / unit).sum(axis=0) / size
        squares = ((values / unit - mean) ** 2 * known).sum(axis=0)
        deviation = np.sqrt(squares / size)
        return cls(len(X), counts, n_zeros, greatest, mean * unit, deviation * unit)

    @classmethod
    def _of_sparse(cls, X):
        known, n_columns = np.isfinite(X.data), X.shape[1]
        values = np.where(known, X.data, 0).astype(np.float64, copy=False)
        greatest = np.zeros(n_columns)
        np.maximum.at(greatest, X.indices, np.abs(values))
        unit = _unit(greatest)
        values = values / unit[X.indices]

        def total(terms):
            return np.bincount(X.indices, terms, minlength=n_columns)

        counts = X.shape[0] - total(~known)
        n_zeros = X.shape[0] - total(X.data != 0)
        size = np.maximum(counts, 1)
        mean = total(values) / size
        squares = total((values - mean[X.indices]) ** 2 * known)
        # Entries that are not stored are zeros.
        squares += (counts - total(known)) * mean**2
        deviation = np.sqrt(squares / size)
        return cls(X.shape[0], counts, n_zeros, greatest, mean * unit, deviation * unit)

    def merge(self, other):
        """Those of the rows of both (Chan, Golub and LeVeque, 1983)."""
        counts = self.counts + other.counts
        size = np.maximum(counts, 1)
        greatest = np.maximum(self.greatest, other.greatest)
        # In units of the greatest value, whose square does not overflow.
        unit = _unit(greatest)
        step = (other.mean - self.mean) / unit
        squares = self.counts * (self.deviation / unit) ** 2
        squares += other.counts * (other.deviation / unit) ** 2
        squares += step**2 * self.counts * other.counts / size
        return ColumnStatistics(
            self.n_rows + other.n_rows,
            counts,
            self.n_zeros + other.n_zeros,
            greatest,
            self.mean + step * unit * other.counts / size,
            np.sqrt(squares / size) * unit,
        )

    def scaling(self) -> ColumnScaling:
        """How to standardise the columns of rows with these statistics."""
        # The mean of equal values is off by rounding.
        least = self.n_rows * np.finfo(np.float64).eps * _unit(self.greatest)
        factor = _reciprocal(self.deviation, self.deviation > least)
        is_sparse = 2 * self.n_zeros >= self.n_rows
        return ColumnScaling(
            np.where(is_sparse, 0, self.mean),
            np.where(is_sparse, _reciprocal(self.greatest, self.greatest > 0), factor),
        )


def _unit(greatest):
    return np.where(greatest > 0, greatest, 1.0)


def _reciprocal(values, is_some):
    # The reciprocal of a subnormal number is infinite.
    is_some = is_some & (values >= np.finfo(np.float64).tiny)
    return np.divide(1.0, values, out=np.zeros_like(values), where=is_some)
