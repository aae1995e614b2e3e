"""Centroids: the rows nearest to the centres of k-means."""

import numpy as np
import pytest
from scipy import sparse

from skbadge.outputs import Outputs
from skbadge.samplers import Feasible
from skbadge.strategies import Centroids


def cones(n_kinds=4, n_each=15, seed=0):
    """Rows of a few directions, of any length."""
    rng = np.random.RandomState(seed)
    kinds = np.repeat(np.arange(n_kinds), n_each)
    rows = np.eye(n_kinds, 6)[kinds] + 0.05 * rng.rand(len(kinds), 6)
    return kinds, rows * rng.uniform(0.1, 100, size=(len(kinds), 1))


@pytest.mark.parametrize("form", [np.asarray, sparse.csr_matrix])
def test_each_direction_has_its_row(form):
    kinds, features = cones()
    for seed in range(5):
        rows = Centroids().select(
            Outputs(features=form(features)), 4, random_state=seed
        )
        assert set(kinds[rows]) == set(range(4))


def test_the_row_is_the_nearest_by_angle():
    kinds, features = cones()
    z = features / np.linalg.norm(features, axis=1, keepdims=True)
    rows = Centroids().select(Outputs(features=features), 4, random_state=0)
    for row in rows:
        same = np.flatnonzero(kinds == kinds[row])
        dists = np.linalg.norm(z[same] - z[same].mean(axis=0), axis=1)
        assert row == same[dists.argmin()]


def test_rows_that_may_not_be_selected_form_clusters():
    kinds, features = cones()
    mask = kinds < 2
    feasible = Feasible(60, mask, pending=np.array([0]))
    rows = Centroids().select(
        Outputs(features=features), 3, feasible=feasible, random_state=0
    )
    assert mask[rows].all()
    # One of four clusters waits. By itself the other kind would have two or more.
    assert np.count_nonzero(kinds[rows] == 1) >= 1
    assert 0 not in rows
