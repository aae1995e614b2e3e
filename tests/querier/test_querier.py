"""Queries: reproducible, by any strategy, with a report that tells the truth."""

import re

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from skorch import NeuralNetClassifier
from torch import nn

from skbadge import BadgeQuerier, QueryReport
from skbadge.embeddings import DenseEmbedding, gradient_embedding
from skbadge.exceptions import QueryWarning
from skbadge.nn import TabularNetClassifier
from skbadge.outputs import model_outputs
from skbadge.samplers import KCenter, Selection
from skbadge.strategies import (
    Badge,
    Entropy,
    Strategy,
    get_strategy,
    get_strategy_names,
)
from tests.strategies._quick import quick


class Net(nn.Module):
    def __init__(self, p_drop=0.2):
        super().__init__()
        self.hidden = nn.Linear(4, 8)
        self.drop = nn.Dropout(p_drop)
        self.head = nn.Linear(8, 3)

    def forward(self, X):
        return self.head(self.drop(torch.relu(self.hidden(X))))


def make_net(**params):
    defaults = {
        "criterion": nn.CrossEntropyLoss,
        "iterator_train__shuffle": True,
        "max_epochs": 3,
        "lr": 0.1,
        "verbose": 0,
    }
    return NeuralNetClassifier(Net, **(defaults | params))


def make_data(n_rows=60):
    rng = np.random.RandomState(0)
    X = rng.normal(size=(n_rows, 4))
    codes = (X[:, 0] > 0).astype(int) + (X[:, 1] > 0)
    return X, np.array(["ant", "bee", "cat"])[codes]


@pytest.fixture
def pool():
    return np.random.RandomState(1).normal(size=(200, 4))


MODELS = {
    "net": make_net,
    "default": lambda: TabularNetClassifier(max_epochs=3, dropout=0.2),
    "sklearn net": lambda: MLPClassifier(4, solver="lbfgs", alpha=1, max_iter=1000),
    "linear": LogisticRegression,
}


# Randomness


@pytest.mark.parametrize("make", MODELS.values(), ids=MODELS)
def test_the_same_seed_gives_the_same_model_and_rows(make, pool):
    X, y = make_data()
    found = []
    for _ in range(2):
        querier = BadgeQuerier(make(), random_state=3).fit(X, y)
        rows = querier.query(pool, 20)
        np.testing.assert_array_equal(rows, querier.query(pool, 20))
        found.append((rows, querier.predict_proba(pool)))
    np.testing.assert_array_equal(found[0][0], found[1][0])
    np.testing.assert_array_equal(found[0][1], found[1][1])


@pytest.mark.parametrize("make", MODELS.values(), ids=MODELS)
@pytest.mark.parametrize("random_state", [3, "instance"])
def test_global_generators_are_left_as_they_were(make, random_state, pool):
    X, y = make_data()
    if random_state == "instance":
        random_state = np.random.RandomState(3)
    np.random.seed(0)
    torch.manual_seed(0)
    numpy_state, torch_state = np.random.get_state()[1], torch.get_rng_state()
    position = np.random.get_state()[2]
    querier = BadgeQuerier(make(), random_state=random_state).fit(X, y)
    querier.query(pool, 20)
    querier.partial_fit(X, y)
    np.testing.assert_array_equal(np.random.get_state()[1], numpy_state)
    assert np.random.get_state()[2] == position
    assert torch.equal(torch.get_rng_state(), torch_state)


def test_different_seeds_give_different_rows_and_weights(pool):
    X, y = make_data()
    first = BadgeQuerier(make_net(), random_state=0).fit(X, y)
    second = BadgeQuerier(make_net(), random_state=1).fit(X, y)
    assert not np.allclose(first.predict_proba(pool), second.predict_proba(pool))
    linear = [
        BadgeQuerier(LogisticRegression(), random_state=seed).fit(X, y)
        for seed in (0, 1)
    ]
    rows = [querier.query(pool, 20) for querier in linear]
    assert not np.array_equal(rows[0], rows[1])


def test_a_random_state_instance_moves_on_and_can_be_replayed(pool):
    X, y = make_data()
    found = []
    for _ in range(2):
        rng = np.random.RandomState(5)
        querier = BadgeQuerier(make_net(), random_state=rng).fit(X, y)
        found.append([querier.query(pool, 20), querier.query(pool, 20)])
    np.testing.assert_array_equal(found[0], found[1])
    assert not np.array_equal(found[0][0], found[0][1])


def test_without_a_seed_the_global_generators_decide(pool):
    X, y = make_data()
    found = []
    for seed in (0, 0, 1):
        np.random.seed(seed)
        torch.manual_seed(seed)
        found.append(BadgeQuerier(make_net()).fit(X, y).query(pool, 20))
    np.testing.assert_array_equal(found[0], found[1])
    assert not np.array_equal(found[0], found[2])


def test_a_seed_of_the_estimator_is_kept():
    X, y = make_data()
    model = MLPClassifier(4, solver="lbfgs", alpha=1, max_iter=1000, random_state=7)
    first = BadgeQuerier(model, random_state=0).fit(X, y)
    second = BadgeQuerier(model, random_state=1).fit(X, y)
    np.testing.assert_array_equal(first.predict_proba(X), second.predict_proba(X))


def test_rows_do_not_depend_on_the_inference_batch_size(pool):
    X, y = make_data()
    querier = BadgeQuerier(make_net(), strategy="margin", random_state=0).fit(X, y)
    expected = querier.query(pool, 20)
    querier.set_params(inference_batch_size=7)
    np.testing.assert_array_equal(querier.query(pool, 20), expected)


# Strategies


# What any classifier can tell; some strategies need a net, or an ensemble.
TOLD_BY_ALL = {"proba", "features", "labeled"}


@pytest.mark.parametrize(
    "name",
    [
        name
        for name in get_strategy_names()
        if {*get_strategy(name).needs.fields} <= TOLD_BY_ALL
    ],
)
@pytest.mark.parametrize("make", MODELS.values(), ids=MODELS)
def test_every_strategy_with_every_model(make, name, pool):
    X, y = make_data()
    querier = BadgeQuerier(make(), strategy=quick(name), random_state=0).fit(X, y)
    # Few enough for strategies that stop at the rank of the embeddings.
    for n in (0, 1, 5):
        rows = querier.query(pool, n)
        assert rows.shape == (n,)
        assert rows.dtype == np.int64
        assert len(np.unique(rows)) == n
        assert n == 0 or 0 <= rows.min() <= rows.max() < 200
    assert len(querier.query(pool)) == 1


def test_all_rows_are_returned_where_too_many_are_asked_for(pool):
    querier = BadgeQuerier(LogisticRegression(), random_state=0).fit(*make_data())
    with pytest.warns(QueryWarning, match="`n`=300 is above the 200 rows"):
        rows = querier.query(pool, 300)
    np.testing.assert_array_equal(np.sort(rows), np.arange(200))


@pytest.mark.parametrize("make", [make_net, LogisticRegression])
def test_identical_rows_are_still_picked_once_each(make):
    querier = BadgeQuerier(make(), random_state=0).fit(*make_data())
    with pytest.warns(QueryWarning, match="Only 1 of 6 rows could be told apart"):
        rows, report = querier.query(np.ones((30, 4)), 6, return_report=True)
    assert len(np.unique(rows)) == 6
    assert "drawn uniformly" in report.fallbacks[0]


def test_core_set_keeps_away_from_the_labelled_rows(pool):
    X, y = make_data()
    querier = BadgeQuerier(make_net(), strategy="core_set", random_state=0).fit(X, y)
    net = querier.estimator_
    features = model_outputs(net, pool, needs="features").features
    labeled = model_outputs(net, X, needs="features").features
    expected = KCenter().sample(
        DenseEmbedding(features), 15, labeled=DenseEmbedding(labeled)
    )
    np.testing.assert_array_equal(querier.query(pool, 15), expected)
    alone = KCenter().sample(DenseEmbedding(features), 15)
    assert not np.array_equal(alone, expected)


def test_a_strategy_set_after_the_fit_takes_effect(pool):
    X, y = make_data()
    querier = BadgeQuerier(LogisticRegression(), random_state=0).fit(X, y)
    model = querier.estimator_
    by_badge = querier.query(pool, 20)
    rows, report = querier.set_params(strategy="entropy").query(
        pool, 20, return_report=True
    )
    proba = model.predict_proba(pool)
    entropy = -(proba * np.log(proba)).sum(axis=1)
    np.testing.assert_array_equal(rows, np.argsort(-entropy)[:20])
    assert report.strategy == "Entropy()"
    querier.set_params(strategy="badge")
    np.testing.assert_array_equal(querier.query(pool, 20), by_badge)
    querier.set_params(strategy__include_bias=True)
    assert querier.query(pool, 2, return_report=True)[1].strategy == (
        "Badge(include_bias=True)"
    )
    assert querier.estimator_ is model


def test_a_function_receives_everything_unless_it_says_what_it_needs(pool):
    X, y = make_data()
    seen = {}

    def pick(pool, n, *, labeled, random_state):
        seen.update(pool=pool, labeled=labeled, random_state=random_state)
        return random_state.permutation(len(pool))[:n]

    querier = BadgeQuerier(make_net(), strategy=pick, random_state=0).fit(X, y)
    rows = querier.query(pool, 7)
    np.testing.assert_array_equal(rows, querier.query(pool, 7))
    assert seen["pool"].proba.shape == (200, 3)
    assert seen["pool"].features.shape == (200, 8)
    assert seen["labeled"].outputs.features.shape == (60, 8)
    np.testing.assert_array_equal(seen["labeled"].y, y)

    pick.needs = ("proba",)
    querier.query(pool, 7)
    assert seen["pool"].features is None
    assert seen["labeled"] is None


class Farthest(Strategy):
    """Rows of the greatest features, or the least."""

    needs = ("features",)

    def __init__(self, *, sign=1):
        self.sign = sign

    def _run(self, pool, n, labeled, feasible, rng):
        size = self.sign * np.linalg.norm(pool.features, axis=1)
        rows = np.argsort(-size)[:n]
        return Selection(rows, size[rows])


def test_a_strategy_of_the_users_own(pool):
    querier = BadgeQuerier(LogisticRegression(), strategy=Farthest())
    querier.fit(*make_data())
    order = np.argsort(-np.linalg.norm(pool, axis=1))
    np.testing.assert_array_equal(querier.query(pool, 5), order[:5])
    querier.set_params(strategy__sign=-1)
    np.testing.assert_array_equal(querier.query(pool, 5), order[::-1][:5])
    _, report = querier.query(pool, 5, return_report=True)
    assert report.strategy == "Farthest(sign=-1)"


def test_the_strategy_object_is_the_users_own():
    strategy = Badge()
    querier = BadgeQuerier(LogisticRegression(), strategy=strategy).fit(*make_data())
    assert querier.strategy is strategy
    assert querier.strategy_ is not strategy


# Report


@pytest.mark.parametrize("make", [make_net, LogisticRegression])
@pytest.mark.parametrize("include_bias", [False, True])
def test_the_report_of_badge(make, include_bias, pool):
    X, y = make_data()
    strategy = Badge(include_bias=include_bias)
    querier = BadgeQuerier(make(), strategy=strategy, random_state=0).fit(X, y)
    rows, report = querier.query(pool, 10, return_report=True)
    assert isinstance(report, QueryReport)
    np.testing.assert_array_equal(report.rows, rows)
    np.testing.assert_array_equal(rows, querier.query(pool, 10))
    assert report.n_pool == 200
    assert report.fallbacks == ()
    assert report.seconds.keys() == {"outputs", "select"}
    assert min(report.seconds.values()) >= 0
    outputs = model_outputs(querier.estimator_, pool)
    embedding = gradient_embedding(
        outputs.proba, outputs.features, include_bias=include_bias
    )
    dense = embedding.to_dense()
    norms = np.linalg.norm(dense, axis=1)
    np.testing.assert_allclose(report.norms, norms[rows], rtol=1e-5)
    # The weight of a row is its distance to the rows picked before it.
    assert rows[0] == norms.argmax()
    for i in range(1, 10):
        gaps = np.linalg.norm(dense[rows[:i]] - dense[rows[i]], axis=1)
        np.testing.assert_allclose(report.values[i], gaps.min() ** 2, rtol=1e-4)
    assert report.nbytes >= outputs.nbytes
    assert report.n_distances > 0


def test_the_report_of_a_score(pool):
    querier = BadgeQuerier(LogisticRegression(), strategy=Entropy(), random_state=0)
    querier.fit(*make_data())
    rows, report = querier.query(pool, 10, return_report=True)
    proba = querier.predict_proba(pool)
    entropy = -(proba * np.log(proba)).sum(axis=1)
    np.testing.assert_allclose(report.values, entropy[rows])
    assert (np.diff(report.values) <= 0).all()
    assert report.norms is None


def test_a_report_prints_what_happened(pool):
    querier = BadgeQuerier(LogisticRegression(), random_state=0).fit(*make_data())
    text = str(querier.query(pool, 10, return_report=True)[1])
    assert text.startswith("10 of 200 rows by Badge()\n")
    assert re.search(r"time: outputs \S+ s, select \S+ s; memory: \S+ MB", text)
    assert re.search(r"norm: \S+ to \S+", text)
    assert "fallback" not in text
    with pytest.warns(QueryWarning):
        _, report = querier.query(np.ones((30, 4)), 6, return_report=True)
    assert "fallback: " in str(report)
    # Nothing picked, nothing to say about it.
    assert str(querier.query(pool, 0, return_report=True)[1]).startswith("0 of 200")


def test_verbose_says_what_was_done(pool, capsys):
    X, y = make_data()
    querier = BadgeQuerier(LogisticRegression(), random_state=0, verbose=1)
    querier.fit(X, y)
    assert "[BadgeQuerier] trained on 60 rows in" in capsys.readouterr().out
    querier.query(pool, 4)
    assert "[BadgeQuerier] 4 of 200 rows by Badge()" in capsys.readouterr().out
    querier.set_params(verbose=0).partial_fit(X, y).query(pool, 4)
    assert capsys.readouterr().out == ""
