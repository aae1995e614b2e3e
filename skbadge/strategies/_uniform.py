"""Random sampling, the baseline of all others."""

from skbadge.samplers._known_draws import uniform_law
from skbadge.strategies._base import Strategy


class Random(Strategy):
    """Rows drawn uniformly without replacement. Asks nothing of the model."""

    def _run(self, pool, n, labeled, feasible, rng):
        return uniform_law(feasible.open().draw(n, rng), feasible)
