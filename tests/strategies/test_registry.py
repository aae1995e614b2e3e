"""Names of strategies, and what they stand for."""

import subprocess
import sys

import pytest

from skbadge import strategies
from skbadge.strategies import (
    Badge,
    CallableStrategy,
    Random,
    Strategy,
    _registry,
    get_strategy,
    get_strategy_names,
)


def test_names_are_sorted_and_those_of_the_registry():
    names = get_strategy_names()
    assert names == sorted(set(names))
    assert set(names) == set(_registry.STRATEGIES)
    expected = ["badge", "core_set", "entropy", "least_confidence", "margin", "random"]
    assert set(expected) <= set(names)


def test_the_list_of_names_is_a_copy():
    get_strategy_names().clear()
    assert get_strategy_names()


@pytest.mark.parametrize("name", get_strategy_names())
def test_each_name_gives_a_public_strategy_with_defaults(name):
    strategy = get_strategy(name)
    cls = type(strategy)
    assert isinstance(strategy, Strategy)
    assert get_strategy(name) is not strategy
    assert getattr(strategies, cls.__name__) is cls
    assert cls.__name__ in strategies.__all__
    assert strategy.get_params() == cls().get_params()
    assert cls.__doc__


def test_each_path_is_used_once():
    assert len(set(_registry.STRATEGIES.values())) == len(_registry.STRATEGIES)
    assert len(_registry.CLASSES) == len(_registry.STRATEGIES)


def test_all_names_what_there_is():
    assert len(set(strategies.__all__)) == len(strategies.__all__)
    for name in strategies.__all__:
        assert getattr(strategies, name) is not None
    assert dir(strategies) == sorted(strategies.__all__)
    with pytest.raises(AttributeError, match="has no attribute 'Nearest'"):
        _ = strategies.Nearest


def test_one_line_adds_a_strategy(monkeypatch):
    # The module of the strategy is this line's other half.
    path = "skbadge.strategies._uniform:Random"
    monkeypatch.setitem(_registry.STRATEGIES, "chance", path)
    assert "chance" in get_strategy_names()
    assert type(get_strategy("chance")) is Random
    with pytest.raises(ValueError, match="Did you mean 'chance'"):
        get_strategy("chanse")


def test_strategies_are_imported_when_asked_for():
    code = (
        "import sys, skbadge.strategies as s\n"
        "assert 'skbadge.strategies._badge' not in sys.modules\n"
        "s.get_strategy('badge')\n"
        "assert 'skbadge.strategies._badge' in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_objects_are_returned_as_they_are_and_functions_wrapped():
    strategy = Badge(include_bias=True)
    assert get_strategy(strategy) is strategy
    wrapped = get_strategy(len)
    assert isinstance(wrapped, CallableStrategy)
    assert wrapped.function is len


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("bagde", "'badge'"),
        ("coreset", "'core_set'"),
        ("confidence", "'least_confidence'"),
        ("margins", "'margin'"),
        ("Entropy", "'entropy'"),
    ],
)
def test_an_unknown_name_is_answered_with_the_nearest(name, nearest):
    with pytest.raises(
        ValueError, match=rf"'{name}' is not known. Did you mean {nearest}"
    ):
        get_strategy(name)


@pytest.mark.parametrize("name", ["", "zzzzzz"])
def test_a_name_like_no_other_is_answered_with_all(name):
    with pytest.raises(ValueError, match=r"is not known. Known are \['") as info:
        get_strategy(name)
    assert "Did you mean" not in str(info.value)
    assert all(repr(known) in str(info.value) for known in get_strategy_names())


def test_a_class_is_answered_with_how_to_make_an_object():
    with pytest.raises(
        TypeError, match=r"must be an object, not a class. Pass Badge\(\)"
    ):
        get_strategy(Badge)


@pytest.mark.parametrize("strategy", [None, 3, ["badge"], {"name": "badge"}])
def test_other_types_are_refused(strategy):
    with pytest.raises(
        TypeError, match=r"a name, a strategy object or a function. Got"
    ):
        get_strategy(strategy)
