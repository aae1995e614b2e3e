"""Masked entries are refused, wherever arrays come in."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from skorch import NeuralNetClassifier
from torch import nn

import skbadge
from skbadge import BadgeQuerier
from skbadge.embeddings import DenseEmbedding
from skbadge.nn import (
    ArrayDataset,
    JointEntropyTabularClassifier,
    TabularNetClassifier,
    TabularNetRegressor,
)
from skbadge.outputs import model_outputs
from skbadge.pools import take_rows

X = np.random.RandomState(0).normal(size=(60, 4))
y = np.arange(60) % 3
MASK = np.zeros(X.shape, dtype=bool)
MASK[[3, 7], 1] = True
BAD = np.ma.array(X, mask=MASK)
BAD_Y = np.ma.array(y, mask=MASK[:, 1])
BAD_WEIGHTS = np.ma.array(np.ones(60), mask=MASK[:, 1])


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.head = nn.Linear(4, 3)

    def forward(self, X):
        return self.head(X if isinstance(X, torch.Tensor) else X[0])


def make_net():
    return NeuralNetClassifier(
        Net, criterion=nn.CrossEntropyLoss, train_split=None, max_epochs=1, verbose=0
    )


MODELS = {
    "net": make_net,
    "linear": LogisticRegression,
    "pipeline": lambda: make_pipeline(StandardScaler(), make_net()),
    "search": lambda: GridSearchCV(LogisticRegression(), {"C": [1]}, cv=2),
    "own net": lambda: TabularNetClassifier(max_epochs=1),
}
models = pytest.mark.parametrize("make", MODELS.values(), ids=MODELS)


def refused(name):
    message = f"`{name}` has masked entries: 2 of 60 rows, the first is row 3"
    return pytest.raises(ValueError, match=message)


@models
@pytest.mark.parametrize("convert", [np.ma.asarray, list, tuple])
def test_masked_rows(make, convert):
    querier = BadgeQuerier(make(), random_state=0).fit(np.ma.array(X), y)
    assert type(querier.X_labeled_) is np.ndarray
    bad = convert(BAD)
    for call in (
        lambda: BadgeQuerier(make()).fit(bad, y),
        lambda: querier.partial_fit(bad, y),
        lambda: querier.predict(bad),
        lambda: querier.predict_proba(bad),
        lambda: querier.score(bad, y),
        lambda: querier.outputs(bad),
    ):
        with refused("X"):
            call()
    with refused("X_pool"):
        querier.query(bad, 3)
    assert len(querier.y_labeled_) == 60


@models
def test_masked_labels_and_weights(make):
    querier = BadgeQuerier(make(), random_state=0).fit(X, y)
    for call in (querier.fit, querier.partial_fit, querier.score):
        with refused("y"):
            call(X, BAD_Y)
    with refused("sample_weight"):
        querier.score(X, y, sample_weight=BAD_WEIGHTS)
    assert len(querier.y_labeled_) == 60


def test_masked_weights_of_a_training():
    querier = BadgeQuerier(LogisticRegression(), random_state=0)
    with refused("sample_weight"):
        querier.fit(X, y, sample_weight=BAD_WEIGHTS)
    querier.fit(X, y, sample_weight=np.ones(60))
    with refused("sample_weight"):
        querier.partial_fit(X, y, sample_weight=BAD_WEIGHTS)


def test_masked_arrays_among_several_inputs():
    with refused(r"X\['X'\]"):
        BadgeQuerier(make_net()).fit({"X": BAD}, y)
    for several in ([X, BAD], (X, BAD)):
        with refused(r"X\[1\]"):
            BadgeQuerier(make_net()).fit(several, y)
    querier = BadgeQuerier(make_net()).fit([X, X], y)
    with refused(r"X_pool\[0\]"):
        querier.query([BAD, X], 3)


def test_masked_entries_of_all_else():
    querier = BadgeQuerier(LogisticRegression(), random_state=0).fit(X, y)
    with refused("groups"):
        querier.query(X, 3, groups=BAD_Y)
    with refused("candidates"):
        querier.query(X, 3, candidates=np.ma.array(y > 0, mask=MASK[:, 1]))
    with pytest.raises(ValueError, match="`pending` has masked entries: 1 of 2"):
        querier.query(X, 3, pending=np.ma.array([1, 2], mask=[0, 1]))
    with pytest.raises(ValueError, match="`y` has masked entries: 1 of 2"):
        querier.relabel([0, 1], np.ma.array([1, 2], mask=[0, 1]))
    with pytest.raises(ValueError, match="`classes` has masked entries: 1 of 3"):
        querier.set_params(classes=np.ma.array([0, 1, 2], mask=[0, 0, 1])).fit(X, y)
    with refused("X_unlabeled"):
        net = JointEntropyTabularClassifier(max_epochs=1)
        BadgeQuerier(net).fit(X, y, X_unlabeled=BAD)
    pipeline = make_pipeline(StandardScaler(), BadgeQuerier(LogisticRegression()))
    pipeline.fit(X, y)
    with refused("X_pool"):
        skbadge.query(pipeline, BAD, 3)
    with refused("y"):
        BadgeQuerier(Ridge()).fit(X, np.ma.array(X[:, 0], mask=MASK[:, 1]))


def test_masked_arrays_without_a_querier():
    with refused("X"):
        model_outputs(LogisticRegression().fit(X, y), BAD)
    for net, target in (
        (TabularNetClassifier(max_epochs=1), y),
        (TabularNetRegressor(max_epochs=1), X[:, 0]),
        (JointEntropyTabularClassifier(max_epochs=1), y),
    ):
        with refused("X"):
            net.fit(BAD, target)
        with refused("y"):
            net.fit(X, np.ma.array(target, mask=MASK[:, 1]))
    with refused("X"):
        TabularNetClassifier(max_epochs=1).fit(X, y).predict(BAD)
    with refused("X"):
        ArrayDataset(BAD)
    with refused("matrix"):
        DenseEmbedding(BAD)


def test_a_mask_goes_with_the_rows_and_may_be_empty():
    assert take_rows(BAD, [3, 4]).mask.any()
    empty = np.ma.array(X, mask=False)
    querier = BadgeQuerier(LogisticRegression()).fit(empty, y)
    assert len(querier.query(empty + 1, 2)) == 2
    fields = np.ma.zeros(3, dtype=[("a", "f8"), ("b", "i4")])
    fields["b"][1] = np.ma.masked
    with pytest.raises(ValueError, match="1 of 3 rows, the first is row 1"):
        BadgeQuerier(LogisticRegression()).fit(fields, [0, 1, 0])
