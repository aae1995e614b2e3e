"""Columns whose units do not matter, for models that have no features of their own."""

import numpy as np
from scipy import sparse

from skbadge.outputs.readers._column_statistics import ColumnScaling, ColumnStatistics
from skbadge.utils._chunks import row_chunks
from skbadge.utils._place import new_array


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
    if scaling is None:
        scaling = ColumnStatistics.of(X).scaling()
    if not sparse.issparse(X):
        return _scaled(X, scaling, takes_missing), scaling
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
