"""Cluster-Margin: rows of small margin, dealt out over clusters found once."""

from numbers import Integral, Real

import numpy as np
from scipy import sparse
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import pdist
from sklearn.metrics import pairwise_distances_argmin

from skbadge._compat import Interval
from skbadge.outputs import Needs
from skbadge.samplers import Selection
from skbadge.strategies._base import Strategy
from skbadge.strategies._uncertainty import margin_score
from skbadge.utils._clustering import cluster
from skbadge.utils._memory import check_fits
from skbadge.utils._ranking import earlier_equals, top_rows


class ClusterMargin(Strategy):
    """Cluster-Margin: rows of small margin, spread over many clusters.

    For batches of ten thousand rows and more, by Citovsky et al. [1]_. The pool is
    clustered once, in the first query after a fit from scratch. Each query takes the
    rows of least margin, more than are asked for, and deals them out: one random row of
    each cluster in turn, beginning with the clusters that have fewest of them, until
    there are enough. Only the margins depend on the current model.

    Parameters
    ----------
    oversampling : float, default=10.0
        At least 1. So many times the rows asked for, those of least margin, are dealt
        out. 1 selects the rows that "margin" does.

    mean_size : float, default=10.0
        At least 1. There are as many clusters as make this their mean size, or fewer.

    max_linkage : int, default=10000
        Clusters are made by average linkage of the rows, which takes 8 bytes for each
        ordered pair, and of a larger pool, of centres of k-means in their place.

    max_centers : int, default=2000
        Number of these centres, at least 1; the number of clusters at most. It decides
        what clustering a large pool takes.

    Attributes
    ----------
    n_clusters_ : int
        Number of clusters, once rows were selected.

    Notes
    -----
    Rows are known again by their contents, as positions change when a pool shrinks; of
    a pool in memory this takes a few microseconds a row, for all rows once, and later
    for the rows dealt out. New rows join the cluster whose known rows have the nearest
    mean; a pool with more new rows than known ones is clustered anew. Outputs without
    identities are clustered in each selection.

    The paper deals with pools of millions by linkage on many machines. Here they have
    the clusters of k-means, with the default parameters from 20,000 rows on: a pool of
    1,000,000 rows has 2000 clusters of 500 rows. Centres count alike in the linkage,
    however many rows they stand for.

    With groups, the rows of least margin are those that may be selected together. A
    pending row counts as the first that its cluster was dealt.

    References
    ----------
    .. [1] G. Citovsky, G. DeSalvo, C. Gentile, L. Karydas, A. Rajagopalan,
       A. Rostamizadeh, S. Kumar. "Batch active learning at scale". NeurIPS 2021.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skbadge import BadgeQuerier
    >>> X, y = load_digits(return_X_y=True)
    >>> model = LogisticRegression(max_iter=1000)
    >>> querier = BadgeQuerier(model, strategy="cluster_margin", random_state=0)
    >>> rows = querier.fit(X[:50], y[:50]).query(X[50:], n=100)
    >>> querier.strategy_.n_clusters_
    174
    """

    _parameter_constraints: dict = {
        "oversampling": [Interval(Real, 1, None, closed="left")],
        "mean_size": [Interval(Real, 1, None, closed="left")],
        "max_linkage": [Interval(Integral, 2, None, closed="left")],
        "max_centers": [Interval(Integral, 1, None, closed="left")],
    }

    needs = Needs(proba=True, features=True, ids=True)
    reads_population = True
    learns = True

    def __init__(
        self,
        oversampling: float = 10.0,
        *,
        mean_size: float = 10.0,
        max_linkage: int = 10_000,
        max_centers: int = 2000,
    ):
        self.oversampling = oversampling
        self.mean_size = mean_size
        self.max_linkage = max_linkage
        self.max_centers = max_centers

    def _run(self, pool, n, labeled, feasible, rng):
        # Whether rows are clustered now or were before, the same draws follow.
        clustering_rng = np.random.RandomState(rng.randint(2**31 - 1))
        margins = margin_score(pool.proba)
        n_dealt = min(int(np.ceil(self.oversampling * n)), feasible.n_left)
        dealt = top_rows(margins, n_dealt, rng, open_rows=feasible.open())
        rows = np.concatenate([dealt, feasible.pending])
        labels = self._labels(pool, rows, clustering_rng)
        turns = deal(labels[:n_dealt], labels[n_dealt:], n, rng)
        return Selection(dealt[turns], margins[dealt[turns]])

    def _labels(self, pool, rows, rng):
        """The clusters of some rows of a pool, found now where they are not known."""
        if pool.identify is None:
            return self._find(pool.features, rng)[rows]
        if hasattr(self, "_known"):
            labels = self._known.labels(_names(pool, rows))
            if (labels >= 0).all():
                return labels
        names = _names(pool, np.arange(len(pool)))
        labels = np.full(len(pool), -1)
        if hasattr(self, "_known"):
            labels = self._known.labels(names)
        if np.mean(labels >= 0) < 0.5:
            labels = self._find(pool.features, rng)
            self._known = _KnownRows(names, labels)
        else:
            is_new = labels < 0
            labels[is_new] = nearest_clusters(pool.features, labels, is_new)
            self._known = self._known.extended(names[is_new], labels[is_new])
        return labels[rows]

    def _find(self, features, rng):
        if len(features) == 0:
            return np.empty(0, dtype=np.int64)
        labels = find_clusters(
            features, self.mean_size, self.max_linkage, self.max_centers, rng
        )
        self.n_clusters_ = int(labels.max()) + 1
        return labels


class _KnownRows:
    """The clusters of rows by their names, which are sorted."""

    def __init__(self, names, labels):
        order = np.argsort(names, kind="stable")
        self.names = names[order]
        self.of_names = labels[order].astype(np.int32)

    def labels(self, names):
        """The clusters of rows, -1 for those not known."""
        where = np.searchsorted(self.names, names)
        where[where == len(self.names)] = 0
        is_known = self.names[where] == names
        return np.where(is_known, self.of_names[where], -1).astype(np.int64)

    def extended(self, names, labels):
        """These and more rows."""
        return _KnownRows(
            np.concatenate([self.names, names]), np.concatenate([self.of_names, labels])
        )


def _names(pool, rows):
    """Identities as an array of bytes, a quarter of what one of text takes."""
    return np.array([name.encode() for name in pool.identify(rows)], dtype=bytes)


def find_clusters(features, mean_size, max_linkage, max_centers, rng):
    """Cluster rows by average linkage, above ``max_linkage`` rows by their centres.

    Returns the labels, from 0 on, of as many clusters as make the mean size at least
    ``mean_size``.
    """
    n_rows = len(features)
    n_clusters = max(1, int(n_rows // mean_size))
    if n_rows <= max_linkage:
        return linked(features, n_clusters)
    n_centers = min(max_centers, n_rows)
    labels, centers = cluster(features, n_centers, rng)
    if n_centers > n_clusters:
        labels = linked(centers, n_clusters)[labels]
    return labels


def linked(rows, n_clusters):
    """Labels by average linkage, cut into at most so many clusters."""
    if n_clusters == 1:
        return np.zeros(len(rows), dtype=np.int64)
    check_fits(
        # The distances, and a copy that the linkage works on.
        8 * len(rows) * (len(rows) - 1),
        f"Distances between {len(rows)} rows",
        "Lower `max_linkage` or `max_centers`.",
    )
    tree = linkage(pdist(rows.astype(np.float64)), method="average")
    return fcluster(tree, n_clusters, criterion="maxclust").astype(np.int64) - 1


def nearest_clusters(features, labels, is_new):
    """For new rows the cluster whose known rows have the nearest mean."""
    known = np.flatnonzero(~is_new)
    names, own, sizes = np.unique(
        labels[known], return_inverse=True, return_counts=True
    )
    shares = sparse.csr_matrix(
        (1 / sizes[own], (own, known)), (len(sizes), len(labels))
    )
    return names[pairwise_distances_argmin(features[is_new], shares @ features)]


def deal(labels, dealt_before, n, rng):
    """Deal rows out by their clusters: one of each in turn, from the smallest on.

    Parameters
    ----------
    labels : ndarray of int of shape (n_rows,)
        The rows' clusters.

    dealt_before : ndarray of int
        Clusters of rows that count as dealt first.

    n : int
        Number of rows to deal, at most ``n_rows``.

    rng : RandomState
        Shuffles rows, and clusters of equal size.

    Returns
    -------
    turns : ndarray of shape (n,)
        int64 positions in ``labels``.
    """
    order = rng.permutation(len(labels))
    names, own, sizes = np.unique(
        labels[order], return_inverse=True, return_counts=True
    )
    by_size = np.lexsort((rng.permutation(len(sizes)), sizes))
    turn_of = np.empty(len(sizes), dtype=np.int64)
    turn_of[by_size] = np.arange(len(sizes))
    before = np.sort(dealt_before)
    n_before = np.searchsorted(before, names, "right") - np.searchsorted(before, names)
    # The round in which a row is dealt: its place in its cluster.
    rounds = n_before[own] + earlier_equals(own)
    return order[np.lexsort((turn_of[own], rounds))[:n]]
