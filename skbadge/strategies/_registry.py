"""The strategies by name: one literal that everything else is read from."""

from difflib import get_close_matches
from importlib import import_module

from skbadge.strategies._base import Strategy
from skbadge.strategies._callable import CallableStrategy

STRATEGIES = {
    "acs_fw": "skbadge.strategies._acs_fw:AcsFW",
    "albl": "skbadge.strategies._albl:ALBL",
    "badge": "skbadge.strategies._badge:Badge",
    "badge_k_center": "skbadge.strategies._badge_k_center:BadgeKCenter",
    "badge_kdpp": "skbadge.strategies._badge_kdpp:BadgeKDPP",
    "badge_max_det": "skbadge.strategies._badge_max_det:BadgeMaxDet",
    "badge_regression": "skbadge.strategies._posterior_regression:BadgeRegression",
    "bait": "skbadge.strategies._fisher_bait:Bait",
    "bait_regression": "skbadge.strategies._posterior_regression:BaitRegression",
    "bald": "skbadge.strategies._bald:Bald",
    "bald_regression": "skbadge.strategies._posterior_regression:BaldRegression",
    "batch_bald": "skbadge.strategies._batch_bald:BatchBald",
    "batch_bald_regression": (
        "skbadge.strategies._posterior_regression:BatchBaldRegression"
    ),
    "core_set": "skbadge.strategies._core_set:CoreSet",
    "core_set_regression": (
        "skbadge.strategies._core_set_regression:CoreSetRegression"
    ),
    "entropy": "skbadge.strategies._uncertainty:Entropy",
    "lcmd": "skbadge.strategies._lcmd_tp:LCMD",
    "least_confidence": "skbadge.strategies._uncertainty:LeastConfidence",
    "margin": "skbadge.strategies._uncertainty:Margin",
    "random": "skbadge.strategies._uniform:Random",
}

CLASSES = {path.partition(":")[2]: path for path in STRATEGIES.values()}


def load_class(path):
    """The class at ``"module:Class"``."""
    module, _, name = path.partition(":")
    return getattr(import_module(module), name)


def get_strategy_names():
    """Names that ``BadgeQuerier(strategy=...)`` knows.

    Returns
    -------
    names : list of str
        Sorted.

    Examples
    --------
    >>> from skbadge.strategies import get_strategy_names
    >>> "badge" in get_strategy_names()
    True
    """
    return sorted(STRATEGIES)


def get_strategy(strategy):
    """A strategy object from a name, an object or a function.

    Parameters
    ----------
    strategy : str, Strategy or callable
        A name from `get_strategy_names`, a strategy, which is returned as it is, or a
        function, see `CallableStrategy`.

    Returns
    -------
    strategy : Strategy
        A strategy with default parameters, if a name was given.

    Raises
    ------
    ValueError
        If the name is not known; the message names the nearest ones.

    Examples
    --------
    >>> from skbadge.strategies import get_strategy
    >>> get_strategy("badge").set_params(include_bias=True)
    Badge(include_bias=True)
    """
    if isinstance(strategy, str):
        if strategy not in STRATEGIES:
            close = get_close_matches(strategy, STRATEGIES, cutoff=0.5)
            hint = f" Did you mean {' or '.join(map(repr, close))}?" if close else ""
            raise ValueError(
                f"`strategy` {strategy!r} is not known.{hint} Known are "
                f"{get_strategy_names()}, besides strategy objects and functions."
            )
        return load_class(STRATEGIES[strategy])()
    if isinstance(strategy, Strategy):
        return strategy
    if isinstance(strategy, type) and issubclass(strategy, Strategy):
        raise TypeError(
            f"`strategy` must be an object, not a class. Pass {strategy.__name__}()."
        )
    if callable(strategy):
        return CallableStrategy(strategy)
    raise TypeError(
        "`strategy` must be a name, a strategy object or a function. "
        f"Got {strategy!r} instead."
    )
