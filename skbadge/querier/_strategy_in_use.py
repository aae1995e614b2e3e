"""Which strategy a querier asks: found by the kind of model."""

from sklearn.base import is_classifier, is_regressor
from sklearn.ensemble import VotingClassifier
from sklearn.linear_model import SGDClassifier
from sklearn.svm import SVC, NuSVC

from skbadge.outputs._pipeline import innermost
from skbadge.outputs.readers._other import no_probabilities
from skbadge.strategies import CallableStrategy, get_strategy, get_strategy_names
from skbadge.strategies._registry import CLASSES, REGRESSION, STRATEGIES


def kind_of(estimator):
    """The kind of an estimator, as `get_strategy` takes it."""
    is_number = is_regressor(estimator) and not is_classifier(estimator)
    return "regressor" if is_number else "classifier"


FUNCTION_HINT = (
    " A function receives probabilities unless it has an attribute `needs`, such as "
    '("features", "labeled").'
)

# Their parameters say whether they have probabilities.
_TELL = (NuSVC, SGDClassifier, SVC, VotingClassifier)


def resolve_strategy(strategy, estimator):
    """The strategy that a querier's parameter stands for; raises if it will not do."""
    strategy = get_strategy(strategy, kind_of(estimator))
    strategy._validate_params()
    _check_suits(strategy, estimator)
    return strategy


def _check_suits(strategy, estimator):
    """Raise if a strategy needs of a model what its kind does not have."""
    if is_classifier(estimator) and strategy.all_needs.prediction:
        raise ValueError(
            f"`strategy` {strategy} needs predictions of numbers, and a classifier, "
            f"{type(innermost(estimator)).__name__}, predicts labels. It is for "
            'regressors; "badge" and "core_set" are for classifiers as well.'
        )
    if not _needs_classes(strategy):
        return
    if is_classifier(estimator):
        model = innermost(estimator)
        if not may_have(model, "predict_proba"):
            raise no_probabilities(model)
        return
    suited = [
        name
        for name in get_strategy_names()
        if not _needs_classes(get_strategy(name, "regressor"))
    ]
    raise ValueError(
        f"`strategy` {strategy} needs class probabilities, and a regressor, "
        f"{type(innermost(estimator)).__name__}, has none.{_hint(strategy)} For "
        f"regressors there are {suited}."
    )


def may_have(model, method):
    """Whether a model has a method, or may have it once it is fitted."""
    asked = [model] if isinstance(model, _TELL) else [type(model), model]
    return any(hasattr(each, method) for each in asked)


def _needs_classes(strategy):
    return strategy.all_needs.proba or strategy.all_needs.posterior


def _hint(strategy):
    if isinstance(strategy, CallableStrategy):
        return FUNCTION_HINT
    path = CLASSES.get(type(strategy).__name__)
    for name, form in REGRESSION.items():
        if STRATEGIES[name] == path:
            return f" Its form for regression is {form!r}."
    return ""


def is_pure(strategy):
    """Whether a strategy is all the library's own, and learns nothing from a query.

    The code of others may draw from global generators.
    """
    is_own = not isinstance(strategy, CallableStrategy) and _is_own(strategy)
    return is_own and not strategy.learns


def _is_own(value):
    """Whether a parameter and its parts run no code but the library's."""
    if isinstance(value, list | tuple):
        return all(map(_is_own, value))
    runs_code = callable(value) or hasattr(value, "get_params")
    is_own = type(value).__module__.startswith("skbadge.")
    if is_own and hasattr(value, "get_params"):
        return all(map(_is_own, value.get_params(deep=False).values()))
    return is_own or not runs_code
