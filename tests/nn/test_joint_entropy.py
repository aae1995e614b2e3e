"""JointEntropyClassifier: its objective, and what it leaves as plain training does."""

import numpy as np
import pytest
import torch
from skorch import NeuralNetClassifier
from skorch.callbacks import Callback, EpochScoring
from skorch.dataset import ValidSplit
from torch import nn

from skbadge.nn import JointEntropyClassifier

OPTIMIZERS = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam}
PARAMS = {
    "criterion": nn.CrossEntropyLoss,
    "lr": 0.05,
    "batch_size": 8,
    "max_epochs": 4,
    "train_split": None,
    "iterator_train__shuffle": True,
    "verbose": 0,
}


class Net(nn.Module):
    """Logits, or probabilities, with dropout and batch norm on request."""

    def __init__(self, dropout=0.0, norm=False, probabilities=False):
        super().__init__()
        self.norm_in = nn.BatchNorm1d(4) if norm else nn.Identity()
        self.hidden = nn.Linear(4, 16)
        self.norm = nn.BatchNorm1d(16) if norm else nn.Identity()
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(16, 3)
        self.probabilities = probabilities

    def forward(self, X):
        hidden = torch.relu(self.norm(self.hidden(self.norm_in(X))))
        logits = self.head(self.dropout(hidden))
        return torch.softmax(logits, dim=1) if self.probabilities else logits


def make_data(n_labeled=30, n=150):
    """Rows, their hidden labels, and the labels with -1 for those not known."""
    rng = np.random.RandomState(0)
    X = rng.normal(size=(n, 4)).astype(np.float32)
    y = (X[:, 0] > 0).astype(int) + (X[:, 1] > 0.3)
    partly = y.copy()
    partly[rng.permutation(n)[n_labeled:]] = -1
    return X, y, partly


def fit(net, X, y, seed=0, **fit_params):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return net.fit(X, y, **fit_params)


def joint(module=Net, **params):
    return JointEntropyClassifier(module, **(PARAMS | params))


def plain(module=Net, **params):
    return NeuralNetClassifier(module, **(PARAMS | params))


def assert_same_weights(first, second, **tolerance):
    tolerance = tolerance or {"rtol": 0, "atol": 0}
    first, second = first.module_.state_dict(), second.module_.state_dict()
    assert first.keys() == second.keys()
    for name, value in first.items():
        torch.testing.assert_close(value, second[name], **tolerance)


def mean_entropy(proba):
    """Written-out entropy in float64, with 0 log 0 = 0."""
    proba = np.asarray(proba, dtype=np.float64)
    logs = np.log(proba, out=np.zeros_like(proba), where=proba > 0)
    return -(proba * logs).sum(axis=1).mean()


# Plain training


@pytest.mark.parametrize("optimizer", OPTIMIZERS.values(), ids=OPTIMIZERS)
@pytest.mark.parametrize("dropout", [0.0, 0.4])
def test_weight_zero_is_plain_training_bit_for_bit(optimizer, dropout):
    X, _, partly = make_data()
    known = partly != -1
    params = {
        "optimizer": optimizer,
        "module__dropout": dropout,
        "module__norm": True,
        "train_split": ValidSplit(3, stratified=True),
    }
    with_pool = fit(joint(entropy_weight=0, **params), X, partly)
    without = fit(plain(**params), X[known], partly[known])
    assert_same_weights(with_pool, without)
    for name in ("train_loss", "valid_loss", "valid_acc"):
        assert with_pool.history[:, name] == without.history[:, name]


@pytest.mark.parametrize("weight", [0.0, 1.0])
def test_without_unlabeled_rows_it_is_plain_training(weight):
    X, y, _ = make_data()
    net = fit(joint(entropy_weight=weight, module__dropout=0.4), X, y)
    assert_same_weights(net, fit(plain(module__dropout=0.4), X, y))


def test_weight_zero_never_looks_at_unlabeled_rows():
    X, _, partly = make_data()
    X[partly == -1] = np.nan
    net = fit(joint(entropy_weight=0, module__norm=True), X, partly)
    assert all(torch.isfinite(value).all() for value in net.module_.parameters())


@pytest.mark.parametrize("dropout", [0.0, 0.5])
def test_labeled_batches_and_generator_are_those_of_plain_training(dropout):
    """At any weight: the pool has randomness of its own."""
    seen = {}
    X, _, partly = make_data()
    known = partly != -1

    class Watch(Callback):
        def on_batch_end(self, net, batch=None, training=False, **kwargs):
            seen[name].append((batch[0].clone(), torch.get_rng_state()))

    for name, net, rows in (
        ("joint", joint, slice(None)),
        ("plain", plain, known),
    ):
        seen[name] = []
        params = {"module__dropout": dropout, "callbacks": [Watch()]}
        fit(net(**params), X[rows], partly[rows])
    assert len(seen["joint"]) == len(seen["plain"]) == 16
    for (batch, state), (other, other_state) in zip(*seen.values(), strict=True):
        assert torch.equal(batch, other)
        assert torch.equal(state, other_state)


# The objective


@pytest.mark.parametrize("probabilities", [False, True])
@pytest.mark.parametrize("weight", [0.3, 5.0])
def test_one_step_follows_the_gradient_of_the_objective(probabilities, weight):
    X, _, partly = make_data()
    known = partly != -1
    net = joint(
        criterion=nn.NLLLoss if probabilities else nn.CrossEntropyLoss,
        module__probabilities=probabilities,
        entropy_weight=weight,
        batch_size=-1,
        max_epochs=1,
        lr=0.5,
    )
    fit(net, X, partly)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        module = Net()
    proba = torch.softmax(module(torch.from_numpy(X)).double(), dim=1)
    labels = torch.from_numpy(partly[known])
    cross_entropy = -proba[known][torch.arange(len(labels)), labels].log().mean()
    pool = proba[~known]
    entropy = -(pool * pool.log()).sum(dim=1).mean()
    (cross_entropy + weight * entropy).backward()
    after = dict(net.module_.named_parameters())
    for name, parameter in module.named_parameters():
        expected = parameter - 0.5 * parameter.grad
        torch.testing.assert_close(after[name], expected, rtol=1e-4, atol=1e-6)
    last = net.history[-1]
    assert last["train_cross_entropy"] == pytest.approx(cross_entropy.item(), rel=1e-5)
    assert last["train_entropy"] == pytest.approx(entropy.item(), rel=1e-5)


def test_gradient_callbacks_see_the_whole_gradient():
    X, _, partly = make_data()
    norms = []

    class Watch(Callback):
        def on_grad_computed(self, net, named_parameters, **kwargs):
            norms.append(sum(p.grad.square().sum().item() for _, p in named_parameters))

    for weight in (0, 100):
        params = {"max_epochs": 1, "batch_size": -1, "callbacks": [Watch()]}
        fit(joint(entropy_weight=weight, **params), X, partly)
    assert norms[1] > 10 * norms[0]


def test_probabilities_and_logits_are_trained_alike():
    X, _, partly = make_data()
    logits = fit(joint(entropy_weight=1.0), X, partly)
    proba = joint(entropy_weight=1.0, criterion=nn.NLLLoss, module__probabilities=True)
    assert_same_weights(logits, fit(proba, X, partly), rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("probabilities", [False, True])
def test_entropy_and_gradients_of_certain_predictions_are_finite(probabilities):
    """Logits of 1e4 make probabilities of exactly 0 and 1."""
    X, _, partly = make_data()
    net = joint(
        criterion=nn.NLLLoss if probabilities else nn.CrossEntropyLoss,
        module__probabilities=probabilities,
        entropy_weight=1.0,
        warm_start=True,
        max_epochs=1,
        lr=1e-3,
    )
    fit(net.initialize(), X, partly)
    with torch.no_grad():
        net.module_.head.weight.mul_(1e6)
    net.fit(X, partly)
    assert 0 <= net.history[-1]["train_entropy"] < 0.1
    assert all(torch.isfinite(value).all() for value in net.module_.parameters())


def test_logits_of_minus_infinity_count_nothing():
    class Masked(Net):
        def forward(self, X):
            mask = torch.tensor([0.0, 0.0, -torch.inf])
            return super().forward(X) + mask

    X, y, partly = make_data()
    partly[y == 2] = -1
    net = fit(joint(Masked, entropy_weight=1.0), X, partly)
    assert 0 < net.history[-1]["train_entropy"] <= np.log(2)
    assert all(torch.isfinite(value).all() for value in net.module_.parameters())


def test_the_first_of_several_outputs_is_the_prediction():
    class Several(Net):
        def forward(self, X):
            return super().forward(X), X

    class Loss(JointEntropyClassifier):
        def get_loss(self, y_pred, y_true, *args, **kwargs):
            return super().get_loss(y_pred[0], y_true, *args, **kwargs)

    X, _, partly = make_data()
    several = fit(Loss(Several, **PARAMS), X, partly)
    assert_same_weights(several, fit(joint(), X, partly))


def test_an_optimizer_that_evaluates_a_step_many_times_sees_one_pool_batch():
    X, _, partly = make_data()
    batches = []

    class Watch(Net):
        def forward(self, X):
            if self.training:
                batches.append(X.detach().clone())
            return super().forward(X)

    net = joint(Watch, optimizer=torch.optim.LBFGS, batch_size=-1, max_epochs=1)
    fit(net.set_params(unlabeled_batch_size=20), X, partly)
    pool = [batch for batch in batches if len(batch) == 20]
    assert len(pool) > 2
    assert all(torch.equal(batch, pool[0]) for batch in pool)
    assert len(net.history[:, "train_entropy"]) == 1


def test_pool_entropy_falls_as_the_weight_grows():
    X, _, partly = make_data()
    pool = X[partly == -1]
    params = {"max_epochs": 20, "optimizer": torch.optim.Adam}
    means = []
    for weight in (0, 0.1, 1):
        nets = [
            fit(joint(entropy_weight=weight, **params), X, partly, seed)
            for seed in range(5)
        ]
        means.append(np.mean([mean_entropy(net.predict_proba(pool)) for net in nets]))
    assert means[0] > means[1] + 0.02 > means[2] + 0.04


# Batch norm


def test_batch_norm_learns_its_statistics_from_labeled_rows_only():
    """On the input these do not depend on weights, so they are equal at any weight."""
    X, _, partly = make_data()
    X[partly == -1] += 100
    known = partly != -1
    reference = fit(plain(module__norm=True), X[known], partly[known]).module_.norm_in
    for weight in (0.1, 10.0):
        net = fit(joint(module__norm=True, entropy_weight=weight), X, partly)
        for name, buffer in net.module_.norm_in.named_buffers():
            assert torch.equal(buffer, reference.get_buffer(name))


def test_deeper_batch_norm_statistics_are_those_of_plain_training_after_a_step():
    X, _, partly = make_data()
    known = partly != -1
    params = {"module__norm": True, "batch_size": -1, "max_epochs": 1}
    net = fit(joint(entropy_weight=3.0, **params), X, partly)
    reference = fit(plain(**params), X[known], partly[known])
    for name, buffer in net.module_.named_buffers():
        assert torch.equal(buffer, reference.module_.get_buffer(name))


def test_batch_norm_uses_its_running_statistics_on_unlabeled_rows():
    """The entropy is that of what the net predicts, and dropout stays on."""
    X, _, partly = make_data()
    modes = set()

    class Watch(Net):
        def forward(self, X):
            mode = self.norm.training, self.norm_in.training, self.dropout.training
            modes.add((len(X), *mode))
            return super().forward(X)

    params = {"module__norm": True, "batch_size": -1, "unlabeled_batch_size": 50}
    net = fit(joint(Watch, **params), X, partly)
    unlabeled = {mode for mode in modes if mode[0] in (50, 20)}
    assert unlabeled == {(50, False, False, True), (20, False, False, True)}
    assert {mode for mode in modes if mode[0] == 30} == {(30, True, True, True)}
    assert net.module_.norm.training


def test_modes_are_restored_if_the_pass_over_the_pool_fails():
    class Fails(Net):
        def forward(self, X):
            if not self.norm.training:
                raise RuntimeError("too large")
            return super().forward(X)

    X, _, partly = make_data()
    net = joint(Fails, module__norm=True)
    with pytest.raises(RuntimeError, match="too large"):
        fit(net, X, partly)
    assert net.module_.norm.training
    assert "X_unlabeled_" not in vars(net)


# History and validation


def test_history_has_both_terms_and_their_sum():
    X, _, partly = make_data(n_labeled=29)
    net = fit(joint(entropy_weight=0.7), X, partly)
    for epoch in net.history:
        total = epoch["train_cross_entropy"] + 0.7 * epoch["train_entropy"]
        assert epoch["train_loss"] == pytest.approx(total, rel=1e-6)
        assert 0 < epoch["train_entropy"] < np.log(3)


def test_history_has_no_entropy_that_was_not_computed():
    X, y, partly = make_data()
    for net in (fit(joint(entropy_weight=0), X, partly), fit(joint(), X, y)):
        last = net.history[-1]
        assert "train_entropy" not in last
        assert last["train_cross_entropy"] == last["train_loss"]


def test_a_verbose_net_prints_both_terms(capsys):
    X, _, partly = make_data()
    fit(joint(verbose=1), X, partly)
    printed = capsys.readouterr().out
    assert "train_cross_entropy" in printed
    assert "train_entropy" in printed


def test_validation_and_callbacks_see_labeled_rows_only():
    X, _, partly = make_data()
    seen = {}

    class Watch(Callback):
        def on_train_begin(self, net, X=None, y=None, **kwargs):
            seen["begin"] = X, y

        def on_epoch_end(self, net, dataset_train, dataset_valid, **kwargs):
            seen["train"], seen["valid"] = len(dataset_train), len(dataset_valid)

        def on_train_end(self, net, X=None, y=None, **kwargs):
            seen["end"] = X, y

    def score(net, X, y):
        seen["scored"], seen["targets"] = np.asarray(X), np.asarray(y)
        return 0.0

    split = ValidSplit(3, stratified=True)
    callbacks = [Watch(), EpochScoring(score, name="watched", use_caching=False)]
    fit(joint(train_split=split, callbacks=callbacks), X, partly)
    assert (seen["train"], seen["valid"]) == (20, 10)
    assert len(seen["scored"]) == 10
    positions = [np.flatnonzero((row == X).all(axis=1))[0] for row in seen["scored"]]
    np.testing.assert_array_equal(partly[positions], seen["targets"])
    assert min(seen["targets"]) >= 0
    for X_seen, y_seen in (seen["begin"], seen["end"]):
        np.testing.assert_array_equal(X_seen, X[partly != -1])
        np.testing.assert_array_equal(y_seen, partly[partly != -1])


def test_classes_leave_out_the_mark():
    X, _, partly = make_data()
    assert fit(joint(), X, partly).classes_.tolist() == [0, 1, 2]
    given = fit(joint(classes=[0, 1, 2, 3]), X, partly)
    assert given.classes_.tolist() == [0, 1, 2, 3]


def test_the_mark_is_no_class():
    X, _, partly = make_data()
    match = r"`classes` must be without unlabeled_label=-1.* Got \[-1, 0, 1, 2\]"
    with pytest.raises(ValueError, match=match):
        fit(joint(classes=[-1, 0, 1, 2]), X, partly)
    with pytest.raises(ValueError, match=match):
        joint().partial_fit(X, partly, classes=[-1, 0, 1, 2])
    with pytest.raises(ValueError, match="mark of rows without a label"):
        joint(unlabeled_label="?").partial_fit(X, partly, classes=["?", "a"])


def test_the_weight_may_change_during_training():
    X, _, partly = make_data()

    class WarmUp(Callback):
        def on_epoch_begin(self, net, **kwargs):
            net.set_params(entropy_weight=0.0 if len(net.history) < 3 else 1.0)

    net = fit(joint(callbacks=[WarmUp()]), X, partly)
    assert ["train_entropy" in epoch for epoch in net.history] == [0, 0, 1, 1]
