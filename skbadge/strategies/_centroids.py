"""The rows nearest to the centres of k-means: a start that needs no label."""

from skbadge.outputs import Needs
from skbadge.samplers import Selection
from skbadge.strategies._base import Strategy
from skbadge.strategies._kernels import cosine
from skbadge.strategies._representatives import representatives


class Centroids(Strategy):
    """Rows that stand for the clusters of the pool, by k-means.

    Features, at length 1, are clustered into as many clusters as rows are selected, and
    the row nearest to each centre is selected. It needs no label and no model, and is
    how Gupte et al. [1]_ start before `DropQuery`.

    Notes
    -----
    All rows of the pool form the clusters, those that may not be selected as well.
    Labelled rows play no part, so that a second call tends to select the neighbours of
    the first one's rows: use another strategy once there are labels. A pending row
    takes the centre that is nearest to it.

    The time is that of scikit-learn's k-means with ``n`` clusters, by mini-batches
    above 50 of them. Memory is that of the features, once more.

    References
    ----------
    .. [1] S. R. Gupte, J. Aklilu, J. J. Nirschl, S. Yeung-Levy. "Revisiting active
       learning in the era of vision foundation models". TMLR 2024.

    Examples
    --------
    >>> import numpy as np
    >>> from skbadge.outputs import Outputs
    >>> from skbadge.strategies import Centroids
    >>> features = np.array([[1.0, 0.0], [9.0, 0.1], [0.0, 2.0], [0.1, 3.0]])
    >>> rows = Centroids().select(Outputs(features=features), 2, random_state=0)
    >>> np.sort(rows // 2)
    array([0, 1])
    """

    needs = Needs(features=True, sparse=True)
    reads_population = True

    def _run(self, pool, n, labeled, feasible, rng):
        matrix = cosine(pool).matrix
        return Selection(representatives(matrix, n, feasible, rng))
