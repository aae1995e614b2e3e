"""Diagnostics of a batch against the matrix they speak of."""

import pickle
import subprocess
import sys
from dataclasses import FrozenInstanceError

import numpy as np
import pytest
from scipy.spatial.distance import pdist
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

from skbadge import BadgeQuerier
from skbadge.embeddings import (
    DenseEmbedding,
    OuterProductEmbedding,
    StackedEmbedding,
    gradient_embedding,
)
from skbadge.inspection import BatchDiagnostics, batch_diagnostics
from skbadge.querier import _query_report

EPS = np.finfo(np.float64).eps


def dense(rng, n, dtype):
    return DenseEmbedding(rng.normal(size=(n, 60)).astype(dtype))


def outer(rng, n, dtype):
    left, right = rng.normal(size=(n, 4)), rng.normal(size=(n, 15))
    return OuterProductEmbedding(left.astype(dtype), right.astype(dtype))


def stacked(rng, n, dtype):
    return StackedEmbedding([outer(rng, n, dtype), dense(rng, n, dtype)])


def gradient(rng, n, dtype):
    return gradient_embedding(
        rng.dirichlet(np.ones(5), size=n).astype(dtype),
        rng.normal(size=(n, 15)).astype(dtype),
        include_bias=True,
    )


@pytest.mark.parametrize("make", [dense, outer, stacked, gradient])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_quantities_equal_those_of_the_dense_matrix(make, dtype):
    rng = np.random.RandomState(0)
    embedding = make(rng, 100, dtype)
    rows = rng.permutation(100)[:30]
    X = embedding.astype(np.float64).to_dense()[rows]
    result = batch_diagnostics(embedding, rows)
    gram = X @ X.T
    sign, log_det = np.linalg.slogdet(gram)
    assert sign == 1
    tolerance = 1e-9 if dtype == np.float64 else 1e-5
    np.testing.assert_allclose(result.log_det, log_det, rtol=tolerance)
    np.testing.assert_allclose(result.log_det_above, log_det, rtol=tolerance)
    assert result.rank == result.n == 30
    relative = 30 * EPS if dtype == np.float64 else (32 * 2.0**-23) ** 2
    greatest = np.linalg.eigvalsh(gram)[-1]
    np.testing.assert_allclose(result.threshold, relative * greatest, rtol=1e-5)
    norms = np.linalg.norm(X, axis=1)
    np.testing.assert_allclose(result.mean_norm, norms.mean(), rtol=1e-6)
    np.testing.assert_allclose(result.min_distance, pdist(X).min(), rtol=1e-5)


def test_a_pool_and_its_rows_are_the_same_as_the_batch_alone():
    embedding = outer(np.random.RandomState(0), 50, np.float64)
    rows = np.array([7, 3, 40, 12])
    alone = batch_diagnostics(embedding.take(rows))
    for same in (rows, list(rows), rows[::-1]):
        result = vars(batch_diagnostics(embedding, same))
        assert result == pytest.approx(vars(alone), rel=1e-9)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_a_batch_beyond_the_rank_has_no_volume(dtype):
    # Rank (3 - 1) * 4; float32 probabilities sum to 1 but for their last digits.
    rng = np.random.RandomState(0)
    embedding = gradient_embedding(
        rng.dirichlet(np.ones(3), size=20).astype(dtype),
        rng.normal(size=(20, 4)).astype(dtype),
    )
    result = batch_diagnostics(embedding)
    assert result.log_det == -np.inf
    assert result.rank == 8
    X = embedding.to_dense().astype(np.float64)
    greatest = np.sort(np.linalg.eigvalsh(X @ X.T))[-8:]
    np.testing.assert_allclose(result.log_det_above, np.log(greatest).sum(), rtol=1e-5)
    full = batch_diagnostics(embedding, np.arange(8))
    assert full.rank == 8
    assert np.isfinite(full.log_det)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_copies_are_at_distance_zero(dtype):
    X = np.random.RandomState(0).normal(size=(6, 9)).astype(dtype)
    result = batch_diagnostics(DenseEmbedding(np.vstack([X, X[:1]])))
    assert result.min_distance == 0
    assert result.log_det == -np.inf
    assert result.rank == 6
    others = batch_diagnostics(DenseEmbedding(X))
    assert others.min_distance > 0
    assert others.rank == 6


def test_the_threshold_says_which_eigenvalues_count():
    scales = np.array([1e-3, 0.05, 2.0, 30.0])
    embedding = DenseEmbedding(np.diag(np.sqrt(scales)))
    for threshold, rank in [(0, 4), (1e-2, 3), (0.05 * 1.001, 2), (5.0, 1), (99.0, 0)]:
        result = batch_diagnostics(embedding, threshold=threshold)
        assert result.rank == rank
        assert result.threshold == threshold
        expected = np.log(scales[4 - rank :]).sum()
        np.testing.assert_allclose(result.log_det_above, expected, atol=1e-9)
        np.testing.assert_allclose(result.log_det, np.log(scales).sum())


def test_rows_of_very_different_norms_keep_their_volume():
    rng = np.random.RandomState(0)
    X = rng.normal(size=(5, 8))
    scales = 10.0 ** np.array([0, -6, -12, 3, -9])
    result = batch_diagnostics(DenseEmbedding(X * scales[:, None]))
    expected = np.linalg.slogdet(X @ X.T)[1] + 2 * np.log(scales).sum()
    np.testing.assert_allclose(result.log_det, expected)
    # Their eigenvalues are lost in the rounding of the greatest.
    assert result.rank == 2


def test_zero_rows_have_no_volume():
    embedding = DenseEmbedding(np.vstack([np.eye(3), np.zeros((1, 3))]))
    result = batch_diagnostics(embedding)
    assert result.log_det == -np.inf
    assert result.rank == 3
    assert result.log_det_above == 0
    assert result.mean_norm == 0.75
    assert result.min_distance == 1
    zeros = batch_diagnostics(DenseEmbedding(np.zeros((3, 2))))
    assert (zeros.log_det, zeros.rank, zeros.log_det_above) == (-np.inf, 0, 0)
    assert (zeros.mean_norm, zeros.min_distance) == (0, 0)


def test_numbers_of_rows_at_the_edge():
    embedding = DenseEmbedding([[3.0, 4.0], [1.0, 0.0]])
    for rows in ([], np.empty(0, dtype=np.int64)):
        none = batch_diagnostics(embedding, rows)
        assert (none.n, none.rank, none.log_det, none.log_det_above) == (0, 0, 0, 0)
        assert np.isnan(none.mean_norm)
        assert none.min_distance == np.inf
    one = batch_diagnostics(embedding, [0])
    assert (one.n, one.rank, one.mean_norm, one.min_distance) == (1, 1, 5, np.inf)
    np.testing.assert_allclose(one.log_det, np.log(25))
    np.testing.assert_allclose(one.log_det_above, np.log(25))


def test_a_thousand_rows():
    rng = np.random.RandomState(0)
    embedding = OuterProductEmbedding(
        rng.normal(size=(1000, 10)), rng.normal(size=(1000, 128))
    )
    result = batch_diagnostics(embedding)
    assert result.rank == 1000
    log_det = np.linalg.slogdet(embedding.cross(embedding))[1]
    np.testing.assert_allclose(result.log_det, log_det)


def test_bad_arguments_are_refused():
    embedding = DenseEmbedding(np.eye(4))
    for rows, match in (
        ([0, 4], "positions between 0 and 3. Got 4"),
        ([-1, 0], "positions between 0 and 3. Got -1"),
        ([1, 1], "distinct positions"),
    ):
        with pytest.raises(ValueError, match=f"`rows` must hold {match}"):
            batch_diagnostics(embedding, rows)
    for rows in ([0.0, 1.0], [[0, 1]], np.array([True, False, False, True])):
        with pytest.raises(ValueError, match="1-D array of int positions"):
            batch_diagnostics(embedding, rows)
    for threshold in (-1.0, np.nan, np.inf, "low"):
        with pytest.raises(ValueError, match="`threshold` must be a number >= 0"):
            batch_diagnostics(embedding, threshold=threshold)
    for value in (np.nan, np.inf):
        X = np.eye(4)
        X[2, 1] = value
        with pytest.raises(ValueError, match=r"must be finite\. 1 of 4 rows"):
            batch_diagnostics(DenseEmbedding(X))


def test_the_result_is_frozen_and_says_what_it_is():
    result = batch_diagnostics(DenseEmbedding(np.eye(3)))
    assert isinstance(result, BatchDiagnostics)
    with pytest.raises(FrozenInstanceError):
        result.rank = 2
    assert "rank 3 of 3" in str(result)
    assert "log-determinant 0" in str(result)


@pytest.fixture(scope="module")
def iris():
    X, y = load_iris(return_X_y=True)
    return X, X[::10], y[::10]


def query(iris, strategy, n):
    X, X_labeled, y_labeled = iris
    querier = BadgeQuerier(LogisticRegression(), strategy=strategy, random_state=0)
    return querier.fit(X_labeled, y_labeled).query(X, n, return_report=True)


def test_the_report_of_a_query_has_them(iris):
    rows, report = query(iris, "badge", 5)
    proba = LogisticRegression().fit(*iris[1:]).predict_proba(iris[0])
    expected = batch_diagnostics(gradient_embedding(proba, iris[0]), rows)
    assert vars(report.diagnostics) == pytest.approx(vars(expected), rel=1e-6)
    assert report.diagnostics.mean_norm == pytest.approx(report.norms.mean())


def test_the_report_has_none_without_embeddings(iris):
    for strategy in ("margin", "random"):
        _, report = query(iris, strategy, 5)
        assert report.embedding is None
        assert report.diagnostics is None
        assert "log-determinant" not in str(report)


def test_the_report_computes_them_when_asked_and_once(iris, monkeypatch):
    calls = []

    def counted(embedding):
        calls.append(len(embedding))
        return batch_diagnostics(embedding)

    monkeypatch.setattr(_query_report, "batch_diagnostics", counted)
    _, report = query(iris, "core_set", 7)
    assert "log-determinant" not in str(report)
    assert calls == []
    assert report.diagnostics is report.diagnostics
    assert calls == [7]
    assert str(report.diagnostics) in str(report)


def test_the_report_holds_the_batch_and_not_the_pool(iris):
    _, report = query(iris, "badge", 5)
    assert len(report.embedding) == 5
    assert report.embedding.right.base is None
    copy = pickle.loads(pickle.dumps(report))
    assert copy.diagnostics == report.diagnostics


def test_nothing_asked_for_has_diagnostics_of_nothing(iris):
    _, report = query(iris, "badge", 0)
    assert report.diagnostics.n == 0


def test_the_import_brings_in_no_heavy_package():
    # scikit-learn itself imports pandas where there is one.
    code = (
        "import sys, sklearn.base\n"
        "before = set(sys.modules)\n"
        "import skbadge.inspection\n"
        "new = set(sys.modules) - before\n"
        "assert not {'matplotlib', 'pandas'} & new\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
