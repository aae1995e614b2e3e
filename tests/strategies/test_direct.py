"""DIRECT: rows around the threshold of each class."""

from collections import Counter

import numpy as np
import pytest
from scipy.stats import chisquare

from skbadge.outputs import Labeled, Outputs
from skbadge.samplers import Feasible
from skbadge.strategies import Direct
from skbadge.strategies._direct import ClassMargins, best_threshold, open_interval


def by_brute_force(labels):
    """The first cut with the most agreement, and the rows that are left open."""
    gains = [sum(labels[:t]) - sum(labels[t:]) for t in range(len(labels) + 1)]
    last = max([i for i, w in enumerate(labels) if w == 1], default=-1)
    first = min([i for i, w in enumerate(labels) if w == -1], default=len(labels))
    low, high = sorted([last, first])
    return gains.index(max(gains)), set(range(low + 1, high))


SEPARABLE = [1, 0, 1, 0, 0, 0, -1, 0, -1]
CONTRADICTING = [1, 0, -1, 0, 0, 1, 0, 1, -1, 0, -1]
CASES = [
    SEPARABLE,
    CONTRADICTING,
    [0, 0, -1, 0, -1],
    [0, 1, 0, 1, 0],
    [-1, 0, 0, 1],
    [0, 0, 0],
    [],
]
CASES += np.random.RandomState(0).choice([-1, 0, 0, 1], size=(40, 12)).tolist()


@pytest.mark.parametrize("labels", CASES)
def test_threshold_and_open_rows_are_those_of_brute_force(labels):
    threshold, rows = by_brute_force(labels)
    found = np.array(labels, dtype=np.int64)
    assert best_threshold(found) == threshold
    assert set(range(*open_interval(found))) == rows


def test_cases_worked_out_by_hand():
    assert best_threshold(np.array(SEPARABLE)) == 3
    assert open_interval(np.array(SEPARABLE)) == (3, 6)
    assert best_threshold(np.array(CONTRADICTING)) == 8
    assert open_interval(np.array(CONTRADICTING)) == (3, 7)


def test_margins_are_over_the_best_other_class():
    proba = np.random.RandomState(0).dirichlet(np.ones(4), size=3000)
    proba[:2] = [[0.4, 0.4, 0.2, 0], [0.25, 0.25, 0.25, 0.25]]
    margins = ClassMargins(proba)
    for k in range(4):
        others = np.delete(proba, k, axis=1).max(axis=1)
        np.testing.assert_array_equal(margins.of(k), proba[:, k] - others)
    np.testing.assert_array_equal(ClassMargins(np.ones((2, 1))).of(0), [1, 1])


def two_classes(labels):
    """Rows in the order of class 1, split into those of the pool and labelled ones."""
    labels = np.array(labels)
    p = np.linspace(0.95, 0.05, len(labels))
    proba = np.column_stack([1 - p, p])
    known = labels != 0
    codes = (labels[known] == 1).astype(np.int64)
    pool, rows = Outputs(proba=proba[~known]), Outputs(proba=proba[known])
    # Labels as a user has them; the codes say which columns they are.
    return pool, Labeled(rows, np.array(["no", "yes"])[codes], codes)


# Places 0 to 15; the labelled ones are 1, 4, 9 and 13.
ROWS = [0, 1, 0, 0, 1, 0, 0, 0, 0, -1, 0, 0, 0, -1, 0, 0]
PLACES = np.flatnonzero(np.array(ROWS) == 0)


def test_the_first_half_is_drawn_uniformly_from_the_open_rows():
    pool, labeled = two_classes(ROWS)
    counts = Counter()
    for seed in range(600):
        rows = Direct().select(pool, 4, labeled=labeled, random_state=seed)
        half = PLACES[rows[:2]]
        assert set(half) <= {5, 6, 7, 8}
        counts[tuple(half)] += 1
    assert len(counts) == 12
    assert chisquare(list(counts.values())).pvalue > 1e-3


def test_the_second_half_is_nearest_to_the_threshold_on_both_sides_in_turn():
    pool, labeled = two_classes(ROWS)
    # Nothing is left open: places 5 to 8 are pending.
    pending = np.flatnonzero(np.isin(PLACES, [5, 6, 7, 8]))
    feasible = Feasible(len(pool), pending=pending)
    rows = Direct().select(pool, 6, labeled=labeled, feasible=feasible, random_state=0)
    # The threshold of class 1 is behind place 4, that of class 0 behind place 9: the
    # order of class 0 is the reverse one, and the first of equally good cuts counts.
    of_1, of_0 = [3, 10, 2], [10, 3, 11]
    found = PLACES[rows].tolist()
    ways = []
    for first, second in ((of_1, of_0), (of_0, of_1)):
        rest = [place for place in [*second, 12, 2, 0] if place not in first]
        ways.append([*first, *rest[:3]])
    assert found[:3] in [way[:3] for way in ways]
    assert len(set(found)) == 6
    assert set(found) <= {0, 2, 3, 10, 11, 12}


def imbalanced(n=400, n_classes=5, n_labeled=100, seed=1):
    rng = np.random.RandomState(seed)
    proba = rng.dirichlet(np.linspace(2, 0.3, n_classes), size=n + n_labeled)
    codes = np.array([rng.choice(n_classes, p=p) for p in proba[n:]])
    return Outputs(proba=proba[:n]), Labeled(Outputs(proba=proba[n:]), codes, codes)


def oracle_region(pool, labeled, k):
    """Rows of the pool that the labels leave open, one by one."""
    known = ClassMargins(labeled.outputs.proba).of(k)
    own, other = known[labeled.codes == k], known[labeled.codes != k]
    low, high = sorted([own.min(initial=np.inf), other.max(initial=-np.inf)])
    margins = ClassMargins(pool.proba).of(k)
    return set(np.flatnonzero((margins < high) & (margins > low)).tolist())


def test_rare_classes_share_the_first_half():
    pool, labeled = imbalanced()
    counts = np.bincount(labeled.codes, minlength=5)
    assert len(set(counts)) == 5
    rarest = np.argsort(counts)
    for n, n_rare in ((40, 1), (79, 1), (80, 2), (120, 3)):
        rows = Direct(min_share=20).select(pool, n, labeled=labeled, random_state=0)
        ends = n // 2 * np.arange(n_rare + 1) // n_rare
        for i in range(n_rare):
            region = oracle_region(pool, labeled, rarest[i])
            assert set(rows[ends[i] : ends[i + 1]].tolist()) <= region


def test_labels_without_a_column_are_of_another_class():
    pool, labeled = two_classes(ROWS)
    codes = np.where(labeled.codes == 0, -1, labeled.codes)
    unknown = Labeled(labeled.outputs, labeled.y, codes)
    rows = Direct().select(pool, 8, labeled=unknown, random_state=0)
    assert len(set(rows)) == 8


def test_labels_without_codes_are_columns_or_refused():
    pool, labeled = two_classes(ROWS)
    as_columns = Labeled(labeled.outputs, labeled.codes)
    np.testing.assert_array_equal(
        Direct().select(pool, 8, labeled=as_columns, random_state=0),
        Direct().select(pool, 8, labeled=labeled, random_state=0),
    )
    as_text = Labeled(labeled.outputs, labeled.y)
    with pytest.raises(ValueError, match=r"`labeled.codes` must hold the columns"):
        Direct().select(pool, 8, labeled=as_text)


def test_all_rows_are_selected_if_as_many_are_asked_for():
    pool, labeled = two_classes(ROWS)
    rows = Direct().select(pool, 12, labeled=labeled, random_state=0)
    assert sorted(rows.tolist()) == list(range(12))
    selection = Direct().run(pool, 5, labeled=labeled, random_state=0)
    margins = ClassMargins(pool.proba).of(1)[selection.rows]
    np.testing.assert_allclose(np.abs(selection.values), np.abs(margins))
