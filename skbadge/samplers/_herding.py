"""Kernel herding: rows that are near to many others, lazy and exact."""

from dataclasses import replace
from numbers import Integral

import numpy as np
from numpy.typing import ArrayLike

from skbadge._compat import Interval
from skbadge.embeddings._kernel_only import products_in_blocks
from skbadge.samplers._base import Sampler, fill_uniformly
from skbadge.samplers._greedy import LazyGreedy
from skbadge.samplers._samples import Samples
from skbadge.utils._chunks import row_chunks
from skbadge.utils._ties import Ties

# Weights up to two to this power, and from its inverse on, are taken as they are.
MODERATE_EXPONENT = 40

# Contenders whose products with all evaluation rows are held, in float64 numbers.
BLOCK_SIZE = 2**20

# Contenders at a time, at least.
N_CONTENDERS = 16

# Pairs of rows that take as long as a few small calls.
LEAST_SAVED = 2**15

# Relative error of a sum of some hundreds of float32 numbers.
SUM_ERROR = 1e-5

SAMPLE_SIZES: dict = {
    "n_evaluation_rows": [Interval(Integral, 1, None, closed="left")],
    "n_candidates": [Interval(Integral, 1, None, closed="left")],
}


class Herding(Sampler):
    r"""Rows that together are near to as many others as they can be.

    Each pick is the row :math:`i` of greatest gain

    .. math:: \frac{1}{N} \sum_j u_j \max(k(j, i) - m_j, 0),

    with :math:`m_j = \max_l k(j, l)` over all rows :math:`l` that are labelled, pending
    or picked, 0 if there are none: the greedy maximisation of how well the rows are
    covered, weighted by :math:`u`. With the Gaussian kernel this is MaxHerding (Bae et
    al. [1]_) and with uncertainties as weights UHerding [2]_.

    Parameters
    ----------
    weights : array-like of shape (n_rows,) or None, default=None
        The weight :math:`u_j` of each row of the embedding, at least 0; None for 1.

    n_evaluation_rows : int, default=10_000
        Where there are more rows, gains are means over a uniform sample of so many,
        or of ``4 * n``.

    n_candidates : int, default=35_000
        Where more rows may be picked, it is from a uniform sample of so many.

    Notes
    -----
    A row's gain never grows, so that only rows whose last known gain could still be the
    greatest are evaluated again: the first gains take one pass of candidates times
    evaluation rows, and few more follow. Bulk products may be float32; the gain by
    which a row is picked is formed in float64. No matrix of all products is held, but
    blocks of 16 MiB. Rows of equal gain are picked in random order.

    All rows count in the sum, whether they may be picked or not. Once no row gains
    anything, the others are drawn uniformly, with a `QueryWarning`.

    With a sample of evaluation rows the selection says the standard errors of the
    gains. The greedy bound of 1 - 1/e holds for the rows of the samples only.

    References
    ----------
    .. [1] W. Bae, J. Noh, D. J. Sutherland. "Generalized coverage for more robust
       low-budget active learning". ECCV 2024.
    .. [2] W. Bae, D. J. Sutherland, G. L. Oliveira. "Uncertainty herding: one active
       learning method for all label budgets". ICLR 2025.

    Examples
    --------
    >>> from skbadge.embeddings import GaussianEmbedding
    >>> from skbadge.samplers import Herding
    >>> embedding = GaussianEmbedding([[0.0], [1.0], [2.0], [9.0]])
    >>> Herding().sample(embedding, 2)
    array([1, 3])
    """

    reads_population = True
    _parameter_constraints: dict = {"weights": ["array-like", None], **SAMPLE_SIZES}

    def __init__(
        self,
        *,
        weights: ArrayLike | None = None,
        n_evaluation_rows: int = 10_000,
        n_candidates: int = 35_000,
    ) -> None:
        self.weights = weights
        self.n_evaluation_rows = n_evaluation_rows
        self.n_candidates = n_candidates

    def _run(self, embedding, n, labeled, feasible, rng):
        weights = checked_weights(self.weights, len(embedding))
        samples = Samples.draw(
            feasible,
            n,
            rng,
            n_evaluation_rows=self.n_evaluation_rows,
            n_candidates=self.n_candidates,
        )
        return herd(embedding, n, labeled, feasible, rng, samples, weights)


def checked_weights(weights, n_rows):
    """Weights in float64, 1 for None; raises if they are none."""
    if weights is None:
        return np.ones(n_rows)
    weights = np.asarray(weights, dtype=np.float64)
    if weights.shape != (n_rows,):
        raise ValueError(
            f"`weights` must have one entry for each of the {n_rows} rows. Got shape "
            f"{weights.shape}."
        )
    wrong = np.flatnonzero(~(np.isfinite(weights) & (weights >= 0)))
    if len(wrong):
        raise ValueError(
            f"`weights` must be finite and >= 0. Got {weights[wrong[0]]} for row "
            f"{wrong[0]}."
        )
    return weights


def herd(embedding, n, labeled, feasible, rng, samples, weights):
    """Pick rows given `Samples` of them and a weight for each row of the embedding."""
    ties, open_rows = Ties(rng), feasible.open()
    # A common factor changes no pick, and products in float32 hold only so much.
    _, exponent = np.frexp(weights.max(initial=0.0))
    exponent = exponent if abs(exponent) > MODERATE_EXPONENT else 0
    weights = np.ldexp(weights, -exponent)
    known = [labeled, embedding.take(feasible.pending)]
    sums = _Coverage.of(embedding, samples, weights, known)
    candidates = samples.candidates
    herding = _Herd(
        embedding if len(candidates) == len(embedding) else embedding.take(candidates),
        n,
        open_rows.among(candidates),
        ties.of(candidates),
        sums,
    )
    herding.lazy()
    rows = candidates[herding.rows]
    for row in rows:
        open_rows.close(row)
    selection = fill_uniformly(
        rows,
        np.ldexp(herding.values, exponent),
        n,
        open_rows,
        rng,
        value_name="gain",
        n_distances=sums.n_distances,
        found="gain anything",
    )
    errors = None
    if sums.size < sums.n_population:
        errors = np.zeros(n)
        errors[: len(rows)] = np.ldexp(herding.errors, exponent)
    return replace(selection, standard_errors=errors, notes=samples.notes)


class _Coverage:
    """How near each evaluation row is to what counts as picked.

    Rows of weight 0 have no part in the sums and are left aside.
    """

    def __init__(self, embedding, weights, size, n_population):
        self.embedding = embedding
        self.weights = weights
        self.size = size
        self.n_population = n_population
        # m_j, at first that of nothing.
        self.nearest = np.zeros(len(weights))
        self.n_distances = 0
        # The rows that each pick covers better, and how well they were covered before.
        self._changes = []

    @classmethod
    def of(cls, embedding, samples, weights, known):
        """That given the embeddings of labelled and pending rows."""
        rows = samples.evaluation
        rows = rows[weights[rows] > 0]
        part = embedding if len(rows) == len(embedding) else embedding.take(rows)
        sums = cls(part, weights[rows], len(samples.evaluation), samples.n_population)
        for embedding in known:
            if embedding is not None and len(embedding):
                sums.start_from(embedding)
        return sums

    def start_from(self, known):
        """Count rows as picked."""
        for rows in row_chunks(len(known), max(1, len(self.weights)), minimum=16):
            part = known.take(rows)
            columns = self.columns(part)
            np.maximum(self.nearest, columns.max(axis=1), out=self.nearest)

    def columns(self, part):
        """Products of the evaluation rows with some rows, in float64."""
        columns = np.empty((len(self.weights), len(part)))
        products_in_blocks(self.embedding, part, columns)
        self.n_distances += columns.size
        return columns

    def gains(self, columns):
        """The gains of rows, given their products with the evaluation rows."""
        gains = np.zeros(columns.shape[1])
        for rows in row_chunks(len(columns), columns.shape[1], 2**16, minimum=64):
            gains += self.weights[rows] @ self._above(columns, rows)
        return gains / self.size

    def _above(self, columns, rows):
        above = columns[rows] - self.nearest[rows, None]
        return np.maximum(above, 0, out=above)

    def bounds(self, part):
        """Numbers no less than the gains of some rows, at the speed of float32."""
        gains = np.zeros(len(part))
        for rows in self._blocks(len(self.weights), part):
            above = self.embedding.take(rows).bounding_products(part)
            above -= _cast(self.nearest[rows], above.dtype, -1)
            np.maximum(above, 0, out=above)
            gains += self.weights[rows].astype(above.dtype) @ above
        return gains * (1 + SUM_ERROR) / self.size

    def losses(self, part, rows, then):
        """Numbers no greater than what some rows have lost of their gains.

        ``rows`` are the evaluation rows that are covered better now, and ``then`` how
        well they were covered before.
        """
        losses = np.zeros(len(part))
        for block in self._blocks(len(rows), part):
            some = rows[block]
            near = self.embedding.take(some).bounding_products(part, from_below=True)
            before = _cast(then[block], near.dtype, 1)
            # What lies above the old cover and below the new one.
            np.minimum(near, _cast(self.nearest[some], near.dtype, -1), out=near)
            near -= before
            np.maximum(near, 0, out=near)
            losses += self.weights[some].astype(near.dtype) @ near
        return losses * (1 - SUM_ERROR) / self.size

    def _blocks(self, n_rows, part):
        self.n_distances += n_rows * len(part)
        return row_chunks(n_rows, len(part), 2**17, minimum=64)

    def better_since(self, n_picked):
        """Evaluation rows covered better than after some picks, and how well then."""
        then, is_better = self.nearest.copy(), np.zeros(len(self.nearest), dtype=bool)
        for rows, before in reversed(self._changes[n_picked:]):
            then[rows], is_better[rows] = before, True
        rows = np.flatnonzero(is_better)
        return rows, then[rows]

    def pick(self, column):
        """Count a row as picked, and return the standard error of its gain."""
        better = np.flatnonzero(column > self.nearest)
        before = self.nearest[better]
        terms = self.weights[better] * (column[better] - before)
        self._changes.append((better, before))
        self.nearest[better] = column[better]
        if self.size == self.n_population:
            return 0.0
        # All other rows count as zeros.
        mean, mean_square = terms.sum() / self.size, (terms**2).sum() / self.size
        variance = max(mean_square - mean**2, 0) / max(self.size - 1, 1)
        # Of a sample drawn without replacement.
        return float(np.sqrt(variance * (1 - self.size / self.n_population)))

    @property
    def scale(self):
        """What no gain exceeds, by Cauchy's inequality, but for a row's own norm."""
        norms_sq = self.embedding.norms_sq()
        return float((self.weights * np.sqrt(norms_sq)).sum()) / self.size


class _Herd(LazyGreedy):
    """A greedy maximisation under way, among some rows.

    Invariant: ``bound[x]`` is at least the gain of row ``x`` after ``age[x]`` picks,
    and so at least its gain now. Before the first pass ages are -1.
    """

    def __init__(self, embedding, n, open_rows, ties, sums):
        greatest = float(np.sqrt(embedding.norms_sq().max(initial=0.0)))
        rounding = 64 * float(np.finfo(np.float64).eps) * sums.scale * greatest
        bound = np.full(len(embedding), np.finfo(np.float64).max)
        super().__init__(
            embedding, n, open_rows, ties, bound, rounding, quantum=rounding
        )
        self.sums = sums
        self.errors = []
        self.age = np.full(len(embedding), -1)

    def lazy(self):
        """Pick among the rows of greatest bound, brought up to date."""
        most = max(BLOCK_SIZE // max(1, len(self.sums.weights)), N_CONTENDERS)
        size = N_CONTENDERS
        self._bound(np.arange(len(self.embedding)))
        while len(self.rows) < self.n:
            contenders, limit, first_outside = self._contenders(size)
            n_picked = len(self.rows)
            goes_on = self._contest(contenders, limit, first_outside)
            self.age[contenders] = len(self.rows)
            if len(self.rows) > n_picked and goes_on:
                size = N_CONTENDERS
                continue
            if not goes_on or self.all_contend:
                return
            # Only these may have a greater gain than the best contender.
            greatest = self.bound[contenders].max()
            old = np.flatnonzero((self.bound >= greatest) & (self.age < n_picked))
            if len(old):
                self._bound(old)
            else:
                size = min(2 * size, most)

    def _bound(self, old):
        """Bring bounds up to date.

        From what picks have changed since, where that is less than all.
        """
        n_picked, anew = len(self.rows), []
        for age in np.unique(self.age[old]):
            group = old[self.age[old] == age]
            if age >= 0:
                changed, then = self.sums.better_since(age)
                saved = (len(self.sums.weights) - len(changed)) * len(group)
            if age < 0 or saved < LEAST_SAVED:
                anew.append(group)
                continue
            for rows in _in_parts(group):
                part = self.embedding.take(rows)
                self.bound[rows] -= self.sums.losses(part, changed, then)
        for rows in _in_parts(np.concatenate(anew)) if anew else ():
            bounds = self.sums.bounds(self.embedding.take(rows))
            self.bound[rows] = np.minimum(self.bound[rows], bounds)
        self.age[old] = n_picked

    def _enter(self, contenders):
        columns = self.sums.columns(self.embedding.take(contenders))
        values = self.sums.gains(columns)
        values[self.bound[contenders] == self.closed_value] = self.closed_value
        return columns, values

    def _lower(self, columns, values, position):
        self.errors.append(self.sums.pick(columns[:, position]))
        gains = self.sums.gains(columns)
        is_open = values > self.closed_value
        values[is_open] = gains[is_open]


def _in_parts(rows, size=512):
    for start in range(0, len(rows), size):
        yield rows[start : start + size]


def _cast(column, dtype, side):
    """A column of numbers, less (-1) or greater (1) by more than products are off."""
    return (column * (1 + side * SUM_ERROR / 4)).astype(dtype)[:, None]
