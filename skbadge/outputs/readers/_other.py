"""Reading any scikit-learn model: features are its input."""

import numpy as np
from scipy import sparse
from sklearn.utils.validation import check_array, check_is_fitted, validate_data

from skbadge.outputs._outputs import Outputs
from skbadge.outputs.readers._base import Reader, with_fields
from skbadge.outputs.readers._check import check_outputs

HINT = (
    "Models for several labels per row, and models whose `predict_proba` is not a "
    "distribution over classes, are not supported."
)

POSTERIOR_WAYS = (
    "Posterior samples are taken from a skorch net with dropout modules, or from an "
    "ensemble of classifiers with `predict_proba` that predicts their mean, such as "
    "BaggingClassifier, VotingClassifier(voting='soft'), RandomForestClassifier and "
    "ExtraTreesClassifier."
)


class OtherReader(Reader):
    """Reads a fitted scikit-learn model that is of no family with more to say."""

    def _check_fitted(self):
        check_is_fitted(self.model)

    def _read_plain(self, X, needs, options):
        outputs = None
        if needs.proba or needs.features or needs.inputs:
            if options.feature_layer != "auto":
                raise ValueError(
                    "`feature_layer` must be 'auto' unless the model is a skorch net. "
                    f"Got {options.feature_layer!r} for a {type(self.model).__name__}."
                )
            outputs = self._read_checked(X, needs, options)
        if needs.gradients:
            proba = None if outputs is None else outputs.proba
            gradients = self._read_gradients(X, proba, needs, options)
            outputs = with_fields(outputs, gradients=gradients)
        return outputs

    def _read_checked(self, X, needs, options):
        """Probabilities, features and inputs, checked."""
        if needs.proba and not hasattr(self.model, "predict_proba"):
            raise no_probabilities(self.model)
        return check_outputs(self._read_arrays(X, needs, options), HINT)

    def _read_arrays(self, X, needs, options):
        """Probabilities, features and inputs."""
        has_bias = getattr(self.model, "fit_intercept", True)
        return Outputs(
            proba=_predict_proba(self.model, X) if needs.proba else None,
            features=dense_input(X) if needs.features else None,
            inputs=dense_input(X) if needs.inputs else None,
            one_logit=_has_one_logit(self.model),
            feature_factors=(1.0, float(has_bias)),
        )

    def _read_gradients(self, X, proba, needs, options):
        """Gradients of the layers, given the probabilities if they have been read."""
        raise TypeError(
            f"{type(self.model).__name__} has no layers to take gradients of. Use a "
            "skorch net, MLPClassifier, MLPRegressor, a linear model with `coef_`, or "
            "an ensemble of them (bagging, voting), or a strategy that needs features "
            "only."
        )

    def _read_posterior(self, X, needs, options):
        name = type(self.model).__name__
        raise TypeError(f"{name} has no posterior samples. {POSTERIOR_WAYS}")


def no_probabilities(model):
    """The error for a model without them."""
    return TypeError(
        f"{type(model).__name__} has no `predict_proba`, and probabilities are needed. "
        "Use a classifier that has it, wrap this one in `CalibratedClassifierCV`, or "
        'use a strategy that needs features only, such as "core_set".'
    )


def _predict_proba(estimator, X):
    """What the model predicts, in float32 or better."""
    proba = estimator.predict_proba(X)
    if not isinstance(proba, np.ndarray) or proba.ndim != 2:
        raise ValueError(
            "`predict_proba` must return an array of shape (n_rows, n_classes). "
            f"{type(estimator).__name__} returned a {type(proba).__name__} of shape "
            f"{np.shape(proba)} instead. Several targets are not supported."
        )
    kept = proba.dtype in (np.float32, np.float64)
    return proba if kept else proba.astype(np.float64)


def _has_one_logit(estimator):
    """Whether a model has one linear predictor for two classes."""
    coef = getattr(estimator, "coef_", None)
    classes = getattr(estimator, "classes_", ())
    return np.ndim(coef) == 2 and coef.shape[0] == 1 and len(classes) == 2


def dense_input(X):
    """Numeric rows of a model without layers, dense and flattened."""
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


def dense_rows(estimator, X):
    """Rows as an estimator takes them, dense and floating."""
    X = validate_data(
        estimator,
        X,
        accept_sparse="csr",
        dtype=(np.float64, np.float32),
        reset=False,
    )
    return X.toarray() if sparse.issparse(X) else X
