"""Nets whose trainings neither share random numbers nor files."""

import os
import pickle
from functools import partial
from pathlib import Path

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


NAMES = {
    "in a folder": {"f_params": "inside/params.pt"},
    "above": {"f_params": "../inside/params.pt", "dirname": "other"},
    "prefixed": {"fn_prefix": "inside/"},
    "absolute": {"f_params": "{here}/inside/params.pt"},
    "path": {"f_params": Path("inside", "params.pt")},
    "formatted": {"f_params": "inside/{last_epoch[epoch]}.pt"},
    "path-like folder": {"dirname": Path("inside")},
    "relative folder": {"dirname": "inside"},
    "missing folder": {"dirname": os.path.join("inside", "deeper")},
}


@pytest.mark.parametrize("wrap", WRAPPERS.values(), ids=WRAPPERS.keys())
@pytest.mark.parametrize("named", NAMES.values(), ids=NAMES.keys())
def test_files_go_where_their_names_say(named, wrap, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "inside").mkdir()
    if "{here}" in str(named):
        named = {"f_params": os.path.join(tmp_path, "inside", "params.pt")}
    best = Checkpoint(monitor="train_loss_best", load_best=True, **named)
    fit(wrap(make_net(best, CheckingNothingIsWritten(tmp_path))))
    assert [path for path in (tmp_path / "inside").rglob("*.pt") if path.is_file()]
    assert not list(tmp_path.rglob(".training-*"))


class CheckingNothingIsWritten(Callback):
    """Fails if a training writes other than apart."""

    def __init__(self, folder):
        self.folder = folder

    def on_train_begin(self, net, **kwargs):
        self.before_ = self.files()

    def on_train_end(self, net, **kwargs):
        assert self.files() == self.before_

    def files(self):
        found = {
            path: path.stat().st_mtime_ns
            for path in self.folder.rglob("*")
            if path.is_file() and ".training-" not in str(path)
        }
        return found


@pytest.mark.parametrize(
    "checkpoint", [TrainEndCheckpoint, partial(Checkpoint, monitor=None)]
)
def test_files_are_moved_at_the_end(checkpoint, tmp_path):
    fit(make_net(checkpoint(dirname=str(tmp_path)), CheckingNothingIsWritten(tmp_path)))
    assert list(tmp_path.glob("*params.pt"))


@pytest.mark.parametrize(
    "checkpoint", [TrainEndCheckpoint, partial(Checkpoint, monitor=None)]
)
def test_a_net_that_is_pickled_while_it_trains_knows_its_folder(checkpoint, tmp_path):
    saving = checkpoint(dirname=str(tmp_path), f_pickle="net.pkl", fn_prefix="")
    fit(make_net(saving))
    net = pickle.loads((tmp_path / "net.pkl").read_bytes())
    assert net.callbacks[0].dirname == str(tmp_path)
    writer = getattr(net.callbacks[0], "checkpoint_", net.callbacks[0])
    assert writer.dirname == str(tmp_path)
    net.fit(X, y)


class Writing(Callback):
    """Writes to a folder inside of its own, if it writes at all."""

    def __init__(self, dirname):
        self.dirname = dirname

    def on_epoch_end(self, net, **kwargs):
        if isinstance(self.dirname, str):
            os.makedirs(os.path.join(self.dirname, "inside"), exist_ok=True)
            with open(os.path.join(self.dirname, "inside", "epoch"), "w") as file:
                file.write(str(len(net.history)))


class ComputingItsFolder(Callback):
    @property
    def dirname(self):
        return "nowhere"


def test_files_in_a_folder_of_a_folder_join_those_there_are(tmp_path):
    (tmp_path / "missing" / "inside").mkdir(parents=True)
    (tmp_path / "missing" / "inside" / "other").write_text("kept")
    fit(make_net(Writing(str(tmp_path / "missing"))))
    inside = tmp_path / "missing" / "inside"
    assert (inside / "epoch").read_text() == "2"
    assert (inside / "other").read_text() == "kept"


@pytest.mark.parametrize(
    "callback",
    [Writing(None), Writing(b"folder"), Writing(3), ComputingItsFolder()],
    ids=["none", "bytes", "int", "property"],
)
def test_callbacks_with_something_else_of_that_name_are_left_alone(callback):
    assert len(fit(make_net(callback)).estimator_.history) == 2


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


@pytest.mark.parametrize(
    "kind", [TrainEndCheckpoint, partial(Checkpoint, monitor=None)]
)
def test_a_net_goes_on_from_the_files_of_an_earlier_training(kind, tmp_path):
    checkpoint = kind(dirname=str(tmp_path), fn_prefix="")
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
