"""A sketch holds the rows of least key, whatever it is merged from."""

import numpy as np
import pytest

from skbadge.embeddings import DenseEmbedding
from skbadge.samplers import Feasible
from skbadge.samplers._row_sketch import Drawn, Greatest, Outside, merged
from skbadge.samplers._taken import Taken
from skbadge.utils._ties import Ties, rounded
from tests.samplers._chunked import dense_chunks, in_chunks
from tests.samplers._laws import THRESHOLD, law_pvalue
from tests.samplers.test_feasible_laws import RESTRICTIONS, law_of


class Part:
    """Sketches the rows of a chunk by their first column."""

    def __init__(self, order, size, groups=None, quota=None):
        self.order, self.size, self.groups, self.quota = order, size, groups, quota

    def __call__(self, chunk, first, sieves=None):
        opened = np.arange(len(chunk))
        quotas = None
        if self.groups is not None:
            groups = self.groups[first : first + len(chunk)]
            quotas = groups, self.quota[groups]
        return self.order.sketch(
            self.size,
            chunk.matrix[:, 0],
            first,
            opened,
            embedding=chunk,
            quotas=quotas,
            sieves=sieves,
        )


def first_by_brute_force(keys, ties, size, groups=None, quota=None):
    rows = []
    left = None if quota is None else quota.copy()
    for row in np.lexsort((ties, keys)).tolist():
        if len(rows) == size:
            break
        if groups is not None:
            if not left[groups[row]]:
                continue
            left[groups[row]] -= 1
        rows.append(row)
    return rows


ORDERS = {
    "greatest": Greatest(Ties(np.random.RandomState(0))),
    "drawn": Drawn(3, "test", 2),
}


@pytest.mark.parametrize("order", ORDERS.values(), ids=ORDERS)
@pytest.mark.parametrize("size", [1, 20, 500])
@pytest.mark.parametrize("n_rows", [1, 7, 64, 300])
@pytest.mark.parametrize("with_quota", [False, True])
def test_sketches_of_chunks_are_that_of_all_rows(order, size, n_rows, with_quota):
    rng = np.random.RandomState(1)
    # Many equal values, some of them 0.
    X = rng.randint(4, size=(300, 3)).astype(float)
    quotas = ()
    if with_quota:
        quotas = rng.randint(9, size=300), rng.randint(4, size=9)
    part = Part(order, size, *quotas)
    whole = part(DenseEmbedding(X), 0)
    for tree in range(3):
        sketch = dense_chunks(X, n_rows, tree).reduce(part, merged)
        for name in ("rows", "keys", "ties", "values"):
            np.testing.assert_array_equal(getattr(sketch, name), getattr(whole, name))
        np.testing.assert_array_equal(sketch.embedding.matrix, X[sketch.rows])
        assert sketch.total == whole.total == X[:, 0].sum()
        if not with_quota:
            assert sketch.outside == whole.outside
    everything = order.sketch(300, X[:, 0], 0, np.arange(300))
    by_row = {row: i for i, row in enumerate(everything.rows.tolist())}
    there = np.array(sorted(by_row))
    positions = [by_row[row] for row in there.tolist()]
    keys, ties = everything.keys[positions], everything.ties[positions]
    if with_quota:
        quotas = quotas[0][there], quotas[1]
    expected = first_by_brute_force(keys, ties, size, *quotas)
    np.testing.assert_array_equal(whole.rows, there[expected])


@pytest.mark.parametrize("order", ORDERS.values(), ids=ORDERS)
@pytest.mark.parametrize("size", [1, 20, 150])
@pytest.mark.parametrize("with_quota", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_what_a_worker_remembers_changes_nothing(order, size, with_quota, seed):
    rng = np.random.RandomState(seed)
    X = rng.choice([0.0, 1.0, 1e-200, 7.5, 1e6], size=(900, 1), p=[0.3, *[0.175] * 4])
    quotas = (rng.randint(90, size=900), rng.randint(4, size=90)) * with_quota
    part, sieves, sketches = Part(order, size, *quotas), {}, {}
    starts = rng.permutation(np.arange(0, 900, 60)).tolist()
    # In any order, and some of the chunks again, in place of a worker that was lost.
    for start in [*starts[:8], *starts[:4], *starts[8:]]:
        chunk = DenseEmbedding(X[start : start + 60])
        sketches[start] = part(chunk, start, sieves)
        assert sketches[start].total == part(chunk, start).total
    whole = part(DenseEmbedding(X), 0)
    found, *others = sketches.values()
    for sketch in others:
        found = found.merge(sketch)
    for name in ("rows", "keys", "ties", "values"):
        np.testing.assert_array_equal(getattr(found, name), getattr(whole, name))
    np.testing.assert_array_equal(found.embedding.matrix, X[found.rows])
    if not with_quota:
        assert found.outside == whole.outside


def test_a_worker_looks_at_few_rows_of_later_chunks():
    X, sieves = np.random.RandomState(0).exponential(size=(6000, 1)), {}
    for order in ORDERS.values():
        part = Part(order, 30)
        sizes = [
            len(part(DenseEmbedding(X[start : start + 100]), start, sieves))
            for start in range(0, 6000, 100)
        ]
        assert sizes[0] == 30
        # Of 100 rows among 3,000 or more, one is among the first 30 on average.
        assert sum(sizes[30:]) < 90


def test_the_first_row_outside_is_known():
    X = np.array([[3.0], [1.0], [2.0], [2.0], [0.5]])
    ties = Ties(np.random.RandomState(0))
    sketch = dense_chunks(X, 2).reduce(Part(Greatest(ties), 2), merged)
    keys = ties.keys(np.array([2, 3]))
    assert sketch.rows.tolist() == [0, 2 + keys.argmin()]
    assert sketch.outside == Outside(-rounded(2.0), keys.max(), 2.0)
    assert not sketch.is_complete
    assert dense_chunks(X, 2).reduce(Part(Greatest(ties), 5), merged).is_complete


def test_rows_of_weight_zero_are_in_no_sketch():
    X = np.array([[0.0], [1.0], [0.0], [2.0]])
    sketch = dense_chunks(X, 3).reduce(Part(Drawn(0, "test"), 4), merged)
    assert sorted(sketch.rows.tolist()) == [1, 3]
    assert sketch.is_complete


def test_equal_values_are_ordered_by_their_rows_numbers():
    # Equal to 12 digits.
    X = 1 + 1e-14 * np.random.RandomState(0).normal(size=(50, 1))
    ties = Ties(np.random.RandomState(4))
    sketch = in_chunks(DenseEmbedding(X), 8).reduce(Part(Greatest(ties), 9), merged)
    assert len(np.unique(rounded(X))) == 1
    order = np.argsort(ties.keys(np.arange(50)))
    np.testing.assert_array_equal(sketch.rows, order[:9])


@pytest.mark.parametrize("name", RESTRICTIONS)
def test_rows_are_drawn_uniformly_from_those_open(name):
    feasible = RESTRICTIONS[name]
    law = law_of(lambda rows: np.ones(7), 3, feasible)
    kept, inner = feasible.restricted()
    rng = np.random.RandomState(0)
    draws = [tuple(kept[Taken(inner).draw(3, rng)].tolist()) for _ in range(3000)]
    assert law_pvalue(law, draws) > THRESHOLD


def test_what_is_taken_is_not_drawn_again():
    taken = Taken(Feasible(70_000, pending=[3, 66_000]))
    taken.add(np.array([9]))
    rows = taken.draw(69_997, np.random.RandomState(0))
    assert set(range(70_000)) - set(rows.tolist()) == {3, 9, 66_000}
    assert len(rows) == len(np.unique(rows))
    # Across the borders of blocks and of chunks of numbers.
    assert abs(np.corrcoef(rows, np.arange(len(rows)))[0, 1]) < 0.02
