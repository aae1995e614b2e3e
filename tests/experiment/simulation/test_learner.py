"""SimulatedActiveLearner: what it may look at, and what searches make of it."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_digits, make_classification
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from skbadge import BadgeQuerier
from skbadge.experiment import SimulatedActiveLearner
from skbadge.nn import TabularNetClassifier

SIZES = {"n_initial": 12, "n_query": 10, "n_rounds": 3, "random_state": 0}


def make_data(n_rows=160):
    return make_classification(
        n_rows, n_features=6, n_informative=4, n_classes=3, random_state=0
    )


@parametrize_with_checks(
    [
        SimulatedActiveLearner(
            BadgeQuerier(LogisticRegression()), n_initial=10, n_query=5, n_rounds=2
        ),
        SimulatedActiveLearner(BadgeQuerier(LogisticRegression())),
    ]
)
def test_scikit_learn_checks_pass(estimator, check):
    check(estimator)


def test_it_learns_from_the_labels_it_asked_for_alone():
    X, y = make_data()
    learner = SimulatedActiveLearner(
        BadgeQuerier(LogisticRegression(), strategy="margin"), **SIZES
    ).fit(X, y)
    assert len(learner.labeled_) == len(np.unique(learner.labeled_)) == 42
    model = LogisticRegression().fit(X[learner.labeled_], y[learner.labeled_])
    np.testing.assert_array_equal(learner.predict_proba(X), model.predict_proba(X))
    np.testing.assert_array_equal(learner.predict(X), model.predict(X))
    assert learner.score(X, y) == model.score(X, y)

    # Labels it did not ask for have no influence. Swapping two of the same class's
    # share would change the first draw, so the first rows are drawn uniformly.
    uniform = clone(learner).set_params(initial="uniform").fit(X, y)
    others = np.setdiff1d(np.arange(len(y)), uniform.labeled_)
    shuffled = y.copy()
    shuffled[others] = np.random.default_rng(0).permutation(y[others])
    again = clone(uniform).fit(X, shuffled)
    np.testing.assert_array_equal(again.labeled_, uniform.labeled_)


def test_a_search_compares_strategies_by_what_they_achieve():
    X, y = make_data()
    learner = SimulatedActiveLearner(BadgeQuerier(LogisticRegression()), **SIZES)
    grid = {"querier__strategy": ["badge", "entropy", "random"], "n_query": [5, 10]}
    search = GridSearchCV(learner, grid, cv=3).fit(X, y)
    assert len(search.cv_results_["params"]) == 6
    assert len(set(search.cv_results_["mean_test_score"])) > 1
    assert search.predict(X).shape == y.shape
    one = search.cv_results_["params"][0]
    expected = cross_val_score(clone(learner).set_params(**one), X, y, cv=3)
    assert search.cv_results_["mean_test_score"][0] == expected.mean()


def test_nets_pipelines_and_strings():
    X, y = make_data()
    labels = np.array(["ant", "bee", "cat"])[y]
    net = TabularNetClassifier(hidden_sizes=(8,), max_epochs=5)
    for querier in (
        BadgeQuerier(net),
        BadgeQuerier(make_pipeline(StandardScaler(), net)),
        make_pipeline(StandardScaler(), BadgeQuerier(net)),
    ):
        learner = SimulatedActiveLearner(querier, **SIZES).fit(X, labels)
        assert set(learner.predict(X)) <= set(labels)
        assert learner.classes_.tolist() == ["ant", "bee", "cat"]


def test_the_same_seed_labels_the_same_rows():
    X, y = make_data()
    learner = SimulatedActiveLearner(BadgeQuerier(LogisticRegression()), **SIZES)
    rows = [
        clone(learner).set_params(random_state=seed).fit(X, y).labeled_
        for seed in (0, 0, 1)
    ]
    np.testing.assert_array_equal(rows[0], rows[1])
    assert not np.array_equal(rows[0], rows[2])


def test_a_small_table_is_labelled_in_full():
    X, y = make_data(40)
    learner = SimulatedActiveLearner(BadgeQuerier(LogisticRegression())).fit(X, y)
    assert sorted(learner.labeled_) == list(range(40))


def test_the_budget_takes_the_place_of_rounds():
    X, y = make_data()
    sizes = {**SIZES, "n_rounds": None, "budget": 37}
    learner = SimulatedActiveLearner(BadgeQuerier(LogisticRegression()), **sizes)
    assert len(learner.fit(X, y).labeled_) == 37
    with pytest.raises(ValueError, match="say the same thing"):
        learner.set_params(n_rounds=3).fit(X, y)


def test_it_offers_what_the_querier_offers():
    X, _ = make_data()
    learner = SimulatedActiveLearner(BadgeQuerier(LogisticRegression()))
    assert hasattr(learner, "decision_function")
    with pytest.raises(NotFittedError):
        learner.predict(X)
    net = SimulatedActiveLearner(BadgeQuerier(TabularNetClassifier()))
    assert not hasattr(net, "decision_function")


def test_what_is_no_querier_is_refused():
    with pytest.raises(TypeError, match="must be a BadgeQuerier"):
        SimulatedActiveLearner(LogisticRegression(), **SIZES).fit(*make_data())


def test_queries_are_told_what_may_be_asked_for():
    X, y = load_digits(return_X_y=True)
    X, y = X[:300] / 16, y[:300]
    groups, candidates = np.arange(300) // 10, np.arange(300) % 2 == 0
    learner = SimulatedActiveLearner(
        BadgeQuerier(LogisticRegression()),
        n_initial=20,
        n_query=8,
        n_rounds=3,
        random_state=0,
    )
    learner.fit(X, y, candidates=candidates, query_groups=groups, max_per_group=1)
    queries = learner.labeled_[20:].reshape(3, 8)
    assert candidates[queries].all()
    assert all(len(set(groups[rows])) == 8 for rows in queries)
    few = np.arange(300) < 12
    learner.fit(X, y, candidates=few)
    # The run ends with the candidates.
    assert set(learner.labeled_[20:]) == set(np.flatnonzero(few)) - set(
        learner.labeled_[:20]
    )
    for wrong in (np.arange(5), few[:9]):
        with pytest.raises(ValueError, match="must be a boolean mask of the 300 rows"):
            learner.fit(X, y, candidates=wrong)


def test_groups_of_queries_may_be_of_any_kind():
    X, y = make_data()
    numbers = np.arange(len(y)) // 8
    learner = SimulatedActiveLearner(BadgeQuerier(LogisticRegression()), **SIZES)
    expected = learner.fit(X, y, query_groups=numbers).labeled_
    for groups in (numbers.astype(str), [(n, "site") for n in numbers], list(numbers)):
        found = learner.fit(X, y, query_groups=groups).labeled_
        np.testing.assert_array_equal(found, expected)
    X = np.tile(X[:40], (4, 1))
    rows = learner.fit(X, y, query_groups="duplicates").labeled_
    assert all(len(set(batch % 40)) == 10 for batch in rows[12:].reshape(3, 10))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"query_groups": np.arange(100)}, "each of the 160 rows of `X`. Got"),
        ({"query_groups": np.arange(300)}, "each of the 160 rows of `X`. Got"),
        ({"query_groups": "site"}, '`query_groups` must be "duplicates" or hold one'),
        ({"query_groups": [np.nan, *range(159)]}, "`query_groups` must have a value"),
        ({"query_groups": [None, *range(159)]}, "`query_groups` must have a value"),
        ({"query_groups": np.arange(160), "max_per_group": 0}, "must be an int >= 1"),
        ({"query_groups": np.arange(160), "max_per_group": 1.5}, "must be an int >= 1"),
        ({"max_per_group": 0}, "`max_per_group`=0 is a quota of `query_groups`"),
    ],
)
def test_groups_are_checked_before_anything_is_trained(wrong, message):
    class Untrained(LogisticRegression):
        def fit(self, X, y):
            raise AssertionError

    learner = SimulatedActiveLearner(BadgeQuerier(Untrained()), **SIZES)
    with pytest.raises(ValueError, match=message):
        learner.fit(*make_data(), **wrong)


def test_nobody_is_told_to_correct_the_labels_of_a_data_set():
    X, y = np.repeat(np.eye(3), 20, axis=0), np.arange(60) % 3
    querier = BadgeQuerier(LogisticRegression(), strategy="random")
    learner = SimulatedActiveLearner(querier, n_initial=20)
    assert learner.fit(X, y).predict(X).shape == (60,)
