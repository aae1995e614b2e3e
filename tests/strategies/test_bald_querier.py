"""BALD and BatchBALD through the querier: nets with dropout, and ensembles."""

import numpy as np
import pytest
import torch
from sklearn.datasets import make_classification
from sklearn.ensemble import BaggingClassifier, RandomForestClassifier
from skorch import NeuralNetClassifier
from torch import nn

from skbadge import BadgeQuerier
from skbadge.outputs import Outputs
from skbadge.strategies import BatchBald

X, y = make_classification(
    120, 6, n_informative=4, n_classes=3, n_clusters_per_class=1, random_state=0
)
X = X.astype("f4")


class Net(nn.Module):
    """A layer with dropout and batch normalisation, and a head."""

    def __init__(self):
        super().__init__()
        hidden = nn.Linear(6, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(0.5)
        self.hidden = nn.Sequential(*hidden)
        self.head = nn.Linear(16, 3)

    def forward(self, X):
        return self.head(self.hidden(X))


def unfitted(module=Net):
    return NeuralNetClassifier(
        module, criterion=nn.CrossEntropyLoss, verbose=0, train_split=None
    )


@pytest.mark.parametrize("strategy", ["bald", "batch_bald"])
def test_a_net_with_dropout_is_queried(strategy):
    def query(random_state, **params):
        querier = BadgeQuerier(unfitted(), strategy=strategy, random_state=random_state)
        querier.set_params(**params).fit(X[:40], np.array(["b", "c", "a"])[y[:40]])
        return querier.query(X[40:], 6, return_report=True)

    state = torch.get_rng_state()
    rows, report = query(0)
    assert torch.equal(torch.get_rng_state(), state)
    assert len(set(rows.tolist())) == 6
    assert report.values.max() < np.log(3)
    # Twenty samples of all pool rows, in float32.
    assert report.nbytes >= 20 * 80 * 3 * 4
    again, _ = query(0)
    np.testing.assert_array_equal(rows, again)
    np.testing.assert_array_equal(query(0, inference_batch_size=7)[0], rows)
    assert any((query(seed)[0] != rows).any() for seed in (1, 2, 3))
    _, report = query(0, strategy__n_posterior=4)
    assert 4 * 80 * 3 * 4 <= report.nbytes < 20 * 80 * 3 * 4


def test_the_querier_s_masks_are_a_stream_of_their_own():
    seeds = []

    class Recorded(BatchBald):
        def _run(self, pool, n, labeled, feasible, rng):
            seeds.append(pool.posterior[0, 0, 0])
            return super()._run(pool, n, labeled, feasible, rng)

    querier = BadgeQuerier(unfitted(), strategy=Recorded(3), random_state=5)
    querier.fit(X[:40], y[:40])
    querier.query(X[40:], 2)
    querier.query(X[40:], 2)
    assert seeds[0] == seeds[1]
    querier.set_params(random_state=np.random.RandomState(0))
    querier.query(X[40:], 2)
    querier.query(X[40:], 2)
    assert len(set(seeds)) == 3


def test_a_net_without_dropout_says_so_when_queried():
    querier = BadgeQuerier(
        unfitted(nn.Linear(6, 3)), strategy="batch_bald", random_state=0
    )
    querier.fit(X[:40], y[:40])
    with pytest.raises(ValueError, match="no dropout module with p > 0"):
        querier.query(X[40:], 3)


def test_a_function_may_need_posterior_samples():
    def first_rows(pool, n, *, labeled, random_state):
        assert isinstance(pool, Outputs)
        assert pool.posterior.shape == (20, 80, 3)
        return np.arange(n)

    first_rows.needs = ("posterior",)
    querier = BadgeQuerier(unfitted(), strategy=first_rows, random_state=0)
    assert querier.fit(X[:40], y[:40]).query(X[40:], 2).tolist() == [0, 1]


@pytest.mark.parametrize(
    "estimator",
    [RandomForestClassifier(10), BaggingClassifier(unfitted(), 3)],
    ids=["forest", "bagged nets"],
)
def test_ensembles_are_queried_with_labels_of_any_kind(estimator):
    labels = np.array(["late", "early", "never"])[y]
    for strategy in ("bald", "batch_bald"):
        querier = BadgeQuerier(estimator, strategy=strategy, random_state=0)
        rows = querier.fit(X[:40], labels[:40]).query(X[40:], 3)
        assert len(set(rows.tolist())) == 3
        assert set(querier.classes_) == set(labels)
        np.testing.assert_array_equal(
            querier.fit(X[:40], labels[:40]).query(X[40:], 3), rows
        )
