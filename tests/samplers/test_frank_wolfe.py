"""Frank-Wolfe against the loop by definition, and what its picks are for."""

import numpy as np
import pytest

from skbadge.embeddings import (
    DenseEmbedding,
    LaplaceEmbedding,
    OuterProductEmbedding,
)
from skbadge.exceptions import QueryWarning
from skbadge.samplers import Feasible, FrankWolfe


def definition(X, n, feasible=None):
    """Picks, alignments, and the distance left before and after each."""
    feasible = Feasible.of(feasible, len(X))
    open_rows = feasible.open()
    lengths = np.sqrt((X**2).sum(axis=1))
    target, w = X.sum(axis=0), np.zeros(X.shape[1])

    def moved(w, row):
        v = lengths.sum() * X[row] / lengths[row]
        gamma = (v - w) @ (target - w) / ((v - w) @ (v - w))
        return (1 - gamma) * w + gamma * v

    for row in feasible.pending:
        if lengths[row] > 0:
            w = moved(w, row)
    rows, values, left = [], [], [np.linalg.norm(target - w)]
    while len(rows) < n:
        best = -np.inf, None
        for row in np.flatnonzero(open_rows.mask):
            if lengths[row] > 0:
                best = max(best, ((target - w) @ X[row] / lengths[row], -row))
        values.append(best[0])
        rows.append(-best[1])
        open_rows.close(rows[-1])
        w = moved(w, rows[-1])
        left.append(np.linalg.norm(target - w))
    return rows, values, left


def pool(n=80, n_columns=6, seed=0):
    rng = np.random.RandomState(seed)
    return rng.lognormal(sigma=1.0, size=(n, 1)) * (
        rng.normal(size=(n, n_columns)) + rng.normal(size=n_columns)
    )


@pytest.mark.parametrize("n", [1, 2, 20, 80])
@pytest.mark.parametrize("n_columns", [4, 20, 100])
def test_picks_are_those_of_the_definition(n, n_columns):
    for seed in range(3):
        X = pool(n_columns=n_columns, seed=seed)
        selection = FrankWolfe().run(DenseEmbedding(X), n)
        rows, values, _ = definition(X, n)
        np.testing.assert_array_equal(selection.rows, rows)
        np.testing.assert_allclose(selection.values, values, rtol=1e-7, atol=1e-9)
        assert selection.value_name == "alignment"
        assert selection.fallbacks == ()


def test_single_precision_finds_the_picks_of_double():
    X = pool(400, 20).astype(np.float32)
    single = FrankWolfe().run(DenseEmbedding(X), 40)
    double = FrankWolfe().run(DenseEmbedding(X.astype(np.float64)), 40)
    np.testing.assert_array_equal(single.rows, double.rows)
    np.testing.assert_allclose(single.values, double.values, rtol=1e-3)


def test_the_first_picks_can_be_found_by_hand():
    # Sum (4, 4): all are aligned by 4, 4, 4 sqrt(2). Then R = 7 + sqrt(2), and w is the
    # sum itself, so that nothing is missing.
    X = np.array([[3.0, 0.0], [0.0, 3.0], [0.0, 0.0], [1.0, 1.0]])
    selection = FrankWolfe().run(DenseEmbedding(X), 1)
    assert selection.rows.tolist() == [3]
    np.testing.assert_allclose(selection.values, [4 * np.sqrt(2)])


def weighted_sums(X, rows):
    """The approximations along the way, with the weights of the rows in them."""
    lengths = np.sqrt((X**2).sum(axis=1))
    target, share = X.sum(axis=0), np.zeros(len(X))
    for row in rows:
        vertex = np.zeros(len(X))
        vertex[row] = lengths.sum() / lengths[row]
        direction = (vertex - share) @ X
        gamma = direction @ (target - share @ X) / (direction @ direction)
        share = share + gamma * (vertex - share)
        yield share


def test_the_sum_is_approached_and_never_left():
    for seed in range(5):
        X = pool(300, 20, seed)
        rows = FrankWolfe().sample(DenseEmbedding(X), 60)
        target = X.sum(axis=0)
        left = [np.linalg.norm(target)]
        for share in weighted_sums(X, rows):
            left.append(np.linalg.norm(target - share @ X))
            assert set(np.flatnonzero(share)) <= set(rows.tolist())
        assert (np.diff(left) <= 1e-9 * left[0]).all()
        assert left[30] < 0.2 * left[0]
        # Rows picked at random stay farther off.
        random = np.random.RandomState(seed).permutation(300)[:30]
        *_, share = weighted_sums(X, random)
        assert left[30] < np.linalg.norm(target - share @ X)


@pytest.mark.parametrize("scale", [2.0**-60, 2.0**60])
def test_picks_do_not_depend_on_the_scale_of_the_embedding(scale):
    X = pool()
    np.testing.assert_array_equal(
        FrankWolfe().sample(DenseEmbedding(X), 40),
        FrankWolfe().sample(DenseEmbedding(scale * X), 40),
    )


def test_factored_and_dense_embeddings_give_the_same_picks():
    rng = np.random.RandomState(0)
    factored = OuterProductEmbedding(
        rng.normal(size=(300, 3)), rng.normal(size=(300, 4))
    )
    dense = DenseEmbedding(factored.to_dense())
    picks = [FrankWolfe().sample(part, 50) for part in (factored, dense)]
    np.testing.assert_array_equal(*picks)


def test_rows_of_zeros_come_last_and_uniformly():
    X = np.vstack([np.zeros((5, 9)), pool(4, 9), np.zeros((5, 9))])
    fills = set()
    for seed in range(60):
        with pytest.warns(QueryWarning, match="Only 4 of 6 rows bring a weighted sum"):
            rows = FrankWolfe().sample(DenseEmbedding(X), 6, random_state=seed)
        assert set(rows[:4].tolist()) == {5, 6, 7, 8}
        fills |= set(rows[4:].tolist())
    assert fills == set(range(5)) | set(range(9, 14))


def test_nothing_but_zeros_is_drawn_uniformly():
    with pytest.warns(QueryWarning, match="Only 0 of 3 rows"):
        rows = FrankWolfe().sample(DenseEmbedding(np.zeros((7, 2))), 3)
    assert len(np.unique(rows)) == 3


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_once_the_sum_is_reached_rows_are_drawn_uniformly(dtype):
    # One direction: the first pick is all that is needed.
    X = np.outer(np.arange(1, 11), [0.3, -0.7, 0.2]).astype(dtype)
    drawn = set()
    for seed in range(60):
        with pytest.warns(QueryWarning, match="Only 1 of 3 rows"):
            rows = FrankWolfe().sample(DenseEmbedding(X), 3, random_state=seed)
        drawn |= set(rows[1:].tolist())
    assert drawn | {int(rows[0])} == set(range(10))


def test_rows_that_cancel_are_drawn_uniformly():
    X = np.vstack([np.eye(3), -np.eye(3)])
    with pytest.warns(QueryWarning, match="Only 0 of 6 rows"):
        rows = FrankWolfe().sample(DenseEmbedding(X), 6)
    assert sorted(rows) == list(range(6))


def test_kernels_without_columns_are_refused():
    with pytest.raises(ValueError, match="inner products of its rows only"):
        FrankWolfe().sample(LaplaceEmbedding(pool()), 3)


LIMITS = {
    "mask": {"mask": np.arange(80) % 3 > 0},
    "groups": {"groups": np.arange(80) % 25},
    "pending": {"pending": [4, 70, 33]},
    "all": {
        "mask": np.arange(80) % 3 > 0,
        "groups": np.arange(80) // 4,
        "max_per_group": 2,
        "pending": [0, 70, 33],
    },
}


@pytest.mark.parametrize("name", LIMITS)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_feasible_picks_are_those_of_the_definition(name, dtype):
    for seed in range(3):
        X = pool(seed=seed).astype(dtype)
        # A pending row without a direction moves nothing.
        X[33] = 0
        feasible = Feasible(80, **LIMITS[name])
        selection = FrankWolfe().run(DenseEmbedding(X), 15, feasible=feasible)
        rows, values, _ = definition(X.astype(np.float64), 15, feasible)
        np.testing.assert_array_equal(selection.rows, rows)
        close = 1e-7 if dtype == np.float64 else 1e-3
        np.testing.assert_allclose(selection.values, values, rtol=close, atol=1e-9)
        assert selection.fallbacks == ()


def test_rows_that_may_not_be_picked_are_in_the_sum():
    # The sum points along the second axis, whose rows may not be picked but for one.
    X = np.vstack([[3.0, 0.0], [0.0, 1.0], np.tile([0.0, 2.0], (9, 1))])
    mask = np.arange(11) < 2
    assert FrankWolfe().sample(DenseEmbedding(X), 1, feasible=mask) == 1
    assert FrankWolfe().sample(DenseEmbedding(X[:2]), 1) == 0


def test_a_pending_row_is_continued_from():
    X = pool()
    rows = FrankWolfe().sample(DenseEmbedding(X), 12)
    feasible = Feasible(80, pending=rows[:5])
    np.testing.assert_array_equal(
        FrankWolfe().sample(DenseEmbedding(X), 7, feasible=feasible), rows[5:]
    )


def test_a_fill_is_drawn_from_what_may_be_picked():
    X = np.outer(np.arange(1, 11), [0.3, -0.7, 0.2])
    groups = np.array([0, 0, 1, 1, 2, 2, 3, 3, 4, 4])
    feasible = Feasible(10, np.arange(10) < 8, groups, pending=[0])
    drawn = set()
    for seed in range(60):
        with pytest.warns(QueryWarning, match="Only 0 of 3 rows"):
            rows = FrankWolfe().sample(
                DenseEmbedding(X), 3, feasible=feasible, random_state=seed
            )
        assert sorted(groups[rows]) == [1, 2, 3]
        drawn |= set(rows.tolist())
    assert drawn == set(range(2, 8))


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_of_rows_equal_but_for_rounding_each_is_as_likely(dtype):
    rng = np.random.RandomState(0)
    X = np.repeat(pool(6), 5, axis=0).astype(dtype)
    X *= 1 + np.finfo(dtype).eps * rng.choice([-1, 1], size=X.shape).astype(dtype)
    embedding = DenseEmbedding(X)
    picks = [FrankWolfe().sample(embedding, 2, random_state=s) for s in range(300)]
    for turn in np.array(picks).T:
        assert len(set((turn // 5).tolist())) == 1
        # Up to 300 draws of 4 or 5: mean at least 60, standard deviation about 7.
        counts = np.bincount(turn % 5, minlength=5)
        assert counts.min() > 30
        assert counts.max() < 90
