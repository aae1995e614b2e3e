"""Herding: gains, ties, samples, and that being lazy changes nothing."""

from itertools import combinations

import numpy as np
import pytest

from skbadge.embeddings import DenseEmbedding, GaussianEmbedding, LaplaceEmbedding
from skbadge.exceptions import QueryWarning
from skbadge.samplers import Feasible, Herding
from skbadge.samplers import _herding as module
from skbadge.samplers._samples import Samples
from tests.samplers._plain import PlainHerding
from tests.samplers._restrictions import CASES, random_case


def rows_of(n, n_columns=5, seed=0, dtype=np.float32):
    return np.random.RandomState(seed).normal(size=(n, n_columns)).astype(dtype)


def unit(n, n_columns=5, seed=0, dtype=np.float32):
    X = rows_of(n, n_columns, seed, dtype)
    return X / np.linalg.norm(X, axis=1, keepdims=True)


KINDS = {
    "broad": lambda X: GaussianEmbedding(X, sigma=3.0),
    "narrow": lambda X: GaussianEmbedding(X, sigma=0.2),
    "laplace": lambda X: LaplaceEmbedding(X, gamma=0.8),
    "dense": DenseEmbedding,
}


@pytest.fixture
def always_saves(monkeypatch):
    """Bounds of any few rows are brought up to date by what changed."""
    monkeypatch.setattr(module, "LEAST_SAVED", 1)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", CASES[:8])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_it_picks_as_the_plain_loop(kind, seed, dtype, always_saves):
    embedding = KINDS[kind](rows_of(300, seed=seed, dtype=dtype))
    labeled = KINDS[kind](rows_of(7, seed=99, dtype=dtype)) if seed % 3 else None
    weights = None
    if seed % 2:
        weights = np.random.RandomState(seed).uniform(size=300) ** 4
        weights[::5] = 0
    options = {
        "labeled": labeled,
        "feasible": random_case(300, seed),
        "random_state": seed,
    }
    lazy, plain = (
        sampler(weights=weights).run(embedding, 40, **options)
        for sampler in (Herding, PlainHerding)
    )
    np.testing.assert_array_equal(lazy.rows, plain.rows)
    np.testing.assert_allclose(lazy.values, plain.values, rtol=1e-9, atol=1e-13)
    assert lazy.fallbacks == plain.fallbacks


@pytest.mark.parametrize("sigma", [0.3, 2.0])
def test_ties_are_broken_as_by_the_plain_loop(sigma, always_saves):
    # Corners of a cube, each several times: gains are equal by symmetry.
    corners = np.array([[i >> j & 1 for j in range(4)] for i in range(16)])
    embedding = GaussianEmbedding(np.repeat(corners, 9, axis=0), sigma=sigma)
    for seed in range(10):
        picks = [
            sampler.sample(embedding, 16, random_state=seed)
            for sampler in (Herding(), PlainHerding())
        ]
        np.testing.assert_array_equal(*picks)
        assert len(set(picks[0] // 9)) == 16


@pytest.mark.parametrize("kind", KINDS)
def test_gains_never_grow(kind):
    selection = Herding().run(KINDS[kind](rows_of(200)), 30, random_state=0)
    assert (np.diff(selection.values) <= 1e-14).all()
    assert selection.value_name == "gain"


def test_the_gains_are_those_of_the_objective():
    X = unit(60)
    weights = np.random.RandomState(1).uniform(size=60)
    embedding = GaussianEmbedding(X, sigma=0.7)
    selection = Herding(weights=weights).run(embedding, 10, random_state=0)
    sq_dists = ((X[:, None] - X.astype(np.float64)) ** 2).sum(axis=2)
    kernel = np.exp(-sq_dists / 0.7**2)
    total = np.mean(weights * kernel[:, selection.rows].max(axis=1))
    assert selection.values.sum() == pytest.approx(total, rel=1e-12)


@pytest.mark.parametrize("seed", range(10))
def test_it_is_no_worse_than_the_bound_on_greedy_choices(seed):
    X = rows_of(10, 2, seed, np.float64)
    kernel = np.exp(-((X[:, None] - X) ** 2).sum(axis=2))
    best = max(
        kernel[:, list(rows)].max(axis=1).mean() for rows in combinations(range(10), 3)
    )
    selection = Herding().run(GaussianEmbedding(X), 3, random_state=0)
    assert selection.values.sum() >= (1 - 1 / np.e) * best


def test_a_narrow_kernel_leaves_the_weights_alone():
    weights = np.random.RandomState(0).permutation(50) / 50
    embedding = GaussianEmbedding(rows_of(50), sigma=1e-6)
    rows = Herding(weights=weights).sample(embedding, 12, random_state=0)
    np.testing.assert_array_equal(rows, np.argsort(-weights)[:12])


def test_rows_that_may_not_be_picked_count():
    # Most rows are around 0, where no row may be picked.
    X = np.concatenate([np.linspace(-1, 1, 20), [1.5, 9.0, 9.1, 9.2]])[:, None]
    mask = np.arange(24) >= 20
    embedding = GaussianEmbedding(X, sigma=2.0)
    assert Herding().sample(embedding, 1, feasible=mask).tolist() == [20]
    alone = embedding.take(np.flatnonzero(mask))
    assert Herding().sample(alone, 1).tolist() == [2]


def test_pending_and_labelled_rows_cover_what_is_near_them():
    X = np.concatenate([np.zeros(10), np.full(6, 5.0), np.full(3, 9.0)])[:, None]
    embedding = GaussianEmbedding(X)
    feasible = Feasible(19, pending=[0])
    labeled = GaussianEmbedding([[5.0]])
    rows = Herding().sample(embedding, 1, labeled=labeled, feasible=feasible)
    assert rows[0] >= 16


def test_the_order_of_rows_plays_no_part():
    X = unit(150)
    order = np.random.RandomState(0).permutation(150)
    rows = Herding().sample(GaussianEmbedding(X), 20, random_state=0)
    again = Herding().sample(GaussianEmbedding(X[order]), 20, random_state=0)
    np.testing.assert_array_equal(order[again], rows)


def test_few_rows_are_evaluated_again():
    embedding = GaussianEmbedding(unit(4000, 16), sigma=0.5)
    n_pairs = 4000 * 1000
    weights = np.zeros(4000)
    weights[:1000] = 1
    selection = Herding(weights=weights).run(embedding, 60, random_state=0)
    assert n_pairs <= selection.n_distances < 8 * n_pairs


def test_samples_are_told_of_and_have_standard_errors():
    embedding = GaussianEmbedding(unit(900))
    sampler = Herding(n_evaluation_rows=300, n_candidates=200)
    selection = sampler.run(embedding, 8, random_state=0)
    assert selection.notes == (
        "evaluated on 300 rows, drawn uniformly from 900",
        "picked from 200 rows, drawn uniformly from 900",
    )
    assert selection.standard_errors.shape == (8,)
    assert (selection.standard_errors > 0).all()
    everything = Herding().run(embedding, 8, random_state=0)
    assert everything.notes == ()
    assert everything.standard_errors is None


def test_standard_errors_are_those_of_the_first_gain():
    X = unit(400)
    kernel = np.exp(-((X[:, None] - X.astype(np.float64)) ** 2).sum(axis=2))
    gains, errors = [], []
    for seed in range(300):
        sampler = Herding(n_evaluation_rows=100)
        selection = sampler.run(
            GaussianEmbedding(X), 1, feasible=np.arange(400) == 7, random_state=seed
        )
        gains.append(selection.values[0])
        errors.append(selection.standard_errors[0])
    assert np.mean(gains) == pytest.approx(kernel[:, 7].mean(), rel=0.02)
    assert np.mean(errors) == pytest.approx(np.std(gains), rel=0.2)


def test_a_sample_of_candidates_is_of_those_that_may_be_picked():
    feasible = Feasible(
        500, np.arange(500) % 2 > 0, np.arange(500) // 10, pending=[31, 77]
    )
    seen = set()
    for seed in range(20):
        rng = np.random.RandomState(seed)
        samples = Samples.draw(feasible, 3, rng, n_evaluation_rows=50, n_candidates=60)
        assert len(samples.candidates) == 60
        assert feasible.mask[samples.candidates].all()
        # From all rows of 48 groups, one of which may be picked of each.
        assert not set(samples.candidates // 10) & {3, 7}
        assert len(samples.evaluation) == 50
        seen |= set(samples.evaluation)
    assert len(seen) > 350


def test_more_rows_than_candidates_are_picked():
    sampler = Herding(n_evaluation_rows=50, n_candidates=10)
    rows = sampler.sample(GaussianEmbedding(unit(100)), 30, random_state=0)
    assert len(set(rows)) == 30


def test_that_no_row_gains_anything_is_warned_of():
    embedding = GaussianEmbedding(np.repeat(unit(4), 5, axis=0))
    with pytest.warns(QueryWarning, match="Only 4 of 7 rows gain anything"):
        selection = Herding().run(embedding, 7, random_state=0)
    assert len(set(selection.rows[:4] // 5)) == 4


@pytest.mark.parametrize(
    ("weights", "match"),
    [
        (np.ones(9), "one entry for each of the 10 rows. Got shape"),
        (np.r_[np.ones(8), -1, 1], "finite and >= 0. Got -1.0 for row 8"),
        (np.r_[np.nan, np.ones(9)], "finite and >= 0. Got nan for row 0"),
    ],
)
def test_wrong_weights_are_refused(weights, match):
    with pytest.raises(ValueError, match=match):
        Herding(weights=weights).sample(GaussianEmbedding(unit(10)), 2)


def test_weights_of_zero_leave_nothing_to_gain():
    embedding = GaussianEmbedding(unit(10))
    with pytest.warns(QueryWarning, match="Only 0 of 3 rows gain anything"):
        rows = Herding(weights=np.zeros(10)).sample(embedding, 3, random_state=0)
    assert len(set(rows)) == 3


@pytest.mark.parametrize("factor", [1e-300, 1e-50, 1e-30, 1e40, 1e250])
def test_a_common_factor_of_the_weights_changes_no_pick(factor):
    embedding = GaussianEmbedding(rows_of(300), sigma=2.0)
    weights = np.random.RandomState(1).uniform(size=300)
    expected, found = (
        Herding(weights=each, n_evaluation_rows=200).run(embedding, 9, random_state=0)
        for each in (weights, factor * weights)
    )
    np.testing.assert_array_equal(found.rows, expected.rows)
    np.testing.assert_allclose(found.values / factor, expected.values, rtol=1e-9)
    np.testing.assert_allclose(
        found.standard_errors / factor, expected.standard_errors, rtol=1e-9, atol=1e-30
    )
