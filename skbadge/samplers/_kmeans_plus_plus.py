"""k-means++ seeding on implicit embeddings, exact, in about one pass over the rows."""

from math import ceil

import numpy as np

from skbadge._compat import StrOptions
from skbadge.samplers._base import (
    Sampler,
    fill_uniformly,
    first_row,
    left_open,
    negligible_mass,
)
from skbadge.samplers._nearest_pick import NearestPick
from skbadge.utils._ranking import draw_weighted
from skbadge.utils._ties import Ties


class KMeansPlusPlus(Sampler):
    r"""k-means++ seeding: each row drawn by its squared distance to those before it.

    With :math:`D^2(x)` the squared distance of row :math:`x` to the nearest row picked
    (or labelled, if ``labeled`` is given), the next pick is :math:`x` with probability
    :math:`D^2(x) / \sum_y D^2(y)` (Arthur and Vassilvitskii [1]_). This is the sampler
    of BADGE [2]_, and not scikit-learn's greedy variant.

    Parameters
    ----------
    first_center : {"max_norm", "uniform", "norm_weighted"}, default="max_norm"
        How the first row is picked if there are no labelled rows. "max_norm" is what
        the code of the BADGE paper does, "uniform" is the original algorithm, and
        "norm_weighted" draws by squared norm. An outlier of great norm is always
        picked first by "max_norm", after which the second pick is close to uniform.

    algorithm : {"lazy", "plain"}, default="lazy"
        Both have the same law. "plain" updates the distances of all rows after each
        pick, in ``O(n_rows * n)`` distances. "lazy" proposes rows from upper bounds of
        the distances that were right some picks ago, and accepts a proposal with the
        probability that makes up for it; bounds are renewed only when that pays. It
        needs ``O(n_rows + n**2)`` distances in the usual case of ``n`` much smaller
        than ``n_rows``.

    Notes
    -----
    Beyond the embedding, two float64 arrays of ``n_rows`` and blocks of fixed size are
    held (and, with a first centre of "max_norm", one boolean array for a moment).

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

    _parameter_constraints: dict = {
        "first_center": [StrOptions({"max_norm", "uniform", "norm_weighted"})],
        "algorithm": [StrOptions({"lazy", "plain"})],
    }

    def __init__(self, *, first_center="max_norm", algorithm="lazy"):
        self.first_center = first_center
        self.algorithm = algorithm

    def _run(self, embedding, n, labeled, feasible, rng):
        seeding = _Seeding(embedding, n)
        if labeled is None:
            seeding.start(
                first_row(embedding, self.first_center, feasible.open(), Ties(rng), rng)
            )
        else:
            seeding.lower(labeled)
        advance = seeding.plain if self.algorithm == "plain" else seeding.lazy
        advance(rng)
        return fill_uniformly(
            seeding.rows,
            seeding.values,
            n,
            left_open(feasible, seeding.rows),
            rng,
            value_name="squared distance",
            n_distances=seeding.n_distances,
        )


class _Seeding(NearestPick):
    """A k-means++ seeding under way."""

    # What one distance of a proposal costs, in distances of a pass over all rows:
    # proposals are gathered, and come in small blocks with Python in between.
    proposal_cost = 4

    def __init__(self, embedding, n):
        self.embedding = embedding
        self.n = n
        self.rows = []
        self.values = []
        self.picked = set()
        self.bound = np.full(len(embedding), np.inf)
        self.settled = 0
        self.n_distances = 0
        self.negligible = negligible_mass(embedding)

    def _pick(self, row, value):
        self.rows.append(int(row))
        self.values.append(float(value))
        self.picked.add(int(row))

    def plain(self, rng):
        """Draw from exact distances, one row at a time."""
        while len(self.rows) < self.n:
            cumulative = np.cumsum(self.bound)
            if cumulative[-1] <= self.negligible:
                return
            row = draw_weighted(cumulative, 1, rng)[0]
            self._pick(row, self.bound[row])
            self.refresh()

    def lazy(self, rng):
        """Draw by exact rejection from the bounds.

        A proposal ``x`` comes with probability ``bound[x] / sum(bound)`` and is
        accepted with probability ``d / bound[x]``, ``d`` its true squared distance: the
        next pick has the law ``d / sum(d)`` whatever the bounds are. Three things keep
        this exact. A coin is compared with the bound its proposal was drawn by, though
        a better one is known once ``d`` is. When to refresh depends on proposals whose
        coins have been thrown, never on one that waits. And ``d`` never exceeds the
        bound, rounding or not.
        """
        while len(self.rows) < self.n:
            cumulative = np.cumsum(self.bound)
            if cumulative[-1] <= self.negligible:
                return
            if self._draw_until_stale(cumulative, rng):
                self.refresh()

    def _draw_until_stale(self, cumulative, rng):
        """Propose from fixed bounds; return whether a refresh pays before the end."""
        n_tested, acceptance = 0, 0.0
        # Mass falls fastest after the first picks, so the question of a refresh is put
        # each time their number has doubled, and at the end of each block.
        checkpoint = max(1, 2 * len(self.rows))
        while len(self.rows) < self.n:
            goal = min(self.n, checkpoint)
            # Smoothed by one proposal that is certain of acceptance.
            rate = (acceptance + 1) / (n_tested + 1)
            size = ceil(1.2 * (goal - len(self.rows)) / rate)
            proposals = draw_weighted(cumulative, min(max(size, 16), 256), rng)
            coins = rng.random_sample(len(proposals))
            tested, ratios = self._test(proposals, coins, goal)
            n_tested += tested
            acceptance += ratios
            if len(self.rows) >= checkpoint:
                checkpoint *= 2
            if self._refresh_pays((acceptance + 1) / (n_tested + 1)):
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
        ratios, position = 0.0, 0
        while position < len(proposals) and len(self.rows) < goal:
            accepted = np.flatnonzero(threshold[position:] < sq_dists[position:])
            last = position + accepted[0] if len(accepted) else len(proposals) - 1
            tested = slice(position, last + 1)
            ratios += (sq_dists[tested] / bound[tested]).sum()
            position = last + 1
            if len(accepted) and int(proposals[last]) not in self.picked:
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
