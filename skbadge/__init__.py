"""Deep batch active learning for scikit-learn users."""

from skbadge._querier import BadgeQuerier
from skbadge._query import query
from skbadge._report import QueryReport
from skbadge._version import __version__

__all__ = ["BadgeQuerier", "QueryReport", "__version__", "query"]
