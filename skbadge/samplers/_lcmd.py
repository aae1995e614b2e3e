"""Largest cluster maximum distance: the farthest row of the heaviest cluster."""

from typing import Literal

import numpy as np

from skbadge._compat import StrOptions
from skbadge.samplers._base import (
    FIRST_CENTER,
    FirstCenter,
    Sampler,
    fill_uniformly,
    first_row,
    negligible_mass,
)
from skbadge.utils._chunks import row_chunks
from skbadge.utils._ties import Ties, rounded


class LCMD(Sampler):
    r"""Largest cluster maximum distance: split the heaviest cluster at its far end.

    Each row belongs to the cluster of its nearest centre. The next pick is the row
    farthest from its centre within the cluster of greatest size :math:`\sum_x w(x)`,
    and becomes a centre itself (Holzmüller et al. [1]_). Dense regions
    are covered by more picks than by farthest-first traversal, and outliers by fewer.
    ``labeled`` rows, if given, are centres from the start ("TP mode" of the paper), and
    so are pending rows; without, the first pick is the only centre at first ("P mode").

    Rows that may not be picked count in the sizes of clusters like all others. A
    cluster in which no row may be picked is passed over.

    The picks do not depend on the scale of the embedding, and on chance only where
    there are rows at equal distance, where ``first_center`` is random, or where all
    rows left coincide with centres. Of clusters of equal size that of the older centre
    is split, and a row changes to a new centre only if that is nearer than its own.
    (The authors' code takes the farthest row of all clusters of the greatest size; the
    paper leaves ties open.)

    Parameters
    ----------
    weights : {"sq_dist", "dist", "none"}, default="sq_dist"
        What a row adds to the size of its cluster: the squared distance to its centre,
        as in the paper, the distance, or 1.

    first_center : {"max_norm", "uniform", "norm_weighted"}, default="max_norm"
        How the first row is picked if none is labelled or pending. "max_norm" is the
        paper's rule, of equal norms a random one.

    Notes
    -----
    The values of the selection are the distances of the picks to their centres at the
    moment they were picked, for the first of all its norm.

    Rows that cannot change to a pick are not measured from it: by the triangle
    inequality, a row at distance :math:`d` from its centre :math:`c` is no nearer to a
    pick :math:`p` with :math:`|p - c| \ge 2 d`. Where the columns are many and
    independent, all rows are about equally far from each other, and all
    ``n_rows * (n + n_labeled)`` distances are evaluated; far fewer where few directions
    carry most of the variance, as they do in the embeddings of nets. Those to the
    labelled rows come as one product in blocks. Beyond the embedding, about six float64
    arrays of ``n_rows`` and blocks of fixed size are held.

    Labelled rows that coincide but for rounding are one centre. Distances have the
    precision of the embedding: in float32 they are equal if they agree to five digits.
    Pass an embedding of float64 where such rows are to be told apart.

    References
    ----------
    .. [1] D. Holzmüller, V. Zaverkin, J. Kästner, I. Steinwart. "A framework and
       benchmark for deep batch active learning for regression". JMLR 24, 2023.

    Examples
    --------
    The row at -3 is farthest from a centre, but the three beyond 10 weigh more:

    >>> from skbadge.embeddings import DenseEmbedding
    >>> from skbadge.samplers import LCMD, KCenter
    >>> labeled = DenseEmbedding([[0.0], [10.0]])
    >>> embedding = DenseEmbedding([[-3.0], [11.5], [12.0], [12.5]])
    >>> LCMD().sample(embedding, 2, labeled=labeled)
    array([3, 0])
    >>> KCenter().sample(embedding, 2, labeled=labeled)
    array([0, 3])
    """

    _parameter_constraints: dict = {
        "weights": [StrOptions({"sq_dist", "dist", "none"})],
        **FIRST_CENTER,
    }

    reads_population = True

    def __init__(
        self,
        *,
        weights: Literal["sq_dist", "dist", "none"] = "sq_dist",
        first_center: FirstCenter = "max_norm",
    ) -> None:
        self.weights = weights
        self.first_center = first_center

    def _run(self, embedding, n, labeled, feasible, rng):
        ties = Ties(rng)
        clustering = _Clustering(embedding, n, labeled, feasible, self.weights, ties)
        if labeled is None and not len(feasible.pending):
            first = first_row(
                embedding, self.first_center, clustering.open_rows, ties, rng
            )
            clustering.pick(first, embedding.norms_sq()[first])
        clustering.advance()
        return fill_uniformly(
            clustering.rows,
            np.sqrt(clustering.values),
            n,
            clustering.open_rows,
            rng,
            value_name="distance",
            n_distances=clustering.n_distances,
        )


class _Clustering:
    """Clusters of the rows around labelled rows, pending rows and picks, in this order.

    Invariant: ``nearest[x]`` is the first of the centres nearest to row ``x``, and
    ``sq_dists[x]`` its squared distance, 0 for a pending row or a pick.
    """

    # What one distance of a gathered row costs, in distances of a pass over all rows.
    gathered_cost = 3

    def __init__(self, embedding, n, labeled, feasible, weights, ties):
        self.embedding = embedding
        self.n = n
        self.open_rows = feasible.open()
        self.weights = weights
        self.ties = ties
        self.rows = []
        self.values = []
        self.negligible = negligible_mass(embedding) / len(embedding)
        self.n_distances = 0
        self.nearest = np.zeros(len(embedding), dtype=np.intp)
        self.sq_dists = np.full(len(embedding), np.inf)
        self.start = []
        self.n_centers = 0
        if labeled is not None:
            self._start_from(labeled)
        if len(feasible.pending):
            # Those that coincide with a labelled row are no centres of their own.
            is_far = self.sq_dists[feasible.pending] > self.negligible
            self._start_from(embedding.take(feasible.pending[is_far]))
            self.sq_dists[feasible.pending] = 0.0
        self.exhausted = np.zeros(self.n_centers + n, dtype=bool)

    def _start_from(self, rows):
        """Make some rows centres, but for copies of others among them."""
        if not len(rows):
            return
        centers = rows.take(first_copies(rows, self.negligible))
        nearest, sq_dists = self.embedding.nearest(centers)
        self.n_distances += len(rows) ** 2 + len(self.embedding) * len(centers)
        if self.n_centers:
            closer = sq_dists < self.sq_dists
            nearest = np.where(closer, nearest + self.n_centers, self.nearest)
            sq_dists = np.where(closer, sq_dists, self.sq_dists)
        self.nearest, self.sq_dists = nearest, sq_dists
        self.start.append(centers)
        self.n_centers += len(centers)

    def advance(self):
        """Pick rows until there are enough, or all coincide with centres."""
        while len(self.rows) < self.n:
            row = self._farthest_of_largest()
            if row is None:
                return
            self.pick(row, self.sq_dists[row])

    def _farthest_of_largest(self):
        """The farthest row of the largest cluster that has one left to pick."""
        sizes = self._sizes()
        sizes[self.exhausted[: self.n_centers]] = -np.inf
        dtype = self.embedding.dtype
        while sizes.max() > -np.inf:
            largest = int(sizes.argmax())
            members = np.flatnonzero(self.nearest == largest)
            members = members[self.open_rows.mask[members]]
            sq_dists = self.sq_dists[members]
            if sq_dists.max(initial=0.0) > self.negligible:
                return int(members[self.ties.greatest(sq_dists, members, dtype)])
            # For good: a cluster gains rows only when its centre is new.
            self.exhausted[largest] = True
            sizes[largest] = -np.inf
        return None

    def _sizes(self):
        """Of the clusters, those equal but for rounding made equal."""
        # Summed anew for each pick: sums kept up to date would drift, and with them
        # the order of clusters of equal size.
        if self.weights == "none":
            return np.bincount(self.nearest, minlength=self.n_centers).astype(float)
        weights = self.sq_dists
        if self.weights == "dist":
            weights = np.sqrt(weights)
        sizes = np.bincount(self.nearest, weights, minlength=self.n_centers)
        return rounded(sizes, self.embedding.dtype)

    def pick(self, row, value):
        """Make a row a centre, and let the rows nearer to it than to theirs change."""
        center = self.embedding.take(np.array([row]))
        for rows in self._candidates(center):
            sq_dists = self.embedding.take(rows).sq_dists(center)[:, 0]
            self.n_distances += len(sq_dists)
            closer = np.flatnonzero(sq_dists < self.sq_dists[rows])
            changed = rows.start + closer if isinstance(rows, slice) else rows[closer]
            self.sq_dists[changed] = sq_dists[closer]
            self.nearest[changed] = self.n_centers
        self.sq_dists[row] = 0.0
        self.nearest[row] = self.n_centers
        self.n_centers += 1
        self.open_rows.close(row)
        self.rows.append(row)
        self.values.append(float(value))

    def _candidates(self, center):
        """Yield all rows that may be nearer to a new centre than to theirs, in blocks.

        Slices of all rows, unless it costs less to gather those few that may.
        """
        n_rows = len(self.embedding)
        if self.n_centers:
            reach = self._reach(center)
            rows = np.flatnonzero(self.sq_dists > reach[self.nearest])
            if len(rows) * self.gathered_cost < n_rows:
                for chunk in row_chunks(len(rows), sum(center._pair_cost())):
                    yield rows[chunk]
                return
        yield from row_chunks(n_rows, 4)

    def _reach(self, center):
        """Squared distance to each centre up to which no row changes to a new one.

        Half the distance between the centres, less what rounding may add to that and
        to the distances of a row, whose norm is within a small multiple of theirs.
        """
        parts = self.start.copy()
        if self.rows:
            parts.append(self.embedding.take(np.array(self.rows)))
        between = np.concatenate([part.sq_dists(center)[:, 0] for part in parts])
        norms_sq = np.concatenate([part.norms_sq() for part in parts])
        self.n_distances += self.n_centers
        rounding = 2 * center._cancellation * (norms_sq + center.norms_sq())
        return (between - rounding) / 4


def first_copies(embedding, negligible):
    """Rows that no earlier row coincides with, but for a negligible distance.

    Rows that have equal centres may come out nearer to either by rounding: a cluster
    would fall to pieces.
    """
    is_first = np.empty(len(embedding), dtype=bool)
    for rows in row_chunks(len(embedding), len(embedding), minimum=64):
        before = embedding.take(slice(rows.stop))
        earliest = embedding.take(rows).sq_dists(before) <= negligible
        own = np.arange(rows.start, rows.stop)
        earliest[own - rows.start, own] = True
        is_first[rows] = earliest.argmax(axis=1) == own
    return np.flatnonzero(is_first)
