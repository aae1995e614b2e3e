"""Being like the wrapped estimator: its predictions, its tags, its fit parameters."""

from sklearn.base import ClassifierMixin
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.utils import get_tags
from sklearn.utils.metadata_routing import (
    MetadataRouter,
    MethodMapping,
    process_routing,
)
from sklearn.utils.metaestimators import available_if

from skbadge._checks import check_X
from skbadge._compat import routing_enabled
from skbadge.outputs import cast_input, innermost, is_skorch_net, unwrap


def _estimator_has(method):
    """For `available_if`: whether the estimator has a method."""

    def check(querier):
        getattr(querier._any_estimator(), method)
        return True

    return check


class LikeItsEstimator(ClassifierMixin):
    """What a querier does as the estimator it wraps and trains would do it."""

    @available_if(_estimator_has("predict"))
    def predict(self, X):
        """Predict the labels of rows.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_features), or what the estimator takes
            The rows.

        Returns
        -------
        y : ndarray of shape (n_rows,)
            Labels from `classes_`.
        """
        estimator, X = self._ready("predict", X)
        if not hasattr(self, "_codec"):
            return estimator.predict(X)
        return self._codec.predict(estimator, X)

    @available_if(_estimator_has("predict_proba"))
    def predict_proba(self, X):
        """Predict class probabilities of rows.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_features), or what the estimator takes
            The rows.

        Returns
        -------
        proba : ndarray of shape (n_rows, n_classes)
            In the order of `classes_`.
        """
        estimator, X = self._ready("predict_proba", X)
        if not hasattr(self, "_codec"):
            return estimator.predict_proba(X)
        return self._codec.predict_proba(estimator, X)

    @available_if(_estimator_has("decision_function"))
    def decision_function(self, X):
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
        return estimator.decision_function(X)

    def score(self, X, y, sample_weight=None):
        """Score predictions: the accuracy, or the scorer of a wrapped search.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_features), or what the estimator takes
            The rows.

        y : array-like of shape (n_rows,)
            Their true labels.

        sample_weight : array-like of shape (n_rows,) or None
            Weights of the rows, for the accuracy.

        Returns
        -------
        score : float
            The greater, the better.
        """
        estimator, checked = self._ready("score", X)
        if not hasattr(estimator, "scorer_") or sample_weight is not None:
            return super().score(X, y, sample_weight)
        is_coded = hasattr(self, "_codec") and self._codec.is_coded
        return estimator.score(checked, self._codec.encode(y) if is_coded else y)

    def _ready(self, method, X):
        estimator = self._trained_estimator(method)
        X = self._check_X(X, reset=False)
        is_frozen = isinstance(estimator, FrozenEstimator)
        is_frozen = is_frozen or getattr(self, "_is_pretrained", False)
        if is_frozen and is_skorch_net(innermost(estimator)):
            # Nets trained here cast their input themselves; this one is the user's.
            estimator, X = unwrap(estimator, X)
            X = cast_input(estimator.module_, X)
        return estimator, X

    def _estimator(self):
        """The estimator to train, by default the library's net."""
        if self.estimator is None:
            from skbadge.nn import TabularNetClassifier

            return TabularNetClassifier()
        return self.estimator

    def _any_estimator(self):
        return getattr(self, "estimator_", None) or self._estimator()

    def _trained_estimator(self, method):
        if hasattr(self, "estimator_"):
            return self.estimator_
        if isinstance(self.estimator, FrozenEstimator):
            return self.estimator
        raise NotFittedError(
            f"This {type(self).__name__} is not fitted yet. Call 'fit' with the "
            f"labelled rows before using '{method}'."
        )

    def __sklearn_is_fitted__(self):
        return hasattr(self, "estimator_") or isinstance(
            self.estimator, FrozenEstimator
        )

    def _check_X(self, X, *, reset, name="X"):
        return check_X(self, X, self._any_estimator(), name=name, reset=reset)

    def get_metadata_routing(self):
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
        tags.input_tags = inner.input_tags
        tags.non_deterministic = inner.non_deterministic
        if inner.classifier_tags is not None:
            tags.classifier_tags.multi_class = inner.classifier_tags.multi_class
        return tags
