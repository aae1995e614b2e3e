"""k-means++ seeding of rows in chunks, by exact rejection from sketches of them."""

from bisect import bisect_right
from dataclasses import dataclass
from itertools import count
from math import ceil, sqrt

import numpy as np

from skbadge.embeddings import Embedding, to_device
from skbadge.embeddings._joined import joined
from skbadge.samplers._kmeans_seeding import Acceptance, Seeding
from skbadge.samplers._row_sketch import Drawn, Greatest, merged, sketch_size
from skbadge.samplers._taken import Taken

# Rows to keep of a pool in chunks for each pick: some are rejected, and a sketch that
# runs out takes another read.
PROPOSALS_PER_PICK = 8

# Centres whose distances weigh the rows of a pass at first. More of them make fewer
# rejections, which cost next to nothing as long as there are no more than that.
FEW_CENTERS = 64

# What it takes to come by a row, in distances of a row to another one: what is read
# from a file and goes through a net costs about as much.
READ_COST = 256


def seed_by_norms(picks, rule, ties, seed, turns, rng):
    r"""Read the rows once, pick the first by a rule, and more as far as norms do.

    The distance of :math:`x` to the picks is at most that to the pick :math:`c` of
    least norm. With any :math:`t > 0`,

    .. math::

        D^2(x) \le (\|x\| + \|c\|)^2 \le (1 + t) \|x\|^2 + (1 + 1/t) \|c\|^2,

    so that proposals may be drawn by squared norm or uniformly, as the two terms say.
    What they weigh need not be known when rows are read.
    """
    size = sketch_size(picks.n_left, PROPOSALS_PER_PICK)
    greatest = Greatest(ties, picks.view.dtype)
    part = _ByNorms(size, greatest, Drawn(seed, "norms"), Drawn(seed, "uniform"))
    first, by_norm, uniform = picks.view.reduce(part, _all_merged)
    replay = _ReplayByNorms(picks, [by_norm, uniform, first], turns, rng)
    replay.start_by(rule)
    replay.run()
    replay.hand_over(picks)


def seed_by_distances(picks, seed, turns, rng):
    """Pick all other rows, in passes that weigh rows by distances to centres.

    Those of some turns are picked uniformly, as long as there is mass for the others.
    """
    view, n_near = picks.view, FEW_CENTERS
    for number in count():
        if not picks.n_left:
            return
        near, others = picks.centers, None
        if len(near) > n_near:
            others, near = near.take(slice(n_near, None)), near.take(slice(n_near))
        # Of all picks, not of those left, which may be hard to come by.
        size = sketch_size(picks.n, PROPOSALS_PER_PICK)
        order = Drawn(seed, "proposals", number)
        n_turns = int((turns >= len(picks)).sum())
        uniform = Drawn(seed, "uniform turns", number) if n_turns else None
        n_uniform = sketch_size(n_turns, 2)
        part = _ByDistance(size, order, near, picks.taken, n_uniform, uniform)
        sketch, *uniform = view.reduce(part, _all_merged)
        picks.n_distances += len(view) * len(near)
        if sketch.total <= view.negligible_mass:
            return
        replay = _Replay(picks, [sketch, *uniform], turns, rng, others)
        replay.run()
        replay.hand_over(picks)
        if sketch.is_complete and not replay.wants_uniform:
            return
        # Where mass is left near picks that were left out of account, they matter.
        n_near *= 4


@dataclass
class _ByNorms:
    """The row of greatest norm of a chunk, and draws by squared norm and uniformly."""

    size: int
    greatest: Greatest
    by_norm: Drawn
    uniform: Drawn

    def __call__(self, chunk, first, sieves):
        norms_sq, everyone = chunk.norms_sq(), np.arange(len(chunk))
        return [
            order.sketch(size, values, first, everyone, embedding=chunk, sieves=sieves)
            for order, size, values in [
                (self.greatest, 1, norms_sq),
                (self.by_norm, self.size, norms_sq),
                (self.uniform, self.size, np.ones(len(chunk))),
            ]
        ]


def _all_merged(first, second):
    return list(map(merged, first, second))


@dataclass
class _ByDistance:
    """The open rows of a chunk in the order of a draw by squared distance.

    And in that of a uniform one, if any are to be picked uniformly.
    """

    size: int
    order: Drawn
    centers: Embedding
    taken: Taken
    n_uniform: int
    uniform: Drawn | None

    def __call__(self, chunk, first, sieves):
        opened, rows = self.taken.open_part(chunk, first)
        weights = rows.min_sq_dists(to_device(self.centers, chunk.device))
        draws = [(self.order, self.size, weights)]
        if self.uniform is not None:
            draws.append((self.uniform, self.n_uniform, np.ones(len(rows))))
        return [
            order.sketch(size, values, first, opened, embedding=rows, sieves=sieves)
            for order, size, values in draws
        ]


class _Source:
    """Independent draws by weight from all rows of a pool, as far as a sketch goes.

    The rows of a sketch come in the order in which independent draws would meet them
    for the first time. Between these times, draws meet rows again that have been seen:
    with probability ``W_seen / W``, with ``W`` the weight of all rows, a draw is of a
    seen row, by weight among them, else it is the next row of the sketch. Which one
    that is does not depend on whether there was such a draw.

    Parameters
    ----------
    sketch : RowSketch
        Of weights.

    places : ndarray of shape (n_kept,)
        What its rows are called.
    """

    def __init__(self, sketch, places):
        self.places = places.tolist()
        self.cumulative = np.cumsum(sketch.values)
        # The same sum in another order.
        self.total = max(sketch.total, self.cumulative.max(initial=0.0))
        self.is_complete = sketch.is_complete
        self.n_seen = 0

    @property
    def is_used_up(self):
        """Whether the next draw might be of a row that the sketch does not have."""
        return self.n_seen == len(self.places) and not self.is_complete

    def draw(self, level):
        """The row drawn by a uniform number between 0 and the total weight."""
        # In the order of the sketch, a number below the weight of the rows seen is also
        # the draw of one of these.
        position = min(bisect_right(self.cumulative, level), self.n_seen)
        position = min(position, len(self.places) - 1)
        self.n_seen = max(self.n_seen, position + 1)
        return self.places[position]


class _Replay(Seeding):
    """Proposals from sketches, as if rows were drawn from the whole pool.

    Draws are independent, see `_Source`, and rejection does the rest, as in
    `Seeding.lazy`. Draws from several sources, each chosen by its share, are draws by
    the sum of their weights.

    Sketches are left before a draw, for reasons that the draws before it give. To draw
    on when all rows of one have been seen, and to leave it when a row that it does not
    have is wanted, would favour the rows it has.

    The second sketch, if there is one, is of uniform draws, and gives the picks of the
    ``turns`` that are uniform.
    """

    def __init__(self, picks, sketches, turns, rng, others=None):
        rows = np.concatenate([sketch.rows for sketch in sketches])
        self.numbers, at, places = np.unique(
            rows, return_index=True, return_inverse=True
        )
        embedding = joined([sketch.embedding for sketch in sketches]).take(at)
        open_rows = picks.taken.open_rows(self.numbers)
        super().__init__(embedding, picks.n_left, open_rows)
        ends = np.cumsum([len(sketch) for sketch in sketches])
        self.turns = turns[turns >= len(picks)] - len(picks)
        self.sources = list(map(_Source, sketches, np.split(places, ends[:-1])))
        self.uniform = self.sources[1] if len(sketches) > 1 else None
        # By what the weights of each source are multiplied.
        self.speeds = [1.0, *[0.0] * (len(sketches) - 1)]
        self.bound = np.zeros(len(self.numbers))
        self.bound[places[: ends[0]]] = sketches[0].values
        self.rng, self.others = rng, others
        view = picks.view
        self.negligible = view.negligible_mass
        self.read_cost = len(view) * (FEW_CENTERS + READ_COST)

    @property
    def is_complete(self):
        """Whether all rows are here, so that weights can be renewed without a read."""
        return self.sources[0].is_complete

    def run(self):
        """Pick rows until another read is due."""
        if self.is_complete:
            if self.others is not None:
                self.lower(self.others)
            self.draw(self.turns, self.rng)
            return
        in_all, since_pick = Acceptance(), Acceptance()
        while len(self.rows) < self.n and not self._is_used_up():
            if len(self.rows) in self.turns:
                self.pick_uniformly(self.rng)
                since_pick = Acceptance()
                continue
            self.weigh()
            goal = min([self.n, *self.turns[self.turns > len(self.rows)]])
            size = ceil(1.2 * (goal - len(self.rows)) / in_all.rate)
            # The first picks tell most.
            size = min(size, 16 * (1 + len(self.rows)), 256)
            proposals = self._draws(max(size, 16))
            coins = self.rng.random_sample(len(proposals))
            n_picked = len(self.rows)
            tested = self._test(proposals, coins, goal)
            in_all.add(*tested)
            since_pick.add(*tested)
            if len(self.rows) > n_picked:
                since_pick = Acceptance()
            if self._read_pays(in_all, since_pick):
                return

    def pick_uniformly(self, rng):
        """Pick a row of the pool by uniform draws, unless they are used up."""
        while not self.uniform.is_used_up:
            row = self.uniform.draw(rng.random_sample() * self.uniform.total)
            if self.open_rows.mask[row]:
                self._pick(row, np.nan)
                return True
        return False

    @property
    def wants_uniform(self):
        """Whether it ended because no more rows could be drawn uniformly."""
        return len(self.rows) in self.turns

    def weigh(self):
        """Give the sources other shares, and the rows the bounds that follow."""

    def _is_used_up(self):
        return any(source.is_used_up for source in self.sources)

    def _draws(self, n_draws):
        """Draws from the pool, until all rows of a sketch are seen."""
        shares = zip(self.speeds, self.sources, strict=True)
        ends = np.cumsum([speed * source.total for speed, source in shares])
        starts, draws = [0.0, *ends[:-1]], []
        levels = self.rng.random_sample(n_draws) * ends[-1]
        for level, chosen in zip(
            levels, np.searchsorted(ends[:-1], levels), strict=True
        ):
            if self._is_used_up():
                break
            level = (level - starts[chosen]) / self.speeds[chosen]
            draws.append(self.sources[chosen].draw(level))
        return np.array(draws)

    def _read_pays(self, in_all, since_pick):
        """Whether the draws to come would cost more than weights that are right."""
        left = self.n - len(self.rows)
        rate = min(in_all.rate, since_pick.rate)
        per_draw = len(self.rows) + left / 2
        cost = left * (1 / rate - 1) * per_draw * self.proposal_cost
        return cost > self.read_cost or since_pick.n_tested > 50 + 20 / in_all.rate

    def hand_over(self, picks):
        """Pick the rows that were picked here."""
        chosen = np.array(self.rows, dtype=np.int64)
        picks.add(self.numbers[chosen], self.values, self.embedding.take(chosen))
        picks.n_distances += self.n_distances


class _ReplayByNorms(_Replay):
    """Proposals by squared norm and uniformly, see `seed_by_norms`.

    The third sketch has the row of greatest norm.
    """

    def __init__(self, picks, sketches, turns, rng):
        super().__init__(picks, sketches, turns, rng)
        *self.sources, greatest = self.sources
        self.greatest = greatest.places[0]

    @property
    def is_complete(self):
        """Whether all rows are here, those of norm 0 too."""
        return self.uniform.is_complete

    def start_by(self, rule):
        """Pick the first row."""
        norms_sq = self.embedding.norms_sq()
        by_norm, uniform = self.sources
        row = self.greatest
        if rule == "uniform" or not norms_sq[row]:
            row = uniform.draw(self.rng.random_sample() * uniform.total)
        elif rule == "norm_weighted":
            row = by_norm.draw(self.rng.random_sample() * by_norm.total)
        self._pick(row, norms_sq[row])
        if self.is_complete:
            self.bound = np.where(self.open_rows.mask, np.inf, 0.0)
            self.refresh()

    def weigh(self):
        """Weigh norms and their least one, for a sum of bounds as small as can be."""
        norms_sq = self.embedding.norms_sq()
        least = norms_sq[self.rows].min()
        by_norm, uniform = self.sources
        t = sqrt(least * uniform.total / by_norm.total)
        self.speeds = [1 + t, least * (1 + 1 / t) if t else 0.0]
        bound = self.speeds[0] * norms_sq + self.speeds[1]
        self.bound = np.where(self.open_rows.mask, bound, 0.0)
