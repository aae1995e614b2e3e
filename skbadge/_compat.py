"""Every import of something private in scikit-learn, in one place."""

from sklearn.base import _fit_context
from sklearn.neural_network._base import ACTIVATIONS
from sklearn.utils._param_validation import (
    HasMethods,
    Interval,
    InvalidParameterError,
    StrOptions,
)
from sklearn.utils.metadata_routing import _routing_enabled

__all__ = [
    "ACTIVATIONS",
    "HasMethods",
    "Interval",
    "InvalidParameterError",
    "StrOptions",
    "fit_context",
    "routing_enabled",
]

fit_context = _fit_context
routing_enabled = _routing_enabled
