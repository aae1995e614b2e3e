"""The steps of nets for tables: fused where torch can, and seen by all callbacks."""

import numpy as np
import pytest
import torch
from skorch.callbacks import Callback
from torch import nn

from skbadge.nn import TabularNetClassifier, TabularNetRegressor

X = np.random.default_rng(0).normal(size=(100, 5)).astype("f4")
Y = (X[:, 0] > 0).astype(int)
NETS = [TabularNetClassifier, TabularNetRegressor]


def trained(kind, **params):
    params = {"hidden_sizes": (8,), "max_epochs": 3, "batch_size": 32} | params
    return kind(random_state=0, **params).fit(X, Y)


@pytest.mark.parametrize("kind", NETS)
@pytest.mark.parametrize("optimizer", [torch.optim.Adam, torch.optim.AdamW])
def test_steps_on_a_cpu_are_fused_and_those_of_adam(kind, optimizer):
    fused = trained(kind, optimizer=optimizer)
    assert fused.optimizer_.defaults["fused"] is True
    plain = trained(kind, optimizer=optimizer, optimizer__fused=False)
    assert plain.optimizer_.defaults["fused"] is False
    for ours, theirs in zip(
        fused.module_.parameters(), plain.module_.parameters(), strict=True
    ):
        torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("kind", NETS)
@pytest.mark.parametrize(
    "params",
    [
        {"optimizer__foreach": True},
        {"optimizer__fused": None},
        {"optimizer__differentiable": False},
        {"optimizer": torch.optim.SGD, "lr": 1e-3},
        {"optimizer": torch.optim.NAdam},
    ],
)
def test_who_says_otherwise_is_heard(kind, params):
    assert not trained(kind, **params).optimizer_.defaults.get("fused")


@pytest.mark.parametrize("kind", NETS)
def test_the_same_seed_gives_the_same_weights(kind):
    first, second = trained(kind), trained(kind)
    for one, other in zip(
        first.module_.parameters(), second.module_.parameters(), strict=True
    ):
        assert torch.equal(one, other)


class Watching(Callback):
    """Counts moments, and meddles with a layer's mode before each batch."""

    def __init__(self):
        self.moments, self.modes = [], []

    def on_batch_begin(self, net, batch=None, training=False, **kwargs):
        self.moments.append("begin")
        net.module_.hidden.train(not training)

    def on_grad_computed(self, net, named_parameters, **kwargs):
        self.moments.append("gradients")
        assert all(p.grad is not None for _, p in named_parameters)
        self.modes.append(net.module_.hidden.training)

    def on_batch_end(self, net, batch=None, training=False, **kwargs):
        self.moments.append("end")
        assert torch.isfinite(kwargs["loss"])
        assert len(kwargs["y_pred"]) == len(batch[1])


@pytest.mark.parametrize("kind", NETS)
def test_callbacks_see_each_batch_and_each_step_trains_all_layers(kind):
    watching = Watching()
    net = trained(kind, callbacks=[watching])
    n_steps = sum(net.history[:, "train_batch_count"])
    assert watching.moments == ["begin", "gradients", "end"] * n_steps
    assert watching.modes == [True] * n_steps


def test_the_history_keeps_batches_and_epochs():
    net = trained(TabularNetClassifier, train_accuracy=None)
    for epoch in net.history:
        assert [b["train_batch_size"] for b in epoch["batches"]] == [32, 32, 32, 4]
        losses = [batch["train_loss"] for batch in epoch["batches"]]
        assert epoch["train_loss"] == pytest.approx(
            np.average(losses, weights=[32, 32, 32, 4])
        )
        right = sum(batch["train_correct"] for batch in epoch["batches"])
        assert epoch["train_accuracy"] == right / len(X)


class Loss:
    """No module."""

    def __call__(self, outputs, targets):
        return nn.functional.cross_entropy(outputs, targets)


class WithLoss(TabularNetClassifier):
    criterion = Loss


def test_a_criterion_that_is_no_module_is_left_alone():
    assert len(trained(WithLoss).predict(X)) == len(X)
