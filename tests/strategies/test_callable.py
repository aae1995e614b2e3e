"""A user's function as a strategy."""

from functools import partial, wraps

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression

from skbadge import BadgeQuerier
from skbadge.exceptions import QueryWarning
from skbadge.outputs import Labeled, Needs, Outputs
from skbadge.strategies import CallableStrategy, get_strategy

POOL = Outputs(proba=np.full((6, 2), 0.5), features=np.ones((6, 3)))
LABELED = Labeled(
    Outputs(proba=np.full((2, 2), 0.5), features=np.ones((2, 3))), np.array(["a", "b"])
)


def test_the_function_receives_what_was_passed():
    received = {}

    def function(pool, n, *, labeled, random_state):
        received.update(pool=pool, n=n, labeled=labeled, random_state=random_state)
        return [5, 0, 2]

    rng = np.random.RandomState(0)
    selection = get_strategy(function).run(POOL, 3, labeled=LABELED, random_state=rng)
    assert selection.rows.tolist() == [5, 0, 2]
    assert selection.rows.dtype == np.int64
    assert selection.values is None
    assert received == {"pool": POOL, "n": 3, "labeled": LABELED, "random_state": rng}


def test_the_random_state_is_made_from_a_seed():
    def function(pool, n, *, labeled, random_state):
        return random_state.permutation(len(pool))[:n]

    strategy = CallableStrategy(function)
    expected = np.random.RandomState(3).permutation(6)[:4]
    np.testing.assert_array_equal(strategy.select(POOL, 4, random_state=3), expected)


def test_n_is_checked_before_the_function_is_called():
    def function(pool, n, *, labeled, random_state):
        assert n == 6
        return np.arange(n)

    with pytest.warns(QueryWarning, match="`n`=8 is above the 6 rows"):
        assert len(CallableStrategy(function).select(POOL, 8)) == 6
    with pytest.raises(ValueError, match="`n` must be >= 0"):
        CallableStrategy(function).select(POOL, -1)


def test_an_empty_list_answers_for_no_rows():
    rows = CallableStrategy(lambda pool, n, *, labeled, random_state: []).select(
        POOL, 0
    )
    assert rows.dtype == np.int64
    assert rows.shape == (0,)


@pytest.mark.parametrize(
    ("answer", "match"),
    [
        ([0, 1], r"return an array of 3 int positions. Got .* shape \(2,\)"),
        ([0, 1, 2, 3], r"shape \(4,\)"),
        ([[0, 1, 2]], r"shape \(1, 3\)"),
        (np.array([0.0, 1.0, 2.0]), "Got dtype float64"),
        (np.array([True, True, True]), "Got dtype bool"),
        (None, "Got dtype object"),
        ([0, 1, 1], "return distinct positions"),
        ([0, 1, 6], "positions between 0 and 5. Got 6"),
        ([0, 1, -1], "positions between 0 and 5. Got -1"),
    ],
)
def test_a_bad_answer_is_refused_by_the_functions_name(answer, match):
    def my_rule(pool, n, *, labeled, random_state):
        return answer

    with pytest.raises(ValueError, match=rf"^The strategy my_rule must .*{match}"):
        CallableStrategy(my_rule).select(POOL, 3)


def test_needs_are_those_of_the_function():
    def function(pool, n, *, labeled, random_state):
        return np.arange(n)

    expected = Needs(proba=True, features=True, labeled=True)
    assert CallableStrategy(function).needs == expected
    function.needs = ("features",)
    strategy = CallableStrategy(function)
    assert strategy.needs == Needs(features=True)
    assert len(strategy.select(Outputs(features=np.ones((4, 2))), 2)) == 2
    with pytest.raises(ValueError, match=r"needs `pool.features`"):
        strategy.select(Outputs(proba=np.ones((4, 1))), 2)


def test_a_callable_object_is_a_strategy_too():
    class Rule:
        def __call__(self, pool, n, *, labeled, random_state):
            return [0, 0]

        def __repr__(self):
            return "Rule()"

    with pytest.raises(ValueError, match=r"The strategy Rule\(\) must return distinct"):
        get_strategy(Rule()).select(POOL, 2)


@pytest.mark.parametrize(
    ("function", "match"),
    [
        (lambda pool, n: range(n), "unexpected keyword argument 'labeled'"),
        (lambda pool, n, *, labeled: range(n), "keyword argument 'random_state'"),
        (
            lambda pool, n, *, labeled, random_state, costs: range(n),
            "missing a required .*argument: 'costs'",
        ),
        (lambda *, labeled, random_state: [], "too many positional arguments"),
    ],
)
def test_a_function_that_cannot_be_called_so_is_refused_before_there_is_a_model(
    function, match
):
    querier = BadgeQuerier(LogisticRegression(), strategy=function)
    with pytest.raises(TypeError, match=f"The strategy <lambda> must be .*{match}"):
        querier.check_parameters()


def choose(pool, n, *, labeled, random_state, costs):
    return np.argsort(costs)[:n]


class Silent:
    """Tells nobody how it is called."""

    @property
    def __signature__(self):
        raise ValueError("no signature found")

    def __call__(self, pool, n, *, labeled, random_state):
        return np.arange(n)


@wraps(choose)
def choose_cheapest(*args, **options):
    return choose(*args, costs=np.arange(6), **options)


@pytest.mark.parametrize(
    "function",
    [
        choose_cheapest,
        partial(choose, costs=np.arange(6)),
        lambda pool, n, **options: np.arange(n),
        lambda pool, n, *, labeled, random_state, feasible: np.arange(n),
        Silent(),
    ],
    ids=["wrapper", "partial", "any keyword", "feasible", "no signature"],
)
def test_functions_of_many_kinds_are_strategies(function):
    assert CallableStrategy(function).select(POOL, 2).tolist() == [0, 1]


def test_it_keeps_the_function_when_cloned():
    strategy = CallableStrategy(len)
    assert clone(strategy).function is len


def test_anything_but_a_function_is_refused():
    with pytest.raises(
        ValueError, match="The 'function' parameter of CallableStrategy"
    ):
        CallableStrategy(3).select(POOL, 2)
