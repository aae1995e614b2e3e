"""BAIT's forward-backward greedy search on Fisher embeddings."""

from dataclasses import replace
from numbers import Real
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import check_random_state

from skbadge._compat import Interval, StrOptions, validate_params
from skbadge.embeddings import FisherEmbedding
from skbadge.samplers._bait_batch import BatchState
from skbadge.samplers._bait_state import (
    GREATEST_CHANGE,
    LEAST_GAIN,
    BaitState,
    SingularPrecisionError,
)
from skbadge.samplers._base import fill_uniformly
from skbadge.samplers._feasible import Feasible
from skbadge.samplers._selection import Selection
from skbadge.utils._ties import Ties, rounded
from skbadge.utils._typing import RandomState

# Beyond these, products of products overflow.
GREATEST_INFORMATION = 1e70
GREATEST_RATIO = 1e60

# Matrices of so many roots are small beside blocks.
FEW_ROOTS = 512


@validate_params(
    {
        "regularization": [Interval(Real, 0, np.inf, closed="neither")],
        "oversampling": [Interval(Real, 1, np.inf, closed="left")],
        "labeled_weighting": [StrOptions({"repo", "counts", "mean"})],
    },
)
def bait_greedy(
    fisher: FisherEmbedding,
    n: int,
    *,
    labeled: FisherEmbedding | None = None,
    feasible: NDArray[np.bool_] | Feasible | None = None,
    regularization: float = 1.0,
    oversampling: float = 2.0,
    labeled_weighting: Literal["repo", "counts", "mean"] = "repo",
    random_state: RandomState = None,
) -> Selection:
    r"""Select rows whose Fisher information, once added, leaves the least uncertain.

    BAIT (Ash et al. [1]_, Algorithm 1) looks for the batch :math:`S` that minimises
    :math:`\mathrm{tr}(M_S^{-1} \bar F)`, a bound on the error of the maximum likelihood
    estimate. :math:`\bar F` is the mean Fisher information of pool and labelled rows,
    :math:`M_S` that of the labelled rows and the batch. Rows are added greedily, more
    than asked for. Then those that are missed least are removed greedily.

    Parameters
    ----------
    fisher : FisherEmbedding of shape (n_rows, rank, n_parameters)
        The pool, see `skbadge.embeddings.fisher_embedding`.

    n : int
        Number of rows to select, at least 0. If fewer may be picked, all of them are
        returned, with a `QueryWarning`.

    labeled : FisherEmbedding of shape (n_labeled, rank, n_parameters) or None
        The labelled rows.

    feasible : ndarray of bool of shape (n_rows,), Feasible or None, default=None
        The rows that may be picked, see `skbadge.samplers.Sampler.sample`. All rows
        count in :math:`\bar F`, whether they may be picked or not. Pending rows are in
        :math:`M_S` from the start, as the first rows of the batch.

    regularization : float, default=1.0
        The multiple :math:`\lambda > 0` of the identity in :math:`M`.

    oversampling : float, default=2.0
        Rows added before the removal, as a multiple of ``n``, at least 1.

    labeled_weighting : {"repo", "counts", "mean"}, default="repo"
        What a row weighs beside the labelled ones, see `skbadge.strategies.Bait`.

    random_state : None, int or RandomState
        Orders rows that are equal for the objective.

    Returns
    -------
    selection : Selection
        The rows in the order in which they were added. The values say by how much each
        lowered the objective at that moment, the norms are Frobenius norms of the
        roots. If all rows that may be picked are asked for, there is nothing to search:
        they come in the order of what each alone would do.

    Raises
    ------
    ValueError
        If ``n`` is negative, ``labeled`` has roots of other width, no row is feasible,
        a parameter is outside its range, or ``regularization`` is too small for the
        inverse in float64.

    Notes
    -----
    With :math:`N` rows, rank :math:`r`, :math:`c` outputs, :math:`d` features and
    :math:`D = c d` parameters: :math:`O(N c^2 d^2)` once, and
    :math:`O(N (c d r + r^3) + D^2 r)` for each row added, where the formula evaluated
    at each row takes :math:`O(N r D^2)`. Memory: :math:`2 N r^2 + 9 D^2` float64
    numbers beyond the roots, and blocks of fixed size (`bait_nbytes`). If there is a
    mask, :math:`N` counts the rows that may be picked, whose roots are copied.

    References
    ----------
    .. [1] J. T. Ash, S. Goel, A. Krishnamurthy, S. Kakade. "Gone fishing: neural
       active learning with Fisher embeddings". NeurIPS 2021.

    Examples
    --------
    The two rows that span the plane, not the longest two:

    >>> from skbadge.embeddings import fisher_embedding
    >>> from skbadge.samplers import bait_greedy
    >>> features = [[4.0, 0.0], [3.9, 0.0], [0.0, 3.0]]
    >>> bait_greedy(fisher_embedding([0.5, 0.5, 0.5], features), 2).rows
    array([0, 2])
    """
    may_be_picked = Feasible.of(feasible, len(fisher))
    n = may_be_picked.up_to(n)
    if labeled is not None and labeled.n_parameters != fisher.n_parameters:
        raise ValueError(
            "`labeled` must have roots as wide as those of `fisher`. "
            f"Got {labeled.n_parameters} and {fisher.n_parameters}."
        )
    if n == 0:
        return Selection(np.empty(0, dtype=np.int64), np.empty(0), "gain")
    rng = check_random_state(random_state)
    state = initial_state(
        fisher,
        labeled,
        n,
        feasible=may_be_picked,
        regularization=regularization,
        labeled_weighting=labeled_weighting,
    )
    found = "carry Fisher information"
    selection = search(state, n, may_be_picked, oversampling, found, rng)
    nbytes = bait_nbytes(len(state.fisher), fisher.rank, fisher.n_parameters)
    return replace(
        selection,
        norms=np.sqrt(fisher.take(selection.rows).norms_sq()),
        nbytes=fisher.nbytes + nbytes,
    )


def initial_state(
    fisher,
    labeled,
    n,
    *,
    regularization,
    labeled_weighting,
    feasible=None,
    count_labeled=True,
    greatest_change=GREATEST_CHANGE,
    least_gain=LEAST_GAIN,
):
    """The state before the first pick, see `bait_greedy` for the parameters.

    Parameters
    ----------
    labeled_weighting : {"repo", "counts", "mean"} or None
        None leaves the labelled rows out of the precision.

    count_labeled : bool, default=True
        Whether the labelled rows are in the target.

    greatest_change, least_gain
        See `BaitState`.

    Returns
    -------
    state : BaitState
        Of the rows that ``feasible.restricted()`` leaves. The regularisation, the
        labelled rows and the pending ones are in its precision, and all rows of the
        pool in its target.
    """
    _check_range(regularization, fisher, labeled)
    feasible = Feasible.of(feasible, len(fisher))
    pending = feasible.pending
    n_batch = n + len(pending)
    # F-bar, the mean of n_rows rows in the end, and M.
    target, n_rows = fisher.total_information(), len(fisher)
    precision, weight = np.zeros_like(target), 1.0
    # Known rows, and what their information is multiplied by in M.
    given = []
    if labeled is not None and len(labeled):
        known, n_labeled = labeled.total_information(), len(labeled)
        if count_labeled:
            target += known
            n_rows += n_labeled
            if feasible.repeats is not None:
                # Rows that stand both in the pool and among the labelled count once.
                repeats = np.flatnonzero(feasible.repeats)
                target -= fisher.take(repeats).total_information()
                n_rows -= len(repeats)
        if labeled_weighting == "repo":
            # m / (m + n) times the labelled rows' mean, n / (m + n) times each pick.
            given.append((labeled, 1 / (n_labeled + n_batch)))
            weight = n_batch / (n_labeled + n_batch)
        elif labeled_weighting is not None:
            # The labelled rows' mean or sum, and each pick once.
            given.append((labeled, 1 / n_labeled if labeled_weighting == "mean" else 1))
        for _, share in given:
            precision += share * known
    target /= n_rows
    if len(pending):
        # As if they had been picked first.
        given.append((fisher.take(pending), weight))
        precision += weight * given[-1][0].total_information()
    precision.flat[:: len(precision) + 1] += regularization
    candidates, _ = feasible.restricted()
    if len(candidates) < len(fisher):
        # Other rows count in F-bar alone. What they would do is never asked.
        fisher = fisher.take(candidates)
    state = BaitState(fisher, precision, target, weight, greatest_change, least_gain)
    state.given, state.regularization = given, regularization
    return state


def _check_range(regularization, fisher, labeled):
    """Refuse roots whose products would overflow."""
    greatest = fisher.norms_sq().max(initial=0.0)
    if labeled is not None:
        greatest = max(greatest, labeled.norms_sq().max(initial=0.0))
    if not greatest <= min(GREATEST_INFORMATION, GREATEST_RATIO * regularization):
        raise SingularPrecisionError(
            "`regularization` is too small beside the Fisher information of the rows, "
            f"which goes up to {greatest:.3g}: their products are beyond float64. "
            "Raise it, or standardise the model's input."
        )


def search(state, n, feasible, oversampling, found, rng):
    """Search forward and backward, and fill up uniformly.

    The rows are positions in the pool, the values are gains. ``found`` is what the
    search finds true of its picks alone, for a fallback.
    """
    candidates, feasible = feasible.restricted()
    open_rows, ties = feasible.open(), Ties(rng)
    rows = np.flatnonzero(open_rows.mask)
    if n == len(rows):
        # Nothing to choose, and what carries no information has a gain of 0.
        values = state.gains()[rows]
        order = np.lexsort((ties.keys(rows), -rounded(values, state.fisher.dtype)))
        return Selection(candidates[rows[order]], values[order], "gain")
    size = min(max(int(oversampling * n), n), feasible.n_left)
    rows, values = forward(state, size, open_rows, ties)
    kept = backward(state, rows, n, ties)
    # Where a fill is needed, no row was removed, and `open_rows` is up to date.
    selection = fill_uniformly(
        rows[kept],
        values[kept],
        n,
        open_rows,
        rng,
        value_name="gain",
        found=found,
    )
    return replace(selection, rows=candidates[selection.rows])


def forward(state, size, open_rows, ties):
    """Add rows, each the one that lowers the objective most, and by how much.

    It stops short of ``size`` where no row left carries information. The rows are
    closed, and added to the state.
    """
    rows, values = [], []
    while len(rows) < size:
        gains = np.where(open_rows.mask, state.gains(), -np.inf)
        if gains.max() < state.negligible and state.n_updates:
            # Too few digits are left of what the updates began with.
            state.refresh()
            continue
        row = ties.greatest(gains, None, state.fisher.dtype, state.rounding)
        if gains[row] <= 0:
            break
        values.append(gains[row])
        rows.append(row)
        open_rows.close(row)
        state.add(row)
    return np.array(rows, dtype=np.int64), np.array(values)


def backward(state, rows, n, ties):
    """Remove rows, each the one whose loss raises the objective least.

    Returns ascending positions in ``rows``. What is left of rows that keep a quota
    keeps it too.
    """
    kept, fisher = np.arange(len(rows)), state.fisher
    n_known = sum(len(part) * part.rank for part, _ in state.given)
    n_free = max(fisher.n_parameters, FEW_ROOTS) - n_known
    # With more roots than columns, these leave no direction unknown, and little cancels
    # that `BatchState` would spare.
    n_spanning = max(n, n_free // fisher.rank)
    if len(kept) > n_spanning:
        # None but these can be removed, so that others need no updates.
        part = state.restricted(rows)
        kept = kept[_thinned(part, rows, n_spanning, ties, fisher.dtype)]
    if len(kept) > n:
        few = BatchState(state, rows[kept])
        kept = kept[_thinned(few, rows[kept], n, ties, fisher.dtype)]
    return kept


def _thinned(state, rows, n, ties, dtype):
    """Positions of the rows that are left when the others have been removed."""
    left = np.arange(len(rows))
    while len(left) > n:
        losses = state.losses()[left]
        least = rounded(losses.min(), dtype, state.rounding)
        tied = left[rounded(losses, dtype, state.rounding) == least]
        # By the same order as when rows were added: of copies the last one goes.
        removed = tied[ties.keys(rows[tied]).argmax()]
        state.remove(removed)
        left = left[left != removed]
    return left


def bait_nbytes(n_rows: int, rank: int, n_parameters: int) -> int:
    """Bytes that `bait_greedy` holds at most, beyond the roots of rows it may pick.

    Two small matrices a row, some matrices of all parameters, and 32 MiB for blocks.
    """
    return 8 * (2 * n_rows * rank**2 + 9 * n_parameters**2) + 2**25
