"""The scikit-learn face of the library: a querier, and what it is made of."""

from skbadge.querier._batch_predictions import BatchPredictions
from skbadge.querier._querier import BadgeQuerier
from skbadge.querier._query import query
from skbadge.querier._query_report import QueryReport

__all__ = ["BadgeQuerier", "BatchPredictions", "QueryReport", "query"]
