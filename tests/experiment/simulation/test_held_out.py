"""Rows held out: seen by the model as its training rows are, and by nothing else."""

import pickle

import numpy as np
import pandas as pd
import pytest
from joblib import Memory
from numpy.testing import assert_array_equal
from pandas.testing import assert_frame_equal
from sklearn.base import BaseEstimator, RegressorMixin, clone
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import MinMaxScaler, OneHotEncoder, StandardScaler

from skbadge import BadgeQuerier
from skbadge.experiment import (
    Benchmark,
    SimulatedActiveLearner,
    active_learning_curve,
    run_benchmark,
)
from skbadge.experiment.simulation import draw_split, prepare, simulate
from skbadge.nn import TabularNetClassifier, TabularNetRegressor
from tests.experiment._benchmarks import without_times

SEEN = []


class Recorder(RegressorMixin, BaseEstimator):
    """Keeps what each training saw."""

    def __init__(self, validation_data=None):
        self.validation_data = validation_data

    def fit(self, X, y):
        SEEN.append((X, y, *self.validation_data))
        self.model_ = LinearRegression().fit(X, y)
        return self

    def predict(self, X):
        return self.model_.predict(X)


@pytest.fixture(autouse=True)
def _nothing_seen():
    SEEN.clear()


def make_data(n=120):
    rng = np.random.RandomState(0)
    X = rng.normal(size=(n, 3)) * [1, 10, 100] + 5
    return X, X[:, 0] + np.sin(X[:, 1]) + 0.1 * rng.normal(size=n)


def net(**params):
    return TabularNetRegressor(hidden_sizes=(8,), max_epochs=4, **params)


def run(model, X, y, **options):
    split = draw_split(y, n_initial=10, n_validation=15, initial="uniform", seed=0)
    querier = BadgeQuerier(model, strategy="random")
    options = {"n_query": 10, "budget": 30, "seed": 0} | options
    return list(simulate(querier, X, y, split, **options)), split


def test_a_model_is_given_the_rows_held_out_as_they_are():
    X, y = make_data()
    _, split = run(Recorder(), X, y)
    assert [len(seen[0]) for seen in SEEN] == [10, 20, 30]
    for _, _, X_held_out, y_held_out in SEEN:
        assert_array_equal(X_held_out, X[split.held_out])
        assert_array_equal(y_held_out, y[split.held_out])


NESTED = [
    make_pipeline(StandardScaler(), Recorder()),
    Pipeline([("nothing", "passthrough"), ("s", StandardScaler()), ("r", Recorder())]),
    make_pipeline("passthrough", make_pipeline(StandardScaler(), Recorder())),
]


@pytest.mark.parametrize("pipeline", NESTED, ids=["scaled", "passthrough", "nested"])
def test_steps_before_the_model_transform_them_and_do_not_learn_from_them(pipeline):
    X, y = make_data()
    rounds, split = run(pipeline, X, y)
    assert len(SEEN) == len(rounds) == 3
    labeled = np.concatenate([evaluation.rows for evaluation, _ in rounds])
    for X_seen, _, X_held_out, y_held_out in SEEN:
        scaler = StandardScaler().fit(X[labeled[: len(X_seen)]])
        np.testing.assert_allclose(X_held_out, scaler.transform(X[split.held_out]))
        np.testing.assert_allclose(X_seen.mean(axis=0), 0, atol=1e-9)
        assert_array_equal(y_held_out, y[split.held_out])


def test_a_pipeline_predicts_and_queries_as_it_would_without():
    X, y = make_data()
    rounds, split = run(make_pipeline(StandardScaler(), Recorder()), X, y)
    _, state = rounds[-1]
    labeled = state.labeled
    plain = make_pipeline(StandardScaler(), LinearRegression())
    expected = plain.fit(X[labeled], y[labeled]).predict(X[split.test])
    np.testing.assert_allclose(state.querier.predict(X[split.test]), expected)
    assert isinstance(state.querier.estimator_[0], StandardScaler)


def test_a_memory_does_as_well(tmp_path):
    X, y = make_data()
    steps = StandardScaler(), MinMaxScaler(), Recorder()
    plain, _ = run(make_pipeline(*steps), X, y)
    memory = Memory(tmp_path, verbose=0)
    # It trains clones of the steps.
    kept, _ = run(make_pipeline(*steps, memory=memory), X, y)
    for first, second in zip(SEEN[:3], SEEN[3:], strict=True):
        assert_array_equal(first[2], second[2])
    predicted = plain[-1][1].querier.predict(X)
    assert_array_equal(kept[-1][1].querier.predict(X), predicted)


def test_a_mixed_table_is_encoded_for_the_net():
    X, y = make_data()
    table = pd.DataFrame(X, columns=list("abc")).assign(
        kind=np.where(X[:, 0] > 5, "high", "low")
    )
    columns = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), ["kind"]), remainder=StandardScaler()
    )
    rounds, _ = run(make_pipeline(columns, net()), table, y)
    model = rounds[-1][1].querier.estimator_[-1]
    assert model.validation_data[0].shape == (15, 5)
    assert "valid_loss" in model.history_[-1]


def as_frame(X):
    return pd.DataFrame(X, columns=["a", "b", "c"])


@pytest.mark.parametrize("convert", [as_frame, np.ndarray.tolist])
def test_a_bare_net_takes_the_rows_of_any_container(convert):
    X, y = make_data()
    expected, split = run(net(), X, y)
    found, _ = run(net(), convert(X), y)
    for (_, first), (_, second) in zip(expected, found, strict=True):
        predicted = first.querier.predict(X[split.test])
        rows = convert(X[split.test])
        assert_array_equal(second.querier.predict(rows), predicted)


def test_a_net_is_trained_as_with_validation_data_written_out():
    X, y = make_data()
    rounds, split = run(net(lr=2.0), X, y, budget=10)
    (_, state), = rounds  # fmt: skip
    held_out = X[split.held_out], y[split.held_out]
    model = net(lr=2.0, validation_data=held_out)
    querier = prepare(BadgeQuerier(model, strategy="random"), y, 0)
    querier.fit(X[split.first], y[split.first])
    expected = querier.predict(X[split.test])
    assert_array_equal(state.querier.predict(X[split.test]), expected)
    assert state.querier.estimator_.best_epoch_ is not None
    # They choose the epoch: others would have led to another net.
    other = net(lr=2.0, validation_data=(held_out[0], -held_out[1]))
    querier = prepare(BadgeQuerier(other, strategy="random"), y, 0)
    querier.fit(X[split.first], y[split.first])
    assert not np.array_equal(querier.predict(X[split.test]), expected)


@pytest.mark.parametrize("with_steps", [False, True])
def test_an_interrupted_run_ends_as_if_it_had_not_been(with_steps):
    X, y = make_data()
    model = make_pipeline(StandardScaler(), net()) if with_steps else net()
    whole, split = run(model, X, y)
    for _, state in simulate(
        BadgeQuerier(model, strategy="random"),
        X, y, split, n_query=10, budget=30, seed=0,
    ):  # fmt: skip
        kept = pickle.loads(pickle.dumps(state))
        break
    rest, _ = run(model, X, y, state=kept)
    assert len(rest) == 2
    first, second = rest[-1][1], whole[-1][1]
    assert_array_equal(first.labeled, second.labeled)
    assert_array_equal(first.querier.predict(X), second.querier.predict(X))


def test_the_model_given_stays_as_it_is():
    X, y = make_data()
    model, pipeline = net(), make_pipeline(StandardScaler(), net())
    for each in (model, pipeline):
        run(each, X, y, budget=10)
    assert model.validation_data is None
    assert type(pipeline) is Pipeline
    assert pipeline[-1].validation_data is None


class WithPreprocessor:
    def __init__(self, X, y, preprocessor):
        self.X, self.y, self.preprocessor = X, y, preprocessor


def read_data():
    X, y = make_data()
    return WithPreprocessor(X, y, StandardScaler())


def benchmark(**changes):
    options = {
        "datasets": {"d": read_data},
        "models": {"net": net()},
        "strategies": ["lcmd", "random"],
        "n_query": 10,
        "n_initial": 10,
        "n_rounds": 2,
        "n_repeats": 1,
        "n_validation": 15,
        "scoring": ["neg_max_error", "neg_error_quantile_95"],
    }
    return Benchmark(**(options | changes))


class Interrupting(TabularNetRegressor):
    """Stops the program at its second training."""

    n_trainings = 0
    is_on = False

    def fit(self, X, y):
        Interrupting.n_trainings += 1
        if Interrupting.is_on and Interrupting.n_trainings == 2:
            raise KeyboardInterrupt
        return super().fit(X, y)


def test_a_benchmark_resumes_with_the_same_rows_held_out(tmp_path, monkeypatch):
    models = {"net": Interrupting(hidden_sizes=(8,), max_epochs=4)}
    whole = run_benchmark(benchmark(models=models), tmp_path / "whole.db")
    assert whole.counts["done"] == 2
    assert whole.to_frame()["score"].notna().all()
    monkeypatch.setattr(Interrupting, "is_on", True)
    monkeypatch.setattr(Interrupting, "n_trainings", 0)
    with pytest.raises(KeyboardInterrupt):
        run_benchmark(benchmark(models=models), tmp_path / "torn.db")
    monkeypatch.setattr(Interrupting, "is_on", False)
    torn = run_benchmark(benchmark(models=models), tmp_path / "torn.db")
    assert sorted(torn.runs_frame()["attempts"]) == [1, 2]
    assert_frame_equal(without_times(torn.to_frame()), without_times(whole.to_frame()))


def test_a_benchmark_and_a_curve_hold_them_out(tmp_path):
    recording = benchmark(models={"m": Recorder()}, strategies=["random"])
    assert run_benchmark(recording, tmp_path / "m.db").counts["done"] == 1
    assert [len(seen[2]) for seen in SEEN] == [15, 15, 15]
    SEEN.clear()
    X, y = make_data()
    active_learning_curve(
        BadgeQuerier(Recorder()), X, y, strategies=["random"],
        n_initial=10, n_query=10, n_rounds=2, n_repeats=2, n_validation=15,
        random_state=0,
    )  # fmt: skip
    assert [len(seen[2]) for seen in SEEN] == [15] * 6
    assert not np.array_equal(SEEN[0][2], SEEN[3][2])


def test_a_toml_file_says_so(tmp_path):
    path = tmp_path / "b.toml"
    path.write_text(
        "n_validation = 15\nstrategies = ['random']\n"
        "scoring = ['neg_error_quantile_99']\n"
        "datasets = {d = 'sklearn.datasets:load_diabetes'}\n"
        "models = {net = 'skbadge.nn:TabularNetRegressor'}\n"
    )
    assert Benchmark.from_toml(path).configs()[0]["n_validation"] == 15


class OwnPipeline(Pipeline):
    pass


@pytest.mark.parametrize(
    ("querier", "message"),
    [
        (BadgeQuerier(LinearRegression()), "a parameter `validation_data`.*LinearReg"),
        (BadgeQuerier(TabularNetClassifier()), "is for regressors.*TabularNetClass"),
        (BadgeQuerier(), "is for regressors"),
        (
            BadgeQuerier(GridSearchCV(net(), {"lr": [0.1, 0.2]})),
            "a parameter `validation_data`.*GridSearchCV",
        ),
        (
            BadgeQuerier(OwnPipeline([("net", net())])),
            "a parameter `validation_data`.*OwnPipeline",
        ),
        (
            make_pipeline(StandardScaler(), BadgeQuerier(net())),
            "nothing may be around the BadgeQuerier.*Got Pipeline",
        ),
        (BadgeQuerier(net(validation_fraction=0.2)), "own `validation_fraction` must"),
        (
            BadgeQuerier(
                make_pipeline(StandardScaler(), net(validation_data=((), ())))
            ),
            "own `validation_data` must be None",
        ),
    ],
)
def test_models_that_cannot_use_them_are_refused_before_training(querier, message):
    X, y = make_data()
    with pytest.raises(ValueError, match=message):
        active_learning_curve(querier, X, y, n_initial=10, n_validation=15)
    with pytest.raises(ValueError, match=message):
        benchmark(models={"m": querier})


def test_a_simulated_learner_holds_rows_held_out_out():
    X, y = make_data()
    querier = BadgeQuerier(Recorder(), strategy="random")
    learner = SimulatedActiveLearner(
        querier, n_initial=10, n_query=10, n_rounds=2, n_validation=15, random_state=0
    ).fit(X, y)
    assert len(learner.labeled_) == 30
    held_out = {tuple(row) for row in SEEN[0][2]}
    assert len(held_out) == 15
    assert not held_out & {tuple(row) for row in X[learner.labeled_]}
    for _, _, X_held_out, y_held_out in SEEN:
        assert {tuple(row) for row in X_held_out} == held_out
        at = [np.flatnonzero((row == X).all(axis=1))[0] for row in X_held_out]
        assert_array_equal(y_held_out, y[at])
    # All that is left is labelled in the end, and no more.
    everything = clone(learner).set_params(n_rounds=50).fit(X, y)
    assert len(everything.labeled_) == 120 - 15


def test_a_simulated_learner_refuses_more_rows_held_out_than_there_are():
    X, y = make_data()
    querier = BadgeQuerier(Recorder(), strategy="random")
    with pytest.raises(ValueError, match="`n_validation` must leave some of the 120"):
        SimulatedActiveLearner(querier, n_validation=120).fit(X, y)
    with pytest.raises(ValueError, match="needs a model with a parameter"):
        SimulatedActiveLearner(
            BadgeQuerier(LinearRegression(), strategy="lcmd"), n_validation=10
        ).fit(X, y)


def test_a_search_over_a_simulated_learner_with_rows_held_out():
    X, y = make_data()
    learner = SimulatedActiveLearner(
        BadgeQuerier(net()), n_initial=10, n_query=5, n_rounds=1, n_validation=20
    )
    grid = {"querier__strategy": ["lcmd", "random"]}
    search = GridSearchCV(learner, grid, cv=2, error_score="raise").fit(X, y)
    assert search.best_estimator_.querier_.estimator_.validation_data is not None
