"""The rows a scikit-learn model was given, as features: dense, sparse, scaled."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.utils.validation import check_array, validate_data

from skbadge.utils._chunks import row_chunks
from skbadge.utils._memory import check_fits

FLOATS = (np.float64, np.float32)

SPARSE_WAYS = (
    "Put TruncatedSVD in a Pipeline before the model, or choose a strategy that takes "
    "sparse rows as they are: 'badge', 'badge_k_center', 'badge_max_det', 'core_set', "
    "'lcmd' (linear models, MLPClassifier), 'posterior_kmeans_plus_plus', "
    "'posterior_max_det', 'posterior_variance', or one that needs probabilities only: "
    "'margin', 'entropy', 'least_confidence', 'bald', 'batch_bald'; or 'random'."
)


def input_rows(X, keep_sparse):
    """Numeric rows of a model without layers, flattened.

    Sparse rows are CSR with ``keep_sparse``, else dense, or refused where memory is
    short.
    """
    try:
        X = check_array(
            X, accept_sparse="csr", dtype=FLOATS, ensure_all_finite=False, allow_nd=True
        )
    except ValueError as error:
        raise ValueError(
            "The features of this model are its input, which must be numeric. Encode "
            f"X in a step before it, or use a model with a hidden layer. {error}"
        ) from error
    if sparse.issparse(X):
        return X if keep_sparse else dense_rows(X)
    return X.reshape(len(X), -1)


def model_rows(estimator, X):
    """Rows as an estimator takes them, floating, dense or CSR."""
    return validate_data(estimator, X, accept_sparse="csr", dtype=FLOATS, reset=False)


def dense_rows(X, ways=SPARSE_WAYS):
    """Sparse rows as an array, unless that would not fit."""
    n_rows, n_columns = X.shape
    what = f"A dense array of {n_rows} sparse rows of {n_columns} columns"
    check_fits(n_rows * n_columns * X.dtype.itemsize, what, ways)
    return X.toarray()


class ColumnScaling(NamedTuple):
    """What standardises columns: ``(X - center) * factor``."""

    # None for sparse rows, which are to stay sparse.
    center: NDArray | None
    # 0 for a column without variance.
    factor: NDArray


def standardized(X, scaling, *, takes_missing):
    """Columns of mean 0 and variance 1, so that their units do not matter.

    Columns without variance become 0. Sparse columns are divided by their greatest
    absolute value instead, and stay sparse.

    Parameters
    ----------
    X : ndarray or CSR matrix
        Floating.

    scaling : ColumnScaling or None
        How, None for the statistics of these rows.

    takes_missing : bool
        Whether missing values count as the mean, in sparse rows as 0. Else they stay.

    Returns
    -------
    rows : ndarray or CSR matrix
        A copy in the dtype of ``X``. Infinite values stay.

    scaling : ColumnScaling
        As given, or that of these rows.
    """
    if scaling is None:
        scaling = _sparse_scaling(X) if sparse.issparse(X) else _scaling(X)
    if sparse.issparse(X):
        rows = X.copy()
        rows.data *= scaling.factor[rows.indices].astype(rows.dtype)
        if takes_missing:
            rows.data[np.isnan(X.data)] = 0
        return rows, scaling
    rows = np.empty_like(X)
    for part in row_chunks(len(X), X.shape[1]):
        block = _centered(X[part], scaling.center)
        block *= scaling.factor
        rows[part] = block
        if takes_missing:
            rows[part][np.isnan(X[part])] = 0
    return rows, scaling


def _centered(X, center):
    # What is infinite stays infinite, to be refused with the row's number.
    with np.errstate(invalid="ignore"):
        return np.where(np.isfinite(X), X - center, X)


def _scaling(X):
    """Means and reciprocal standard deviations of the finite values of each column."""
    n_columns = X.shape[1]
    # In units of the greatest values, whose squares do not overflow.
    counts, greatest = np.zeros(n_columns), np.zeros(n_columns)
    for part in row_chunks(len(X), n_columns):
        values, known = _known(X[part])
        counts += known.sum(axis=0)
        np.maximum(greatest, np.abs(values).max(axis=0), out=greatest)
    counts, unit = np.maximum(counts, 1), np.where(greatest > 0, greatest, 1)
    mean, squares = np.zeros(n_columns), np.zeros(n_columns)
    for part in row_chunks(len(X), n_columns):
        mean += (_known(X[part])[0] / unit).sum(axis=0)
    mean /= counts
    for part in row_chunks(len(X), n_columns):
        values, known = _known(X[part])
        squares += ((values / unit - mean) ** 2 * known).sum(axis=0)
    deviation = np.sqrt(squares / counts)
    # The mean of equal values is off by rounding.
    varies = deviation > len(X) * np.finfo(np.float64).eps
    return ColumnScaling(mean * unit, _reciprocal(deviation * unit, varies))


def _known(X):
    """The finite values in float64, 0 for others, and where they are."""
    known = np.isfinite(X)
    return np.where(known, X, 0).astype(np.float64, copy=False), known


def _sparse_scaling(X):
    values = X.copy()
    values.data = np.abs(_known(X.data)[0])
    greatest = values.max(axis=0).toarray().ravel()
    return ColumnScaling(None, _reciprocal(greatest, greatest > 0))


def _reciprocal(values, is_some):
    # Of a subnormal number it is infinite.
    is_some = is_some & (values >= np.finfo(np.float64).tiny)
    return np.divide(1.0, values, out=np.zeros_like(values), where=is_some)
