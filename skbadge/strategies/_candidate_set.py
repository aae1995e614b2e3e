"""Different rows among those that some test has found worth a label."""

from dataclasses import replace

import numpy as np

from skbadge.samplers import Selection
from skbadge.samplers._base import fill_uniformly
from skbadge.strategies._kernels import cosine
from skbadge.strategies._representatives import representatives


def n_open(feasible, is_candidate):
    """How many candidates may be selected, of a group no more than its quota."""
    left = _restricted(feasible, is_candidate)
    return 0 if left is None else left.n_left


def unlike_candidates(
    outputs_of, is_candidate, values, n, feasible, rng, *, most=None, **said
):
    """Candidates near the centres of k-means, by the angles between their features.

    Of fewer candidates than ``n`` all are selected, and further rows are drawn.

    Parameters
    ----------
    outputs_of : callable
        From positions of rows, ascending, to `Outputs` with their features.

    is_candidate : ndarray of bool of shape (n_rows,)
        Which rows passed the test.

    values : ndarray of shape (n_rows,)
        What it found.

    n : int
        Number of rows, at most ``feasible.n_left``.

    feasible : Feasible
        The rows that may be selected.

    rng : RandomState
        Source of randomness.

    most : int or None, default=None
        Candidates that are clustered at most, or ``n`` if that is more; of others a
        uniform sample. None for all.

    **said : str
        ``value_name`` and ``found``, as for `fill_uniformly`.

    Returns
    -------
    selection : Selection
        The rows and their values.
    """
    open_rows = feasible.open()
    if n == np.count_nonzero(open_rows.mask):
        # No fallback: there is nothing to choose.
        rows = open_rows.draw(n, rng)
        rows = rows[np.argsort(~is_candidate[rows], kind="stable")]
        found = values[rows].astype(np.float64)
        return Selection(rows, found, said["value_name"])
    picks, notes = np.empty(0, dtype=np.int64), ()
    left = _restricted(feasible, is_candidate)
    if left is not None and left.n_left > n:
        left, notes = _thinned(left, n, most, rng)
        rows, left = left.restricted()
        matrix = cosine(outputs_of(rows)).matrix
        picks = rows[representatives(matrix, n, left, rng)]
    elif left is not None:
        picks = left.open().draw(left.n_left, rng)
    picks = open_rows.first(picks, len(picks))
    selection = fill_uniformly(picks, values[picks], n, open_rows, rng, **said)
    found = values[selection.rows].astype(np.float64)
    return replace(selection, values=found, notes=notes)


def _restricted(feasible, is_candidate):
    """What may be picked if none but candidates may be; None if that is no row."""
    is_open = feasible.open().mask & is_candidate
    return replace(feasible, mask=is_open) if is_open.any() else None


def _thinned(left, n, most, rng):
    n_rows = int(left.open().mask.sum())
    if most is None or n_rows <= max(n, most):
        return left, ()
    rows = left.sample(most, n, rng)
    note = f"{len(rows)} of {n_rows} candidates, drawn uniformly, were clustered"
    return left.only(rows), (note,)
