"""Errors about a row name it by its place among the rows that the user has."""

from functools import partial

import numpy as np
import pytest
import torch
from sklearn.ensemble import BaggingClassifier, HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.naive_bayes import GaussianNB
from torch import nn

from skbadge import BadgeQuerier
from skbadge.embeddings import DenseEmbedding
from skbadge.pools import from_arrays
from skbadge.samplers import KCenter
from skbadge.strategies import EPIG, EmbeddingStrategy, Refine, ScoreStrategy
from tests.querier import _nets

rng = np.random.default_rng(0)
X_LABELED = rng.normal(size=(30, 3)).astype(np.float32)
Y = np.arange(30) % 2
POOL = rng.normal(size=(150, 3)).astype(np.float32)
ROW, MARK = 100, 7.5
POOL[ROW, 0] = MARK
WITH_NAN = POOL.copy()
WITH_NAN[ROW, 0] = np.nan


def is_marked(X):
    return X[:, 0] == MARK


class PredictsNaN(GaussianNB):
    def predict_proba(self, X):
        return np.where(is_marked(X)[:, None], np.nan, super().predict_proba(X))


class Improper(GaussianNB):
    def predict_proba(self, X):
        return super().predict_proba(X) * np.where(is_marked(X)[:, None], 2, 1)


class RegressesToNaN(Ridge):
    def predict(self, X):
        return np.where(is_marked(X), np.nan, super().predict(X))


class Marking(GaussianNB):
    """Is certain of the marked row alone, against all that it learned."""

    def predict_proba(self, X):
        uncertain = np.full((len(X), 2), 0.5)
        return np.where(is_marked(X)[:, None], [0.25, 0.75], uncertain)


class NaNScores(ScoreStrategy):
    def score(self, pool):
        return np.where(pool.proba[:, 0] == 0.25, np.nan, 1.0)


def nan_kernel(outputs):
    is_wrong = outputs.proba[:, :1] == 0.25
    return DenseEmbedding(np.where(is_wrong, np.nan, outputs.proba))


nan_kernel.needs = ("proba",)


def own_kernel():
    return EmbeddingStrategy(kernel=nan_kernel, sampler=KCenter())


class NaNOfNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))

    def forward(self, X):
        # A factor, so that the gradients of the row are NaN as well.
        is_wrong = X[:, :1] == MARK
        return self.layers(torch.where(is_wrong, torch.nan, X))


make_net = partial(_nets.make_net, NaNOfNet, max_epochs=1, lr=0.01)


CASES = {
    "features": (LogisticRegression, "core_set", WITH_NAN, "features.* hold NaN"),
    "inputs of a net": (make_net, "entropy", WITH_NAN, "Input X_pool contains NaN"),
    "features of a net": (make_net, "core_set", POOL, "features.* hold NaN"),
    "gradients": (make_net, "lcmd", POOL, "(gradients|model).* NaN"),
    "predictions": (PredictsNaN, "entropy", POOL, "model predicts NaN"),
    "all of the pool": (PredictsNaN, "uncertainty_herding", POOL, "model predicts NaN"),
    "targets": (RegressesToNaN, "igs", POOL, "model predicts NaN"),
    "probabilities": (Improper, "margin", POOL, "Probabilities must be"),
    "scores": (Marking, NaNScores, POOL, "scores of NaNScores.* must not be NaN"),
    "scores at once": (
        Marking,
        lambda: NaNScores(noise="softrank"),
        POOL,
        "scores of NaNScores.* must not be NaN",
    ),
    "scores in parts": (
        Marking,
        lambda: Refine([NaNScores()], last="random", n_rounds=1, n_subsets=20),
        POOL,
        "scores of NaNScores.* must not be NaN",
    ),
    "kernel": (Marking, own_kernel, POOL, "`embedding` must be finite"),
}
MASK = np.arange(150) >= 50
TOLD = {
    "all": {},
    "mask": {"candidates": MASK},
    "positions": {"candidates": np.flatnonzero(MASK)[::-1]},
    "pending": {"candidates": MASK, "pending": [3, 120]},
    "pending row": {"candidates": MASK & (np.arange(150) != ROW), "pending": [ROW]},
    "groups": {"candidates": MASK, "groups": np.arange(150) % 50},
    "subsample": {"subsample": 149},
    "subsample of candidates": {"candidates": MASK, "subsample": 99},
}


def in_chunks(rows):
    return from_arrays([rows[:40], rows[40:]], chunk_rows=30)


@pytest.mark.parametrize("pool", [np.asarray, in_chunks], ids=["array", "chunks"])
@pytest.mark.parametrize("told", TOLD.values(), ids=TOLD)
@pytest.mark.parametrize(
    ("make", "strategy", "rows", "message"), CASES.values(), ids=CASES
)
def test_a_row_of_the_pool_is_named(make, strategy, rows, message, told, pool):
    strategy = strategy if isinstance(strategy, str) else strategy()
    querier = BadgeQuerier(make(), strategy=strategy, random_state=0)
    querier.fit(X_LABELED, Y)
    with pytest.raises(ValueError, match=rf"(?s){message}.* row 100\b"):
        querier.query(pool(rows), 3, **told)


@pytest.mark.parametrize("pool", [np.asarray, in_chunks], ids=["array", "chunks"])
@pytest.mark.parametrize("told", TOLD.values(), ids=TOLD)
@pytest.mark.parametrize("cold_start", ["core_set", "max_herding"])
def test_a_cold_start_says_what_it_compares(cold_start, told, pool):
    rows = np.where(np.isnan(WITH_NAN), np.inf, WITH_NAN)
    querier = BadgeQuerier(HistGradientBoostingClassifier(), cold_start=cold_start)
    message = "^A cold start compares rows by their columns.* row 100 of `X_pool`"
    with pytest.raises(ValueError, match=message):
        querier.query(pool(rows), 3, **told)


def test_labelled_rows_and_targets_are_no_rows_of_the_pool():
    candidates = np.arange(10, 30)
    labeled = X_LABELED.copy()
    labeled[9, 0] = MARK
    querier = BadgeQuerier(PredictsNaN(), strategy="direct", random_state=0)
    querier.fit(labeled, Y)
    with pytest.raises(ValueError, match=r"the first is row 9 of `X_labeled_`"):
        querier.query(POOL[:50], 3, candidates=candidates)
    ensemble = BaggingClassifier(PredictsNaN(), 2, random_state=0)
    querier = BadgeQuerier(ensemble, strategy=EPIG(targets=labeled), random_state=0)
    querier.fit(X_LABELED, Y)
    with pytest.raises(ValueError, match=r"the first is row 9 of `targets`"):
        querier.query(POOL[:50], 3, candidates=candidates)
