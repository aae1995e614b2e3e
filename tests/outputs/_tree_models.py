"""Models of trees, those of other packages among them where they are installed."""

import pytest
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
from sklearn.tree import DecisionTreeClassifier, ExtraTreeRegressor


def lightgbm(name, **params):
    kind = getattr(pytest.importorskip("lightgbm"), name)
    return kind(
        n_estimators=8, num_leaves=6, verbose=-1, n_jobs=1, random_state=0, **params
    )


def xgboost(name, **params):
    kind = getattr(pytest.importorskip("xgboost"), name)
    return kind(n_estimators=8, max_depth=3, n_jobs=1, random_state=0, **params)


def catboost(name):
    kind = getattr(pytest.importorskip("catboost"), name)
    return kind(
        iterations=8,
        depth=3,
        verbose=0,
        thread_count=1,
        allow_writing_files=False,
        random_state=0,
    )


HIST = {"max_iter": 8, "min_samples_leaf": 5, "random_state": 0}

FOREST_CLASSIFIERS = {
    "forest": lambda: RandomForestClassifier(8, random_state=0),
    "extra_trees": lambda: ExtraTreesClassifier(8, random_state=0),
    "bagging": lambda: BaggingClassifier(
        DecisionTreeClassifier(min_samples_leaf=3), 8, max_features=0.7, random_state=0
    ),
}
BOOSTING_CLASSIFIERS = {
    "boosting": lambda: GradientBoostingClassifier(n_estimators=8, random_state=0),
    "hist_boosting": lambda: HistGradientBoostingClassifier(**HIST),
    "lightgbm": lambda: lightgbm("LGBMClassifier"),
    "xgboost": lambda: xgboost("XGBClassifier"),
    "xgboost_forests": lambda: xgboost("XGBClassifier", num_parallel_tree=2),
    "catboost": lambda: catboost("CatBoostClassifier"),
}
REGRESSORS = {
    "forest_regressor": lambda: RandomForestRegressor(8, random_state=0),
    "extra_trees_regressor": lambda: ExtraTreesRegressor(8, random_state=0),
    "bagging_regressor": lambda: BaggingRegressor(
        ExtraTreeRegressor(min_samples_leaf=3), 8, bootstrap_features=True
    ),
    "boosting_regressor": lambda: GradientBoostingRegressor(n_estimators=8),
    "hist_boosting_regressor": lambda: HistGradientBoostingRegressor(**HIST),
    "lightgbm_regressor": lambda: lightgbm("LGBMRegressor"),
    "xgboost_regressor": lambda: xgboost("XGBRegressor"),
    "xgboost_forest_regressor": lambda: xgboost("XGBRFRegressor"),
    "catboost_regressor": lambda: catboost("CatBoostRegressor"),
}
CLASSIFIERS = FOREST_CLASSIFIERS | BOOSTING_CLASSIFIERS
MODELS = CLASSIFIERS | REGRESSORS
