"""The strategies by name: one literal that everything else is read from."""

from collections.abc import Callable
from importlib import import_module
from typing import Literal

from skbadge.strategies._base import Strategy
from skbadge.strategies._callable import CallableStrategy
from skbadge.utils._shown import did_you_mean, shown

STRATEGIES = {
    "acs_fw": "skbadge.strategies._acs_fw:AcsFW",
    "albl": "skbadge.strategies._albl:ALBL",
    "alfa_mix": "skbadge.strategies._alfa_mix:AlfaMix",
    "badge": "skbadge.strategies._badge:Badge",
    "badge_k_center": "skbadge.strategies._badge_k_center:BadgeKCenter",
    "badge_kdpp": "skbadge.strategies._badge_kdpp:BadgeKDPP",
    "badge_max_det": "skbadge.strategies._badge_max_det:BadgeMaxDet",
    "bait": "skbadge.strategies._fisher_bait:Bait",
    "bald": "skbadge.strategies._bald:Bald",
    "batch_bald": "skbadge.strategies._batch_bald:BatchBald",
    "centroids": "skbadge.strategies._centroids:Centroids",
    "clue": "skbadge.strategies._clue:Clue",
    "cluster_margin": "skbadge.strategies._cluster_margin:ClusterMargin",
    "core_set": "skbadge.strategies._core_set:CoreSet",
    "direct": "skbadge.strategies._direct:Direct",
    "drop_query": "skbadge.strategies._drop_query:DropQuery",
    "entropy": "skbadge.strategies._uncertainty:Entropy",
    "epig": "skbadge.strategies._epig:EPIG",
    "falcun": "skbadge.strategies._falcun:Falcun",
    "igs": "skbadge.strategies._igs:IGS",
    "lcmd": "skbadge.strategies._lcmd_tp:LCMD",
    "least_confidence": "skbadge.strategies._uncertainty:LeastConfidence",
    "margin": "skbadge.strategies._uncertainty:Margin",
    "max_herding": "skbadge.strategies._max_herding:MaxHerding",
    "posterior_bait": "skbadge.strategies._posterior_bait:PosteriorBait",
    "posterior_kmeans_plus_plus": (
        "skbadge.strategies._posterior_kmeans_plus_plus:PosteriorKMeansPlusPlus"
    ),
    "posterior_max_det": "skbadge.strategies._posterior_max_det:PosteriorMaxDet",
    "posterior_variance": "skbadge.strategies._posterior_variance:PosteriorVariance",
    "random": "skbadge.strategies._uniform:Random",
    "refine": "skbadge.strategies._refine:Refine",
    "typiclust": "skbadge.strategies._typiclust:TypiClust",
    "uncertainty_herding": (
        "skbadge.strategies._uncertainty_herding:UncertaintyHerding"
    ),
    "vote_entropy": "skbadge.strategies._vote_entropy:VoteEntropy",
}

# What the names that regressors share with classifiers mean there (Holzmüller et al.
# 2023, table 1). "core_set" means the same for both.
REGRESSION = {
    "badge": "posterior_kmeans_plus_plus",
    "bait": "posterior_bait",
    "bald": "posterior_variance",
    "batch_bald": "posterior_max_det",
}

# The names once more, for type checkers.
StrategyName = Literal[
    "acs_fw",
    "albl",
    "alfa_mix",
    "badge",
    "badge_k_center",
    "badge_kdpp",
    "badge_max_det",
    "bait",
    "bald",
    "batch_bald",
    "centroids",
    "clue",
    "cluster_margin",
    "core_set",
    "direct",
    "drop_query",
    "entropy",
    "epig",
    "falcun",
    "igs",
    "lcmd",
    "least_confidence",
    "margin",
    "max_herding",
    "posterior_bait",
    "posterior_kmeans_plus_plus",
    "posterior_max_det",
    "posterior_variance",
    "random",
    "refine",
    "typiclust",
    "uncertainty_herding",
    "vote_entropy",
]

Kind = Literal["classifier", "regressor"]

CLASSES = {path.partition(":")[2]: path for path in STRATEGIES.values()}


def load_class(path):
    """The class at ``"module:Class"``."""
    module, _, name = path.partition(":")
    return getattr(import_module(module), name)


def get_strategy_names() -> list[str]:
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


def get_strategy(
    strategy: str | Strategy | Callable, kind: Kind = "classifier"
) -> Strategy:
    """A strategy object from a name, an object or a function.

    Parameters
    ----------
    strategy : str, Strategy or callable
        A name from `get_strategy_names`, a strategy, which is returned as it is, or a
        function, see `CallableStrategy`.

    kind : {"classifier", "regressor"}, default="classifier"
        The kind of model that is to be queried. For a regressor, "badge", "bait",
        "bald" and "batch_bald" name their forms for regression,
        "posterior_kmeans_plus_plus", "posterior_bait", "posterior_variance" and
        "posterior_max_det". Objects mean the same for both.

    Returns
    -------
    strategy : Strategy
        A strategy with default parameters, if a name was given.

    Raises
    ------
    ValueError
        If the name is not known; the message names the nearest ones.

    TypeError
        If it is none of these.

    Examples
    --------
    >>> from skbadge.strategies import get_strategy
    >>> get_strategy("badge").set_params(include_bias=True)
    Badge(include_bias=True)
    >>> get_strategy("badge", kind="regressor")
    PosteriorKMeansPlusPlus()
    """
    if kind not in ("classifier", "regressor"):
        raise ValueError(f"`kind` must be 'classifier' or 'regressor'. Got {kind!r}.")
    if isinstance(strategy, str):
        if strategy not in STRATEGIES:
            raise _unknown(strategy)
        name = REGRESSION.get(strategy, strategy) if kind == "regressor" else strategy
        return load_class(STRATEGIES[name])()
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
        f"Got {shown(strategy)} instead."
    )


def _unknown(name):
    """The error for a name that is not known."""
    near = name.strip().lower().replace("-", "_").replace(" ", "_")
    hint = did_you_mean(near, [near] if near in STRATEGIES else STRATEGIES)
    return ValueError(
        f"`strategy` {shown(name)} is not known.{hint} Known are "
        f"{get_strategy_names()}, besides strategy objects and functions."
    )
