"""Deep batch active learning for scikit-learn users."""

from importlib import import_module
from typing import TYPE_CHECKING

from skbadge._version import __version__

if TYPE_CHECKING:
    from skbadge.querier import BadgeQuerier, QueryReport, query
    from skbadge.utils._show_versions import show_versions

__all__ = ["BadgeQuerier", "QueryReport", "__version__", "query", "show_versions"]

_SUBPACKAGES = {
    "datasets",
    "embeddings",
    "exceptions",
    "experiment",
    "inspection",
    "labeling",
    "monitoring",
    "nn",
    "outputs",
    "pools",
    "samplers",
    "strategies",
}


def __getattr__(name):
    """Import what is asked for when it is: torch takes a second or more to load."""
    if name == "show_versions":
        from skbadge.utils import _show_versions

        return _show_versions.show_versions
    if name in __all__:
        from skbadge import querier

        return getattr(querier, name)
    if name in _SUBPACKAGES:
        return import_module(f"skbadge.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():
    return sorted({*__all__, *_SUBPACKAGES})
