"""Weights of rows in the training of the ready nets."""

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import sparse
from sklearn.base import is_classifier
from sklearn.ensemble import AdaBoostClassifier, BaggingRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from skorch import NeuralNetClassifier
from skorch.callbacks import EpochScoring
from skorch.dataset import ValidSplit

from skbadge import BadgeQuerier
from skbadge.nn import (
    JointEntropyTabularClassifier,
    TabularNetClassifier,
    TabularNetRegressor,
)

WHOLE = {"batch_size": -1, "max_epochs": 10, "random_state": 0}


def whole_batches(net, **params):
    """A net of which each step is one on all rows."""
    return net(hidden_sizes=(8,), iterator_train__shuffle=False, **(WHOLE | params))


NETS = [TabularNetClassifier, TabularNetRegressor, JointEntropyTabularClassifier]


def make_data(net=TabularNetClassifier):
    rng = np.random.RandomState(0)
    X = 3 + rng.normal(size=(40, 3))
    if net is TabularNetRegressor:
        return X, X @ rng.normal(size=(3, 2))
    # Labels that only weights can tell apart from chance.
    return X, np.array(["no", "yes"])[(rng.uniform(size=40) > 0.4).astype(int)]


def outputs(net, X):
    return net.predict_proba(X) if is_classifier(net) else net.predict(X)


@pytest.mark.parametrize("convert", [np.asarray, sparse.csr_matrix, pd.DataFrame])
@pytest.mark.parametrize("net", NETS)
def test_weights_are_repeated_rows_and_weight_0_is_a_row_left_out(net, convert):
    X, y = make_data(net)
    counts = np.random.RandomState(1).randint(4, size=40)
    weighted = whole_batches(net).fit(convert(X), y, sample_weight=counts)
    repeated = whole_batches(net).fit(convert(X.repeat(counts, 0)), y.repeat(counts, 0))
    kwargs = {"rtol": 1e-4, "atol": 1e-6}
    np.testing.assert_allclose(outputs(weighted, X), outputs(repeated, X), **kwargs)
    for name in {"train_loss", "train_accuracy"} & set(weighted.history[0]):
        losses = weighted.history[:, name], repeated.history[:, name]
        np.testing.assert_allclose(*losses, **kwargs)
    again = (net.partial_fit for net in (weighted, repeated))
    next(again)(X, y, sample_weight=counts)
    next(again)(X.repeat(counts, 0), y.repeat(counts, 0))
    np.testing.assert_allclose(outputs(weighted, X), outputs(repeated, X), **kwargs)
    plain = whole_batches(net).fit(X, y)
    assert not np.allclose(outputs(plain, X), outputs(weighted, X), **kwargs)


@pytest.mark.parametrize("net", NETS)
def test_equal_weights_are_none_and_only_ratios_matter(net):
    X, y = make_data(net)
    model = net(hidden_sizes=(8,), max_epochs=3, random_state=0)
    plain = outputs(model.fit(X, y), X)
    for weights in (np.ones(40), np.full(40, 1e300), [7] * 40, pd.Series(np.ones(40))):
        np.testing.assert_array_equal(
            outputs(model.fit(X, y, sample_weight=weights), X), plain
        )


@pytest.mark.parametrize("criterion", ["weight", "sum"])
def test_weights_beside_other_parameters_of_the_criterion(criterion):
    X, y = make_data()
    params = {
        "weight": {"criterion__weight": torch.tensor([1.0, 3.0])},
        "sum": {"criterion__reduction": "sum"},
    }[criterion]
    net = whole_batches(TabularNetClassifier, **params)
    plain = net.fit(X, y).predict_proba(X)
    equal = net.fit(X, y, sample_weight=np.ones(40)).predict_proba(X)
    np.testing.assert_allclose(equal, plain, rtol=1e-5)
    counts = 1 + (np.arange(40) % 3)
    weighted = net.fit(X, y, sample_weight=counts).predict_proba(X)
    assert not np.allclose(weighted, plain, rtol=1e-3)


def test_small_batches_follow_the_weights():
    X, y = make_data()
    weights = np.where(y == "yes", 1.0, 0.0)
    net = TabularNetClassifier(batch_size=4, max_epochs=20, random_state=0)
    assert net.fit(X, y, sample_weight=weights).predict_proba(X)[:, 1].min() > 0.9
    assert net.history[-1, "train_accuracy"] > 0.99
    assert net.fit(X, y, sample_weight=1 - weights).predict_proba(X)[:, 1].max() < 0.1


def test_rows_of_weight_0_may_hold_anything_finite():
    X, y = make_data()
    X[0] = 1e200
    weights = np.r_[0, np.ones(39)]
    proba = whole_batches(TabularNetClassifier).fit(X, y, weights).predict_proba(X[1:])
    without = whole_batches(TabularNetClassifier).fit(X[1:], y[1:]).predict_proba(X[1:])
    np.testing.assert_allclose(proba, without, rtol=1e-4)


def test_validation_rows_keep_their_weights():
    X, y = make_data(TabularNetRegressor)
    net = whole_batches(TabularNetRegressor, validation_fraction=0.5)
    weights = np.where(np.arange(40) % 2, 1.0, 0.5)
    losses = [
        net.fit(X, y, sample_weight=factor * weights).history[:, "valid_loss"]
        for factor in (1, 2)
    ]
    np.testing.assert_allclose(losses[0], losses[1], rtol=1e-5)
    assert not np.allclose(net.fit(X, y).history[:, "valid_loss"], losses[0], rtol=1e-3)


def test_rows_without_weight_are_not_held_out():
    X, y = make_data(TabularNetRegressor)
    weights = np.where(np.arange(40) < 6, 1.0, 0.0)
    net = whole_batches(TabularNetRegressor, validation_fraction=0.34)
    losses = np.array(net.fit(X, y, sample_weight=weights).history[:, "valid_loss"])
    alone = np.array(net.fit(X[:6], y[:6]).history[:, "valid_loss"])
    # Weights are divided by their mean over all rows.
    np.testing.assert_allclose(losses, alone * 40 / 6, rtol=1e-4)


def test_no_weight_to_train_on_or_to_hold_out_is_an_error():
    X, y = make_data(TabularNetRegressor)
    weights = (np.arange(40) == 3).astype(float)
    net = whole_batches(TabularNetRegressor, validation_fraction=0.5)
    with pytest.raises(ValueError, match=r"two rows that have a weight\. Got 1 of 40"):
        net.fit(X, y, sample_weight=weights)
    X, y = make_data()
    split = ValidSplit(2, stratified=False)
    net = whole_batches(TabularNetClassifier, train_split=split)
    # One of the two halves has no weight, and it is the first that is held out.
    weights = (np.arange(40) < 20).astype(float)
    with pytest.raises(ValueError, match="None of the rows that train_split leaves"):
        net.fit(X, (y == "yes").astype(int), sample_weight=weights)


def test_callbacks_that_score_rows_which_have_weights():
    X, y = make_data()
    scoring = EpochScoring("accuracy", name="held_out", lower_is_better=False)
    net = whole_batches(
        TabularNetClassifier, train_split=ValidSplit(2), callbacks=[scoring]
    )
    net.fit(X, (y == "yes").astype(int), sample_weight=np.arange(40))
    assert 0 <= net.history[-1, "held_out"] <= 1


def test_unlabelled_rows_have_no_weight():
    X, y = make_data()
    partly = np.where(np.arange(40) % 2, y, "?")
    net = whole_batches(JointEntropyTabularClassifier, unlabeled_label="?")
    weights = 1.0 + np.arange(40)
    proba = net.fit(X, partly, sample_weight=weights).predict_proba(X)
    weights[::2] = 1e6
    same = net.fit(X, partly, sample_weight=weights).predict_proba(X)
    np.testing.assert_array_equal(same, proba)
    weights[1] = 0
    assert not np.allclose(net.fit(X, partly, weights).predict_proba(X), proba)


@pytest.mark.parametrize(
    ("weights", "match"),
    [
        (np.zeros(40), "positive for some row|one non-zero"),
        (np.full(40, -1.0), "[Nn]egative"),
        (np.ones(39), r"sample_weight.shape == \(39,\)"),
        (np.full(40, np.nan), "NaN"),
    ],
)
@pytest.mark.parametrize("net", NETS)
def test_bad_weights(net, weights, match):
    X, y = make_data(net)
    model = net(max_epochs=1)
    with pytest.raises(ValueError, match=match):
        model.fit(X, y, sample_weight=weights)
    model.fit(X, y)
    with pytest.raises(ValueError, match=match):
        model.partial_fit(X, y, sample_weight=weights)


def test_a_criterion_without_a_loss_for_each_row():
    class Odd(TabularNetClassifier):
        criterion = torch.nn.Module

    X, y = make_data()
    with pytest.raises(TypeError, match=r"reduction='mean' or 'sum'.*Got a Module"):
        Odd().fit(X, y, sample_weight=np.ones(40))


def test_a_querier_keeps_the_weights_with_the_rows():
    X, y = make_data()
    weights = 1.0 + np.arange(40)
    querier = BadgeQuerier(whole_batches(TabularNetClassifier), random_state=0)
    querier.fit(X[:30], y[:30], sample_weight=weights[:30])
    querier.partial_fit(X[30:], y[30:], sample_weight=weights[30:])
    net = whole_batches(TabularNetClassifier).fit(X, y, sample_weight=weights)
    np.testing.assert_array_equal(querier.predict_proba(X), net.predict_proba(X))
    assert len(querier.query(X + 1, 3)) == 3
    pipeline = make_pipeline(StandardScaler(), whole_batches(TabularNetClassifier))
    querier = BadgeQuerier(pipeline, random_state=0)
    querier.fit(X, y, tabularnetclassifier__sample_weight=weights)
    close = np.allclose(querier.predict_proba(X), net.predict_proba(X), atol=1e-3)
    assert close
    assert len(BadgeQuerier().fit(X, y, sample_weight=weights).query(X + 1, 3)) == 3


def test_a_plain_net_takes_no_weights():
    X, y = make_data()
    net = NeuralNetClassifier(torch.nn.Linear(3, 2), train_split=None)
    with pytest.raises(TypeError, match="unexpected keyword") as caught:
        BadgeQuerier(net).fit(X, y, sample_weight=np.ones(40))
    assert "taken by skbadge.nn.TabularNetClassifier" in caught.value.__notes__[0]


def test_ensembles_that_weight_rows():
    X, _ = make_data()
    y = np.where(X[:, 0] > 3, "yes", "no")
    net = TabularNetClassifier(hidden_sizes=(8,), batch_size=8, lr=0.03)
    boosting = AdaBoostClassifier(net, n_estimators=3)
    querier = BadgeQuerier(boosting, random_state=0).fit(X, y)
    assert querier.score(X, y) > 0.8
    assert len(querier.query(X + 1, 3)) == 3
    X, y = make_data(TabularNetRegressor)
    bagging = BaggingRegressor(whole_batches(TabularNetRegressor), 2)
    assert len(BadgeQuerier(bagging, random_state=0).fit(X, y[:, 0]).query(X, 3)) == 3
