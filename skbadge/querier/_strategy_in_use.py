"""Which strategy a querier asks: found by the kind of model, known again by value."""

import pickle
from functools import partial
from types import CodeType, FunctionType

import joblib
import numpy as np
import torch
from sklearn.base import is_classifier, is_regressor

from skbadge.outputs import Needs
from skbadge.outputs._pipeline import innermost
from skbadge.outputs.readers._other import no_probabilities
from skbadge.strategies import CallableStrategy, get_strategy, get_strategy_names
from skbadge.strategies._registry import CLASSES, REGRESSION, STRATEGIES


def kind_of(estimator):
    """What `get_strategy` is to be told of an estimator."""
    is_number = is_regressor(estimator) and not is_classifier(estimator)
    return "regressor" if is_number else "classifier"


def check_strategy_suits(strategy, estimator):
    """Raise if a strategy needs class probabilities, and a model has none."""
    if not _needs_classes(strategy):
        return
    if is_classifier(estimator):
        model = innermost(estimator)
        # Before it is fitted, a model may not tell for itself.
        if not any(hasattr(each, "predict_proba") for each in (type(model), model)):
            raise no_probabilities(model)
        return
    suited = [
        name
        for name in get_strategy_names()
        if not _needs_classes(get_strategy(name, "regressor"))
    ]
    raise ValueError(
        f"`strategy` {strategy} needs class probabilities, and a regressor, "
        f"{type(innermost(estimator)).__name__}, has none.{_way_out(strategy)} For "
        f"regressors there are {suited}."
    )


def _needs_classes(strategy):
    needs = Needs.of(strategy.needs)
    return needs.proba or needs.posterior


def _way_out(strategy):
    if isinstance(strategy, CallableStrategy):
        return (
            " A function receives probabilities unless it has an attribute `needs`, "
            'such as ("features", "labeled").'
        )
    path = CLASSES.get(type(strategy).__name__)
    for name, form in REGRESSION.items():
        if STRATEGIES[name] == path:
            return f" Its form for regression is {form!r}."
    return ""


def fingerprint(strategy):
    """What tells a strategy from others: equal for equal class and parameters.

    It is the hash by value, and a list of the objects that cannot be hashed: these are
    equal to themselves only, see `is_same`.
    """
    content = _Content()
    return joblib.hash(content.of(strategy)), content.unhashed


def is_same(mark, other):
    """Whether two fingerprints are of equal strategies."""
    (mine, objects), (theirs, others) = mark, other
    return mine == theirs and all(
        one is another for one, another in zip(objects, others, strict=True)
    )


class _Content:
    """Turns objects into strings and lists that say what they hold.

    Attributes
    ----------
    unhashed : list
        What cannot be told by its content.
    """

    def __init__(self):
        self.unhashed = []
        self._open = []

    def of(self, value):
        """What a value holds."""
        if any(value is outer for outer in self._open):
            # It holds itself.
            return "itself"
        self._open.append(value)
        content = self._of(value)
        self._open.pop()
        return content

    def _of(self, value):
        if isinstance(value, np.generic):
            return self.of(value.item())
        if isinstance(value, torch.Tensor):
            return self.of(value.detach().cpu().numpy())
        if isinstance(value, torch.nn.Module):
            return [_name(type(value)), self.of(value.state_dict())]
        if isinstance(value, dict):
            return [self.of(part) for item in value.items() for part in item]
        if isinstance(value, list | tuple):
            return [type(value).__name__, *map(self.of, value)]
        if isinstance(value, partial):
            return ["partial", *map(self.of, (value.func, value.args, value.keywords))]
        if isinstance(value, FunctionType):
            return self._of_function(value)
        if hasattr(value, "get_params") and not isinstance(value, type):
            return [_name(type(value)), self.of(value.get_params(deep=False))]
        try:
            return joblib.hash(value)
        except (TypeError, AttributeError, pickle.PicklingError):
            self.unhashed.append(value)
            return len(self.unhashed)

    def _of_function(self, function):
        """Functions are equal if their code and what they refer to are."""
        cells = [_cell_contents(cell) for cell in function.__closure__ or ()]
        parts = cells, function.__defaults__, function.__kwdefaults__, vars(function)
        return [_name(function), _code(function.__code__), *map(self.of, parts)]


def _cell_contents(cell):
    try:
        return cell.cell_contents
    except ValueError:
        # Of a name that has no value yet.
        return "empty"


def _name(thing):
    return f"{thing.__module__}.{thing.__qualname__}"


def _code(code):
    constants = [
        _code(item) if isinstance(item, CodeType) else repr(item)
        for item in code.co_consts
    ]
    return [code.co_code, code.co_names, code.co_varnames, constants]
