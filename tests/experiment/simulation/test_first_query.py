"""Runs that ask for their first labels, so that starts can be compared."""

import pickle
import warnings

import numpy as np
import pytest
from sklearn.datasets import load_diabetes, make_blobs, make_classification
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import FitFailedWarning
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skbadge import BadgeQuerier
from skbadge.exceptions import QueryWarning
from skbadge.experiment import (
    Benchmark,
    ResultStore,
    SimulatedActiveLearner,
    active_learning_curve,
    run_benchmark,
)
from skbadge.experiment.simulation import draw_split, draw_start, prepare, simulate
from skbadge.strategies import CoreSet

STARTS = ["max_herding", "core_set", "random", CoreSet(kernel="cosine")]


def make_data(n_rows=200):
    return make_classification(
        n_rows, n_features=6, n_informative=4, n_classes=3, random_state=0
    )


def rare(n_rows=120):
    """Two classes; a row of the second one is found by chance only."""
    X, _ = make_blobs(n_rows, centers=1, random_state=0)
    return X, (np.arange(n_rows) >= n_rows - 15).astype(int)


def curve(querier, X, y, **options):
    options = {
        "strategies": ["margin", "random"],
        "n_initial": 6,
        "n_query": 6,
        "n_rounds": 2,
        "n_repeats": 3,
        "random_state": 0,
    } | options
    return active_learning_curve(querier, X, y, **options)


def start_of(y, initial, querier=None, **options):
    querier = BadgeQuerier(LogisticRegression()) if querier is None else querier
    options = {"n_initial": 6, "seed": 0} | options
    return draw_start(querier, y, initial=initial, **options)


@pytest.mark.parametrize("initial", STARTS, ids=str)
def test_the_first_rows_are_those_of_a_query_before_labels(initial):
    X, y = make_data()
    querier, split = BadgeQuerier(LogisticRegression()), start_of(y, initial)
    (first, _), (second, _) = simulate(
        querier, X, y, split, n_query=5, budget=11, seed=3
    )
    by_hand = prepare(querier, y, 3).set_params(cold_start=initial)
    picks = by_hand.query(X[split.pool], 6)
    np.testing.assert_array_equal(first.rows, split.pool[picks])
    assert first.round == 0
    assert first.n_labeled == 6
    assert first.query_time > 0
    assert "no model is trained yet" in first.report.fallbacks[0]
    assert second.n_labeled == 11


def test_test_rows_are_those_of_a_drawn_start():
    _, y = make_data()
    drawn = start_of(y, "auto")
    asked = start_of(y, "max_herding")
    np.testing.assert_array_equal(drawn.test, asked.test)
    np.testing.assert_array_equal(drawn.pool, asked.pool)
    expected = draw_split(y, n_initial=6, seed=0)
    np.testing.assert_array_equal(drawn.first, expected.first)
    # The whole numbers of a regression are no classes.
    numbers = start_of(y, "random", BadgeQuerier(Ridge()))
    uniform = draw_split(y, n_initial=6, seed=0, initial="uniform")
    np.testing.assert_array_equal(numbers.test, uniform.test)


@pytest.mark.parametrize(
    "wrap",
    [
        lambda querier: querier,
        lambda querier: make_pipeline(StandardScaler(), querier),
        lambda querier: GridSearchCV(querier, {"estimator__C": [1.0]}, cv=2),
    ],
    ids=["querier", "pipeline", "search"],
)
def test_all_strategies_of_a_repeat_start_alike(wrap):
    X, y = make_data()
    querier = wrap(BadgeQuerier(LogisticRegression()))
    frame = curve(querier, X, y, initial="max_herding", n_initial=12).to_frame()
    first = frame[frame["n_labeled"] == 12]
    assert first.groupby("repeat")["score"].nunique().tolist() == [1, 1, 1]
    assert first["score"].nunique() > 1
    assert len(frame) == 18


def test_starts_differ():
    X, y = make_data()
    querier = BadgeQuerier(LogisticRegression())
    scores = {
        initial: curve(querier, X, y, initial=initial, n_initial=12, n_rounds=0)
        .to_frame()["score"]
        .tolist()
        for initial in ("auto", "max_herding", "core_set", "random")
    }
    assert len({tuple(found) for found in scores.values()}) == 4
    again = curve(querier, X, y, initial="random", n_initial=12, n_rounds=0)
    assert again.to_frame()["score"].tolist() == scores["random"]


def test_regressors_start_by_a_query():
    X, y = load_diabetes(return_X_y=True)
    options = {"initial": "core_set", "strategies": ["badge", "random"]}
    frame = curve(BadgeQuerier(Ridge()), X, y, **options).to_frame()
    assert (frame.groupby("n_labeled").size() == 6).all()


# Labels of one class


def test_a_start_of_one_class_goes_on_until_the_model_can_be_trained():
    X, y = rare()
    querier = BadgeQuerier(LogisticRegression())
    split = start_of(y, "random", n_initial=1)
    rounds = [
        each for each, _ in simulate(querier, X, y, split, n_query=2, budget=40, seed=1)
    ]
    first = rounds[0]
    assert len(np.unique(y[first.rows])) == 2
    assert len(np.unique(y[first.rows[:-2]])) == 1
    assert first.n_labeled == len(first.rows) > 1
    assert first.n_labeled % 2 == 1
    assert [each.n_labeled for each in rounds[1:-1]] == list(
        range(first.n_labeled + 2, 40, 2)
    )
    rows = np.concatenate([each.rows for each in rounds])
    assert len(np.unique(rows)) == rounds[-1].n_labeled == 40


@pytest.mark.parametrize("step", [[], [StandardScaler()]], ids=["querier", "pipeline"])
def test_its_curve_begins_later_for_all_strategies_alike(step):
    X, y = rare()
    querier = make_pipeline(*step, BadgeQuerier(LogisticRegression()))
    frame = curve(
        querier if step else querier[-1],
        X,
        y,
        initial="random",
        n_initial=1,
        n_query=2,
        n_rounds=None,
        budget=60,
    ).to_frame()
    begins = frame.groupby(["repeat", "strategy"])["n_labeled"].min().unstack()
    assert (begins["margin"] == begins["random"]).all()
    assert begins["margin"].min() > 1
    first = frame[frame["n_labeled"] == frame["repeat"].map(begins["margin"])]
    assert (first.groupby("repeat")["score"].nunique() == 1).all()
    assert frame.groupby(["repeat", "strategy"])["n_labeled"].max().eq(60).all()


def test_a_run_whose_budget_ends_with_one_class_fails():
    X, y = rare()
    y[y == 1] = 0
    y[-1] = 1
    querier = BadgeQuerier(LogisticRegression())
    with pytest.warns(FitFailedWarning, match="one class only"):
        result = curve(querier, X, y, initial="core_set", n_initial=1, n_rounds=0)
    assert len(result.failures_frame()) == 6
    assert result.to_frame()["score"].isna().all()


def test_a_model_that_learns_from_one_class_is_evaluated_at_once():
    X, y = rare()
    forest = RandomForestClassifier(3, random_state=0)
    frame = curve(BadgeQuerier(forest), X, y, initial="core_set", n_initial=1)
    assert frame.to_frame()["n_labeled"].unique().tolist() == [1, 7, 13]


def test_other_errors_of_a_first_training_are_raised():
    class Broken(LogisticRegression):
        def fit(self, X, y):
            raise RuntimeError("broken")

    X, y = make_data()
    rounds = simulate(
        BadgeQuerier(Broken()), X, y, start_of(y, "random"), n_query=5, budget=20
    )
    with pytest.raises(RuntimeError, match="broken"):
        next(rounds)


def test_an_interrupted_run_goes_on_as_it_would_have():
    X, y = make_data()
    querier, split = BadgeQuerier(LogisticRegression()), start_of(y, "max_herding")
    options = {"n_query": 5, "budget": 21, "seed": 0}
    whole = [each for each, _ in simulate(querier, X, y, split, **options)]
    _, state = next(simulate(querier, X, y, split, **options))
    state = pickle.loads(pickle.dumps(state))
    rest = simulate(querier, X, y, split, **options, state=state)
    for (one, _), other in zip(rest, whole[1:], strict=True):
        np.testing.assert_array_equal(one.rows, other.rows)


# Who takes it


def test_what_cannot_be_a_start_is_refused():
    X, y = make_data()
    querier = BadgeQuerier(LogisticRegression())
    for initial in ("margin", CoreSet(kernel="gradients")):
        with pytest.raises(ValueError, match="`initial` selects before there is a"):
            curve(querier, X, y, initial=initial)
    trained = BadgeQuerier(FrozenEstimator(LogisticRegression().fit(X, y)))
    with pytest.raises(ValueError, match=r"`initial` must be .* for a trained model"):
        curve(trained, X, y, initial="core_set")
    learner = SimulatedActiveLearner(querier, initial="margin")
    with pytest.raises(ValueError, match="`initial` selects before there is a model"):
        learner.fit(X, y)


def test_a_learner_may_start_by_a_query():
    X, y = make_data()
    learner = SimulatedActiveLearner(
        BadgeQuerier(LogisticRegression()),
        n_initial=6,
        n_query=4,
        n_rounds=1,
        initial="max_herding",
        random_state=0,
    )
    candidates = np.arange(200) % 2 == 0
    learner.fit(X, y, candidates=candidates, query_groups=np.arange(200) // 4)
    assert len(learner.labeled_) == 10
    assert candidates[learner.labeled_].all()
    assert len(np.unique(learner.labeled_[:6] // 4)) == 6
    search = GridSearchCV(learner, {"initial": ["random", "core_set", "auto"]}, cv=2)
    assert search.fit(X, y).best_params_["initial"] in ("random", "core_set", "auto")


def test_a_store_knows_starts_apart(tmp_path):
    X, y = make_data()
    querier, path = BadgeQuerier(LogisticRegression()), tmp_path / "runs.sqlite"
    options = {"store": path, "n_repeats": 1}
    frames = [
        curve(querier, X, y, initial=initial, **options).to_frame()
        for initial in ("auto", "random", "core_set", CoreSet(first_center="uniform"))
    ]
    with ResultStore(path) as store:
        assert store.counts()["done"] == 8
    again = curve(querier, X, y, initial="random", **options).to_frame()
    assert again["fit_time"].tolist() == frames[1]["fit_time"].tolist()


def test_benchmarks_take_a_start(tmp_path):
    toml = tmp_path / "bench.toml"
    toml.write_text(
        'strategies = ["margin", "random"]\n'
        'initial = "core_set"\n'
        "n_query = 5\nn_initial = 9\nn_rounds = 1\nn_repeats = 2\n"
        '[datasets.iris]\nobject = "sklearn.datasets:load_iris"\n'
        '[models.linear]\nobject = "sklearn.linear_model:LogisticRegression"\n'
        "max_iter = 500\n"
    )
    benchmark = Benchmark.from_toml(toml)
    assert {config["initial"] for config in benchmark.configs()} == {"core_set"}
    frame = run_benchmark(benchmark, tmp_path / "runs.sqlite").to_frame()
    assert len(frame) == 8
    first = frame[frame["n_labeled"] == 9]
    assert first.groupby("repeat")["score"].nunique().tolist() == [1, 1]
    assert (first["query_time"] > 0).all()
    with pytest.raises(ValueError, match="`initial` selects before there is a model"):
        Benchmark(
            datasets={"blobs": make_data},
            models={"linear": LogisticRegression()},
            strategies=["badge"],
            initial="badge",
        )


def test_the_querier_stays_as_it_is():
    X, y = make_data()
    querier = BadgeQuerier(LogisticRegression())
    curve(querier, X, y, initial="random", n_repeats=1)
    assert querier.cold_start == "max_herding"
    with pytest.warns(QueryWarning, match="No model is trained yet"):
        querier.query(X, 2)


def test_rows_that_occur_twice_are_no_fault_of_the_caller():
    X, y = (np.repeat(part, 2, axis=0) for part in make_data())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        curve(BadgeQuerier(LogisticRegression()), X, y, error_score="raise")
