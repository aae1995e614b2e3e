"""k-means++ seeding on implicit embeddings, exact, in about one pass over the rows."""

from dataclasses import dataclass
from itertools import count
from math import ceil

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
from skbadge.samplers._nearest_pick import NearestPick
from skbadge.samplers._row_sketch import Drawn, merged, new_seed, sketch_size
from skbadge.samplers._taken import Taken
from skbadge.utils._ranking import draw_weighted
from skbadge.utils._ties import Ties

# Rows to keep of a pool in chunks for each pick: some are rejected, and a sketch that
# runs out takes another read.
PROPOSALS_PER_PICK = 8

# What it takes to come by a row, in distances of a row to another one: what is read
# from a file and goes through a net costs about as much.
READ_COST = 256

LEAST_POSITIVE = float(np.finfo(np.float64).smallest_subnormal)


class KMeansPlusPlus(Sampler):
    r"""k-means++ seeding: each row drawn by its squared distance to those before it.

    With :math:`D^2(x)` the squared distance of row :math:`x` to the nearest row picked,
    labelled or pending, the next pick is :math:`x` with probability
    :math:`D^2(x) / \sum_y D^2(y)`, the sum being over the rows that may be picked
    (Arthur and Vassilvitskii [1]_). This is the sampler of BADGE [2]_, and not
    scikit-learn's greedy variant.

    Parameters
    ----------
    first_center : {"max_norm", "uniform", "norm_weighted"}, default="max_norm"
        How the first row is picked if none is labelled or pending. "max_norm" is what
        the code of the BADGE paper does, "uniform" is the original algorithm, and
        "norm_weighted" draws by squared norm. An outlier of great norm is always
        picked first by "max_norm", after which the second pick is close to uniform.

    Notes
    -----
    The values of the selection are the squared distances of the picks at the moment
    they were picked, for the first of all its squared norm.

    Rows are proposed from upper bounds of the distances that were right some picks ago,
    and a proposal is accepted with the probability that makes up for it; bounds are
    renewed only when that pays. This takes ``O(n_rows + n**2)`` distances in the usual
    case of ``n`` much smaller than ``n_rows``, where ``n_rows * n`` would be all.

    Beyond the embedding, two float64 arrays of ``n_rows`` and blocks of fixed size are
    held.

    From an embedding that comes in chunks, rows are drawn by the same law, though not
    the same rows for a seed: one pass for the first row, and one or a few for all
    others. Each keeps ``8 * n`` rows that are a weighted draw without replacement,
    which stands for draws from the whole pool as long as it lasts. Nothing that is held
    grows with ``n_rows``, and picks depend neither on the chunks nor on the order of
    their merges, but for rounding.

    References
    ----------
    .. [1] D. Arthur, S. Vassilvitskii. "k-means++: the advantages of careful seeding".
       SODA 2007.
    .. [2] J. T. Ash, C. Zhang, A. Krishnamurthy, J. Langford, A. Agarwal. "Deep batch
       active learning by diverse, uncertain gradient lower bounds". ICLR 2020.

    Examples
    --------
    >>> from skbadge.embeddings import DenseEmbedding
    >>> from skbadge.samplers import KMeansPlusPlus
    >>> embedding = DenseEmbedding([[0.0], [0.1], [5.0], [5.1]])
    >>> KMeansPlusPlus().sample(embedding, 2, random_state=0)
    array([3, 1])
    """

    streams = True
    _parameter_constraints: dict = FIRST_CENTER

    def __init__(self, *, first_center: FirstCenter = "max_norm") -> None:
        self.first_center = first_center

    def _run(self, embedding, n, labeled, feasible, rng):
        seeding = _Seeding(embedding, n, feasible.open())
        seeding.begin(labeled, feasible, self.first_center, Ties(rng), rng)
        seeding.lazy(rng)
        return fill_uniformly(
            seeding.rows,
            seeding.values,
            n,
            seeding.open_rows,
            rng,
            value_name="squared distance",
            n_distances=seeding.n_distances,
        )

    def _run_on_chunks(self, view, n, labeled, feasible, rng):
        ties, seed = Ties(rng), new_seed(rng)
        picks = ChunkPicks(view, n, labeled, feasible)
        if picks.centers is None:
            picks.pick_first(self.first_center, ties, rng)
        for number in count():
            if not picks.n_left:
                break
            size = sketch_size(picks.n_left, PROPOSALS_PER_PICK)
            order, centers = Drawn(seed, "proposals", number), picks.centers
            sketch = view.reduce(_Proposals(size, order, centers, picks.taken), merged)
            picks.n_distances += len(view) * len(centers)
            if sketch.total <= view.negligible_mass:
                break
            replay = _Replay(sketch, picks, len(centers), rng)
            replay.run()
            picks.add_from(sketch, replay)
            if sketch.is_complete:
                break
        return picks.finish(picks.values, rng, value_name="squared distance")


class _Acceptance:
    """How likely it is that a proposal is accepted, by those whose coins were thrown.

    Smoothed by one proposal that is certain of acceptance.
    """

    def __init__(self):
        self.n_tested, self.ratios = 1, 1.0

    def add(self, n_tested, ratios):
        """Count proposals, and the sum of their probabilities of acceptance."""
        self.n_tested += n_tested
        self.ratios += ratios

    @property
    def rate(self):
        """Mean probability of acceptance."""
        return self.ratios / self.n_tested


class _Seeding(NearestPick):
    """A k-means++ seeding under way."""

    # What one distance of a proposal costs, in distances of a pass over all rows:
    # proposals are gathered, and come in small blocks with Python in between.
    proposal_cost = 4

    def __init__(self, embedding, n, open_rows):
        self.embedding = embedding
        self.n = n
        self.open_rows = open_rows
        self.rows = []
        self.values = []
        self.bound = np.full(len(embedding), np.inf)
        self.settled = 0
        # Of groups used up since the bounds were summed.
        self.closed_mass = 0.0
        self.n_distances = 0
        self.negligible = negligible_mass(embedding)

    def _pick(self, row, value):
        self.rows.append(int(row))
        self.values.append(float(value))
        closed = self.open_rows.close(row)
        if len(closed) > 1:
            self.closed_mass += float(self.bound[closed].sum())
        self.bound[closed] = 0.0

    def lazy(self, rng):
        """Draw by exact rejection from the bounds.

        A proposal ``x`` comes with probability ``bound[x] / sum(bound)`` and is
        accepted with probability ``d / bound[x]``, ``d`` its true squared distance, or
        0 if it may not be picked any more: the next pick has the law ``d / sum(d)``
        whatever the bounds are. Three things keep this exact. A coin is compared with
        the bound its proposal was drawn by, though a better one is known once ``d`` is.
        When to refresh depends on proposals whose coins have been thrown, never on one
        that waits. And ``d`` never exceeds the bound, rounding or not.
        """
        while len(self.rows) < self.n:
            cumulative = np.cumsum(self.bound)
            self.closed_mass = 0.0
            if cumulative[-1] <= self.negligible:
                return
            if self._draw_until_stale(cumulative, rng):
                self.refresh()

    def _draw_until_stale(self, cumulative, rng):
        """Propose from fixed bounds; return whether it ends because a refresh pays."""
        in_all, since_pick = _Acceptance(), _Acceptance()
        # Mass falls fastest after the first picks, so the question of a refresh is put
        # each time their number has doubled, and at the end of each block.
        checkpoint = max(1, 2 * len(self.rows))
        while len(self.rows) < self.n and 2 * self.closed_mass <= cumulative[-1]:
            n_picked, goal = len(self.rows), min(self.n, checkpoint)
            size = ceil(1.2 * (goal - n_picked) / in_all.rate)
            proposals = draw_weighted(cumulative, min(max(size, 16), 256), rng)
            coins = rng.random_sample(len(proposals))
            tested = self._test(proposals, coins, goal)
            in_all.add(*tested)
            since_pick.add(*tested)
            if len(self.rows) > n_picked:
                since_pick = _Acceptance()
            if len(self.rows) >= checkpoint:
                checkpoint *= 2
            # Many proposals accepted in the past must not hide that no mass is left.
            if self._refresh_pays(min(in_all.rate, since_pick.rate)):
                return True
        return False

    def _test(self, proposals, coins, goal):
        """Throw the coins of a block of proposals, in order, up to a number of picks.

        Returns the number of coins thrown, and the sum of the probabilities of
        acceptance over them.
        """
        block = self.embedding.take(proposals)
        bound = self.bound[proposals]
        sq_dists = bound.copy()
        outstanding = self.rows[self.settled :]
        if outstanding:
            centers = self.embedding.take(np.array(outstanding))
            np.minimum(sq_dists, block.min_sq_dists(centers), out=sq_dists)
        between = block.sq_dists(block)
        self.n_distances += len(proposals) * (len(outstanding) + len(proposals))
        threshold = coins * bound
        # Of a row closed before this block both are 0, and so is their ratio.
        bound = np.maximum(bound, LEAST_POSITIVE)
        ratios, position = 0.0, 0
        while position < len(proposals) and len(self.rows) < goal:
            accepted = np.flatnonzero(threshold[position:] < sq_dists[position:])
            last = position + accepted[0] if len(accepted) else len(proposals) - 1
            tested = slice(position, last + 1)
            ratios += (sq_dists[tested] / bound[tested]).sum()
            position = last + 1
            if len(accepted) and self.open_rows.mask[proposals[last]]:
                self._pick(proposals[last], sq_dists[last])
                np.minimum(sq_dists, between[last], out=sq_dists)
        return position, ratios

    def _refresh_pays(self, rate):
        """Whether the proposals to come would cost more than exact bounds.

        If no mass is left but in stale bounds, every proposal is rejected, ``rate``
        falls, and a refresh soon pays and brings the truth to light.
        """
        left = self.n - len(self.rows)
        outstanding = len(self.rows) - self.settled
        wasted = left * (1 / rate - 1)
        per_proposal = outstanding + left / 2
        cost = len(self.embedding) * outstanding
        return wasted * per_proposal * self.proposal_cost > cost


@dataclass
class _Proposals:
    """The open rows of a chunk in the order of a draw by squared distance."""

    size: int
    order: Drawn
    centers: Embedding
    taken: Taken

    def __call__(self, chunk, first):
        opened, rows = self.taken.open_part(chunk, first)
        weights = rows.min_sq_dists(to_device(self.centers, chunk.device))
        return self.order.sketch(self.size, weights, first, opened, embedding=rows)


class _Replay(_Seeding):
    """Proposals from a sketch, as if rows were drawn from the whole pool.

    The rows of a sketch come in the order in which independent draws by weight would
    meet them for the first time. Between these times, draws meet rows again that have
    been seen: with probability ``W_seen / W``, with ``W`` the weight of all rows, a
    draw is of a seen row, by weight among them, else it is the next row of the sketch.
    Which one that is does not depend on whether there was such a draw. So the draws are
    independent, and rejection does the rest, as in `_Seeding.lazy`.

    A sketch is left before a draw, for reasons that the draws before it give. To draw
    on when all its rows have been seen, and to leave it when a row that it does not
    have is wanted, would favour the rows it has.
    """

    def __init__(self, sketch, picks, n_centers, rng):
        open_rows = picks.taken.open_rows(sketch)
        super().__init__(sketch.embedding, picks.n_left, open_rows)
        self.rng = rng
        self.negligible = picks.view.negligible_mass
        self.is_complete = sketch.is_complete
        self.bound = sketch.values.copy()
        self.cumulative = np.cumsum(sketch.values)
        # The same sum in another order.
        self.total = max(sketch.total, self.cumulative[-1])
        self.n_seen = 0
        self.read_cost = len(picks.view) * (n_centers + READ_COST)

    def run(self):
        """Pick rows until another read is due, at least one."""
        if self.is_complete:
            # There are no others: weights can be renewed without a read.
            self.lazy(self.rng)
            return
        in_all, since_pick = _Acceptance(), _Acceptance()
        while len(self.rows) < self.n and self.n_seen < len(self.bound):
            size = ceil(1.2 * (self.n - len(self.rows)) / in_all.rate)
            proposals = self._draws(min(max(size, 16), 256))
            coins = self.rng.random_sample(len(proposals))
            n_picked = len(self.rows)
            tested = self._test(proposals, coins, self.n)
            in_all.add(*tested)
            since_pick.add(*tested)
            if len(self.rows) > n_picked:
                since_pick = _Acceptance()
            if self._read_pays(in_all, since_pick):
                return

    def _draws(self, n_draws):
        """Positions of draws from the pool, until all rows of the sketch are seen."""
        n_seen, draws = self.n_seen, []
        # In the order of the sketch, a number below the weight of the rows seen is also
        # the draw of one of these.
        levels = self.rng.random_sample(n_draws) * self.total
        for position in np.searchsorted(self.cumulative, levels, "right").tolist():
            if n_seen == len(self.cumulative):
                break
            draws.append(min(position, n_seen))
            n_seen += draws[-1] == n_seen
        self.n_seen = n_seen
        return np.array(draws)

    def _read_pays(self, in_all, since_pick):
        """Whether the draws to come would cost more than weights that are right."""
        left = self.n - len(self.rows)
        rate = min(in_all.rate, since_pick.rate)
        per_draw = len(self.rows) + left / 2
        cost = left * (1 / rate - 1) * per_draw * self.proposal_cost
        return cost > self.read_cost or since_pick.n_tested > 50 + 20 / in_all.rate
