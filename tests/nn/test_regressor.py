"""TabularNetRegressor: targets, widths, schedule, best epoch, failures."""

import pickle

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import make_friedman1
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, train_test_split
from skorch.callbacks import Callback
from torch import nn

from skbadge.nn import NTKMLP, TabularNetRegressor
from skbadge.outputs import model_outputs
from skbadge.utils._streams import stream_seed


def data(n=120):
    return make_friedman1(n, 5, random_state=0)


def small(**params):
    return TabularNetRegressor(
        **{"hidden_sizes": (16,), "max_epochs": 20, "random_state": 0} | params
    )


class Watch(Callback):
    """Records learning rates, batches, and the weights after each epoch."""

    def on_train_begin(self, net, **kwargs):
        self.rates, self.batches, self.weights = [], [], []

    def on_batch_begin(self, net, batch=None, training=False, **kwargs):
        if training:
            self.rates.append(net.optimizer_.param_groups[0]["lr"])
            self.batches.append([part.numpy().copy() for part in batch])

    def on_epoch_end(self, net, **kwargs):
        self.weights.append(net.module_.output.weight.detach().clone())


def watched(**params):
    net = small(callbacks=[("watch", Watch())], **params)
    return net, dict(net.callbacks)["watch"]


# The network of the benchmark


@pytest.mark.parametrize(
    ("activation", "kind", "sigma_w", "sigma_b", "lr"),
    [("relu", nn.ReLU, 0.2, 0.2, 0.375), ("silu", nn.SiLU, 0.5, 1.0, 0.15)],
)
def test_the_benchmarks_settings_are_the_default(
    activation, kind, sigma_w, sigma_b, lr
):
    X, y = data(20)
    net = TabularNetRegressor(activation=activation, max_epochs=1).fit(X, y)
    assert TabularNetRegressor().max_epochs == TabularNetRegressor().batch_size == 256
    linears = [part for part in net.module_.modules() if isinstance(part, nn.Linear)]
    assert [part.weight.shape for part in linears] == [(512, 5), (512, 512), (1, 512)]
    for part in linears:
        assert part.weight_factor == sigma_w / np.sqrt(part.in_features)
        assert part.bias_factor == sigma_b
    assert sum(isinstance(part, kind) for part in net.module_.modules()) == 2
    assert net.optimizer_.param_groups[0]["lr"] == lr
    assert type(net.optimizer_) is torch.optim.Adam
    assert net.optimizer_.param_groups[0]["weight_decay"] == 0


def test_settings_can_be_others():
    X, y = data(20)
    params = {"sigma_w": 0.7, "sigma_b": 0.0, "lr": 0.01, "module__clip": None}
    net = small(**params).fit(X, y)
    assert net.module_.output.weight_factor == 0.7 / 4
    assert net.module_.output.bias_factor == 0
    assert net.optimizer_.param_groups[0]["lr"] == 0.01
    assert net.module_.clip is None


def test_training_step_by_step_is_that_of_a_loop_written_out():
    X, y = data(24)
    net = small(batch_size=8, max_epochs=3, iterator_train__shuffle=False).fit(X, y)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(stream_seed(0, "training-0"))
        module = NTKMLP(5, 1, (16,))
    module.set_statistics(X.mean(0), X.std(0))
    target = torch.tensor((y - y.mean()) / y.std(), dtype=torch.float32)
    optimizer = torch.optim.Adam(module.parameters())
    for step in range(9):
        rows = slice(step % 3 * 8, step % 3 * 8 + 8)
        optimizer.zero_grad()
        outputs = module(torch.tensor(X[rows]))[:, 0]
        ((outputs - target[rows]) ** 2).mean().backward()
        optimizer.param_groups[0]["lr"] = 0.375 * (1 - step / 9)
        optimizer.step()
    expected = module(torch.tensor(X)).detach().numpy()[:, 0] * y.std() + y.mean()
    np.testing.assert_allclose(net.predict(X), expected, rtol=1e-5)


def test_it_fits_what_it_is_for():
    X, y = make_friedman1(400, 8, random_state=0)
    net = small(hidden_sizes=(64, 64), max_epochs=60, batch_size=64)
    assert net.fit(X[:300], y[:300]).score(X[300:], y[300:]) > 0.9


def test_features_are_the_input_of_the_output_layer():
    X, y = data(30)
    net = small(hidden_sizes=(16, 7)).fit(X, y)
    outputs = model_outputs(net, X, needs="features")
    assert outputs.features.shape == (30, 7)
    layer = net.module_.output
    with torch.no_grad():
        Z = layer(torch.tensor(outputs.features)).numpy()[:, 0]
    np.testing.assert_allclose(Z * y.std() + y.mean(), net.predict(X), rtol=1e-6)


# Targets


@pytest.mark.parametrize(("offset", "unit"), [(0, 1), (1.6e9, 1e-3), (-5, 1e12)])
def test_predictions_do_not_depend_on_the_units_of_targets(offset, unit):
    X, y = data(60)
    expected = small().fit(X, y).predict(X)
    moved = small().fit(X, y * unit + offset).predict(X)
    # What float64 leaves of digits after the offset.
    tolerance = 1e-4 + 1e-15 * abs(offset) / unit
    np.testing.assert_allclose(
        (moved - offset) / unit, expected, rtol=0, atol=tolerance
    )


@pytest.mark.parametrize("shape", [(60,), (60, 1), (60, 3)])
def test_predictions_have_the_shape_of_targets(shape):
    X, y = data(60)
    Y = y.reshape(shape) if len(shape) == 1 else np.outer(y, np.arange(1, shape[1] + 1))
    net = small().fit(X, Y)
    assert net.predict(X).shape == shape
    assert net.predict(X).dtype == np.float64
    assert net.module_.output.out_features == (1 if len(shape) == 1 else shape[1])


def test_each_of_several_targets_is_standardised_by_itself():
    X, y = data(60)
    Y = np.column_stack([y, 1e6 * y + 5, np.full(60, 3.0)])
    net = small().fit(X, Y)
    np.testing.assert_allclose(net.target_mean_, Y.mean(0))
    np.testing.assert_allclose(net.target_scale_, [y.std(), 1e6 * y.std(), 1])
    np.testing.assert_allclose(net.predict(X)[:, 2], 3, atol=0.5)
    errors = (net.predict(X) - Y) / net.target_scale_
    np.testing.assert_allclose(
        np.mean(errors**2), net.history[-1]["train_loss"], rtol=0.3
    )


def test_statistics_can_be_left_to_the_user():
    X, y = data(60)
    Z, z = (X - X.mean(0)) / X.std(0), (y - y.mean()) / y.std()
    inside = small().fit(X, y).predict(X)
    outside = small(standardize=False).fit(Z, z)
    assert outside.target_mean_ == 0
    assert outside.target_scale_ == 1
    assert not outside.module_.mean.any()
    np.testing.assert_allclose(
        outside.predict(Z) * y.std() + y.mean(), inside, rtol=1e-3
    )


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (np.array(["1"] * 20), "y must hold real numbers.* dtype <U1"),
        (sparse.csr_matrix(np.ones((20, 2))), "y must hold .* dense. Got a sparse"),
        (np.zeros((20, 2, 2)), r"dim 3|shape \(20, 2, 2\)"),
        (np.r_[np.zeros(19), np.nan], "Input y contains NaN"),
        (np.r_[np.zeros(19), np.inf], "Input y contains infinity"),
        (np.zeros(19), "inconsistent numbers of samples"),
        (None, "requires y to be passed"),
    ],
    ids=["strings", "sparse", "cube", "nan", "inf", "short", "none"],
)
def test_targets_that_are_none(y, message):
    with pytest.raises(ValueError, match=message):
        small().fit(data(20)[0], y)


def test_it_predicts_no_probabilities():
    assert not hasattr(small(), "predict_proba")
    assert not hasattr(small(), "classes_")


# Batches and learning rate


def test_the_learning_rate_falls_linearly_from_step_to_step():
    net, watch = watched(batch_size=32, max_epochs=5, lr=0.02)
    net.fit(*data(100))
    np.testing.assert_allclose(watch.rates, 0.02 * (1 - np.arange(15) / 15))
    assert net.optimizer_.param_groups[0]["lr"] == 0.02
    net.partial_fit(*data(100))
    np.testing.assert_allclose(watch.rates, 0.02 * (1 - np.arange(15) / 15))


def test_the_learning_rate_can_stay():
    net, watch = watched(lr=0.02, lr_schedule=None, max_epochs=4)
    net.fit(*data(30))
    assert watch.rates == [0.02] * 4


@pytest.mark.parametrize(
    ("n", "drop_last", "sizes"),
    [
        (70, True, [32, 32]),
        (70, False, [32, 32, 6]),
        (64, True, [32, 32]),
        (32, True, [32]),
        (31, True, [31]),
        (1, True, [1]),
    ],
)
def test_the_last_batch_is_left_out_unless_it_is_the_only_one(n, drop_last, sizes):
    net, watch = watched(
        batch_size=32, max_epochs=2, iterator_train__drop_last=drop_last
    )
    net.fit(*data(n))
    assert [len(batch[1]) for batch in watch.batches] == sizes * 2
    assert watch.rates[-1] == pytest.approx(0.375 / len(watch.rates))


# The best epoch


def test_the_weights_of_the_best_epoch_are_kept():
    X, y = data(100)
    net, watch = watched(
        lr=1.0, lr_schedule=None, validation_data=(X[50:], y[50:]), max_epochs=30
    )
    net.fit(X[:50], y[:50])
    losses = net.history[:, "valid_loss"]
    assert net.best_epoch_ == np.argmin(losses) + 1 < 30
    kept = net.module_.output.weight
    assert torch.equal(kept, watch.weights[net.best_epoch_ - 1])
    assert not torch.equal(kept, watch.weights[-1])
    mse = np.mean((net.predict(X[50:]) - y[50:]) ** 2) / y[:50].var()
    assert mse == pytest.approx(min(losses), rel=1e-5)


def test_the_validation_loss_counts_rows_alike_whatever_the_batches():
    X, y = data(100)
    losses = [
        small(validation_data=(X[50:], y[50:]), iterator_valid__batch_size=size)
        .fit(X[:50], y[:50])
        .best_epoch_
        for size in (7, 4096)
    ]
    assert losses[0] == losses[1]


@pytest.mark.parametrize(
    "params", [{}, {"validation_fraction": 0.5, "keep_best": False}]
)
def test_otherwise_the_last_weights_are_kept(params):
    net, watch = watched(lr=1.0, lr_schedule=None, **params)
    net.fit(*data(50))
    assert net.best_epoch_ is None
    assert torch.equal(net.module_.output.weight, watch.weights[-1])
    assert ("valid_loss" in net.history[-1]) == bool(params)


def test_the_best_epoch_is_kept_without_callbacks():
    net = small(callbacks="disable", validation_fraction=0.3, lr=1.0, lr_schedule=None)
    assert 1 <= net.fit(*data(50)).best_epoch_ < 20


def test_a_share_of_the_rows_is_held_out_and_has_no_part_in_training():
    X, y = data(50)
    net, watch = watched(validation_fraction=0.3, max_epochs=2)
    net.fit(X, y)
    seen = {tuple(row) for row in watch.batches[0][0]}
    kept = np.array([tuple(row) in seen for row in X])
    assert kept.sum() == 35
    assert net.target_mean_ == pytest.approx(y[kept].mean())
    np.testing.assert_allclose(net.module_.mean, X[kept].mean(0), rtol=1e-6)
    again = small(
        validation_data=(X[~kept], y[~kept]),
        iterator_train__shuffle=False,
        max_epochs=3,
    ).fit(X[kept], y[kept])
    held = small(
        validation_fraction=0.3, iterator_train__shuffle=False, max_epochs=3
    ).fit(X, y)
    np.testing.assert_allclose(again.predict(X), held.predict(X), rtol=1e-3)


def test_validation_rows_are_told_one_way_only():
    X, y = data(20)
    with pytest.raises(ValueError, match="validation_fraction must be None if"):
        small(validation_fraction=0.5, validation_data=(X, y)).fit(X, y)
    with pytest.raises(ValueError, match=r"must be a pair \(X, y\). Got 3 entries"):
        small(validation_data=(X, y, y)).fit(X, y)
    with pytest.raises(ValueError, match=r"y of validation_data must .* \(n_samples\)"):
        small(validation_data=(X, y[:, None])).fit(X, y)
    with pytest.raises(ValueError, match="X has 2 features"):
        small(validation_data=(X[:, :2], y)).fit(X, y)


# Seeds, going on, failures, persistence


def test_a_seed_makes_training_reproducible_and_leaves_torch_alone():
    X, y = data(50)
    params = {"dropout": 0.2, "validation_fraction": 0.2, "batch_size": 16}
    state = torch.get_rng_state()
    first = small(**params).fit(X, y).predict(X)
    assert torch.equal(torch.get_rng_state(), state)
    np.testing.assert_array_equal(small(**params).fit(X, y).predict(X), first)
    other = clone(small(**params)).set_params(random_state=1)
    assert not np.array_equal(other.fit(X, y).predict(X), first)


def test_fit_starts_over_and_warm_start_goes_on():
    X, y = data(50)
    net = small(max_epochs=3).fit(X, y)
    first = net.predict(X)
    np.testing.assert_array_equal(net.fit(X, y).predict(X), first)
    net.set_params(warm_start=True).fit(X[:20], 2 * y[:20])
    assert len(net.history) == 6
    assert net.target_scale_ == pytest.approx(y.std())
    assert not np.array_equal(net.predict(X), first)
    with pytest.raises(ValueError, match=r"y must have shape \(n_samples\), as the"):
        net.partial_fit(X, np.column_stack([y, y]))
    assert net.set_params(warm_start=False).fit(X, y[:, None]).predict(X).ndim == 2


def test_training_that_diverges_is_an_error_and_leaves_no_net():
    X, y = data(50)
    net = small(optimizer=torch.optim.SGD, lr=1e8)
    with pytest.raises(FloatingPointError, match=r"in epoch \d.* is 100000000"):
        net.fit(X, y)
    with pytest.raises(NotFittedError):
        net.predict(X)
    assert net.set_params(lr=0.01).fit(X, y).predict(X).shape == (50,)


def test_a_fit_that_is_refused_leaves_the_net_as_it_was():
    X, y = data(50)
    net = small().fit(X, y)
    expected = net.predict(X)
    with pytest.raises(ValueError, match="y of validation_data"):
        net.set_params(validation_data=(X, y[:, None])).fit(X, 2 * y)
    np.testing.assert_array_equal(net.predict(X), expected)


@pytest.mark.parametrize(
    "params",
    [
        {"activation": "tanh"},
        {"sigma_w": 0},
        {"lr": 0},
        {"lr_schedule": "cosine"},
        {"validation_fraction": 1.0},
        {"keep_best": "yes"},
        {"standardize": None},
    ],
    ids=str,
)
def test_parameters_out_of_range(params):
    with pytest.raises(ValueError, match=f"The '{next(iter(params))}' parameter of"):
        small(**params).fit(*data(10))


def test_frames_and_sparse_rows_are_the_same_rows():
    X, y = data(40)
    X = np.where(X > 0.5, X, 0)
    expected = small().fit(X, y).predict(X)
    frame = pd.DataFrame(X, columns=list("abcde"))
    net = small().fit(frame, pd.Series(y))
    np.testing.assert_array_equal(net.predict(frame), expected)
    assert net.feature_names_in_.tolist() == list("abcde")
    rows = sparse.csr_matrix(X)
    np.testing.assert_allclose(small().fit(rows, y).predict(rows), expected, rtol=1e-4)


def test_it_survives_pickling_with_nothing_left_of_the_run():
    X, y = data(50)
    net = small(validation_fraction=0.2).fit(X, y)
    assert not hasattr(net, "_run")
    revived = pickle.loads(pickle.dumps(net))
    np.testing.assert_array_equal(revived.predict(X), net.predict(X))
    np.testing.assert_array_equal(
        revived.partial_fit(X, y).predict(X), net.partial_fit(X, y).predict(X)
    )


def test_a_search_over_parameters_of_net_and_module():
    X, y = data(60)
    grid = {"hidden_sizes": [(8,), (4, 4)], "activation": ["silu"]}
    validation = train_test_split(X, y, random_state=0)[1::2]
    net = small(validation_data=validation)
    search = GridSearchCV(net, grid, cv=2).fit(X, y)
    assert search.best_estimator_.module_.hidden.silu1
    assert search.best_score_ > 0
