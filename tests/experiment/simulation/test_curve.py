"""Learning curves: paired, reproducible, and honest about what failed."""

import os
import signal
import warnings
from types import MappingProxyType

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import load_iris, make_classification
from sklearn.exceptions import DataConversionWarning, FitFailedWarning
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from skorch import NeuralNetRegressor
from torch import nn

from skbadge import BadgeQuerier
from skbadge.experiment import (
    ResultStore,
    SimulatedActiveLearner,
    active_learning_curve,
)
from skbadge.nn import TabularNetClassifier
from skbadge.strategies import Badge, Random

TIMES = ["fit_time", "query_time", "score_time"]
SIZES = {"n_initial": 12, "n_query": 10, "n_rounds": 2, "n_repeats": 2}


def make_data(n_rows=160):
    return make_classification(
        n_rows, n_features=6, n_informative=4, n_classes=3, random_state=0
    )


def curve(querier=None, **options):
    querier = BadgeQuerier(LogisticRegression()) if querier is None else querier
    options = {"strategies": ["badge", "random"], "random_state": 0} | SIZES | options
    return active_learning_curve(querier, *make_data(), **options)


def without_times(result):
    return result.to_frame().drop(columns=TIMES)


def test_the_frame_has_a_row_for_each_evaluation_and_metric():
    frame = curve(scoring=["accuracy", "neg_log_loss"]).to_frame()
    assert list(frame.columns) == [
        "dataset", "model", "strategy", "n_query", "repeat", "n_labeled",
        "metric", "score", *TIMES,
    ]  # fmt: skip
    assert len(frame) == 2 * 2 * 3 * 2
    key = ["strategy", "repeat", "n_labeled", "metric"]
    assert not frame.duplicated(key).any()
    assert set(frame["n_labeled"]) == {12, 22, 32}
    assert set(frame["model"]) == {"LogisticRegression"}
    assert set(frame["n_query"]) == {10}
    assert (frame["fit_time"] > 0).all()
    assert ((frame["query_time"] > 0) == (frame["n_labeled"] > 12)).all()


def test_strategies_of_a_repeat_share_their_start_and_repeats_differ():
    frame = curve(n_repeats=3).to_frame().query("n_labeled == 12")
    start = frame.pivot(index="repeat", columns="strategy", values="score")
    assert (start["badge"] == start["random"]).all()
    assert start["badge"].nunique() > 1


def test_a_strategy_scores_the_same_whatever_it_is_compared_with():
    alone = without_times(curve(strategies=["random"]))
    together = without_times(curve(strategies=["badge", "margin", "random"]))
    together = together[together["strategy"] == "random"].reset_index(drop=True)
    pd.testing.assert_frame_equal(alone, together)


@pytest.mark.parametrize(
    "querier",
    [BadgeQuerier(TabularNetClassifier(hidden_sizes=(16,), max_epochs=5))],
    ids=["net"],
)
def test_the_same_seed_gives_the_same_frame_for_any_number_of_jobs(querier):
    frames = [without_times(curve(querier, n_jobs=n_jobs)) for n_jobs in (1, 2)]
    pd.testing.assert_frame_equal(*frames)
    other = without_times(curve(querier, random_state=1))
    assert not np.array_equal(other["score"], frames[0]["score"])


def test_threads_do_not_depend_on_the_number_of_jobs():
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        seen = [
            curve(
                BadgeQuerier(LogisticRegression(), strategy="random"),
                strategies=None,
                n_threads=n_threads,
                scoring={"threads": count_threads},
            ).to_frame()["score"]
            for n_threads in (1, None)
        ]
        assert set(seen[0]) == {1}
        assert set(seen[1]) == {2}
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def count_threads(querier, X, y):
    import torch

    return torch.get_num_threads()


def test_other_joblib_backends_will_do():
    expected = without_times(curve())
    with joblib.parallel_config(backend="threading", n_jobs=2):
        pd.testing.assert_frame_equal(without_times(curve()), expected)
    with joblib.parallel_config(backend="multiprocessing", n_jobs=2):
        pd.testing.assert_frame_equal(without_times(curve()), expected)


def test_the_budget_counts_all_labels():
    frame = curve(n_rounds=None, budget=25).to_frame()
    assert sorted(set(frame["n_labeled"])) == [12, 22, 25]
    assert curve(n_rounds=0).to_frame()["n_labeled"].unique().tolist() == [12]


def test_splits_of_cross_validation_are_repeated():
    frame = curve(cv=KFold(4), n_repeats=2).to_frame()
    assert frame["repeat"].nunique() == 8
    assert len(frame) == 8 * 2 * 3


def test_a_splitter_may_give_masks():
    rows = np.arange(160)
    masks = [(rows < 100, rows >= 100)]
    positions = [tuple(map(np.flatnonzero, parts)) for parts in masks]
    assert without_times(curve(cv=masks)).equals(without_times(curve(cv=positions)))


def test_what_may_be_read_once_is_read_once(tmp_path):
    options = {"store": tmp_path / "store.db"}
    options |= {
        "strategies": iter(["badge"]),
        "scoring": iter(["accuracy", "f1_macro"]),
    }
    frame = curve(n_query=np.int64(10), n_threads=np.int64(1), **options).to_frame()
    assert set(frame["metric"]) == {"accuracy", "f1_macro"}
    assert set(frame["strategy"]) == {"badge"}
    assert frame["score"].notna().all()


@pytest.mark.parametrize("kind", [np.int64, np.uint8])
@pytest.mark.parametrize("initial", ["auto", "core_set"])
def test_numbers_of_numpy_are_those_of_python(tmp_path, initial, kind):
    path = tmp_path / "curve.sqlite"
    # Ten rounds of 60 are more than the small type holds.
    plain = {"n_initial": 12, "n_query": 60}
    options = {"strategies": ["random"], "n_rounds": None, "initial": initial}
    sizes = {name: kind(size) for name, size in plain.items()}
    expected = without_times(curve(**options, **plain))
    for more in (sizes, sizes | {"store": path}, plain | {"store": path}):
        found = without_times(curve(**options, **more))
        pd.testing.assert_frame_equal(found, expected)
    with ResultStore(path) as store:
        assert store.runs_frame()["attempts"].tolist() == [1, 1]


def test_labels_may_be_a_column():
    X, y = make_data()
    options = SIZES | {"random_state": 0}
    querier = BadgeQuerier(LogisticRegression())
    with pytest.warns(DataConversionWarning, match="column-vector"):
        column = active_learning_curve(querier, X, y[:, np.newaxis], **options)
    flat = active_learning_curve(querier, X, y, **options)
    assert without_times(column).equals(without_times(flat))


@pytest.mark.parametrize(
    ("querier", "gaps"),
    [
        (BadgeQuerier(LogisticRegression()), ["a", "b", None, "a"] * 10),
        (BadgeQuerier(LogisticRegression()), pd.array(["a", "b", pd.NA, "a"] * 10)),
        (BadgeQuerier(LinearRegression()), [0.5, 1.5, np.nan, 2.5] * 10),
        (BadgeQuerier(LinearRegression()), [0.5, 1.5, np.inf, 2.5] * 10),
    ],
)
def test_missing_labels_are_refused_before_anything_is_trained(querier, gaps):
    X, whole = np.arange(40.0)[:, np.newaxis], np.arange(40) % 2
    with pytest.raises(ValueError, match=r"`y` contains NaN or"):
        active_learning_curve(querier, X, gaps)
    with pytest.raises(
        ValueError, match=r"`X_test` and `y_test`: .*`y` contains NaN or"
    ):
        active_learning_curve(querier, X, whole, X_test=X, y_test=gaps)
    with pytest.raises(ValueError, match=r"`X_test` and `y_test`: .*inconsistent"):
        active_learning_curve(querier, X, whole, X_test=X, y_test=whole[1:])


def test_nets_of_several_targets_have_curves():
    X = np.random.RandomState(0).normal(size=(60, 3)).astype("f")
    net = NeuralNetRegressor(nn.Linear(3, 2), max_epochs=2, verbose=0, train_split=None)
    querier = BadgeQuerier(net, strategy="random")
    options = {"n_initial": 10, "n_query": 5, "n_rounds": 1, "random_state": 0}
    around = make_pipeline(StandardScaler(), querier)
    for each in (querier, around):
        frame = active_learning_curve(
            each, X, X[:, :2], n_repeats=1, **options
        ).to_frame()
        assert len(frame) == 2
        assert frame["score"].notna().all()
    learner = SimulatedActiveLearner(querier, **options).fit(X, X[:, :2])
    assert learner.predict(X).shape == (60, 2)


def test_given_test_rows_are_scored_on():
    X, y = make_data()
    seen = []

    def scorer(querier, X_test, y_test):
        seen.append((X_test, y_test))
        return querier.score(X_test, y_test)

    active_learning_curve(
        BadgeQuerier(LogisticRegression()),
        X[:100], y[:100], X_test=X[100:], y_test=y[100:], scoring=scorer, **SIZES,
    )  # fmt: skip
    assert len(seen) == 2 * 3
    for X_test, y_test in seen:
        np.testing.assert_array_equal(X_test, X[100:])
        np.testing.assert_array_equal(y_test, y[100:])


def test_strategies_are_named_after_themselves_or_by_a_dict():
    def mine(pool, n, *, labeled, random_state):
        return np.arange(n)

    names = curve(strategies=["margin", Badge(include_bias=True), mine])
    assert list(names.to_frame()["strategy"].unique()) == [
        "margin",
        "Badge(include_bias=True)",
        "mine",
    ]
    for mapping in (dict, MappingProxyType):
        named = curve(
            strategies=mapping({"a": Random(), "b": mine}),
            scoring=mapping({"share": "accuracy"}),
        ).to_frame()
        assert list(named["strategy"].unique()) == ["a", "b"]
        assert set(named["metric"]) == {"share"}
    own = curve(BadgeQuerier(LogisticRegression(), strategy="entropy"), strategies=None)
    assert set(own.to_frame()["strategy"]) == {"entropy"}


def test_labels_may_be_strings_and_rows_a_frame():
    X, y = load_iris(return_X_y=True, as_frame=True)
    result = active_learning_curve(
        BadgeQuerier(LogisticRegression()), X, y.map(str), random_state=0, **SIZES
    )
    assert result.to_frame()["score"].min() > 0.3


class FailsBeyond(ClassifierMixin, BaseEstimator):
    """A classifier that cannot be trained on many rows."""

    def __init__(self, n_rows=20):
        self.n_rows = n_rows

    def fit(self, X, y):
        if len(y) > self.n_rows:
            raise FloatingPointError(f"{len(y)} rows are\n too many")
        self.model_ = LogisticRegression().fit(X, y)
        self.classes_ = self.model_.classes_
        return self

    def predict(self, X):
        return self.model_.predict(X)

    def predict_proba(self, X):
        return self.model_.predict_proba(X)


def test_a_run_that_fails_is_reported_and_stops_no_other(tmp_path):
    querier = BadgeQuerier(FailsBeyond())
    with pytest.warns(FitFailedWarning, match="4 of 4 runs failed.*22 rows are too"):
        result = curve(querier)
    frame = result.to_frame()
    assert len(frame) == 2 * 2 * 3
    assert (frame["score"].isna() == (frame["n_labeled"] > 12)).all()
    failures = result.failures_frame()
    assert set(failures["n_labeled"]) == {12}
    assert failures["error"][0] == "FloatingPointError: 22 rows are too many"
    assert "too many" in str(result)
    assert "too many" in result._repr_html_()
    with pytest.raises(FloatingPointError, match="too many"):
        curve(querier, error_score="raise")
    with pytest.raises(FloatingPointError, match="too many"):
        curve(querier, error_score="raise", store=tmp_path / "results.db")
    with pytest.warns(FitFailedWarning):
        assert 0.0 in set(curve(querier, error_score=0.0).to_frame()["score"])


class FailsTheOthers(LogisticRegression):
    """Takes the runs that are left, as another process would."""

    def __init__(self, path=None):
        super().__init__()
        self.path = path

    def fit(self, X, y):
        with ResultStore(self.path) as store:
            while (claim := store.claim()) is not None:
                claim.fail(OSError("not here"))
        return super().fit(X, y)


def test_what_another_process_has_failed_in_is_raised(tmp_path):
    path = str(tmp_path / "results.db")
    querier = BadgeQuerier(FailsTheOthers(path))
    with pytest.raises(
        RuntimeError, match=r"3 of 4 runs failed.*OSError: not here\. S"
    ):
        curve(querier, store=path, error_score="raise")
    with ResultStore(path) as store:
        assert store.counts()["done"] == 1
        assert store.to_frame()["n_labeled"].tolist() == [12, 22, 32]


def test_a_store_gives_the_same_frame_and_nothing_is_done_twice(tmp_path):
    path = tmp_path / "curve.sqlite"
    expected = without_times(curve())
    first = curve(store=path)
    pd.testing.assert_frame_equal(without_times(first), expected)
    again = curve(store=path, n_jobs=2)
    pd.testing.assert_frame_equal(again.to_frame(), first.to_frame())
    with ResultStore(path) as store:
        assert set(store.runs_frame()["attempts"]) == {1}
    more = curve(store=path, strategies=["badge", "margin", "random"])
    assert set(more.to_frame()["strategy"]) == {"badge", "margin", "random"}
    with ResultStore(path) as store:
        assert store.counts()["done"] == 6
        assert set(store.runs_frame()["attempts"]) == {1}


def test_a_store_tells_other_data_and_parameters_apart(tmp_path):
    path = tmp_path / "curve.sqlite"
    for options in ({}, {"random_state": 1}, {"initial": "uniform"}, {"budget": 22}):
        if "budget" in options:
            options["n_rounds"] = None
        curve(store=path, strategies=["random"], n_repeats=1, **options)
    curve(
        BadgeQuerier(LogisticRegression(C=2)),
        store=path, strategies=["random"], n_repeats=1,
    )  # fmt: skip
    with ResultStore(path) as store:
        assert store.counts()["done"] == 5


def test_failed_runs_of_a_store_are_tried_again(tmp_path):
    path, fails = tmp_path / "curve.sqlite", BadgeQuerier(FailsBeyond())
    with pytest.warns(FitFailedWarning, match="4 of 4"):
        stored = curve(fails, store=path)
    with pytest.warns(FitFailedWarning, match="4 of 4"):
        direct = curve(fails)
    pd.testing.assert_frame_equal(without_times(stored), without_times(direct))
    pd.testing.assert_frame_equal(stored.failures_frame(), direct.failures_frame())
    with pytest.warns(FitFailedWarning):
        curve(fails, store=path)
    with ResultStore(path) as store:
        assert set(store.runs_frame()["attempts"]) == {2}


def test_progress_is_shown_on_request(capsys):
    curve(verbose=1)
    assert "4/4" in capsys.readouterr().err
    curve()
    assert capsys.readouterr().err == ""


def test_the_summary_is_of_the_last_evaluations():
    result = curve(n_repeats=3)
    table = result.summary()
    frame = result.to_frame().query("n_labeled == 32 and strategy == 'badge'")
    row = table.loc[("data", "LogisticRegression", 10, "accuracy", "badge")]
    assert row["n_labeled"] == 32
    assert row["mean"] == pytest.approx(frame["score"].mean())
    assert row["sem"] == pytest.approx(frame["score"].std() / 3**0.5)
    assert row["n_repeats"] == 3
    assert "badge" in str(result)
    assert "<table" in result._repr_html_()
    assert repr(result) == "<ExperimentResult: 6 runs, of which 0 failed>"


def test_nothing_given_is_changed():
    X, y = make_data()
    X_before, y_before = X.copy(), y.copy()
    state = np.random.get_state()[1].copy()
    querier = BadgeQuerier(LogisticRegression())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        active_learning_curve(querier, X, y, random_state=0, **SIZES)
    np.testing.assert_array_equal(X, X_before)
    np.testing.assert_array_equal(y, y_before)
    np.testing.assert_array_equal(np.random.get_state()[1], state)
    assert querier.classes is None


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_rounds": 2, "budget": 30}, "`n_rounds` and `budget` say the same"),
        ({"n_query": 0}, "'n_query' parameter of active_learning_curve must"),
        ({"n_initial": 0}, "'n_initial' parameter of active_learning_curve must"),
        ({"n_repeats": 0}, "'n_repeats' parameter of active_learning_curve must"),
        (
            {"n_rounds": None, "budget": 5},
            "`budget` must be at least `n_initial`, 12. Got 5",
        ),
        ({"strategies": ["badge", "badge"]}, "differ in their names"),
        ({"strategies": []}, "differ in their names"),
        ({"strategies": ["bagde"]}, "bagde"),
        (
            {
                "querier": BadgeQuerier(LinearRegression()),
                "strategies": ["random", "margin"],
            },
            "needs class probabilities",
        ),
        ({"initial": "even"}, r"`initial` must be one of .*core_set.* Got 'even'"),
        ({"initial": "margin"}, r"`initial` selects before .*Margin\(\) needs one"),
        ({"initial": 3}, "'initial' parameter .* must be an instance of 'str'"),
        ({"X_test": np.zeros((3, 6))}, "`y_test` is missing"),
        (
            {"X_test": np.zeros((3, 6)), "y_test": [0, 1, 2], "cv": 3},
            "`X_test` and `cv` both say what to score on.* Got cv=3",
        ),
        ({"error_score": "ignore"}, "'error_score' parameter .* must be a str among"),
        ({"store": "x.sqlite", "random_state": None}, "must be an int"),
        ({"scoring": "acuracy"}, "'acuracy' is not known. Did you mean 'accuracy'"),
        ({"scoring": {1: "accuracy"}}, "keys of `scoring` .* must be str. Got 1 inst"),
        ({"strategies": {1: "random"}}, r"`strategies` .* Got 1 instead: write '1' or"),
        ({"strategies": {None: "random"}}, "keys of `strategies` .* Got None instead"),
        ({"strategies": {("a", 1): "random"}}, r"keys of `strategies` .* Got \('a', 1"),
        (
            {"n_query": 2**63},
            r"'n_query' parameter .* in the range \[1, 9223372036854775807\]",
        ),
    ],
)
def test_bad_requests_are_refused_before_anything_is_trained(options, message):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(ValueError, match=message):
            curve(**options)


class Yields:
    """A splitter of one split."""

    def __init__(self, pool, test):
        self.split_ = pool, test

    def get_n_splits(self, X=None, y=None, groups=None):
        return 1

    def split(self, X, y=None, groups=None):
        yield self.split_


@pytest.mark.parametrize("as_cv", [lambda *split: [split], Yields])
@pytest.mark.parametrize(
    ("pool", "test", "message"),
    [
        (
            range(100),
            range(90, 160),
            "distinct positions. Got 10 of 160 more than",
        ),
        ([*range(99), 0], range(100, 160), "Got 1 of 159 more than once, such as 0"),
        (range(100), [100, -1], "positions between 0 and 159. Got -1 among them"),
        (range(100), [100, 160], "positions between 0 and 159. Got 160 among them"),
        (np.arange(100.0), range(100, 160), r"int positions.* Got dtype float64"),
        (range(100), ["100", "101"], "int positions.* Got dtype <U3"),
        (range(100), [], r"at least one row.* Got dtype float64 and shape \(0,\)"),
        (range(100), np.zeros(160, dtype=bool), r"at least one row.* shape \(0,\)"),
        (range(100), np.ones(9, dtype=bool), r"masks of the 160 rows. .* shape \(9,\)"),
    ],
)
def test_splits_are_checked_before_anything_is_trained(as_cv, pool, test, message):
    with pytest.raises(ValueError, match=f"`cv` must split into .*{message}"):
        curve(BadgeQuerier(FailsBeyond(0)), cv=as_cv(pool, test))


def test_what_is_no_querier_is_refused():
    with pytest.raises(TypeError, match="must be a BadgeQuerier"):
        curve(LogisticRegression())
    with pytest.raises(TypeError, match="`strategies` must be a list or a dict"):
        curve(strategies="badge")


def test_whole_numbers_are_no_classes_to_a_regressor():
    # Stratified by the value of the target, first rows and test rows would not be
    # drawn as the documentation says.
    X, y = make_data()
    curves = [
        active_learning_curve(
            BadgeQuerier(LinearRegression(), strategy="random"),
            X, y, initial=initial, random_state=0, **SIZES,
        )
        for initial in ("auto", "uniform")
    ]  # fmt: skip
    frames = [without_times(result) for result in curves]
    pd.testing.assert_frame_equal(*frames)
    assert set(frames[0]["metric"]) == {"r2"}


def kill_the_worker(pool, n, **rest):
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.slow
@pytest.mark.parametrize("is_stored", [False, True])
def test_a_strategy_that_kills_its_worker_fails_and_the_others_go_on(
    tmp_path, is_stored
):
    store = tmp_path / "results.db" if is_stored else None
    strategies = {"killer": kill_the_worker, "random": "random"}
    with pytest.warns(FitFailedWarning, match="1 of 2 runs failed"):
        result = curve(strategies=strategies, n_repeats=1, n_jobs=2, store=store)
    (failure,) = result.failures
    assert failure["strategy"] == "killer"
    scores = result.to_frame().groupby("strategy")["score"].count()
    # The store has the evaluation before the query.
    assert scores.to_dict() == {"killer": int(is_stored), "random": 3}
    options = {"strategies": strategies, "n_repeats": 1, "n_jobs": 2, "store": store}
    with pytest.raises(RuntimeError, match="died" if is_stored else "terminated"):
        curve(error_score="raise", **options)
