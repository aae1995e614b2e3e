"""Posterior samples of boosting: the model after fewer stages."""

import numpy as np
import pytest
from sklearn.datasets import make_classification
from sklearn.ensemble import (
    BaggingClassifier,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
)
from sklearn.exceptions import NotFittedError

from skbadge import BadgeQuerier
from skbadge.outputs import Needs, model_outputs
from skbadge.outputs.readers import _boosting
from tests.outputs._tree_models import BOOSTING_CLASSIFIERS, xgboost

X, y = make_classification(
    240, 6, n_informative=4, n_redundant=0, n_classes=3, random_state=0
)


def posterior(model, n=20, X=X):
    return model_outputs(model, X, needs=Needs(n_posterior=n)).posterior


def truncated(model, stage):
    """The model after fewer stages, trained anew."""
    for name in ("n_estimators", "max_iter", "iterations"):
        if name in model.get_params():
            return type(model)(**model.get_params() | {name: stage}).fit(X, y)
    raise AssertionError


@pytest.mark.parametrize("name", BOOSTING_CLASSIFIERS)
def test_samples_are_models_of_the_second_half_of_the_stages(name):
    model = BOOSTING_CLASSIFIERS[name]()
    # What CatBoost learns goes by the number of stages.
    if name == "catboost":
        model.set_params(learning_rate=0.1, boosting_type="Plain")
    samples = posterior(model.fit(X, y))
    assert samples.shape == (4, 240, 3)
    assert samples.dtype == np.float32
    for sample, stage in zip(samples, [5, 6, 7, 8], strict=True):
        expected = truncated(model, stage).predict_proba(X)
        np.testing.assert_allclose(sample, expected, atol=1e-6)
    np.testing.assert_allclose(samples[-1], model.predict_proba(X), atol=1e-6)


@pytest.mark.parametrize(
    ("n_stages", "n", "expected"),
    [
        (3, 20, [2, 3]),
        (4, 20, [3, 4]),
        (7, 20, [4, 5, 6, 7]),
        (100, 3, [51, 76, 100]),
        (100, 2, [51, 100]),
        (100, 1, [100]),
        (100, 60, range(51, 101)),
    ],
)
def test_stages_are_evenly_spaced_up_to_the_last(n_stages, n, expected):
    stages = _boosting.virtual_stages(None, n_stages, Needs(n_posterior=n))
    assert stages.tolist() == pytest.approx(list(expected), abs=1 if n == 3 else 0)
    assert stages[-1] == n_stages


@pytest.mark.parametrize("n", range(2, 40))
def test_stages_are_distinct(n):
    for n_stages in range(3, 90):
        stages = _boosting.virtual_stages(None, n_stages, Needs(n_posterior=n))
        assert (np.diff(stages) > 0).all()
        assert stages[0] == n_stages // 2 + 1


def test_blocks_of_rows_make_no_difference(monkeypatch):
    model = HistGradientBoostingClassifier(max_iter=6).fit(X, y)
    expected = posterior(model)
    monkeypatch.setattr(_boosting, "BLOCK_ROWS", 50)
    np.testing.assert_array_equal(posterior(model), expected)


def test_two_classes():
    model = GradientBoostingClassifier(n_estimators=6).fit(X, y > 0)
    samples = posterior(model)
    assert samples.shape == (3, 240, 2)
    np.testing.assert_allclose(samples.sum(axis=2), 1, atol=1e-6)


def test_too_few_stages_are_refused():
    model = GradientBoostingClassifier(n_estimators=2).fit(X, y)
    with pytest.raises(ValueError, match=r"at least 3 stages.*Classifier has 2"):
        posterior(model)


def test_a_forest_of_xgboost_has_one_stage():
    model = xgboost("XGBRFClassifier").fit(X, y)
    with pytest.raises(ValueError, match="XGBRFClassifier has 1"):
        posterior(model)


def test_regressors_have_none():
    model = GradientBoostingRegressor(n_estimators=5).fit(X, y)
    with pytest.raises(TypeError, match="Regressor has no posterior samples"):
        posterior(model)


def test_boosting_that_is_not_fitted_is_refused():
    with pytest.raises(NotFittedError):
        posterior(HistGradientBoostingClassifier())


def test_members_of_bagging_stay_its_samples():
    bagging = BaggingClassifier(GradientBoostingClassifier(n_estimators=3), 2)
    assert posterior(bagging.fit(X, y)).shape == (2, 240, 3)


@pytest.mark.parametrize("strategy", ["bald", "batch_bald"])
@pytest.mark.parametrize("name", BOOSTING_CLASSIFIERS)
def test_strategies_on_posterior_samples(name, strategy):
    model = BOOSTING_CLASSIFIERS[name]()
    querier = BadgeQuerier(model, strategy=strategy, random_state=0)
    rows = querier.fit(X[:90], y[:90]).query(X[90:], 4)
    assert len(set(rows.tolist())) == 4
    if strategy == "bald":
        assert querier.score_pool(X[90:]).max() > 0
