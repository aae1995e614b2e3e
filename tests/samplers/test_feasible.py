"""Which rows may be picked: the notion itself, and what samplers share in it."""

import numpy as np
import pytest

from skbadge.embeddings import DenseEmbedding
from skbadge.exceptions import QueryWarning
from skbadge.samplers import (
    LCMD,
    Feasible,
    KCenter,
    KMeansPlusPlus,
    MaxDet,
    MaxDiag,
    Random,
)
from tests.samplers._restrictions import CASES, is_open, random_case


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ({"mask": np.ones(4, dtype=bool)}, r"`mask` .* 5 rows.*\(4,\)"),
        ({"mask": np.ones(5, dtype=int)}, r"`mask` must be a boolean.*int64"),
        ({"mask": [0, 1, 1, 0, 1]}, "`mask` must be a boolean"),
        ({"mask": np.zeros(5, dtype=bool)}, "No row may be picked"),
        ({"groups": np.zeros(4, dtype=int)}, r"`groups` .* 5 rows.*\(4,\)"),
        ({"groups": np.zeros(5)}, "`groups` must be an array of ints.*float64"),
        ({"groups": np.array([0, 1, -1, 0, 0])}, "`groups` must be >= 0. Got -1"),
        ({"max_per_group": 0}, "`max_per_group` must be an int >= 1. Got 0"),
        ({"max_per_group": 1.0}, "`max_per_group` must be an int >= 1. Got 1.0"),
        ({"max_per_group": True}, "`max_per_group` must be an int >= 1. Got True"),
        ({"pending": [5]}, "positions between 0 and 4. Got 5"),
        ({"pending": [-1]}, "positions between 0 and 4. Got -1"),
        ({"pending": [1.0]}, "`pending` must hold positions of rows, ints"),
        ({"pending": [True]}, "`pending` must hold positions of rows, ints"),
        ({"pending": [[1], [2]]}, "`pending` must hold positions"),
        ({"pending": [1, 1]}, "`pending` must hold distinct positions"),
        ({"pending": range(5)}, "No row may be picked"),
        ({"groups": np.zeros(5, dtype=int), "pending": [2]}, "see `max_per_group`"),
    ],
)
def test_what_does_not_fit_is_refused(arguments, match):
    with pytest.raises(ValueError, match=match):
        Feasible(5, **arguments)


def test_of_takes_none_a_mask_or_the_thing_itself():
    assert Feasible.of(None, 3).is_everything
    mask = np.array([True, False, True])
    assert Feasible.of(mask, 3).mask is mask
    assert not Feasible.of(mask, 3).is_everything
    feasible = Feasible(3, mask)
    assert Feasible.of(feasible, 3) is feasible
    with pytest.raises(ValueError, match="of the 4 rows there are"):
        Feasible.of(feasible, 4)
    with pytest.raises(ValueError, match="`mask` must be a boolean"):
        Feasible.of(np.array([0, 2]), 3)


def test_of_no_rows_none_is_left_and_nothing_is_wrong():
    assert Feasible(0).n_left == 0


def test_unsigned_groups_are_groups():
    feasible = Feasible(3, groups=np.array([1, 0, 1], dtype=np.uint64), pending=[0])
    assert feasible.n_left == 1


@pytest.mark.parametrize("seed", CASES)
def test_rows_are_open_as_by_definition_until_none_is_left(seed):
    feasible = random_case(14, seed)
    rng = np.random.RandomState(seed)
    open_rows, rows = feasible.open(), []
    np.testing.assert_array_equal(open_rows.mask, is_open(feasible, rows))
    while open_rows.mask.any():
        before = open_rows.mask.copy()
        row = int(rng.choice(np.flatnonzero(open_rows.mask)))
        closed = open_rows.close(row)
        rows.append(row)
        np.testing.assert_array_equal(open_rows.mask, is_open(feasible, rows))
        np.testing.assert_array_equal(
            np.sort(closed), np.flatnonzero(before & ~open_rows.mask)
        )
    # However they are picked.
    assert len(rows) == feasible.n_left
    np.testing.assert_array_equal(feasible.open().mask, is_open(feasible, []))


@pytest.mark.parametrize("seed", CASES)
def test_restriction_keeps_the_rows_that_count(seed):
    feasible = random_case(14, seed)
    rows, inner = feasible.restricted()
    assert inner.mask is None or feasible.mask is None
    assert inner.n_left == feasible.n_left
    np.testing.assert_array_equal(rows[inner.pending], feasible.pending)
    picks = feasible.open().draw(feasible.n_left // 2, np.random.RandomState(0))
    again = inner.open()
    for row in np.searchsorted(rows, picks):
        again.close(row)
    np.testing.assert_array_equal(
        rows[again.mask], np.flatnonzero(is_open(feasible, picks))
    )


@pytest.mark.parametrize("seed", CASES)
def test_some_rows_by_themselves_are_open_as_among_all(seed):
    feasible = random_case(14, seed)
    picks = feasible.open().draw(max(feasible.n_left // 2, 1), np.random.RandomState(0))
    some = np.union1d(picks, feasible.pending).astype(np.int64)
    only = feasible.only(picks)
    assert set(np.flatnonzero(only.open().mask)) == set(picks)
    assert only.n_left == len(picks)
    inner = feasible.among(some, np.isin(some, picks))
    np.testing.assert_array_equal(inner.open().mask, only.open().mask[some])
    whole = feasible.open()
    part = whole.among(some)
    np.testing.assert_array_equal(part.mask, whole.mask[some])
    part.close(int(np.flatnonzero(part.mask)[0]))
    np.testing.assert_array_equal(whole.mask, feasible.open().mask)


SAMPLERS = [KMeansPlusPlus(), KCenter(), LCMD(), MaxDet(), MaxDiag(), Random()]


@pytest.mark.parametrize("sampler", SAMPLERS, ids=repr)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_candidates_are_picked_as_if_there_were_no_other_rows(sampler, dtype):
    if sampler.reads_population:
        pytest.skip("sums over the other rows")
    rng = np.random.RandomState(0)
    X = DenseEmbedding(rng.normal(size=(80, 20)).astype(dtype))
    labeled = DenseEmbedding(rng.normal(size=(3, 20)).astype(dtype))
    mask = rng.uniform(size=80) < 0.6
    rows = np.flatnonzero(mask)
    alone = X.take(rows)
    for seed in range(5):
        for seeds in (None, labeled):
            np.testing.assert_array_equal(
                sampler.sample(X, 15, labeled=seeds, feasible=mask, random_state=seed),
                rows[sampler.sample(alone, 15, labeled=seeds, random_state=seed)],
            )


@pytest.mark.parametrize("sampler", SAMPLERS, ids=repr)
def test_everything_feasible_is_as_nothing_said(sampler):
    X = DenseEmbedding(np.random.RandomState(0).normal(size=(40, 20)))
    picks = [
        sampler.sample(X, 12, feasible=feasible, random_state=0)
        for feasible in (
            None,
            np.ones(40, dtype=bool),
            Feasible(40, groups=np.arange(40)),
            Feasible(40, groups=np.zeros(40, dtype=int), max_per_group=40),
        )
    ]
    for other in picks[1:]:
        np.testing.assert_array_equal(picks[0], other)


@pytest.mark.parametrize(
    ("sampler", "n_found"),
    [(KMeansPlusPlus(), 2), (KCenter(), 2), (LCMD(), 2), (MaxDet(), 1)],
    ids=repr,
)
def test_where_no_mass_is_left_rows_that_may_be_picked_are_drawn(sampler, n_found):
    # Four distinct rows, of which one is not feasible and one pending.
    X = np.repeat([[1.0, 0.0], [0.0, 0.0], [2.0, 1.0], [9.0, 9.0]], 5, axis=0)
    mask = np.repeat([True, True, True, False], 5)
    groups = np.tile(np.arange(5), 4)
    feasible = Feasible(20, mask, groups, 2, [0])
    drawn = set()
    for seed in range(40):
        with pytest.warns(QueryWarning, match=f"Only {n_found} of 6 rows"):
            selection = sampler.run(
                DenseEmbedding(X), 6, feasible=feasible, random_state=seed
            )
        for t, row in enumerate(selection.rows):
            assert is_open(feasible, selection.rows[:t])[row]
        # The copies of the pending row come last.
        assert (selection.rows[:n_found] >= 5).all()
        assert "were drawn uniformly from the rest" in selection.fallbacks[0]
        drawn |= set(selection.rows[n_found:].tolist())
    assert drawn == set(range(1, 15))


@pytest.mark.parametrize("sampler", [KMeansPlusPlus(), KCenter(), LCMD()], ids=repr)
@pytest.mark.parametrize("rule", ["max_norm", "uniform", "norm_weighted"])
def test_pending_rows_leave_no_first_row_to_draw(sampler, rule):
    X = DenseEmbedding([[0.0], [9.0], [9.0], [9.0]])
    sampler.set_params(first_center=rule)
    for seed in range(20):
        feasible = Feasible(4, pending=[1])
        assert sampler.sample(X, 1, feasible=feasible, random_state=seed) == 0


@pytest.mark.parametrize("sampler", [KMeansPlusPlus(), KCenter(), LCMD()], ids=repr)
def test_the_first_row_is_one_that_may_be_picked(sampler):
    X = DenseEmbedding([[9.0], [1.0], [3.0], [-3.0]])
    mask = np.array([False, True, True, True])
    sampler.set_params(first_center="max_norm")
    firsts = {
        int(sampler.sample(X, 1, feasible=mask, random_state=seed)[0])
        for seed in range(30)
    }
    assert firsts == {2, 3}


def test_pending_rows_of_a_pool_of_any_size_take_no_memory():
    feasible = Feasible(10**15, pending=[10**14, 3])
    assert feasible.n_left == 10**15 - 2
    np.testing.assert_array_equal(feasible.check([5, 10**12], 2, "It"), [5, 10**12])
    with pytest.raises(ValueError, match=r"It must return rows that may be picked.*10"):
        feasible.check([5, 10**14], 2, "It")


def test_a_sample_is_drawn_from_all_rows_of_small_quotas():
    groups = np.arange(60) // 20
    mask = np.arange(60) % 2 > 0
    feasible = Feasible(60, mask, groups, max_per_group=2, pending=[1])
    seen = np.zeros(60)
    for seed in range(300):
        rows = feasible.sample(24, 3, np.random.RandomState(seed))
        assert len(set(rows)) == 24
        assert (np.diff(rows) > 0).all()
        seen[rows] += 1
    is_open = mask & (np.arange(60) != 1)
    assert not seen[~is_open].any()
    np.testing.assert_allclose(seen[is_open] / 300, 24 / 29, atol=0.1)


@pytest.mark.parametrize("size", [0, 5, 6, 30])
def test_a_sample_holds_rows_that_can_be_picked_together(size):
    # All but five rows are of one group.
    groups = np.r_[np.zeros(300, dtype=int), 1, 2, 3, 4, 5]
    feasible = Feasible(305, groups=groups)
    rows = feasible.sample(size, 6, np.random.RandomState(0))
    assert len(rows) == max(size, 6)
    assert set(groups[rows]) == set(range(6))
    everything = feasible.sample(1000, 6, np.random.RandomState(0))
    np.testing.assert_array_equal(everything, np.arange(305))
