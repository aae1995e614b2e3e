"""Strategies for regression through `BadgeQuerier`: what they read, and what it costs.

The strategies themselves are tested on matrices in tests/strategies.
"""

import tracemalloc

import numpy as np
import pytest
import torch
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import BaggingRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from skorch import NeuralNetClassifier, NeuralNetRegressor
from torch import nn

from skbadge import BadgeQuerier
from skbadge.inspection import QueryDisplay
from skbadge.nn import TabularNetRegressor
from skbadge.outputs import Labeled, Needs, Outputs, model_outputs
from skbadge.strategies import EmbeddingStrategy, get_strategy
from tests.strategies.test_embedding_strategy import NAMES

rng = np.random.default_rng(0)
X = rng.normal(size=(80, 5)).astype("f4")
y = (X @ rng.normal(size=5) + np.sin(3 * X[:, 0])).astype("f4")


def net(cls=NeuralNetRegressor, n_outputs=1):
    module = nn.Sequential(nn.Linear(5, 24), nn.Tanh(), nn.Linear(24, n_outputs))
    return cls(module, max_epochs=2, verbose=0, train_split=None, lr=0.01)


def tabular():
    return TabularNetRegressor(hidden_sizes=(30, 20), max_epochs=3)


def mlp():
    return MLPRegressor(
        hidden_layer_sizes=(24, 8), solver="lbfgs", max_iter=20000, tol=1e-2
    )


def pipeline():
    return make_pipeline(StandardScaler(), TransformedTargetRegressor(mlp()))


def bagging():
    return BaggingRegressor(LinearRegression(), 3)


def fitted(make, strategy, **kwargs):
    column = make is net
    targets = y[:30, None] if column else y[:30]
    querier = BadgeQuerier(make(), strategy=strategy, random_state=0, **kwargs)
    return querier.fit(X[:30], targets)


@pytest.mark.parametrize("make", [net, tabular, mlp, LinearRegression, pipeline])
@pytest.mark.parametrize("name", NAMES)
def test_regressors_are_asked_by_every_strategy(make, name):
    strategy = get_strategy(name)
    if name == "acs_fw":
        strategy.set_params(n_random_features=32)
    querier = fitted(make, strategy)
    rows, report = querier.query(X[30:], 5, return_report=True)
    assert rows.shape == np.unique(rows).shape == (5,)
    assert rows.min() >= 0
    assert rows.max() < 50
    assert report.fallbacks == ()
    np.testing.assert_array_equal(querier.query(X[30:], 5), rows)
    options = {"needs": strategy.needs.fields}
    pool, labeled = (
        model_outputs(querier.estimator_, part, **options) for part in (X[30:], X[:30])
    )
    if name != "lcmd":
        # Nothing else enters: the same rows from the outputs alone.
        n_labeled = Labeled(labeled, y[:30])
        seed = querier._seed(f"query-{querier._round_name()}")
        again = strategy.select(pool, 5, labeled=n_labeled, random_state=seed)
        np.testing.assert_array_equal(again, rows)


@pytest.mark.parametrize("make", [net, tabular, mlp, bagging])
def test_gradients_of_pool_and_labelled_rows_are_sketched_alike(make):
    seen = {}

    def watched(outputs):
        seen[len(outputs)] = outputs.gradients
        return outputs.gradients

    watched.needs = "gradients"
    querier = fitted(make, EmbeddingStrategy(kernel=watched, n_columns=16))
    pool = np.vstack([X[30:], X[:30]])
    for random_state in (0, None):
        querier.set_params(random_state=random_state).query(pool, 3)
        assert seen[80].shape[1] == (18 if make is bagging else 16)
        np.testing.assert_allclose(
            seen[80].to_dense()[50:], seen[30].to_dense(), rtol=1e-3, atol=1e-4
        )


def test_a_pool_row_that_is_labelled_already_is_picked_last():
    querier = fitted(net, "lcmd")
    pool = np.vstack([X[:30], X[60:64]])
    assert set(querier.query(pool, 4)) == {30, 31, 32, 33}


@pytest.mark.parametrize("kernel", ["linear", "laplace", "ntk", "nngp"])
def test_kernels_of_the_inputs(kernel):
    querier = fitted(tabular, EmbeddingStrategy(kernel=kernel))
    rows = querier.query(X[30:], 5)
    inputs = [
        model_outputs(querier.estimator_, part, needs=("inputs",))
        for part in (X[30:], X[:30])
    ]
    assert np.abs(inputs[1].inputs.mean(axis=0)).max() < 0.1
    expected = EmbeddingStrategy(kernel=kernel).select(
        inputs[0], 5, labeled=Labeled(inputs[1], y)
    )
    np.testing.assert_array_equal(rows, expected)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("make", [lambda: net(NeuralNetClassifier, 3), None])
def test_classifiers_are_asked_as_well(make, name):
    estimator = LogisticRegression() if make is None else make()
    if make is not None:
        estimator.set_params(criterion=nn.CrossEntropyLoss)
    strategy = get_strategy(name)
    if name == "acs_fw":
        strategy.set_params(n_random_features=32)
    querier = BadgeQuerier(estimator, strategy=strategy, random_state=0)
    querier.fit(X[:30], np.arange(30) % 3)
    assert len(set(querier.query(X[30:], 5))) == 5


def test_a_trained_net_without_labelled_rows():
    from sklearn.frozen import FrozenEstimator

    trained = net().fit(X[:30], y[:30, None])
    querier = BadgeQuerier(FrozenEstimator(trained), strategy="lcmd", random_state=0)
    querier.fit(X[:30], y[:30])
    assert len(set(querier.query(X[30:], 5))) == 5


def test_the_display_shows_the_strategys_embedding():
    import matplotlib

    matplotlib.use("Agg")
    for name in ("lcmd", "posterior_variance"):
        querier = fitted(net, name)
        rows = querier.query(X[30:], 4)
        display = QueryDisplay.from_querier(querier, X[30:], rows)
        assert "strategy's embedding" in display.projection.space


def test_lcmd_never_holds_the_gradients():
    n_rows, width, size = 6000, 128, 64
    module = nn.Sequential(
        nn.Linear(20, width), nn.ReLU(), nn.Linear(width, width), nn.Linear(width, 1)
    )
    torch.manual_seed(0)
    model = NeuralNetRegressor(module, device="cpu").initialize()
    pool = np.random.default_rng(0).normal(size=(n_rows, 20)).astype("f4")
    options = {"needs": Needs(gradients=True, n_columns=size), "random_state": 0}
    labeled = Labeled(model_outputs(model, pool[:20], **options), np.zeros(20))
    strategy = get_strategy("lcmd").set_params(n_columns=size)
    # torch's own memory is not seen here, NumPy's is: what is held, not what a batch of
    # at most an eighth of the usual size passes through.
    tracemalloc.start()
    outputs = model_outputs(model, pool, **options)
    held, peak = tracemalloc.get_traced_memory()
    strategy.select(outputs, 10, labeled=labeled, random_state=0)
    _, peak_of_all = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    sketched = 4 * n_rows * size
    n_weights = sum(parameter.numel() for parameter in module.parameters())
    assert outputs.nbytes == sketched
    assert held < 1.1 * sketched + 8 * 2 * n_rows
    assert max(peak, peak_of_all) < 2 * sketched + 16 * 8 * n_rows + 2**22
    assert 20 * max(peak, peak_of_all) < 4 * n_rows * n_weights


@pytest.mark.parametrize("name", ["lcmd", "core_set"])
def test_arrays_that_are_outputs_and_embedding_count_once(name):
    querier = fitted(net, name)
    report = querier.query(X, 4, return_report=True)[1]
    needs = querier.strategy_.all_needs
    assert report.nbytes == querier.outputs(X, needs=needs).nbytes > 0


def test_rows_of_gradients_count_as_rows():
    gradients = model_outputs(
        LinearRegression().fit(X, y), X, needs=("gradients",)
    ).gradients
    outputs = Outputs(gradients=gradients)
    assert len(outputs) == 80
    assert outputs.nbytes == gradients.nbytes
    with pytest.raises(ValueError, match=r"agree on the number .*'gradients': 80"):
        Outputs(gradients=gradients, features=X[:3])


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("name", NAMES)
def test_a_net_on_a_gpu_is_asked_there(name):
    strategy = get_strategy(name)
    if name == "acs_fw":
        strategy.set_params(n_random_features=32)
    net = TabularNetRegressor(hidden_sizes=(30, 20), max_epochs=3, device="cuda")
    querier = BadgeQuerier(net, strategy=strategy, random_state=0).fit(X[:30], y[:30])
    rows, report = querier.query(X[30:], 5, return_report=True)
    assert rows.shape == np.unique(rows).shape == (5,)
    assert report.fallbacks == ()
    np.testing.assert_array_equal(querier.query(X[30:], 5), rows)
    outputs = model_outputs(querier.estimator_, X, needs=strategy.needs.fields)
    assert outputs.device == "cuda:0"


def test_a_net_on_the_cpu_has_no_device_to_go_to():
    querier = fitted(tabular, "lcmd")
    outputs = model_outputs(querier.estimator_, X, needs="gradients")
    assert outputs.device is None
