"""Largest cluster maximum distance: the farthest row of the heaviest cluster."""

import numpy as np

from skbadge._compat import StrOptions
from skbadge.samplers._base import (
    Sampler,
    fill_uniformly,
    first_row,
    left_open,
    negligible_mass,
)
from skbadge.utils._chunks import row_chunks
from skbadge.utils._ties import Ties


class LCMD(Sampler):
    r"""Largest cluster maximum distance: split the heaviest cluster at its far end.

    Each row belongs to the cluster of its nearest centre. The next pick is the row
    farthest from its centre within the cluster of greatest size :math:`\sum_x w(x)`,
    and becomes a centre itself (Holzmüller et al. [1]_). Dense regions
    are covered by more picks than by farthest-first traversal, and outliers by fewer.
    ``labeled`` rows, if given, are centres from the start ("TP mode" of the paper);
    without, the first pick is the only centre at first ("P mode").

    The picks do not depend on the scale of the embedding, and not on chance but where
    ``first_center`` is random, or where all rows left coincide with centres. Of equal
    rows the first is taken, of clusters of equal size that of the older centre, and a
    row changes to a new centre only if that is nearer than its own. (The authors' code
    takes the farthest row of all clusters of the greatest size; the paper leaves ties
    open.)

    Parameters
    ----------
    weights : {"sq_dist", "dist", "none"}, default="sq_dist"
        What a row adds to the size of its cluster: the squared distance to its centre,
        as in the paper, the distance, or 1.

    first_center : {"max_norm", "uniform", "norm_weighted"}, default="max_norm"
        How the first row is picked if there are no labelled rows. "max_norm" is the
        paper's rule, of equal norms a random one.

    algorithm : {"lazy", "plain"}, default="lazy"
        Both make the same picks. "plain" measures all rows from each pick. "lazy"
        leaves out those that cannot change to it: by the triangle inequality, a row at
        distance :math:`d` from its centre :math:`c` is no nearer to a pick :math:`p`
        with :math:`|p - c| \ge 2 d`.

    Notes
    -----
    The values of the selection are the distances of the picks to their centres at the
    moment they were picked, for the first of all its norm.

    "plain" evaluates ``n_rows * (n + n_labeled)`` distances. "lazy" evaluates as many
    where the columns are many and independent, so that all rows are about equally far
    from each other, and far fewer where few directions carry most of the variance, as
    they do in the embeddings of nets. Those to the labelled rows come as one product
    in blocks. Beyond the embedding, about six float64 arrays of ``n_rows`` and blocks
    of fixed size are held.

    Labelled rows that coincide but for rounding are one centre. Distances have the
    precision of the embedding; pass one of float64 where rows of almost equal distance
    are to be told apart.

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
        "first_center": [StrOptions({"max_norm", "uniform", "norm_weighted"})],
        "algorithm": [StrOptions({"lazy", "plain"})],
    }

    def __init__(self, *, weights="sq_dist", first_center="max_norm", algorithm="lazy"):
        self.weights = weights
        self.first_center = first_center
        self.algorithm = algorithm

    def _run(self, embedding, n, labeled, feasible, rng):
        is_lazy = self.algorithm == "lazy"
        clustering = _Clustering(embedding, n, labeled, self.weights, is_lazy)
        if labeled is None:
            first = first_row(
                embedding, self.first_center, feasible.open(), Ties(rng), rng
            )
            clustering.pick(first, embedding.norms_sq()[first])
        clustering.advance()
        return fill_uniformly(
            clustering.rows,
            np.sqrt(clustering.values),
            n,
            left_open(feasible, clustering.rows),
            rng,
            value_name="distance",
            n_distances=clustering.n_distances,
        )


class _Clustering:
    """Clusters of the rows around labelled rows and picks, in this order.

    Invariant: ``nearest[x]`` is the first of the centres nearest to row ``x``, and
    ``sq_dists[x]`` its squared distance, 0 for a pick.
    """

    # What one distance of a gathered row costs, in distances of a pass over all rows.
    gathered_cost = 3

    def __init__(self, embedding, n, labeled, weights, is_lazy):
        self.embedding = embedding
        self.n = n
        self.weights = weights
        self.is_lazy = is_lazy
        self.rows = []
        self.values = []
        self.negligible = negligible_mass(embedding) / len(embedding)
        self.n_distances = 0
        self.labeled = None
        self.nearest = np.zeros(len(embedding), dtype=np.intp)
        self.sq_dists = np.full(len(embedding), np.inf)
        if labeled is not None:
            self.labeled = labeled.take(first_copies(labeled, self.negligible))
            self.nearest, self.sq_dists = embedding.nearest(self.labeled)
            self.n_distances += len(labeled) ** 2 + len(embedding) * len(self.labeled)
        self.n_centers = 0 if self.labeled is None else len(self.labeled)
        self.exhausted = np.zeros(self.n_centers + n, dtype=bool)

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
        while sizes.max() > -np.inf:
            largest = int(sizes.argmax())
            members = np.flatnonzero(self.nearest == largest)
            sq_dists = self.sq_dists[members]
            if sq_dists.max(initial=0.0) > self.negligible:
                return int(members[sq_dists.argmax()])
            # For good: a cluster gains rows only when its centre is new.
            self.exhausted[largest] = True
            sizes[largest] = -np.inf
        return None

    def _sizes(self):
        # Summed anew for each pick: sums kept up to date would drift, and with them
        # the order of clusters of equal size.
        weights = None if self.weights == "none" else self.sq_dists
        if self.weights == "dist":
            weights = np.sqrt(self.sq_dists)
        sizes = np.bincount(self.nearest, weights, minlength=self.n_centers)
        return sizes.astype(np.float64, copy=False)

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
        self.rows.append(row)
        self.values.append(float(value))

    def _candidates(self, center):
        """Yield all rows that may be nearer to a new centre than to theirs, in blocks.

        Slices of all rows, unless it costs less to gather those few that may.
        """
        n_rows = len(self.embedding)
        if self.is_lazy and self.n_centers:
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
        parts = [] if self.labeled is None else [self.labeled]
        if self.rows:
            parts.append(self.embedding.take(np.array(self.rows)))
        between = np.concatenate([part.sq_dists(center)[:, 0] for part in parts])
        norms_sq = np.concatenate([part.norms_sq() for part in parts])
        self.n_distances += self.n_centers
        rounding = 2 * center._cancellation * (norms_sq + center.norms_sq())
        return (between - rounding) / 4


def first_copies(embedding, negligible):
    """Rows that no earlier row coincides with.

    Rows that have equal centres may come out nearer to either by rounding: a cluster
    would fall to pieces.

    Parameters
    ----------
    embedding : Embedding
        The rows.

    negligible : float
        Squared distance at which rows coincide.

    Returns
    -------
    rows : ndarray of int64
        Ascending.
    """
    is_first = np.empty(len(embedding), dtype=bool)
    for rows in row_chunks(len(embedding), len(embedding), minimum=64):
        before = embedding.take(slice(rows.stop))
        earliest = embedding.take(rows).sq_dists(before) <= negligible
        own = np.arange(rows.start, rows.stop)
        earliest[own - rows.start, own] = True
        is_first[rows] = earliest.argmax(axis=1) == own
    return np.flatnonzero(is_first)
