"""Every use of something private in scikit-learn and torch, in one place."""

from collections.abc import Callable, Sequence
from copy import copy
from functools import cache
from pathlib import Path
from typing import TypeVar

import numpy as np
from sklearn.base import _fit_context
from sklearn.datasets import get_data_home
from sklearn.datasets._openml import _get_data_features
from sklearn.neural_network._base import ACTIVATIONS, DERIVATIVES
from sklearn.utils._openmp_helpers import _openmp_effective_n_threads
from sklearn.utils._param_validation import (
    HasMethods,
    Interval,
    InvalidParameterError,
    Options,
    StrOptions,
    validate_parameter_constraints,
)
from sklearn.utils._param_validation import validate_params as _validate_params
from sklearn.utils.metadata_routing import _routing_enabled as routing_enabled
from sklearn.utils.validation import _check_sample_weight as check_sample_weight
from sklearn.utils.validation import _estimator_has as estimator_has
from sklearn.utils.validation import _num_samples as num_samples

__all__ = [
    "ACTIVATIONS",
    "DERIVATIVES",
    "EachIn",
    "HasMethods",
    "Interval",
    "InvalidParameterError",
    "Options",
    "StrOptions",
    "check_sample_weight",
    "estimator_has",
    "fit_context",
    "hist_leaf_counts",
    "hist_leaves",
    "is_transformed",
    "num_samples",
    "onednn_linear",
    "openml_columns",
    "routing_enabled",
    "validate_all_parameters",
    "validate_parameter_constraints",
    "validate_params",
    "with_labels",
]


F = TypeVar("F", bound=Callable)

# Parameters of scikit-learn's metrics that hold labels.
_LABELS = {"labels", "pos_label"}


class EachIn(Interval):
    """Constraint of a parameter that is a sequence of numbers in an interval."""

    def is_satisfied_by(self, val):
        is_sequence = isinstance(val, Sequence) or getattr(val, "ndim", 0) == 1
        return is_sequence and all(map(super().is_satisfied_by, val))

    def __str__(self):
        return f"a sequence, each of it {super().__str__()}"


def fit_context(*, prefer_skip_nested_validation: bool) -> Callable[[F], F]:
    """Return scikit-learn's decorator of ``fit``, which keeps the type of a method."""
    return _fit_context(prefer_skip_nested_validation=prefer_skip_nested_validation)


def validate_params(constraints: dict) -> Callable[[F], F]:
    """Return scikit-learn's decorator of functions, which keeps their types."""
    # Estimators and functions that they call check their own parameters.
    return _validate_params(constraints, prefer_skip_nested_validation=False)


def openml_columns(data_id, data_home):
    """What OpenML says about the columns of a data set, as `fetch_openml` knows it."""
    home = Path(get_data_home(data_home)) / "openml"
    return _get_data_features(data_id, str(home))


@cache
def onednn_linear():
    """`torch.nn.functional.linear` of plain float32 tensors by oneDNN, not by MKL.

    It is what torch's compiler puts in its place.
    """
    import torch

    operator = torch.ops.mkldnn._linear_pointwise.default
    return lambda rows, weight, bias=None: operator(rows, weight, bias, "none", [], "")


def is_transformed():
    """Whether torch differentiates forward or maps, as by `torch.func`, right now."""
    import torch

    return (
        torch._C._functorch.peek_interpreter_stack() is not None
        or torch.autograd.forward_ad._current_level >= 0
    )


def hist_leaf_counts(model):
    """Number of leaves of each tree of a HistGradientBoosting model, in order."""
    return [tree.get_n_leaf_nodes() for tree in _hist_trees(model)]


def hist_leaves(model, X):
    """In which leaf of each tree rows end up, an array of shape (n_rows, n_trees).

    These models have no ``apply``. Leaves are numbered in the order of their nodes: a
    copy of each tree predicts the number.
    """
    X = model._preprocess_X(X, reset=False)
    categories, positions = model._bin_mapper.make_known_categories_bitsets()
    n_threads = _openmp_effective_n_threads()
    trees = _hist_trees(model)
    leaves = np.empty((len(X), len(trees)), np.int64)
    for i, tree in enumerate(trees):
        numbered = copy(tree)
        numbered.nodes = tree.nodes.copy()
        is_leaf = tree.nodes["is_leaf"].astype(bool)
        numbered.nodes["value"][is_leaf] = np.arange(is_leaf.sum())
        leaves[:, i] = numbered.predict(X, categories, positions, n_threads)
    return leaves


def _hist_trees(model):
    """Iteration by iteration, and class by class."""
    return [tree for trees in model._predictors for tree in trees]


def with_labels(scorer, rename):
    """A scorer with other names for the labels in its parameters, or the scorer itself.

    Only those of `sklearn.metrics.make_scorer` have labels that one can see.
    """
    kwargs = getattr(scorer, "_kwargs", None)
    if kwargs is None:
        return scorer
    labels = {name: kwargs[name] for name in _LABELS & kwargs.keys()}
    if kwargs.get("average", "binary") == "binary":
        # It may be the default of the metric, which is 1.
        labels["pos_label"] = scorer._get_pos_label()
    renamed = {name: rename(label) for name, label in labels.items()}
    if all(np.array_equal(renamed[name], labels[name]) for name in labels):
        return scorer
    scorer = copy(scorer)
    scorer._kwargs = kwargs | renamed
    return scorer


def validate_all_parameters(value, where):
    """Check the parameters of an object, and of objects in them, as `fit` would."""
    has_params = hasattr(value, "get_params") and not isinstance(value, type)
    for part in [value, *(value.get_params().values() if has_params else ())]:
        try:
            if not isinstance(part, type):
                _validate_parameters(part)
        except (TypeError, ValueError) as error:
            raise ValueError(f"`{where}`: {error}") from error


def _validate_parameters(estimator):
    # A FrozenEstimator has the attributes of what is in it, but not the methods.
    if "_params_to_validate" in getattr(estimator, "__dict__", {}):
        # A net of skorch learns the names of its modules when it makes them, and until
        # then takes their parameters for mistakes.
        given = estimator._params_to_validate
        names = {name.split("__")[0] for name in given if "__" in name}
        twin = object.__new__(type(estimator))
        vars(twin).update(vars(estimator))
        twin.prefixes_ = [*twin.prefixes_, "module", "criterion", "optimizer", *names]
        twin._validate_params()
    elif hasattr(type(estimator), "_parameter_constraints"):
        estimator._validate_params()
