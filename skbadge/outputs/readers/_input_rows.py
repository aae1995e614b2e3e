"""The rows a scikit-learn model was given, as features, dense or sparse."""

import numpy as np
from scipy import sparse
from sklearn.utils.validation import check_array, validate_data

from skbadge.embeddings._factors import as_matrix
from skbadge.pools import n_rows, take_rows
from skbadge.utils._chunks import row_chunks
from skbadge.utils._memory import check_fits

FLOATS = (np.float64, np.float32)

SPARSE_HINT = (
    "Put TruncatedSVD in a Pipeline before the model, or choose a strategy that takes "
    "sparse rows as they are, such as 'badge', 'core_set', 'max_herding', 'typiclust' "
    "and 'uncertainty_herding', or one that needs no features, such as 'margin', "
    "'entropy', 'bald' and 'random'. One of your own may say `needs = Needs(..., "
    "sparse=True)`."
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
    except (TypeError, ValueError) as error:
        raise ValueError(
            "The features of this model are its input, which must be numeric. Encode "
            f"X in a step before it, or use a model with a hidden layer. {error}"
        ) from error
    if sparse.issparse(X):
        X = as_matrix(X, "X")
        return X if keep_sparse else dense_rows(X)
    return X.reshape(len(X), -1)


def model_rows(estimator, X):
    """Rows as an estimator takes them, floating, dense or CSR."""
    return validate_data(estimator, X, accept_sparse="csr", dtype=FLOATS, reset=False)


def blocks_of(X, size):
    """Rows ``size`` at a time: where each block stands, and the block.

    All rows in one block are the container itself.
    """
    total = n_rows(X)
    for part in row_chunks(total, 1, budget=size, minimum=1):
        whole = part == slice(0, total)
        yield part, X if whole else take_rows(X, np.arange(part.start, part.stop))


def validated(estimator, X, **checks):
    """Rows as an estimator takes them, NaN included."""
    return validate_data(estimator, X, ensure_all_finite=False, reset=False, **checks)


def bagging_inputs(ensemble, X):
    """What each member of a bagging ensemble is given, one after another."""
    X = validated(ensemble, X, accept_sparse=["csr", "csc"], dtype=None)
    return (X[:, features] for features in ensemble.estimators_features_)


def dense_rows(X, hint=SPARSE_HINT):
    """Sparse rows as an array, unless that would not fit."""
    n_rows, n_columns = X.shape
    what = f"A dense array of {n_rows} sparse rows of {n_columns} columns"
    check_fits(n_rows * n_columns * X.dtype.itemsize, what, hint)
    return X.toarray()
