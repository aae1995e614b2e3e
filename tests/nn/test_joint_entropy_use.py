"""JointEntropyClassifier in use: batches, containers, seeds, scikit-learn's tools."""

import pickle

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import sparse
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from skorch.callbacks import Callback
from skorch.dataset import Dataset
from torch import nn

from skbadge.nn import (
    ArrayDataset,
    JointEntropyClassifier,
    JointEntropyTabularClassifier,
    TensorBatches,
)

PARAMS = {
    "criterion": nn.CrossEntropyLoss,
    "lr": 0.1,
    "batch_size": 8,
    "max_epochs": 4,
    "train_split": None,
    "verbose": 0,
    "entropy_weight": 0.5,
}


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden = nn.Linear(4, 16)
        self.dropout = nn.Dropout(0.2)
        self.head = nn.Linear(16, 3)

    def forward(self, X):
        return self.head(self.dropout(torch.relu(self.hidden(X))))


def make_data():
    rng = np.random.RandomState(0)
    X = rng.normal(size=(150, 4)).astype(np.float32)
    y = (X[:, 0] > 0).astype(int) + (X[:, 1] > 0.3)
    partly = y.copy()
    partly[rng.permutation(150)[30:]] = -1
    return X, y, partly


def joint(module=Net, **params):
    return JointEntropyClassifier(module, **(PARAMS | params))


def fit(net, X, y, seed=0):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return net.fit(X, y)


def weights(net):
    return torch.cat([value.detach().ravel() for value in net.module_.parameters()])


# Batches


def rows_passed(n_epochs, **params):
    """The first column of each unlabelled batch, over a training."""
    X, _, partly = make_data()
    X[:, 0] = np.arange(150)
    pool = np.flatnonzero(partly == -1)
    passed = []

    class Watch(Net):
        def forward(self, X):
            ids = X[:, 0].long().numpy()
            if self.training and np.isin(ids, pool).all():
                passed.append(ids)
            return super().forward(X)

    fit(joint(Watch, max_epochs=n_epochs, **params), X, partly)
    return pool, passed


def test_each_labeled_batch_is_paired_with_an_unlabeled_one():
    _, passed = rows_passed(3)
    assert len(passed) == 3 * 4
    assert {len(rows) for rows in passed} == {8}


def test_each_pass_goes_through_the_pool_once_in_a_new_order():
    """120 rows in batches of 8: a pass takes 15 steps, an epoch has 4."""
    pool, passed = rows_passed(15)
    passes = [np.concatenate(passed[i : i + 15]) for i in range(0, 60, 15)]
    for rows in passes:
        np.testing.assert_array_equal(np.sort(rows), pool)
    assert len({tuple(rows) for rows in passes}) == 4


@pytest.mark.parametrize(
    ("params", "sizes"),
    [
        ({"unlabeled_batch_size": 50}, [50, 50, 20, 50]),
        ({"unlabeled_batch_size": -1}, [120] * 4),
        ({"batch_size": -1}, [120]),
        ({"iterator_train__batch_size": 15}, [15, 15]),
        ({"iterator_valid__batch_size": 1000}, [8] * 4),
    ],
)
def test_batch_sizes(params, sizes):
    _, passed = rows_passed(1, **params)
    assert [len(rows) for rows in passed] == sizes


def test_samplers_of_labeled_rows_are_not_used_for_the_pool():
    from torch.utils.data import WeightedRandomSampler

    sampler = WeightedRandomSampler(np.ones(30), 30)
    pool, passed = rows_passed(15, iterator_train__sampler=sampler)
    np.testing.assert_array_equal(np.sort(np.concatenate(passed[:15])), pool)


# Seeds and leaks


def test_the_same_seed_gives_the_same_net():
    X, _, partly = make_data()
    first, second, other = (fit(joint(), X, partly, seed) for seed in (0, 0, 1))
    assert torch.equal(weights(first), weights(second))
    assert not torch.equal(weights(first), weights(other))


def test_targets_of_unlabeled_rows_do_not_matter():
    """A dataset tells its targets; those of unlabelled rows are never looked at."""
    X, y, partly = make_data()
    rng = np.random.RandomState(1)
    hidden = np.where(partly == -1, rng.permutation(y), y)
    assert (hidden != y).sum() > 40
    nets = [
        fit(joint(), ArrayDataset(X, targets), partly)
        for targets in (y, hidden, partly)
    ]
    reference = weights(fit(joint(), X, partly))
    for net in nets:
        assert torch.equal(weights(net), reference)


# Containers


CONTAINERS = {
    "tensor": lambda X: torch.from_numpy(X),
    "csr": sparse.csr_matrix,
    "frame": lambda X: pd.DataFrame(X, index=np.arange(len(X))[::-1]),
}


@pytest.mark.parametrize("container", CONTAINERS.values(), ids=CONTAINERS)
@pytest.mark.parametrize("iterator", [TensorBatches, torch.utils.data.DataLoader])
def test_rows_in_any_container_train_the_same_net(container, iterator):
    X, _, partly = make_data()
    params = {
        "dataset": ArrayDataset,
        "iterator_train": iterator,
        "iterator_valid": iterator,
    }
    reference = fit(joint(**params), X, partly)
    net = fit(joint(**params), container(X), partly)
    assert torch.equal(weights(net), weights(reference))


LABELS = {
    "list": list,
    "tensor": torch.from_numpy,
    "series": lambda y: pd.Series(y, index=np.arange(len(y))[::-1]),
}


@pytest.mark.parametrize("container", LABELS.values(), ids=LABELS)
def test_labels_in_any_container_train_the_same_net(container):
    X, _, partly = make_data()
    reference = fit(joint(), X, partly)
    assert torch.equal(weights(fit(joint(), X, container(partly))), weights(reference))


def test_a_dict_of_arrays_is_split_part_by_part():
    class Named(Net):
        def forward(self, left, right):
            return super().forward(torch.cat([left, right], dim=1))

    X, _, partly = make_data()
    parts = {"left": X[:, :2], "right": X[:, 2:]}
    net = fit(joint(Named), parts, partly)
    assert torch.equal(weights(net), weights(fit(joint(), X, partly)))


def test_a_dataset_may_hold_the_marks():
    X, _, partly = make_data()
    net = fit(joint(), Dataset(X, partly), None)
    assert torch.equal(weights(net), weights(fit(joint(), X, partly)))
    assert net.classes_.tolist() == [0, 1, 2]


def test_another_label_may_be_the_mark():
    X, _, partly = make_data()
    marked = np.where(partly == -1, 99, partly)
    net = fit(joint(unlabeled_label=99), X, marked)
    assert torch.equal(weights(net), weights(fit(joint(), X, partly)))


def test_targets_of_several_columns_are_refused():
    X, _, partly = make_data()
    with pytest.raises(ValueError, match=r"shape \(n_samples,\).*\(150, 1\)"):
        joint().fit(X, partly[:, None])


# scikit-learn


def test_parameters_clone_and_set():
    net = clone(joint(unlabeled_label=7, unlabeled_batch_size=5))
    assert net.get_params()["entropy_weight"] == 0.5
    assert net.get_params()["unlabeled_label"] == 7
    assert net.get_params()["unlabeled_batch_size"] == 5
    net.set_params(entropy_weight=2.0)
    assert net.entropy_weight == 2.0
    with pytest.raises(ValueError, match="unlabelled_label"):
        joint(unlabelled_label=7).initialize()


def test_training_leaves_no_pool_behind():
    X, _, partly = make_data()
    net = fit(joint(), X, partly)
    before = set(fit(joint(), X[partly != -1], partly[partly != -1]).get_params())
    assert set(net.get_params()) == before
    assert not {"X_unlabeled_", "unlabeled_batches_", "unlabeled_step_"} & set(
        vars(net)
    )


class Save(Callback):
    """Pickles the net, without this callback, at the end of each epoch."""

    def on_epoch_end(self, net, **kwargs):
        callbacks, net.callbacks_ = net.callbacks_, []
        given, net.callbacks = net.callbacks, None
        self.saved = pickle.dumps(net)
        net.callbacks_, net.callbacks = callbacks, given


def test_pickles_before_during_and_after_training():
    X, _, partly = make_data()
    save = Save()
    net = pickle.loads(pickle.dumps(joint(batch_size=-1, callbacks=[("save", save)])))
    save = net.callbacks[0][1]
    many = np.repeat(X, 100, axis=0), np.repeat(partly, 100)
    fit(net, *many)
    assert len(save.saved) < many[0].nbytes / 2
    assert torch.equal(weights(pickle.loads(save.saved)), weights(net))
    save.saved = None
    again = pickle.loads(pickle.dumps(net))
    np.testing.assert_array_equal(again.predict_proba(X), net.predict_proba(X))


def test_going_on_with_training():
    X, _, partly = make_data()
    net = fit(joint(), X, partly)
    net.partial_fit(X, partly)
    assert len(net.history[:, "train_entropy"]) == 8
    net.set_params(warm_start=True).fit(X, partly)
    assert len(net.history) == 12


def test_the_score_leaves_unlabeled_rows_out():
    X, y, partly = make_data()
    known = partly != -1
    net = fit(joint(max_epochs=30), X, partly)
    assert net.score(X, partly) == net.score(X[known], y[known]) > 0.7
    weight = np.random.RandomState(0).uniform(size=150)
    expected = net.score(X[known], y[known], sample_weight=weight[known])
    assert net.score(X, partly, sample_weight=weight) == pytest.approx(expected)
    with pytest.raises(ValueError, match="All 120 rows carry"):
        net.score(X[~known], partly[~known])


def test_a_search_over_the_weight():
    X, _, partly = make_data()
    grid = {"entropy_weight": [0.0, 0.3], "lr": [0.05, 0.2]}
    search = GridSearchCV(joint(max_epochs=20), grid, cv=3, error_score="raise")
    search.fit(X, partly)
    assert search.best_score_ > 0.6
    assert search.best_estimator_.classes_.tolist() == [0, 1, 2]


# Refusals


@pytest.mark.parametrize("make", [joint, JointEntropyTabularClassifier])
@pytest.mark.parametrize("weight", [-0.1, np.inf, np.nan, "1", None])
def test_a_bad_weight_is_refused(make, weight):
    X, _, partly = make_data()
    with pytest.raises(
        ValueError, match=r"'entropy_weight' .* range \[0\.0, inf\)\. Got"
    ):
        make(entropy_weight=weight).fit(X, partly)


@pytest.mark.parametrize("size", [0, -2])
def test_a_bad_batch_size_is_refused(size):
    X, _, partly = make_data()
    with pytest.raises(ValueError, match=r"'unlabeled_batch_size' .* \[1, inf\).*-1"):
        joint(unlabeled_batch_size=size).fit(X, partly)


def test_other_criteria_are_refused_before_the_first_step():
    X, _, partly = make_data()
    net = joint(criterion=nn.MultiMarginLoss)
    with pytest.raises(ValueError, match=r"CrossEntropyLoss.*NLLLoss.*MultiMargin"):
        fit(net, X, partly)
    assert "train_loss" not in str(net.history)


def test_rows_without_any_label_are_refused_and_leave_the_net_unfitted():
    X, y, _ = make_data()
    net = joint()
    for method in (net.fit, net.partial_fit):
        with pytest.raises(ValueError, match="All 150 rows carry unlabeled_label=-1"):
            method(X, np.full_like(y, -1))
    assert not net.initialized_
