"""Labels as users write them: never mixed up, whatever the model."""

from functools import partial

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.neural_network import MLPClassifier
from skorch import NeuralNetBinaryClassifier, NeuralNetClassifier
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits

from skbadge import BadgeQuerier
from skbadge.nn import TabularNetClassifier

LABELS = {
    "strings": ["zebra", "ant", "mole"],
    "ints with gaps": [7, 100, 2],
    "negative": [5, -3, 0],
    "floats": [2.0, -1.0, 0.0],
}


def make_net(module=None, **params):
    defaults = {
        "criterion": nn.CrossEntropyLoss,
        "optimizer": torch.optim.Adam,
        "train_split": None,
        "max_epochs": 60,
        "lr": 0.05,
        "verbose": 0,
    }
    module = nn.Sequential(nn.Linear(4, 3)) if module is None else module
    return NeuralNetClassifier(module, **(defaults | params))


def make_probability_net():
    module = nn.Sequential(nn.Linear(4, 3), nn.Softmax(dim=1))
    return make_net(module, criterion=nn.NLLLoss)


def make_binary_net(kind=NeuralNetBinaryClassifier, **params):
    defaults = {
        "optimizer": torch.optim.Adam,
        "train_split": None,
        "max_epochs": 60,
        "lr": 0.05,
        "verbose": 0,
    }
    return kind(nn.Sequential(nn.Linear(4, 1), nn.Flatten(0)), **(defaults | params))


class OwnLoss(nn.Module):
    def forward(self, logits, target):
        return binary_cross_entropy_with_logits(logits, target)


def two_probabilities(logits):
    return torch.stack([torch.sigmoid(-logits), torch.sigmoid(logits)], 1)


def make_net_of_own_loss(criterion):
    return make_binary_net(criterion=criterion, predict_nonlinearity=two_probabilities)


ONE_LOGIT = {
    "linear": LogisticRegression,
    "net": make_binary_net,
    "own loss": lambda: make_net_of_own_loss(OwnLoss),
    "instance of own loss": lambda: make_net_of_own_loss(OwnLoss()),
    "function": lambda: make_net_of_own_loss(lambda: OwnLoss()),
    "partial": lambda: make_binary_net(
        NeuralNetClassifier, criterion=partial(nn.BCEWithLogitsLoss, reduction="mean")
    ),
}


ESTIMATORS = {
    "cross-entropy net": make_net,
    "net of probabilities": make_probability_net,
    "default": lambda: TabularNetClassifier(max_epochs=30),
    "sklearn net": lambda: MLPClassifier(8, solver="lbfgs", max_iter=200),
    "linear": LogisticRegression,
    # Shallow, so that it is not certain of so many rows that few can be told apart.
    "forest": lambda: RandomForestClassifier(100, max_features=1),
}


def make_data(labels, n_rows=90):
    """Classes far apart, so that a model that mixes labels up scores next to zero."""
    rng = np.random.RandomState(0)
    codes = np.arange(n_rows) % len(labels)
    centers = 6 * np.eye(4)[: len(labels)]
    X = centers[codes] + rng.normal(size=(n_rows, 4))
    return X, np.array(labels)[codes]


@pytest.mark.parametrize("labels", LABELS.values(), ids=LABELS)
@pytest.mark.parametrize("make", ESTIMATORS.values(), ids=ESTIMATORS)
def test_any_labels_with_any_model(make, labels):
    X, y = make_data(labels)
    querier = BadgeQuerier(make(), random_state=0).fit(X[:45], y[:45])
    np.testing.assert_array_equal(querier.classes_, sorted(labels))
    assert querier.score(X, y) > 0.9
    assert querier.predict(X).dtype == y.dtype
    proba = querier.predict_proba(X)
    np.testing.assert_array_equal(querier.classes_[proba.argmax(1)], querier.predict(X))
    np.testing.assert_allclose(proba.sum(axis=1), 1, rtol=1e-5)
    assert len(np.unique(querier.query(X, 9))) == 9


@pytest.mark.parametrize(
    "labels", [["yes", "no"], [False, True], [3, -3]], ids=["strings", "bools", "ints"]
)
@pytest.mark.parametrize("make", ONE_LOGIT.values(), ids=ONE_LOGIT)
def test_two_classes_with_one_logit(make, labels):
    X, y = make_data(labels, 60)
    querier = BadgeQuerier(make(), random_state=0).fit(X[:30], y[:30])
    assert querier.score(X, y) > 0.9
    assert querier.predict_proba(X).shape == (60, 2)
    assert querier.predict(X).dtype == y.dtype
    assert len(np.unique(querier.query(X, 5))) == 5


@pytest.mark.parametrize(
    "wrap",
    [
        list,
        lambda y: pd.Series(y, index=range(500, 500 - len(y), -1)),
        pd.Categorical,
        lambda y: np.array(list(y), dtype=object),
    ],
    ids=["list", "series", "categorical", "objects"],
)
@pytest.mark.parametrize("labels", [["b", "a", "c"], [2, 7, 5]], ids=["str", "int"])
def test_labels_come_in_many_containers(wrap, labels):
    X, y = make_data(labels)
    querier = BadgeQuerier(make_net(), random_state=0).fit(X[:45], wrap(y[:45]))
    assert (querier.predict(X) == y).mean() > 0.9
    querier.partial_fit(X[45:], wrap(y[45:]))
    np.testing.assert_array_equal(querier.y_labeled_, y)


def of_polars(y):
    return pytest.importorskip("polars").Series(y.tolist())


def of_any_length(y):
    if not hasattr(np.dtypes, "StringDType"):
        pytest.skip("NumPy 1 has no strings of any length")
    return y.astype(np.dtypes.StringDType())


LABELS_OF_SCORES = {
    "list": (["b", "a", "c"], list),
    "tuple": ([2, 7, 5], tuple),
    "object strings": (["b", "a", "c"], lambda y: y.astype(object)),
    "object ints": ([2, 7, 5], lambda y: y.astype(object)),
    "object bools": ([False, True], lambda y: y.astype(object)),
    "strings of any length": (["b", "a", "c"], of_any_length),
    "nullable ints": ([2, 7, 5], lambda y: pd.array(y, dtype="Int64")),
    "nullable bools": ([False, True], lambda y: pd.Series(y, dtype="boolean")),
    "nullable strings": (["b", "a", "c"], lambda y: pd.Series(y, dtype="string")),
    "categorical": (["b", "a", "c"], pd.Categorical),
    "categorical ints": ([2, 7, 5], lambda y: pd.Series(pd.Categorical(y))),
    "polars strings": (["b", "a", "c"], of_polars),
    "polars ints": ([2, 7, 5], of_polars),
    "polars bools": ([False, True], of_polars),
    "tensor": ([2, 7, 5], torch.tensor),
}


@pytest.mark.parametrize(
    "make",
    [
        LogisticRegression,
        lambda: GridSearchCV(LogisticRegression(), {"C": [1, 2]}, cv=2),
        lambda: GridSearchCV(make_net(max_epochs=2), {"lr": [0.1]}, cv=2),
    ],
    ids=["linear", "search", "search of nets"],
)
@pytest.mark.parametrize(
    ("labels", "wrap"), LABELS_OF_SCORES.values(), ids=LABELS_OF_SCORES
)
def test_scores_take_the_labels_that_fit_takes(make, labels, wrap):
    X, y = make_data(labels)
    # Some are wrong, so that a score is not 1.
    truth = np.where(np.arange(90) % 4, y, np.roll(y, 1))
    querier = BadgeQuerier(make(), random_state=0).fit(X, wrap(y))
    assert querier.score(X, wrap(truth)) == querier.score(X, truth) < 1
    weights = np.arange(90.0)
    weighted = querier.score(X, truth, sample_weight=weights)
    assert querier.score(X, wrap(truth), sample_weight=weights) == weighted


def test_labels_of_objects_are_cross_validated():
    X, y = make_data([0, 1, 2])
    querier = BadgeQuerier(LogisticRegression(), random_state=0)
    scores = cross_val_score(querier, X, y.astype(object), cv=3, error_score="raise")
    np.testing.assert_array_equal(scores, cross_val_score(querier, X, y, cv=3))


def test_labels_may_be_a_tensor():
    X, y = make_data([0, 1, 2])
    querier = BadgeQuerier(make_net(), random_state=0)
    querier.fit(torch.tensor(X), torch.tensor(y))
    assert (querier.predict(torch.tensor(X)) == y).mean() > 0.9


# Classes that early labelled sets miss

LETTERS = np.array(list("abcdefghijklmnopqrstuvwxyz"))


def make_letters():
    rng = np.random.RandomState(0)
    codes = np.arange(130) % 26
    X = 4 * rng.normal(size=(26, 4))[codes] + rng.normal(size=(130, 4))
    return X, LETTERS[codes]


def capture(pool, n, *, labeled, random_state):
    capture.pool = pool
    return np.arange(n)


capture.needs = ("proba", "features")


def test_a_net_with_26_outputs_fitted_on_20_classes_embeds_them_all():
    X, y = make_letters()
    early = y < "u"
    net = make_net(nn.Sequential(nn.Linear(4, 26)), max_epochs=5)
    querier = BadgeQuerier(net, strategy=capture, random_state=0)
    querier.fit(X[early], y[early]).query(X, 3)
    assert capture.pool.proba.shape == (130, 26)
    np.testing.assert_allclose(capture.pool.proba.sum(axis=1), 1, rtol=1e-5)
    # The norm of p - e(argmax p) times that of the features, over all 26 outputs.
    rows, report = querier.set_params(strategy="badge").query(X, 9, return_report=True)
    proba, features = capture.pool.proba.astype(float), capture.pool.features
    residual = proba - np.eye(26)[proba.argmax(axis=1)]
    norms = np.linalg.norm(residual, axis=1) * np.linalg.norm(features, axis=1)
    np.testing.assert_allclose(report.norms, norms[rows], rtol=1e-4)


def test_outputs_beyond_the_known_labels_are_never_the_answer():
    X, y = make_letters()
    early = y < "u"
    # Untrained, so that the six other outputs win for many rows.
    net = make_net(nn.Sequential(nn.Linear(4, 26)), max_epochs=1, lr=1e-9)
    querier = BadgeQuerier(net, random_state=0).fit(X[early], y[early])
    raw = querier.estimator_.predict_proba(X)
    assert (raw.argmax(axis=1) >= 20).any()
    assert set(querier.predict(X)) <= set(LETTERS[:20])
    proba = querier.predict_proba(X)
    assert proba.shape == (130, 20)
    np.testing.assert_allclose(proba.sum(axis=1), 1, rtol=1e-5)
    np.testing.assert_array_equal(LETTERS[proba.argmax(axis=1)], querier.predict(X))


def test_classes_named_ahead_keep_their_outputs():
    X, y = make_letters()
    known = (y < "e") | (y > "v")
    net = make_net(nn.Sequential(nn.Linear(4, 26)))
    querier = BadgeQuerier(net, classes=LETTERS[::-1], random_state=0)
    querier.fit(X[known], y[known])
    np.testing.assert_array_equal(querier.classes_, LETTERS)
    assert querier.predict_proba(X).shape == (130, 26)
    assert querier.score(X[known], y[known]) > 0.8
    querier.partial_fit(X[~known], y[~known])
    np.testing.assert_array_equal(querier.classes_, LETTERS)
    assert querier.score(X, y) > 0.6


def test_the_default_estimator_grows_an_output_for_each_class_named_ahead():
    X, y = make_data(["b", "c", "d"])
    net = TabularNetClassifier(max_epochs=30)
    querier = BadgeQuerier(net, classes=list("abcde"), random_state=0).fit(X, y)
    assert querier.predict_proba(X).shape == (90, 5)
    assert querier.score(X, y) > 0.9


@pytest.mark.parametrize(
    "estimator", [LogisticRegression(), RandomForestClassifier(20, random_state=0)]
)
def test_a_class_a_scikit_learn_model_never_saw_has_probability_zero(estimator):
    X, y = make_data(["b", "d", "e"])
    querier = BadgeQuerier(estimator, classes=list("abcde")).fit(X, y)
    proba = querier.predict_proba(X)
    assert proba.shape == (90, 5)
    np.testing.assert_array_equal(proba[:, [0, 2]], 0)
    np.testing.assert_allclose(proba[:, [1, 3, 4]], querier.estimator_.predict_proba(X))
    assert querier.score(X, y) > 0.9
    assert len(querier.query(X, 4)) == 4


def test_without_classes_a_net_learns_new_labels_as_they_come():
    X, y = make_data(["b", "a", "c"])
    early = y != "a"
    querier = BadgeQuerier(make_net(), random_state=0).fit(X[early], y[early])
    assert querier.classes_.tolist() == ["b", "c"]
    querier.partial_fit(X[~early], y[~early])
    assert querier.classes_.tolist() == ["a", "b", "c"]
    assert querier.score(X, y) > 0.9


def test_rare_labels_survive():
    X, y = make_data(["common", "rare"], 60)
    keep = (y == "common") | (np.cumsum(y == "rare") == 1)
    querier = BadgeQuerier(make_net(), random_state=0).fit(X[keep], y[keep])
    assert querier.classes_.tolist() == ["common", "rare"]
    assert set(querier.predict(X)) == {"common", "rare"}
