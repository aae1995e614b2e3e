"""Queries that say which rows may be returned, how many of a group, what is out."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chisquare
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import skbadge
from skbadge import BadgeQuerier
from skbadge.exceptions import QueryWarning
from skbadge.strategies import get_strategy_names
from tests.strategies._quick import quick

rng = np.random.default_rng(0)
X = rng.normal(size=(90, 6))
y = (X[:, 0] + 0.5 * rng.normal(size=90) > 0).astype(int)
POOL = X[30:]
MASK = np.arange(60) % 3 > 0
GROUPS = np.array(["a", "b", "c", "d", "e", "f"])[np.arange(60) % 6]
NAMES = [
    name
    for name in get_strategy_names()
    # These ask an ensemble or a net, or a regressor.
    if name not in ("bald", "batch_bald", "epig", "igs", "vote_entropy")
]


def fitted(strategy="badge", **params):
    querier = BadgeQuerier(
        LogisticRegression(), strategy=strategy, random_state=0, **params
    )
    return querier.fit(X[:30], y[:30])


@pytest.mark.parametrize("name", NAMES)
def test_just_candidates_are_returned(name):
    querier = fitted(quick(name))
    rows, report = querier.query(POOL, 6, candidates=MASK, return_report=True)
    assert len(set(rows)) == 6
    assert MASK[rows].all()
    assert (report.n_pool, report.n_candidates) == (60, 40)
    assert "6 of 40 candidates among 60 rows by" in str(report)
    positions = np.flatnonzero(MASK)
    np.testing.assert_array_equal(
        fitted(quick(name)).query(POOL, 6, candidates=positions), rows
    )
    if not querier.strategy_.reads_population:
        alone = fitted(quick(name)).query(POOL[MASK], 6)
        np.testing.assert_array_equal(positions[alone], rows)


# Six features span no more directions than that.
@pytest.mark.filterwarnings("ignore:Only . of 7 rows add to the span")
@pytest.mark.parametrize("name", [name for name in NAMES if name != "badge_kdpp"])
def test_groups_have_a_quota(name):
    querier = fitted(quick(name))
    out = np.array([0, 7])
    rows = querier.query(
        POOL, 7, candidates=MASK, groups=GROUPS, max_per_group=2, pending=out
    )
    assert MASK[rows].all()
    assert not set(rows) & set(out)
    counts = pd.Series(GROUPS[[*rows, *out]]).value_counts()
    assert counts.max() <= 2
    with pytest.warns(QueryWarning, match="above the 5 rows that may be picked"):
        rows = querier.query(POOL, 7, groups=GROUPS, pending=[3])
    assert len(rows) == 5
    assert GROUPS[3] not in GROUPS[rows]


def test_groups_are_refused_where_they_have_no_law():
    with pytest.raises(ValueError, match="groups"):
        fitted("badge_kdpp").query(POOL, 2, groups=GROUPS)


def test_equal_rows_are_a_group():
    pool = np.vstack([POOL[:5]] * 4)
    rows = fitted("entropy").query(pool, 5, groups="duplicates")
    assert sorted(rows % 5) == [0, 1, 2, 3, 4]
    with pytest.warns(QueryWarning, match="above the 5 rows that may be picked"):
        fitted("entropy").query(pool, 6, groups="duplicates")
    frame = pd.DataFrame(pool)
    querier = BadgeQuerier(LogisticRegression(), strategy="entropy", random_state=0)
    querier.fit(pd.DataFrame(X[:30]), y[:30])
    np.testing.assert_array_equal(querier.query(frame, 5, groups="duplicates"), rows)


@pytest.mark.parametrize(
    "groups",
    [
        pd.Series(GROUPS, index=np.arange(60)[::-1]),
        GROUPS.astype(object),
        list(GROUPS),
        pd.Categorical(GROUPS),
        np.arange(60) % 6,
        (np.arange(60) % 6) / 2,
        np.array([("x", i % 6) for i in range(60)], dtype="O,i8").astype(object),
    ],
    ids=["series", "object", "list", "categorical", "int", "float", "tuples"],
)
def test_groups_may_be_values_of_any_kind(groups):
    rows = fitted().query(POOL, 6, groups=groups)
    assert sorted(rows % 6) == [0, 1, 2, 3, 4, 5]


def test_pending_rows_are_kept_away_from():
    # Far from all others, twice: once one is out, the other says nothing new.
    pool = np.vstack([POOL, [[50.0] * 6, [50.0] * 6]])
    querier = fitted("core_set")
    assert set(querier.query(pool, 2)) & {60, 61}
    assert not set(querier.query(pool, 5, pending=[60])) & {60, 61}


def test_the_law_of_badge_is_that_of_the_candidates_alone():
    querier = fitted("badge")
    part = np.flatnonzero(MASK)[:6]
    counts = np.zeros((2, 60))
    for seed in range(300):
        querier.set_params(random_state=seed)
        counts[0][querier.query(POOL, 3, candidates=part)] += 1
        counts[1][part[querier.query(POOL[part], 3)]] += 1
    np.testing.assert_array_equal(counts[0], counts[1])
    assert chisquare(counts[0][part[1:]]).pvalue < 1


def as_nullable(values):
    return pd.Series(values, dtype="boolean")


@pytest.mark.parametrize(
    "mask",
    [
        *(MASK, list(MASK), MASK.astype(object), as_nullable(MASK)),
        *(np.flatnonzero(MASK), pd.Series(np.flatnonzero(MASK), dtype=object)),
    ],
    ids=["array", "list", "objects", "nullable", "positions", "position objects"],
)
def test_candidates_may_be_written_in_several_ways(mask):
    rows = fitted("entropy").query(POOL, 4, candidates=mask)
    expected = fitted("entropy").query(POOL, 4, candidates=MASK)
    np.testing.assert_array_equal(rows, expected)


@pytest.mark.parametrize(
    "groups",
    [
        [2**63 + i for i in range(30)] + list(range(30)),
        [2**60 + i for i in range(60)],
        [value for i in range(30) for value in (i, str(i))],
        [value for i in range(30) for value in (b"%d" % i, str(i))],
        [(i, None) for i in range(60)],
    ],
    ids=["uint64", "int64", "numbers and strings", "bytes and strings", "tuples"],
)
def test_values_of_groups_are_not_made_equal(groups):
    assert len(fitted("entropy").query(POOL, 60, groups=groups)) == 60


@pytest.mark.parametrize(
    ("wrong", "error", "match"),
    [
        ({"candidates": MASK[:-1]}, ValueError, "one entry for each of the 60 rows"),
        ({"candidates": [0, 60]}, ValueError, "between 0 and 59. Got 60"),
        ({"candidates": [-1]}, ValueError, "between 0 and 59. Got -1"),
        ({"candidates": [4, 4]}, ValueError, "distinct positions"),
        ({"candidates": MASK.astype(int)}, ValueError, "pass a boolean mask"),
        ({"candidates": MASK & False}, ValueError, "at least one row. Got none"),
        ({"candidates": []}, ValueError, "at least one row. Got none"),
        ({"candidates": np.array([], object)}, ValueError, "at least one row. Got"),
        ({"candidates": [1, 2**70]}, TypeError, "or int positions in it"),
        ({"candidates": np.array([1, "2"], object)}, TypeError, "or int positions"),
        ({"candidates": MASK * 1.0}, TypeError, "boolean mask of the 60 rows"),
        ({"candidates": "abc"}, TypeError, "boolean mask of the 60 rows"),
        ({"pending": [60]}, ValueError, "`pending` must hold positions"),
        ({"pending": np.arange(60)}, ValueError, "left out or pending.$"),
        ({"groups": GROUPS[:-1]}, ValueError, "one value for each of the 60 rows"),
        ({"groups": "site"}, ValueError, 'must be "duplicates" or hold one value'),
        ({"groups": [None, *GROUPS[1:]]}, ValueError, "1 of 60 are missing"),
        ({"groups": np.full(60, np.nan)}, ValueError, "60 of 60 are missing"),
        ({"groups": ["a"] * 59 + [np.nan]}, ValueError, "1 of 60 are missing"),
        ({"groups": [[1, 2]] * 60}, TypeError, "told apart by `hash`"),
        ({"groups": np.ma.array(GROUPS, mask=MASK)}, ValueError, "masked entries"),
        ({"candidates": np.ma.array(MASK, mask=~MASK)}, ValueError, "masked entries"),
        (
            {"candidates": as_nullable([None, *MASK[1:]])},
            ValueError,
            "no missing values. Got 1 of 60; fill them first",
        ),
        ({"groups": GROUPS, "max_per_group": 0}, ValueError, "must be an int >= 1"),
        ({"groups": GROUPS, "max_per_group": 1.5}, ValueError, "must be an int >= 1"),
        ({"groups": GROUPS, "max_per_group": True}, ValueError, "must be an int >= 1"),
    ],
)
def test_what_does_not_fit_is_refused(wrong, error, match):
    with pytest.raises(error, match=match):
        fitted("entropy").query(POOL, 3, **wrong)


def test_a_loop_may_keep_one_pool():
    querier, left = fitted(), np.ones(60, dtype=bool)
    for _ in range(3):
        rows = querier.query(POOL, 5, candidates=left)
        assert left[rows].all()
        left[rows] = False
        querier.partial_fit(POOL[rows], y[30:][rows])
    assert left.sum() == 45
    with pytest.warns(QueryWarning, match="`n`=99 is above the 45 rows that may be"):
        rows = querier.query(POOL, 99, candidates=left)
    np.testing.assert_array_equal(np.sort(rows), np.flatnonzero(left))


def test_a_querier_in_a_pipeline_is_told_as_well():
    querier = BadgeQuerier(LogisticRegression(), random_state=0)
    pipeline = make_pipeline(StandardScaler(), querier).fit(X[:30], y[:30])
    rows = skbadge.query(pipeline, POOL, 3, candidates=MASK, groups=GROUPS, pending=[1])
    assert MASK[rows].all()
    assert len({*GROUPS[rows], GROUPS[1]}) == 4


def test_a_function_sees_the_candidates_alone():
    def first(pool, n, *, labeled, random_state):
        assert len(pool) == 40
        return np.arange(n)

    rows = fitted(first).query(POOL, 3, candidates=MASK)
    np.testing.assert_array_equal(rows, [1, 2, 4])
    with pytest.raises(ValueError, match="must take a keyword `feasible`"):
        fitted(first).query(POOL, 3, candidates=MASK, groups=GROUPS)


def test_a_function_that_takes_what_is_feasible_is_held_to_it():
    def heedless(pool, n, *, labeled, random_state, feasible):
        return np.arange(n)

    def careful(pool, n, *, labeled, random_state, feasible):
        return feasible.open().draw(n, random_state)

    assert len(fitted(careful).query(POOL, 3, groups=GROUPS, pending=[0])) == 3
    with pytest.raises(ValueError, match="must return rows that may be picked"):
        fitted(heedless).query(POOL, 3, groups=GROUPS, pending=[0])


@pytest.mark.parametrize("name", ["bait", "posterior_bait", "lcmd", "acs_fw"])
def test_labelled_rows_that_stand_in_the_pool_as_well_count_once(name):
    # The pool less the labelled rows, or all rows with the others as candidates.
    querier = fitted(quick(name))
    alone = querier.query(POOL, 5)
    left = np.arange(90) >= 30
    rows = querier.query(X, 5, candidates=left)
    if name == "acs_fw":
        # It approaches the sum over the pool, and that is another one.
        assert left[rows].all()
        return
    np.testing.assert_array_equal(rows - 30, alone)
