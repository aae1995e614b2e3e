"""k-means++ seeding by exact rejection, among rows in memory."""

from math import ceil

import numpy as np

from skbadge.embeddings import Embedding
from skbadge.samplers._base import negligible_mass
from skbadge.samplers._nearest_pick import NearestPick
from skbadge.utils._ranking import draw_weighted

LEAST_POSITIVE = float(np.finfo(np.float64).smallest_subnormal)


class Acceptance:
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


class Seeding(NearestPick):
    """A k-means++ seeding under way."""

    # What one distance of a proposal costs, in distances of a pass over all rows:
    # proposals are gathered, and come in small blocks with Python in between.
    proposal_cost = 4

    # Centres that the bounds leave out of account, and that are none of the rows.
    others: Embedding | None = None

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

    def draw(self, turns, rng):
        """Draw all rows, those of some turns uniformly, the others by `lazy`.

        It ends sooner where no mass is left.
        """
        for turn in [*turns, self.n]:
            self.lazy(rng, turn)
            if len(self.rows) < turn:
                return
            if turn == len(self.rows) < self.n and not self.pick_uniformly(rng):
                return

    def pick_uniformly(self, rng):
        """Pick any of the open rows; return whether there was one to be had."""
        # While few are closed, a row or two are tried; over all picks, no more than
        # ``n_rows * log(n_rows)`` are.
        row = rng.randint(len(self.embedding))
        while not self.open_rows.mask[row]:
            row = rng.randint(len(self.embedding))
        self._pick(row, np.nan)
        return True

    def lazy(self, rng, stop=None):
        """Draw by exact rejection from the bounds, up to a number of picks.

        A proposal ``x`` comes with probability ``bound[x] / sum(bound)`` and is
        accepted with probability ``d / bound[x]``, ``d`` its true squared distance, or
        0 if it may not be picked any more: the next pick has the law ``d / sum(d)``
        whatever the bounds are. Three things keep this exact. A coin is compared with
        the bound its proposal was drawn by, though a better one is known once ``d`` is.
        When to refresh depends on proposals whose coins have been thrown, never on one
        that waits. And ``d`` never exceeds the bound, rounding or not.
        """
        stop = self.n if stop is None else stop
        while len(self.rows) < stop:
            cumulative = np.cumsum(self.bound)
            self.closed_mass = 0.0
            if cumulative[-1] <= self.negligible:
                return
            if self._draw_until_stale(cumulative, rng, stop):
                self.refresh()

    def _draw_until_stale(self, cumulative, rng, stop):
        """Propose from fixed bounds; return whether it ends because a refresh pays."""
        in_all, since_pick = Acceptance(), Acceptance()
        # Mass falls fastest after the first picks, so the question of a refresh is put
        # each time their number has doubled, and at the end of each block.
        checkpoint = max(1, 2 * len(self.rows))
        while len(self.rows) < stop and 2 * self.closed_mass <= cumulative[-1]:
            n_picked, goal = len(self.rows), min(stop, checkpoint)
            size = ceil(1.2 * (goal - n_picked) / in_all.rate)
            proposals = draw_weighted(cumulative, min(max(size, 16), 256), rng)
            coins = rng.random_sample(len(proposals))
            tested = self._test(proposals, coins, goal)
            in_all.add(*tested)
            since_pick.add(*tested)
            if len(self.rows) > n_picked:
                since_pick = Acceptance()
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
        centers = [] if self.others is None else [self.others]
        if outstanding:
            centers.append(self.embedding.take(np.array(outstanding)))
        for part in centers:
            np.minimum(sq_dists, block.min_sq_dists(part), out=sq_dists)
        between = block.sq_dists(block)
        self.n_distances += len(proposals) * (sum(map(len, centers)) + len(proposals))
        threshold = coins * bound
        # Of a row closed before this block both are 0, and so is their ratio.
        bound = np.maximum(bound, LEAST_POSITIVE)
        position = 0
        while position < len(proposals) and len(self.rows) < goal:
            accepted = threshold[position:] < sq_dists[position:]
            step = accepted.argmax()
            if not accepted[step]:
                position = len(proposals)
                break
            last = position + step
            position = last + 1
            if self.open_rows.mask[proposals[last]]:
                self._pick(proposals[last], sq_dists[last])
                # Of those tested, what was true at that time is kept.
                left = sq_dists[position:]
                np.minimum(left, between[last, position:], out=left)
        return position, float((sq_dists[:position] / bound[:position]).sum())

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
