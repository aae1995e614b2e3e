"""What is handed in stays its owner's: kept by copy, and never written on."""

from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skbadge import BadgeQuerier
from skbadge.nn import TabularNetClassifier
from tests.pools._containers import all_containers, read, spoil

rng = np.random.default_rng(0)
X = rng.integers(1, 100, size=(60, 2)).astype(float)
y = (X[:, 0] > X[:, 1]).astype(int)


class AnyReader(ClassifierMixin, BaseEstimator):
    """A classifier of rows in any container, that notes what `fit` was given."""

    def fit(self, X, y, **params):
        self.params_ = params
        self.model_ = GaussianNB().fit(read(X), y)
        self.classes_ = self.model_.classes_
        return self

    def predict(self, X):
        return self.model_.predict(read(X))

    def predict_proba(self, X):
        return self.model_.predict_proba(read(X))


def spoilt(values):
    """Labels, or other arrays, after their owner has written on them."""
    values[:] = values[0]


def rounds(make, spoil=lambda rows: None):
    querier = BadgeQuerier(AnyReader(), strategy="entropy", random_state=0)
    first, labels = make(X[:20]), y[:20].copy()
    querier.fit(first, labels)
    spoil(first)
    spoilt(labels)
    second, labels = make(X[20:30]), y[20:30].copy()
    querier.partial_fit(second, labels)
    spoil(second)
    spoilt(labels)
    return querier.partial_fit()


@all_containers
def test_rows_and_labels_are_out_of_their_owners_reach(make):
    querier, expected = rounds(make, spoil), rounds(make)
    np.testing.assert_array_equal(read(querier.X_labeled_), X[:30])
    np.testing.assert_array_equal(querier.y_labeled_, y[:30])
    pool = make(X[30:])
    proba = expected.predict_proba(pool)
    np.testing.assert_array_equal(querier.predict_proba(pool), proba)
    picks = expected.query(pool, 5)
    np.testing.assert_array_equal(querier.query(pool, 5), picks)
    np.testing.assert_array_equal(read(pool), X[30:])


def test_ragged_lists_and_arrays_of_them():
    texts = [["a", "b"], ["c"], ["a"], ["c", "c", "d"]]
    for make in (list, tuple, lambda rows: np.array(rows, dtype=object)):
        rows = [list(row) for row in texts]
        model = make_pipeline(CountVectorizer(analyzer=list), LogisticRegression())
        querier = BadgeQuerier(model).fit(make(rows), [0, 1, 0, 1])
        for row in rows:
            row[:] = ["z"]
        assert [list(row) for row in querier.X_labeled_] == texts
        querier.partial_fit()
        assert list(querier.predict(texts)) == [0, 1, 0, 1]


# Parameters of fit, and classes


PARAMETERS = {
    "weights": lambda: np.arange(20.0),
    "list of weights": lambda: [1.0] * 20,
    "array": lambda: np.arange(3.0),
    "dict": lambda: {"a": 1, "b": {"c": [2, np.arange(3.0)]}},
    "pairs": lambda: [(np.arange(3.0), [4, 5])],
    "named tuple": lambda: Pair(np.arange(3.0), [1]),
    "set": lambda: {1, 2},
}


class Pair(tuple):
    """Like a named tuple."""

    def __new__(cls, *parts):
        return super().__new__(cls, parts)

    _make = classmethod(lambda cls, parts: cls(*parts))


def write_on(value):
    if isinstance(value, dict):
        for part in value.values():
            write_on(part)
        value["new"] = 1
    elif isinstance(value, set):
        value.clear()
    elif isinstance(value, tuple):
        for part in value:
            write_on(part)
    elif isinstance(value, list):
        for part in value:
            write_on(part)
        value[:] = [-1] * len(value)
    elif isinstance(value, np.ndarray):
        value[:] = -1


@pytest.mark.parametrize("make", PARAMETERS.values(), ids=PARAMETERS)
def test_parameters_of_fit_are_out_of_reach_and_not_written_on(make):
    class Writer(AnyReader):
        def fit(self, X, y, **params):
            super().fit(X, y)
            self.seen_ = repr(params["extra"])
            write_on(params["extra"])
            spoilt(y)
            return self

    value = make()
    querier = BadgeQuerier(Writer()).fit(X[:20], y[:20], extra=value)
    assert repr(value) == repr(make())
    write_on(value)
    querier.partial_fit()
    assert querier.estimator_.seen_ == repr(make())
    np.testing.assert_array_equal(querier.y_labeled_, y[:20])


def test_other_objects_are_handed_on_as_they_are():
    recorder = SimpleNamespace(calls=[])
    querier = BadgeQuerier(AnyReader()).fit(X, y, callbacks=[recorder])
    assert querier.estimator_.params_["callbacks"][0] is recorder


@pytest.mark.parametrize("make", [list, np.array])
def test_classes_count_as_they_were_named(make):
    for first in (True, False):
        names = make(["no", "perhaps", "yes"])
        labels = np.where(y == 0, "no", "yes")
        querier = BadgeQuerier(TabularNetClassifier(max_epochs=1), random_state=0)
        if first:
            querier.set_params(classes=names).fit(X[:20], labels[:20])
        else:
            querier.partial_fit(X[:20], labels[:20], classes=names)
        names[:] = ["a", "b", "c"]
        querier.partial_fit(X[20:30], labels[20:30])
        assert querier.classes_.tolist() == ["no", "perhaps", "yes"]
        querier.relabel([0], ["perhaps"])
        with pytest.raises(ValueError, match="not among `classes`"):
            querier.relabel([0], ["a"])


def test_classes_of_a_frozen_model_are_out_of_reach():
    net = TabularNetClassifier(max_epochs=1).fit(X, y)
    names = np.array([0, 1])
    querier = BadgeQuerier(FrozenEstimator(net), classes=names).fit(X, y)
    names[:] = [5, 6]
    assert querier.classes_.tolist() == [0, 1]


def test_classes_named_anew_count():
    names = [0, 1, 2]
    querier = BadgeQuerier(LogisticRegression(), classes=names).fit(X, y)
    querier.set_params(classes=[0, 1, 2, 3]).partial_fit()
    assert querier.predict_proba(X).shape == (60, 4)
    names[:] = [0, 1, 7]
    querier.set_params(classes=names).partial_fit()
    assert querier.classes_.tolist() == [0, 1, 7]


# Models that write on what they get


def test_a_frozen_step_and_the_users_estimator_keep_their_parameters():
    frozen = StandardScaler(copy=False).fit(X.copy())
    model = make_pipeline(FrozenEstimator(frozen), LinearRegression(copy_X=False))
    BadgeQuerier(model, strategy="core_set").fit(X[:20].copy(), y[:20])
    assert frozen.copy is False
    assert model[-1].copy_X is False


class Doubling(TransformerMixin, BaseEstimator):
    def fit(self, X, y=None):
        return self

    def transform(self, X):
        X *= 2
        return X


@pytest.mark.parametrize(
    "make",
    [
        lambda: make_pipeline(StandardScaler(copy=False), LogisticRegression()),
        lambda: make_pipeline(StandardScaler(copy=False), GaussianNB()),
        lambda: make_pipeline(
            StandardScaler(copy=False), TabularNetClassifier(max_epochs=1)
        ),
        lambda: LinearRegression(copy_X=False),
    ],
    ids=["linear", "other", "net", "regressor"],
)
def test_what_saves_a_copy_writes_on_nothing_of_the_users(make):
    rows, pool = X[:20].copy(), X[20:].copy()
    querier = BadgeQuerier(make(), strategy="core_set", random_state=0)
    querier.fit(rows, y[:20])
    picks = querier.query(pool, 5)
    querier.predict(pool)
    np.testing.assert_array_equal(querier.query(pool, 5), picks)
    querier.partial_fit()
    np.testing.assert_array_equal(rows, X[:20])
    np.testing.assert_array_equal(pool, X[20:])
    np.testing.assert_array_equal(querier.X_labeled_, X[:20])


def test_before_the_first_label_steps_write_on_nothing_of_the_users():
    model = make_pipeline(StandardScaler(copy=False), LogisticRegression())
    pool = X.copy()
    querier = BadgeQuerier(model, strategy="max_herding", random_state=0)
    assert len(querier.query(pool, 3)) == 3
    np.testing.assert_array_equal(pool, X)


@pytest.mark.parametrize("strategy", ["badge", "core_set", "lcmd"])
def test_no_step_writes_on_the_rows_that_are_kept(strategy):
    model = make_pipeline(Doubling(), LogisticRegression())
    querier = BadgeQuerier(model, strategy=strategy, random_state=0)
    querier.fit(X[:20].copy(), y[:20])
    querier.query(X[20:].copy(), 3)
    querier.partial_fit(X[20:30].copy(), y[20:30]).query(X[30:].copy(), 3)
    np.testing.assert_array_equal(querier.X_labeled_, X[:30])
