"""Random sampling, the baseline of all others."""

from skbadge.samplers import Selection
from skbadge.strategies._base import Strategy


class Random(Strategy):
    """Rows drawn uniformly without replacement. Asks nothing of the model."""

    def _run(self, pool, n, labeled, feasible, rng):
        return Selection(feasible.open().draw(n, rng))
