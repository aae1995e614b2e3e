"""Whole rules that say which rows to label next, and their names."""

from typing import TYPE_CHECKING

from skbadge.strategies._base import Strategy
from skbadge.strategies._callable import CallableStrategy
from skbadge.strategies._embedding_strategy import EmbeddingStrategy, Recipe
from skbadge.strategies._registry import (
    CLASSES,
    StrategyName,
    get_strategy,
    get_strategy_names,
    load_class,
)
from skbadge.strategies._score_strategy import ScoreStrategy

if TYPE_CHECKING:
    from skbadge.strategies._acs_fw import AcsFW
    from skbadge.strategies._albl import ALBL
    from skbadge.strategies._alfa_mix import AlfaMix
    from skbadge.strategies._badge import Badge
    from skbadge.strategies._badge_k_center import BadgeKCenter
    from skbadge.strategies._badge_kdpp import BadgeKDPP
    from skbadge.strategies._badge_max_det import BadgeMaxDet
    from skbadge.strategies._bald import Bald
    from skbadge.strategies._batch_bald import BatchBald
    from skbadge.strategies._centroids import Centroids
    from skbadge.strategies._clue import Clue
    from skbadge.strategies._cluster_margin import ClusterMargin
    from skbadge.strategies._core_set import CoreSet
    from skbadge.strategies._direct import Direct
    from skbadge.strategies._drop_query import DropQuery
    from skbadge.strategies._epig import EPIG
    from skbadge.strategies._falcun import Falcun
    from skbadge.strategies._fisher_bait import Bait
    from skbadge.strategies._igs import IGS
    from skbadge.strategies._lcmd_tp import LCMD
    from skbadge.strategies._max_herding import MaxHerding
    from skbadge.strategies._posterior_bait import PosteriorBait
    from skbadge.strategies._posterior_kmeans_plus_plus import PosteriorKMeansPlusPlus
    from skbadge.strategies._posterior_max_det import PosteriorMaxDet
    from skbadge.strategies._posterior_variance import PosteriorVariance
    from skbadge.strategies._refine import Refine
    from skbadge.strategies._typiclust import TypiClust
    from skbadge.strategies._uncertainty import Entropy, LeastConfidence, Margin
    from skbadge.strategies._uncertainty_herding import UncertaintyHerding
    from skbadge.strategies._uniform import Random
    from skbadge.strategies._vote_entropy import VoteEntropy

__all__ = [
    "ALBL",
    "EPIG",
    "IGS",
    "LCMD",
    "AcsFW",
    "AlfaMix",
    "Badge",
    "BadgeKCenter",
    "BadgeKDPP",
    "BadgeMaxDet",
    "Bait",
    "Bald",
    "BatchBald",
    "CallableStrategy",
    "Centroids",
    "Clue",
    "ClusterMargin",
    "CoreSet",
    "Direct",
    "DropQuery",
    "EmbeddingStrategy",
    "Entropy",
    "Falcun",
    "LeastConfidence",
    "Margin",
    "MaxHerding",
    "PosteriorBait",
    "PosteriorKMeansPlusPlus",
    "PosteriorMaxDet",
    "PosteriorVariance",
    "Random",
    "Recipe",
    "Refine",
    "ScoreStrategy",
    "Strategy",
    "StrategyName",
    "TypiClust",
    "UncertaintyHerding",
    "VoteEntropy",
    "get_strategy",
    "get_strategy_names",
]


def __getattr__(name):
    if name in CLASSES:
        return load_class(CLASSES[name])
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():
    return sorted(__all__)
