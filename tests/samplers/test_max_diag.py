"""Greatest norms, and random ties."""

import numpy as np

from skbadge.embeddings import DenseEmbedding, LaplaceEmbedding
from skbadge.samplers import MaxDiag


def test_rows_come_in_the_order_of_their_norms():
    X = np.random.RandomState(0).normal(size=(200, 4))
    selection = MaxDiag().run(DenseEmbedding(X), 60, random_state=0)
    norms_sq = (X**2).sum(axis=1)
    np.testing.assert_array_equal(selection.rows, np.argsort(-norms_sq)[:60])
    np.testing.assert_allclose(selection.values, norms_sq[selection.rows])
    assert selection.value_name == "squared norm"


def test_equal_rows_come_in_an_order_that_the_seed_decides():
    X = DenseEmbedding([[1.0], [-3.0], [1.0], [0.0], [3.0], [-1.0]])
    picks = [tuple(MaxDiag().sample(X, 4, random_state=seed)) for seed in range(100)]
    assert {rows[:2] for rows in picks} == {(1, 4), (4, 1)}
    assert {rows[2:] for rows in picks} == {
        (a, b) for a in (0, 2, 5) for b in (0, 2, 5) if a != b
    }
    assert picks[7] == tuple(MaxDiag().sample(X, 4, random_state=7))


def test_kernels_without_columns_have_a_diagonal():
    X = np.random.RandomState(0).normal(size=(20, 4))
    # Of the Laplace kernel it is 1: any rows.
    drawn = {
        int(MaxDiag().sample(LaplaceEmbedding(X), 1, random_state=seed)[0])
        for seed in range(200)
    }
    assert drawn == set(range(20))
