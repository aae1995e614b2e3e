"""Every import of something private in scikit-learn, in one place."""

from sklearn.base import _fit_context
from sklearn.neural_network._base import ACTIVATIONS, DERIVATIVES
from sklearn.utils._param_validation import (
    HasMethods,
    Interval,
    Options,
    StrOptions,
    validate_parameter_constraints,
    validate_params,
)
from sklearn.utils.metadata_routing import _routing_enabled
from sklearn.utils.validation import _num_samples

__all__ = [
    "ACTIVATIONS",
    "DERIVATIVES",
    "HasMethods",
    "Interval",
    "Options",
    "StrOptions",
    "fit_context",
    "num_samples",
    "routing_enabled",
    "validate_parameter_constraints",
    "validate_params",
]

fit_context = _fit_context
num_samples = _num_samples
routing_enabled = _routing_enabled
