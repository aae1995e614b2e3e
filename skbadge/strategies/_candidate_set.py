"""Different rows among those that some test has found worth a label."""

from dataclasses import replace

import numpy as np

from skbadge.samplers import Feasible, Selection
from skbadge.samplers._base import fill_uniformly
from skbadge.strategies._kernels import cosine
from skbadge.strategies._representatives import representatives


def unlike_candidates(pool, is_candidate, values, n, feasible, rng, **said):
    """Candidates near the centres of k-means, by the angles between their features.

    Of fewer candidates than ``n`` all are selected, and further rows are drawn.

    Parameters
    ----------
    pool : Outputs
        With features.

    is_candidate : ndarray of bool of shape (n_rows,)
        Which rows passed the test.

    values : ndarray of shape (n_rows,)
        float64, what it found.

    n : int
        Number of rows, at most ``feasible.n_left``.

    feasible : Feasible
        The rows that may be selected.

    rng : RandomState
        Source of randomness.

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
        return Selection(rows, values[rows], said["value_name"])
    is_open = open_rows.mask & is_candidate
    picks = np.empty(0, dtype=np.int64)
    if is_open.any():
        groups = feasible.groups, feasible.max_per_group
        rows, left = Feasible(
            len(pool), is_open, *groups, feasible.pending
        ).restricted()
        if left.n_left > n:
            matrix = cosine(pool.take(rows)).matrix
            picks = rows[representatives(matrix, n, left, rng)]
        else:
            picks = rows[left.open().draw(left.n_left, rng)]
    picks = open_rows.first(picks, len(picks))
    selection = fill_uniformly(picks, values[picks], n, open_rows, rng, **said)
    return replace(selection, values=values[selection.rows])
