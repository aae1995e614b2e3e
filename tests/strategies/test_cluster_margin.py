"""Cluster-Margin: rows of small margin, dealt out over clusters that are kept."""

import pickle

import numpy as np
import pytest
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import pdist
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import adjusted_rand_score

from skbadge import BadgeQuerier
from skbadge.outputs import Outputs
from skbadge.samplers import Feasible
from skbadge.strategies import ClusterMargin, Margin, _cluster_margin
from skbadge.strategies._cluster_margin import deal, find_clusters
from skbadge.utils import _memory

RNG = np.random.RandomState(0)
PROBA = RNG.dirichlet(np.ones(4), 600)
CENTERS = 30 * RNG.normal(size=(20, 5))
OWNERS = RNG.randint(20, size=600)
FEATURES = CENTERS[OWNERS] + RNG.normal(size=(600, 5))
MARGINS = Margin().score(Outputs(PROBA))


def pool_of(rows, asked=None, moved=0.0):
    """Outputs of rows that have names, which are known again."""

    def identify(positions):
        if asked is not None:
            asked.append(len(positions))
        return [f"row {row}" for row in rows[positions]]

    return Outputs(PROBA[rows], FEATURES[rows] + moved, identify=identify)


def plain_deal(sizes, n):
    """How many rows of each cluster are dealt, by a plain loop."""
    order, left, dealt = np.argsort(sizes, kind="stable"), np.array(sizes), 0 * sizes
    while dealt.sum() < n:
        for j in order:
            if left[j] and dealt.sum() < n:
                left[j] -= 1
                dealt[j] += 1
    return dealt


@pytest.mark.parametrize("n", [0, 1, 4, 11, 40, 60])
def test_rows_are_dealt_out_from_the_smallest_cluster_on(n):
    sizes = np.array([2, 3, 5, 11, 39])
    rng = np.random.RandomState(n)
    labels = rng.permutation(np.repeat([7, 3, 9, 1, 4], sizes))
    turns = deal(labels, np.empty(0, dtype=int), n, rng)
    assert len(set(turns)) == n
    dealt = np.array([(labels[turns] == name).sum() for name in [7, 3, 9, 1, 4]])
    np.testing.assert_array_equal(dealt, plain_deal(sizes, n))
    assert labels[turns[:5]].tolist() == [7, 3, 9, 1, 4][:n]


def test_each_row_of_a_cluster_and_each_cluster_of_a_size_has_its_turn():
    labels = np.repeat([0, 1, 2], 4)
    nothing = np.empty(0, dtype=int)
    first = {deal(labels, nothing, 1, np.random.RandomState(i))[0] for i in range(99)}
    assert first == set(range(12))


def test_rows_dealt_before_count():
    labels, rng = np.repeat([0, 1, 2], [2, 4, 5]), np.random.RandomState(0)
    turns = deal(labels, np.array([0, 0, 2, 8]), 5, rng)
    # Cluster 1 has had none, 2 one, and 0 two.
    assert labels[turns].tolist() == [1, 1, 2, 0, 1]


def test_counts_of_clusters_differ_by_one_at_most_but_for_those_exhausted():
    selection = ClusterMargin(mean_size=30).run(
        Outputs(PROBA, FEATURES), 30, random_state=0
    )
    dealt = np.argsort(-MARGINS)[:300]
    assert set(selection.rows) <= set(dealt)
    picked = np.bincount(OWNERS[selection.rows], minlength=20)
    is_exhausted = picked == np.bincount(OWNERS[dealt], minlength=20)
    assert np.ptp(picked[~is_exhausted]) <= 1
    assert (picked[is_exhausted] <= picked[~is_exhausted].max()).all()
    np.testing.assert_array_equal(selection.values, MARGINS[selection.rows])


def test_without_oversampling_the_rows_are_those_of_margin():
    for feasible in (None, Feasible(600, OWNERS > 3, np.arange(600) // 5, pending=[8])):
        rows = ClusterMargin(1).select(
            Outputs(PROBA, FEATURES), 50, feasible=feasible, random_state=0
        )
        expected = Margin().select(
            Outputs(PROBA, FEATURES), 50, feasible=feasible, random_state=0
        )
        assert set(rows) == set(expected)


def test_pending_rows_count_as_dealt():
    # All rows are dealt out, in clusters of different sizes.
    pending = [int(np.argmax(j == OWNERS)) for j in range(19)]
    selection = ClusterMargin(600, mean_size=30).run(
        Outputs(PROBA, FEATURES), 1, feasible=Feasible(600, pending=pending)
    )
    assert OWNERS[selection.rows[0]] == 19


def test_clusters_are_those_of_average_linkage():
    labels = find_clusters(FEATURES, 30, 600, 1, np.random.RandomState(0))
    tree = linkage(pdist(FEATURES), method="average")
    expected = fcluster(tree, 20, criterion="maxclust")
    assert adjusted_rand_score(labels, expected) == 1
    assert adjusted_rand_score(labels, OWNERS) == 1
    assert set(labels) == set(range(20))


def test_there_are_as_many_clusters_as_make_their_mean_size():
    rng = np.random.RandomState(0)
    for mean_size, n_clusters in [(10, 60), (7.3, 82), (1.5, 400), (400, 1), (1e9, 1)]:
        labels = find_clusters(FEATURES, mean_size, 600, 1, rng)
        assert len(set(labels)) == n_clusters


def test_larger_pools_are_clustered_by_centres():
    rng = np.random.RandomState(0)
    labels = find_clusters(FEATURES, 30, 599, 50, rng)
    assert adjusted_rand_score(labels, OWNERS) > 0.9
    assert len(set(labels)) == 20
    # No more clusters than centres, of which none is joined to another then.
    labels = find_clusters(FEATURES, 10, 599, 50, rng)
    assert len(set(labels)) == 50


def test_distances_that_do_not_fit_are_refused(monkeypatch):
    monkeypatch.setattr(_memory, "available_memory", lambda: 10**7)
    features = np.zeros((3000, 2))
    with pytest.raises(ValueError, match=r"between 3000 rows .* Lower `max_linkage`"):
        find_clusters(features, 10, 3000, 50, np.random.RandomState(0))
    find_clusters(features, 10, 2000, 50, np.random.RandomState(0))


def never(*args):
    raise AssertionError("clustered again")


def test_clusters_are_kept_as_the_pool_shrinks_and_the_model_changes(monkeypatch):
    strategy, left = ClusterMargin(mean_size=30), np.arange(600)
    strategy.select(pool_of(left), 10, random_state=0)
    assert strategy.n_clusters_ == 20
    monkeypatch.setattr(_cluster_margin, "find_clusters", never)
    left, asked = RNG.permutation(600)[:350], []
    pool = pool_of(left, asked, moved=RNG.normal(size=(350, 5)) * 100)
    rows = strategy.select(pool, 20, random_state=1)
    # The rows that are dealt out are looked up, and no others.
    assert asked == [200]
    dealt = np.argsort(-MARGINS[left])[:200]
    assert set(rows) <= set(dealt)
    picked = np.bincount(OWNERS[left][rows], minlength=20)
    is_exhausted = picked == np.bincount(OWNERS[left][dealt], minlength=20)
    assert np.ptp(picked[~is_exhausted]) <= 1
    copy = pickle.loads(pickle.dumps(strategy))
    np.testing.assert_array_equal(copy.select(pool, 20, random_state=1), rows)


def test_the_draws_are_those_of_a_fresh_strategy_that_finds_the_same_clusters():
    strategy = ClusterMargin(mean_size=30)
    rows = strategy.select(pool_of(np.arange(600)), 10, random_state=0)
    again = strategy.select(pool_of(np.arange(600)), 10, random_state=0)
    np.testing.assert_array_equal(rows, again)


def test_new_rows_join_the_cluster_with_the_nearest_mean(monkeypatch):
    strategy, old = ClusterMargin(mean_size=20), np.arange(400)
    strategy.select(pool_of(old), 10, random_state=0)
    with monkeypatch.context() as patch:
        patch.setattr(_cluster_margin, "find_clusters", never)
        # In the space of a later model.
        whole = pool_of(np.arange(100, 600), moved=1000.0)
        rows = strategy.select(whole, 30, random_state=1)
        picked = np.bincount(OWNERS[100:][rows], minlength=20)
        dealt = np.argsort(-MARGINS[100:])[:300]
        is_exhausted = picked == np.bincount(OWNERS[100:][dealt], minlength=20)
        assert np.ptp(picked[~is_exhausted]) <= 1
        # They are known from then on.
        strategy.select(pool_of(np.arange(600)), 30, random_state=1)
    # A pool of other rows is clustered anew.
    strategy = ClusterMargin(mean_size=20)
    strategy.select(pool_of(old[:100]), 10, random_state=0)
    assert strategy.n_clusters_ == 5
    strategy.select(pool_of(np.arange(90, 600)), 10, random_state=0)
    assert strategy.n_clusters_ == 25


def test_a_querier_clusters_once_a_fit(monkeypatch):
    X, y = load_digits(return_X_y=True)
    X, y = X[:500] / 16, y[:500]
    calls = []

    def counting(*args):
        calls.append(len(args[0]))
        return find_clusters(*args)

    monkeypatch.setattr(_cluster_margin, "find_clusters", counting)
    querier = BadgeQuerier(
        LogisticRegression(), strategy="cluster_margin", random_state=0
    )
    querier.fit(X[:50], y[:50])
    left = np.arange(50, 500)
    for _ in range(3):
        rows = left[querier.query(X[left], n=20)]
        querier.partial_fit(X[rows], y[rows])
        left = np.setdiff1d(left, rows)
    assert calls == [450]
    querier.fit(X[:50], y[:50]).query(X[50:], n=20)
    assert calls == [450, 450]
