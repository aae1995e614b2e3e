"""How many labels a run starts with, asks for and ends with."""

from numbers import Integral

from skbadge._compat import Interval
from skbadge.strategies import Strategy

AT_LEAST_ONE = Interval(Integral, 1, None, closed="left")
# Ways to draw first labels; all else is a strategy that asks for them.
DRAWN = ("auto", "stratified", "uniform")
# What whoever makes runs accepts, as scikit-learn writes constraints.
SCHEDULE = {
    "n_initial": [AT_LEAST_ONE],
    # As large as an INTEGER of SQLite may be.
    "n_query": [Interval(Integral, 1, 2**63 - 1, closed="both")],
    "n_rounds": [Interval(Integral, 0, None, closed="left"), None],
    "budget": [AT_LEAST_ONE, None],
    "initial": [str, Strategy, callable],
    "n_validation": [Interval(Integral, 0, None, closed="left")],
}


def total_budget(n_initial, n_query, n_rounds, budget):
    """Labels at the end of a run; without ``n_rounds`` and ``budget``, of 10 rounds."""
    if budget is None:
        n_rounds = 10 if n_rounds is None else n_rounds
        # The sum may be too large for a small type of NumPy's.
        return int(n_initial) + int(n_query) * int(n_rounds)
    if n_rounds is not None:
        raise ValueError(
            "`n_rounds` and `budget` say the same thing: give one of them. Got "
            f"n_rounds={n_rounds} and budget={budget}."
        )
    if budget < n_initial:
        raise ValueError(
            f"`budget` must be at least `n_initial`, {n_initial}. Got {budget}."
        )
    return int(budget)
