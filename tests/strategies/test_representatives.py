"""Rows that stand for clusters."""

import numpy as np
import pytest
from scipy import sparse

from skbadge.samplers import Feasible
from skbadge.strategies._representatives import representatives

RNG = np.random.RandomState(0)
CENTERS = 30 * RNG.normal(size=(6, 4))
OWNERS = np.repeat(np.arange(6), 20)
MATRIX = CENTERS[OWNERS] + RNG.normal(size=(120, 4))


@pytest.mark.parametrize("kind", [np.array, sparse.csr_matrix])
def test_each_cluster_has_the_row_nearest_to_its_mean(kind):
    rows = representatives(kind(MATRIX), 6, Feasible(120), np.random.RandomState(0))
    assert rows.dtype == np.int64
    for j in range(6):
        own = MATRIX[20 * j : 20 * (j + 1)]
        nearest = ((own - own.mean(axis=0)) ** 2).sum(axis=1).argmin()
        assert 20 * j + nearest in rows


def test_weights_move_the_means():
    weights = np.ones(120)
    weights[::20] = 1e4
    rows = representatives(
        MATRIX, 6, Feasible(120), np.random.RandomState(0), weights=weights
    )
    assert set(rows) == set(range(0, 120, 20))


@pytest.mark.parametrize("kind", [np.array, sparse.csr_matrix])
def test_pending_rows_stand_for_clusters_of_their_own(kind):
    feasible = Feasible(120, pending=[25, 70])
    for seed in range(5):
        rows = representatives(kind(MATRIX), 4, feasible, np.random.RandomState(seed))
        assert set(OWNERS[rows]) == {0, 2, 4, 5}


def test_what_may_not_be_picked_leaves_its_place_to_the_next_nearest():
    feasible = Feasible(120, np.arange(120) % 20 > 16, np.arange(120) // 40)
    rows = representatives(MATRIX, 3, feasible, np.random.RandomState(0))
    assert sorted(rows // 40) == [0, 1, 2]
    assert (rows % 20 > 16).all()


def test_nothing_asked_for_is_nothing():
    rows = representatives(MATRIX, 0, Feasible(120), np.random.RandomState(0))
    assert rows.shape == (0,)
    assert rows.dtype == np.int64
