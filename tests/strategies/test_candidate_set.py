"""Different rows among candidates, of which many may be too many to cluster."""

import numpy as np
import pytest

from skbadge.outputs import Outputs
from skbadge.samplers import Feasible
from skbadge.strategies._candidate_set import unlike_candidates

FEATURES = np.random.RandomState(0).normal(size=(1000, 3))


@pytest.mark.parametrize("groups", [None, np.arange(1000) % 5], ids=["free", "groups"])
def test_so_many_candidates_are_clustered_whatever_the_groups_are(groups):
    read = []

    def outputs_of(rows):
        read.append(rows)
        return Outputs(features=FEATURES[rows])

    is_candidate = np.arange(1000) < 900
    selection = unlike_candidates(
        outputs_of,
        is_candidate,
        np.zeros(1000),
        20,
        Feasible(1000, groups=groups, max_per_group=10 if groups is not None else 1),
        np.random.RandomState(0),
        most=100,
        value_name="changes",
        found="changed",
    )
    (rows,) = read
    assert len(rows) == 100
    assert is_candidate[rows].all()
    assert np.isin(selection.rows, rows).all()
    assert selection.notes == (
        "100 of 900 candidates, drawn uniformly, were clustered",
    )
    if groups is not None:
        assert np.bincount(groups[selection.rows]).max() <= 10
