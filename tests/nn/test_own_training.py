"""Nets whose trainings neither share random numbers nor files."""

import numpy as np
import pytest
import torch
from sklearn.datasets import make_classification
from sklearn.ensemble import BaggingClassifier
from sklearn.model_selection import GridSearchCV
from skorch import NeuralNetClassifier
from skorch.callbacks import Callback, Checkpoint, LoadInitState, TrainEndCheckpoint
from torch import nn

from skbadge import BadgeQuerier

X, y = make_classification(80, 4, n_informative=4, n_redundant=0, random_state=0)
X = X.astype(np.float32)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.head = nn.Linear(4, 2)

    def forward(self, X):
        return self.head(X)


def make_net(*callbacks, **params):
    defaults = {"criterion": nn.CrossEntropyLoss, "train_split": None, "lr": 0.1}
    params = defaults | {"max_epochs": 2, "verbose": 0} | params
    return NeuralNetClassifier(Net, callbacks=list(callbacks), **params)


def fit(estimator, **params):
    querier = BadgeQuerier(estimator, strategy="margin", random_state=0, **params)
    return querier.fit(X, y)


class Failing(Callback):
    """Breaks off a training that has written files."""

    def on_epoch_end(self, net, **kwargs):
        raise RuntimeError("no power")


CHECKPOINTS = {
    "checkpoint": lambda folder: Checkpoint(monitor=None, dirname=folder),
    "named": lambda folder: ("mine", Checkpoint(monitor=None, dirname=folder)),
    "at the end": lambda folder: TrainEndCheckpoint(dirname=folder),
}

WRAPPERS = {
    "alone": lambda net: net,
    "bagging": lambda net: BaggingClassifier(net, 2),
    "search": lambda net: GridSearchCV(net, {"lr": [0.1]}, cv=2),
}


@pytest.mark.parametrize("checkpoint", CHECKPOINTS.values(), ids=CHECKPOINTS.keys())
@pytest.mark.parametrize("wrap", WRAPPERS.values(), ids=WRAPPERS.keys())
def test_files_are_in_their_place_after_training(checkpoint, wrap, tmp_path):
    folder = tmp_path / "weights"
    fit(wrap(make_net(checkpoint(str(folder)))))
    names = {path.name for path in folder.iterdir()}
    assert {name.split("_")[-1] for name in names} == {
        "params.pt",
        "optimizer.pt",
        "criterion.pt",
        "history.json",
    }
    assert list(tmp_path.iterdir()) == [folder]


def test_files_without_a_folder_are_in_the_current_one(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    fit(make_net(Checkpoint(monitor=None, f_params="params.pt")))
    assert (tmp_path / "params.pt").is_file()
    assert not [path for path in tmp_path.iterdir() if path.is_dir()]


def test_weights_in_the_files_are_those_of_the_net(tmp_path):
    checkpoint = Checkpoint(monitor=None, dirname=str(tmp_path))
    querier = fit(make_net(checkpoint))
    saved = torch.load(tmp_path / "params.pt", weights_only=True)
    trained = querier.estimator_.module_.state_dict()
    assert all(torch.equal(saved[name], trained[name]) for name in trained)


def test_a_failed_training_leaves_files_and_folders_as_they_were(tmp_path):
    (tmp_path / "params.pt").write_text("of another net")
    checkpoint = Checkpoint(monitor=None, dirname=str(tmp_path))
    with pytest.raises(RuntimeError, match="no power"):
        fit(make_net(checkpoint, Failing()))
    assert (tmp_path / "params.pt").read_text() == "of another net"
    assert [path.name for path in tmp_path.iterdir()] == ["params.pt"]
    assert checkpoint.dirname == str(tmp_path)


def test_a_net_goes_on_from_the_files_of_an_earlier_training(tmp_path):
    checkpoint = Checkpoint(monitor=None, dirname=str(tmp_path))
    fit(make_net(checkpoint))
    saved = torch.load(tmp_path / "params.pt", weights_only=True)
    more = fit(make_net(checkpoint, LoadInitState(checkpoint), max_epochs=0))
    weights = more.estimator_.module_.state_dict()
    assert all(torch.equal(saved[name], weights[name]) for name in saved)


def test_training_goes_on_after_a_failure(tmp_path):
    class FailingOnce(Callback):
        failures = iter([False, False, True])

        def on_epoch_end(self, net, **kwargs):
            if next(self.failures, False):
                raise RuntimeError("no power")

    checkpoint = Checkpoint(monitor=None, dirname=str(tmp_path))
    querier = fit(make_net(checkpoint, FailingOnce()), warm_start=True)
    (tmp_path / "params.pt").unlink()
    with pytest.raises(RuntimeError, match="no power"):
        querier.partial_fit(X, y)
    querier.partial_fit()
    assert (tmp_path / "params.pt").is_file()
    assert not [path for path in tmp_path.iterdir() if path.is_dir()]


def test_a_trained_net_can_be_wrapped_again(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    querier = fit(BaggingClassifier(make_net(Checkpoint(monitor=None)), 2))
    again = fit(querier.estimator_)
    np.testing.assert_array_equal(again.predict(X), querier.predict(X))


def test_the_net_that_the_user_holds_is_left_alone(tmp_path):
    checkpoint = Checkpoint(monitor=None, dirname=str(tmp_path))
    net = make_net(checkpoint)
    fit(BaggingClassifier(net, 2))
    assert net.callbacks == [checkpoint]
    assert checkpoint.dirname == str(tmp_path)
