"""Experiments with rows in every kind of container that a querier takes."""

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import sparse
from sklearn.compose import make_column_transformer
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MaxAbsScaler, OneHotEncoder, StandardScaler
from skorch import NeuralNetClassifier
from torch import nn

from skbadge import BadgeQuerier
from skbadge.experiment import (
    Benchmark,
    SimulatedActiveLearner,
    active_learning_curve,
    run_benchmark,
)

N = 60
rng = np.random.RandomState(0)
X = np.round(rng.normal(size=(N, 4)) * 8) / 8
y = np.array(["ant", "bee", "cat"])[np.arange(N) % 3]
TOKENS = [list(rng.choice(list("abcd"), i % 9 + 1)) for i in range(N)]
TOWN = rng.choice(list("xyz"), N)
RUN = {"n_initial": 12, "n_query": 5, "n_rounds": 2}


class Listed(nn.Module):
    def __init__(self):
        super().__init__()
        self.head = nn.Linear(4, 3)

    def forward(self, X):
        assert len(X) == 2
        return self.head(torch.cat([part.float() for part in X], dim=1))


class Named(Listed):
    def forward(self, a, b):
        return super().forward([a, b])


class Rows(torch.utils.data.Dataset):
    def __len__(self):
        return N

    def __getitem__(self, i):
        return torch.tensor(X[i], dtype=torch.float32), 0


def make_net(module=None):
    torch.manual_seed(0)
    return NeuralNetClassifier(
        module or nn.Linear(4, 3),
        criterion=nn.CrossEntropyLoss,
        train_split=None,
        max_epochs=1,
        verbose=0,
    )


def columns():
    encode = make_column_transformer(
        (StandardScaler(), ["size", "weight"]),
        (OneHotEncoder(handle_unknown="ignore"), ["town"]),
    )
    return make_pipeline(encode, LogisticRegression())


def frame(index=None):
    data = {"size": X[:, 0], "weight": X[:, 1], "town": TOWN}
    return pd.DataFrame(data, index=index)


def polars():
    pl = pytest.importorskip("polars")
    return pl.DataFrame(frame().to_dict("list"))


def scaled():
    return make_pipeline(MaxAbsScaler(), make_net())


def tokens():
    return make_pipeline(CountVectorizer(analyzer=list), LogisticRegression())


KINDS = {
    "index of dates": (columns, lambda: frame(pd.date_range("2020", periods=N))),
    "copies in the index": (columns, lambda: frame(np.arange(N) % 5)),
    "index of two": (
        columns,
        lambda: frame(pd.MultiIndex.from_product([range(6), list("abcdefghij")])),
    ),
    "polars": (columns, polars),
    "list of arrays": (lambda: make_net(Listed), lambda: [X[:, :1], X[:, 1:]]),
    "tuple of arrays": (lambda: make_net(Listed), lambda: (X[:, :1], X[:, 1:])),
    "dict": (lambda: make_net(Named), lambda: {"a": X[:, :1], "b": X[:, 1:]}),
    "dataset": (make_net, Rows),
    "coo": (scaled, lambda: sparse.coo_array(X)),
    "dia": (scaled, lambda: sparse.dia_matrix(X)),
    "lil": (make_net, lambda: sparse.lil_array(X)),
    "tokens": (tokens, lambda: TOKENS),
}
kinds = pytest.mark.parametrize(("model", "rows"), KINDS.values(), ids=KINDS)


@kinds
def test_curves(model, rows):
    querier, X = BadgeQuerier(model()), rows()
    options = {"strategies": ["margin"], "random_state": 0, "error_score": "raise"}
    for more in ({}, {"cv": 2}, {"X_test": X, "y_test": y}):
        result = active_learning_curve(
            querier, X, y, n_repeats=1, **RUN, **options, **more
        )
        assert result.to_frame()["n_labeled"].max() == 22


@kinds
def test_simulated_learners(model, rows):
    learner = SimulatedActiveLearner(BadgeQuerier(model(), random_state=0), **RUN)
    assert 0 <= learner.fit(rows(), y).score(rows(), y) <= 1
    assert len(learner.labeled_) == 22


@kinds
def test_benchmarks(model, rows, tmp_path):
    benchmark = Benchmark(
        datasets={"data": (rows(), y)},
        models={"model": model()},
        strategies=["random"],
        n_repeats=1,
        **RUN,
    )
    result = run_benchmark(benchmark, tmp_path / "store.sqlite")
    assert result.to_frame()["n_labeled"].max() == 22


def test_positions_are_the_same_for_polars_and_for_any_index():
    labeled = [
        SimulatedActiveLearner(BadgeQuerier(columns()), random_state=0, **RUN)
        .fit(rows, y)
        .labeled_
        for rows in (frame(), frame(np.arange(N)[::-1]), polars())
    ]
    np.testing.assert_array_equal(labeled[0], labeled[1])
    np.testing.assert_array_equal(labeled[0], labeled[2])


def masked(array):
    return np.ma.array(array, mask=np.arange(array.size).reshape(array.shape) == 5)


@pytest.mark.parametrize("where", ["X", "y", "X_test", "y_test"])
def test_masked_entries_are_refused_before_any_training(where):
    numbers = np.arange(N) % 3
    data = {"X": X, "y": numbers, "X_test": X, "y_test": numbers}
    data[where] = masked(data[where])
    querier = BadgeQuerier(LogisticRegression())
    refused = pytest.raises(ValueError, match=f"`{where}` has masked entries: 1 of 60")
    with refused:
        active_learning_curve(querier, **data, **RUN)
    if "test" in where:
        return
    with refused:
        SimulatedActiveLearner(querier, **RUN).fit(data["X"], data["y"])


@pytest.mark.parametrize(
    ("rows", "targets"),
    [(masked(X), y), ({"a": X, "b": masked(X)}, y), (X, masked(np.arange(N) % 3))],
)
def test_masked_entries_of_a_benchmark(rows, targets, tmp_path):
    def run():
        data = {"data": (rows, targets)}
        models = {"model": LogisticRegression()}
        benchmark = Benchmark(data, models, ["random"], n_repeats=1, **RUN)
        run_benchmark(benchmark, tmp_path / "store.sqlite")

    with pytest.raises(ValueError, match=r"has masked entries: 1 of 60"):
        run()
