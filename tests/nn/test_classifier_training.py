"""TabularNetClassifier: when training stops, seeds, going on, failures."""

import numpy as np
import pytest
import torch
from sklearn.datasets import make_blobs
from sklearn.exceptions import NotFittedError
from skorch.callbacks import Callback

from skbadge.nn import TabularNetClassifier


@pytest.fixture
def data():
    return make_blobs(100, 5, centers=4, random_state=0)


def small(**params):
    return TabularNetClassifier(
        **{
            "hidden_sizes": (16,),
            "max_epochs": 60,
            "min_steps": 0,
            "lr": 0.01,
            "random_state": 0,
        }
        | params
    )


class Epochs(Callback):
    """Counts the epochs that callbacks see."""

    n = 0

    def on_epoch_end(self, net, **kwargs):
        self.n += 1


def test_training_stops_after_the_first_epoch_that_is_accurate_enough(data):
    counter = Epochs()
    net = small(train_accuracy=0.9, callbacks=[counter]).fit(*data)
    accuracies = net.history[:, "train_accuracy"]
    assert accuracies[-1] >= 0.9
    assert max(accuracies[:-1]) < 0.9
    assert 1 < len(accuracies) < 60
    assert counter.n == len(net.history[:, "train_loss"]) == len(accuracies)


def test_default_is_ninety_nine_percent(data):
    net = TabularNetClassifier(random_state=0, min_steps=0).fit(*data)
    accuracies = net.history[:, "train_accuracy"]
    assert accuracies[-1] >= 0.99
    assert max(accuracies[:-1]) < 0.99


@pytest.mark.parametrize("min_steps", [40, 41, 100])
def test_few_rows_are_trained_on_for_a_least_number_of_batches(data, min_steps):
    X, y = data
    net = small(batch_size=16, train_accuracy=0.5, min_steps=min_steps, lr=0.1)
    net.fit(X[:40], y[:40])
    steps = np.cumsum(net.history[:, "train_batch_count"])
    assert steps[-2] < min_steps <= steps[-1]
    assert net.history[-2]["train_accuracy"] > 0.5


def test_an_accuracy_of_one_can_be_asked_for(data):
    net = small(train_accuracy=1.0).fit(*data)
    assert net.history[-1]["train_accuracy"] == 1.0
    assert len(net.history) < 60


@pytest.mark.parametrize("train_accuracy", [None, 0.99])
def test_training_runs_to_max_epochs_otherwise(data, train_accuracy):
    X, y = data
    if train_accuracy is not None:
        X = np.zeros_like(X)
    net = small(train_accuracy=train_accuracy, max_epochs=25).fit(X, y)
    assert len(net.history) == 25


def test_stopping_does_not_depend_on_callbacks(data):
    net = small(callbacks="disable").fit(*data)
    assert len(net.history) < 60


def test_accuracy_is_the_one_met_while_training(data):
    """One batch an epoch: the accuracy is that of the weights before the step."""
    X, y = data
    net = small(batch_size=-1, train_accuracy=None, max_epochs=1).fit(X, y)
    for _ in range(3):
        before = net.score(X, y)
        net.partial_fit(X, y)
        assert net.history[-1]["train_accuracy"] == pytest.approx(before)


def test_a_seed_makes_training_reproducible_and_leaves_torch_alone(data):
    X, y = data
    params = {"dropout": 0.2, "max_epochs": 5}
    state = torch.get_rng_state()
    first = small(**params).fit(X, y).predict_proba(X)
    assert torch.equal(torch.get_rng_state(), state)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(123)
        second = small(**params).fit(X, y).predict_proba(X)
    np.testing.assert_array_equal(first, second)
    other = small(**params, random_state=1).fit(X, y).predict_proba(X)
    assert not np.array_equal(first, other)


def test_random_state_instances_are_used_up(data):
    X, y = data
    state = np.random.RandomState(0)
    first, second = (small(random_state=state).fit(X, y) for _ in range(2))
    assert not np.array_equal(first.predict_proba(X), second.predict_proba(X))


def test_without_a_seed_the_global_generator_of_torch_decides(data):
    X, y = data
    outputs = []
    with torch.random.fork_rng(devices=[]):
        for seed in (0, 0, 1):
            torch.manual_seed(seed)
            outputs.append(small(random_state=None).fit(X, y).predict_proba(X))
    np.testing.assert_array_equal(outputs[0], outputs[1])
    assert not np.array_equal(outputs[1], outputs[2])


def test_rows_are_shuffled_anew_in_every_epoch_and_every_call(data):
    X, _ = data
    orders = []

    class Watch(Callback):
        def on_batch_end(self, net, batch=None, training=False, **kwargs):
            orders.append(tuple(batch[0][:, 0].tolist()))

    params = {"batch_size": -1, "train_accuracy": None, "max_epochs": 2}
    net = small(callbacks=[Watch()], **params).fit(*data)
    net.partial_fit(*data).partial_fit(*data)
    assert len(net.history) == len(orders) == len(set(orders)) == 6
    orders.clear()
    small(callbacks=[Watch()], iterator_train__shuffle=False, **params).fit(*data)
    assert orders == [tuple(X[:, 0])] * 2


def test_fit_starts_over_and_warm_start_goes_on(data):
    X, y = data
    net = small(max_epochs=3, train_accuracy=None).fit(X, y)
    first = net.predict_proba(X)
    np.testing.assert_array_equal(net.fit(X, y).predict_proba(X), first)
    assert len(net.history) == 3
    net.set_params(warm_start=True).fit(X, y)
    assert len(net.history) == 6
    assert net.history[-1]["train_loss"] < net.history[2]["train_loss"]


def test_partial_fit_keeps_weights_widths_labels_and_statistics(data):
    X, y = data
    net = small(max_epochs=3, train_accuracy=None)
    net.partial_fit(X[y < 2], y[y < 2], classes=[0, 1, 2, 3])
    module, mean = net.module_, net.module_.mean.clone()
    weights = module.output.weight.detach().clone()
    net.partial_fit(X[y > 2] + 7, y[y > 2])
    assert net.module_ is module
    assert torch.equal(module.mean, mean)
    assert not torch.equal(module.output.weight, weights)
    assert net.classes_.tolist() == [0, 1, 2, 3]
    assert net.predict_proba(X).shape == (100, 4)
    net.partial_fit(X, y, classes=[3, 2, 1, 0])


def test_partial_fit_refuses_other_labels_and_widths(data):
    X, y = data
    net = small(max_epochs=1).fit(X, y)
    with pytest.raises(ValueError, match="differ from those of the first call"):
        net.partial_fit(X, y, classes=[0, 1])
    with pytest.raises(ValueError, match=r"not among the classes .*: \[4\]"):
        net.partial_fit(X, y + 1)
    with pytest.raises(ValueError, match="X has 2 features, but"):
        net.partial_fit(X[:, :2], y)


@pytest.mark.parametrize("module_clip", [5.0, None])
def test_divergence_raises_and_leaves_no_net(data, module_clip):
    net = small(lr=1e30, module__clip=module_clip)
    message = r"loss is.*lr, which is 1e\+30.*standard"
    with pytest.raises(FloatingPointError, match=message):
        net.fit(*data)
    with pytest.raises(NotFittedError):
        net.predict(data[0])
    assert net.set_params(lr=0.01).fit(*data).score(*data) > 0.9


def test_weights_broken_by_the_last_step_are_found(data):
    class Break(Callback):
        def on_train_end(self, net, **kwargs):
            with torch.no_grad():
                net.module_.output.bias[0] = torch.nan

    with pytest.raises(FloatingPointError, match="a weight is not finite"):
        small(callbacks=[Break()]).fit(*data)


def test_divergence_of_partial_fit_leaves_no_net(data):
    net = small().fit(*data)
    net.set_params(lr=1e30)
    with pytest.raises(FloatingPointError, match="diverged"):
        net.partial_fit(*data)
    with pytest.raises(NotFittedError):
        net.predict(data[0])


def test_a_verbose_net_prints_its_epochs_and_a_quiet_one_nothing(data, capsys):
    small(max_epochs=2).fit(*data)
    assert capsys.readouterr().out == ""
    small(max_epochs=2, verbose=1).fit(*data)
    assert "train_accuracy" in capsys.readouterr().out
