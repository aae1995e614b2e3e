"""Opening pipelines, searches and frozen estimators."""

import numpy as np
import pytest
from sklearn.datasets import make_classification
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from skorch import NeuralNetClassifier
from torch import nn

from skbadge.outputs import model_outputs
from skbadge.outputs._pipeline import innermost, is_skorch_net, unwrap


@pytest.fixture(scope="module")
def data():
    X, y = make_classification(60, 5, random_state=0)
    return 3 * X + 1, y


def _search(estimator, **kwargs):
    name = "logisticregression__C" if hasattr(estimator, "steps") else "C"
    return GridSearchCV(estimator, {name: [0.1, 10]}, cv=2, **kwargs)


@pytest.mark.parametrize(
    "wrap",
    [
        lambda: make_pipeline(StandardScaler(), LogisticRegression()),
        lambda: make_pipeline(StandardScaler(), _search(LogisticRegression())),
        lambda: _search(make_pipeline(StandardScaler(), LogisticRegression())),
        lambda: make_pipeline(
            StandardScaler(), make_pipeline("passthrough", LogisticRegression())
        ),
        lambda: Pipeline(
            [("a", None), ("b", StandardScaler()), ("c", LogisticRegression())]
        ),
    ],
    ids=["pipeline", "pipeline-search", "search-pipeline", "nested", "none-step"],
)
@pytest.mark.parametrize("frozen", [False, True])
def test_wrappers_are_opened_and_their_steps_applied(wrap, frozen, data):
    X, y = data
    fitted = wrap().fit(X, y)
    estimator = FrozenEstimator(fitted) if frozen else fitted
    predictor, Xt = unwrap(estimator, X)
    assert type(predictor) is LogisticRegression
    np.testing.assert_allclose(Xt, StandardScaler().fit_transform(X))
    outputs = model_outputs(estimator, X)
    np.testing.assert_array_equal(outputs.proba, fitted.predict_proba(X))
    np.testing.assert_allclose(outputs.features, Xt)


def test_frozen_step_inside_a_pipeline_is_opened(data):
    X, y = data
    scaler = StandardScaler().fit(X)
    model = LogisticRegression().fit(scaler.transform(X), y)
    pipeline = make_pipeline(FrozenEstimator(scaler), FrozenEstimator(model)).fit(X, y)
    predictor, Xt = unwrap(pipeline, X)
    assert predictor is model
    np.testing.assert_array_equal(Xt, scaler.transform(X))


def test_resampling_steps_are_skipped(data):
    X, y = data

    class Sampler(StandardScaler):
        def fit_resample(self, X, y):
            return X, y

        def transform(self, X):
            raise AssertionError("a resampler does not transform")

    pipeline = Pipeline([("s", Sampler()), ("m", LogisticRegression().fit(X, y))])
    assert unwrap(pipeline, X)[1] is X


def test_randomized_search_is_opened(data):
    X, y = data
    search = RandomizedSearchCV(
        LogisticRegression(), {"C": [1, 2]}, n_iter=1, cv=2, random_state=0
    )
    search.fit(X, y)
    assert unwrap(search, X)[0] is search.best_estimator_


def test_search_without_refit_is_refused(data):
    X, y = data
    search = _search(LogisticRegression(), refit=False).fit(X, y)
    with pytest.raises(ValueError, match=r"refit=True.*Got refit=False"):
        model_outputs(search, X)


def test_unfitted_estimators_are_refused(data):
    X, _ = data
    net = NeuralNetClassifier(nn.Linear, criterion=nn.CrossEntropyLoss)
    for estimator in (LogisticRegression(), MLPClassifier(), net):
        with pytest.raises(NotFittedError, match="fit"):
            model_outputs(estimator, X)
    with pytest.raises(NotFittedError, match="GridSearchCV is not fitted yet"):
        model_outputs(_search(LogisticRegression()), X)
    with pytest.raises(NotFittedError):
        model_outputs(make_pipeline(StandardScaler(), LogisticRegression()), X)


def test_pipeline_without_a_predictor_is_refused(data):
    X, _ = data
    pipeline = Pipeline([("s", StandardScaler().fit(X)), ("end", "passthrough")])
    with pytest.raises(TypeError, match=r"last step.*end='passthrough'"):
        model_outputs(pipeline, X)


def test_innermost_of_unfitted_and_fitted_wrappers(data):
    X, y = data
    model = LogisticRegression()
    search = _search(make_pipeline(StandardScaler(), model))
    assert innermost(model) is model
    assert innermost(search) is model
    assert innermost(FrozenEstimator(make_pipeline(search))) is model
    search.fit(X, y)
    assert innermost(search) is search.best_estimator_[-1]


def test_is_skorch_net():
    net = NeuralNetClassifier(nn.Linear)
    assert is_skorch_net(net)
    assert not is_skorch_net(make_pipeline(net))
    assert not is_skorch_net(MLPClassifier())
    assert not is_skorch_net(NeuralNetClassifier)
