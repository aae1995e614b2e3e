"""k-DPP sampling: batches drawn by the determinant of their Gram matrix."""

from dataclasses import replace
from numbers import Integral
from typing import Literal

import numpy as np

from skbadge._compat import Interval, StrOptions
from skbadge.embeddings import sketch
from skbadge.embeddings._scaled import scaled
from skbadge.samplers._base import (
    Sampler,
    fill_uniformly,
    n_spanned_columns,
)
from skbadge.samplers._kdpp_exact import (
    MAX_KERNEL_BYTES,
    conditioned,
    draw_exactly,
    kernel_bytes,
    kernel_spectrum,
)
from skbadge.samplers._kdpp_mcmc import (
    HeatBathChain,
    UniformSwapChain,
    farthest_first,
    independent_rows,
    n_heat_bath_steps,
    n_swap_steps,
)
from skbadge.samplers._moderation import moderating_factor
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
    embeddings is at most ``(n_classes - 1) * n_features``, and less where the model is
    certain. If ``n`` is above the rank, the k-DPP of as many rows as the rank is drawn,
    and the rest uniformly, with a `QueryWarning`.

    If there are pending rows :math:`A`, the batch has probability proportional to
    :math:`\det(L_{S \cup A})`. Rows that are labelled already have no part in a k-DPP:
    ``labeled`` is ignored, as in the paper. A quota of ``groups`` is refused: under a
    quota the law is not a k-DPP any more.

    Parameters
    ----------
    method : {"exact", "mcmc"}, default="exact"
        Draw from the law itself, through the eigendecomposition of the inner products
        of rows or columns, whichever are fewer; or run a Markov chain whose stationary
        law it is.

    n_columns : int or None, default=None
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
    (n, n). Pending rows add an array of shape (n_rows, n_pending), but not with "exact"
    where there are fewer columns than rows.

    Eigenvalues that rounding can account for count as 0. If all rows that may be picked
    are asked for, they are returned in random order.

    The values of a selection are the squared distances of each row's embedding to the
    span of those before it, pending rows first: their product is the determinant, or
    with pending rows its ratio to that of the pending rows alone.

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
        "n_columns": [Interval(Integral, 1, None, closed="left"), None],
        "steps": [
            Interval(Integral, 0, None, closed="left"),
            StrOptions({"auto", "badge"}),
        ],
        "proposal": [StrOptions(set(CHAINS))],
        "init": [StrOptions({"greedy", "random"})],
    }

    def __init__(
        self,
        method: Literal["exact", "mcmc"] = "exact",
        *,
        n_columns: int | None = None,
        steps: int | Literal["auto", "badge"] = "auto",
        proposal: Literal["heat_bath", "uniform"] = "heat_bath",
        init: Literal["greedy", "random"] = "greedy",
    ):
        self.method = method
        self.n_columns = n_columns
        self.steps = steps
        self.proposal = proposal
        self.init = init

    def _run(self, embedding, n, labeled, feasible, rng):
        if feasible.groups is not None:
            raise ValueError(
                "KDPP takes no `groups`: under a quota the law of the batch is not a "
                "k-DPP any more. Leave `groups` out, or use a sampler that keeps a "
                "quota as it goes, such as KMeansPlusPlus (strategy 'badge') or MaxDet "
                "('badge_max_det')."
            )
        open_rows = feasible.open()
        rows = np.flatnonzero(open_rows.mask)
        if n == len(rows):
            # The one batch there is, whatever the rank.
            return Selection(rng.permutation(rows).astype(np.int64))
        kernel_of, notes = self._sketched(embedding, n + len(feasible.pending), rng)
        if (factor := moderating_factor(kernel_of)) != 1:
            # A common factor does not change the law.
            kernel_of = scaled(kernel_of, factor)
        given = _independent(kernel_of, feasible.pending)
        condition = kernel_of.take(given) if len(given) else None
        if len(feasible.pending):
            kernel_of = kernel_of.take(rows)
        draw = self._draw if self.method == "exact" else self._walk
        picks, n_products, faults = draw(kernel_of, condition, n, rng)
        picks = rows[picks]
        for row in picks:
            open_rows.close(row)
        drawn = embedding.take(np.concatenate([given, picks])).astype(np.float64)
        selection = fill_uniformly(
            picks,
            conditional_variances(drawn.cross(drawn))[len(given) :],
            n,
            open_rows,
            rng,
            value_name="conditional variance",
            n_distances=n_products,
            found="have linearly independent embeddings, as a k-DPP's must be",
        )
        return replace(selection, fallbacks=(*notes, *faults, *selection.fallbacks))

    def _sketched(self, embedding, n, rng):
        """What the kernel is to be of, and what to say about it."""
        if self.n_columns is None or self.n_columns >= embedding.shape[1]:
            return embedding, ()
        if self.n_columns < n:
            raise ValueError(
                f"`n_columns` must be at least {n}, the number of rows, pending ones "
                f"included; better {4 * n}. A sketch of {self.n_columns} columns has "
                f"no batch of {n} rows with a determinant above 0."
            )
        note = (
            f"the k-DPP is that of a random sketch with {self.n_columns} columns in "
            f"place of the embedding's {embedding.shape[1]}, an approximation"
        )
        return sketch(embedding, self.n_columns, random_state=rng), (note,)

    def _draw(self, embedding, given, n, rng):
        """Draw from the law itself."""
        n_bytes = kernel_bytes(embedding)
        if n_bytes > MAX_KERNEL_BYTES:
            size = n if given is None else n + len(given)
            raise ValueError(
                f"method='exact' decomposes a square matrix of {min(embedding.shape)} "
                f"rows for {embedding!r}, {n_bytes / 1e9:.3g} GB, above the limit of "
                f"{MAX_KERNEL_BYTES / 1e9:.3g} GB. Pass `n_columns`, at least {size} "
                f"and better {4 * size}, for an approximation, or method='mcmc'."
            )
        spectrum = kernel_spectrum(embedding, given)
        return draw_exactly(embedding, spectrum, min(n, spectrum.rank), rng), 0, ()

    def _walk(self, embedding, given, n, rng):
        """Run a Markov chain."""
        exact, floor = embedding.astype(np.float64), _rounding(embedding, n)
        if given is not None:
            # The floor stays that of the rows before they were conditioned.
            exact = conditioned(exact, given)
        start = independent_rows(exact, n, self.init, floor, rng)
        if not len(start):
            return start, 0, ()
        chain = CHAINS[self.proposal](exact, start, floor)
        rows = chain.run(self._n_steps(len(exact), len(start)), rng)
        faults = ()
        if chain.n_returns:
            faults = (
                "the chain came to batches whose inner products have no inverse in "
                f"float64, and went back to an earlier one, {chain.n_returns} times",
            )
        return rows, chain.n_products, faults

    def _n_steps(self, n_rows, n):
        if not isinstance(self.steps, str):
            return self.steps
        if self.steps == "badge" or self.proposal == "uniform":
            return n_swap_steps(n)
        return n_heat_bath_steps(n_rows, n)


def _independent(embedding, pending):
    """Those of the pending rows that span all of them."""
    if not len(pending):
        return pending
    part = embedding.take(pending)
    floor = _rounding(part, len(part))
    return pending[farthest_first(part.astype(np.float64), len(part), floor)]


def _rounding(embedding, n):
    """What rounding leaves of each row's squared norm in the span of ``n`` others."""
    # By the length of the sums in float64, and by the precision of the entries as they
    # came.
    sums = 4 * (n + n_spanned_columns(embedding)) * np.finfo(np.float64).eps
    relative = max(sums, (32 * np.finfo(embedding.dtype).eps) ** 2)
    return relative * embedding.norms_sq()
