"""Models that are made of trees: their leaves, and the stages of boosting."""

import re
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np
from sklearn.ensemble import (
    BaggingClassifier,
    BaggingRegressor,
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.tree import BaseDecisionTree

from skbadge._compat import hist_leaf_counts, hist_leaves
from skbadge.outputs.readers._input_rows import bagging_inputs
from skbadge.outputs.readers._leaves import Leaves
from skbadge.pools import frame_to_array, is_frame

FORESTS = (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
BAGGING = (BaggingClassifier, BaggingRegressor)
BOOSTING = (GradientBoostingClassifier, GradientBoostingRegressor)
HIST_BOOSTING = (HistGradientBoostingClassifier, HistGradientBoostingRegressor)


class Family(NamedTuple):
    """One kind of models that are made of trees."""

    # From a fitted model to its `Leaves`, or None where it has no trees.
    leaves: Callable
    # Number of stages of boosting, or None where there are none.
    n_stages: Callable | None = None
    # From model, rows and ascending stages to the probabilities after each.
    staged: Callable | None = None


def family_of(model):
    """The family of a model, None for one that is not made of trees."""
    for types, family in FAMILIES.items():
        if isinstance(model, types):
            return family
    # XGBoost's linear models.
    if getattr(model, "booster", None) == "gblinear":
        return None
    # Looked up by name, so that none of these packages need be there.
    for base in type(model).__mro__:
        package = base.__module__.partition(".")[0]
        if (package, base.__name__) in OTHERS:
            return OTHERS[package, base.__name__]
    return None


def is_boosting(model):
    """Whether a model is made of trees that were boosted."""
    family = family_of(model)
    return family is not None and family.n_stages is not None


def leaves_of(model):
    """The leaves of a fitted model, None for one without several trees that split."""
    family = family_of(model)
    leaves = None if family is None else family.leaves(model)
    return leaves if leaves is not None and leaves.tell_rows_apart() else None


def _numbered(apply, counts):
    """Leaves that are numbered from 0 in each tree."""
    return Leaves(apply, [np.arange(count) for count in counts])


def _tree_nodes(trees):
    """Nodes of scikit-learn's trees that have no children."""
    return [np.flatnonzero(tree.tree_.children_left < 0) for tree in trees]


# scikit-learn


def _of_forest(model):
    return Leaves(model.apply, _tree_nodes(model.estimators_))


def _of_bagging(model):
    trees = model.estimators_
    if not all(isinstance(tree, BaseDecisionTree) for tree in trees):
        return None
    return Leaves(partial(_bagged_leaves, model), _tree_nodes(trees))


def _bagged_leaves(model, X):
    inputs = zip(model.estimators_, bagging_inputs(model, X), strict=True)
    return np.column_stack([tree.apply(rows) for tree, rows in inputs])


def _of_boosting(model):
    trees = model.estimators_.ravel()

    def apply(X):
        # It hands rows on to trees that were fitted without names of columns.
        X = frame_to_array(X) if is_frame(X) else X
        # Nor does a regressor take lists.
        X = np.asarray(X) if isinstance(X, list | tuple) else X
        return model.apply(X).reshape(-1, len(trees))

    return Leaves(apply, _tree_nodes(trees))


def _of_hist_boosting(model):
    return _numbered(partial(hist_leaves, model), hist_leaf_counts(model))


def _staged(model, X, stages):
    for stage, proba in enumerate(model.staged_predict_proba(X), start=1):
        if stage in stages:
            yield proba


# LightGBM


def _of_lightgbm(model):
    # After early stopping, the trees that the model predicts by.
    text = model.booster_.model_to_string()
    counts = [int(n) for n in re.findall(r"^num_leaves=(\d+)", text, re.MULTILINE)]

    def apply(X):
        return model.predict(X, pred_leaf=True).reshape(-1, len(counts))

    return _numbered(apply, counts)


def _lightgbm_stages(model):
    stopped_at = model.best_iteration_
    return stopped_at if stopped_at else model.booster_.current_iteration()


def _staged_lightgbm(model, X, stages):
    return (model.predict_proba(X, num_iteration=stage) for stage in stages)


# XGBoost


def _of_xgboost(model):
    trees = model.get_booster().get_dump()
    trees = trees[: len(trees) // _xgboost_rounds(model) * _xgboost_stages(model)]
    nodes = [
        np.sort(np.array(re.findall(r"(\d+):leaf=", tree), dtype=np.int64))
        for tree in trees
    ]

    def apply(X):
        return model.apply(X).reshape(-1, len(nodes))

    return Leaves(apply, nodes)


def _xgboost_rounds(model):
    return model.get_booster().num_boosted_rounds()


def _xgboost_stages(model):
    # It is there only after early stopping.
    stopped_at = getattr(model, "best_iteration", None)
    return _xgboost_rounds(model) if stopped_at is None else stopped_at + 1


def _staged_xgboost(model, X, stages):
    return (model.predict_proba(X, iteration_range=(0, int(s))) for s in stages)


# CatBoost


def _of_catboost(model):
    return _numbered(model.calc_leaf_indexes, model.get_tree_leaf_counts())


def _staged_catboost(model, X, stages):
    return (model.predict_proba(X, ntree_end=int(stage)) for stage in stages)


FAMILIES = {
    FORESTS: Family(_of_forest),
    BAGGING: Family(_of_bagging),
    BOOSTING: Family(_of_boosting, lambda model: len(model.estimators_), _staged),
    HIST_BOOSTING: Family(_of_hist_boosting, lambda model: model.n_iter_, _staged),
}

# By the package and name of their base class.
OTHERS = {
    ("lightgbm", "LGBMModel"): Family(_of_lightgbm, _lightgbm_stages, _staged_lightgbm),
    ("xgboost", "XGBModel"): Family(_of_xgboost, _xgboost_stages, _staged_xgboost),
    ("catboost", "CatBoost"): Family(
        _of_catboost, lambda model: model.tree_count_, _staged_catboost
    ),
}
