"""Validation of arguments and of what models return."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB

from skbadge.outputs import model_outputs
from skbadge.strategies import get_strategy

X = np.arange(200.0).reshape(100, 2)


class Fixed(GaussianNB):
    """A classifier that returns the probabilities it is told to."""

    def predict_proba(self, X):
        return self.proba_


@pytest.fixture
def model():
    model = Fixed().fit(X, np.arange(100) % 2)
    model.proba_ = np.full((100, 2), 0.5)
    return model


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_predictions_that_are_not_finite_are_counted(model, value):
    model.proba_[[17, 20, 99], 1] = value
    with pytest.raises(ValueError, match="for 3 of 100 rows, the first is row 17"):
        model_outputs(model, X)


def test_features_that_are_not_finite_are_counted(model):
    bad = X.copy()
    bad[5, 0] = np.nan
    linear = LogisticRegression().fit(X, np.arange(100) % 2)
    for not_missing_values in (model, linear):
        with pytest.raises(ValueError, match="for 1 of 100 rows, the first is row 5"):
            model_outputs(not_missing_values, bad, needs=("features",))
    assert model_outputs(model, bad, needs=("proba",)).features is None


def test_opposite_infinities_are_found(model):
    bad = X.copy()
    bad[4] = np.inf, -np.inf
    with pytest.raises(ValueError, match="the first is row 4"):
        model_outputs(model, bad)


def test_large_finite_features_pass(model):
    # Their sum overflows.
    large = np.full((100, 2), np.finfo(np.float64).max)
    linear = LogisticRegression().fit(X, np.arange(100) % 2)
    read = model_outputs(linear, large, needs=("features",))
    np.testing.assert_array_equal(read.features, large)
    # Standardised, they are constant.
    np.testing.assert_array_equal(model_outputs(model, large).features, 0 * large)
    large[::2] *= -1
    np.testing.assert_allclose(model_outputs(model, large).features, np.sign(large))


@pytest.mark.parametrize("row", [[0.5, 0.6], [-0.1, 1.1], [0.2, 0.2]])
def test_rows_that_are_no_distribution_are_refused(model, row):
    model.proba_[7] = row
    with pytest.raises(ValueError, match=r"1 of 100 rows.* the first is row 7"):
        model_outputs(model, X)


def test_rows_may_be_off_by_a_rounding(model):
    model.proba_ += 2e-4
    assert len(model_outputs(model, X)) == 100


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("n_classes", [2, 3, 10, 100])
def test_rows_rounded_to_three_decimals_are_divided_by_their_sum(n_classes, dtype):
    proba = np.random.RandomState(0).dirichlet(np.ones(n_classes), size=100)
    proba = proba.round(3).astype(dtype)
    if n_classes == 3:
        proba[0] = 0.334, 0.334, 0.333
    model = Fixed().fit(X, np.arange(100) % n_classes)
    model.proba_ = proba
    read = model_outputs(model, X).proba
    assert read.dtype == dtype
    expected = proba / proba.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(read, expected, rtol=1e-5)
    np.testing.assert_allclose(read.sum(axis=1), 1, atol=1e-6)
    for strategy in ("badge", "bait"):
        rows = get_strategy(strategy).select(model_outputs(model, X), 5, random_state=0)
        assert len(set(rows)) == 5


def test_rows_that_sum_to_1_are_left_as_they_are(model):
    model.proba_ = np.random.RandomState(0).dirichlet(np.ones(3), size=100)
    assert model_outputs(model, X).proba is model.proba_


def test_more_than_rounding_is_refused_with_the_sum(model):
    model.proba_[7] = 0.5, 0.52
    with pytest.raises(ValueError, match=r"rounding to three decimals.* sum 1\.02\."):
        model_outputs(model, X)


@pytest.mark.parametrize(
    "needs", [(), ("logits",), ("proba", "feature"), "probas", None, 3, [None]]
)
def test_unknown_needs_are_refused(model, needs):
    with pytest.raises(ValueError, match="`needs` must be one or more of"):
        model_outputs(model, X, needs=needs)


@pytest.mark.parametrize("batch_size", [0, -1, 2.0, "all", True, None])
def test_unknown_batch_sizes_are_refused(model, batch_size):
    with pytest.raises(ValueError, match="`batch_size` must be 'auto' or an int"):
        model_outputs(model, X, batch_size=batch_size)


def test_feature_layer_is_for_nets_only(model):
    with pytest.raises(ValueError, match="`feature_layer` must be 'auto' unless"):
        model_outputs(model, X, feature_layer="fc")
