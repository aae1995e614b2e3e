"""Threads that ask and train at the same time get what they would get one by one."""

import random
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import product

import numpy as np
import pytest
import torch
from sklearn.datasets import make_classification
from skorch import NeuralNetClassifier
from torch import nn

from skbadge import BadgeQuerier
from skbadge.outputs import model_outputs

STRATEGIES = ["badge", "core_set", "lcmd", "bald", "margin", "batch_bald", "bait"]

X, y = make_classification(900, 8, n_informative=5, n_classes=3, random_state=0)
X = X.astype(np.float32)
POOLS = np.split(X[100:], 4)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden = nn.Linear(8, 16)
        self.dropout = nn.Dropout(0.3)
        self.head = nn.Linear(16, 3)

    def forward(self, X):
        return self.head(self.dropout(torch.relu(self.hidden(X))))


@pytest.fixture(autouse=True)
def eager_switching():
    """Let threads take turns far more often than they would."""
    found = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(found)


def make_querier(strategy="badge", seed=0, **params):
    net = NeuralNetClassifier(
        Net,
        criterion=nn.CrossEntropyLoss,
        train_split=None,
        max_epochs=2,
        lr=0.1,
        verbose=0,
    )
    params = {"strategy": strategy, "random_state": seed, "inference_batch_size": 50}
    return BadgeQuerier(net, **params)


def at_once(tasks):
    """The results of functions that threads run at the same time."""
    barrier = threading.Barrier(len(tasks))

    def run(task):
        barrier.wait()
        return task()

    with ThreadPoolExecutor(len(tasks)) as executor:
        return [future.result() for future in [executor.submit(run, t) for t in tasks]]


def states():
    return (
        np.random.get_state()[1].tolist(),
        random.getstate(),
        torch.get_rng_state().tolist(),
    )


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_queries_of_one_net(strategy):
    querier = make_querier(strategy).fit(X[:100], y[:100])
    querier.estimator_.module_.train()
    expected = [querier.query(pool, 4) for pool in POOLS]
    before = states()
    for _ in range(3):
        found = at_once([lambda pool=pool: querier.query(pool, 4) for pool in POOLS])
        np.testing.assert_array_equal(found, expected)
    assert states() == before
    module = querier.estimator_.module_
    assert all(part.training for part in module.modules())
    assert not any(part._forward_hooks for part in module.modules())
    assert torch.backends.mha.get_fastpath_enabled()


def test_queries_of_two_nets():
    queriers = [make_querier(seed=seed).fit(X[:100], y[:100]) for seed in (0, 1)]
    pairs = list(product(queriers, POOLS[:2]))
    expected = [querier.query(pool, 4) for querier, pool in pairs]
    found = at_once([lambda q=q, pool=pool: q.query(pool, 4) for q, pool in pairs])
    np.testing.assert_array_equal(found, expected)


def test_queries_beside_predictions():
    querier = make_querier("bald").fit(X[:100], y[:100])
    net = querier.estimator_
    ways = [
        lambda: querier.query(POOLS[0], 4),
        lambda: querier.predict_proba(POOLS[1]),
        lambda: querier.predict(POOLS[2]),
        lambda: querier.score(X[:100], y[:100]),
        lambda: querier.outputs(POOLS[3]).posterior,
        lambda: model_outputs(net, POOLS[0]).features,
    ]
    expected = [way() for way in ways]
    for _ in range(3):
        for result, wanted in zip(at_once(ways), expected, strict=True):
            np.testing.assert_array_equal(result, wanted)


@pytest.mark.parametrize("strategy", ["badge", "lcmd"])
def test_queries_beside_predictions_of_the_bare_net(strategy):
    # A net that is used directly knows of no lock.
    querier = make_querier(strategy).fit(X[:100], y[:100])
    net = querier.estimator_
    ways = [lambda: querier.query(POOLS[0], 4), lambda: net.predict_proba(POOLS[1])]
    expected = [way() for way in ways]
    for _ in range(5):
        for result, wanted in zip(at_once(ways), expected, strict=True):
            np.testing.assert_array_equal(result, wanted)


def test_trainings_beside_queries():
    asked = make_querier().fit(X[:100], y[:100])
    trained = [make_querier(seed=seed) for seed in (1, 2, 3)]
    rows = asked.query(POOLS[0], 4)
    weights = [weights_of(q.fit(X[:100], y[:100])) for q in trained]
    found, *others = at_once(
        [lambda: asked.query(POOLS[0], 4)]
        + [lambda q=q: weights_of(q.fit(X[:100], y[:100])) for q in trained]
    )
    np.testing.assert_array_equal(found, rows)
    np.testing.assert_array_equal(others, weights)


def weights_of(querier):
    return querier.estimator_.module_.head.weight.detach().numpy().copy()


def test_no_label_is_lost_where_threads_add_some():
    querier = make_querier().fit(X[:100], y[:100])
    parts = np.split(np.arange(100, 140), 4)
    at_once([lambda rows=rows: querier.partial_fit(X[rows], y[rows]) for rows in parts])
    assert sorted(map(tuple, querier.X_labeled_)) == sorted(map(tuple, X[:140]))
