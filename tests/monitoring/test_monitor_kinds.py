"""Monitor with all kinds of rows that a querier takes."""

import numpy as np
import pytest
import torch
from scipy import sparse
from sklearn.ensemble import BaggingRegressor
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import root_mean_squared_error
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from skorch import NeuralNetClassifier, NeuralNetRegressor
from torch import nn

import skbadge
from skbadge import BadgeQuerier
from skbadge.monitoring import Monitor, assess, audit
from skbadge.pools import from_arrays, take_rows
from tests.monitoring._asked import X, y

ROWS = X.astype(np.float32)
REPORT = {"return_report": True}


class Rows(torch.utils.data.Dataset):
    """Rows with labels, which are given one by one."""

    def __init__(self, X, y):
        self.X, self.y = X, y

    def __len__(self):
        return len(self.X)

    def __getitem__(self, i):
        return self.X[i], int(self.y[i])


class TwoInputs(nn.Module):
    """A linear layer on two inputs side by side."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(6, 3)

    def forward(self, parts=None, **named):
        return self.layer(torch.cat(parts or [*named.values()], dim=1))


def net(module=None, **options):
    module = nn.Linear(6, 3) if module is None else module
    return NeuralNetClassifier(
        module,
        criterion=nn.CrossEntropyLoss,
        max_epochs=3,
        train_split=None,
        verbose=0,
        **options,
    )


def as_frame(library):
    module = pytest.importorskip(library)
    return module.DataFrame({name: X[:, i] for i, name in enumerate("abcdef")})


def texts():
    words = np.array(["ant", "bee", "cat", "dog", "eel", "fox"])
    return [" ".join(words[row > 0]) + f" w{i}" for i, row in enumerate(X)]


KINDS = {
    "array": (LogisticRegression, lambda: X),
    "list": (LogisticRegression, lambda: X.tolist()),
    "pandas": (LogisticRegression, lambda: as_frame("pandas")),
    "polars": (LogisticRegression, lambda: as_frame("polars")),
    "sparse": (LogisticRegression, lambda: sparse.csr_array(X)),
    "texts": (lambda: make_pipeline(CountVectorizer(), LogisticRegression()), texts),
    "tensor": (net, lambda: torch.from_numpy(ROWS)),
    "dataset": (net, lambda: Rows(ROWS, y)),
    "inputs": (lambda: net(TwoInputs), lambda: [ROWS[:, :2], ROWS[:, 2:]]),
    "dict": (
        lambda: net(TwoInputs),
        lambda: {"first": ROWS[:, :2], "second": ROWS[:, 2:]},
    ),
}


def taken(rows, positions):
    if isinstance(rows, list) and len(rows) == 2:
        return [part[positions] for part in rows]
    return take_rows(rows, positions)


@pytest.mark.filterwarnings("ignore::skbadge.exceptions.QueryWarning")
@pytest.mark.parametrize("kind", KINDS)
def test_rounds_of_each_kind(kind):
    estimator, rows = KINDS[kind]
    rows, left = rows(), np.arange(600) >= 60
    monitor = Monitor(rows, n_reference=50, random_state=0, n_folds=2)
    audited = Monitor(audit=(taken(rows, np.arange(560, 600)), y[560:]))
    querier = BadgeQuerier(estimator(), strategy="random", random_state=0)
    for number in range(3):
        if number == 1:
            # The first round was before there was a model.
            querier.fit(taken(rows, np.arange(60)), y[:60])
        picks, report = querier.query(rows, 20, candidates=left, **REPORT)
        left[picks] = False
        batch = taken(rows, picks)
        one = monitor.add(querier, report, batch, y[picks])
        other = audited.add(querier, report, batch, y[picks])
        if number:
            querier.partial_fit(batch, y[picks])
        assert one.duplicates == 0
        assert sum(one.class_counts.values()) == 20
    assert [one.source for one in monitor.rounds] == ["", "batch", "batch"]
    assert other.source == "audit"
    assert 0 < one.agreement <= 1
    # A labelled row beside another one.
    again, new = Monitor(n_folds=2), np.flatnonzero(left)[0]
    picks, report = querier.query(rows, 2, candidates=[0, new], **REPORT)
    one = again.add(querier, report, taken(rows, picks), y[picks])
    assert one.duplicates == 0.5


@pytest.mark.parametrize("collection", ["chunks", "dask"])
def test_rounds_of_a_pool_in_chunks(collection):
    if collection == "chunks":
        pool = from_arrays(X[60:], chunk_rows=100)
    else:
        pool = pytest.importorskip("dask.array").from_array(X[60:], chunks=(100, 6))
    monitor = Monitor(pool, n_reference=50, random_state=0, n_folds=2)
    querier = BadgeQuerier(LogisticRegression(), strategy="random", random_state=0)
    querier.fit(X[:60], y[:60])
    for _ in range(2):
        rows, report = querier.query(pool, 20, **REPORT)
        assert report.predictions is None
        one = monitor.add(querier, report, X[60:][rows], y[60:][rows])
        querier.partial_fit(X[60:][rows], y[60:][rows])
    assert one.source == "batch"
    assert 0 < one.agreement <= 1
    assert len(monitor._reference) == 50


@pytest.mark.filterwarnings("ignore::skbadge.exceptions.QueryWarning")
@pytest.mark.parametrize("search", [False, True])
def test_rounds_of_a_querier_behind_other_steps(search):
    inner = BadgeQuerier(LogisticRegression(), strategy="random", random_state=0)
    fitted = make_pipeline(StandardScaler(), inner)
    if search:
        fitted = GridSearchCV(fitted, {"badgequerier__estimator__C": [0.1, 1]}, cv=2)
    monitor = Monitor(X[60:], random_state=0, n_folds=2)
    audited = Monitor(audit=(X[500:], y[500:]))
    labelled = list(range(60))
    for number in range(3):
        if number:
            fitted.fit(X[labelled], y[labelled])
        rows, report = skbadge.query(fitted, X[60:500], 20, **REPORT)
        batch = X[60:][rows]
        one = monitor.add(fitted, report, batch, y[60:][rows])
        other = audited.add(fitted, report, batch, y[60:][rows])
        labelled += (60 + rows).tolist()
    assert (one.source, other.source) == ("batch", "audit")
    assert other.error.estimate == pytest.approx(1 - fitted.score(X[500:], y[500:]))
    assert one.disagreement == np.mean(fitted.predict(batch) != y[60:][rows])
    assert 0 < one.agreement <= 1


def test_many_matrices_are_rows_and_not_inputs():
    monitor = Monitor([row.reshape(2, 3) for row in X], n_reference=50)
    assert len(monitor._reference) == 50


@pytest.mark.parametrize(
    "model",
    [
        Ridge(),
        BaggingRegressor(Ridge(), n_estimators=2),
        GridSearchCV(Ridge(), {"alpha": [1, 2]}, cv=2),
        NeuralNetRegressor(
            nn.Linear(6, 2), max_epochs=3, lr=0.1, train_split=None, verbose=0
        ),
    ],
    ids=lambda model: type(model).__name__,
)
def test_models_of_several_targets(model):
    targets = ROWS[:, :2] + ROWS[:, 2:4]
    querier = BadgeQuerier(model, strategy="random", random_state=0)
    querier.fit(ROWS[:60], targets[:60])
    rows, report = querier.query(ROWS[60:], 20, return_report=True)
    batch, answers = ROWS[60:][rows], targets[60:][rows]
    metric = {"metric": "root_mean_squared_error"}
    said = querier.predict(batch)
    expected = root_mean_squared_error(answers, said)
    assert audit(querier, batch, answers, **metric).error.estimate == pytest.approx(
        expected
    )
    found = assess(querier, report, answers, **metric)
    assert found.rest.estimate == pytest.approx(expected)
    one = Monitor(**metric, random_state=0).add(querier, report, batch, answers)
    assert one.error.estimate == found.error.estimate
