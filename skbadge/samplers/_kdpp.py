"""k-DPP sampling: batches drawn by the determinant of their Gram matrix."""

from dataclasses import replace
from math import isinf
from numbers import Integral

import numpy as np

from skbadge._compat import Interval, StrOptions
from skbadge.embeddings import sketch as sketch_embedding
from skbadge.samplers._base import (
    Sampler,
    fill_uniformly,
    left_open,
    n_spanned_columns,
    negligible_mass,
)
from skbadge.samplers._kdpp_exact import (
    MAX_KERNEL_BYTES,
    draw_exactly,
    kernel_bytes,
    kernel_spectrum,
)
from skbadge.samplers._kdpp_mcmc import (
    HeatBathChain,
    UniformSwapChain,
    independent_rows,
    n_heat_bath_steps,
    n_swap_steps,
)
from skbadge.samplers._pivoted_cholesky import conditional_variances
from skbadge.samplers._selection import Selection

CHAINS = {"heat_bath": HeatBathChain, "uniform": UniformSwapChain}


class KDPP(Sampler):
    r"""k-DPP: a batch drawn with probability proportional to its determinant.

    With :math:`L` the inner products of the embeddings, a batch :math:`S` of :math:`n`
    rows has probability :math:`\det(L_S) / e_n(\lambda)`, where :math:`e_n` is the
    elementary symmetric polynomial of the eigenvalues of :math:`L` (Kulesza and Taskar
    [1]_). :math:`\det(L_S)` is the squared volume that the embeddings span: long and
    unlike each other is what they should be. This is what the BADGE paper [2]_ compares
    k-means++ with.

    The determinant is 0 for any batch larger than the rank, which for gradient
    embeddings is at most ``(n_classes - 1) * n_features``. Rows that are labelled
    already have no part in a k-DPP: ``labeled`` is ignored, as in the paper.

    Parameters
    ----------
    method : {"exact", "mcmc"}, default="exact"
        Draw from the law itself, through the eigendecomposition of the inner products
        of rows or columns, whichever are fewer; or run a Markov chain whose stationary
        law it is.

    sketch : int or None, default=None
        Project the embedding to that many columns first, see
        `skbadge.embeddings.sketch`; at least ``n``, better ``4 * n``. Batches then
        follow the k-DPP of the sketch, which is not that of the embedding; the
        selection's ``fallbacks`` say so. An embedding with no more columns is used as
        it is.

    proposal : {"heat_bath", "uniform"}, default="heat_bath"
        What a step of the chain does after a uniform row was taken out of the batch.
        "heat_bath" draws the row that comes in among all rows, by the determinants.
        "uniform" proposes one uniform row and accepts it by the ratio of determinants,
        as the code of the BADGE paper does; of a large pool such a chain sees little.

    steps : int, "auto" or "badge", default="auto"
        Length of the chain. "badge" is that of the paper's code, ``floor(5 n log n)``:
        none at all for one row, and whatever the size of the pool. "auto" is the same
        with uniform proposals, for which it is no promise of being near the k-DPP; with
        "heat_bath" it is enough to be within 0.01 of it in total variation from a
        greedy start, by the bound of Cryan, Guo and Mousa [3]_.

    init : {"greedy", "random"}, default="greedy"
        Where the chain starts: greedily the row farthest from the span of those before,
        or with a uniform batch, as the paper's code does. A uniform batch of
        determinant 0 makes way for the greedy one, where the paper's code takes a
        pseudo-inverse.

    Notes
    -----
    With ``m = min(n_rows, n_columns)``, "exact" takes time ``O(n_rows * n_columns * (m
    + n) + m**3 + n_rows * n**2)``, and holds three float64 arrays of shape (m, m) and,
    after them, five of shape (n_rows, n). More than 2 GiB for one of the former is
    refused. "mcmc" casts the embedding's factors to float64; a step takes ``O(n_rows *
    n)`` and the products of one row with all others with "heat_bath", ``O(n**2)`` and
    those with the batch with "uniform". It holds up to two float64 arrays of shape
    (n_rows, n), none with uniform proposals from a random start, and some of shape
    (n, n).

    Eigenvalues that rounding can account for count as 0. If a batch cannot be had
    because fewer than ``n`` rows are distinct and not 0, the rest is drawn uniformly,
    as by the other samplers; if it is the rank that falls short, that is an error. If
    all rows are asked for they are returned in random order.

    The values of a selection are the squared distances of each row's embedding to the
    span of those before it: their product is the determinant.

    References
    ----------
    .. [1] A. Kulesza, B. Taskar. "k-DPPs: fixed-size determinantal point processes".
       ICML 2011.
    .. [2] J. T. Ash, C. Zhang, A. Krishnamurthy, J. Langford, A. Agarwal. "Deep batch
       active learning by diverse, uncertain gradient lower bounds". ICLR 2020.
    .. [3] M. Cryan, H. Guo, G. Mousa. "Modified log-Sobolev inequalities for strongly
       log-concave distributions". Annals of Probability 49, 2021.

    Examples
    --------
    >>> from skbadge.embeddings import DenseEmbedding
    >>> from skbadge.samplers import KDPP
    >>> embedding = DenseEmbedding([[1.0, 0.0], [2.0, 0.0], [0.0, 3.0], [0.0, 0.0]])
    >>> rows = KDPP().sample(embedding, 2, random_state=0)
    >>> sorted(rows.tolist())
    [1, 2]
    """

    _parameter_constraints: dict = {
        "method": [StrOptions({"exact", "mcmc"})],
        "sketch": [Interval(Integral, 1, None, closed="left"), None],
        "steps": [
            Interval(Integral, 0, None, closed="left"),
            StrOptions({"auto", "badge"}),
        ],
        "proposal": [StrOptions(set(CHAINS))],
        "init": [StrOptions({"greedy", "random"})],
    }

    def __init__(
        self,
        method="exact",
        *,
        sketch=None,
        steps="auto",
        proposal="heat_bath",
        init="greedy",
    ):
        self.method = method
        self.sketch = sketch
        self.steps = steps
        self.proposal = proposal
        self.init = init

    def _run(self, embedding, n, labeled, feasible, rng):
        if n == len(embedding):
            # The one batch there is, whatever the rank.
            return Selection(rng.permutation(n).astype(np.int64))
        kernel_of, notes = self._sketched(embedding, n, rng)
        draw = self._draw if self.method == "exact" else self._walk
        rows, n_products = draw(kernel_of, n, rng)
        drawn = embedding.take(rows).astype(np.float64)
        selection = fill_uniformly(
            rows,
            conditional_variances(drawn.cross(drawn)),
            n,
            left_open(feasible, rows),
            rng,
            value_name="conditional variance",
            n_distances=n_products,
        )
        return replace(selection, fallbacks=(*notes, *selection.fallbacks))

    def _sketched(self, embedding, n, rng):
        """What the kernel is to be of, and what to say about it."""
        if self.sketch is None or self.sketch >= embedding.shape[1]:
            return embedding, ()
        if self.sketch < n:
            raise ValueError(
                f"`sketch` must be at least `n`={n}, better {4 * n}: a sketch of "
                f"{self.sketch} columns has no batch of {n} rows with a determinant "
                "above 0."
            )
        note = (
            f"the k-DPP is that of a random sketch with {self.sketch} columns in place "
            f"of the embedding's {embedding.shape[1]}, an approximation"
        )
        return sketch_embedding(embedding, self.sketch, random_state=rng), (note,)

    def _draw(self, embedding, n, rng):
        """Draw from the law itself."""
        n_bytes = kernel_bytes(embedding)
        if n_bytes > MAX_KERNEL_BYTES:
            raise ValueError(
                f"method='exact' decomposes a square matrix of {min(embedding.shape)} "
                f"rows for {embedding!r}, {n_bytes / 1e9:.3g} GB, above the limit of "
                f"{MAX_KERNEL_BYTES / 1e9:.3g} GB. Pass `sketch`, at least {n} and "
                f"better {4 * n}, to draw from an approximation, or method='mcmc'."
            )
        spectrum = kernel_spectrum(embedding)
        size = self._size(embedding, n, spectrum.rank, rng)
        return draw_exactly(embedding, spectrum, size, rng), 0

    def _walk(self, embedding, n, rng):
        """Run a Markov chain."""
        precision = np.finfo(embedding.dtype).eps
        n_rows, n_columns = len(embedding), n_spanned_columns(embedding)
        exact = embedding.astype(np.float64)
        # What rounding leaves of a row in the span of others: by the length of the sums
        # in float64, and by the precision of the entries as they came.
        relative = max(
            4 * (n + n_columns) * np.finfo(np.float64).eps, (32 * precision) ** 2
        )
        rows = independent_rows(exact, n, self.init, relative, rng)
        size = self._size(embedding, n, len(rows), rng)
        if size == 0:
            return rows, 0
        chain = CHAINS[self.proposal](exact, rows, relative)
        return chain.run(self._n_steps(n_rows, size), rng), chain.n_products

    def _n_steps(self, n_rows, n):
        if not isinstance(self.steps, str):
            return self.steps
        if self.steps == "badge" or self.proposal == "uniform":
            return n_swap_steps(n)
        return n_heat_bath_steps(n_rows, n)

    def _size(self, embedding, n, rank, rng):
        """How many rows to draw: ``n``, or the rank if no more rows are distinct."""
        if rank >= n:
            return n
        if _n_distinct(embedding, rng) <= rank:
            return rank
        if self.sketch is None:
            ways = (
                "Neither a sketch nor another `method` raises the rank, which for "
                "gradients is at most (n_classes - 1) * n_features."
            )
        else:
            ways = f"The sketch, `sketch`={self.sketch}, may be what limits the rank."
        n_rows, n_columns = embedding.shape
        raise ValueError(
            f"`n`={n} is above the rank, {rank}, of the embedding of {n_rows} rows and "
            f"{n_columns} columns: all batches of that size have determinant 0, and "
            f"there is no k-DPP. Ask for at most {rank} rows at a time, or use a "
            "sampler that the rank does not limit, such as KMeansPlusPlus (strategy "
            f"'badge'). {ways}"
        )


def _n_distinct(embedding, rng):
    """Number of rows that are not 0, copies counted once.

    Rows are told apart by their places along a random direction, or along a random sum
    of some of them where they have no columns.
    """
    if isinf(embedding.shape[1]):
        some = embedding.take(rng.permutation(len(embedding))[:256])
        weights = rng.standard_normal(len(some))
        weights /= np.sqrt(some.norms_sq().sum())
        places = np.sort(embedding.cross(some) @ weights)
    else:
        direction = rng.standard_normal((embedding.shape[1], 1))
        places = np.sort(embedding.project(direction)[:, 0])
    tolerance = 4 * np.sqrt(negligible_mass(embedding) / len(embedding))
    n_places = 1 + int((np.diff(places) > tolerance).sum())
    return n_places - int((np.abs(places) <= tolerance).any())
