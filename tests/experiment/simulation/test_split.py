"""Test rows and first labels: sizes, disjointness, and equal chances for all rows."""

import numpy as np
import pytest
from scipy import stats

from skbadge.experiment.simulation import draw_split

Y = np.repeat(["a", "b", "c", "d"], [40, 25, 4, 1])


def test_test_rows_pool_and_first_rows_fit_together():
    split = draw_split(Y, n_initial=10, test_size=0.2, seed=0)
    assert len(split.test) == 14
    assert len(split.first) == len(np.unique(split.first)) == 10
    assert np.isin(split.first, split.pool).all()
    together = np.concatenate([split.pool, split.test])
    np.testing.assert_array_equal(np.sort(together), np.arange(70))
    assert split.held_out is None
    arrays = split.pool, split.first, split.test
    assert {a.dtype for a in arrays} == {np.dtype("int64")}


@pytest.mark.parametrize("initial", ["stratified", "uniform"])
def test_rows_held_out_are_neither_pool_nor_test(initial):
    options = {"n_initial": 10, "test_size": 0.2, "initial": initial, "seed": 0}
    split = draw_split(Y, n_validation=12, **options)
    parts = split.pool, split.test, split.held_out
    assert [len(part) for part in parts] == [44, 14, 12]
    np.testing.assert_array_equal(np.sort(np.concatenate(parts)), np.arange(70))
    assert split.held_out.dtype == np.dtype("int64")
    assert np.isin(split.first, split.pool).all()
    without = draw_split(Y, **options)
    np.testing.assert_array_equal(split.test, without.test)


def test_rows_held_out_come_out_of_a_given_pool():
    options = {"n_initial": 3, "pool": [9, 5, 7, 1, 3], "test": [0, 2], "seed": 0}
    split = draw_split(Y, n_validation=2, **options)
    assert set(split.held_out) | set(split.pool) == {1, 3, 5, 7, 9}
    assert len(split.pool) == 3


def test_every_row_has_the_same_chance_to_be_held_out():
    n_draws, counts = 2000, np.zeros(len(Y))
    for seed in range(n_draws):
        split = draw_split(Y, n_initial=7, n_validation=9, seed=seed)
        counts[split.held_out] += 1
    assert counts.sum() == 9 * n_draws
    assert stats.chisquare(counts).pvalue > 1e-4


@pytest.mark.parametrize("seed", range(20))
def test_stratified_draws_give_each_class_its_share_rounded(seed):
    split = draw_split(Y, n_initial=14, initial="stratified", test_size=None, seed=seed)
    for label, size in zip(*np.unique(Y, return_counts=True), strict=True):
        share = np.count_nonzero(Y[split.first] == label)
        assert np.floor(size * 0.2) <= share <= np.ceil(size * 0.2)


@pytest.mark.parametrize("initial", ["stratified", "uniform"])
def test_every_row_has_the_same_chance(initial):
    n_draws = 3000
    counts = np.zeros(len(Y))
    for seed in range(n_draws):
        split = draw_split(Y, n_initial=7, initial=initial, test_size=None, seed=seed)
        counts[split.first] += 1
    # Draws without replacement spread less than the multinomial counts assumed here.
    assert counts.sum() == 7 * n_draws
    assert stats.chisquare(counts).pvalue > 1e-4


def test_uniform_draws_ignore_the_classes():
    shares = [
        np.count_nonzero(
            Y[draw_split(Y, n_initial=7, initial="uniform", seed=seed).first] == "a"
        )
        for seed in range(200)
    ]
    assert len(set(shares)) > 3


def test_numbers_are_drawn_uniformly_by_default_and_cannot_be_stratified():
    y = np.linspace(0, 1, 50)
    assert len(draw_split(y, n_initial=5, seed=0).first) == 5
    with pytest.raises(ValueError, match="needs classes, but `y` is continuous"):
        draw_split(y, n_initial=5, initial="stratified", seed=0)


def test_a_given_split_is_kept():
    split = draw_split(Y, n_initial=3, pool=[9, 5, 7, 1], test=[0, 2], seed=0)
    assert split.pool.tolist() == [1, 5, 7, 9]
    assert list(split.test) == [0, 2]
    assert set(split.first.tolist()) < {1, 5, 7, 9}


def test_the_same_seed_draws_the_same_rows():
    splits = [draw_split(Y, n_initial=5, seed=seed) for seed in (1, 1, 2)]
    np.testing.assert_array_equal(splits[0].first, splits[1].first)
    np.testing.assert_array_equal(splits[0].test, splits[1].test)
    assert not np.array_equal(splits[0].test, splits[2].test)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_initial": 0}, r"'n_initial' parameter .* in the range \[1, inf\)"),
        ({"n_initial": 53}, "`n_initial` must be between 1 and the 52 rows"),
        (
            {"n_initial": 5, "test_size": 1.0},
            "'test_size' parameter .* must be a float",
        ),
        ({"n_initial": 5, "test_size": 0}, "'test_size' parameter .* must be a float"),
        ({"n_initial": 5, "test_size": 70}, "`test_size` must leave some of the 70"),
        (
            {"n_initial": 5, "n_validation": -1},
            "'n_validation' parameter .* must be an int",
        ),
        (
            {"n_initial": 5, "n_validation": 0.1},
            "'n_validation' parameter .* must be an int",
        ),
        ({"n_initial": 5, "n_validation": 52}, "leave some of the 52 rows"),
        ({"n_initial": 50, "n_validation": 3}, "between 1 and the 49 rows"),
        (
            {"n_initial": 5, "initial": "even"},
            "'initial' parameter .* must be a str among",
        ),
    ],
)
def test_impossible_splits_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        draw_split(Y, seed=0, **options)
