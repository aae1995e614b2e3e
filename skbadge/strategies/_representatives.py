"""Rows that stand for clusters: the nearest to the centres of k-means."""

import numpy as np
from scipy import sparse

from skbadge.samplers import Feasible
from skbadge.utils._clustering import cluster, nearest_distinct
from skbadge.utils._ties import Ties


def representatives(matrix, n, feasible, rng, *, weights=None):
    """Cluster rows, and pick for each centre in turn the nearest that may be picked.

    Pending rows stand for clusters of their own: there are so many more, and each takes
    the centre nearest to it.

    Parameters
    ----------
    matrix : ndarray or CSR matrix of shape (n_rows, n_columns)
        Floating and finite.

    n : int
        Number of rows, at least 0 and at most ``feasible.n_left``.

    feasible : Feasible
        The rows that may be picked.

    rng : RandomState
        Source of randomness.

    weights : ndarray of shape (n_rows,) or None, default=None
        Of the rows in the clusters' means, at least 0; None for equal ones.

    Returns
    -------
    rows : ndarray of shape (n,)
        int64, distinct.
    """
    if n == 0:
        return np.empty(0, dtype=np.int64)
    pending, ties = feasible.pending, Ties(rng)
    _, centers = cluster(matrix, n + len(pending), rng, weights=weights)
    if len(pending):
        waiting = matrix[pending]
        waiting = waiting.toarray() if sparse.issparse(waiting) else waiting
        taken = nearest_distinct(centers, waiting, Feasible(len(centers)).open(), ties)
        centers = np.delete(centers, taken, axis=0)
    return nearest_distinct(matrix, centers, feasible.open(), ties)
