"""The strategy in use is kept while class and parameters are equal by value."""

import copy
import pickle
import threading
from functools import partial

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression

from skbadge import BadgeQuerier
from skbadge.strategies import ALBL, Badge, ScoreStrategy

rng = np.random.default_rng(0)
X = rng.normal(size=(60, 3))
y = np.arange(60) % 3
POOL = X[20:]

# Long enough for its text to be cut.
COSTS = np.r_[np.arange(40.0), 40 + np.arange(2000.0)]


def fitted(strategy):
    querier = BadgeQuerier(LogisticRegression(), strategy=strategy, random_state=0)
    return querier.fit(X[:20], y[:20])


def cheapest(pool, n, *, labeled, random_state, costs):
    return np.argsort(np.asarray(costs)[:40])[:n]


class Cheapest:
    def __init__(self, costs):
        self.costs = costs

    def __call__(self, pool, n, *, labeled, random_state):
        return cheapest(pool, n, labeled=None, random_state=None, costs=self.costs)


def by_closure(costs):
    return lambda pool, n, *, labeled, random_state: np.argsort(costs[:40])[:n]


def by_default(costs):
    def ask(pool, n, *, labeled, random_state, costs=costs):
        return np.argsort(costs[:40])[:n]

    return ask


MAKERS = {
    "partial": lambda costs: partial(cheapest, costs=costs),
    "partial of a tensor": lambda c: partial(cheapest, costs=torch.from_numpy(c)),
    "callable object": Cheapest,
    "bound method": lambda costs: Cheapest(costs).__call__,
    "closure": by_closure,
    "default": by_default,
}


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
def test_a_changed_function_is_asked_at_once(make):
    others = COSTS.copy()
    others[:40] = others[:40][::-1]
    querier = fitted(make(COSTS))
    assert querier.query(POOL, 2).tolist() == [0, 1]
    querier.set_params(strategy=make(others))
    assert querier.query(POOL, 2).tolist() == [39, 38]
    assert querier.partial_fit().query(POOL, 2).tolist() == [39, 38]


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
def test_an_equal_one_is_the_same(make):
    querier = fitted(make(COSTS))
    before = querier.strategy_
    querier.set_params(strategy=make(COSTS.copy())).query(POOL, 2)
    assert querier.strategy_ is before


def test_the_last_of_many_numbers_counts():
    class Weighted(ScoreStrategy):
        def __init__(self, weights=None):
            self.weights = weights

        def score(self, pool):
            return np.arange(len(pool)) * self.weights[-1]

    querier = fitted(Weighted(np.ones(5000)))
    assert querier.query(POOL).tolist() == [39]
    querier.set_params(strategy__weights=np.r_[np.ones(4999), -1.0])
    assert querier.query(POOL).tolist() == [0]


def test_a_bandit_learns_until_a_parameter_of_an_expert_changes():
    asked = Cheapest(np.arange(40.0))
    querier = fitted(ALBL(experts=[asked, "margin"]))
    for _ in range(2):
        rows = querier.query(POOL, 3)
        querier.partial_fit(POOL[rows], y[20:][rows])
    querier.query(POOL, 3)
    before = querier.strategy_
    assert np.abs(before.log_weights_).max() > 0
    assert pickle.loads(pickle.dumps(querier)).query(POOL, 3).shape == (3,)
    querier.set_params(strategy=ALBL(experts=[copy.deepcopy(asked), "margin"]))
    querier.query(POOL, 3)
    assert querier.strategy_ is before
    querier.set_params(strategy=ALBL(experts=[Badge(include_bias=True), "margin"]))
    querier.query(POOL, 3)
    assert querier.strategy_ is not before


def test_functions_need_not_be_copied_or_known_by_content():
    class Locked:
        def __init__(self):
            self.lock = threading.Lock()
            self.first = 3

        def __call__(self, pool, n, *, labeled, random_state):
            with self.lock:
                return np.arange(self.first, self.first + n)

    ask = Locked()
    querier = fitted(ask)
    assert querier.query(POOL, 2).tolist() == [3, 4]
    ask.first = 7
    assert querier.query(POOL, 2).tolist() == [7, 8]


def test_functions_that_refer_to_themselves_or_to_nothing_yet():
    def recursive(pool, n, *, labeled, random_state):
        assert recursive
        return np.arange(n)

    def early(pool, n, *, labeled, random_state):
        return late(n)

    def looped(pool, n, *, labeled, random_state, loop):
        return np.arange(n)

    loop = []
    loop.append(loop)
    for ask in (recursive, early, partial(looped, loop=loop)):
        querier = fitted(ask)
        late = np.arange
        assert querier.query(POOL, 2).tolist() == [0, 1]


@pytest.mark.parametrize(
    ("scores", "message"),
    [
        (np.full(40, np.nan), "must not be NaN. 40 of 40"),
        (np.r_[np.nan, np.ones(39)], "must not be NaN. 1 of 40 .* is that of row 0"),
        (np.ones((40, 1)), r"must be 40 numbers, one for each row. Got .* \(40, 1\)"),
        (np.ones(39), "must be 40 numbers"),
        (np.array(["a"] * 40), "must be 40 numbers"),
    ],
)
def test_scores_that_are_none(scores, message):
    class Rubbish(ScoreStrategy):
        def score(self, pool):
            return scores

    querier = fitted(Rubbish())
    for ask in (querier.score_pool, lambda pool: querier.query(pool, 3)):
        with pytest.raises(ValueError, match=message):
            ask(POOL)


def test_experts_of_a_bandit_are_held_to_what_may_be_picked():
    def heedless(pool, n, *, labeled, random_state, feasible):
        return np.arange(n)

    querier = fitted(ALBL(experts=[heedless, "margin"]))
    with pytest.raises(ValueError, match="heedless must return rows that may be"):
        querier.query(POOL, 3, pending=[0])


def test_scores_of_the_pool_are_those_of_the_strategy():
    querier = fitted("margin")
    scores = querier.score_pool(POOL)
    expected = np.sort(querier.predict_proba(POOL), axis=1)
    np.testing.assert_allclose(scores, expected[:, -2] - expected[:, -1], atol=1e-15)
    np.testing.assert_array_equal(querier.query(POOL, 5), np.argsort(-scores)[:5])
    assert not hasattr(fitted("badge"), "score_pool")


def test_outputs_are_what_the_strategy_needs_or_what_is_asked_for():
    querier = fitted("margin")
    outputs = querier.outputs(POOL)
    assert outputs.features is None
    np.testing.assert_array_equal(outputs.proba, querier.predict_proba(POOL))
    assert querier.outputs(POOL, needs=("features",)).features.shape == (40, 3)


def test_a_set_of_parameters_that_fails_changes_no_name():
    querier = BadgeQuerier(LogisticRegression(), strategy="badge")
    with pytest.raises(ValueError, match="Invalid parameter 'nope'"):
        querier.set_params(strategy__nope=1)
    assert querier.strategy == "badge"
