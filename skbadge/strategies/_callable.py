"""A user's function as a strategy."""

from skbadge.samplers import Selection
from skbadge.strategies._base import Strategy
from skbadge.utils._validation import check_rows


class CallableStrategy(Strategy):
    """A function ``(pool, n, *, labeled, random_state) -> rows`` as a strategy.

    Parameters
    ----------
    function : callable
        Takes the pool's `Outputs`, ``n``, and by keyword the labelled rows (`Labeled`)
        and a ``RandomState``; returns ``n`` distinct int positions. If it has an
        attribute ``needs`` it receives just that, see `Strategy`; otherwise it
        receives probabilities, features and the labelled rows.
    """

    _parameter_constraints: dict = {"function": [callable]}

    def __init__(self, function):
        self.function = function

    @property
    def needs(self):
        """What the function needs of the model."""
        needs = getattr(self.function, "needs", ("proba", "features", "labeled"))
        return (needs,) if isinstance(needs, str) else tuple(needs)

    def _run(self, pool, n, labeled, feasible, rng):
        rows = self.function(pool, n, labeled=labeled, random_state=rng)
        name = getattr(self.function, "__name__", repr(self.function))
        return Selection(check_rows(rows, n, len(pool), f"The strategy {name}"))
