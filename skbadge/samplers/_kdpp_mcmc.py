"""Markov chains on batches whose stationary law is the k-DPP."""

from abc import ABC, abstractmethod
from math import ceil, floor, inf, log, log1p

import numpy as np
from scipy.special import gammaln

from skbadge.samplers._pivoted_cholesky import pivoted_cholesky
from skbadge.utils._chunks import row_chunks
from skbadge.utils._ranking import draw_weighted
from skbadge.utils._ties import Ties


class SwapChain(ABC):
    """A chain under way: each step may swap one row of the batch for another.

    The inverse of the batch's kernel matrix is brought up to date with each swap, in
    ``O(n**2)``, and computed afresh every ``n`` swaps, before rounding adds up.

    Parameters
    ----------
    embedding : Embedding of shape (n_rows, n_columns)
        In float64.

    rows : ndarray of shape (n,)
        The batch to start from, fewer than ``n_rows`` rows with linearly independent
        embeddings.

    floor : ndarray of shape (n_rows,) or float
        Squared distances of the rows from a span up to this count as 0.

    Attributes
    ----------
    rows : ndarray of shape (n,)
        The batch.

    n_products : int
        Inner products evaluated so far.

    n_returns : int
        How often rounding led to a batch without an inverse, from where the chain went
        back to the last batch known to have one.
    """

    def __init__(self, embedding, rows, floor):
        self.embedding = embedding
        self.norms_sq = embedding.norms_sq()
        self.floor = np.broadcast_to(floor, len(embedding))
        self.n_products = 0
        self.n_returns = 0
        self.refreshed = None
        self._start(rows)
        self._refresh()

    def _start(self, rows):
        """Take a batch to go on from."""
        self.rows = rows.copy()

    @abstractmethod
    def step(self, rng):
        """Make one step, which leaves the k-DPP invariant.

        Parameters
        ----------
        rng : RandomState
            Source of randomness.
        """

    def run(self, n_steps, rng):
        """Make some steps and return the batch."""
        for _ in range(n_steps):
            self.step(rng)
        return self.rows

    def _fresh_inverse(self):
        """Inverse of the batch's inner products, None if it has none in float64."""
        batch = self.embedding.take(self.rows)
        self.n_products += len(self.rows) ** 2
        # To unit diagonal first: norms of gradients differ by orders of magnitude.
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            scale = 1 / np.sqrt(self.norms_sq[self.rows])
            try:
                inverse = np.linalg.inv(scale[:, None] * batch.cross(batch) * scale)
            except np.linalg.LinAlgError:
                return None
            inverse = scale[:, None] * ((inverse + inverse.T) / 2) * scale
        is_definite = np.isfinite(inverse).all() and inverse.diagonal().min() > 0
        return inverse if is_definite else None

    def _refresh(self):
        """Compute afresh what swaps only bring up to date."""
        inverse = self._fresh_inverse()
        if inverse is None and self.refreshed is None:
            raise ValueError(
                f"The embeddings of the {len(self.rows)} rows to start from are "
                "linearly dependent but for rounding: their inner products have no "
                "inverse in float64. Use method='exact', or ask for fewer rows."
            )
        if inverse is None:
            # A batch of dependent rows has probability 0.
            self.n_returns += 1
            self._start(self.refreshed)
            inverse = self._fresh_inverse()
        self.inverse = inverse
        self.refreshed = self.rows.copy()
        self.swaps = 0

    def _without(self, position):
        """Inverse for the batch without one row: zeros where that row was."""
        # The Schur complement: J - J_.p J_p. / J_pp for the inverse J and the place p.
        column = self.inverse[position]
        reduced = self.inverse - np.outer(column, column / column[position])
        reduced[position] = 0.0
        reduced[:, position] = 0.0
        return reduced

    def _swap(self, position, row, reduced, weights, residual):
        """Put a row in the place that `_without` left.

        Parameters
        ----------
        position, row : int
            The place in the batch, and the row to put there.

        reduced : ndarray of shape (n, n)
            What `_without` returned.

        weights : ndarray of shape (n,)
            The row's embedding by those of the others: its projection on their span.

        residual : float
            Squared distance of the row from that span.
        """
        # J + d d^T / r with d = (w, -1) and r the residual: the inverse by blocks.
        direction = weights.copy()
        direction[position] = -1.0
        self.inverse = reduced + np.outer(direction, direction / residual)
        self.rows[position] = row
        self.swaps += 1
        if self.swaps >= max(len(self.rows), 16):
            self._refresh()


class UniformSwapChain(SwapChain):
    """Metropolis chain: a uniform row out, a uniform row in, if determinants agree.

    A step takes ``O(n**2)`` and the inner products of one row with the batch.
    """

    def _start(self, rows):
        super()._start(rows)
        self.outside = np.setdiff1d(np.arange(len(self.embedding)), rows)

    def step(self, rng):
        """Propose a swap and accept it with the ratio of the determinants."""
        position = rng.randint(len(self.rows))
        slot = rng.randint(len(self.outside))
        coin = rng.random_sample()
        row = self.outside[slot]
        batch = self.embedding.take(self.rows)
        products = batch.cross(self.embedding.take(np.array([row])))[:, 0]
        self.n_products += len(self.rows)
        reduced = self._without(position)
        weights = reduced @ products
        residual = self.norms_sq[row] - products @ weights
        # The determinants' ratio is that of the distances from the rows that stay.
        ratio = residual * self.inverse[position, position]
        if residual > self.floor[row] and coin < ratio:
            self.outside[slot] = self.rows[position]
            self._swap(position, row, reduced, weights, residual)


class HeatBathChain(SwapChain):
    """Down-up walk: a uniform row out, and in comes a row from the conditional law.

    A step takes ``O(n_rows * n)`` and the inner products of one row with all others;
    an array of shape (n_rows, n) is held.
    """

    def _start(self, rows):
        super()._start(rows)
        batch = self.embedding.take(rows)
        # Column by column, as they are replaced.
        self.products = np.empty((len(self.embedding), len(rows)), order="F")
        for chunk in row_chunks(len(self.embedding), len(rows)):
            self.products[chunk] = self.embedding.take(chunk).cross(batch)
        self.n_products += self.products.size

    def _refresh(self):
        super()._refresh()
        # L_xx - L_xS L_SS^-1 L_Sx, a block of rows at a time.
        self.residuals = self.norms_sq.copy()
        for rows in row_chunks(len(self.embedding), len(self.rows)):
            block = self.products[rows]
            self.residuals[rows] -= np.einsum("ij,ij->i", block @ self.inverse, block)

    def step(self, rng):
        """Take out a row and draw the one to put in its place, perhaps the same."""
        position = rng.randint(len(self.rows))
        column = self.inverse[position]
        # Distances from the rows that stay: those from all, and the part along the
        # one direction that leaves with the row.
        residuals = self.products @ column
        residuals *= residuals / column[position]
        residuals += self.residuals
        allowed = residuals > self.floor
        allowed[self.rows] = False
        allowed[self.rows[position]] = True
        weights = np.where(allowed, residuals, 0.0)
        cumulative = np.cumsum(weights)
        if not cumulative[-1] > 0:
            # Not even the row that left may come back: rounding has added up.
            self._refresh()
            return
        row = draw_weighted(cumulative, 1, rng)[0]
        if row != self.rows[position]:
            self._exchange(position, row, residuals)

    def _exchange(self, position, row, residuals):
        reduced = self._without(position)
        weights = reduced @ self.products[row]
        products = self.embedding.cross(self.embedding.take(np.array([row])))[:, 0]
        self.n_products += len(products)
        # What the row that came in takes of the others' distances.
        along = products - self.products @ weights
        # Squares may overflow or underflow where this does not.
        self.residuals = residuals - along * (along / residuals[row])
        self.products[:, position] = products
        self._swap(position, row, reduced, weights, residuals[row])


def n_swap_steps(n):
    """Steps of the chain in the BADGE paper's repository, ``floor(5 n log n)``."""
    return floor(5 * n * log(n))


def n_heat_bath_steps(n_rows, n, distance=0.01):
    r"""Steps after which the down-up walk is near the k-DPP, from a greedy start.

    A step shrinks the relative entropy to the k-DPP by the factor :math:`1 - 1/n`
    (Cryan, Guo and Mousa [1]_: a k-DPP is strongly log-concave). From a batch
    :math:`S` it starts at :math:`-\log P(S)`, for a greedy batch at most :math:`\log
    \binom{N}{n} + 2 \log n!`, and by Pinsker's inequality a relative entropy of
    :math:`2 \epsilon^2` is a distance of at most :math:`\epsilon` in total variation.

    Parameters
    ----------
    n_rows, n : int
        Size of the pool and of the batch.

    distance : float, default=0.01
        Distance in total variation.

    Returns
    -------
    n_steps : int
        ``O(n * log(n * log(n_rows)))``.

    References
    ----------
    .. [1] M. Cryan, H. Guo, G. Mousa. "Modified log-Sobolev inequalities for strongly
       log-concave distributions". Annals of Probability 49, 2021.
    """
    n_subsets = gammaln(n_rows + 1) - gammaln(n + 1) - gammaln(n_rows - n + 1)
    entropy = n_subsets + 2 * gammaln(n + 1)
    rate = inf if n == 1 else -log1p(-1 / n)
    return max(1, ceil(log(entropy / (2 * distance**2)) / rate))


def independent_rows(embedding, n, init, floor, rng):
    """A batch to start a chain from: rows with linearly independent embeddings.

    Parameters
    ----------
    embedding : Embedding of shape (n_rows, n_columns)
        In float64.

    n : int
        Size of the batch.

    init : {"greedy", "random"}
        Each the row farthest from the span of those before, of equally far ones a
        random one; or a uniform batch. If that turns out to be dependent, it makes way
        for the greedy one.

    floor : ndarray of shape (n_rows,) or float
        Squared distances of the rows from a span up to this count as 0.

    rng : RandomState
        Source of randomness.

    Returns
    -------
    rows : ndarray of shape (n_picked,)
        int64, distinct; fewer than ``n`` if the rank is lower.
    """
    floor = np.broadcast_to(floor, len(embedding))
    if init == "random":
        rows = rng.permutation(len(embedding))[:n].astype(np.int64)
        if len(farthest_first(embedding.take(rows), n, floor[rows])) == n:
            return rows
    ties = Ties(rng)

    def choose(residuals):
        # Less than any of the residuals, however much longer a row is that lies in the
        # span by now.
        quantum = floor.max(where=residuals > 0, initial=0.0)
        return ties.greatest(residuals, quantum=quantum)

    return farthest_first(embedding, n, floor, choose)


def farthest_first(embedding, n, floor, choose=np.argmax):
    """Rows that are each the farthest from the span of those before, while there are.

    Other orders divide by small pivots, which hides where the rank ends.
    """
    return pivoted_cholesky(
        embedding.norms_sq(),
        lambda row: embedding.cross(embedding.take(np.array([row])))[:, 0],
        n,
        choose,
        floor,
    )
