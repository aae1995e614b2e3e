"""The way from what the user holds to the model that predicts."""

from sklearn.compose import TransformedTargetRegressor
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted
from skorch import NeuralNet


def unwrap(estimator, X, *, keep_targets=False):
    """Find the fitted predictor inside its wrappers, and the rows it is given.

    Frozen estimators, fitted searches and target transformations are opened; the steps
    of a pipeline before its last one are applied to ``X``. Wrappers may be nested in
    any order.

    Parameters
    ----------
    estimator : estimator object
        Fitted; the predictor itself, or a `~sklearn.pipeline.Pipeline`, a search such
        as `~sklearn.model_selection.GridSearchCV`, a
        `~sklearn.frozen.FrozenEstimator` or a
        `~sklearn.compose.TransformedTargetRegressor` around it.

    X : array-like
        Rows as ``estimator`` takes them.

    keep_targets : bool, default=False
        Whether to stop at a `~sklearn.compose.TransformedTargetRegressor`: the model
        inside predicts in other units than it does.

    Returns
    -------
    predictor : estimator object
        The innermost estimator.

    X : array-like
        Rows as ``predictor`` takes them.

    Raises
    ------
    NotFittedError
        If a search, a target transformation or a pipeline step was not fitted.
    ValueError
        If a search was fitted with ``refit=False``.
    TypeError
        If a pipeline does not end in an estimator.
    """
    while True:
        if isinstance(estimator, FrozenEstimator):
            estimator = estimator.estimator
        elif isinstance(estimator, Pipeline):
            for _, step in estimator.steps[:-1]:
                # Resamplers (imbalanced-learn) act while fitting only.
                if not _is_passthrough(step) and not hasattr(step, "fit_resample"):
                    X = step.transform(X)
            estimator = _last_step(estimator)
        elif is_search(estimator):
            estimator = _best_estimator(estimator)
        elif transforms_target(estimator) and not keep_targets:
            check_is_fitted(estimator)
            estimator = estimator.regressor_
        else:
            return estimator, X


def innermost(estimator):
    """Find the predictor inside its wrappers, fitted or not, without any data.

    Parameters
    ----------
    estimator : estimator object
        The predictor itself, or a pipeline, a search, a frozen estimator or a target
        transformation around it.

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
    """List an estimator, what it wraps, what that wraps, down to the predictor.

    Parameters
    ----------
    estimator : estimator object
        As for `innermost`.

    Returns
    -------
    estimators : list of estimator objects
        From the outermost to the innermost.
    """
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
    name, step = pipeline.steps[-1]
    if _is_passthrough(step):
        raise TypeError(
            "The last step of the pipeline must be an estimator that predicts. "
            f"Got {name}={step!r} instead."
        )
    return step


def is_search(estimator):
    """Whether an estimator is a search, which trains clones of its estimator.

    Parameters
    ----------
    estimator : object
        Anything.
    """
    # The base class of scikit-learn's searches is private, and other libraries'
    # searches do not all derive from it.
    if isinstance(estimator, type) or is_skorch_net(estimator):
        return False
    if hasattr(estimator, "best_estimator_"):
        return True
    if not hasattr(estimator, "get_params"):
        return False
    return {"estimator", "refit"} <= estimator.get_params(deep=False).keys()


def transforms_target(estimator):
    """Whether an estimator trains a clone of its regressor on transformed targets.

    Parameters
    ----------
    estimator : object
        Anything.
    """
    return isinstance(estimator, TransformedTargetRegressor)


def _best_estimator(search):
    best = getattr(search, "best_estimator_", None)
    if best is not None:
        return best
    name = type(search).__name__
    if not search.refit:
        raise ValueError(
            f"{name} must have refit=True (or the name of a metric), to have a best "
            f"model to ask. Got refit={search.refit!r} instead."
        )
    raise NotFittedError(f"This {name} is not fitted yet. Call `fit` first.")
