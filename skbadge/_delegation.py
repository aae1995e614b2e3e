"""Predicting like the wrapped estimator, in the user's labels."""

from sklearn.base import ClassifierMixin
from sklearn.frozen import FrozenEstimator
from sklearn.utils.metaestimators import available_if

from skbadge.outputs import cast_input, is_skorch_net


def _estimator_has(method):
    """For `available_if`: whether the estimator has a method."""

    def check(querier):
        getattr(querier._any_estimator(), method)
        return True

    return check


class PredictsLikeEstimator(ClassifierMixin):
    """The methods of a classifier, answered by the estimator a querier has trained."""

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
        if isinstance(estimator, FrozenEstimator) and is_skorch_net(
            estimator.estimator
        ):
            # Nets trained here cast their input themselves; this one is the user's.
            X = cast_input(estimator.module_, X)
        return estimator, X
