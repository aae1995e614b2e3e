"""Farthest-first traversal: greedy k-center, lazy and exact."""

from dataclasses import dataclass

import numpy as np

from skbadge.embeddings import Embedding, to_device
from skbadge.samplers._base import (
    FIRST_CENTER,
    FirstCenter,
    Sampler,
    fill_uniformly,
    negligible_mass,
)
from skbadge.samplers._chunk_picks import ChunkPicks
from skbadge.samplers._greedy import LazyGreedy
from skbadge.samplers._nearest_pick import NearestPick
from skbadge.samplers._row_sketch import Greatest
from skbadge.samplers._taken import Taken
from skbadge.utils._ties import Ties


class KCenter(Sampler):
    """Farthest-first traversal: each pick is the row farthest from those before it.

    The greedy 2-approximation of the k-center problem (Gonzalez [1]_), which is the
    greedy form of Core-Set [2]_, and called MaxDist in the literature on regression
    [3]_: `MaxDist` is another name of this class. Rows at equal distance are picked in
    random order, so the result depends on chance only where there are such rows, where
    ``first_center`` is random, or where all rows left coincide with picks.

    Parameters
    ----------
    first_center : {"max_norm", "uniform", "norm_weighted"}, default="max_norm"
        How the first row is picked if none is labelled or pending.

    Notes
    -----
    Distances only shrink as picks are added, so only those rows are measured from a
    pick whose last known distance could still be the greatest.

    Distances are formed in float64. They are equal if they agree to twelve digits.

    Beyond the embedding, three float64 arrays of ``n_rows`` and blocks of fixed size
    are held. From an embedding that comes in chunks the picks are the same: each pass
    keeps ``16 * n`` rows of greatest distance, and as many are picked as are sure to be
    beyond the others.

    References
    ----------
    .. [1] T. F. Gonzalez. "Clustering to minimize the maximum intercluster distance".
       Theoretical Computer Science 38, 1985.
    .. [2] O. Sener, S. Savarese. "Active learning for convolutional neural networks: a
       core-set approach". ICLR 2018.
    .. [3] D. Holzmüller, V. Zaverkin, J. Kästner, I. Steinwart. "A framework and
       benchmark for deep batch active learning for regression". JMLR 24, 2023.

    Examples
    --------
    >>> from skbadge.embeddings import DenseEmbedding
    >>> from skbadge.samplers import KCenter
    >>> embedding = DenseEmbedding([[0.0], [1.0], [5.0], [9.0]])
    >>> KCenter().sample(embedding, 3)
    array([3, 0, 2])
    """

    streams = True
    _parameter_constraints: dict = FIRST_CENTER

    def __init__(self, *, first_center: FirstCenter = "max_norm") -> None:
        self.first_center = first_center

    def _run(self, embedding, n, labeled, feasible, rng):
        return farthest_first(
            embedding, n, labeled, feasible, rng, first_center=self.first_center
        )

    def _run_on_chunks(self, view, n, labeled, feasible, rng):
        ties = Ties(rng)
        picks = ChunkPicks(view, n, labeled, feasible)
        if picks.centers is None:
            picks.pick_first(self.first_center, ties, rng)

        def part_of(size):
            centers = picks.centers
            picks.n_distances += len(view) * len(centers)
            return _Distances(size, Greatest(ties), centers, picks.taken)

        def begin(sketch):
            traversal = _Traversal(
                sketch.embedding,
                picks.n_left,
                picks.taken.open_rows(sketch.rows),
                ties.of(sketch.rows),
            )
            traversal.bound = sketch.values.copy()
            traversal.negligible = view.negligible_mass / len(view)
            return traversal

        picks.contest(part_of, begin)
        return picks.finish(np.sqrt(picks.values), rng, value_name="distance")


MaxDist = KCenter


def farthest_first(embedding, n, labeled, feasible, rng, *, first_center="max_norm"):
    """Pick rows by a farthest-first traversal, see `KCenter`.

    It asks of an embedding its length, dtype and squared norms, rows of it (`take`,
    `astype`) and their squared distances to the nearest of others (`min_sq_dists`).
    """
    traversal = _Traversal(embedding, n, feasible.open(), Ties(rng))
    traversal.begin(labeled, feasible, first_center, traversal.ties, rng)
    traversal.lazy()
    return fill_uniformly(
        traversal.rows,
        np.sqrt(traversal.values),
        n,
        traversal.open_rows,
        rng,
        value_name="distance",
        n_distances=traversal.n_distances,
    )


@dataclass
class _Distances:
    """The open rows of a chunk in the order of distance."""

    size: int
    order: Greatest
    centers: Embedding
    taken: Taken

    def __call__(self, chunk, first, sieves):
        opened, rows = self.taken.open_part(chunk, first)
        values = rows.min_sq_dists(to_device(self.centers, chunk.device), np.float64)
        return self.order.sketch(
            self.size, values, first, opened, embedding=rows, sieves=sieves
        )


class _Traversal(NearestPick, LazyGreedy):
    """A farthest-first traversal under way."""

    # So that of two rows all but equally far the farther one is picked, however the
    # products are blocked.
    product_dtype = np.float64

    # What one distance of a contender costs, in distances of a pass over all rows.
    contender_cost = 4

    # More contenders than these are asked for only where none of fewer can be picked:
    # each pick is measured from all that contend with it.
    many_contenders = 1024

    closed_value = 0.0

    def __init__(self, embedding, n, open_rows, ties):
        bound = np.full(len(embedding), np.inf)
        negligible = negligible_mass(embedding) / len(embedding)
        super().__init__(embedding, n, open_rows, ties, bound, negligible)
        self.settled = 0

    def lazy(self):
        """Pick among the rows of greatest bound, brought up to date.

        Rows that do not contend have distances no greater than the greatest bound
        among them: a contender beyond that bound is the farthest row of all.
        """
        size, spent = 256, 0
        while len(self.rows) < self.n:
            contenders, limit, first_outside = self._contenders(size)
            n_picked = len(self.rows)
            outstanding = n_picked - self.settled
            if not self._contest(contenders, limit, first_outside):
                return
            n_new = len(self.rows) - n_picked
            if n_new == 0 and self.all_contend:
                return
            spent += len(contenders) * (outstanding + n_new)
            # Many picks from one contest are worth more contenders, none at all needs
            # them: a limit so high must be let down.
            if n_new == 0 or (4 * n_new > size and size < self.many_contenders):
                size = min(2 * size, len(self.embedding))
            if spent * self.contender_cost > len(self.embedding) * (
                len(self.rows) - self.settled
            ):
                self.refresh()
                size, spent = 256, 0

    def _enter(self, contenders):
        block = self.embedding.take(contenders).astype(np.float64)
        sq_dists = self.bound[contenders]
        outstanding = self.rows[self.settled :]
        if outstanding:
            centers = self.embedding.take(np.array(outstanding))
            np.minimum(sq_dists, block.min_sq_dists(centers), out=sq_dists)
            self.n_distances += len(contenders) * len(outstanding)
        return block, sq_dists

    def _lower(self, block, sq_dists, position):
        center = block.take(np.array([position]))
        np.minimum(sq_dists, block.min_sq_dists(center), out=sq_dists)
        self.n_distances += len(block)
