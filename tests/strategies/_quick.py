"""Strategies that take long by default, for tests that go through all of them."""

from skbadge.strategies import get_strategy

FEWER = {
    "acs_fw": {"n_random_features": 16},
    "refine": {"n_rounds": 2, "n_subsets": 12},
}


def quick(name):
    """A strategy of a name that selects quickly from few rows; all else as it is."""
    if not isinstance(name, str) or name not in FEWER:
        return name
    return get_strategy(name).set_params(**FEWER[name])
