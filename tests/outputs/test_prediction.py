"""What regressors predict, read by every reader in the units of the targets."""

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import BaggingRegressor, RandomForestRegressor
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsRegressor
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from skorch import NeuralNetRegressor
from torch import nn

from skbadge import BadgeQuerier
from skbadge.nn import TabularNetRegressor
from skbadge.outputs import Needs, Outputs, model_outputs
from skbadge.pools import from_arrays

rng = np.random.default_rng(0)
X = rng.normal(size=(60, 4)).astype("f4")
Y = np.column_stack([1000 + 5 * X[:, 0] + X[:, 1] ** 2, X[:, 2]])


def net(n_outputs=1):
    return NeuralNetRegressor(
        nn.Sequential(nn.Linear(4, 5), nn.ReLU(), nn.Linear(5, n_outputs)),
        max_epochs=2,
        verbose=0,
        train_split=None,
        lr=1e-4,
    )


def cube(y):
    return y**3


MODELS = [
    LinearRegression(),
    MLPRegressor(
        hidden_layer_sizes=(5,),
        solver="lbfgs",
        max_iter=20000,
        tol=1e-2,
        random_state=0,
    ),
    RandomForestRegressor(5, random_state=0),
    BaggingRegressor(Ridge(), 3, random_state=0),
    KNeighborsRegressor(),
    TabularNetRegressor(max_epochs=2, random_state=0),
    make_pipeline(StandardScaler(), Ridge()),
    GridSearchCV(make_pipeline(StandardScaler(), Ridge()), {"ridge__alpha": [1, 2]}),
    TransformedTargetRegressor(
        make_pipeline(StandardScaler(), Ridge()), transformer=StandardScaler()
    ),
    make_pipeline(
        StandardScaler(),
        TransformedTargetRegressor(
            Ridge(), func=np.cbrt, check_inverse=False, inverse_func=cube
        ),
    ),
]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: type(model).__name__)
@pytest.mark.parametrize("y", [Y[:, 0], Y], ids=["one", "two"])
def test_it_is_what_the_estimator_predicts(model, y, monkeypatch):
    # By the same kernels: others round in another way.
    monkeypatch.setenv("SKBADGE_FAST_LINEAR", "0")
    model = model.fit(X, y)
    expected = np.asarray(model.predict(X)).reshape(60, -1)
    outputs = model_outputs(FrozenEstimator(model), X, needs="prediction")
    np.testing.assert_array_equal(outputs.prediction, expected)
    assert outputs.features is None
    both = model_outputs(model, X, needs=("prediction", "inputs"))
    np.testing.assert_array_equal(both.prediction, expected)
    assert both.inputs.shape == X.shape


@pytest.mark.parametrize("n_outputs", [1, 2])
def test_a_net_is_read_as_it_predicts_and_left_as_it_was(n_outputs):
    model = net(n_outputs).fit(X, Y[:, :n_outputs].astype("f4"))
    expected = model.predict(X)
    model.module_.train()
    # The net's own dtype is single precision.
    outputs = model_outputs(model, X.astype("f8"), needs="prediction")
    np.testing.assert_array_equal(outputs.prediction, expected)
    assert model.module_.training


def test_a_querier_reads_it_of_frames_too():
    frame = pd.DataFrame(X, columns=list("abcd"))
    for model in (net(), Ridge(), TabularNetRegressor(max_epochs=2)):
        querier = BadgeQuerier(model, random_state=0).fit(frame, Y[:, 0])
        found = querier.outputs(frame, needs="prediction").prediction
        np.testing.assert_allclose(found[:, 0], querier.predict(frame), rtol=1e-6)


def test_a_classifier_has_none():
    model = LogisticRegression().fit(X, X[:, 0] > 0)
    with pytest.raises(TypeError, match="LogisticRegression has no targets to predict"):
        model_outputs(model, X, needs="prediction")


def test_values_that_are_not_finite_are_refused():
    model = LinearRegression().fit(X, Y[:, 0])
    model.intercept_ = np.nan
    with pytest.raises(ValueError, match="The model predicts NaN or infinite"):
        model_outputs(model, X, needs="prediction")


def test_rows_of_it_are_taken_and_kept_from_chunks():
    outputs = Outputs(prediction=Y)
    assert len(outputs) == 60
    assert outputs.nbytes == Y.nbytes
    rows = np.array([5, 3])
    np.testing.assert_array_equal(outputs.take(rows).prediction, Y[rows])
    assert Needs.of("prediction") == Needs(prediction=True)


def greatest(pool, n, *, labeled, random_state):
    return np.argsort(-pool.prediction[:, 0])[:n]


greatest.needs = "prediction"


def test_a_pool_in_chunks_is_read_as_one_in_memory():
    querier = BadgeQuerier(Ridge(), strategy=greatest, random_state=0)
    querier.fit(X, Y[:, 0])
    pool = from_arrays(np.array_split(X, 3), chunk_rows=20)
    expected = np.argsort(-querier.predict(X))[:5]
    np.testing.assert_array_equal(querier.query(pool, 5), expected)
