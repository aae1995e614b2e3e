"""Queries of forests and boosting, whose features are leaves."""

import numpy as np
import pytest
from sklearn.datasets import make_classification
from sklearn.ensemble import (
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    RandomForestClassifier,
    RandomForestRegressor,
)

from skbadge import BadgeQuerier
from skbadge.pools import from_chunks
from skbadge.querier import _chunk_reading
from skbadge.strategies import LCMD, EmbeddingStrategy, get_strategy_names
from tests.outputs._tree_models import CLASSIFIERS, MODELS
from tests.strategies._quick import quick

X, y = make_classification(
    280, 6, n_informative=4, n_redundant=0, n_classes=3, random_state=0
)
TRAIN, POOL = slice(80), slice(80, None)


def picks(model, strategy, X=X, n=12, y=y, **params):
    querier = BadgeQuerier(model, strategy=strategy, random_state=0, **params)
    return querier.fit(X[TRAIN], y[TRAIN]).query(X[POOL], n)


# Strategies that work on the model's features.
ON_FEATURES = ["badge", "core_set", "badge_max_det", "posterior_max_det", "bait"]


# They split between values that all labelled rows have, not those of one node.
BY_RANKS = ["hist_boosting", "lightgbm", "xgboost", "catboost"]


@pytest.mark.parametrize("strategy", ON_FEATURES)
@pytest.mark.parametrize("name", BY_RANKS)
def test_monotone_changes_of_columns_change_no_pick(name, strategy):
    # Few values a column, all among the labelled rows, so that no row lies in between.
    rows = np.clip(np.round(X * 1.5), -3, 3)
    rows[:7] = np.arange(-3, 4)[:, None]
    other = rows.copy()
    other[:, 0] = rows[:, 0] ** 3
    other[:, 1] = 2.0 ** (4 * rows[:, 1])
    other[:, 2] = 1024 * rows[:, 2] - 32
    make = CLASSIFIERS[name]
    np.testing.assert_array_equal(
        picks(make(), strategy, other), picks(make(), strategy, rows)
    )


@pytest.mark.parametrize("strategy", ON_FEATURES)
@pytest.mark.parametrize("name", sorted(set(CLASSIFIERS) - set(BY_RANKS)))
def test_other_units_change_no_pick(name, strategy):
    other = X.copy()
    # Powers of two, so that no tree splits elsewhere by rounding.
    other[:, 2] *= 1024
    other[:, 4] /= 64
    make = CLASSIFIERS[name]
    np.testing.assert_array_equal(
        picks(make(), strategy, other), picks(make(), strategy)
    )


# They ask for layers, of which trees have none, or for a regressor.
ASK_FOR_MORE = {"alfa_mix", "drop_query", "igs", "lcmd"}


@pytest.mark.parametrize("strategy", sorted(set(get_strategy_names()) - ASK_FOR_MORE))
@pytest.mark.parametrize("name", ["forest", "boosting", "hist_boosting"])
# A few members do not disagree about more rows.
@pytest.mark.filterwarnings("ignore:.* have labels that tell posterior samples apart")
def test_every_strategy_works(name, strategy):
    rows = picks(MODELS[name](), quick(strategy))
    assert len(set(rows.tolist())) == 12


@pytest.mark.parametrize(
    "strategy",
    ["badge", "bait", "bald", "batch_bald", "core_set", "posterior_max_det", "acs_fw"],
)
@pytest.mark.parametrize("make", [RandomForestRegressor, ExtraTreesRegressor])
def test_every_strategy_works_for_regressors(make, strategy):
    rows = picks(make(30, random_state=0), strategy, y=X[:, 0] + X[:, 1])
    assert len(set(rows.tolist())) == 12


@pytest.mark.parametrize("name", ["forest", "boosting", "hist_boosting", "lightgbm"])
def test_lcmd_on_leaves(name):
    rows = picks(MODELS[name](), LCMD(kernel="features"))
    np.testing.assert_array_equal(
        rows, picks(MODELS[name](), EmbeddingStrategy(kernel="features"))
    )
    with pytest.raises(TypeError, match=r"no layers.*LCMD\(kernel='features'\)"):
        picks(MODELS[name](), "lcmd")


def test_core_set_takes_the_row_that_shares_the_fewest_leaves():
    model = RandomForestClassifier(25, min_samples_leaf=2, random_state=0)
    rows = picks(model, "core_set", n=10)
    leaves = model.fit(X[TRAIN], y[TRAIN]).apply(X)
    shares = (leaves[:, None] == leaves).mean(axis=2)
    known, nearest = list(range(80)), np.arange(80, 280)
    for row in rows:
        greatest = shares[np.ix_(nearest, known)].max(axis=1)
        assert greatest[row] == greatest.min()
        known.append(80 + row)


@pytest.mark.parametrize("labels", [[0, 1, 2], ["ant", "bee", "cat"]])
@pytest.mark.parametrize("name", CLASSIFIERS)
def test_a_row_has_one_label(name, labels):
    labels = np.array(labels)
    querier = BadgeQuerier(CLASSIFIERS[name](), random_state=0)
    predicted = querier.fit(X[TRAIN], labels[y[TRAIN]]).predict(X)
    best = querier.predict_proba(X).argmax(axis=1)
    np.testing.assert_array_equal(predicted, querier.classes_[best])


@pytest.mark.parametrize("in_memory", [True, False])
@pytest.mark.parametrize("strategy", ["badge", "core_set", "bait"])
@pytest.mark.parametrize("name", ["forest", "hist_boosting"])
def test_chunks_need_no_pass_for_statistics(name, strategy, in_memory, monkeypatch):
    if not in_memory:
        monkeypatch.setattr(_chunk_reading, "KEPT_NBYTES", 0)
    querier = BadgeQuerier(MODELS[name](), strategy=strategy, random_state=0)
    querier.fit(X[TRAIN], y[TRAIN])
    pool = from_chunks([X[80:130], X[130:137], X[137:]])
    rows, report = querier.query(pool, 9, return_report=True)
    if in_memory or strategy != "badge":
        np.testing.assert_array_equal(rows, querier.query(X[POOL], 9))
    if in_memory or strategy == "bait":
        assert report.n_passes == 1


def test_pictures_and_outputs_of_a_query():
    querier = BadgeQuerier(GradientBoostingClassifier(n_estimators=5), random_state=0)
    querier.fit(X[TRAIN], y[TRAIN])
    pool = querier.outputs(X[POOL])
    some = querier.outputs(X[POOL][:9], like=pool)
    assert (some.features != pool.features[:9]).nnz == 0
