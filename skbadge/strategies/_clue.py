"""CLUE: rows nearest to the centres of clusters weighted by entropy."""

from numbers import Real

from skbadge._compat import Interval
from skbadge.outputs import Needs
from skbadge.samplers import Selection
from skbadge.strategies._base import Strategy
from skbadge.strategies._representatives import representatives
from skbadge.strategies._uncertainty import entropy


class Clue(Strategy):
    """CLUE: uncertain rows of different kinds, by weighted clusters.

    Clustering uncertainty-weighted embeddings, by Prabhu et al. [1]_, made for labels
    of a new domain: the features are clustered by k-means, each row with the entropy of
    its class probabilities as weight, into as many clusters as rows are selected. The
    row nearest to each centre is selected.

    Parameters
    ----------
    temperature : float, default=1.0
        Above 0. Entropies are those of the softmax of the logits divided by it. Below
        1, the weight of rows whose prediction is certain falls towards 0. The authors
        take 1, and 0.1 for one data set.

    Notes
    -----
    Two centres may have the same nearest row; the later one then has its nearest row
    but that. A pending row takes the centre that is nearest to it. Where all entropies
    are 0, rows count alike.

    The time is that of scikit-learn's k-means with ``n`` clusters, by mini-batches
    above 50 of them. Memory is that of the features, once more.

    References
    ----------
    .. [1] V. Prabhu, A. Chandrasekaran, K. Saenko, J. Hoffman. "Active domain
       adaptation via clustering uncertainty-weighted embeddings". ICCV 2021.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skbadge import BadgeQuerier
    >>> X, y = load_iris(return_X_y=True)
    >>> model = LogisticRegression(max_iter=1000)
    >>> querier = BadgeQuerier(model, strategy="clue", random_state=0)
    >>> rows = querier.fit(X[::10], y[::10]).query(X, n=3, candidates=range(1, 10))
    >>> len(rows)
    3
    """

    _parameter_constraints: dict = {
        "temperature": [Interval(Real, 0, None, closed="neither")]
    }

    needs = Needs(proba=True, features=True, sparse=True)

    def __init__(self, temperature: float = 1.0):
        self.temperature = temperature

    def _run(self, pool, n, labeled, feasible, rng):
        weights = entropy(pool.proba, self.temperature)
        rows = representatives(pool.features, n, feasible, rng, weights=weights)
        return Selection(rows, weights[rows], "entropy")
