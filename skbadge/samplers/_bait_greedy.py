"""BAIT's forward-backward greedy search on Fisher embeddings."""

import warnings

import numpy as np
from sklearn.utils import check_random_state

from skbadge.exceptions import QueryWarning
from skbadge.samplers._bait_state import GREATEST_CHANGE, LEAST_GAIN, BaitState
from skbadge.samplers._selection import Selection
from skbadge.utils._validation import check_n

# Gains and losses that agree to so many digits are equal but for rounding.
TIE = 1e-9


def bait_greedy(
    fisher,
    n,
    *,
    labeled=None,
    regularization=1.0,
    oversampling=2.0,
    labeled_weighting="repo",
    random_state=None,
):
    r"""Select rows whose Fisher information, once added, leaves the least uncertain.

    BAIT (Ash et al. [1]_, Algorithm 1) looks for the batch :math:`S` that minimises
    :math:`\mathrm{tr}(M_S^{-1} \bar F)`, a bound on the error of the maximum likelihood
    estimate, where :math:`\bar F` is the mean Fisher information of all rows and
    :math:`M_S` that of the labelled rows and the batch. It adds rows greedily, more
    than asked for, and then greedily removes those that are missed least.

    Parameters
    ----------
    fisher : FisherEmbedding of shape (n_rows, rank, n_parameters)
        The candidates, see `skbadge.embeddings.fisher_embedding`.

    n : int
        Number of rows to select, at least 0. If there are fewer, all are returned,
        with a `QueryWarning`.

    labeled : FisherEmbedding of shape (n_labeled, rank, n_parameters) or None
        The labelled rows.

    regularization : float, default=1.0
        The multiple :math:`\lambda > 0` of the identity in :math:`M`.

    oversampling : float, default=2.0
        Rows added before the removal, as a multiple of ``n``, at least 1.

    labeled_weighting : {"repo", "counts", "mean"}, default="repo"
        What a row weighs beside the labelled ones, see `skbadge.strategies.Bait`.

    random_state : None, int or RandomState
        Decides between rows that are equal for the objective.

    Returns
    -------
    selection : Selection
        The rows in the order in which they were added. The values say by how much each
        lowered the objective at that moment, the norms are Frobenius norms of the
        roots. If all rows are asked for there is nothing to search: they come in the
        order of what each alone would do.

    Raises
    ------
    ValueError
        If ``n`` is negative, ``labeled`` has roots of other width, a parameter is
        outside its range, or ``regularization`` is too small for the inverse in
        float64.

    Notes
    -----
    With :math:`N` rows, rank :math:`r`, :math:`c` outputs, :math:`d` features and
    :math:`D = c d` parameters: :math:`O(N c^2 d^2)` once, and
    :math:`O(N (c d r + r^3) + D^2 r)` for each row added, where the formula evaluated
    at each row takes :math:`O(N r D^2)`. Memory: :math:`2 N r^2 + 6 D^2` float64
    numbers beyond the roots, and blocks of fixed size (`bait_nbytes`).

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
    n = check_n(n, len(fisher))
    _check_parameters(regularization, oversampling, labeled_weighting)
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
        regularization=regularization,
        labeled_weighting=labeled_weighting,
    )
    rank = rng.permutation(len(fisher))
    if n == len(fisher):
        gains = state.gains()
        rows = np.lexsort((rank, -gains))
        values, fallbacks = gains[rows], ()
    else:
        size = min(max(int(oversampling * n), n), len(fisher))
        rows, values = forward(state, size, rank)
        kept = backward(state, rows, n)
        rows, values, fallbacks = _filled(rows[kept], values[kept], n, len(fisher), rng)
    norms = np.sqrt(fisher.take(rows).norms_sq())
    nbytes = bait_nbytes(len(fisher), fisher.rank, fisher.n_parameters)
    return Selection(
        rows, values, "gain", fallbacks, norms=norms, nbytes=fisher.nbytes + nbytes
    )


def _check_parameters(regularization, oversampling, labeled_weighting):
    if not 0 < regularization < np.inf:
        raise ValueError(
            "`regularization` must be above 0 and finite. "
            f"Got {regularization} instead."
        )
    if not 1 <= oversampling < np.inf:
        raise ValueError(
            f"`oversampling` must be at least 1 and finite. Got {oversampling} instead."
        )
    if labeled_weighting not in ("repo", "counts", "mean"):
        raise ValueError(
            "`labeled_weighting` must be 'repo', 'counts' or 'mean'. "
            f"Got {labeled_weighting!r} instead."
        )


def initial_state(
    fisher,
    labeled,
    n,
    *,
    regularization,
    labeled_weighting,
    greatest_change=GREATEST_CHANGE,
    least_gain=LEAST_GAIN,
):
    """The state before the first row.

    See `bait_greedy` and, for the last two, `BaitState` for the parameters.

    Returns
    -------
    state : BaitState
        With the labelled rows and the regularisation in its precision.
    """
    n_labeled = 0 if labeled is None else len(labeled)
    target = fisher.total_information()
    precision = np.zeros_like(target)
    weight = 1.0
    if n_labeled:
        precision += labeled.total_information()
        target += precision
        if labeled_weighting == "repo":
            precision /= n_labeled + n
            weight = n / (n_labeled + n)
        elif labeled_weighting == "mean":
            precision /= n_labeled
    target /= len(fisher) + n_labeled
    precision.flat[:: len(precision) + 1] += regularization
    tolerances = greatest_change, least_gain
    return BaitState(fisher, precision, target, weight, *tolerances)


def forward(state, size, rank):
    """Add rows, each the one that lowers the objective most.

    Parameters
    ----------
    state : BaitState
        Changed by the rows added.

    size : int
        How many to add. It stops short where no row left carries information.

    rank : ndarray of shape (n_rows,)
        Of rows that are equal for the objective, the one of least rank is added.

    Returns
    -------
    rows : ndarray of int64
        In the order in which they were added.

    values : ndarray of float64
        How far each lowered the objective.
    """
    rows, values = [], []
    while len(rows) < size:
        gains = state.gains()
        gains[rows] = -np.inf
        if gains.max() < state.negligible and state.n_updates:
            state.refresh()
            continue
        row = _first_of_best(gains, rank)
        if gains[row] <= 0:
            break
        values.append(gains[row])
        rows.append(row)
        state.add(row)
    return np.array(rows, dtype=np.int64), np.array(values)


def backward(state, rows, n):
    """Remove rows, each the one whose loss raises the objective least.

    Of rows that are equal for the objective, the last is removed.

    Parameters
    ----------
    state : BaitState
        With the rows in its precision, which is changed by the rows removed.

    rows : ndarray of int64
        The rows to choose from, in the order in which they were added.

    n : int
        How many to keep.

    Returns
    -------
    kept : ndarray of int64
        Positions in ``rows``, ascending.
    """
    kept = np.arange(len(rows))
    if len(rows) <= n:
        return kept
    part = state.restricted(rows)
    while len(kept) > n:
        losses = np.full(len(rows), np.inf)
        losses[kept] = part.losses()[kept]
        removed = _first_of_best(-losses, -np.arange(len(rows)))
        part.remove(removed)
        kept = kept[kept != removed]
    return kept


def _first_of_best(values, rank):
    """The row of greatest value; of those that differ by rounding, of least rank."""
    greatest = values.max()
    tied = np.flatnonzero(values >= greatest - TIE * abs(greatest))
    return int(tied[rank[tied].argmin()])


def _filled(rows, values, n, n_rows, rng):
    """Complete a selection uniformly, if too few rows carry information."""
    missing = n - len(rows)
    if missing <= 0:
        return rows, values, ()
    left = np.ones(n_rows, dtype=bool)
    left[rows] = False
    fill = rng.choice(np.flatnonzero(left), missing, replace=False)
    message = (
        f"only {len(rows)} of {n} rows carry Fisher information; the other {missing}, "
        "of which the model is certain or whose features are zero, were drawn uniformly"
    )
    warnings.warn(message[0].upper() + message[1:] + ".", QueryWarning, stacklevel=2)
    return np.r_[rows, fill], np.r_[values, np.zeros(missing)], (message,)


def bait_nbytes(n_rows, rank, n_parameters):
    """Bytes that `bait_greedy` holds at most, beyond the roots.

    Parameters
    ----------
    n_rows, rank, n_parameters : int
        Shape of the Fisher embedding.

    Returns
    -------
    nbytes : int
        Two small matrices a row, some matrices of all parameters, and 32 MiB for
        blocks of rows.
    """
    return 8 * (2 * n_rows * rank**2 + 6 * n_parameters**2) + 2**25
