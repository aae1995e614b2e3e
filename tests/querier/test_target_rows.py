"""Rows that a strategy is about beside the pool's, read as the pool is read."""

import pickle

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import sparse
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from skorch import NeuralNetClassifier
from torch import nn

from skbadge import BadgeQuerier
from skbadge.experiment import SimulatedActiveLearner
from skbadge.pools import from_arrays
from skbadge.strategies import ALBL, EPIG

rng = np.random.default_rng(0)
X = rng.normal(size=(260, 4)).astype("f4")
y = (X[:, 0] + X[:, 1] ** 2 > 0.5).astype(int) + (X[:, 2] > 1)
LABELED, POOL, TARGETS = slice(40), X[40:200], X[200:]


def forest():
    return RandomForestClassifier(8, random_state=0)


def net():
    layers = nn.Linear(4, 16), nn.ReLU(), nn.Dropout(0.3), nn.Linear(16, 3)
    return NeuralNetClassifier(
        nn.Sequential(*layers),
        criterion=nn.CrossEntropyLoss,
        max_epochs=3,
        train_split=None,
        verbose=0,
    )


def fitted(strategy, model=None, rows=X, **params):
    model = forest() if model is None else model
    querier = BadgeQuerier(model, strategy=strategy, random_state=0, **params)
    return querier.fit(rows[LABELED], y[LABELED])


MODELS = [forest(), net(), make_pipeline(StandardScaler(), net())]


@pytest.mark.parametrize("model", MODELS)
def test_they_are_read_with_the_posterior_samples_of_the_pool(model):
    # One of the targets stands in the pool as well.
    targets = np.vstack([TARGETS, POOL[:5]])
    querier = fitted(EPIG(targets), model)
    outputs = querier.outputs(POOL)
    assert outputs.targets.posterior.shape == (outputs.posterior.shape[0], 65, 3)
    # Nets may round a row differently in another batch.
    np.testing.assert_allclose(
        outputs.targets.posterior[:, 60:], outputs.posterior[:, :5], atol=1e-6
    )
    rows = querier.query(POOL, 5)
    scores = querier.score_pool(POOL)
    np.testing.assert_array_equal(np.sort(rows), np.sort(np.argsort(-scores)[:5]))


def test_other_targets_give_other_rows():
    far = X[200:][X[200:, 2] > 0.5]
    near = X[200:][X[200:, 2] < -0.5]
    one, other = (fitted(EPIG(part)).query(POOL, 10) for part in (far, near))
    assert set(one) != set(other)
    weights = (TARGETS[:, 2] > 0.5).astype(float)
    weighted = fitted(EPIG(TARGETS, target_weights=weights)).query(POOL, 10)
    np.testing.assert_array_equal(weighted, one)


def frame_of(rows):
    frame = pd.DataFrame(rows, columns=list("abcd"))
    return frame.assign(word=np.where(rows[:, 0] > 0, "up", "down"))


def columns_of_numbers():
    return make_column_transformer((OneHotEncoder(), ["word"]), remainder="passthrough")


KINDS = {
    "frame": (frame_of, lambda: make_pipeline(columns_of_numbers(), forest())),
    "list": (lambda rows: rows.tolist(), forest),
    "sparse": (sparse.csr_matrix, forest),
    "tensor": (torch.from_numpy, net),
}


@pytest.mark.parametrize("kind", KINDS)
def test_they_are_of_any_kind_that_the_estimator_takes(kind):
    form, make = KINDS[kind]
    querier = BadgeQuerier(make(), strategy=EPIG(form(TARGETS)), random_state=0)
    querier.fit(form(X[LABELED]), y[LABELED])
    rows, report = querier.query(form(POOL), 5, return_report=True)
    assert len(set(rows)) == 5
    assert "by EPIG(targets=" in str(report)
    # The strategy in use is a copy, kept while the parameters are equal by value.
    before = querier.strategy_
    querier.set_params(strategy=EPIG(form(TARGETS))).query(form(POOL), 5)
    assert querier.strategy_ is before
    querier.set_params(strategy=EPIG(form(TARGETS[:9]))).query(form(POOL), 5)
    assert querier.strategy_ is not before
    copy = pickle.loads(pickle.dumps(querier))
    np.testing.assert_array_equal(
        copy.query(form(POOL), 5), querier.query(form(POOL), 5)
    )
    assert clone(querier).strategy.targets is not querier.strategy.targets


def test_what_the_owner_does_to_them_later_is_a_change_of_strategy():
    targets = TARGETS.copy()
    querier = fitted(EPIG(targets))
    before = querier.query(POOL, 10)
    targets[:] = 3.0
    assert set(querier.query(POOL, 10)) != set(before)
    targets[:] = TARGETS
    np.testing.assert_array_equal(querier.query(POOL, 10), before)


@pytest.mark.parametrize(
    ("targets", "error", "match"),
    [
        (TARGETS[:, :3], ValueError, "`targets`: X has 3 features"),
        (TARGETS[:0], ValueError, "`targets` must have at least one row"),
        (TARGETS[0], ValueError, "targets|1D|2D"),
    ],
)
def test_they_are_checked_as_the_pool_is(targets, error, match):
    with pytest.raises(error, match=match):
        fitted(EPIG(targets)).query(POOL, 5)


def test_candidates_alone_are_picked():
    mask = np.arange(160) % 3 == 0
    for strategy in (EPIG(TARGETS), EPIG()):
        querier = fitted(strategy)
        rows = querier.query(POOL, 9, candidates=mask)
        assert mask[rows].all()
    # Given targets leave the other rows no part.
    alone = fitted(EPIG(TARGETS)).query(POOL[mask], 9)
    rows = fitted(EPIG(TARGETS)).query(POOL, 9, candidates=mask)
    np.testing.assert_array_equal(rows, np.flatnonzero(mask)[alone])


@pytest.mark.parametrize("strategy", [EPIG(TARGETS), EPIG(n_targets=30)])
@pytest.mark.parametrize("make", [forest, net])
def test_a_stream_is_scored_by_the_same_targets(strategy, make):
    querier = fitted(strategy, make(), storage=None)
    expected = querier.query(POOL, 9)
    for n in (1, 4):
        pool = from_arrays(np.array_split(POOL, n), chunk_rows=50)
        rows, report = querier.query(pool, 9, return_report=True)
        np.testing.assert_array_equal(rows, expected)
        assert report.n_passes == 1
        thin = querier.query(pool, 9, subsample=40)
        assert len(set(thin)) == 9


def test_workers_score_by_the_same_targets():
    from joblib import parallel_config

    querier = fitted(EPIG(TARGETS), storage=None)
    pool = from_arrays(np.array_split(POOL, 4), chunk_rows=50)
    with parallel_config(backend="loky", n_jobs=2):
        rows = querier.query(pool, 9)
    np.testing.assert_array_equal(rows, querier.query(POOL, 9))


def test_a_simulation_hands_them_on():
    querier = BadgeQuerier(forest(), strategy=EPIG(TARGETS))
    learner = SimulatedActiveLearner(querier, n_initial=20, n_query=5, budget=30)
    assert len(learner.fit(X[:200], y[:200]).labeled_) == 30


def test_inside_a_bandit_they_are_refused_and_not_passed_over():
    querier = fitted(ALBL([EPIG(TARGETS), EPIG(TARGETS)]))
    with pytest.raises(ValueError, match="`targets` must be read with the pool"):
        querier.query(POOL, 3)
