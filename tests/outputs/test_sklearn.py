"""Reading scikit-learn models."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from scipy.special import expit
from sklearn.datasets import make_classification
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.naive_bayes import GaussianNB
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from skbadge.outputs import model_outputs

ACTIVATIONS = {
    "identity": lambda x: x,
    "logistic": expit,
    "tanh": np.tanh,
    "relu": lambda x: np.maximum(x, 0),
}


@pytest.fixture(scope="module")
def data():
    return make_classification(
        80, 6, n_informative=5, n_redundant=0, n_classes=3, random_state=0
    )


def _mlp(cls=MLPClassifier, **params):
    # Few sweeps of lbfgs would warn that they are few; these do not converge either.
    return cls(**{"max_iter": 300, "tol": 10.0, "random_state": 0, **params})


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("n_classes", [2, 3])
def test_mlp_features_are_the_last_hidden_layer(activation, n_classes, data):
    X, y = data
    mlp = _mlp(hidden_layer_sizes=(7, 4), activation=activation).fit(X, y % n_classes)
    outputs = model_outputs(mlp, X)
    act = ACTIVATIONS[activation]
    hidden = act(X @ mlp.coefs_[0] + mlp.intercepts_[0])
    hidden = act(hidden @ mlp.coefs_[1] + mlp.intercepts_[1])
    np.testing.assert_allclose(outputs.features, hidden, atol=1e-12)
    np.testing.assert_allclose(outputs.proba, mlp.predict_proba(X), atol=1e-12)
    assert outputs.one_logit is (n_classes == 2)


def test_mlp_batches_do_not_change_the_outputs(data):
    X, y = data
    mlp = _mlp(hidden_layer_sizes=(4,)).fit(X, y)
    whole, batched = model_outputs(mlp, X), model_outputs(mlp, X, batch_size=7)
    np.testing.assert_allclose(whole.proba, batched.proba, atol=1e-14)
    np.testing.assert_allclose(whole.features, batched.features, atol=1e-14)


def test_mlp_is_read_without_predict_proba(data, monkeypatch):
    X, y = data
    mlp = _mlp(hidden_layer_sizes=(4,)).fit(X, y)
    monkeypatch.setattr(MLPClassifier, "predict_proba", lambda *args: 1 / 0)
    monkeypatch.setattr(MLPClassifier, "_forward_pass_fast", lambda *args: 1 / 0)
    assert model_outputs(mlp, X).proba.shape == (80, 3)


def test_mlp_without_hidden_layers_and_sparse_input(data):
    X, y = data
    mlp = _mlp(hidden_layer_sizes=()).fit(X, y)
    outputs = model_outputs(mlp, sparse.csr_array(X))
    np.testing.assert_array_equal(outputs.features, X)
    np.testing.assert_allclose(outputs.proba, mlp.predict_proba(X))


def test_mlp_fitted_on_float32_is_read_in_float32(data):
    X, y = data
    outputs = model_outputs(_mlp().fit(X.astype("f4"), y), X.astype("f4"))
    assert outputs.features.dtype == outputs.proba.dtype == np.float32


def test_mlp_binary_probabilities_survive_large_logits(data):
    X, y = data
    mlp = _mlp(hidden_layer_sizes=(3,), activation="identity").fit(X, y % 2)
    mlp.coefs_[-1] *= 0
    mlp.intercepts_[-1][:] = 60.0
    np.testing.assert_allclose(model_outputs(mlp, X).proba[:, 0], np.exp(-60.0))


def test_mlp_of_the_wrong_width_is_refused(data):
    X, y = data
    with pytest.raises(ValueError, match="features"):
        model_outputs(_mlp().fit(X, y), X[:, :3])


def test_multilabel_mlp_is_refused(data):
    X, y = data
    mlp = _mlp().fit(X, np.column_stack([y == 0, y >= 0]).astype(int))
    with pytest.raises(ValueError, match="several labels"):
        model_outputs(mlp, X)


def test_regressors_have_features_only(data):
    X, y = data
    mlp = _mlp(MLPRegressor, hidden_layer_sizes=(4,)).fit(X, y)
    outputs = model_outputs(mlp, X, needs=("features",))
    assert outputs.features.shape == (80, 4)
    assert outputs.one_logit is False
    ridge = Ridge().fit(X, y)
    np.testing.assert_array_equal(
        model_outputs(ridge, X, needs=("features",)).features, X
    )
    for model in (mlp, ridge):
        with pytest.raises(TypeError, match=r"no `predict_proba`.*CalibratedClassif"):
            model_outputs(model, X)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_linear_models(n_classes, data):
    X, y = data
    model = LogisticRegression().fit(X, y % n_classes)
    outputs = model_outputs(model, X)
    np.testing.assert_array_equal(outputs.features, X)
    np.testing.assert_array_equal(outputs.proba, model.predict_proba(X))
    assert outputs.one_logit is (n_classes == 2)


def test_classifier_without_probabilities(data):
    X, y = data
    model = LinearSVC().fit(X, y)
    with pytest.raises(TypeError, match="LinearSVC has no `predict_proba`"):
        model_outputs(model, X, needs=("proba",))
    assert model_outputs(model, X, needs=("features",)).proba is None


def test_any_classifier_has_its_input_as_features_with_columns_standardised(data):
    X, y = data
    model = GaussianNB().fit(X, y)
    whole = (10 * X).astype(int)
    outputs = model_outputs(model, whole)
    assert outputs.features.dtype == np.float64
    assert outputs.one_logit is False
    np.testing.assert_allclose(outputs.features, StandardScaler().fit_transform(whole))


@pytest.mark.parametrize("make", [sparse.csr_array, sparse.coo_array])
def test_sparse_input_has_dense_features(make, data):
    X, y = data
    model = LogisticRegression().fit(make(X), y)
    outputs = model_outputs(model, make(X))
    np.testing.assert_array_equal(outputs.features, X)
    np.testing.assert_array_equal(outputs.proba, model.predict_proba(make(X)))


def test_dataframe_is_passed_with_its_names(data):
    X, y = data
    frame = pd.DataFrame(X, columns=list("abcdef"))
    model = GaussianNB().fit(frame, y)
    read = model_outputs(model, frame).features
    np.testing.assert_allclose(read, StandardScaler().fit_transform(X))
    with pytest.raises(ValueError, match="feature names"):
        model_outputs(model, frame.rename(columns={"a": "z"}))


def test_only_what_is_needed_is_computed(data, monkeypatch):
    X, y = data
    model = GaussianNB().fit(X, y)
    proba = model_outputs(model, X, needs=("proba",))
    assert proba.features is None
    assert proba.nbytes == proba.proba.nbytes
    monkeypatch.setattr(GaussianNB, "predict_proba", lambda *args: 1 / 0)
    assert model_outputs(model, X, needs=("features",)).proba is None
    mlp = _mlp().fit(X, y)
    assert model_outputs(mlp, X, needs=("proba",)).features is None
    assert model_outputs(mlp, X, needs=("features",)).proba is None


def test_input_that_is_not_numeric_is_refused_for_features():
    class Model(GaussianNB):
        def predict_proba(self, X):
            return np.full((len(X), 2), 0.5)

    model = Model().fit([[0.0], [1.0]], [0, 1])
    X = np.array([["a"], ["b"]], dtype=object)
    assert model_outputs(model, X, needs=("proba",)).proba.shape == (2, 2)
    for rows in (X, [{"a": 1}, {"a": 2}]):
        with pytest.raises(ValueError, match=r"must be numeric. Encode X"):
            model_outputs(model, rows)


def test_several_targets_are_refused(data):
    X, y = data
    model = RandomForestClassifier(2, random_state=0).fit(X, np.column_stack([y, y]))
    with pytest.raises(ValueError, match="Several targets"):
        model_outputs(model, X)
