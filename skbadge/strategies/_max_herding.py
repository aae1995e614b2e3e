"""MaxHerding: rows that stand for as many others as they can, without a model."""

from numbers import Real

import numpy as np

from skbadge._compat import Interval
from skbadge.outputs import Needs
from skbadge.samplers._herding import SAMPLE_SIZES
from skbadge.strategies._herding_strategy import HerdingStrategy


class MaxHerding(HerdingStrategy):
    r"""MaxHerding: rows that together are near to as many others as they can be.

    Made for the first labels (Bae et al. [1]_): of all rows that may be picked, each
    pick covers most of what labelled, pending and picked rows leave uncovered. It reads
    features, and no probabilities, so that it can be asked before there is a model:
    then the standardised rows themselves are the features.

    Parameters
    ----------
    sigma : float, default=1.0
        The distance at which a row counts 1/e as near as at distance 0, above 0. The
        features are taken at length 1, so that all distances are between 0 and 2. One
        or two columns, of which little would be left, get a third of ones.

    n_evaluation_rows : int, default=10_000
        Where the pool has more rows, gains are means over a uniform sample of so many,
        or of ``4 * n``.

    n_candidates : int, default=35_000
        Where more rows may be picked, it is from a uniform sample of so many.

    Notes
    -----
    See `skbadge.samplers.Herding`, with the kernel `GaussianEmbedding` of features
    at length 1. Pools in chunks are read in one pass, for the two samples.

    References
    ----------
    .. [1] W. Bae, J. Noh, D. J. Sutherland. "Generalized coverage for more robust
       low-budget active learning". ECCV 2024.

    Examples
    --------
    >>> import numpy as np
    >>> from skbadge.outputs import Outputs
    >>> from skbadge.strategies import MaxHerding
    >>> features = np.array([[1.0, 0.0], [0.9, 0.1], [0.8, 0.2], [-1.0, 0.0]])
    >>> MaxHerding().select(Outputs(features=features), 2)
    array([1, 3])
    """

    needs = Needs(features=True, labeled=True, sparse=True)
    _parameter_constraints: dict = {
        "sigma": [Interval(Real, 0, None, closed="neither")],
        **SAMPLE_SIZES,
    }

    def __init__(
        self,
        *,
        sigma: float = 1.0,
        n_evaluation_rows: int = 10_000,
        n_candidates: int = 35_000,
    ):
        self.sigma = sigma
        self.n_evaluation_rows = n_evaluation_rows
        self.n_candidates = n_candidates

    def _bandwidth(self, known):
        return self.sigma

    def _weights(self, pool, is_first):
        return np.ones(len(pool))
