"""Scorers by name: quantiles of absolute errors, and those of scikit-learn."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.dummy import DummyRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression, SGDClassifier
from sklearn.metrics import get_scorer_names
from sklearn.model_selection import cross_val_score
from sklearn.svm import SVC, LinearSVC

from skbadge import BadgeQuerier
from skbadge.experiment import (
    active_learning_curve,
    error_quantile,
    error_quantile_scorer,
)
from skbadge.experiment.simulation import resolve_scoring


@pytest.mark.parametrize(
    ("n", "q", "position"),
    [(100, 0.95, 95), (100, 0.99, 99), (9146, 0.95, 8688), (1, 0.99, 0), (7, 0.0, 0)],
)
def test_a_quantile_is_the_error_at_the_position_of_the_benchmark(n, q, position):
    rng = np.random.RandomState(0)
    errors = rng.standard_t(2, size=n)
    y = rng.normal(size=n).round(3)
    found = error_quantile(y, y + errors, q=q)
    assert found == pytest.approx(np.sort(np.abs(errors))[position], rel=1e-12)


def test_levels_are_the_decimals_they_are_written_as():
    # In floating point, 0.29 * 100 is below 29, and 0.57 * 100 below 57.
    for percent in range(100):
        found = error_quantile(np.zeros(100), np.arange(100.0), q=percent / 100)
        assert found == percent


def test_the_highest_of_ten_errors_is_their_95_percent_quantile():
    # numpy.quantile would interpolate to 8.55.
    errors = np.arange(10.0)
    assert error_quantile(errors, np.zeros(10), q=0.95) == 9
    assert error_quantile(errors, np.zeros(10), q=0.85) == 8


@pytest.mark.parametrize("q", [1, 1.0, -0.1, "a", None, True, np.nan])
def test_a_level_out_of_range_is_refused(q):
    with pytest.raises(ValueError, match=r"'q' parameter of \w+ must be a float in"):
        error_quantile([0.0], [0.0], q=q)
    with pytest.raises(ValueError, match=r"'q' parameter of \w+ must be a float in"):
        error_quantile_scorer(q)


def test_targets_that_make_no_errors_are_refused():
    with pytest.raises(ValueError, match="must hold finite numbers, at least one"):
        error_quantile([0.0, 1.0], [np.nan, 1.0])
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        error_quantile([0.0, 1.0], [1.0])
    with pytest.raises(ValueError, match="1d array"):
        error_quantile(np.zeros((3, 2)), np.zeros((3, 2)))


def test_names_stand_for_scorers_that_are_greater_for_better_models():
    X = np.arange(200.0)[:, np.newaxis]
    y = np.zeros(200)
    y[:3] = [1000, 100, 10]
    model = DummyRegressor(strategy="constant", constant=0.0).fit(X, y)
    names = ["neg_error_quantile_95", "neg_error_quantile_99", "neg_max_error"]
    scorers = resolve_scoring(BadgeQuerier(LinearRegression()), names)
    scores = [scorers[name](model, X, y) for name in names]
    # Positions 190 and 198 of 200.
    assert scores == [0, -100, -1000]


LABELS = {
    "three ints": np.arange(12) % 3,
    "three strings": np.array(["a", "b", "c"] * 4),
    "two ints": np.arange(12) % 2,
    "two strings": np.array(["no", "yes"] * 6),
    "booleans": np.arange(12) % 2 == 1,
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("y", LABELS.values(), ids=LABELS)
def test_names_that_cannot_score_these_labels_are_refused(y):
    X, model = np.arange(12.0)[:, np.newaxis], LogisticRegression()
    for name in get_scorer_names():
        if np.isnan(cross_val_score(model, X, y, scoring=name, cv=2)).any():
            with pytest.raises(ValueError, match=f"'{name}' is not for these . class"):
                resolve_scoring(model, name, y)
        else:
            resolve_scoring(model, name, y)


@pytest.mark.parametrize("name", [1, None, ("a", 1)], ids=str)
def test_names_of_metrics_are_strings(name):
    with pytest.raises(ValueError, match=r"The keys of `scoring` .* must be str\. Got"):
        resolve_scoring(LogisticRegression(), {"a": "accuracy", name: "accuracy"})


@pytest.mark.parametrize("model", [SVC(), SGDClassifier(), LinearSVC()])
def test_models_that_will_have_no_probabilities_are_not_scored_by_them(model):
    with pytest.raises(ValueError, match=r"needs a model with predict_proba\. \w+ has"):
        resolve_scoring(BadgeQuerier(model, strategy="random"), "neg_log_loss")
    assert resolve_scoring(BadgeQuerier(model, strategy="random"), "accuracy")


class PassesOn(ClassifierMixin, BaseEstimator):
    def __init__(self, model=None):
        self.model = model

    def fit(self, X, y):
        self.model.fit(X, y)
        return self

    def __getattr__(self, name):
        if name != "predict":
            raise AttributeError(name)
        return self.model.predict


def test_a_model_may_pass_on_what_another_can():
    assert resolve_scoring(PassesOn(LogisticRegression()), "accuracy")


def test_a_curve_takes_the_names():
    rng = np.random.RandomState(0)
    X = rng.normal(size=(60, 2))
    frame = active_learning_curve(
        BadgeQuerier(LinearRegression(), strategy="random"),
        X, X[:, 0] + rng.normal(size=60), n_initial=10, n_rounds=0, n_repeats=1,
        scoring=["neg_error_quantile_95", "neg_max_error", "r2"], random_state=0,
    ).to_frame()  # fmt: skip
    scores = frame.set_index("metric")["score"]
    # The 95 % quantile of 15 errors is the largest.
    assert scores["neg_error_quantile_95"] == scores["neg_max_error"] < 0
