"""Being like the wrapped estimator: its predictions, its tags, its fit parameters."""

from contextlib import contextmanager
from copy import deepcopy
from numbers import Integral

from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, MetaEstimatorMixin, is_classifier
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import accuracy_score, r2_score
from sklearn.pipeline import Pipeline
from sklearn.utils import get_tags
from sklearn.utils.metadata_routing import (
    MetadataRouter,
    MethodMapping,
    process_routing,
)
from sklearn.utils.metaestimators import available_if

from skbadge._compat import routing_enabled
from skbadge.nn import TabularNetClassifier
from skbadge.outputs._casting import cast_input
from skbadge.outputs._pipeline import innermost, is_skorch_net, unwrap, wrapped
from skbadge.outputs.readers._inference import modules_of
from skbadge.querier._check_rows import check_X
from skbadge.querier._checks import check_is_estimator, check_y
from skbadge.querier._codecs import NumberCodec
from skbadge.querier._finite import checked, refusing_nan
from skbadge.utils._shared_state import seeded
from skbadge.utils._shown import parameters_shown
from skbadge.utils._streams import optional_seed
from skbadge.utils._typing import Rows
from skbadge.utils._validation import check_masked


def _estimator_has(method):
    """For `available_if`: whether the estimator has a method."""

    def check(querier):
        getattr(querier._any_estimator(), method)
        return True

    return check


def _classifier_has(method):
    """For `available_if`: whether the estimator is a classifier that has a method."""

    def check(querier):
        if not is_classifier(querier):
            # skorch gives regressors a `predict_proba`, too.
            raise AttributeError(f"A regressor has no `{method}`.")
        return _estimator_has(method)(querier)

    return check


class LikeItsEstimator(MetaEstimatorMixin, BaseEstimator):
    """What a querier does as the estimator it wraps and trains would do it.

    It is a classifier or a regressor as that estimator's tags say.
    """

    @available_if(_estimator_has("predict"))
    def predict(self, X: Rows) -> NDArray:
        """Predict the labels or targets of rows.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_features), or what the estimator takes
            The rows.

        Returns
        -------
        y : ndarray of shape (n_rows,) or (n_rows, n_outputs)
            Labels from `classes_`; of a regressor, numbers in the shape of
            `y_labeled_`.

        Raises
        ------
        NotFittedError
            If there is no trained model yet.
        ValueError
            If the model predicts NaN or infinite values, as after a training that
            diverged.
        """
        estimator, X = self._ready("predict", X)
        # A frozen model that was not fitted here has none, and predicts as it learned.
        codec = getattr(self, "_codec", NumberCodec())
        with self._reading(estimator):
            return checked(codec.predict(estimator, X))

    @available_if(_classifier_has("predict_proba"))
    def predict_proba(self, X: Rows) -> NDArray:
        """Predict class probabilities of rows.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_features), or what the estimator takes
            The rows.

        Returns
        -------
        proba : ndarray of shape (n_rows, n_classes)
            In the order of `classes_`.

        Raises
        ------
        NotFittedError
            If there is no trained model yet.
        ValueError
            If they are NaN.
        """
        estimator, X = self._ready("predict_proba", X)
        with self._reading(estimator):
            if not hasattr(self, "_codec"):
                return checked(estimator.predict_proba(X))
            return checked(self._codec.predict_proba(estimator, X))

    @available_if(_classifier_has("decision_function"))
    def decision_function(self, X: Rows) -> NDArray:
        """The estimator's decision function, with the columns it has.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_features), or what the estimator takes
            The rows.

        Returns
        -------
        decision : ndarray of shape (n_rows,) or (n_rows, n_classes)
            As the estimator computes it.
        """
        estimator, X = self._ready("decision_function", X)
        with self._reading(estimator):
            return estimator.decision_function(X)

    def score(
        self, X: Rows, y: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> float:
        """Score predictions by the accuracy or R², or by a wrapped search's scorer.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_features), or what the estimator takes
            The rows.

        y : array-like of shape (n_rows,) or (n_rows, n_outputs)
            Their true labels or targets.

        sample_weight : array-like of shape (n_rows,) or None
            Weights of the rows, for the accuracy or R².

        Returns
        -------
        score : float
            The greater, the better.
        """
        check_masked(sample_weight, "sample_weight")
        estimator, rows = self._ready("score", X)
        y = check_y(self, y, rows, self._estimator())
        if not hasattr(estimator, "scorer_") or sample_weight is not None:
            metric = accuracy_score if is_classifier(self) else r2_score
            return float(metric(y, self.predict(X), sample_weight=sample_weight))
        is_coded = hasattr(self, "_codec") and self._codec.is_coded
        with self._reading(estimator):
            return estimator.score(rows, self._codec.encode(y) if is_coded else y)

    @contextmanager
    def _reading(self, estimator):
        """Keep other threads out while the model runs, and global generators as found.

        A prediction does not advance a ``RandomState``: `fit` and `query` draw from it.
        """
        is_fixed = isinstance(self.random_state, Integral)
        seed = self._seed("prediction") if is_fixed else None
        with seeded(seed), refusing_nan(estimator):
            yield

    def _seed(self, stream):
        return optional_seed(self.random_state, stream)

    def _ready(self, method, X):
        estimator = self._trained_estimator(method)
        X = self._check_X(X, reset=False)
        is_frozen = isinstance(estimator, FrozenEstimator)
        is_frozen = is_frozen or getattr(self, "_is_pretrained", False)
        if is_frozen and is_skorch_net(innermost(estimator)):
            # Nets trained here cast their input themselves; this one is the user's.
            estimator, X = unwrap(estimator, X, keep_targets=True)
            if not any(isinstance(part, Pipeline) for part in wrapped(estimator)):
                X = cast_input(modules_of(innermost(estimator)), X)
        return estimator, X

    def _estimator(self):
        """The estimator to train, by default the library's net."""
        return TabularNetClassifier() if self.estimator is None else self.estimator

    def _validate_params(self):
        """Say more than scikit-learn does of what is no estimator."""
        check_is_estimator(self.estimator)
        with parameters_shown(vars(self)):
            super()._validate_params()

    def _any_estimator(self):
        return getattr(self, "estimator_", None) or self._estimator()

    def _trained_estimator(self, method):
        if not self.__sklearn_is_fitted__():
            hint = " Or set `cold_start`." if method == "query" else ""
            raise NotFittedError(
                f"This {type(self).__name__} is not fitted yet. Call 'fit' with the "
                f"labelled rows before using '{method}'.{hint}"
            )
        return self._any_estimator()

    def __sklearn_is_fitted__(self):
        return hasattr(self, "estimator_") or isinstance(
            self.estimator, FrozenEstimator
        )

    def _check_X(self, X, *, reset, name="X"):
        return check_X(self, X, self._any_estimator(), name=name, reset=reset)

    def get_metadata_routing(self) -> MetadataRouter:
        """Metadata that `fit` and `partial_fit` pass on to the estimator's ``fit``.

        Returns
        -------
        routing : MetadataRouter
            The routing.
        """
        mapping = MethodMapping().add(caller="fit", callee="fit")
        mapping.add(caller="partial_fit", callee="fit")
        router = MetadataRouter(owner=type(self).__name__)
        return router.add(estimator=self._estimator(), method_mapping=mapping)

    def _routed(self, estimator, params):
        if not routing_enabled():
            return params
        return process_routing(self, "fit", **params).estimator.fit

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        inner = get_tags(self._estimator())
        tags.estimator_type = inner.estimator_type
        tags.classifier_tags = deepcopy(inner.classifier_tags)
        tags.regressor_tags = deepcopy(inner.regressor_tags)
        tags.input_tags = deepcopy(inner.input_tags)
        tags.non_deterministic = inner.non_deterministic
        tags.target_tags.required = True
        if inner.estimator_type == "regressor":
            tags.target_tags.multi_output = inner.target_tags.multi_output
        elif tags.classifier_tags is not None:
            tags.classifier_tags.multi_label = False
        return tags
