"""Gradients of scikit-learn's multi-layer perceptrons, linear models and ensembles."""

import numpy as np
from scipy import sparse
from sklearn.base import is_classifier, is_regressor
from sklearn.ensemble import (
    BaggingClassifier,
    BaggingRegressor,
    VotingClassifier,
    VotingRegressor,
)
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.utils.extmath import safe_sparse_dot
from sklearn.utils.validation import check_is_fitted, validate_data

from skbadge._compat import ACTIVATIONS, DERIVATIVES
from skbadge.embeddings import DenseEmbedding, StackedEmbedding, gradient_embedding
from skbadge.outputs._gradient_buffer import GradientBuffer
from skbadge.utils._chunks import row_chunks
from skbadge.utils._streams import stream_seed

BAGGING = (BaggingClassifier, BaggingRegressor)
ENSEMBLES = (*BAGGING, VotingClassifier, VotingRegressor)


def read_gradients(estimator, X, proba, *, sketch_size, seed, batch_size):
    """Read the gradients of a fitted model, see `model_outputs`.

    Parameters
    ----------
    estimator : estimator object
        Fitted; a multi-layer perceptron or a linear model.

    X : array-like of shape (n_rows, n_features)
        Rows as it takes them.

    proba : ndarray of shape (n_rows, n_classes) or None
        Class probabilities, of a classifier.

    sketch_size, seed, batch_size
        As for `model_outputs`.

    Returns
    -------
    gradients : Embedding of shape (n_rows, n_columns)
        See `GradientBuffer.finish`.

    Raises
    ------
    TypeError
        If it is a model of another kind.
    """
    check_is_fitted(estimator)
    X = _dense_rows(estimator, X)
    layers_of = _layers_function(estimator, X)
    left = None
    if proba is not None:
        one_logit = _n_outputs(estimator) == 1
        no_features = np.ones((len(proba), 1), dtype=proba.dtype)
        left = gradient_embedding(proba, no_features, one_logit=one_logit).left
    buffer = GradientBuffer(len(X), sketch_size, seed)
    step = 2048 if batch_size == "auto" else batch_size
    for rows in row_chunks(len(X), 1, budget=step, minimum=1):
        buffer.add(layers_of(X[rows], None if left is None else left[rows]))
    return buffer.finish()


def _n_outputs(estimator):
    if isinstance(estimator, MLPClassifier | MLPRegressor):
        return estimator.n_outputs_
    return len(np.atleast_2d(estimator.coef_))


def _layers_function(estimator, X):
    """From rows and directions to the factors of each layer's gradients."""
    if isinstance(estimator, MLPClassifier | MLPRegressor):
        return lambda rows, left: _mlp_layers(estimator, rows, left)
    coef = np.atleast_2d(getattr(estimator, "coef_", ()))
    n_classes = len(getattr(estimator, "classes_", ()))
    suits = coef.ndim == 2 and coef.shape[1] == X.shape[1]
    if is_classifier(estimator):
        suits = suits and len(coef) == (n_classes if n_classes > 2 else 1)
        # A multinomial model of two classes may have a row for each.
        suits = suits or (n_classes == 2 and coef.shape == (2, X.shape[1]))
    if not (suits and (is_classifier(estimator) or is_regressor(estimator))):
        raise TypeError(
            f"{type(estimator).__name__} has no layers to take gradients of. Use a "
            "skorch net, MLPClassifier, MLPRegressor, a linear model with `coef_`, or "
            "an ensemble of them (bagging, voting), or a strategy that needs features "
            "only."
        )
    return lambda rows, left: _linear_layers(estimator, rows, left)


def _linear_layers(estimator, rows, left):
    has_bias = getattr(estimator, "fit_intercept", True)
    right = _with_bias(rows) if has_bias else rows
    if left is not None:
        return [(left, right)]
    # An output of its own for each target: all have the same gradients.
    column = np.ones((len(rows), 1), dtype=rows.dtype)
    return [(column, right)] * _n_outputs(estimator)


def _mlp_layers(mlp, rows, left):
    """One forward and one backward pass, the latter for each output of a regressor."""
    inputs = [rows]
    activate = ACTIVATIONS[mlp.activation]
    for coef, intercept in zip(mlp.coefs_[:-1], mlp.intercepts_[:-1], strict=True):
        hidden = safe_sparse_dot(inputs[-1], coef)
        hidden += intercept
        activate(hidden)
        inputs.append(hidden)
    rights = [_with_bias(part) for part in inputs]
    if left is not None:
        return _backward(mlp, inputs, rights, left)
    layers = []
    for i in range(mlp.n_outputs_):
        left = np.zeros((len(rows), mlp.n_outputs_), dtype=inputs[-1].dtype)
        left[:, i] = 1
        layers += _backward(mlp, inputs, rights, left)
    return layers


def _backward(mlp, inputs, rights, left):
    lefts = [left]
    for coef, hidden in zip(mlp.coefs_[:0:-1], inputs[:0:-1], strict=True):
        gradient = lefts[-1] @ coef.T
        DERIVATIVES[mlp.activation](hidden, gradient)
        lefts.append(gradient)
    return list(zip(lefts[::-1], rights, strict=True))


def _with_bias(rows):
    return np.hstack([rows, np.ones((len(rows), 1), dtype=rows.dtype)])


def _dense_rows(estimator, X):
    """Rows as an estimator takes them, dense and floating."""
    X = validate_data(
        estimator,
        X,
        accept_sparse="csr",
        dtype=(np.float64, np.float32),
        reset=False,
    )
    return X.toarray() if sparse.issparse(X) else X


def ensemble_gradients(ensemble, X, read, *, sketch_size, seed):
    """Gradients of an ensemble's members side by side: their kernels add up.

    Parameters
    ----------
    ensemble : BaggingClassifier, BaggingRegressor, VotingClassifier or VotingRegressor
        Fitted.

    X : array-like of shape (n_rows, n_features)
        Rows as ``ensemble`` takes them.

    read : callable
        From a member, its rows and a seed to its gradients.

    sketch_size : int or None
        With an int, members of as many columns have been sketched, by maps of their
        own, and are added up.

    seed : None, int or RandomState
        Fixes the sketches.

    Returns
    -------
    gradients : Embedding of shape (n_rows, n_columns)
        The sum of the members' sketches, or a `StackedEmbedding` of the members.
    """
    check_is_fitted(ensemble)
    parts, total = [], None
    for i, member in enumerate(ensemble.estimators_):
        rows = X
        if isinstance(ensemble, BAGGING):
            rows = _dense_rows(ensemble, X)[:, ensemble.estimators_features_[i]]
        part = read(member, rows, stream_seed(seed, f"member-{i}"))
        if part.shape[1] != sketch_size:
            parts.append(part)
        elif total is None:
            total = part.matrix
        else:
            total += part.matrix
    if total is not None:
        parts.append(DenseEmbedding(total))
    return StackedEmbedding(parts) if len(parts) > 1 else parts[0]
