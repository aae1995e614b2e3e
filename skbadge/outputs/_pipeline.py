"""The way from what the user holds to the model that predicts."""

from sklearn.compose import TransformedTargetRegressor
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import FixedThresholdClassifier, TunedThresholdClassifierCV
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted
from skorch import NeuralNet


def unwrap(estimator, X, *, keep_targets=False):
    """Find the fitted predictor inside its wrappers, and the rows it is given.

    Frozen estimators, fitted searches, decision thresholds and target transformations
    are opened; the steps of a pipeline before its last one are applied to ``X``.
    Wrappers may be nested in any order. With ``keep_targets`` it stops at a
    transformation of targets: the model inside predicts in other units.
    """
    while True:
        if isinstance(estimator, Pipeline):
            for _, step in estimator.steps[:-1]:
                # Resamplers (imbalanced-learn) act while fitting only.
                if not _is_passthrough(step) and not hasattr(step, "fit_resample"):
                    X = step.transform(X)
        elif is_search(estimator):
            _check_has_best(estimator)
        elif transforms_target(estimator):
            if keep_targets:
                return estimator, X
            check_is_fitted(estimator)
        inside = _inside(estimator)
        if inside is None:
            return estimator, X
        estimator = inside


def innermost(estimator):
    """Find the predictor inside its wrappers, fitted or not, without any data.

    Parameters
    ----------
    estimator : estimator object
        The predictor itself, or a pipeline, a search, a frozen estimator, a decision
        threshold or a target transformation around it.

    Returns
    -------
    predictor : estimator object
        A fitted search leads to its best estimator, another one to the estimator that
        it would clone, and so does a target transformation.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.model_selection import GridSearchCV
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> pipeline = make_pipeline(StandardScaler(), LogisticRegression(C=3))
    >>> search = GridSearchCV(pipeline, {"logisticregression__C": [1, 2]})
    >>> innermost(search)
    LogisticRegression(C=3)
    """
    return wrapped(estimator)[-1]


def wrapped(estimator):
    """List an estimator, what it wraps, what that wraps, down to the predictor."""
    estimators = []
    while estimator is not None:
        estimators.append(estimator)
        estimator = _inside(estimator)
    return estimators


def _inside(estimator):
    """What a wrapper wraps, fitted if it can be; None if it is no wrapper."""
    if isinstance(estimator, FrozenEstimator):
        return estimator.estimator
    if isinstance(estimator, Pipeline):
        return _last_step(estimator)
    if is_search(estimator):
        fallback = getattr(estimator, "estimator", None)
        return getattr(estimator, "best_estimator_", fallback)
    if sets_threshold(estimator):
        return getattr(estimator, "estimator_", estimator.estimator)
    if transforms_target(estimator):
        inside = getattr(estimator, "regressor_", estimator.regressor)
        # scikit-learn's default.
        return LinearRegression() if inside is None else inside
    return None


def is_skorch_net(estimator):
    """Whether an estimator is a skorch net. Wrappers are not opened."""
    return isinstance(estimator, NeuralNet)


def _is_passthrough(step):
    return step is None or (isinstance(step, str) and step == "passthrough")


def _last_step(pipeline):
    if not pipeline.steps:
        raise ValueError("The pipeline must have steps. Got none.")
    name, step = pipeline.steps[-1]
    if _is_passthrough(step):
        raise TypeError(
            "The last step of the pipeline must be an estimator that predicts. "
            f"Got {name}={step!r} instead."
        )
    return step


def is_search(estimator):
    """Whether an estimator is a search, which trains clones of its estimator."""
    # The base class of scikit-learn's searches is private, and other libraries'
    # searches do not all derive from it.
    if isinstance(estimator, type) or is_skorch_net(estimator):
        return False
    if hasattr(estimator, "best_estimator_"):
        return True
    if not hasattr(estimator, "get_params") or sets_threshold(estimator):
        return False
    return {"estimator", "refit"} <= estimator.get_params(deep=False).keys()


def sets_threshold(estimator):
    """Whether an estimator trains a clone of its classifier, and then a threshold."""
    return isinstance(estimator, FixedThresholdClassifier | TunedThresholdClassifierCV)


def transforms_target(estimator):
    """Whether an estimator trains a clone of its regressor on transformed targets."""
    return isinstance(estimator, TransformedTargetRegressor)


def _check_has_best(search):
    if not hasattr(search, "best_estimator_"):
        check_refit(search)
        raise NotFittedError(
            f"This {type(search).__name__} is not fitted yet. Call `fit` first."
        )


def check_refit(search):
    """Raise if a search will have no model to ask."""
    if not search.refit:
        raise ValueError(
            f"{type(search).__name__} must have refit=True (or the name of a metric), "
            f"to have a best model to ask. Got refit={search.refit!r} instead."
        )
