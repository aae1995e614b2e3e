"""Reading any scikit-learn model: features are its leaves, or else its input."""

import numpy as np
from sklearn.utils import get_tags
from sklearn.utils.validation import check_is_fitted

from skbadge.outputs._outputs import Outputs
from skbadge.outputs.readers._base import Reader, with_fields
from skbadge.outputs.readers._check import check_outputs
from skbadge.outputs.readers._input_rows import blocks_of, input_rows
from skbadge.outputs.readers._last_layer import no_head
from skbadge.outputs.readers._standardize import standardized
from skbadge.outputs.readers._tree_families import leaves_of
from skbadge.pools import n_rows
from skbadge.utils._place import new_array
from skbadge.utils._under_way import under_way

# Rows that a model predicts at a time.
BLOCK_ROWS = 2**17

HINT = (
    "Models for several labels per row, and models whose `predict_proba` is not a "
    "distribution over classes, are not supported."
)

POSTERIOR_HINT = (
    "Posterior samples are taken from a skorch net with dropout modules, or from an "
    "ensemble of classifiers with `predict_proba` that predicts their mean, such as "
    "BaggingClassifier, VotingClassifier(voting='soft'), RandomForestClassifier and "
    "ExtraTreesClassifier, or from a classifier of gradient boosting."
)


def no_layers(model, feature_layer):
    """Make the error for a layer of a model that has none to name."""
    return ValueError(
        "`feature_layer` must be 'auto' unless the model is a skorch net. "
        f"Got {feature_layer!r} for a {type(model).__name__}."
    )


class OtherReader(Reader):
    """Reads a fitted scikit-learn model that is of no family with more to say.

    Features of several trees are the leaves that a row ends up in. Those of any other
    model are its input. What such a model makes of it need not depend on the units of
    the columns, and so what is read does not either.
    """

    def _check_fitted(self):
        check_is_fitted(self.model)

    def _read_plain(self, X, needs, options):
        reads_layer = needs.features or needs.inputs or needs.head
        if (needs.proba or reads_layer) and options.feature_layer != "auto":
            raise no_layers(self.model, options.feature_layer)
        outputs = None
        # First, for it may fail, and the rest takes long.
        head = self._read_head(X) if needs.head else None
        if needs.proba or needs.features or needs.inputs:
            outputs = self._read_checked(X, needs, options)
        if needs.head:
            outputs = with_fields(outputs, head=head, n_rows=n_rows(X))
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
        proba = _predict_proba(self.model, X) if needs.proba else None
        leaves = leaves_of(self.model) if needs.features else None
        rows = scaling = None
        if needs.inputs or (needs.features and leaves is None):
            rows, scaling = self._read_rows(X, needs, options.scaling)
        features = rows if needs.features else None
        # The leaves of a tree sum to a constant, which is a bias.
        has_bias = leaves is None and getattr(self.model, "fit_intercept", True)
        if leaves is not None:
            features = leaves.matrix(X, needs.sparse)
        return Outputs(
            proba=proba,
            features=features,
            inputs=rows if needs.inputs else None,
            one_logit=_has_one_logit(self.model),
            feature_factors=(1.0, float(has_bias)),
            scaling=scaling,
        )

    def _read_rows(self, X, needs, scaling):
        """The rows as features, and how their columns were scaled, None if not."""
        rows = input_rows(X, needs.sparse)
        takes_missing = needs.proba or get_tags(self.model).input_tags.allow_nan
        return standardized(rows, scaling, takes_missing=takes_missing)

    def _read_head(self, X):
        """The last linear layer, which makes the model's outputs of its features."""
        raise no_head(self.model)

    def _read_gradients(self, X, proba, needs, options):
        """Gradients of the layers, given the probabilities if they have been read."""
        raise TypeError(
            f"{type(self.model).__name__} has no layers to take gradients of. Use a "
            "skorch net, MLPClassifier, MLPRegressor, a linear model with `coef_`, or "
            "an ensemble of them (bagging, voting), or a strategy without gradients of "
            "layers: 'margin', 'entropy' and 'least_confidence' read probabilities "
            "only, 'badge', 'core_set' and LCMD(kernel='features') features, too."
        )

    def _read_posterior(self, X, needs, options):
        name = type(self.model).__name__
        raise TypeError(f"{name} has no posterior samples. {POSTERIOR_HINT}")


def no_probabilities(model):
    """The error for a model without them."""
    return TypeError(
        f"{type(model).__name__} has no `predict_proba`, and probabilities are needed. "
        "Use a classifier that has it, wrap this one in `CalibratedClassifierCV`, or "
        'use a strategy that needs features only, such as "core_set".'
    )


def _predict_proba(estimator, X):
    """What the model predicts for all rows, in float32 or better."""
    total = n_rows(X)
    if total <= BLOCK_ROWS:
        return _proba_of(estimator, X)
    proba = None
    for part, rows in blocks_of(X, BLOCK_ROWS):
        block = _proba_of(estimator, rows)
        if proba is None:
            proba = new_array((total, block.shape[1]), block.dtype)
        proba[part] = block
        under_way("{:,} of {:,} rows read", part.stop, total)
    return proba


def _proba_of(estimator, X):
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
