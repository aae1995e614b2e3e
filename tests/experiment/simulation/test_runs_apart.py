"""Runs side by side share neither files nor random numbers."""

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import make_classification
from sklearn.ensemble import BaggingClassifier
from skorch import NeuralNetClassifier
from skorch.callbacks import Checkpoint, TrainEndCheckpoint
from skorch.dataset import ValidSplit
from torch import nn

from skbadge import BadgeQuerier
from skbadge.experiment import SimulatedActiveLearner, active_learning_curve

X, y = make_classification(150, 5, n_informative=5, n_redundant=0, random_state=0)
X = X.astype(np.float32)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.head = nn.Linear(5, 2)

    def forward(self, X):
        return self.head(X)


def make_net(**params):
    defaults = {"criterion": nn.CrossEntropyLoss, "train_split": ValidSplit(2)}
    params = defaults | {"max_epochs": 4, "lr": 0.5, "verbose": 0} | params
    return NeuralNetClassifier(Net, **params)


def curve(estimator, n_jobs, **params):
    result = active_learning_curve(
        BadgeQuerier(estimator),
        X,
        y,
        strategies=["random", "margin"],
        n_initial=20,
        n_query=10,
        n_rounds=2,
        n_repeats=2,
        random_state=0,
        n_jobs=n_jobs,
        **params,
    )
    return result.to_frame()[["strategy", "repeat", "n_labeled", "score"]]


def checkpointed(folder):
    return make_net(
        callbacks=[
            Checkpoint(monitor="valid_loss_best", load_best=True, dirname=folder),
            TrainEndCheckpoint(dirname=folder, fn_prefix="last_"),
        ]
    )


ESTIMATORS = {
    "split net": lambda folder: make_net(),
    "checkpointed net": checkpointed,
    "bagging of nets": lambda folder: BaggingClassifier(make_net(), 2, n_jobs=2),
    "bagging of checkpointed nets": lambda folder: BaggingClassifier(
        checkpointed(folder), 2, n_jobs=2
    ),
}


@pytest.mark.parametrize("make", ESTIMATORS.values(), ids=ESTIMATORS.keys())
def test_scores_do_not_depend_on_the_number_of_jobs(make, tmp_path):
    frames = [curve(make(str(tmp_path)), n_jobs) for n_jobs in (1, 2)]
    pd.testing.assert_frame_equal(*frames)


def test_runs_leave_no_files(tmp_path):
    curve(checkpointed(str(tmp_path)), n_jobs=1)
    assert list(tmp_path.iterdir()) == []


def test_a_learner_writes_where_it_is_told_once_it_has_learned(tmp_path):
    learner = SimulatedActiveLearner(
        BadgeQuerier(checkpointed(str(tmp_path))),
        n_initial=20,
        n_query=10,
        budget=30,
        random_state=0,
    ).fit(X, y)
    assert list(tmp_path.iterdir()) == []
    querier = learner.querier_
    querier.fit(X, y)
    assert (tmp_path / "params.pt").is_file()
