"""Statistics of columns that can be merged, for rows that come in chunks."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from skbadge.outputs.readers._standardize import ColumnScaling, scaling_of


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
        return scaling_of(
            self.n_rows, self.n_zeros, self.greatest, self.mean, self.deviation
        )


def _unit(greatest):
    return np.where(greatest > 0, greatest, 1.0)
