"""Whole rules that say which rows to label next, and their names."""

from skbadge.strategies._base import EmbeddingStrategy, ScoreStrategy, Strategy
from skbadge.strategies._bmdal import BMDAL
from skbadge.strategies._callable import CallableStrategy
from skbadge.strategies._registry import (
    CLASSES,
    get_strategy,
    get_strategy_names,
    load_class,
)

__all__ = [
    "BMDAL",
    "CallableStrategy",
    "EmbeddingStrategy",
    "ScoreStrategy",
    "Strategy",
    "get_strategy",
    "get_strategy_names",
    *CLASSES,
]


def __getattr__(name):
    if name in CLASSES:
        return load_class(CLASSES[name])
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():
    return sorted(__all__)
