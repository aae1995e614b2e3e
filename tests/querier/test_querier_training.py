"""Training: rows add up, weights go on or not, frozen models stay as they are."""

import copy

import numpy as np
import pytest
import torch
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from skorch import NeuralNetClassifier
from torch import nn

from skbadge import BadgeQuerier
from skbadge.nn import TabularNetClassifier
from tests.querier._nets import Net, make_net


def make_data():
    rng = np.random.RandomState(0)
    X = rng.normal(size=(60, 4))
    return X, np.array(["ant", "bee", "cat"])[
        (X[:, 0] > 0) + (X[:, 1] > 0.0).astype(int)
    ]


def weights_of(net):
    return copy.deepcopy(net.module_.state_dict())


def assert_same_weights(first, second):
    assert first.keys() == second.keys()
    for name, value in first.items():
        torch.testing.assert_close(value, second[name], rtol=0, atol=0)


ESTIMATORS = {
    "net": make_net,
    "default": lambda: TabularNetClassifier(max_epochs=3),
    "pipeline": lambda: make_pipeline(StandardScaler(), make_net()),
    "linear": LogisticRegression,
}


@pytest.mark.parametrize("make", ESTIMATORS.values(), ids=ESTIMATORS)
def test_partial_fit_trains_on_all_rows_so_far(make):
    X, y = make_data()
    stepwise = BadgeQuerier(make(), random_state=0).fit(X[:20], y[:20])
    stepwise.partial_fit(X[20:40], y[20:40]).partial_fit(X[40:], y[40:])
    at_once = BadgeQuerier(make(), random_state=0).fit(X, y)
    np.testing.assert_array_equal(stepwise.X_labeled_, X)
    np.testing.assert_array_equal(stepwise.y_labeled_, y)
    np.testing.assert_array_equal(stepwise.predict_proba(X), at_once.predict_proba(X))
    np.testing.assert_array_equal(stepwise.query(X, 9), at_once.query(X, 9))


@pytest.mark.parametrize("make", ESTIMATORS.values(), ids=ESTIMATORS)
def test_partial_fit_may_come_first_and_name_the_classes(make):
    X, y = make_data()
    early = y != "cat"
    classes = ["cat", "bee", "ant"]
    querier = BadgeQuerier(make(), random_state=0)
    querier.partial_fit(X[early], y[early], classes=classes)
    assert querier.classes_.tolist() == ["ant", "bee", "cat"]
    assert querier.predict_proba(X).shape == (60, 3)
    querier.partial_fit(X[~early], y[~early], classes=classes)
    assert querier.classes_.tolist() == ["ant", "bee", "cat"]
    assert len(querier.y_labeled_) == 60


@pytest.mark.parametrize("where", ["constructor", "partial_fit"])
def test_classes_may_be_a_tensor(where):
    X, y = make_data()
    named = {"classes": torch.arange(4)}
    ahead, later = (named, {}) if where == "constructor" else ({}, named)
    querier = BadgeQuerier(LogisticRegression(), **ahead)
    querier.partial_fit(X, torch.tensor(np.unique(y, return_inverse=True)[1]), **later)
    assert querier.classes_.tolist() == [0, 1, 2, 3]


def test_later_classes_must_be_those_of_the_first_call():
    X, y = make_data()
    querier = BadgeQuerier(make_net()).fit(X, y)
    with pytest.raises(ValueError, match="`classes` must be the labels named before"):
        querier.partial_fit(X, y, classes=["ant", "bee", "cow"])
    assert len(querier.y_labeled_) == 60


def test_fit_starts_over():
    X, y = make_data()
    querier = BadgeQuerier(make_net(), random_state=0, warm_start=True)
    querier.partial_fit(X, y, classes=["ant", "bee", "cat"])
    querier.fit(X[:20], np.where(y[:20] == "ant", "yes", "no"))
    assert querier.classes_.tolist() == ["no", "yes"]
    assert len(querier.y_labeled_) == 20
    assert len(querier.estimator_.history) == 3


def test_a_training_that_fails_keeps_the_labels():
    X, y = make_data()
    querier = BadgeQuerier(make_net(), random_state=0).fit(X[:20], y[:20])
    before = querier.predict_proba(X)
    querier.set_params(estimator__lr=1e30)
    with pytest.raises(ValueError, match="Training diverged"):
        querier.partial_fit(X[20:], y[20:])
    np.testing.assert_array_equal(querier.y_labeled_, y)
    np.testing.assert_array_equal(querier.predict_proba(X), before)
    querier.set_params(estimator__lr=0.1).partial_fit()
    expected = BadgeQuerier(make_net(), random_state=0).fit(X, y)
    np.testing.assert_array_equal(querier.predict_proba(X), expected.predict_proba(X))


def test_a_first_training_that_fails_keeps_the_labels():
    X, y = make_data()
    querier = BadgeQuerier(make_net(lr=1e30), random_state=0)
    with pytest.raises(ValueError, match="Training diverged"):
        querier.partial_fit(X, y)
    querier.set_params(estimator__lr=0.1).partial_fit()
    assert len(querier.query(X, 5)) == 5


# Going on from the weights there are


def test_by_default_each_training_starts_from_scratch():
    X, y = make_data()
    querier = BadgeQuerier(make_net(), random_state=0).fit(X, y)
    first = querier.estimator_
    querier.partial_fit(X, y)
    assert querier.estimator_ is not first
    assert len(querier.estimator_.history) == 3


def test_warm_start_goes_on_from_the_weights_there_are():
    X, y = make_data()
    querier = BadgeQuerier(make_net(), warm_start=True, random_state=0)
    querier.fit(X[:30], y[:30])
    before = weights_of(querier.estimator_)
    querier.set_params(estimator__lr=1e-12)
    querier.estimator_.set_params(lr=1e-12)
    querier.partial_fit(X[30:], y[30:])
    assert len(querier.estimator_.history) == 6
    for name, value in querier.estimator_.module_.state_dict().items():
        torch.testing.assert_close(value, before[name], rtol=0, atol=1e-6)
    assert len(querier.y_labeled_) == 60


@pytest.mark.parametrize(
    "estimator",
    [
        TabularNetClassifier(max_epochs=2),
        make_pipeline(StandardScaler(), make_net()),
        MLPClassifier(4, solver="sgd", max_iter=2),
    ],
    ids=["tabular", "pipeline", "sklearn"],
)
@pytest.mark.filterwarnings("ignore:Stochastic Optimizer:UserWarning")
def test_warm_start_works_for_whatever_supports_it(estimator):
    X, y = make_data()
    querier = BadgeQuerier(estimator, warm_start=True, random_state=0).fit(X, y)
    first = querier.estimator_
    querier.partial_fit(X, y)
    assert querier.estimator_ is first
    assert len(querier.query(X, 3)) == 3


def test_warm_start_refuses_labels_that_are_new():
    X, y = make_data()
    early = y != "cat"
    querier = BadgeQuerier(make_net(), warm_start=True).fit(X[early], y[early])
    with pytest.raises(ValueError, match=r"did not occur before: \['cat'\].*`classes`"):
        querier.partial_fit(X[~early], y[~early])
    assert querier.classes_.tolist() == ["ant", "bee"]


def test_warm_start_takes_labels_named_ahead():
    X, y = make_data()
    early = y != "cat"
    querier = BadgeQuerier(make_net(), warm_start=True, classes=["ant", "bee", "cat"])
    querier.fit(X[early], y[early]).partial_fit(X[~early], y[~early])
    assert len(querier.estimator_.history) == 6


def test_warm_start_needs_an_estimator_that_can():
    X, y = make_data()
    querier = BadgeQuerier(GaussianNB(), warm_start=True).fit(X, y)
    with pytest.raises(ValueError, match=r"`warm_start=True` needs .* GaussianNB"):
        querier.partial_fit(X, y)


# The user's objects


@pytest.mark.parametrize("make", ESTIMATORS.values(), ids=ESTIMATORS)
def test_the_estimator_stays_as_it_is(make):
    X, y = make_data()
    estimator = make()
    before = estimator.get_params(deep=False)
    querier = BadgeQuerier(estimator, random_state=0, classes=["ant", "bee", "cat"])
    querier.fit(X, y).partial_fit(X, y).query(X, 3)
    assert estimator.get_params(deep=False) == before
    assert querier.estimator is estimator
    assert not getattr(estimator, "initialized_", False)
    assert not hasattr(estimator, "coef_")


def test_a_module_given_as_an_object_is_not_trained():
    X, y = make_data()
    module = Net()
    before = copy.deepcopy(module.state_dict())
    net = NeuralNetClassifier(
        module, criterion=nn.CrossEntropyLoss, train_split=None, verbose=0
    )
    BadgeQuerier(net, random_state=0).fit(X, y).partial_fit(X, y).query(X, 3)
    assert_same_weights(module.state_dict(), before)


# Frozen models


def make_trained():
    X, y = make_data()
    codes = np.unique(y, return_inverse=True)[1]
    return make_net().fit(X.astype(np.float32), codes.astype(np.int64))


def test_a_frozen_net_is_queried_without_a_fit():
    X, _ = make_data()
    net = make_trained()
    querier = BadgeQuerier(FrozenEstimator(net), random_state=0)
    assert len(np.unique(querier.query(X, 7))) == 7
    np.testing.assert_array_equal(querier.predict(X), net.predict(X.astype("f4")))
    proba = net.predict_proba(X.astype(np.float32))
    np.testing.assert_array_equal(querier.predict_proba(X), proba)


def test_a_frozen_net_is_not_trained_further():
    X, y = make_data()
    codes = np.unique(y, return_inverse=True)[1]
    net = make_trained()
    before = weights_of(net)
    querier = BadgeQuerier(FrozenEstimator(net), strategy="core_set", random_state=0)
    querier.fit(X[:30], codes[:30]).partial_fit(X[30:], codes[30:])
    assert_same_weights(weights_of(net), before)
    assert querier.estimator_.estimator is net
    assert querier.classes_.tolist() == [0, 1, 2]
    assert len(querier.X_labeled_) == 60
    assert len(np.unique(querier.query(X + 1, 7))) == 7


def test_classes_name_the_outputs_of_a_frozen_net_in_their_order():
    X, _ = make_data()
    net = make_trained()
    names = np.array(["zebra", "ant", "mole"])
    codes = net.predict(X.astype(np.float32))
    querier = BadgeQuerier(FrozenEstimator(net), classes=names).fit(X, names[codes])
    np.testing.assert_array_equal(querier.classes_, names)
    np.testing.assert_array_equal(querier.predict(X), names[codes])
    assert querier.score(X, names[codes]) == 1


def test_a_frozen_net_may_be_the_last_step_of_a_pipeline():
    X, y = make_data()
    codes = np.unique(y, return_inverse=True)[1]
    net = make_trained()
    before = weights_of(net)
    pipeline = make_pipeline(StandardScaler(), FrozenEstimator(net))
    querier = BadgeQuerier(make_pipeline(pipeline), random_state=0)
    querier.fit(X[:30], codes[:30]).partial_fit(X[30:], codes[30:])
    scaled = StandardScaler().fit_transform(X).astype(np.float32)
    np.testing.assert_array_equal(querier.predict(X), net.predict(scaled))
    np.testing.assert_array_equal(querier.predict_proba(X), net.predict_proba(scaled))
    assert len(np.unique(querier.query(X, 7))) == 7
    assert_same_weights(weights_of(net), before)


@pytest.mark.parametrize(
    "make", [LogisticRegression, lambda: TabularNetClassifier(max_epochs=2)]
)
def test_a_frozen_model_that_knows_its_labels_keeps_them(make):
    X, y = make_data()
    model = make().fit(X, y)
    querier = BadgeQuerier(FrozenEstimator(model), random_state=0)
    np.testing.assert_array_equal(querier.predict(X), model.predict(X))
    querier.fit(X[:20], y[:20])
    np.testing.assert_array_equal(querier.predict(X), model.predict(X))
    assert querier.classes_.tolist() == ["ant", "bee", "cat"]
    assert len(querier.query(X, 3)) == 3


def test_labelled_rows_are_not_touched_by_what_becomes_of_the_users_arrays():
    X, y = make_data()
    querier = BadgeQuerier(LogisticRegression()).fit(X[:20], y[:20])
    buffer, labels = X[20:30].copy(), y[20:30].copy()
    querier.partial_fit(buffer, labels)
    buffer[:], labels[:] = 0, "ant"
    assert np.array_equal(querier.X_labeled_, X[:30])
    assert np.array_equal(querier.y_labeled_, y[:30])


def test_a_search_cannot_go_on_from_the_weights_it_has():
    X, y = make_data()
    search = GridSearchCV(make_net(), {"lr": [0.1]}, cv=2)
    querier = BadgeQuerier(search, warm_start=True).fit(X[:30], y[:30])
    with pytest.raises(ValueError, match="`warm_start=True` needs an estimator"):
        querier.partial_fit(X[30:], y[30:])
