"""Checks of labels, classes and estimators that users hand to `BadgeQuerier`."""

from contextlib import suppress
from difflib import get_close_matches
from numbers import Real

import numpy as np
from scipy import sparse
from sklearn.base import MetaEstimatorMixin, is_classifier, is_regressor
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import BaggingRegressor
from sklearn.frozen import FrozenEstimator
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import Pipeline
from sklearn.utils import get_tags
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import column_or_1d
from torch import nn

from skbadge._compat import InvalidParameterError
from skbadge.outputs._pipeline import check_refit, innermost, is_search, is_skorch_net
from skbadge.pools import Inputs, array_of, is_tensor, n_rows
from skbadge.utils._shown import listed, shown
from skbadge.utils._validation import (
    check_masked,
    check_one_label_a_row,
    is_missing,
    not_finite_rows,
)


def check_y(querier, y, X, estimator):
    """Labels as an array, or targets in float64, one for each row."""
    check_masked(y, "y")
    if y is None:
        raise ValueError(
            f"This {type(querier).__name__} estimator requires y to be passed, but the "
            "target y is None."
        )
    y = array_of(y) if is_tensor(y) else y
    if is_classifier(estimator):
        if not sparse.issparse(y):
            _check_has_rows(y)
        return _check_labels(y, X)
    _check_has_rows(y)
    return _check_targets(y, X, estimator)


def _check_has_rows(y):
    """Raise for a number, a set, a generator or a sparse matrix."""
    try:
        is_point = sparse.issparse(y) or np.asarray(y).ndim == 0
    except ValueError:
        # A ragged list, which is not told here what is wrong with it.
        return
    if is_point:
        raise ValueError(
            "y should be a 1d array with one entry for each row. Got "
            f"{shown(y)}; pass a list or an array."
        )


def _check_labels(y, X):
    check_one_label_a_row(y)
    given, y = y, np.asarray(y)
    if y.dtype.kind == "c":
        # scikit-learn's message has the array in it.
        raise ValueError("Complex data not supported: `y` must hold class labels.")
    # NumPy's own strings of any length are of a kind that scikit-learn does not know.
    y = column_or_1d(y.astype(object) if y.dtype.kind == "T" else y, warn=True)
    if isinstance(given, list | tuple) or y.dtype == object:
        objects = np.asarray(given, dtype=object).ravel()
        _check_label_kinds(objects)
        if all(isinstance(label, Real | np.bool_) for label in y):
            # Columns of a mixed table arrive as objects, and labels with gaps.
            y = np.asarray(y.tolist())
        elif any(map(_is_string_of_another_class, objects)):
            # NumPy cuts the names of an enumeration to the length of its strings.
            y = np.array([str.__str__(label) for label in objects])
    elif y.dtype.kind in "fmM" and not np.isfinite(y).all():
        _check_label_kinds(y)
        raise ValueError("`y` contains infinity. It must hold class labels.")
    _check_label_type(y)
    _check_lengths(y, X)
    try:
        check_classification_targets(y)
    except ValueError as error:
        error.add_note(
            "For a regression, give the querier a regressor, such as "
            "skbadge.nn.TabularNetRegressor."
        )
        raise
    return y


def _is_string_of_another_class(label):
    return isinstance(label, str) and type(label) not in (str, np.str_)


def _check_label_type(y):
    """Raise for labels that scikit-learn's classifiers do not take."""
    others = [label for label in y[:1] if not isinstance(label, str)]
    if y.dtype.kind in "OSV" and others:
        call = "label.decode()" if isinstance(others[0], bytes) else "str(label)"
        raise ValueError(
            "Unknown label type: unknown. `y` must hold strings, numbers or booleans. "
            f"Got {shown(others[0])}, of type {type(others[0]).__name__}. Make strings "
            f"of the labels: `[{call} for label in y]`."
        )


def _check_targets(y, X, estimator):
    y = np.asarray(y)
    if y.dtype == object:
        known = [np.nan if is_missing(target) else target for target in y.ravel()]
        y = np.array(known).reshape(y.shape)
    if y.dtype == object and not any(isinstance(each, str | bytes) for each in y.flat):
        # Numbers that NumPy has no dtype for, such as decimal ones.
        with suppress(TypeError, ValueError, OverflowError):
            y = y.astype(np.float64)
    if y.dtype.kind not in "biuf":
        # The beginning is what scikit-learn says of complex numbers.
        kind = "Complex data" if y.dtype.kind == "c" else f"Data of dtype {y.dtype}"
        raise ValueError(
            f"{kind} not supported: `y` must hold real numbers for a regressor."
        )
    if y.ndim != 1 and not (y.ndim == 2 and _takes_several_targets(estimator)):
        # Lets a single column pass, with a warning.
        y = column_or_1d(y, warn=True)
    y = y.astype(np.float64)
    _check_lengths(y, X)
    bad = not_finite_rows(y)
    if bad is not None:
        raise ValueError(
            f"Input `y` contains NaN or infinity: {bad.sum()} of {len(y)} targets, the "
            f"first is that of row {bad.argmax()}. Rows without a target belong in the "
            "pool of `query`."
        )
    return y


def _takes_several_targets(estimator):
    inner = innermost(estimator)
    # Some do, and do not say so in their tags: nets, bagging, and searches of others.
    if isinstance(inner, BaggingRegressor):
        return inner.estimator is None or _takes_several_targets(inner.estimator)
    if is_skorch_net(inner) or isinstance(inner, MLPRegressor):
        return True
    return any(get_tags(one).target_tags.multi_output for one in (estimator, inner))


def _check_lengths(y, X):
    if len(y) != n_rows(X):
        hint = ""
        if isinstance(X, Inputs):
            hint = (
                f" A net reads a list of arrays as its {len(X)} inputs. If each array "
                "is a row, stack them: `np.stack(X)`."
            )
        raise ValueError(
            "Found input variables with inconsistent numbers of samples: `X` has "
            f"{n_rows(X)} rows and `y` {len(y)}.{hint}"
        )


def _check_label_kinds(labels):
    """Raise where labels are missing, or NumPy would turn numbers into strings."""
    missing = [row for row, label in enumerate(labels) if is_missing(label)]
    if missing:
        raise ValueError(
            f"`y` contains NaN or None: {len(missing)} of {len(labels)} labels, the "
            f"first is that of row {missing[0]}. Rows without a label belong in the "
            "pool of `query`."
        )
    kinds = {"str" if isinstance(label, str) else "number" for label in labels}
    if len(kinds) > 1:
        raise ValueError(
            "`y` must hold labels of one kind. Got strings and numbers; make them all "
            "strings or all ints."
        )


def describe_unlabeled_mark(y):
    """Say that -1 looks like a mark of rows without a label; None if it does not.

    As a label like others, -1 stands beside 1, or 0 and 1, or other negative ones.
    """
    labels, counts = np.unique(y, return_counts=True)
    if labels.dtype.kind not in "if" or not np.array_equal(labels[:1], [-1]):
        return None
    others = labels[1:]
    is_frequent = len(others) > 1 and counts[0] > counts[1:].max()
    if not is_frequent or np.array_equal(others, [0, 1]):
        return None
    return (
        f"-1 is the most frequent label, {counts[0]} of {len(y)}, and is learned as a "
        "class. If it marks rows without a label, leave them out, as in "
        "`fit(X[y != -1], y[y != -1])`, and hand them to `query` as the pool. If it is "
        "a class, name all labels in `classes`."
    )


def resolve_classes(classes, y, *, keep_order):
    """The classes there are, sorted or in the order given; raises for other labels."""
    seen = np.unique(y)
    if classes is None:
        return seen
    given = check_classes(classes)
    distinct = np.unique(given)
    unknown = np.setdiff1d(seen, distinct)
    if len(unknown):
        hint = _meant(unknown[0], given.tolist())
        if unknown.tolist() == [-1]:
            hint = " Rows without a label belong in the pool of `query`: `y != -1`."
        raise ValueError(
            f"`y` holds labels that are not among `classes`: {listed(unknown)}.{hint} "
            f"`classes` are {listed(given)}."
        )
    return given if keep_order else distinct


def check_classes(classes):
    """Classes that a user names, as an array; raises if they are no distinct labels."""
    check_masked(classes, "classes")
    given = np.asarray(classes)
    if given.ndim != 1 or len(given) == 0:
        raise ValueError(
            "`classes` must be a list of all labels. Got an array of shape "
            f"{given.shape} instead."
        )
    if any(map(is_missing, given)):
        raise ValueError(
            "`classes` must hold labels only, none of them missing. Got "
            f"{listed(given)}."
        )
    # An array makes strings of them all.
    if len({isinstance(each, str) for each in classes}) > 1:
        raise ValueError(
            "`classes` must be of one kind: make them all strings. Got "
            f"{listed(classes)}."
        )
    if len(np.unique(given)) < len(given):
        raise ValueError(f"`classes` must be distinct. Got {listed(given)}.")
    if any(isinstance(each, float) and each % 1 for each in given.tolist()):
        raise ValueError(
            "`classes` must be strings, bools or whole numbers for a classifier. Got "
            f"{listed(given)}: use a regressor, or make all labels strings."
        )
    return given


def _meant(label, classes):
    """Which class a label may stand for: numbers resemble no other numbers."""
    if not any(isinstance(each, str) for each in (label, *classes)):
        return ""
    names = {str(each): each for each in classes}
    close = get_close_matches(str(label), names, 1)
    return f" Did you mean {names[close[0]]!r}?" if close else ""


def explain_one_class(error, y):
    """Raise a clear error if a classifier failed since all labels are of one class."""
    classes = np.unique(y).tolist()
    if len(classes) == 1 and "class" in str(error).lower():
        said = str(error).strip().partition("\n")[0]
        raise ValueError(
            f"`y` holds one class only, {listed(classes)}, but the estimator needs "
            f"at least two. {_ADD_A_CLASS} The estimator says: {said}"
        ) from error


def check_two_classes(classes):
    """Raise if a net would have one class to tell from none."""
    if len(classes) < 2:
        raise ValueError(
            f"`y` holds one class only, {listed(classes)}, but a net needs at least "
            f"two. {_ADD_A_CLASS} A net also trains if all labels are named ahead with "
            "`classes`."
        )


_ADD_A_CLASS = (
    "The labelled rows are kept, and rows are still selected, by `cold_start`: label "
    "some of another class, and train again."
)


def check_named_before(classes, known):
    """Raise unless classes named in a later call are those of the first one."""
    if set(np.asarray(classes).tolist()) != set(np.asarray(known).tolist()):
        raise ValueError(
            "`classes` must be the labels named before, "
            f"{listed(np.asarray(known))}. Got {listed(np.asarray(classes))}. "
            "Name all labels that may ever occur in the parameter `classes`."
        )


# Their parameters are estimators. Those of other classes may be modules.
WRAPPERS = (MetaEstimatorMixin, FrozenEstimator, Pipeline, TransformedTargetRegressor)


def check_is_estimator(estimator):
    """Raise a clear error for what cannot be fitted, such as a torch module."""
    if estimator is None:
        return
    owners = {"": estimator}
    if hasattr(estimator, "get_params") and not isinstance(estimator, type):
        owners |= estimator.get_params()
    for name, part in owners.items():
        owner = owners.get(name.rpartition("__")[0])
        if _is_module(part) and (part is estimator or isinstance(owner, WRAPPERS)):
            kind = "class" if isinstance(part, type) else "module"
            name = part.__name__ if kind == "class" else type(part).__name__
            raise InvalidParameterError(
                "`estimator` must be a classifier or a regressor. Got a torch "
                f"{kind}, {name}. Wrap it in skorch's NeuralNetClassifier(module, "
                "criterion=torch.nn.CrossEntropyLoss, train_split=None) or in its "
                "NeuralNetRegressor."
            )


def _is_module(part):
    if hasattr(part, "fit"):
        return False
    return isinstance(part, nn.Module) or (
        isinstance(part, type) and issubclass(part, nn.Module)
    )


def check_estimator_kind(estimator, classes):
    """Raise if an estimator, behind its wrappers, cannot be trained here.

    It must be a classifier or a regressor, and able to have these classes.
    """
    check_is_estimator(estimator)
    if isinstance(estimator, type):
        raise TypeError(
            "`estimator` must be an instance, not a class. Pass an instance "
            f"({estimator.__name__}())."
        )
    params = estimator.get_params() if hasattr(estimator, "get_params") else {}
    for part in (estimator, *params.values()):
        if is_search(part):
            check_refit(part)
    if is_classifier(estimator):
        _check_single_output(innermost(estimator))
        if classes is not None:
            check_classes(classes)
        return
    name = type(innermost(estimator)).__name__
    if not is_regressor(estimator):
        raise ValueError(
            "`estimator` must be a classifier or a regressor, such as skorch's "
            "NeuralNetClassifier and NeuralNetRegressor, or any with scikit-learn's "
            f"ClassifierMixin or RegressorMixin. Got {name}, which is none."
        )
    if classes is not None:
        raise ValueError(
            f"`classes` must be None for a regressor. Got {shown(classes)} "
            f"for a {name}."
        )


def _check_single_output(model):
    if not get_tags(model).target_tags.single_output:
        raise ValueError(
            f"`estimator` must predict one label for a row. {type(model).__name__} "
            "predicts several, which is not supported."
        )
