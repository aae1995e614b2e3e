"""The same ``random_state``: the same model and picks, whatever else runs or draws."""

import random
from pathlib import Path

import numpy as np
import pytest
import torch
from joblib import parallel_config
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.datasets import make_classification
from sklearn.ensemble import (
    AdaBoostClassifier,
    BaggingClassifier,
    ExtraTreesClassifier,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, KFold, RandomizedSearchCV
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from skorch import NeuralNetClassifier
from skorch.callbacks import Callback, Checkpoint
from skorch.dataset import ValidSplit
from torch import nn

from skbadge import BadgeQuerier
from skbadge.nn import JointEntropyClassifier, TabularNetClassifier
from skbadge.utils._shared_state import generator_states, restore_generators


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden = nn.Linear(8, 12)
        self.dropout = nn.Dropout(0.2)
        self.head = nn.Linear(12, 3)

    def forward(self, X):
        return self.head(self.dropout(torch.relu(self.hidden(X))))


class Jitter(TransformerMixin, BaseEstimator):
    """Draws from two global generators, as code does that knows no better."""

    def fit(self, X, y=None):
        return self

    def transform(self, X):
        return X + 1e-3 * np.random.normal(size=X.shape) + 1e-3 * random.random()


class InitialisingNet(NeuralNetClassifier):
    """A net that draws once more when it is initialised."""

    def initialize(self):
        super().initialize()
        nn.init.normal_(self.module_.head.weight)
        return self


class Drawing(Callback):
    """Draws from all global generators while a net trains."""

    def on_epoch_begin(self, net, **kwargs):
        drawn = np.random.rand() + random.random() + torch.rand(3)
        with torch.no_grad():
            net.module_.head.bias.add_(0.1 * drawn)


def make_net(kind=NeuralNetClassifier, **params):
    defaults = {
        "criterion": nn.CrossEntropyLoss,
        "train_split": None,
        "max_epochs": 3,
        "batch_size": 32,
        "lr": 0.1,
        "verbose": 0,
        "iterator_train__shuffle": True,
    }
    return kind(Net, **(defaults | params))


def make_checkpointed_net(folder, **params):
    checkpoint = Checkpoint(monitor="train_loss_best", load_best=True, dirname=folder)
    return make_net(callbacks=[checkpoint], **params)


def two(net):
    return [("a", net), ("b", net)]


def search(net, **params):
    folds = KFold(2, shuffle=True, random_state=0)
    return GridSearchCV(net, {"lr": [0.05, 0.2]}, cv=folds, **params)


SERIAL = {
    "net": lambda folder: make_net(),
    "split net": lambda folder: make_net(train_split=ValidSplit(0.2)),
    "checkpointed net": make_checkpointed_net,
    "joint entropy": lambda folder: make_net(JointEntropyClassifier),
    "tabular": lambda folder: TabularNetClassifier(max_epochs=3),
    "pipeline": lambda folder: make_pipeline(Jitter(), make_net()),
}

PARALLEL = {
    "search": lambda folder, n: search(make_net(), n_jobs=n),
    "search of split nets": lambda folder, n: search(
        make_net(train_split=ValidSplit(0.2)), n_jobs=n
    ),
    "search of checkpointed nets": lambda folder, n: search(
        make_checkpointed_net(folder), n_jobs=n
    ),
    "search of silent nets": lambda folder, n: search(
        make_net(callbacks="disable"), n_jobs=n
    ),
    "bagging": lambda folder, n: BaggingClassifier(make_net(), 3, n_jobs=n),
    "bagging of pipelines": lambda folder, n: BaggingClassifier(
        make_pipeline(LogisticRegressionFeatures(), make_net()), 2, n_jobs=n
    ),
    "bagging of checkpointed nets": lambda folder, n: BaggingClassifier(
        make_checkpointed_net(folder), 3, n_jobs=n
    ),
    "bagging of tabular": lambda folder, n: BaggingClassifier(
        TabularNetClassifier(max_epochs=3), 2, n_jobs=n
    ),
    "voting": lambda folder, n: VotingClassifier(
        two(make_net()), voting="soft", n_jobs=n
    ),
    "stacking": lambda folder, n: StackingClassifier(
        two(make_net()), LogisticRegression(), cv=2, n_jobs=n
    ),
    "one against the rest": lambda folder, n: OneVsRestClassifier(make_net(), n_jobs=n),
    "search of bagging": lambda folder, n: GridSearchCV(
        BaggingClassifier(make_net(), 2), {"max_samples": [0.5, 1.0]}, cv=2, n_jobs=n
    ),
    "search of models": lambda folder, n: GridSearchCV(
        Pipeline([("model", LogisticRegression())]),
        [
            {"model": [make_net(), VotingClassifier(two(make_net()), voting="soft")]},
            {"model": [ExtraTreesClassifier(3)]},
        ],
        cv=2,
        n_jobs=n,
    ),
    "random search of models": lambda folder, n: RandomizedSearchCV(
        Pipeline([("model", make_net())]),
        {"model": [make_net(), make_net(max_epochs=5)]},
        n_iter=2,
        cv=2,
        n_jobs=n,
    ),
    "search of callbacks": lambda folder, n: GridSearchCV(
        make_net(), {"callbacks": [None, "disable", [Drawing]]}, cv=2, n_jobs=n
    ),
    "search of initialising nets": lambda folder, n: search(
        make_net(InitialisingNet), n_jobs=n
    ),
    "bagging of initialising nets": lambda folder, n: BaggingClassifier(
        make_net(InitialisingNet), 2, n_jobs=n
    ),
    "search of nets checkpointed by path": lambda folder, n: search(
        make_checkpointed_net(Path(folder)), n_jobs=n
    ),
}


class LogisticRegressionFeatures(TransformerMixin, BaseEstimator):
    """A step of a pipeline that keeps float32 rows as they are."""

    def fit(self, X, y=None):
        return self

    def transform(self, X):
        return X


def make_data():
    X, y = make_classification(240, 8, n_informative=5, n_classes=3, random_state=0)
    return X.astype(np.float32), y


def outcome(estimator, seed, **params):
    """Predictions and picks, found among global generators in some state."""
    X, y = make_data()
    found = generator_states()
    try:
        np.random.seed(seed)
        random.seed(seed)
        torch.manual_seed(seed)
        querier = BadgeQuerier(estimator, strategy="margin", random_state=0, **params)
        before = states()
        querier.fit(X[:80], y[:80]).partial_fit(X[80:120], y[80:120])
        rows = querier.query(X[120:], 10)
        decided = (
            querier.predict_proba(X[120:])
            if hasattr(querier, "predict_proba")
            else querier.decision_function(X[120:])
        )
        assert states() == before
        return decided, rows
    finally:
        restore_generators(found)


def states():
    numpy_state, python_state, torch_state, _ = generator_states()
    return numpy_state[1].tolist(), numpy_state[2], python_state, torch_state.tolist()


def assert_same(outcomes):
    (decided, rows), *others = outcomes
    for other_decided, other_rows in others:
        np.testing.assert_array_equal(decided, other_decided)
        np.testing.assert_array_equal(rows, other_rows)


@pytest.mark.parametrize("make", SERIAL.values(), ids=SERIAL.keys())
def test_whatever_the_state_of_global_generators(make, tmp_path):
    assert_same([outcome(make(str(tmp_path)), seed) for seed in (1, 2)])


@pytest.mark.parametrize("make", PARALLEL.values(), ids=PARALLEL.keys())
def test_whatever_the_number_of_jobs(make, tmp_path):
    assert_same([outcome(make(str(tmp_path), n), seed=n) for n in (1, 2)])


@pytest.mark.parametrize("name", ["search", "bagging", "voting"])
def test_whatever_the_backend_of_joblib(name, tmp_path):
    make = PARALLEL[name]
    with parallel_config(backend="threading", n_jobs=2):
        threaded = outcome(make(str(tmp_path), 2), seed=3)
    assert_same([threaded, outcome(make(str(tmp_path), 1), seed=4)])


class WeightedNet(NeuralNetClassifier):
    """A net that leaves weights of rows aside."""

    def fit(self, X, y, sample_weight=None):
        return super().fit(X, y)


ENSEMBLES = {
    "voting": lambda n: VotingClassifier(
        two(make_net(max_epochs=0)), voting="soft", n_jobs=n
    ),
    "bagging": lambda n: BaggingClassifier(make_net(max_epochs=0), 2, n_jobs=n),
    "bagging of all rows": lambda n: BaggingClassifier(
        make_net(max_epochs=0), 2, bootstrap=False, n_jobs=n
    ),
    "bagging of initialising nets": lambda n: BaggingClassifier(
        make_net(InitialisingNet, max_epochs=0), 2, n_jobs=n
    ),
    "boosting": lambda n: AdaBoostClassifier(make_net(WeightedNet), n_estimators=2),
}


@pytest.mark.parametrize("n_jobs", [1, 2])
@pytest.mark.parametrize("make", ENSEMBLES.values(), ids=ENSEMBLES.keys())
def test_members_of_an_ensemble_differ(make, n_jobs):
    X, y = make_data()
    ensemble = make(n_jobs)
    querier = BadgeQuerier(ensemble, strategy="margin", random_state=0).fit(X, y)
    one, other = querier.estimator_.estimators_
    # They differ before the first step already.
    assert not torch.equal(one.module_.head.weight, other.module_.head.weight)


def test_weights_that_a_net_loads_itself_are_kept():
    X, y = make_data()
    bagging = BaggingClassifier(make_net(LoadedNet, max_epochs=0), 2)
    querier = BadgeQuerier(bagging, strategy="margin", random_state=0).fit(X, y)
    for net in querier.estimator_.estimators_:
        assert (net.module_.head.weight == 0.25).all()


class LoadedNet(NeuralNetClassifier):
    """A net that sets weights once it is initialised."""

    def initialize(self):
        super().initialize()
        nn.init.constant_(self.module_.head.weight, 0.25)
        return self


@pytest.mark.parametrize("random_state", [None, 0])
def test_different_seeds_differ(random_state):
    X, y = make_data()
    bagging = BaggingClassifier(make_net(), 2, random_state=random_state)
    one, other = (
        BadgeQuerier(bagging, strategy="margin", random_state=seed).fit(X, y)
        for seed in (0, 1)
    )
    assert not np.array_equal(one.predict_proba(X), other.predict_proba(X))


def draw_everywhere(pool, n, *, labeled, random_state):
    np.random.rand(), random.random(), torch.rand(1)
    return np.random.permutation(len(pool))[:n]


def test_a_strategy_that_draws_from_global_generators_is_seeded():
    X, y = make_data()
    querier = BadgeQuerier(
        LogisticRegression(), strategy=draw_everywhere, random_state=0
    ).fit(X[:100], y[:100])
    before = states()
    first = querier.query(X[100:], 5)
    assert states() == before
    np.random.rand()
    np.testing.assert_array_equal(querier.query(X[100:], 5), first)
