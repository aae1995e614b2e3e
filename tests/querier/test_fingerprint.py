"""What a strategy is made of is compared by value, whatever it is."""

import copy
import pickle
import threading
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import sparse
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression

from skbadge import BadgeQuerier
from skbadge.embeddings import Posterior, Scale, Sketch
from skbadge.querier._fingerprint import fingerprint
from skbadge.samplers import LCMD, KMeansPlusPlus
from skbadge.strategies import ALBL, Badge, EmbeddingStrategy, ScoreStrategy

rng = np.random.default_rng(0)
X = rng.normal(size=(60, 3))
y = np.arange(60) % 3
POOL = X[20:]


def fitted(strategy):
    querier = BadgeQuerier(LogisticRegression(), strategy=strategy, random_state=0)
    return querier.fit(X[:20], y[:20])


class Holder(ScoreStrategy):
    def __init__(self, value=None):
        self.value = value

    def score(self, pool):
        return np.arange(float(len(pool)))


class Callable:
    def __init__(self, value, other=None):
        self.value = value
        self.other = other

    def __call__(self, pool, n, *, labeled, random_state):
        return np.argsort(np.asarray(self.value)[: len(pool)])[:n]

    def ask(self, pool, n, *, labeled, random_state):
        return self(pool, n, labeled=labeled, random_state=random_state)


def base(value, other=0):
    return value


def closure(value):
    return lambda: value


def frozen(value):
    labels = y if value == 1 else y[::-1]
    return FrozenEstimator(LogisticRegression().fit(X, labels))


def objects(value):
    array = np.empty(2, dtype=object)
    array[:] = [closure(value), "a"]
    return array


def dropout(value):
    return torch.nn.Sequential(torch.nn.ReLU(), torch.nn.Dropout(value / 10))


# Each makes equal values of equal numbers, and others of other numbers.
MAKERS = {
    "number": float,
    "long double": np.longdouble,
    "numpy number": np.float32,
    "text": str,
    "path": lambda value: Path(str(value)),
    "array": lambda value: np.r_[np.arange(5000.0), value],
    "masked array": lambda value: np.ma.array([1, 2, 3], mask=np.arange(3) == value),
    "array of objects": objects,
    "strided": lambda value: np.full((4, 2), value)[:, 1],
    "long list": lambda value: [*range(3000), value],
    "dict": lambda value: {"a": 0, "b": value},
    "set": lambda value: {"a", value},
    "sparse": lambda value: sparse.csr_array(np.eye(3) * value),
    "frame": lambda value: pd.DataFrame({"a": [0.5, value], "b": ["x", "y"]}),
    "tensor": lambda value: torch.full((3,), value),
    "bfloat16": lambda value: torch.full((3,), value, dtype=torch.bfloat16),
    "sparse tensor": lambda value: (torch.eye(3) * value).to_sparse(),
    "module": dropout,
    "random state": np.random.RandomState,
    "generator": np.random.default_rng,
    "lambda": closure,
    "partial": lambda value: partial(base, other=value),
    "partial of a lambda": lambda value: partial(closure(value)),
    "callable object": Callable,
    "unhashable part": lambda value: Callable(value, closure(0)),
    "bound method": lambda value: Callable(value).ask,
    "estimator": lambda value: LogisticRegression(C=value),
    "strategies": lambda value: [Badge(), Holder(value)],
    "bandit": lambda value: ALBL(["margin", Holder(value)]),
    "bandit in a bandit": lambda v: ALBL(["margin", ALBL([Holder(v), "margin"])]),
    "bandit of functions": lambda value: ALBL(["margin", closure(value)]),
    "transforms": lambda value: EmbeddingStrategy(
        transforms=[Scale(), Posterior(sigma=value)]
    ),
    "sketch": lambda value: EmbeddingStrategy(transforms=[Sketch(random_state=value)]),
    "samplers": lambda value: EmbeddingStrategy(
        sampler=LCMD() if value == 1 else KMeansPlusPlus()
    ),
}


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
def test_equal_values_are_one_and_others_are_not(make):
    mark = fingerprint(Holder(make(1)))
    assert mark.is_same(fingerprint(Holder(make(1))))
    assert not mark.is_same(fingerprint(Holder(make(2))))


def test_frozen_estimators_are_told_apart_by_what_they_learned():
    mark = fingerprint(Holder(frozen(1)))
    assert mark.is_same(fingerprint(Holder(frozen(1))))
    assert not mark.is_same(fingerprint(Holder(frozen(2))))


def test_the_order_in_which_parts_are_named_does_not_matter():
    first, second = partial(base, value=1, other=2), partial(base, other=2, value=1)
    assert fingerprint(first).is_same(fingerprint(second))
    assert fingerprint({"a": 1, "b": 2}).is_same(fingerprint({"b": 2, "a": 1}))


SOURCE = """
class Ask(ScoreStrategy):
    def score(self, pool):
        return np.arange(len(pool)) * {sign}1.0
"""


def test_a_class_that_is_defined_anew_is_another():
    space = {"__name__": "notebook", "np": np, "ScoreStrategy": ScoreStrategy}
    exec(SOURCE.format(sign=""), space)
    querier = fitted(space["Ask"]())
    assert querier.query(POOL).tolist() == [39]
    exec(SOURCE.format(sign="-"), space)
    querier.set_params(strategy=space["Ask"]())
    assert querier.query(POOL).tolist() == [0]


COSTS = np.arange(40.0)
IN_PLACE = {
    "callable object": lambda costs: Callable(costs),
    "with an unhashable part": lambda costs: Callable(costs, lambda: 0),
    "bound method": lambda costs: Callable(costs, lambda: 0).ask,
    "partial": lambda costs: partial(Callable.ask, Callable(costs)),
    "expert": lambda costs: ALBL([Callable(costs)] * 2, mode="badge_repo"),
}


@pytest.mark.parametrize("make", IN_PLACE.values(), ids=IN_PLACE)
def test_a_change_in_place_is_noticed(make):
    costs = COSTS.copy()
    querier = fitted(make(costs))
    assert querier.query(POOL, 2).tolist() == [0, 1]
    costs[:] = costs[::-1].copy()
    assert querier.query(POOL, 2).tolist() == [39, 38]


# Bandits


def counting():
    class Counting:
        n_calls = 0

        def __call__(self, pool, n, *, labeled, random_state):
            self.n_calls += 1
            return np.arange(n)

    return Counting()


def drawing():
    own = np.random.RandomState(0)

    def ask(pool, n, *, labeled, random_state):
        return own.permutation(len(pool))[:n]

    return ask


def locked():
    expert = counting()
    expert.lock = threading.Lock()
    return expert


EXPERTS = {
    "counts its calls": counting,
    "has a generator of its own": drawing,
    "has a lock": locked,
    "strided": lambda: partial(Callable.ask, Callable(np.eye(40)[:, 3])),
    "bandit": lambda: ALBL(["margin", "entropy"]),
    "name of a bandit": lambda: "albl",
}


def run(querier, n_rounds=2):
    for _ in range(n_rounds):
        rows = querier.query(POOL, 3)
        querier.partial_fit(POOL[rows], y[20:][rows])
    querier.query(POOL, 3)


@pytest.mark.parametrize("make", EXPERTS.values(), ids=EXPERTS)
def test_a_bandit_learns_whatever_its_experts_are(make):
    expert = make()
    querier = fitted(ALBL(experts=[expert, "margin"]))
    run(querier)
    assert len(querier.strategy_.rewards_) == 2
    assert np.abs(querier.strategy_.log_weights_).max() > 0
    if hasattr(expert, "n_calls"):
        # The one that the user holds, and no copy.
        assert expert.n_calls == 3


def test_bandits_among_the_experts_learn_too():
    querier = fitted(ALBL(experts=["albl", ALBL(["margin", "entropy"])]))
    run(querier, 4)
    inner = [part for part in querier.strategy_.experts_ if isinstance(part, ALBL)]
    assert len(inner) == 2
    assert all(part.rewards_ for part in inner)


@pytest.mark.parametrize(
    "again", [copy.deepcopy, lambda q: pickle.loads(pickle.dumps(q))]
)
def test_a_copy_of_a_querier_goes_on(again):
    costs = np.arange(80.0).reshape(40, 2)[:, 1]
    querier = fitted(ALBL(experts=[Callable(costs), Badge(), "margin"]))
    run(querier)
    querier = again(querier)
    before = querier.strategy_
    querier.query(POOL, 3)
    assert querier.strategy_ is before


def test_long_parameters_take_no_time_to_speak_of():
    # One hash for each entry of a list would be 20 times slower.
    strategy = Holder([float(i) for i in range(20000)])
    calls = []
    original = fingerprint.__globals__["joblib"].hash

    class Counted:
        @staticmethod
        def hash(value):
            calls.append(1)
            return original(value)

    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(fingerprint.__globals__, "joblib", Counted)
        fingerprint(strategy)
    assert len(calls) < 20


def test_the_strategy_is_kept_through_nested_parameters_that_do_not_change():
    querier = fitted(EmbeddingStrategy(kernel="linear", sampler=KMeansPlusPlus()))
    querier.query(POOL, 2)
    before = querier.strategy_
    querier.set_params(strategy__sampler__first_center="auto").query(POOL, 2)
    assert querier.strategy_ is before
    querier.set_params(strategy__sampler__first_center="uniform").query(POOL, 2)
    assert querier.strategy_ is not before
