"""What a query reads of a model may lie in files: the picks are the same."""

import os

import numpy as np
import pytest
from sklearn.datasets import make_classification
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from skorch import NeuralNetClassifier
from torch import nn

from skbadge import BadgeQuerier
from skbadge.outputs import model_outputs
from skbadge.outputs.readers import _other
from skbadge.strategies import get_strategy_names
from skbadge.utils import _place
from tests.strategies._quick import quick

X, y = make_classification(400, 8, n_informative=5, n_classes=3, random_state=0)
X = X.astype(np.float32)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(8, 8), nn.ReLU(), nn.Dropout(0.2))
        self.head = nn.Linear(8, 3)

    def forward(self, X):
        return self.head(self.body(X))


def make_net():
    return NeuralNetClassifier(
        Net,
        criterion=nn.CrossEntropyLoss,
        train_split=None,
        max_epochs=2,
        verbose=0,
    )


MODELS = {
    "net": make_net,
    "perceptron": lambda: MLPClassifier(8, max_iter=20, random_state=0),
    "linear": lambda: LogisticRegression(),
    "forest": lambda: RandomForestClassifier(5, random_state=0),
}


@pytest.fixture(autouse=True)
def spill_small_arrays(monkeypatch):
    monkeypatch.setattr(_place, "LEAST_SPILLED", 0)
    monkeypatch.setattr(_other, "BLOCK_ROWS", 100)


def ask(model, strategy, storage):
    querier = BadgeQuerier(model, strategy=strategy, random_state=0, storage=storage)
    return querier.fit(X[:60], y[:60]).query(X[60:], 8, return_report=True)


@pytest.mark.parametrize("strategy", sorted(set(get_strategy_names()) - {"igs"}))
def test_picks_are_those_of_memory(strategy, tmp_path):
    rows, report = ask(make_net(), quick(strategy), None)
    spilled, spilled_report = ask(make_net(), quick(strategy), tmp_path)
    np.testing.assert_array_equal(spilled, rows)
    assert report.nbytes_spilled == 0
    assert (spilled_report.nbytes_spilled > 0) == (strategy != "random")
    assert os.listdir(tmp_path) == []


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("make", MODELS.values(), ids=MODELS.keys())
def test_outputs_of_all_models_go_to_the_folder(make, tmp_path):
    model = make().fit(X, y.astype(np.int64))
    kept = model_outputs(model, X, storage=None)
    spilled = model_outputs(model, X, storage=tmp_path)
    for name in ("proba", "features"):
        mine, theirs = getattr(kept, name), getattr(spilled, name)
        np.testing.assert_array_equal(mine, theirs)
    assert spilled.proba.base is not None


def test_the_report_says_what_went_to_files(tmp_path):
    # More may go to files than is held in the end.
    _, report = ask(make_net(), "core_set", tmp_path)
    assert report.nbytes_spilled > report.nbytes
    held, spilled = report.nbytes / 1e6, report.nbytes_spilled / 1e6
    assert f"memory or files: {held:.3g} MB; files: {spilled:.3g} MB" in str(report)
    _, report = ask(make_net(), "badge", None)
    assert "files: " not in str(report)


def test_a_missing_folder_is_refused_before_training(tmp_path):
    querier = BadgeQuerier(make_net(), storage=tmp_path / "missing")
    with pytest.raises(ValueError, match="`storage` must be None"):
        querier.fit(X, y)
    assert not hasattr(querier, "estimator_")
