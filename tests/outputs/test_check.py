"""Validation of arguments and of what models return."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB

from skbadge.outputs import model_outputs

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


@pytest.mark.parametrize("needs", [(), ("logits",), ("proba", "feature"), "probas"])
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
