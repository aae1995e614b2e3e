"""Models without features: the units of the columns play no part."""

import numpy as np
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import make_classification
from sklearn.ensemble import (
    AdaBoostClassifier,
    BaggingClassifier,
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
    VotingClassifier,
)
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from skbadge import BadgeQuerier
from skbadge.outputs import model_outputs
from skbadge.strategies import LCMD

X, y = make_classification(
    260, 6, n_informative=4, n_redundant=0, n_classes=3, random_state=0
)
TRAIN, POOL = slice(60), slice(60, None)


def in_other_units(X):
    """One column in grams, in place of kilograms; one in degrees Fahrenheit."""
    other = X.copy()
    # A power of two, so that no tree splits elsewhere by rounding.
    other[:, 2] *= 1024
    other[:, 4] = 2 * other[:, 4] + 32
    return other


def scaled(model):
    """Models that measure distances are not used without it."""
    return make_pipeline(StandardScaler(), model)


MODELS = {
    "tree": DecisionTreeClassifier(min_samples_leaf=5, random_state=0),
    "forest": RandomForestClassifier(10, random_state=0),
    "extra_trees": ExtraTreesClassifier(10, random_state=0),
    "boosting": GradientBoostingClassifier(n_estimators=5, random_state=0),
    "hist_boosting": HistGradientBoostingClassifier(max_iter=5, random_state=0),
    "ada_boost": AdaBoostClassifier(n_estimators=5, random_state=0),
    "bagging": BaggingClassifier(n_estimators=5, random_state=0),
    "voting": VotingClassifier(
        [
            ("a", GaussianNB(var_smoothing=0)),
            ("b", DecisionTreeClassifier(random_state=0)),
        ],
        voting="soft",
    ),
    # Smoothing goes by the greatest variance of a column.
    "bayes": GaussianNB(var_smoothing=0),
    "neighbours": scaled(KNeighborsClassifier(7)),
    "kernel_machine": scaled(CalibratedClassifierCV(SVC(), ensemble=False, cv=2)),
    "calibrated": CalibratedClassifierCV(GaussianNB(var_smoothing=0), cv=2),
}


def picks(model, X, strategy="badge", n=15, y=y):
    querier = BadgeQuerier(model, strategy=strategy, random_state=0)
    return querier.fit(X[TRAIN], y[TRAIN]).query(X[POOL], n)


@pytest.mark.parametrize("strategy", ["badge", "core_set"])
@pytest.mark.parametrize("model", MODELS)
def test_picks_do_not_depend_on_units(model, strategy):
    expected = picks(MODELS[model], X, strategy)
    other = picks(MODELS[model], in_other_units(X), strategy)
    np.testing.assert_array_equal(other, expected)


@pytest.mark.parametrize("strategy", ["badge", "core_set", "bait", "posterior_max_det"])
def test_nor_do_those_of_regressors(strategy):
    model, targets = RandomForestRegressor(5, random_state=0), y.astype(float)
    expected = picks(model, X, strategy, y=targets)
    other = picks(model, in_other_units(X), strategy, y=targets)
    np.testing.assert_array_equal(other, expected)


def test_kernels_of_the_input_do_not_either():
    for kernel in ("linear", "laplace", "nngp"):
        expected = picks(MODELS["forest"], X, LCMD(kernel=kernel))
        other = picks(MODELS["forest"], in_other_units(X), LCMD(kernel=kernel))
        np.testing.assert_array_equal(other, expected)


def test_bare_models_of_distances_have_features_without_units():
    for model in (KNeighborsClassifier(), SVC()):
        read = [
            model_outputs(model.fit(rows, y), rows, needs="features").features
            for rows in (X, in_other_units(X))
        ]
        np.testing.assert_allclose(*read, atol=1e-12)


def test_the_gradient_of_a_linear_model_is_that_of_its_own_input():
    model = LogisticRegression().fit(X, y)
    assert model_outputs(model, X).scaling is None
    np.testing.assert_array_equal(model_outputs(model, X).features, X)


def test_labelled_rows_are_standardised_as_the_pool_is():
    seen = {}

    def look(pool, n, *, labeled, random_state):
        seen.update(pool=pool.features, labeled=labeled.outputs.features)
        return np.arange(n)

    look.needs = ("features", "labeled")
    picks(GaussianNB(), X, look)
    scaler = StandardScaler().fit(X[POOL])
    np.testing.assert_allclose(seen["pool"], scaler.transform(X[POOL]))
    np.testing.assert_allclose(seen["labeled"], scaler.transform(X[TRAIN]))


def test_outputs_of_other_rows_are_standardised_alike_on_request():
    querier = BadgeQuerier(GaussianNB(), random_state=0).fit(X[TRAIN], y[TRAIN])
    pool = querier.outputs(X[POOL])
    some = querier.outputs(X[POOL][:9], like=pool)
    np.testing.assert_array_equal(some.features, pool.features[:9])
    assert not np.allclose(querier.outputs(X[POOL][:9]).features, pool.features[:9])


# Missing values


def with_gaps(X):
    gaps = np.random.RandomState(0).uniform(size=X.shape) < 0.1
    return np.where(gaps, np.nan, X)


TAKES_MISSING = ["tree", "forest", "extra_trees", "hist_boosting", "bagging"]


@pytest.mark.parametrize("strategy", ["badge", "core_set", "badge_k_center", "bait"])
@pytest.mark.parametrize("model", TAKES_MISSING)
def test_missing_values_count_as_the_mean_of_their_column(model, strategy):
    rows = with_gaps(X)
    chosen = picks(MODELS[model], rows, strategy)
    assert len(set(chosen)) == 15
    other = picks(MODELS[model], in_other_units(rows), strategy)
    np.testing.assert_array_equal(other, chosen)


def test_so_they_do_for_regressors_and_in_the_inputs():
    rows = with_gaps(X)
    model = HistGradientBoostingRegressor(min_samples_leaf=5, random_state=0)
    assert len(set(picks(model, rows, y=y.astype(float)))) == 15
    model = HistGradientBoostingClassifier(max_iter=5).fit(rows, y)
    inputs = model_outputs(model, rows, needs=("proba", "inputs")).inputs
    assert (inputs[np.isnan(rows)] == 0).all()
    known = np.where(np.isnan(rows), np.nanmean(rows, axis=0), rows)
    expected = (known - known.mean(axis=0)) / np.nanstd(rows, axis=0)
    np.testing.assert_allclose(inputs, expected, atol=1e-12)


def test_infinite_values_are_refused_with_their_row():
    rows = X.copy()
    rows[70, 1] = np.inf
    model = KNeighborsClassifier().fit(X, y)
    with pytest.raises(ValueError, match=r"infinite values for 1 of 260.* row 70"):
        model_outputs(model, rows, needs="features")
