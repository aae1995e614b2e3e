"""A call whose training failed may be made again, and a warm model is put back."""

import copy

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import sparse
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.naive_bayes import GaussianNB
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from skorch import NeuralNetClassifier, NeuralNetRegressor
from skorch.callbacks import LRScheduler
from torch import nn

from skbadge import BadgeQuerier
from skbadge.nn import TabularNetClassifier
from tests.pools._containers import all_containers, read

rng = np.random.default_rng(0)
X = np.column_stack([rng.permutation(40) * 1.0, rng.integers(0, 50, size=40)])
y = np.arange(40) % 2


class Moody(ClassifierMixin, BaseEstimator):
    """Fails to train when told so."""

    def __init__(self, fails=False):
        self.fails = fails

    def fit(self, X, y, sample_weight=None):
        if self.fails:
            raise RuntimeError("no memory")
        self.model_ = GaussianNB().fit(read(X), y, sample_weight)
        self.classes_ = self.model_.classes_
        return self

    def predict_proba(self, X):
        return self.model_.predict_proba(read(X))


def fitted(make=np.array, **params):
    return BadgeQuerier(Moody(), random_state=0).fit(make(X[:10]), y[:10], **params)


def failing(querier, *args, **params):
    with pytest.raises(RuntimeError, match="no memory"):
        querier.set_params(estimator__fails=True).partial_fit(*args, **params)
    return querier.set_params(estimator__fails=False)


def assert_holds(querier, rows, labels=None):
    np.testing.assert_array_equal(read(querier.X_labeled_), X[rows])
    labels = y[rows] if labels is None else labels
    np.testing.assert_array_equal(querier.y_labeled_, labels)


@all_containers
def test_the_same_call_does_not_double_the_rows(make):
    querier = failing(fitted(make), make(X[10:14]), y[10:14])
    assert len(querier.y_labeled_) == 14
    failing(querier, make(X[10:14]), y[10:14])
    assert len(querier.y_labeled_) == 14
    querier.partial_fit(make(X[10:14]), y[10:14])
    assert_holds(querier, np.arange(14))


def test_the_first_call_may_be_one_that_fails():
    for method in ("fit", "partial_fit"):
        querier = BadgeQuerier(Moody(fails=True))
        for _ in range(2):
            with pytest.raises(RuntimeError, match="no memory"):
                getattr(querier, method)(X[:10], y[:10])
        querier.set_params(estimator__fails=False).partial_fit(X[:10], y[:10])
        assert_holds(querier, np.arange(10))


def test_ragged_rows_that_come_one_by_one():
    class Lengths(Moody):
        def fit(self, X, y):
            return super().fit([[len(row)] for row in X], y)

    rows = [["a"], ["b", "c"], ["d"]]
    querier = BadgeQuerier(Lengths()).fit([["x"], ["y", "z"]], [0, 1])
    failing(querier, rows, [0, 1, 0]).partial_fit([["b", "c"]], [1])
    assert sorted(map(tuple, querier.X_labeled_[2:])) == sorted(map(tuple, rows))


@pytest.mark.parametrize("convert", [np.array, pd.DataFrame, sparse.csc_array])
def test_corrected_labels_take_the_place_of_the_wrong_ones(convert):
    querier = failing(fitted(convert), convert(X[10:14]), 1 - y[10:14])
    querier.partial_fit(convert(X[10:14]), y[10:14])
    assert_holds(querier, np.arange(14))


def test_weights_may_be_added_in_a_retry():
    querier = failing(BadgeQuerier(Moody()), X[:10], y[:10])
    querier.partial_fit(X[:10], y[:10], sample_weight=np.ones(10))
    querier = fitted(sample_weight=np.ones(10))
    failing(querier, X[10:12], y[10:12], sample_weight=np.ones(2))
    querier.partial_fit(X[10:12], y[10:12], sample_weight=np.full(2, 0.5))
    assert querier._labeled.params["sample_weight"].tolist() == [1.0] * 10 + [0.5] * 2


def test_a_retry_may_have_more_rows_or_fewer():
    querier = failing(fitted(), X[10:14], y[10:14])
    querier.partial_fit(X[10:16], y[10:16])
    assert_holds(querier, np.arange(16))
    querier = failing(fitted(), X[10:14], y[10:14])
    querier.partial_fit(X[12:14], y[12:14])
    assert_holds(querier, np.arange(14))


def test_calls_that_failed_one_after_the_other():
    querier = failing(fitted(), X[10:12], y[10:12])
    failing(querier, X[12:14], y[12:14])
    failing(querier, X[10:12], y[10:12])
    querier.partial_fit(X[10:14], y[10:14])
    assert_holds(querier, np.arange(14))


@pytest.mark.filterwarnings("ignore:Equal labelled rows")
def test_rows_that_are_no_retry_are_added():
    querier = failing(fitted(), X[10:12], y[10:12]).partial_fit()
    # They were trained on in between.
    querier.partial_fit(X[10:12], y[10:12])
    assert_holds(querier, [*range(12), 10, 11])
    # One row in common may be a second opinion.
    failing(querier, X[20:22], y[20:22])
    querier.partial_fit(X[21:23], 1 - y[21:23])
    labels = [*y[:12], *y[[10, 11, 20, 21]], *(1 - y[21:23])]
    assert_holds(querier, [*range(12), 10, 11, 20, 21, 21, 22], labels)


def test_rows_that_are_repeated_within_a_call_stay_so():
    rows = [10, 10, 11]
    querier = failing(fitted(), X[rows], y[rows])
    querier.partial_fit(X[rows], y[rows])
    assert_holds(querier, [*range(10), *rows])
    querier = failing(fitted(), X[rows], y[rows])
    querier.partial_fit(X[[10]], y[[10]])
    assert_holds(querier, [*range(10), 10, 11, 10])


def test_positions_to_forget_and_relabel_may_come_in_between():
    querier = failing(fitted(), X[10:14], y[10:14]).forget([0, 11])
    querier.relabel([9], [1 - y[10]]).partial_fit(X[10:14], y[10:14])
    assert_holds(querier, np.arange(1, 14))


def test_a_refused_retry_changes_nothing():
    querier = failing(fitted(), X[10:14], y[10:14])
    with pytest.raises(ValueError, match="`y` must hold labels of one kind"):
        querier.partial_fit(X[10:14], ["a", "b"] * 2)
    assert_holds(querier, np.arange(14))


WIDE = np.hstack([X, X])
REFUSED = {
    "inconsistent numbers of samples": (y[:11], {}),
    "`y` must hold labels of one kind": (["a", 1] * 6, {}),
    "classes": (y[:12] + 7, {}),
    "`X_unlabeled` needs an estimator": (y[:12], {"X_unlabeled": WIDE}),
    "masked": (y[:12], {"sample_weight": np.ma.masked_equal(np.ones(12), 1)}),
}


@pytest.mark.parametrize("why", REFUSED)
def test_a_refused_fit_leaves_model_and_rows_as_they_were(why):
    querier = fitted().set_params(classes=[0, 1])
    before, asked = querier.predict_proba(X), querier.query(X, 3).tolist()
    labels, params = REFUSED[why]
    with pytest.raises(ValueError, match=why):
        querier.fit(WIDE[:12], labels, **params)
    assert querier.n_features_in_ == 2
    np.testing.assert_array_equal(querier.predict_proba(X), before)
    assert querier.query(X, 3).tolist() == asked
    assert_holds(querier, np.arange(10))
    querier.partial_fit(X[10:14], y[10:14])
    assert_holds(querier, np.arange(14))
    assert querier.fit(WIDE, y).n_features_in_ == 4


@pytest.mark.parametrize("why", REFUSED)
def test_a_refused_first_call_leaves_nothing(why):
    querier = BadgeQuerier(Moody(), random_state=0, classes=[0, 1])
    labels, params = REFUSED[why]
    with pytest.raises(ValueError, match=why):
        querier.partial_fit(WIDE[:12], labels, **params)
    assert not hasattr(querier, "n_features_in_")
    assert_holds(querier.partial_fit(X[:10], y[:10]), np.arange(10))


def test_classes_of_a_refused_first_call_are_not_kept():
    querier = BadgeQuerier(Moody(), random_state=0)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        querier.partial_fit(X[:10], y[:9], classes=[0, 1, 2])
    querier.partial_fit(X[:10], y[:10], classes=[0, 1])
    assert querier.classes_.tolist() == [0, 1]


@pytest.mark.parametrize("first", ["fit", "partial_fit"])
def test_classes_may_be_named_after_a_first_training_that_failed(first):
    querier = BadgeQuerier(Moody(fails=True), random_state=0)
    with pytest.raises(RuntimeError, match="no memory"):
        getattr(querier, first)(X[:10], y[:10])
    querier.set_params(estimator__fails=False)
    querier.partial_fit(X[:10], y[:10], classes=[1, 0])
    assert querier.classes_.tolist() == [0, 1]
    with pytest.raises(ValueError, match="classes"):
        querier.partial_fit(X[:10], y[:10], classes=[0, 1, 2])


# Going on from the weights there are


class Net(nn.Module):
    def __init__(self, n_outputs=2):
        super().__init__()
        # It computes its weight in each pass, and has no deep copy after one.
        self.hidden = torch.nn.utils.spectral_norm(nn.Linear(2, 8))
        self.norm = nn.BatchNorm1d(8)
        self.head = nn.Linear(8, n_outputs)

    def forward(self, X):
        return self.head(self.norm(torch.relu(self.hidden(X))))


class Diary:
    """Holds what cannot be copied."""

    def __init__(self):
        self.lines = iter(())


def make_net(cls=NeuralNetClassifier, n_outputs=2, **params):
    defaults = {"train_split": None, "max_epochs": 2, "lr": 0.01, "verbose": 0}
    if cls is NeuralNetClassifier:
        defaults["criterion"] = nn.CrossEntropyLoss
    defaults["optimizer"] = torch.optim.Adam
    return cls(Net, module__n_outputs=n_outputs, **(defaults | params))


WARM = {
    "net": make_net,
    "scheduler": lambda: make_net(
        callbacks=[LRScheduler(policy="StepLR", step_size=1)]
    ),
    "regressor": lambda: make_net(NeuralNetRegressor, 1),
    "pipeline": lambda: make_pipeline(StandardScaler(), make_net()),
    "tabular": lambda: TabularNetClassifier(max_epochs=2),
}


def net_of(querier):
    model = querier.estimator_
    return model[-1] if hasattr(model, "steps") else model


def state_of(net):
    parts = net.module_.state_dict(), net.optimizer_.state_dict(), net.history
    return repr(copy.deepcopy(parts))


@pytest.mark.parametrize("make", WARM.values(), ids=WARM)
def test_a_warm_net_is_put_back_if_its_training_diverges(make):
    querier = BadgeQuerier(make(), warm_start=True, random_state=0).fit(X[:20], y[:20])
    net = net_of(querier)
    net.diary = Diary()
    before, model, lr = querier.predict(X), querier.estimator_, net.lr
    net.set_params(lr=1e30)
    state = state_of(net)
    with pytest.raises((ValueError, FloatingPointError), match="diverged"):
        querier.partial_fit(100 * X[20:], y[20:])
    assert querier.estimator_ is model
    assert net_of(querier) is net
    assert state_of(net) == state
    np.testing.assert_array_equal(querier.predict(X), before)
    assert len(querier.y_labeled_) == 40
    net.set_params(lr=lr)
    querier.forget(np.arange(20, 40)).partial_fit()
    assert len(net.history) == 4
    undisturbed = BadgeQuerier(make(), warm_start=True, random_state=0)
    undisturbed.fit(X[:20], y[:20]).partial_fit()
    np.testing.assert_array_equal(undisturbed.predict(X), querier.predict(X))


def test_an_interrupted_warm_training_is_undone_as_well():
    class Interrupted(MLPClassifier):
        def fit(self, X, y):
            super().fit(X, y)
            if len(X) > 20:
                raise KeyboardInterrupt
            return self

    model = Interrupted(4, solver="sgd", max_iter=2000, random_state=0)
    querier = BadgeQuerier(model, warm_start=True).fit(X[:20] / 50, y[:20])
    before = querier.predict_proba(X)
    with pytest.raises(KeyboardInterrupt):
        querier.partial_fit(X[20:] / 50, y[20:])
    np.testing.assert_array_equal(querier.predict_proba(X), before)
    assert len(querier.y_labeled_) == 40
