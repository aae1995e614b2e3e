"""Features of forests and boosting: the leaves that a row ends up in."""

import sys

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.ensemble import (
    BaggingClassifier,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    IsolationForest,
    RandomForestClassifier,
    RandomForestRegressor,
    VotingClassifier,
)
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from skbadge._compat import hist_leaf_counts, hist_leaves
from skbadge.outputs import Needs, model_outputs
from skbadge.outputs.readers import _leaves
from skbadge.outputs.readers._tree_families import leaves_of
from skbadge.utils import _memory
from tests.outputs._tree_models import CLASSIFIERS, MODELS, lightgbm, xgboost

X, y = make_classification(
    300, 6, n_informative=4, n_redundant=0, n_classes=3, random_state=0
)
TRAIN = slice(90)
HIST_BOOSTING = HistGradientBoostingClassifier | HistGradientBoostingRegressor
SPARSE = Needs(features=True, sparse=True)


def fitted(name):
    return MODELS[name]().fit(X[TRAIN], y[TRAIN])


def memberships(model, X=X, needs=SPARSE):
    return model_outputs(model, X, needs=needs).features


def walked(nodes, X):
    """The leaves of a tree of numbers only, found node by node."""
    at = np.zeros(len(X), dtype=int)
    while not nodes["is_leaf"][at].all():
        here = nodes[at]
        goes_left = X[np.arange(len(X)), here["feature_idx"]] <= here["num_threshold"]
        below = np.where(goes_left, here["left"], here["right"])
        at = np.where(here["is_leaf"], at, below)
    return at


def found_leaves(model, X):
    """The leaves of each tree, without the code under test."""
    name = type(model).__module__.partition(".")[0]
    if isinstance(model, HIST_BOOSTING):
        trees = [tree for trees in model._predictors for tree in trees]
        return np.column_stack([walked(tree.nodes, X) for tree in trees])
    if name == "lightgbm":
        return model.predict(X, pred_leaf=True)
    if name == "catboost":
        return model.calc_leaf_indexes(X)
    if hasattr(model, "apply"):
        return model.apply(X)
    return np.column_stack(
        [
            tree.apply(X[:, columns])
            for tree, columns in zip(
                model.estimators_, model.estimators_features_, strict=True
            )
        ]
    )


@pytest.mark.parametrize("name", MODELS)
def test_products_are_the_shares_of_trees_with_a_common_leaf(name):
    model = fitted(name)
    features = memberships(model)
    leaves = found_leaves(model, X).reshape(len(X), -1)
    shares = (leaves[:, None] == leaves).mean(axis=2)
    assert shares.min() < 0.5
    np.testing.assert_allclose((features @ features.T).toarray(), shares, atol=1e-6)


@pytest.mark.parametrize("name", MODELS)
def test_columns_are_the_leaves_of_the_model(name):
    model = fitted(name)
    features = memberships(model)
    assert sparse.issparse(features)
    assert features.format == "csr"
    assert features.dtype == np.float32
    assert features.has_canonical_format
    n_trees = features.nnz // len(X)
    np.testing.assert_array_equal(np.diff(features.indptr), n_trees)
    np.testing.assert_allclose(features.data, n_trees**-0.5, rtol=1e-6)
    # One row alone has the same columns, as labelled rows have.
    one = memberships(model, X[7:8])
    assert (one != features[7]).nnz == 0
    # Of the models here, leaves without labelled rows are CatBoost's alone.
    if "catboost" not in name:
        seen = memberships(model, X[TRAIN])
        if "bagging" not in name and "forest" not in name:
            assert (seen.sum(axis=0) > 0).all()


@pytest.mark.parametrize("name", ["forest", "hist_boosting", "lightgbm", "xgboost"])
def test_blocks_of_rows_make_no_difference(name, monkeypatch):
    model = fitted(name)
    expected = memberships(model), memberships(model, needs="features")
    monkeypatch.setattr(_leaves, "BLOCK_LEAVES", 1)
    monkeypatch.setattr(_leaves, "SIGNED_LEAVES", 50)
    rows = np.vstack([X] * 5)
    assert len(rows) > 1024
    found = memberships(model, rows), memberships(model, rows, needs="features")
    assert (found[0][-300:] != expected[0]).nnz == 0
    np.testing.assert_array_equal(found[1][-300:], expected[1])


def test_hist_boosting_takes_categories_and_gaps():
    frame = pd.DataFrame(X.copy(), columns=list("abcdef"))
    kinds = np.array(["x", "y", "z"])[(X[:, 0] * 3).astype(int) % 3]
    frame["kind"] = pd.Categorical(kinds)
    frame.loc[frame.index % 7 == 0, "b"] = np.nan
    model = HistGradientBoostingClassifier(
        max_iter=6, min_samples_leaf=4, categorical_features="from_dtype"
    ).fit(frame, y)
    trees = [tree for trees in model._predictors for tree in trees]
    assert any(tree.nodes["is_categorical"].any() for tree in trees)
    leaves = hist_leaves(model, frame)
    # What each stage adds are the values of leaves.
    stages = np.array(list(model.staged_decision_function(frame)))
    first = np.broadcast_to(model._baseline_prediction, stages[:1].shape)
    steps = np.diff(stages, axis=0, prepend=first).swapaxes(1, 2)
    steps = steps.reshape(-1, len(X))
    for found, tree, step in zip(leaves.T, trees, steps, strict=True):
        values = tree.nodes["value"][tree.nodes["is_leaf"].astype(bool)]
        np.testing.assert_allclose(values[found], step, atol=1e-9)
    # Trees are left as they were.
    np.testing.assert_array_equal(hist_leaves(model, frame), leaves)
    assert (leaves < hist_leaf_counts(model)).all()
    # No column need be a number, as inputs must.
    assert memberships(model, frame).shape[0] == len(X)


@pytest.mark.parametrize("kind", ["frame", "sparse", "pipeline"])
def test_frames_sparse_rows_and_pipelines(kind):
    model, rows = RandomForestClassifier(5, random_state=0), X
    if kind == "frame":
        rows = pd.DataFrame(X, columns=list("abcdef"))
    elif kind == "sparse":
        rows = sparse.csr_matrix(X)
    else:
        model = make_pipeline(StandardScaler(), model)
    model.fit(rows, y)
    bare = model[-1] if kind == "pipeline" else model
    inner = model[0].transform(X) if kind == "pipeline" else rows
    expected = bare.apply(inner)
    products = memberships(model, rows)
    shares = (expected[:, None] == expected).mean(axis=2)
    np.testing.assert_allclose((products @ products.T).toarray(), shares, atol=1e-6)


@pytest.mark.parametrize("name", MODELS)
def test_the_leaves_of_a_frame_are_those_of_its_numbers(name):
    frame = pd.DataFrame(X, columns=list("abcdef"))
    model = MODELS[name]().set_params(random_state=0)
    expected = memberships(clone(model).fit(X, y), X)
    found = memberships(model.fit(frame, y), frame)
    assert (found != expected).nnz == 0


def test_few_leaves_are_exact_without_sparse_rows():
    model = RandomForestClassifier(8, max_depth=3, random_state=0).fit(X, y)
    exact = memberships(model)
    assert exact.shape[1] <= _leaves.DENSE_COLUMNS
    np.testing.assert_array_equal(memberships(model, needs="features"), exact.toarray())


def test_many_leaves_are_sketched_without_sparse_rows():
    model = RandomForestClassifier(60, random_state=0).fit(X, y)
    exact = memberships(model)
    assert exact.shape[1] > 10 * _leaves.DENSE_COLUMNS
    rows = memberships(model, needs="features")
    assert rows.shape == (len(X), _leaves.DENSE_COLUMNS)
    # Labelled rows are sketched as the pool is, and no seed says how.
    np.testing.assert_array_equal(memberships(model, X[:9], "features"), rows[:9])

    def sq_dists(kernel):
        norms_sq = np.diag(kernel)
        return norms_sq[:, None] + norms_sq - 2 * kernel

    wrong = rows @ rows.T - (exact @ exact.T).toarray()
    above = np.triu_indices(len(X), 1)
    # Variances of products of unit vectors by random signs are below 2 / width, and
    # 1 / width where they are orthogonal; no two leaves share their signs.
    rms = np.sqrt((wrong[above] ** 2).mean())
    assert 0.8 / 16 < rms < 1.2 / 16
    assert abs(wrong[above].mean()) < 0.2 / 16
    exact_dists = sq_dists((exact @ exact.T).toarray())[above]
    relative = sq_dists(rows @ rows.T)[above] / exact_dists - 1
    assert np.sqrt((relative**2).mean()) < 1.1 * np.sqrt(2 / 256)


def test_inputs_stay_standardised():
    outputs = model_outputs(fitted("forest"), X, needs=("features", "inputs"))
    np.testing.assert_allclose(outputs.inputs, StandardScaler().fit_transform(X))
    assert outputs.scaling is not None
    assert model_outputs(fitted("forest"), X, needs="features").scaling is None


def test_a_bias_is_in_the_span_of_the_leaves():
    assert model_outputs(fitted("forest"), X).feature_factors == (1.0, 0.0)
    assert model_outputs(GaussianNB().fit(X, y), X).feature_factors == (1.0, 1.0)


@pytest.mark.parametrize(
    "model",
    [
        DecisionTreeClassifier(),
        RandomForestClassifier(1),
        GradientBoostingClassifier(n_estimators=1, max_depth=2),
        VotingClassifier([("a", DecisionTreeClassifier()), ("b", GaussianNB())]),
        BaggingClassifier(GaussianNB(), 3),
        IsolationForest(n_estimators=3),
        # No tree splits.
        HistGradientBoostingClassifier(min_samples_leaf=200),
    ],
    ids=lambda model: type(model).__name__,
)
def test_features_of_others_are_their_input(model):
    # Two classes, of which boosting has one tree a stage.
    model.fit(X, y > 0)
    assert leaves_of(model) is None
    features = model_outputs(model, X, needs="features").features
    np.testing.assert_allclose(features, StandardScaler().fit_transform(X))


def test_linear_models_of_xgboost_have_no_leaves():
    model = xgboost("XGBRegressor")
    model.set_params(booster="gblinear", max_depth=None).fit(X, y)
    assert leaves_of(model) is None


@pytest.mark.filterwarnings("ignore:The argument 'eval_set' is deprecated")
def test_early_stopping_leaves_out_trees_that_do_not_predict():
    model = lightgbm("LGBMClassifier", min_child_samples=2)
    import lightgbm as package

    model.set_params(n_estimators=200).fit(
        X[TRAIN],
        y[TRAIN],
        eval_set=[(X[90:], y[90:])],
        callbacks=[package.early_stopping(3, verbose=False)],
    )
    assert 0 < model.best_iteration_ < 200
    assert memberships(model).nnz == len(X) * 3 * model.best_iteration_
    model = xgboost("XGBClassifier", early_stopping_rounds=3).set_params(
        n_estimators=200
    )
    model.fit(X[TRAIN], y[TRAIN], eval_set=[(X[90:], y[90:])], verbose=False)
    assert model.best_iteration + 1 < model.get_booster().num_boosted_rounds()
    assert memberships(model).nnz == len(X) * 3 * (model.best_iteration + 1)


def test_forests_of_several_targets_are_read():
    model = RandomForestRegressor(4, random_state=0).fit(
        X, np.column_stack([y, X[:, 0]])
    )
    assert memberships(model).nnz == 4 * len(X)


def test_what_would_not_fit_is_refused_with_the_ways_out(monkeypatch):
    monkeypatch.setattr(_memory, "LEAST_CHECKED", 0)
    monkeypatch.setattr(_memory, "available_memory", lambda: 30_000)
    with pytest.raises(
        ValueError, match=r"300 rows in 8 trees would take 19200 bytes.*`subsample`"
    ):
        memberships(fitted("forest"))


def test_packages_of_other_models_are_not_asked(monkeypatch):
    model = fitted("forest")
    for package in ("lightgbm", "xgboost", "catboost"):
        # An import would fail.
        monkeypatch.setitem(sys.modules, package, None)
    assert leaves_of(model) is not None
    assert leaves_of(GaussianNB()) is None


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_probabilities_come_along(name):
    model = fitted(name)
    outputs = model_outputs(model, X)
    np.testing.assert_allclose(outputs.proba, model.predict_proba(X), atol=1e-6)
    assert outputs.features.shape[0] == len(X)
