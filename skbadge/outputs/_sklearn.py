"""Reading scikit-learn models: multi-layer perceptrons, linear models, all others."""

import numpy as np
from scipy import sparse
from scipy.special import expit
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.utils.extmath import safe_sparse_dot
from sklearn.utils.validation import check_array, check_is_fitted, validate_data

from skbadge._compat import ACTIVATIONS
from skbadge.outputs._check import check_outputs
from skbadge.outputs._outputs import Outputs

MLP_BATCH_SIZE = 2048

HINT = (
    "Models for several labels per row, and models whose `predict_proba` is not a "
    "distribution over classes, are not supported."
)


def read_sklearn(estimator, X, needs, batch_size):
    """Read a fitted scikit-learn model, see `model_outputs`."""
    check_is_fitted(estimator)
    if "proba" in needs and not hasattr(estimator, "predict_proba"):
        raise TypeError(
            f"{type(estimator).__name__} has no `predict_proba`, and probabilities are "
            "needed. Use a classifier that has it, wrap this one in "
            "`CalibratedClassifierCV`, or use a strategy that needs features only."
        )
    if isinstance(estimator, MLPClassifier | MLPRegressor):
        outputs = _read_mlp(estimator, X, needs, batch_size)
    else:
        outputs = Outputs(
            proba=_predict_proba(estimator, X) if "proba" in needs else None,
            features=_dense(X) if "features" in needs else None,
            inputs=_dense(X) if "inputs" in needs else None,
            one_logit=_has_one_logit(estimator),
            feature_factors=(1.0, float(getattr(estimator, "fit_intercept", True))),
        )
    return check_outputs(outputs, HINT)


def _predict_proba(estimator, X):
    proba = estimator.predict_proba(X)
    if not isinstance(proba, np.ndarray) or proba.ndim != 2:
        raise ValueError(
            "`predict_proba` must return an array of shape (n_rows, n_classes). "
            f"{type(estimator).__name__} returned a {type(proba).__name__} of shape "
            f"{np.shape(proba)} instead. Several targets are not supported."
        )
    return _at_least_float32(proba)


def _has_one_logit(estimator):
    coef = getattr(estimator, "coef_", None)
    classes = getattr(estimator, "classes_", ())
    return np.ndim(coef) == 2 and coef.shape[0] == 1 and len(classes) == 2


def _at_least_float32(array):
    kept = array.dtype in (np.float32, np.float64)
    return array if kept else array.astype(np.float64)


def _dense(X):
    try:
        X = check_array(
            X,
            accept_sparse="csr",
            dtype=(np.float64, np.float32),
            ensure_all_finite=False,
            allow_nd=True,
        )
    except ValueError as error:
        raise ValueError(
            "The features of this model are its input, which must be numeric. Encode "
            f"X in a step before it, or use a model with a hidden layer. {error}"
        ) from error
    X = X.toarray() if sparse.issparse(X) else X
    return X.reshape(len(X), -1)


def _read_mlp(mlp, X, needs, batch_size):
    # One pass for both: scikit-learn's own `predict_proba` drops the hidden layers.
    X = validate_data(mlp, X, accept_sparse="csr", reset=False)
    n_rows, width = X.shape[0], mlp.coefs_[-1].shape[0]
    step = MLP_BATCH_SIZE if batch_size == "auto" else batch_size
    dtype = np.result_type(X.dtype, mlp.coefs_[0].dtype)
    features = np.empty((n_rows, width), dtype) if "features" in needs else None
    one_logit = isinstance(mlp, MLPClassifier) and mlp.n_outputs_ == 1
    n_columns = 2 if one_logit else mlp.n_outputs_
    proba = np.empty((n_rows, n_columns), dtype) if "proba" in needs else None
    for start in range(0, n_rows, step):
        rows = slice(start, start + step)
        hidden = _last_hidden(mlp, X[rows])
        if features is not None:
            features[rows] = hidden.toarray() if sparse.issparse(hidden) else hidden
        if proba is not None:
            proba[rows] = _mlp_proba(mlp, hidden, one_logit)
    inputs = _dense(X) if "inputs" in needs else None
    return Outputs(proba, features, one_logit, inputs=inputs)


def _last_hidden(mlp, X):
    activate = ACTIVATIONS[mlp.activation]
    for coef, intercept in zip(mlp.coefs_[:-1], mlp.intercepts_[:-1], strict=True):
        X = safe_sparse_dot(X, coef)
        X += intercept
        activate(X)
    return X


def _mlp_proba(mlp, hidden, one_logit):
    output = safe_sparse_dot(hidden, mlp.coefs_[-1])
    output += mlp.intercepts_[-1]
    if one_logit:
        # Not 1 - sigmoid, which is exactly 0 for large logits.
        return np.hstack([expit(-output), expit(output)])
    ACTIVATIONS[mlp.out_activation_](output)
    return output
