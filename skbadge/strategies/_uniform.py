"""Random sampling, the baseline of all others."""

from skbadge.samplers._known_draws import uniform_law
from skbadge.strategies._base import Strategy


class Random(Strategy):
    """Rows drawn uniformly without replacement. Asks nothing of the model.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skbadge import BadgeQuerier
    >>> from skbadge.strategies import Random
    >>> X, y = load_iris(return_X_y=True)
    >>> querier = BadgeQuerier(LogisticRegression(), strategy=Random(), random_state=0)
    >>> querier.fit(X[::10], y[::10]).query(X[1::10], n=3).shape
    (3,)
    """

    def _run(self, pool, n, labeled, feasible, rng):
        return uniform_law(feasible.open().draw(n, rng), feasible)
