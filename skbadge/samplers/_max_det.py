"""Greedy maximisation of the determinant: pivoted Cholesky, lazy and exact."""

from dataclasses import dataclass
from numbers import Real
from typing import NamedTuple

import numpy as np
from scipy.linalg.lapack import dpstrf

from skbadge._compat import Interval
from skbadge.embeddings import Embedding, to_device
from skbadge.samplers._base import (
    Sampler,
    fill_uniformly,
    n_spanned_columns,
)
from skbadge.samplers._chunk_picks import ChunkPicks
from skbadge.samplers._greedy import LazyGreedy
from skbadge.samplers._norms import LEAST_SQ_DIST
from skbadge.samplers._row_sketch import Greatest
from skbadge.samplers._taken import Taken
from skbadge.utils._chunks import row_chunks
from skbadge.utils._threads import small_products
from skbadge.utils._ties import Ties
from skbadge.utils._triangular import solve_lower

# What the rows picked before a uniform fill have done.
FOUND = "add to the span of those before them"


class MaxDet(Sampler):
    r"""Greedy batch of great determinant: each pick adds the most volume to the batch.

    With :math:`L` the Gram matrix of the rows, the next pick maximises
    :math:`\det(L_S + \sigma^2 I)` among the batches :math:`S` that extend the picks so
    far by one row: the greedy mode of a k-DPP. It is the row of greatest conditional
    variance

    .. math::

        r(x) = L_{xx} - L_{xS} (L_{SS} + \sigma^2 I)^{-1} L_{Sx},

    so that the picks are the pivots of a partial Cholesky factorisation, which is kept
    up by one column a pick (Chen et al. [1]_, Algorithm 1). ``labeled`` rows, if given,
    are in :math:`S` from the start, and so are pending ones. Rows of equal variance, to
    within rounding, are picked in random order.

    Parameters
    ----------
    sigma : float, default=0.0
        Standard deviation of noise; its square is added to the diagonal of :math:`L`.
        Above 0, directions may be picked again once each has been picked; at 0, a
        batch can have no more rows than the rank of the embedding.

    Notes
    -----
    The values of the selection are the conditional variances :math:`r(x) + \sigma^2`
    of the picks: their logarithms add up to
    :math:`\log\det(L_S + \sigma^2 I)` (given the labelled rows, if there are any).

    A variance of at most ``max(D * eps, 64 * eps, (32 * eps_e)**2)`` of the greatest
    squared norm counts as zero, with ``D`` the columns of the embedding (its rows, if
    it has inner products only), ``eps`` the precision of float64 and ``eps_e`` that of
    the embedding: as much is left by rounding. If nothing more is left, the rank is
    exhausted and the other rows are drawn uniformly, with a `QueryWarning`. Differences
    of no more count as ties.

    Variances only shrink as picks are added, so only those rows are brought up to date
    whose last known variance could still be the greatest. With ``M = n + n_labeled``
    (of labelled rows, only as many count as are linearly independent if ``sigma`` is
    0), this takes at most ``O(n_rows * M * (cost of an inner product + M))`` time, in
    the usual case far less. ``M`` float64 numbers are held for each row that has
    contended, ``M * M`` numbers besides, and the inner products of all labelled rows to
    begin with. All products are formed in float64.

    From an embedding that comes in chunks the picks are the same, see `KCenter`. Each
    pass takes ``O(n_rows * M * (cost of an inner product + M))`` time. Beyond the rank,
    where noise is all that tells copies apart, rounding may decide between ties.

    References
    ----------
    .. [1] L. Chen, G. Zhang, H. Zhou. "Fast greedy MAP inference for determinantal
       point process to improve recommendation diversity". NeurIPS 2018.

    Examples
    --------
    >>> from skbadge.embeddings import DenseEmbedding
    >>> from skbadge.samplers import MaxDet
    >>> embedding = DenseEmbedding([[0.0, 2.0], [0.0, 3.0], [1.0, 0.0]])
    >>> MaxDet().sample(embedding, 2)
    array([1, 2])
    >>> MaxDet(sigma=1.0).sample(embedding, 3)
    array([1, 2, 0])
    """

    streams = True
    _parameter_constraints: dict = {
        "sigma": [Interval(Real, 0, None, closed="left")],
    }

    def __init__(self, *, sigma: float = 0.0) -> None:
        self.sigma = sigma

    def _run(self, embedding, n, labeled, feasible, rng):
        noise, ties = float(self.sigma) ** 2, Ties(rng)
        start = _Start.of(labeled, embedding.take(feasible.pending), noise)
        elimination = _Elimination(
            embedding,
            n,
            feasible.open(),
            ties,
            embedding.norms_sq().copy(),
            _negligible(embedding, embedding.norms_sq().max()),
            noise,
            start,
        )
        elimination.n_distances += start.n_products
        elimination.lazy()
        return fill_uniformly(
            elimination.rows,
            np.array(elimination.values) + noise,
            n,
            elimination.open_rows,
            rng,
            value_name="conditional variance",
            n_distances=elimination.n_distances,
            found=FOUND,
        )

    def _run_on_chunks(self, view, n, labeled, feasible, rng):
        noise, ties = float(self.sigma) ** 2, Ties(rng)
        picks = ChunkPicks(view, n, labeled, feasible)
        view.look()
        negligible = _negligible(view, view.survey.greatest)
        order = Greatest(ties, quantum=negligible)
        basis = _Start.of(picks.labeled, picks.pending, noise)
        picks.n_distances += basis.n_products
        elimination = None

        def part_of(size):
            nonlocal basis
            if elimination is not None:
                basis = elimination.basis()
            picks.n_distances += len(view) * len(basis.factor)
            return _Variances(size, order, basis, picks.taken)

        def begin(sketch):
            nonlocal elimination
            elimination = _Elimination(
                sketch.embedding,
                picks.n_left,
                picks.taken.open_rows(sketch.rows),
                ties.of(sketch.rows),
                sketch.values.copy(),
                negligible,
                noise,
                basis,
            )
            return elimination

        picks.contest(part_of, begin)
        return picks.finish(
            np.array(picks.values) + noise,
            rng,
            value_name="conditional variance",
            found=FOUND,
        )


class _Block(NamedTuple):
    """Contenders, and their coordinates in the basis, one column a row."""

    rows: np.ndarray
    embedding: Embedding
    coords: np.ndarray


class _Elimination(LazyGreedy):
    """A partial Cholesky factorisation with greedy pivots under way.

    The basis is a set of labelled and pending rows, and then the picks. ``factor`` is
    the lower Cholesky factor of its Gram matrix (plus noise), and row ``x`` has the
    coordinates ``b(x)`` with ``factor[:t, :t] @ b(x) = L[basis, x]``.

    Invariant: for a row with coordinates, ``bound[x]`` is its squared norm less that of
    its first ``depth[x]`` coordinates, for others no less than their variance, and
    ``-inf`` for a row that may not be picked. Rows have no coordinates at first, and
    then those of all the basis there was.
    """

    def __init__(self, embedding, n, open_rows, ties, bound, negligible, noise, start):
        bound[~open_rows.mask] = self.closed_value
        super().__init__(
            embedding, n, open_rows, ties, bound, negligible, quantum=negligible
        )
        self.noise = noise
        self._pair_cost = sum(embedding._pair_cost())
        self.start = start
        self.n_start = self.n_basis = len(start.factor)
        self.factor = np.zeros((self.n_start + n,) * 2)
        self.factor[: self.n_start, : self.n_start] = start.factor
        self.depth = np.zeros(len(embedding), dtype=np.int64)
        self.slots = np.full(len(embedding), -1)
        self.n_slots = 0
        self.kept = np.empty((0, len(self.factor)))

    def basis(self):
        """The basis so far, to go on from with other rows."""
        if not self.rows:
            return self.start
        picks = self.embedding.take(np.array(self.rows)).astype(np.float64)
        own = self.n_start + np.arange(len(picks))
        return _Start(
            [*self.start.parts, picks],
            np.concatenate([self.start.order, own]),
            self.factor[: self.n_basis, : self.n_basis],
            0,
        )

    def lazy(self):
        """Pick among the rows of greatest bound, brought up to date.

        The coordinates of contenders are kept, so that no inner product of a row with
        a pick is formed twice.
        """
        size = 512
        while len(self.rows) < self.n:
            n_picked = len(self.rows)
            contenders, limit, first_outside = self._contenders(size)
            if not self._contest(contenders, limit, first_outside):
                return
            n_new = len(self.rows) - n_picked
            if n_new == 0 and self.all_contend:
                return
            if n_new == 0 or 4 * n_new > size:
                size = min(2 * size, len(self.embedding))

    def _enter(self, contenders):
        coords = np.zeros((len(self.factor), len(contenders)))
        known = np.flatnonzero(self.slots[contenders] >= 0)
        coords[:, known] = self.kept[self.slots[contenders[known]]].T
        block = _Block(contenders, self.embedding.take(contenders), coords)
        block = block._replace(embedding=block.embedding.astype(np.float64))
        values, fresh = self.bound[contenders], self.slots[contenders] < 0
        depths = np.where(fresh, 0, self.depth[contenders])
        fresh &= values > self.closed_value
        values[fresh] = block.embedding.norms_sq()[fresh]
        for depth in np.unique(depths[depths < self.n_basis]):
            group = np.flatnonzero(depths == depth)
            cost = self.n_basis + self._pair_cost
            for part in row_chunks(len(group), cost, minimum=64):
                self._extend(block, values, group[part], depth)
        self.depth[contenders] = self.n_basis
        return block, values

    def _extend(self, block, values, group, depth):
        """Give rows that have ``depth`` coordinates those they lack."""
        basis, known = slice(depth, self.n_basis), slice(depth)
        part = block.embedding.take(group)
        n_new = self.n_basis - depth
        with small_products(n_new * len(group) * (self._pair_cost + depth)):
            new = self._basis_cross(depth, part)
            new -= self.factor[basis, known] @ block.coords[known, group]
            new = solve_lower(self.factor[basis, basis], new)
        block.coords[basis, group] = new
        values[group] -= np.einsum("ij,ij->j", new, new)

    def _basis_cross(self, depth, part):
        """Inner products of the basis, from ``depth`` on, with some rows."""
        crosses = [] if depth else self.start.crosses(part)
        picks = self.rows[max(depth - self.n_start, 0) :]
        if picks:
            picks = self.embedding.take(np.array(picks)).astype(np.float64)
            crosses.append(picks.cross(part))
        self.n_distances += (self.n_basis - depth) * len(part)
        return np.concatenate(crosses)

    def _lower_cost(self):
        return self._pair_cost + self.n_start + self.n

    def _lower(self, block, values, position):
        t = self.n_basis
        pivot = np.sqrt(values[position] + self.noise)
        coords = block.coords[:t, position].copy()
        self.factor[t, :t], self.factor[t, t] = coords, pivot
        new = block.embedding.take(slice(position, position + 1)).cross(block.embedding)
        new = (new[0] - coords @ block.coords[:t]) / pivot
        block.coords[t] = new
        values -= new**2
        self.n_basis = t + 1
        self.depth[block.rows] = t + 1
        self.n_distances += len(values)

    def _leave(self, contenders, block):
        fresh = contenders[self.slots[contenders] < 0]
        self.slots[fresh] = self.n_slots + np.arange(len(fresh))
        self.n_slots += len(fresh)
        if self.n_slots > len(self.kept):
            capacity = min(2 * self.n_slots, len(self.embedding))
            more = np.empty((capacity - len(self.kept), len(self.factor)))
            self.kept = np.concatenate([self.kept, more])
        t = self.n_basis
        self.kept[self.slots[contenders], :t] = block.coords[:t].T


@dataclass
class _Variances:
    """The open rows of a chunk in the order of what is not in the span of a basis."""

    size: int
    order: Greatest
    basis: "_Start"
    taken: Taken

    def __call__(self, chunk, first, sieves):
        opened, rows = self.taken.open_part(chunk, first)
        values = rows.norms_sq().copy()
        parts = [to_device(part, chunk.device) for part in self.basis.parts]
        basis = self.basis._replace(parts=parts)
        if parts:
            cost = len(basis.factor) + sum(rows._pair_cost())
            for some in row_chunks(len(rows), cost, minimum=64):
                values[some] -= basis.explained(rows.take(some).astype(np.float64))
        return self.order.sketch(
            self.size, values, first, opened, embedding=rows, sieves=sieves
        )


def _negligible(embedding, greatest):
    """Variance that rounding may leave in place of zero, given the greatest one."""
    return max(_rounding(embedding) * greatest, LEAST_SQ_DIST)


def _rounding(embedding):
    """Share of the greatest variance that rounding may leave in place of zero."""
    eps = float(np.finfo(np.float64).eps)
    # Rows equal but for the last digits are the same row, see `negligible_mass`.
    last_digits = 32 * float(np.finfo(embedding.dtype).eps)
    return max(n_spanned_columns(embedding) * eps, 64 * eps, last_digits**2)


class _Start(NamedTuple):
    """The basis before the first pick: rows that span all labelled and pending ones.

    ``order[i]`` is the position of its ``i``-th row in ``parts`` laid end to end.
    """

    parts: list
    order: np.ndarray
    factor: np.ndarray
    n_products: int

    @classmethod
    def of(cls, labeled, pending, noise):
        """Rows that are linearly independent, and the Cholesky factor of their Gram."""
        parts = [part for part in (labeled, pending) if part is not None and len(part)]
        if not parts:
            return cls([], np.empty(0, dtype=np.intp), np.empty((0, 0)), 0)
        # By the dtype they came in: two copies of a row that differ in the last digits
        # would span a direction of noise, and none that lies in it could be picked.
        rounding = max(_rounding(part) for part in parts)
        parts = [part.astype(np.float64) for part in parts]
        gram = np.block([[one.cross(other) for other in parts] for one in parts])
        n_products = gram.size
        tolerance = max(rounding * gram.diagonal().max(), LEAST_SQ_DIST)
        gram[np.diag_indices_from(gram)] += noise
        factor, order, rank, _ = dpstrf(gram, tol=tolerance, lower=1, overwrite_a=1)
        order = order[:rank] - 1
        kept = np.sort(order)
        offsets = np.cumsum([0, *map(len, parts)])
        ends = np.searchsorted(kept, offsets)
        parts = [
            part.take(kept[ends[i] : ends[i + 1]] - offsets[i])
            for i, part in enumerate(parts)
        ]
        factor = np.tril(factor[:rank, :rank])
        return cls(parts, np.searchsorted(kept, order), factor, n_products)

    def crosses(self, part):
        """Inner products with some rows, as a list of one array or none."""
        if not self.parts:
            return []
        return [np.concatenate([own.cross(part) for own in self.parts])[self.order]]

    def explained(self, part):
        """The part of the squared norms of some rows that lies in the span."""
        coords = solve_lower(self.factor, self.crosses(part)[0])
        return np.einsum("ij,ij->j", coords, coords)
