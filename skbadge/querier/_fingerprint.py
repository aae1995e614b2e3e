"""What tells one strategy from another: its class and its parameters, by value."""

from functools import partial
from inspect import getattr_static
from types import CodeType, FunctionType, MethodType
from typing import NamedTuple

import joblib
import numpy as np
import torch
from sklearn.base import BaseEstimator

from skbadge.pools import array_of
from skbadge.strategies import CallableStrategy, get_strategy
from skbadge.strategies._composite import CompositeStrategy


class Fingerprint(NamedTuple):
    """What a value holds.

    Parameters
    ----------
    content : str
        A hash of all that is told by its content.

    objects : list of (object, Fingerprint or None)
        What is compared by identity, and else by its fingerprint, if it has one.
    """

    content: str
    objects: list

    def is_same(self, other: "Fingerprint") -> bool:
        """Whether the other is that of an equal value."""
        return (
            self.content == other.content
            and len(self.objects) == len(other.objects)
            and all(map(_are_same, self.objects, other.objects))
        )


def _are_same(first, second):
    (mine, content), (theirs, others) = first, second
    if mine is theirs or content is None or others is None:
        return mine is theirs
    return content.is_same(others)


def fingerprint(strategy: object) -> Fingerprint:
    """What tells a strategy from others: equal for equal class and parameters."""
    return _Content([]).mark(strategy)


class _Content:
    """Turns objects into nested lists that say what they hold.

    Parameters
    ----------
    around : list
        The objects that hold the one to come, from the outside.

    Attributes
    ----------
    objects : list
        As for `Fingerprint`, in the order in which they were met.
    """

    def __init__(self, around):
        self.objects = []
        self._around = around

    def mark(self, value):
        """The fingerprint of a value."""
        return Fingerprint(joblib.hash(self.of(value)), self.objects)

    def of(self, value):
        """What a value holds."""
        if value is None or type(value) in (bool, int, float, complex, str, bytes):
            return value
        for depth, outer in enumerate(self._around):
            if value is outer:
                # The value contains itself.
                return ["holder", depth]
        self._around.append(value)
        content = self._of(value)
        self._around.pop()
        return content

    def _of(self, value):
        for kind, describe in _KINDS.items():
            if isinstance(value, kind):
                return describe(self, value)
        if hasattr(value, "get_params"):
            # One with a `__sklearn_clone__` of its own may keep more than parameters.
            if getattr_static(value, "__sklearn_clone__", _CLONE) is _CLONE:
                return [self.of(type(value)), self.of(value.get_params(deep=False))]
            return self._whole(value)
        try:
            return ["reduced", self.of(value.__reduce_ex__(4))]
        except Exception:  # What cannot be copied equals itself only.
            return self._itself(value)

    def _itself(self, value):
        self.objects.append((value, None))
        return ["object", len(self.objects)]

    def _own(self, value, describe):
        """What clones share: the same object is equal to itself, even if it changes."""
        inside = _Content(self._around)
        mark = Fingerprint(joblib.hash(describe(inside)), inside.objects)
        self.objects.append((value, mark))
        return ["own", len(self.objects)]

    def _whole(self, value):
        try:
            return ["whole", joblib.hash(value)]
        except Exception:
            return self._itself(value)

    def _function(self, function):
        """Functions are equal if their code and what they refer to are."""
        return self._own(function, lambda inside: inside._code_and_cells(function))

    def _code_and_cells(self, function):
        cells = [_cell_contents(cell) for cell in function.__closure__ or ()]
        parts = cells, function.__defaults__, function.__kwdefaults__, vars(function)
        name = function.__module__, function.__qualname__
        return [name, self.of(function.__code__), *map(self.of, parts)]

    def _code(self, code):
        parts = code.co_code, code.co_names, code.co_varnames, code.co_consts
        return ["code", *map(self.of, parts)]

    def _callable_strategy(self, strategy):
        return self._own(strategy.function, lambda inside: inside.of(strategy.function))

    def _composite(self, strategy):
        params = strategy.get_params(deep=False)
        for name in strategy.parts:
            part = params[name]
            listed = part if isinstance(part, list | tuple) else [part]
            # Clones share parts that are functions, too.
            params[name] = [get_strategy(each) for each in listed]
        return [self.of(type(strategy)), self.of(params)]

    def _partial(self, value):
        return ["partial", *map(self.of, (value.func, value.args, value.keywords))]

    def _method(self, method):
        return ["method", self.of(method.__func__), self.of(method.__self__)]

    def _sequence(self, values):
        return [type(values).__name__, *map(self.of, values)]

    def _mapping(self, values):
        return [type(values).__name__, self._unordered(values.items())]

    def _set(self, values):
        return [type(values).__name__, self._unordered(values)]

    def _unordered(self, values):
        contents = [self.of(value) for value in values]
        return sorted(contents, key=joblib.hash)

    def _scalar(self, value):
        # NumPy's longest floats have no Python number.
        item = value.item()
        return repr(item) if isinstance(item, np.generic) else self.of(item)

    def _array(self, array):
        values = np.asarray(array)
        if values.dtype.hasobject:
            content = self.of(values.tolist())
        else:
            content = joblib.hash(np.ascontiguousarray(values))
        is_masked = isinstance(array, np.ma.MaskedArray)
        mask = self.of(np.ma.getmaskarray(array)) if is_masked else None
        return [type(array).__name__, str(values.dtype), values.shape, content, mask]

    def _tensor(self, tensor):
        values = array_of(tensor.to_dense())
        return ["tensor", str(tensor.dtype), self.of(values)]


_CLONE = getattr_static(BaseEstimator, "__sklearn_clone__")

_KINDS = {
    CallableStrategy: _Content._callable_strategy,
    CompositeStrategy: _Content._composite,
    FunctionType: _Content._function,
    CodeType: _Content._code,
    MethodType: _Content._method,
    partial: _Content._partial,
    # A class that is defined again has other code under the same name.
    type: _Content._itself,
    np.generic: _Content._scalar,
    np.ndarray: _Content._array,
    torch.Tensor: _Content._tensor,
    dict: _Content._mapping,
    list: _Content._sequence,
    tuple: _Content._sequence,
    set: _Content._set,
    frozenset: _Content._set,
}


def _cell_contents(cell):
    try:
        return cell.cell_contents
    except ValueError:
        # The name has no value yet.
        return "empty"
