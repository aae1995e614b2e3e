"""Nets inside ensembles."""

from dataclasses import dataclass
from math import prod

import numpy as np
from sklearn.base import is_classifier
from sklearn.frozen import FrozenEstimator
from sklearn.multiclass import (
    OneVsOneClassifier,
    OneVsRestClassifier,
    OutputCodeClassifier,
)
from skorch import NeuralNet

from skbadge.nn._adapt import adapt_net, predicts_itself, shape_before_training
from skbadge.outputs._pipeline import innermost, is_skorch_net

# They train each net to tell two groups of classes apart.
IN_PAIRS = (OneVsOneClassifier, OneVsRestClassifier, OutputCodeClassifier)


@dataclass(frozen=True)
class Member:
    """A net that is not the innermost model, such as a member of an ensemble."""

    net: NeuralNet
    is_frozen: bool
    in_pairs: bool

    @property
    def speaks_codes(self):
        """Whether it is to be trained on the codes of the classes."""
        return is_classifier(self.net) and not predicts_itself(self.net)


def members_of(estimator):
    """The nets among an estimator's parameters, without the innermost model."""
    params = estimator.get_params()
    model = innermost(estimator)
    members = []
    for name, part in params.items():
        if is_skorch_net(part) and part is not model:
            owners = owners_of(name, {"": estimator, **params})
            frozen = any(isinstance(each, FrozenEstimator) for each in owners[1:])
            in_pairs = any(isinstance(each, IN_PAIRS) for each in owners)
            members.append(Member(part, frozen, in_pairs))
    return members


def owners_of(path, params):
    """What a parameter is within, from the outermost on, which has the path ""."""
    names = path.split("__")
    return [params.get("__".join(names[:i])) for i in range(len(names))]


def adapt_members(estimator, X, codec):
    """Let nets inside a clone take tables and codes, but for the frozen ones.

    Raises a ValueError if one of them has not an output for each class that occurs: an
    ensemble takes them by their number.
    """
    for member in members_of(estimator):
        if member.is_frozen:
            continue
        takes_all = member.speaks_codes and not member.in_pairs
        is_coded = takes_all and codec is not None and codec.is_coded
        adapt_net(member.net, codec.coded if is_coded else None)
        # It raises if the module returns no tensor.
        shape = shape_before_training(member.net, X)
        # A step that transforms may be wider than there are classes.
        if is_coded and shape is not None and not hasattr(member.net, "transform"):
            _check_outputs(shape, codec.coded, type(innermost(estimator)))


def _check_outputs(shape, classes, ensemble):
    if prod(shape) == len(classes):
        return
    # A single logit tells two classes apart.
    if prod(shape) != 1 or len(classes) != 2:
        raise ValueError(
            f"Inside a {ensemble.__name__}, a net must have as many outputs as there "
            f"are labels in `y`. Got a net with {prod(shape)} outputs for the "
            f"{len(classes)} labels {classes}."
        )


def check_members_labels(estimator, classes, y):
    """Raise if nets inside an ensemble cannot be told all of the classes.

    Parameters
    ----------
    estimator : estimator object
        With members that speak codes.

    classes : array-like or None
        The classes as the user named them.

    y : ndarray of shape (n_rows,)
        Labels.
    """
    name = type(innermost(estimator)).__name__
    members = [member for member in members_of(estimator) if member.speaks_codes]
    seen = np.unique(y)
    if classes is None:
        is_code = np.array_equal(seen, np.arange(len(seen)))
        if any(member.is_frozen for member in members) and not is_code:
            raise ValueError(
                f"`classes` must name the labels of the output units of the frozen net "
                f"inside {name}, in their order, unless they are 0, 1, ... Got "
                f"classes=None and the labels {seen.tolist()}."
            )
        return
    missing = np.setdiff1d(classes, seen).tolist()
    if missing and not all(member.in_pairs for member in members):
        raise ValueError(
            f"{name} trains its nets on the labels that occur, so `y` must hold all of "
            f"`classes`. Got no row of {missing}. Label some, or use the net without "
            f"{name} until then."
        )
