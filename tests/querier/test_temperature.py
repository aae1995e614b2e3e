"""The temperature of a querier's model: found once a training, by itself."""

import pickle
import warnings

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.datasets import load_digits
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from skorch.callbacks import Checkpoint

from skbadge import BadgeQuerier
from skbadge.exceptions import QueryWarning
from skbadge.nn import TabularNetClassifier
from skbadge.outputs import Needs
from skbadge.pools import from_arrays
from skbadge.querier import _chunk_reading
from skbadge.querier._temperature import held_out_rows

X, y = load_digits(return_X_y=True)
POOL = X[300:700]


class Counting(ClassifierMixin, BaseEstimator):
    """Counts its trainings, in the class."""

    rows = []

    def fit(self, X, y):
        self.rows.append(len(X))
        self.model_ = GaussianNB(var_smoothing=1e-3).fit(X, y)
        self.classes_ = self.model_.classes_
        return self

    def predict(self, X):
        return self.model_.predict(X)

    def predict_proba(self, X):
        return self.model_.predict_proba(X)


@pytest.fixture(autouse=True)
def nothing_counted():
    Counting.rows = []


def querier(estimator=None, **params):
    params = {"strategy": "uncertainty_herding", "random_state": 0} | params
    return BadgeQuerier(Counting() if estimator is None else estimator, **params)


def test_it_is_found_once_a_training_and_only_if_needed():
    asking = querier().fit(X[:100], y[:100])
    assert Counting.rows == [100]
    asking.query(POOL, 3)
    asking.query(POOL, 3)
    assert Counting.rows == [100, 70]
    asking.partial_fit(X[100:150], y[100:150]).query(POOL, 3)
    assert Counting.rows == [100, 70, 150, 105]
    asking.set_params(strategy="margin").query(POOL, 3)
    asking.partial_fit().query(POOL, 3)
    assert Counting.rows == [100, 70, 150, 105, 150]


def test_outputs_carry_it():
    asking = querier().fit(X[:200], y[:200])
    # Naive Bayes is far too sure.
    assert asking.outputs(POOL).temperature > 1.5
    assert asking.outputs(POOL, needs=Needs(proba=True)).temperature == 1
    found = asking.outputs(POOL).temperature
    assert pickle.loads(pickle.dumps(asking)).outputs(POOL).temperature == found
    again = querier().fit(X[:200], y[:200])
    assert again.outputs(POOL, needs="temperature").temperature == found


def test_pools_in_chunks_get_the_same(monkeypatch):
    monkeypatch.setattr(_chunk_reading, "KEPT_NBYTES", 0)
    asking = querier().fit(X[:200], y[:200])
    asking.set_params(strategy__n_evaluation_rows=150, strategy__n_candidates=200)
    rows, report = asking.query(POOL, 5, return_report=True)
    again, streamed = asking.query(
        from_arrays(POOL, chunk_rows=64), 5, return_report=True
    )
    np.testing.assert_array_equal(rows, again)
    assert streamed.notes == report.notes
    assert streamed.n_passes > 0
    assert "evaluated on 150 rows, drawn uniformly from 400" in str(streamed)
    assert "evaluated on 150 rows" in streamed._repr_html_()


def test_few_rows_and_single_ones_leave_it_at_1():
    rng = np.random.RandomState(0)
    assert held_out_rows(np.arange(19) % 2, rng) is None
    assert held_out_rows(np.r_[np.zeros(30), 1], rng) is None
    held = held_out_rows(np.arange(40) % 20, rng)
    assert len(held) == 12
    assert len(set(held % 20)) == 12
    few = querier().fit(X[:15], y[:15])
    few.query(POOL, 3)
    assert Counting.rows == [15]


def test_a_trained_model_is_taken_as_it_is():
    model = LogisticRegression(max_iter=500).fit(X[:100], y[:100])
    before = pickle.dumps(model)
    asking = querier(FrozenEstimator(model)).fit(X[:100], y[:100])
    assert asking.outputs(POOL).temperature == 1
    assert pickle.dumps(model) == before


def test_the_fitted_model_and_global_generators_are_left_alone():
    estimator = make_pipeline(StandardScaler(), LogisticRegression(max_iter=500))
    asking = querier(estimator).fit(X[:100], y[:100])
    before = pickle.dumps(asking.estimator_), np.random.get_state()[1].copy()
    asking.query(POOL, 3)
    assert pickle.dumps(asking.estimator_) == before[0]
    np.testing.assert_array_equal(np.random.get_state()[1], before[1])
    assert not hasattr(estimator, "classes_")


def test_weights_of_rows_go_along():
    weights = np.ones(100)
    weights[::2] = 3

    class Weighing(Counting):
        def fit(self, X, y, sample_weight=None):
            assert len(sample_weight) == len(X)
            return super().fit(X, y)

    asking = querier(Weighing()).fit(X[:100], y[:100], sample_weight=weights)
    asking.query(POOL, 3)
    assert Counting.rows == [100, 70]


def test_a_net_writes_no_files_of_it(tmp_path):
    net = TabularNetClassifier(
        max_epochs=2,
        callbacks=[Checkpoint(monitor=None, dirname=str(tmp_path / "net"))],
    )
    asking = querier(net).fit(X[:100], y[:100])
    before = {path: path.read_bytes() for path in (tmp_path / "net").iterdir()}
    assert before
    asking.query(POOL, 3)
    assert asking._temperature is not None
    after = {path: path.read_bytes() for path in (tmp_path / "net").iterdir()}
    assert after == before
    assert [path.name for path in tmp_path.iterdir()] == ["net"]
    assert clone(asking).estimator.callbacks[0].dirname == str(tmp_path / "net")


def test_a_training_that_fails_is_told_of_and_leaves_it_at_1():
    class NeedsMany(Counting):
        def fit(self, X, y):
            if len(X) < 100:
                raise ValueError("too few rows")
            return super().fit(X, y)

    asking = querier(NeedsMany()).fit(X[:100], y[:100])
    match = "could not be trained on 70 of 100 labelled rows.*ValueError: too few rows"
    with pytest.warns(QueryWarning, match=match):
        asking.query(POOL, 3)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        asking.query(POOL, 3)


class Interrupted(Counting):
    def fit(self, X, y):
        if len(X) < 100 and not self.rows.count(len(X)):
            self.rows.append(len(X))
            raise KeyboardInterrupt
        return super().fit(X, y)


def test_an_interrupted_search_leaves_nothing_behind():
    asking = querier(Interrupted()).fit(X[:100], y[:100])
    with pytest.raises(KeyboardInterrupt):
        asking.query(POOL, 3)
    assert Counting.rows == [100, 70]
    expected = querier().fit(X[:100], y[:100]).outputs(POOL).temperature
    assert asking.outputs(POOL).temperature == expected > 1


def test_it_is_reported():
    asking = querier().fit(X[:200], y[:200])
    _, report = asking.query(POOL, 3, return_report=True)
    found = asking.outputs(POOL).temperature
    assert f"temperature {found:.1f}" in str(report)
