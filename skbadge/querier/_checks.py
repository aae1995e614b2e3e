"""Checks of labels, classes and estimators that users hand to `BadgeQuerier`."""

from difflib import get_close_matches
from numbers import Real

import numpy as np
from sklearn.base import is_classifier, is_regressor
from sklearn.utils import get_tags
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import column_or_1d

from skbadge.outputs._pipeline import (
    check_refit,
    innermost,
    is_search,
    is_skorch_net,
)
from skbadge.pools import Inputs, n_rows
from skbadge.querier._check_rows import check_masked
from skbadge.utils._validation import is_missing


def check_y(querier, y, X, estimator):
    """Labels as an array, or targets in float64, one for each row."""
    check_masked(y, "y")
    if y is None:
        raise ValueError(
            f"This {type(querier).__name__} estimator requires y to be passed, but the "
            "target y is None."
        )
    if is_classifier(estimator):
        return _check_labels(y, X)
    return _check_targets(y, X, estimator)


def _check_labels(y, X):
    given, y = y, column_or_1d(np.asarray(y), warn=True)
    if isinstance(given, list | tuple) or y.dtype == object:
        _check_label_kinds(np.asarray(given, dtype=object).ravel())
        if all(isinstance(label, Real) for label in y):
            # Columns of a mixed table arrive as objects.
            y = np.asarray(y.tolist())
    elif y.dtype.kind == "f" and not np.isfinite(y).all():
        _check_label_kinds(y)
        raise ValueError("`y` contains infinity. It must hold class labels.")
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


def _check_targets(y, X, estimator):
    y = np.asarray(y)
    if y.dtype == object:
        known = [np.nan if is_missing(target) else target for target in y.ravel()]
        y = np.array(known).reshape(y.shape)
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
    bad = np.flatnonzero(~np.isfinite(y).reshape(len(y), -1).all(axis=1))
    if len(bad):
        raise ValueError(
            f"Input `y` contains NaN or infinity: {len(bad)} of {len(y)} targets, the "
            f"first is that of row {bad[0]}. Rows without a target belong in the pool "
            "of `query`."
        )
    return y


def _takes_several_targets(estimator):
    # Nets do not say so in their tags.
    takes = get_tags(estimator).target_tags.multi_output
    return takes or is_skorch_net(innermost(estimator))


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


def resolve_classes(classes, y, *, keep_order):
    """The classes there are, sorted or in the order given; raises for other labels."""
    seen = np.unique(y)
    if classes is None:
        return seen
    given = np.asarray(classes)
    if given.ndim != 1 or len(given) == 0:
        raise ValueError(
            "`classes` must be a list of all labels. Got an array of shape "
            f"{given.shape} instead."
        )
    distinct = np.unique(given)
    if len(distinct) < len(given):
        raise ValueError(f"`classes` must be distinct. Got {given.tolist()}.")
    unknown = np.setdiff1d(seen, distinct)
    if len(unknown):
        close = get_close_matches(str(unknown[0]), [str(label) for label in given], 1)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        raise ValueError(
            f"`y` holds labels that are not among `classes`: {unknown.tolist()}.{hint} "
            f"`classes` are {given.tolist()}."
        )
    return given if keep_order else distinct


def check_named_before(classes, known):
    """Raise unless classes named in a later call are those of the first one."""
    if set(np.asarray(classes).tolist()) != set(np.asarray(known).tolist()):
        raise ValueError(
            "`classes` must be the labels named before, "
            f"{np.asarray(known).tolist()}. Got {np.asarray(classes).tolist()}. "
            "Name all labels that may ever occur in the parameter `classes`."
        )


def check_estimator_kind(estimator, classes):
    """Raise if an estimator, behind its wrappers, is no classifier and no regressor."""
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
            f"`classes` must be None for a regressor. Got {classes!r} for a {name}."
        )


def _check_single_output(model):
    if not get_tags(model).target_tags.single_output:
        raise ValueError(
            f"`estimator` must predict one label for a row. {type(model).__name__} "
            "predicts several, which is not supported."
        )
