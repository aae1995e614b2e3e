"""MaxHerding and uncertainty herding: kernels, weights, samples of pools."""

import numpy as np
import pytest
from scipy import sparse

from skbadge.embeddings import GaussianEmbedding
from skbadge.outputs import Labeled, Outputs
from skbadge.samplers import Feasible, Herding
from skbadge.strategies import EmbeddingStrategy, MaxHerding, UncertaintyHerding
from skbadge.strategies._sampled import sampled
from skbadge.strategies._uncertainty import margin_score
from skbadge.strategies._uncertainty_herding import nearest_distance


def outputs(n=60, seed=0, **more):
    rng = np.random.RandomState(seed)
    proba = rng.dirichlet(np.ones(4) / 2, size=n)
    return Outputs(proba=proba, features=rng.normal(size=(n, 6)) + 1, **more)


def labeled_rows(n=8, seed=1):
    return Labeled(outputs(n, seed), np.arange(n) % 4)


def unit(part):
    return part.features / np.linalg.norm(part.features, axis=1, keepdims=True)


def test_max_herding_herds_features_at_length_1():
    pool, labeled = outputs(), labeled_rows()
    for known in (None, labeled):
        rows = MaxHerding(sigma=0.8).select(pool, 9, labeled=known, random_state=0)
        kernel = GaussianEmbedding(unit(pool), sigma=0.8)
        if known is not None:
            known = GaussianEmbedding(unit(known.outputs), sigma=0.8)
        expected = Herding().sample(kernel, 9, labeled=known, random_state=0)
        np.testing.assert_array_equal(rows, expected)


def test_the_kernel_has_a_name():
    strategy = EmbeddingStrategy(kernel="gaussian", sampler=Herding())
    options = {"labeled": labeled_rows(), "random_state": 0}
    rows = strategy.select(outputs(), 9, **options)
    np.testing.assert_array_equal(rows, MaxHerding().select(outputs(), 9, **options))


def test_uncertainty_herding_weighs_rows_by_their_uncertainty():
    pool, labeled = outputs(temperature=1.7), labeled_rows()
    rows = UncertaintyHerding(quantile=0.3).select(
        pool, 9, labeled=labeled, random_state=0
    )
    z = unit(labeled.outputs)
    distances = np.linalg.norm(z[:, None] - z, axis=2)
    np.fill_diagonal(distances, np.inf)
    sigma = np.quantile(distances.min(axis=1), 0.3)
    powers = np.sort(pool.proba ** (1 / 1.7), axis=1)
    powers /= powers.sum(axis=1, keepdims=True)
    expected = Herding(weights=1 - (powers[:, -1] - powers[:, -2])).sample(
        GaussianEmbedding(unit(pool), sigma=sigma),
        9,
        labeled=GaussianEmbedding(z, sigma=sigma),
        random_state=0,
    )
    np.testing.assert_array_equal(rows, expected)


def test_without_labels_it_is_max_herding():
    rows = [
        strategy.select(outputs(), 12, random_state=0)
        for strategy in (UncertaintyHerding(), MaxHerding())
    ]
    np.testing.assert_array_equal(*rows)


def test_the_temperature_matters():
    pool = outputs(), outputs(temperature=15.0)
    picks = [
        UncertaintyHerding().select(part, 12, labeled=labeled_rows(), random_state=0)
        for part in pool
    ]
    assert (picks[0] != picks[1]).any()


def test_rows_that_equal_a_labelled_one_weigh_nothing():
    # Many copies of a labelled row, one of which is a little off.
    features = np.concatenate([np.tile([1.0, 0.0], (20, 1)), [[0.99, 0.14], [0, 1]]])
    pool = Outputs(proba=np.full((22, 2), 0.5), features=features)
    labeled = Labeled(pool.take(np.array([0, 21])), np.array([0, 1]))
    repeats = np.r_[np.ones(20, dtype=bool), False, True]
    feasible = Feasible(22, repeats=repeats)
    rows = UncertaintyHerding().select(
        pool, 1, labeled=labeled, feasible=feasible, random_state=0
    )
    assert rows.tolist() == [20]


def test_uncertainty_is_between_0_and_1_and_exact():
    proba = np.array([[1, 0, 0], [0.5, 0.5, 0], [1 / 3] * 3, [0.7, 0.2, 0.1]])
    np.testing.assert_allclose(1 + margin_score(proba), [0, 1, 1, 0.5], atol=1e-12)
    assert (np.diff([margin_score(proba, t)[3] for t in (1, 2, 5, 19.9)]) > 0).all()


def test_the_distance_of_labelled_rows_ignores_copies():
    X = np.array([[0.0], [0.0], [3.0], [4.0], [10.0]])
    kernel = GaussianEmbedding(X)._table(GaussianEmbedding(X))
    assert nearest_distance(kernel, 0.0) == 1
    # Nearest others that differ: 3, 3, 1, 1, 6.
    assert nearest_distance(kernel, 0.5) == 3
    assert nearest_distance(kernel, 1.0) == 6
    assert nearest_distance(kernel.take(slice(2)), 0.5) == 1
    assert nearest_distance(kernel.take(slice(1)), 0.5) == 1


@pytest.mark.parametrize("strategy", [MaxHerding(), UncertaintyHerding()])
def test_sparse_features_are_as_dense_ones(strategy):
    pool, labeled = outputs(), labeled_rows()
    thin = Outputs(proba=pool.proba, features=sparse.csr_matrix(pool.features))
    known = sparse.csr_matrix(labeled.outputs.features)
    known = Labeled(Outputs(proba=labeled.outputs.proba, features=known), labeled.y)
    rows = strategy.select(pool, 9, labeled=labeled, random_state=0)
    again = strategy.select(thin, 9, labeled=known, random_state=0)
    np.testing.assert_array_equal(rows, again)


@pytest.mark.parametrize("cls", [MaxHerding, UncertaintyHerding])
def test_large_pools_are_sampled(cls):
    strategy = cls(n_evaluation_rows=50, n_candidates=40)
    feasible = Feasible(500, np.arange(500) % 2 > 0, pending=[1, 3])
    selection = strategy.run(
        outputs(500), 7, labeled=labeled_rows(), feasible=feasible, random_state=0
    )
    assert len(set(selection.rows)) == 7
    assert (selection.rows % 2 == 1).all()
    assert not {1, 3} & set(selection.rows)
    assert selection.notes[:2] == (
        "evaluated on 50 rows, drawn uniformly from 500",
        "picked from 40 rows, drawn uniformly from 248",
    )
    assert selection.standard_errors.shape == (7,)


def test_samples_are_those_rows_of_the_pool():
    pool = outputs(300)
    feasible = Feasible(
        300,
        np.arange(300) % 3 > 0,
        np.arange(300) // 20,
        max_per_group=4,
        pending=[2, 50],
        repeats=np.arange(300) % 7 == 0,
    )
    part = sampled(
        pool,
        5,
        feasible,
        np.random.RandomState(0),
        n_evaluation_rows=60,
        n_candidates=30,
    )
    np.testing.assert_array_equal(part.outputs.features, pool.features[part.rows])
    assert len(part.samples.evaluation) == 60
    opened = np.flatnonzero(part.feasible.open().mask)
    np.testing.assert_array_equal(opened, part.samples.candidates)
    assert len(opened) == 30
    assert feasible.open().mask[part.rows[opened]].all()
    assert part.rows[part.feasible.pending].tolist() == [2, 50]
    np.testing.assert_array_equal(part.feasible.groups, part.rows // 20)
    np.testing.assert_array_equal(part.feasible.repeats, part.rows % 7 == 0)
    assert part.feasible.max_per_group == 4


def test_samples_of_a_small_pool_are_all_of_it():
    pool = outputs(30)
    part = sampled(pool, 5, Feasible(30), np.random.RandomState(0))
    assert part.outputs is pool
    np.testing.assert_array_equal(part.samples.candidates, np.arange(30))
    assert part.samples.notes == ()


@pytest.mark.parametrize("n_columns", [1, 2])
def test_few_columns_keep_their_distances(n_columns):
    # On one line, or in one direction, where length is all that tells rows apart.
    line = np.linspace(0.1, 4, 40)[:, None] * np.ones(n_columns)
    rows = MaxHerding(sigma=0.5).select(Outputs(features=line), 4, random_state=0)
    # No pick equals another, and none is a uniform fill, which would warn.
    assert np.ptp(line[rows, 0]) > 2
