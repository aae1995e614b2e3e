"""Annotations: the whole public surface has them, and they find users' mistakes."""

import inspect
from importlib import import_module
from typing import get_args

import pytest
from mypy import api

from skbadge.strategies import StrategyName, get_strategy_names

ROOMS = [
    "skbadge",
    "skbadge.datasets",
    "skbadge.embeddings",
    "skbadge.experiment",
    "skbadge.inspection",
    "skbadge.nn",
    "skbadge.outputs",
    "skbadge.samplers",
    "skbadge.strategies",
]

SCRIPT = """\
import numpy as np
from sklearn.linear_model import LogisticRegression

from skbadge import BadgeQuerier
from skbadge.strategies import Badge

X, y = np.ones((9, 2)), np.arange(9)
querier = BadgeQuerier(LogisticRegression(), strategy="badge", random_state=0)
rows = querier.fit(X, y).query(X, 3, candidates=[1, 2, 3], groups=y)
BadgeQuerier(strategy=Badge(include_bias=True), inference_batch_size=64)
querier.relabel([0], [1]).forget([1]).partial_fit()
left = np.arange(9) > 3
left[rows] = False
picks, report = querier.query(X, np.int64(2), pending=rows, return_report=True)
print(report.n_candidates)
"""

MISTAKES = {
    "BadgeQuerier(strategy=3)": "arg-type",
    'BadgeQuerier(strategy="bagde")': "arg-type",
    "BadgeQuerier(stategy='badge')": "call-arg",
    'BadgeQuerier(inference_batch_size="large")': "arg-type",
    'querier.query(X, "three")': "",
    "querier.query(X, 3, candidate=[1])": "",
    "Badge(bias=True)": "call-arg",
    "querier.forget()": "call-arg",
    'BadgeQuerier().fit(X, y).query(X, n="5")': "",
}


def public_functions():
    for room in ROOMS:
        module = import_module(room)
        for name in module.__all__:
            thing = getattr(module, name)
            if inspect.isclass(thing):
                yield from methods(f"{room}.{name}", thing)
            elif inspect.isfunction(thing):
                yield f"{room}.{name}", thing


def methods(path, cls):
    for name, member in inspect.getmembers(cls):
        if name.startswith("_") and name != "__init__":
            continue
        if isinstance(member, property):
            member = member.fget
        member = inspect.unwrap(getattr(member, "fn", member))
        if inspect.isroutine(member) and ours(member):
            yield f"{path}.{name}", member


def ours(function):
    return (getattr(function, "__module__", None) or "").startswith("skbadge")


@pytest.mark.parametrize(
    "function", [pytest.param(f, id=name) for name, f in public_functions()]
)
def test_the_public_surface_is_annotated(function):
    signature = inspect.signature(function)
    missing = [
        name
        for name, parameter in signature.parameters.items()
        if name not in ("self", "cls") and parameter.annotation is parameter.empty
    ]
    if function.__name__ != "__init__" and signature.return_annotation is (
        signature.empty
    ):
        missing.append("return")
    assert not missing


def test_names_of_strategies_are_those_of_the_registry():
    assert sorted(get_args(StrategyName)) == get_strategy_names()


def check(tmp_path, script):
    path = tmp_path / "script.py"
    path.write_text(script)
    options = ["--follow-imports=silent", "--ignore-missing-imports"]
    return api.run([*options, "--cache-dir", str(tmp_path), str(path)])


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    script = SCRIPT + "".join(f"{line}\n" for line in MISTAKES)
    return check(tmp_path_factory.mktemp("types"), script)[0].splitlines()


def test_a_right_script_passes(found):
    n_right = len(SCRIPT.splitlines())
    lines = {int(line.split(":")[1]) for line in found if ": error:" in line}
    assert lines
    assert min(lines) > n_right, found


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_are_found(found, mistake):
    number = len(SCRIPT.splitlines()) + 1 + list(MISTAKES).index(mistake)
    lines = [line for line in found if f"script.py:{number}: error:" in line]
    assert lines, found
    assert all(MISTAKES[mistake] in line for line in lines)
