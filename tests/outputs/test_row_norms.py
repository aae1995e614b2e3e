"""Norms of features, which a net's reader takes while it has them in cache."""

import pickle
from dataclasses import replace

import numpy as np
import pytest
import torch
from skorch import NeuralNetClassifier
from torch import nn

from skbadge import BadgeQuerier
from skbadge.outputs import Outputs, model_outputs
from skbadge.pools import from_arrays
from skbadge.strategies import get_strategy


class Scaled(nn.Module):
    """Features that are the input, padded with zeros to a width, times a number."""

    def __init__(self, n_features=5, scale=1.0, dtype=torch.float32):
        super().__init__()
        self.n_features, self.scale = n_features, scale
        self.output = nn.Linear(n_features, 3, dtype=dtype)
        # As large features would overflow in the logits.
        nn.init.zeros_(self.output.weight)

    def forward(self, X):
        """Logits."""
        wide = nn.functional.pad(X, (0, self.n_features - X.shape[1]), value=0.5)
        return self.output(wide * self.scale)


def _read(X, needs=("proba", "features"), **params):
    params = {f"module__{name}": value for name, value in params.items()}
    net = NeuralNetClassifier(Scaled, criterion=nn.CrossEntropyLoss, **params)
    return model_outputs(net.initialize(), X, needs=needs)


def _rows(n_rows=3000, dtype=np.float32):
    return np.random.default_rng(0).standard_normal((n_rows, 5)).astype(dtype)


def _exact(features):
    return (features.astype(np.float64) ** 2).sum(axis=1)


@pytest.mark.parametrize("n_features", [5, 1024, 2500])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_norms_are_those_of_the_features(n_features, dtype):
    outputs = _read(_rows(), n_features=n_features, dtype=dtype)
    norms_sq = outputs.embedded_features.norms_sq()
    assert norms_sq.dtype == np.float64
    np.testing.assert_allclose(norms_sq, _exact(outputs.features), rtol=1e-13)


@pytest.mark.parametrize("scale", [1e-30, 1e-20, 1e25])
def test_squares_beyond_single_precision_are_right(scale):
    outputs = _read(_rows(), scale=scale)
    exact = _exact(outputs.features)
    assert 0 < exact.min() < exact.max() < np.inf
    np.testing.assert_allclose(outputs.embedded_features.norms_sq(), exact, rtol=1e-13)


@pytest.mark.filterwarnings("ignore::skbadge.exceptions.QueryWarning")
@pytest.mark.parametrize("strategy", ["core_set", "badge_k_center", "badge_max_det"])
def test_copies_of_a_row_are_at_distance_zero(strategy):
    # These strategies cast rows to float64, and norms with them.
    rows = _rows(40)
    copies = np.tile(rows, (60, 1))[np.random.default_rng(1).permutation(2400)]
    net = NeuralNetClassifier(
        Scaled, module__n_features=300, criterion=nn.CrossEntropyLoss, train_split=None
    )
    net.set_params(max_epochs=0, verbose=0, module__scale=3.0)
    querier = BadgeQuerier(net, strategy=strategy, random_state=0)
    querier.fit(_rows(200) + 1, np.arange(200) % 3)
    picks, report = querier.query(copies, 100, return_report=True)
    n_distinct = len(np.unique(copies[picks[: np.argmin(report.values)]], axis=0))
    assert n_distinct == np.argmin(report.values) <= 40
    assert not report.values[40:].any()


@pytest.mark.parametrize("needs", ["features", "inputs"])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_rows_that_are_not_finite_are_named(needs, value):
    X = _rows()
    X[[2500, 2700], 1] = value
    with pytest.raises(ValueError, match="2 of 3000 rows, the first is row 2500"):
        _read(X, needs=(needs,))


def test_probabilities_that_are_not_finite_are_named():
    X = _rows()
    X[2100, 1] = np.nan
    with pytest.raises(ValueError, match=r"predicts NaN .* the first is row 2100"):
        _read(X, needs=("proba",))


def test_some_rows_keep_their_norms():
    outputs = _read(_rows())
    rows = np.array([7, 2900, 7])
    for part in (outputs.take(rows), outputs.take(slice(2, 9))):
        assert part.embedded_features.matrix is part.features
        np.testing.assert_allclose(
            part.embedded_features.norms_sq(), _exact(part.features), rtol=1e-6
        )
    copied = pickle.loads(pickle.dumps(outputs))
    assert copied.embedded_features.matrix is copied.features


def test_other_features_do_not_have_the_norms_of_these():
    outputs = _read(_rows())
    other = replace(outputs, features=2 * outputs.features)
    assert other.embedded_features is None
    assert replace(outputs, temperature=2.0).embedded_features is not None
    strategy = get_strategy("core_set")
    norms_sq = strategy.embed(other).norms_sq()
    np.testing.assert_allclose(norms_sq, _exact(other.features), rtol=1e-6)


@pytest.mark.parametrize(
    "strategy", ["badge", "badge_max_det", "core_set", "badge_k_center"]
)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_selection_does_not_pass_over_the_features_for_norms(strategy, dtype):
    outputs = _read(_rows(), dtype=dtype)
    strategy = get_strategy(strategy)
    embedding = strategy.embed(outputs)
    assert embedding._cached_norms_sq is not None
    # Without what the reader knows.
    plain = strategy.embed(Outputs(outputs.proba, outputs.features))
    rtol = 1e-13 if dtype is torch.float64 else 2e-6
    np.testing.assert_allclose(embedding.norms_sq(), plain.norms_sq(), rtol=rtol)


def test_chunks_that_are_kept_keep_their_norms(monkeypatch):
    net = NeuralNetClassifier(Scaled, criterion=nn.CrossEntropyLoss, verbose=0)
    X = _rows()
    querier = BadgeQuerier(net, strategy="badge_kdpp", random_state=0)
    querier.fit(X[:30], np.arange(30) % 3)
    seen = []
    embed = type(get_strategy("badge_kdpp")).embed

    def spy(self, outputs):
        seen.append(outputs.embedded_features)
        return embed(self, outputs)

    monkeypatch.setattr(type(get_strategy("badge_kdpp")), "embed", spy)
    in_chunks = querier.query(from_arrays(X, chunk_rows=700), 5)
    at_once = querier.query(X, 5)
    np.testing.assert_array_equal(in_chunks, at_once)
    assert len(seen) == 2
    first, second = (known.norms_sq() for known in seen)
    np.testing.assert_allclose(first, second, rtol=1e-6)
