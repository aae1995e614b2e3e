"""Scorers: those of scikit-learn by their names, and quantiles of absolute errors."""

import warnings
from collections.abc import Callable, Mapping
from fractions import Fraction
from numbers import Real

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import is_classifier, is_regressor
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.metrics import check_scoring, get_scorer_names, make_scorer
from sklearn.utils import check_consistent_length, column_or_1d

from skbadge._compat import Interval, validate_params
from skbadge.experiment.simulation._wrapped import estimator_of
from skbadge.outputs._pipeline import innermost
from skbadge.querier import BadgeQuerier
from skbadge.querier._strategy_in_use import may_have
from skbadge.utils._shown import did_you_mean
from skbadge.utils._validation import check_names

_LEVEL = {"q": [Interval(Real, 0, 1, closed="left")]}


@validate_params(_LEVEL)
def error_quantile(y_true: ArrayLike, y_pred: ArrayLike, *, q: float = 0.95) -> float:
    """Quantile of the absolute errors, without interpolation.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n_rows,)
        True and predicted targets, finite.

    q : float, default=0.95
        Level, in [0, 1).

    Returns
    -------
    quantile : float
        The absolute error at position ``floor(q * n_rows)`` in ascending order, counted
        from 0, as in the benchmark of Holzmüller et al. [1]_. Where their code
        multiplies floating-point numbers, ``q`` is taken as the decimal it is written
        as: ``floor(0.29 * 100)`` is 29 here.

    Raises
    ------
    ValueError
        If the level is another one, or the targets are not as described.

    References
    ----------
    .. [1] Holzmüller, Zaverkin, Kästner, Steinwart. "A framework and benchmark for
       deep batch active learning for regression". JMLR 24, 2023.

    Examples
    --------
    >>> from skbadge.experiment import error_quantile
    >>> error_quantile([0, 0, 0, 0], [1, -4, 2, 3], q=0.5)
    3.0
    """
    true = column_or_1d(y_true, dtype=np.float64)
    predicted = column_or_1d(y_pred, dtype=np.float64)
    check_consistent_length(true, predicted)
    errors = np.abs(true - predicted)
    if not len(errors) or not np.isfinite(errors).all():
        raise ValueError(
            "`y_true` and `y_pred` must hold finite numbers, at least one. "
            f"{np.count_nonzero(~np.isfinite(errors))} of {len(errors)} errors are not."
        )
    position = int(Fraction(repr(float(q))) * len(errors))
    return float(np.partition(errors, position)[position])


@validate_params(_LEVEL)
def error_quantile_scorer(q: float = 0.95) -> Callable:
    """Scorer of a regressor by a quantile of its absolute errors.

    Parameters
    ----------
    q : float, default=0.95
        Level, in [0, 1).

    Returns
    -------
    scorer : callable
        Called as ``scorer(estimator, X, y)``: minus the quantile, for greater is
        better. The levels 0.95 and 0.99 go by the names "neg_error_quantile_95" and
        "neg_error_quantile_99" in the ``scoring`` of everything here.

    See Also
    --------
    error_quantile : The quantile itself.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.linear_model import LinearRegression
    >>> from skbadge.experiment import error_quantile_scorer
    >>> X, y = load_diabetes(return_X_y=True)
    >>> scorer = error_quantile_scorer(0.9)
    >>> round(scorer(LinearRegression().fit(X, y), X, y))
    -89
    """
    return make_scorer(error_quantile, greater_is_better=False, q=q)


SCORERS = {
    "neg_error_quantile_95": error_quantile_scorer(0.95),
    "neg_error_quantile_99": error_quantile_scorer(0.99),
}


def resolve_scoring(querier, scoring, y=None):
    """Scorers by name of the metric, to be called as ``scorer(estimator, X, y)``.

    ``scoring`` is None or one or several scorers, as scikit-learn's functions take it;
    "neg_error_quantile_95" and "neg_error_quantile_99" are names besides, see
    `error_quantile_scorer`. None is the accuracy of a classifier and the R² of a
    regressor. Names are tried on a model that knows nothing; that of a classifier needs
    the labels ``y``.
    """
    if scoring is None:
        scoring = "accuracy" if is_classifier(querier) else "r2"
    if isinstance(scoring, str) or callable(scoring):
        scoring = [scoring]
    if not isinstance(scoring, Mapping):
        names = [each if isinstance(each, str) else _name_of(each) for each in scoring]
        if len(set(names)) < len(names):
            raise ValueError(
                f"`scoring` must name its metrics apart: use a dict. Got {names}."
            )
        scoring = dict(zip(names, scoring, strict=True))
    if not scoring:
        raise ValueError(f"`scoring` must name at least one metric. Got {scoring!r}.")
    check_names(scoring, "scoring")
    return {name: _scorer(querier, scorer, y) for name, scorer in scoring.items()}


def _scorer(querier, scorer, y):
    if isinstance(scorer, str):
        known = [*get_scorer_names(), *SCORERS]
        if scorer not in known:
            hint = did_you_mean(scorer, known)
            raise ValueError(
                f"`scoring` {scorer!r} is not known.{hint} There are those of "
                f"sklearn.metrics.get_scorer_names() and {list(SCORERS)}."
            )
        scorer = SCORERS.get(scorer, scorer)
    elif not callable(scorer):
        raise ValueError(
            "`scoring` must be names and scorers, one or several. Got "
            f"{scorer!r} among them."
        )
    found = check_scoring(querier, scoring=scorer)
    if isinstance(scorer, str):
        _check_suits(querier, scorer, found, y)
    return found


def _check_suits(querier, name, scorer, y):
    """Raise if a model cannot be scored so, before it is trained in vain."""
    methods = getattr(scorer, "_response_method", "predict")
    methods = [methods] if isinstance(methods, str) else list(methods)
    model = innermost(querier)
    if isinstance(model, BadgeQuerier):
        model = innermost(estimator_of(model))
    if not any(may_have(model, method) for method in methods):
        raise ValueError(
            f"`scoring` {name!r} needs a model with {' or '.join(methods)}. "
            f"{type(model).__name__} has none."
        )
    if is_regressor(model):
        dummy, y = DummyRegressor(), np.array([0.5, 1.25, 2.5, 3.75])
        suits = f"is not for regressors, such as {type(model).__name__}"
    elif y is not None:
        # Two rows of a class. What is for three is for more, and pairs are many then.
        classes = np.unique(y)
        dummy, y = DummyClassifier(), np.repeat(classes[:3], 2)
        suits = f"is not for these {len(classes)} classes"
    else:
        return
    X = np.zeros((len(y), 1))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            scorer(dummy.fit(X, y), X, y)
        except Exception as error:
            raise ValueError(f"`scoring` {name!r} {suits}: {error}") from error


def _name_of(scorer):
    # What `sklearn.metrics.make_scorer` makes has the name of its function inside.
    function = getattr(scorer, "_score_func", scorer)
    return getattr(function, "__name__", "score")
