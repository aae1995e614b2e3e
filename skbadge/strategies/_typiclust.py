"""TypiClust: the most typical row of each cluster that has fewest labels."""

from dataclasses import replace
from itertools import islice
from numbers import Integral

import numpy as np
from scipy import sparse
from sklearn.utils.extmath import row_norms

from skbadge._compat import Interval
from skbadge.outputs import Needs
from skbadge.samplers import Selection
from skbadge.samplers._base import fill_uniformly
from skbadge.strategies._base import Strategy
from skbadge.strategies._sampled import sampled
from skbadge.utils._chunks import row_chunks
from skbadge.utils._clustering import cluster, sq_dists_to
from skbadge.utils._place import new_array
from skbadge.utils._ties import Ties, rounded

# Clusters of so few rows come last.
SMALL = 5

# Added to the mean distance, so that typicality is finite.
EPSILON = 1e-5


class TypiClust(Strategy):
    """TypiClust: typical rows of the clusters that have fewest labels.

    For few labels, by Hacohen et al. [1]_: rows are clustered by k-means, and the most
    typical row of each cluster is selected, first of clusters without a labelled row,
    and of these of the largest. A row is the more typical, the nearer its nearest
    neighbours in the cluster are. It needs no model and no labels: before the first
    label it selects by the rows' own columns.

    Parameters
    ----------
    n_neighbors : int, default=20
        Neighbours that typicality is measured by, at least 1. At most half of the
        cluster's rows are.

    max_clusters : int, default=500
        Number of clusters at most. There are as many as labelled, pending and selected
        rows together, if that is less.

    n_candidates : int, default=35000
        Of a pool in chunks whose features are not kept, number of rows to select among,
        at least 1 and no fewer than are selected: drawn uniformly from those that may
        be selected, and clustered together with 10,000 (``4 * n`` if that is more)
        drawn from all. A report says so.

    Notes
    -----
    The clusters are those of all rows of the pool and the labelled ones. Pending rows
    count as labelled. With more rows to select than clusters, each cluster has its turn
    again, and its selected rows no longer count as neighbours. Clusters of five rows or
    fewer come after all others, as do rows that equal a labelled one.

    The authors' code takes squared distances and updates no cluster after its first
    turn; here distances are Euclidean, as in their paper.

    The time is that of scikit-learn's k-means, by mini-batches above 50 clusters, and
    ``size ** 2 * n_features`` for each cluster in its first turn: a second for 10,000
    rows of 256 features on one core. Later turns measure few rows anew. Memory is that
    of the features, once more if rows are labelled, and of one cluster's features in
    float64.

    References
    ----------
    .. [1] G. Hacohen, A. Dekel, D. Weinshall. "Active learning on a budget: opposite
       strategies suit high and low budgets". ICML 2022.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skbadge import BadgeQuerier
    >>> X, y = load_iris(return_X_y=True)
    >>> model = LogisticRegression(max_iter=1000)
    >>> querier = BadgeQuerier(model, strategy="typiclust", random_state=0)
    >>> querier = querier.fit(X[::50], y[::50])
    >>> rows = querier.query(X, n=3, candidates=range(1, 50))
    >>> len(rows)
    3
    """

    _parameter_constraints: dict = {
        "n_neighbors": [Interval(Integral, 1, None, closed="left")],
        "max_clusters": [Interval(Integral, 1, None, closed="left")],
        "n_candidates": [Interval(Integral, 1, None, closed="left")],
    }

    needs = Needs(features=True, labeled=True, sparse=True)
    reads_population = True
    streams = True

    def __init__(
        self,
        n_neighbors: int = 20,
        *,
        max_clusters: int = 500,
        n_candidates: int = 35_000,
    ):
        self.n_neighbors = n_neighbors
        self.max_clusters = max_clusters
        self.n_candidates = n_candidates

    def _run(self, pool, n, labeled, feasible, rng):
        ties, open_rows = Ties(rng), feasible.open()
        picks = []
        if n:
            known = None if labeled is None else labeled.outputs.features
            turns = self._turns(pool.features, n, known, feasible, rng)
            typical = typical_rows(
                pool.features, turns, open_rows, self.n_neighbors, ties
            )
            picks = list(islice(typical, n))
        return fill_uniformly(
            [row for row, _ in picks],
            [typicality for _, typicality in picks],
            n,
            open_rows,
            rng,
            value_name="typicality",
            found="equal no labelled one",
        )

    def _run_on_chunks(self, pool, n, labeled, feasible, rng):
        if n == 0:
            return Selection(np.empty(0, dtype=np.int64), np.empty(0), "typicality")
        sample = sampled(pool, n, feasible, rng, n_candidates=self.n_candidates)
        selection = self._run(sample.outputs, n, labeled, sample.feasible, rng)
        notes, n_candidates = (), len(sample.samples.candidates)
        if len(sample.rows) < len(pool) or n_candidates < sample.samples.n_open:
            notes = (
                f"clustered {len(sample.rows)} of {len(pool)} rows, and picked from "
                f"{n_candidates}, drawn uniformly",
            )
        return replace(
            selection,
            rows=sample.rows[selection.rows],
            notes=notes,
            nbytes=selection.nbytes + sample.outputs.nbytes,
        )

    def _turns(self, features, n, known, feasible, rng):
        """The unlabelled rows of the clusters, in two queues: small ones come last."""
        is_new = np.ones(feasible.n_rows, dtype=bool)
        if feasible.repeats is not None:
            # They are among the labelled rows.
            is_new = ~feasible.repeats
        matrix = _stacked(features, is_new, known)
        waiting = feasible.pending[is_new[feasible.pending]]
        n_known = matrix.shape[0] - np.count_nonzero(is_new) + len(waiting)
        n_clusters = min(n_known + n, self.max_clusters, matrix.shape[0])
        labels, _ = cluster(matrix, n_clusters, rng)
        sizes = np.bincount(labels, minlength=n_clusters)
        is_unlabeled = np.zeros(len(labels), dtype=bool)
        is_unlabeled[: np.count_nonzero(is_new)] = True
        rows = np.flatnonzero(is_new)
        is_unlabeled[np.searchsorted(rows, waiting)] = False
        n_labeled = np.bincount(labels[~is_unlabeled], minlength=n_clusters)
        own = np.flatnonzero(is_unlabeled)
        by_cluster = own[np.argsort(labels[own], kind="stable")]
        ends = np.cumsum(np.bincount(labels[own], minlength=n_clusters))
        members = np.split(rows[by_cluster], ends[:-1])
        order = np.lexsort((-sizes, n_labeled))
        return [
            [members[j] for j in order if (sizes[j] <= SMALL) == is_small]
            for is_small in (False, True)
        ]


def _stacked(features, is_new, known):
    """Rows of a pool that are no labelled ones, and the labelled rows below them."""
    if known is None or not known.shape[0]:
        return features if is_new.all() else features[is_new]
    if sparse.issparse(features):
        return sparse.vstack([features[is_new], known], format="csr")
    n_new = np.count_nonzero(is_new)
    shape = n_new + len(known), features.shape[1]
    matrix = new_array(shape, features.dtype)
    np.compress(is_new, features, axis=0, out=matrix[:n_new])
    matrix[n_new:] = known
    return matrix


def typical_rows(features, queues, open_rows, n_neighbors, ties):
    """Yield the most typical open row of each cluster in turn, until none is open.

    Parameters
    ----------
    features : ndarray or CSR matrix of shape (n_rows, n_features)
        Of the pool.

    queues : list of list of ndarray of int
        The unlabelled rows of clusters. Those of a queue have a turn again and again,
        and those of the next queue once none of its rows is left.

    open_rows : OpenRows
        The rows that may be picked. Those yielded close.

    n_neighbors : int
        Neighbours that count, at most half of a cluster's rows.

    ties : Ties
        Orders rows of equal typicality.

    Yields
    ------
    row : int
        Its position.

    typicality : float
        In its cluster, without the rows picked before.
    """
    queues = [[_Cluster(rows) for rows in queue] for queue in queues]
    for queue in queues:
        while queue:
            queue = [each for each in queue if open_rows.mask[each.rows].any()]
            for each in queue:
                # Its group may have closed in this round.
                if open_rows.mask[each.rows].any():
                    row, typicality = each.pick(features, open_rows, n_neighbors, ties)
                    yield row, typicality


class _Cluster:
    """The rows of a cluster that are not picked, and what is known of them.

    Invariant: ``bounds`` are at most the mean distances to the ``n_neighbors`` nearest
    rows, which only grow as rows are picked.
    """

    def __init__(self, rows):
        self.rows = rows
        self.bounds = None
        self.n_neighbors = 0

    def pick(self, features, open_rows, n_neighbors, ties):
        """Pick the most typical open row, and say how typical it is."""
        n_neighbors = min(n_neighbors, len(self.rows) // 2)
        where, mean = 0, 0.0
        if n_neighbors:
            matrix = features[self.rows]
            if n_neighbors != self.n_neighbors:
                self.bounds = mean_dist_bounds(matrix, n_neighbors)
                self.n_neighbors = n_neighbors
            is_open = open_rows.mask[self.rows]
            where, mean = least_mean_dist(
                matrix, is_open, n_neighbors, self.bounds, ties.of(self.rows)
            )
            self.bounds = np.delete(self.bounds, where)
        row = int(self.rows[where])
        self.rows = np.delete(self.rows, where)
        open_rows.close(row)
        return row, 1 / (mean + EPSILON)


def mean_dist_bounds(matrix, n_neighbors):
    """Bounds from below of the mean distances to the nearest rows, by products.

    In float32, of centred rows, scaled to length 1 at most, and in blocks.
    """
    n_rows, n_columns = matrix.shape
    matrix = matrix.astype(np.float64)
    if not sparse.issparse(matrix):
        # So that products keep more digits.
        matrix -= matrix.mean(axis=0)
    scale = row_norms(matrix).max() or 1.0
    matrix = (matrix / scale).astype(np.float32)
    sizes, bounds = row_norms(matrix, squared=True), np.empty(n_rows)
    slack = 4 * np.finfo(np.float32).eps * (1 + np.sqrt(n_columns))
    for block in row_chunks(n_rows, n_rows, minimum=64):
        products = matrix[block] @ matrix.T
        if sparse.issparse(products):
            products = products.toarray()
        products *= -2
        products += sizes
        products += sizes[block, None]
        own = np.arange(block.start, block.stop)
        products[own - block.start, own] = np.inf
        products.partition(n_neighbors - 1, axis=1)
        sq_dists = np.maximum(products[:, :n_neighbors] - slack, 0)
        bounds[block] = np.sqrt(sq_dists).mean(axis=1, dtype=np.float64)
    return scale * bounds


def least_mean_dist(matrix, is_open, n_neighbors, bounds, ties):
    """The open row of least mean distance to its nearest rows, and that distance.

    Lazily: rows are measured in the order of their bounds, which that raises, until no
    other can be nearer.
    """
    rows = np.flatnonzero(is_open)
    keys, least = ties.keys(rows), rounded(bounds[rows])
    best, where, found = (np.inf, np.inf), -1, np.inf
    for i in np.lexsort((keys, least)):
        # Of equal rows that of least key is picked.
        if (least[i], keys[i]) >= best:
            break
        row = rows[i]
        dists = np.sqrt(np.delete(sq_dists_to(matrix, matrix[[row]]), row))
        bounds[row] = np.partition(dists, n_neighbors - 1)[:n_neighbors].mean()
        measured = float(rounded(bounds[row])), keys[i]
        if measured < best:
            best, where, found = measured, row, bounds[row]
    return int(where), float(found)
