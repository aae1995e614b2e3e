"""Models that people have, beyond the plain net."""

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import (
    BaggingClassifier,
    HistGradientBoostingClassifier,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.model_selection import RandomizedSearchCV
from sklearn.multiclass import OneVsRestClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import SVC, LinearSVC
from skorch import NeuralNetClassifier, NeuralNetRegressor
from skorch.callbacks import Callback
from skorch.dataset import Dataset
from torch import nn

from skbadge import BadgeQuerier
from skbadge.outputs import model_outputs
from tests.querier._nets import make_net

PAIR = [("linear", LogisticRegression()), ("bayes", GaussianNB())]
CLASSIFIERS = [
    HistGradientBoostingClassifier(max_iter=5, min_samples_leaf=5),
    CalibratedClassifierCV(LinearSVC(), cv=2),
    VotingClassifier(PAIR, voting="soft"),
    # Has no `predict` before it is fitted.
    StackingClassifier(PAIR, cv=2),
    BaggingClassifier(LogisticRegression(), 3),
    OneVsRestClassifier(LogisticRegression()),
    KNeighborsClassifier(),
    SGDClassifier(loss="log_loss"),
    LogisticRegression(class_weight="balanced"),
]


class GrowsWithData(nn.Module):
    def __init__(self, n_features=1):
        super().__init__()
        self.head = nn.Linear(n_features, 3)

    def forward(self, X):
        return self.head(X)


class SetWidth(Callback):
    def on_train_begin(self, net, X=None, y=None, **kwargs):
        net.set_params(module__n_features=X.shape[1])


def make_data():
    rng = np.random.RandomState(0)
    X = rng.normal(size=(60, 4))
    codes = (X[:, 0] > 0).astype(int) + (X[:, 1] > 0)
    return X, np.array(["ant", "bee", "cat"])[codes]


def check(querier):
    X, y = make_data()
    querier.fit(X[:30], y[:30])
    rows = querier.query(X, 3)
    np.testing.assert_array_equal(rows, querier.query(X, 3))
    querier.partial_fit(X[30:], y[30:])
    assert len(np.unique(querier.query(X, 3))) == 3
    assert set(querier.predict(X)) <= set(y)


@pytest.mark.parametrize("estimator", CLASSIFIERS, ids=lambda e: type(e).__name__)
def test_any_classifier_with_probabilities(estimator):
    check(BadgeQuerier(estimator, random_state=0))


@pytest.mark.parametrize("strategy", ["core_set", "random"])
@pytest.mark.parametrize(
    "estimator",
    [SVC(), LinearSVC(), VotingClassifier(PAIR)],
    ids=lambda e: type(e).__name__,
)
def test_classifiers_without_probabilities_where_none_are_needed(estimator, strategy):
    X, y = make_data()
    querier = BadgeQuerier(estimator, strategy=strategy, random_state=0)
    querier.fit(X[:30], y[:30]).partial_fit(X[30:50], y[30:50])
    assert len(np.unique(querier.query(X, 3))) == 3


def test_missing_values_where_the_model_takes_them():
    X, y = make_data()
    X[::7, 1] = np.nan
    model = HistGradientBoostingClassifier(max_iter=5, min_samples_leaf=5)
    querier = BadgeQuerier(model, strategy="entropy", random_state=0).fit(X, y)
    assert len(np.unique(querier.query(X, 5))) == 5


def test_a_randomized_search_around_a_net():
    net = make_net(nn.Sequential(nn.Linear(4, 3)))
    search = RandomizedSearchCV(net, {"lr": [0.1, 0.2]}, n_iter=2, cv=2)
    check(BadgeQuerier(search, random_state=0))


def test_a_module_that_takes_its_width_from_the_data():
    check(BadgeQuerier(make_net(nn.Sequential(nn.LazyLinear(3))), random_state=0))
    net = make_net(GrowsWithData, callbacks=[SetWidth()])
    check(BadgeQuerier(net, random_state=0))


def test_a_net_class_of_the_users_own():
    class CountingNet(NeuralNetClassifier):
        def get_loss(self, y_pred, y_true, *args, **kwargs):
            assert y_true.dtype == torch.int64
            return super().get_loss(y_pred, y_true, *args, **kwargs)

    net = CountingNet(
        nn.Sequential(nn.Linear(4, 3)),
        criterion=nn.CrossEntropyLoss,
        max_epochs=2,
        train_split=None,
        verbose=0,
    )
    check(BadgeQuerier(net, random_state=0))


def test_a_net_trained_on_logits_as_if_they_were_probabilities():
    X, y = make_data()
    net = make_net(nn.Sequential(nn.Linear(4, 3), nn.LogSoftmax(dim=1)))
    net.set_params(criterion=nn.NLLLoss)
    querier = BadgeQuerier(net, random_state=0).fit(X, y)
    with pytest.raises(ValueError, match="NLLLoss must itself return probabilities"):
        querier.query(X, 3)


@pytest.mark.parametrize("strategy", ["badge", "margin"])
def test_plain_nets_as_members_of_an_ensemble_take_tables_as_they_are(strategy):
    net = make_net(nn.Sequential(nn.Linear(4, 3)))
    voting = VotingClassifier([("first", net), ("second", net)], voting="soft")
    check(BadgeQuerier(voting, strategy=strategy, random_state=0))
    check(BadgeQuerier(BaggingClassifier(net, 2), strategy=strategy, random_state=0))


class EncoderBeforeModule:
    """A net with a module that is given the rows before ``module_``."""

    def __init__(self, *args, encoder, **kwargs):
        self.encoder = encoder
        super().__init__(*args, **kwargs)

    def initialize_module(self):
        super().initialize_module()
        self.encoder_ = self.initialized_instance(self.encoder, {})
        return self

    def infer(self, X, **fit_params):
        return self.module_(torch.relu(self.encoder_(X)))


class EncoderAndHead(EncoderBeforeModule):
    """A net without ``module_``."""

    def initialize_module(self):
        self.encoder_ = self.initialized_instance(self.encoder, {})
        self.head_ = self.initialized_instance(self.module, {})
        return self

    def infer(self, X, **fit_params):
        return self.head_(torch.relu(self.encoder_(X)))


class BeforeClassifier(EncoderBeforeModule, NeuralNetClassifier):
    pass


class AndHeadClassifier(EncoderAndHead, NeuralNetClassifier):
    pass


class BeforeRegressor(EncoderBeforeModule, NeuralNetRegressor):
    pass


class AndHeadRegressor(EncoderAndHead, NeuralNetRegressor):
    pass


class OwnDataset(Dataset):
    pass


def make_of_two(kind, encoder, n_outputs, **params):
    defaults = {"train_split": None, "max_epochs": 3, "lr": 0.1, "verbose": 0}
    encoder = nn.Linear(4, 8) if encoder == "linear" else nn.EmbeddingBag(9, 8)
    return kind(nn.Linear(8, n_outputs), encoder=encoder, **(defaults | params))


def rows_for(encoder):
    codes = np.random.RandomState(0).randint(9, size=(60, 6))
    return make_data()[0] if encoder == "linear" else codes


@pytest.mark.parametrize("convert", [np.asarray, pd.DataFrame])
@pytest.mark.parametrize("encoder", ["linear", "embedding"])
@pytest.mark.parametrize("kind", [BeforeClassifier, AndHeadClassifier])
def test_classifiers_of_several_modules(kind, encoder, convert):
    X, (_, y) = convert(rows_for(encoder)), make_data()
    net = make_of_two(kind, encoder, 3, criterion=nn.CrossEntropyLoss)
    querier = BadgeQuerier(net, random_state=0).fit(X[:30], y[:30])
    assert len(np.unique(querier.partial_fit(X[30:], y[30:]).query(X, 3))) == 3
    frozen = BadgeQuerier(FrozenEstimator(querier.estimator_), classes=querier.classes_)
    np.testing.assert_array_equal(frozen.fit(X, y).predict(X), querier.predict(X))
    with pytest.raises(ValueError, match="Training diverged"):
        BadgeQuerier(net.set_params(lr=1e30, max_epochs=10)).fit(X, y)


@pytest.mark.parametrize("encoder", ["linear", "embedding"])
@pytest.mark.parametrize("kind", [BeforeRegressor, AndHeadRegressor])
def test_regressors_of_several_modules(kind, encoder):
    X = rows_for(encoder)
    y = X[:, 0] / 2
    net = make_of_two(kind, encoder, 1)
    assert len(BadgeQuerier(net, random_state=0).fit(X, y).query(X, 3)) == 3
    # By themselves, nets take these dtypes only.
    rows = X.astype("f4" if encoder == "linear" else "i8")
    fitted = clone(net).fit(rows, y.astype("f4")[:, None])
    expected = fitted.predict(rows)[:, 0]
    found = model_outputs(fitted, X, needs="prediction").prediction[:, 0]
    np.testing.assert_array_equal(found, expected)
    frozen = BadgeQuerier(FrozenEstimator(fitted))
    np.testing.assert_array_equal(frozen.predict(X), expected)
    # Targets are cast beside a data set of the user's own, too.
    own = BadgeQuerier(net.set_params(dataset=OwnDataset), random_state=0)
    assert own.fit(rows, y).predict(rows).shape == (60,)


@pytest.mark.parametrize(
    "net",
    [
        make_net(nn.Linear(4, 3)),
        make_of_two(AndHeadClassifier, "linear", 3, criterion=nn.CrossEntropyLoss),
    ],
)
def test_a_frozen_net_that_is_not_initialised_is_refused(net):
    with pytest.raises(NotFittedError, match="not initialized yet"):
        BadgeQuerier(FrozenEstimator(net)).predict(make_data()[0])


class PredictsAColumn(LogisticRegression):
    """As CatBoost's models of several classes do."""

    def predict(self, X):
        return super().predict(X)[:, None]


@pytest.mark.parametrize("labels", ["labels", "codes"])
@pytest.mark.parametrize("wrap", [lambda model: model, FrozenEstimator])
def test_labels_in_a_column_are_labels(wrap, labels):
    X, y = make_data()
    y = y if labels == "labels" else np.unique(y, return_inverse=True)[1]
    expected = LogisticRegression().fit(X, y).predict(X)
    model = wrap(PredictsAColumn().fit(X, y))
    querier = BadgeQuerier(model, random_state=0)
    if wrap is FrozenEstimator:
        np.testing.assert_array_equal(querier.predict(X), expected)
    np.testing.assert_array_equal(querier.fit(X, y).predict(X), expected)
