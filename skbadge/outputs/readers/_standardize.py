"""Columns whose units do not matter, for models that have no features of their own."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from skbadge.utils._chunks import row_chunks
from skbadge.utils._place import new_array


class ColumnScaling(NamedTuple):
    """What standardises columns: ``(X - center) * factor``, both of (n_columns,)."""

    # 0 for a column that is mostly zeros.
    center: NDArray
    # 0 for a column without variance.
    factor: NDArray


def standardized(X, scaling, *, takes_missing):
    """Scale columns by their own spread, so that their units do not matter.

    A column gets mean 0 and variance 1. One that is zero in at least half of the rows,
    as indicators and counts of words are, is divided by its greatest absolute value, so
    that rare ones do not outweigh all others, and sparse rows stay sparse. Which it is
    depends on the values only, not on how they are stored.

    Parameters
    ----------
    X : ndarray or CSR matrix
        Floating.

    scaling : ColumnScaling or None
        How, None for the statistics of these rows.

    takes_missing : bool
        Whether missing values count as the mean, or as 0 in columns of zeros. Else they
        stay.

    Returns
    -------
    rows : ndarray or CSR matrix
        A copy in the dtype of ``X``. Infinite values stay.

    scaling : ColumnScaling
        As given, or that of these rows.
    """
    if not sparse.issparse(X):
        scaling = _scaling(X) if scaling is None else scaling
        return _scaled(X, scaling, takes_missing), scaling
    scaling = _sparse_scaling(X) if scaling is None else scaling
    # Columns that have a centre are mostly other than 0: they are scaled as dense ones.
    full = np.flatnonzero(scaling.center)
    rows = X.copy()
    if len(full):
        rest = np.setdiff1d(np.arange(X.shape[1]), full)
        part = ColumnScaling(scaling.center[full], scaling.factor[full])
        values = _scaled(X[:, full].toarray(), part, takes_missing)
        columns = [X[:, rest], sparse.csr_matrix(values)]
        order = np.argsort(np.concatenate([rest, full]))
        rows = sparse.hstack(columns, format="csr")[:, order]
    factor = np.where(scaling.center, 1, scaling.factor)
    rows.data *= factor[rows.indices].astype(rows.dtype)
    if takes_missing:
        rows.data[np.isnan(rows.data)] = 0
    return rows, scaling


def _scaled(X, scaling, takes_missing):
    """Dense rows, standardised."""
    rows = new_array(X.shape, X.dtype)
    for part in row_chunks(len(X), X.shape[1]):
        # Infinite values stay: a later check refuses them, and names the row.
        known = np.isfinite(X[part])
        block = np.subtract(X[part], scaling.center, where=known, out=X[part] * 1.0)
        rows[part] = np.multiply(block, scaling.factor, where=known, out=block)
        if takes_missing:
            rows[part][np.isnan(X[part])] = 0
    return rows


def _scaling(X):
    """Centres and factors of the columns of dense rows, by their finite values."""
    n_columns = X.shape[1]
    counts, n_zeros, greatest, mean, squares = np.zeros((5, n_columns))
    for values, known in _blocks(X):
        counts += known.sum(axis=0)
        n_zeros += (values == 0).sum(axis=0) - (~known).sum(axis=0)
        np.maximum(greatest, np.abs(values).max(axis=0), out=greatest)
    # In units of the greatest values, whose squares do not overflow.
    counts, unit = np.maximum(counts, 1), np.where(greatest > 0, greatest, 1)
    for values, _ in _blocks(X):
        mean += (values / unit).sum(axis=0)
    mean /= counts
    for values, known in _blocks(X):
        squares += ((values / unit - mean) ** 2 * known).sum(axis=0)
    deviation = np.sqrt(squares / counts) * unit
    return scaling_of(len(X), n_zeros, greatest, mean * unit, deviation)


def scaling_of(n_rows, n_zeros, greatest, mean, deviation):
    """Centres and factors of columns, from the statistics of their finite values."""
    # The mean of equal values is off by rounding.
    least = n_rows * np.finfo(np.float64).eps * np.where(greatest > 0, greatest, 1)
    factor = _reciprocal(deviation, deviation > least)
    is_sparse = 2 * n_zeros >= n_rows
    return ColumnScaling(
        np.where(is_sparse, 0, mean),
        np.where(is_sparse, _reciprocal(greatest, greatest > 0), factor),
    )


def _blocks(X):
    """The values in float64, 0 for those that are not finite, and where they are."""
    for part in row_chunks(len(X), X.shape[1]):
        known = np.isfinite(X[part])
        yield np.where(known, X[part], 0).astype(np.float64, copy=False), known


def _sparse_scaling(X):
    """The same of sparse rows."""
    values = np.where(np.isfinite(X.data), X.data, 0).astype(np.float64, copy=False)
    greatest = np.zeros(X.shape[1])
    np.maximum.at(greatest, X.indices, np.abs(values))
    scaling = ColumnScaling(np.zeros(X.shape[1]), _reciprocal(greatest, greatest > 0))
    # Entries may be zeros, too.
    n_others = np.bincount(X.indices, X.data != 0, minlength=X.shape[1])
    full = np.flatnonzero(2 * n_others > X.shape[0])
    if len(full):
        part = _scaling(X[:, full].toarray())
        scaling.center[full], scaling.factor[full] = part
    return scaling


def _reciprocal(values, is_some):
    # The reciprocal of a subnormal number is infinite.
    is_some = is_some & (values >= np.finfo(np.float64).tiny)
    return np.divide(1.0, values, out=np.zeros_like(values), where=is_some)
