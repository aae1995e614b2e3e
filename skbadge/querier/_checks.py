"""Checks of what users hand to `BadgeQuerier`."""

from difflib import get_close_matches
from numbers import Real

import numpy as np
from scipy import sparse
from sklearn.base import is_classifier, is_regressor
from sklearn.pipeline import Pipeline
from sklearn.utils import check_array, get_tags
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import column_or_1d, validate_data

from skbadge.nn._adapt import has_own_dataset
from skbadge.outputs._pipeline import (
    innermost,
    is_skorch_net,
    transforms_target,
    wrapped,
)
from skbadge.pools import (
    Inputs,
    frame_to_array,
    is_frame,
    is_masked,
    is_table,
    is_tensor,
    kind_of,
    n_rows,
    named_parts,
    not_numeric,
    read_inputs,
    takes_columns,
)


def check_X(querier, X, estimator, *, name, reset):
    """Check rows as far as the estimator does not.

    A net takes whatever it is given, so its rows are checked here, the way
    scikit-learn checks them; every other estimator checks them itself.

    Parameters
    ----------
    querier : BadgeQuerier
        Remembers, or is asked for, the number and names of the features.

    X : array-like, sparse matrix, data frame, tensor, Dataset, or dict or list of those
        The rows. A list of arrays is several inputs if ``estimator`` leads to a net
        without a Pipeline, and all arrays have two axes or more and equal lengths.

    estimator : estimator object
        What will see the rows.

    name : str
        What to call them in an error.

    reset : bool
        Whether these rows say what the features are, or must agree with earlier ones.

    Returns
    -------
    X : same kind, ndarray, CSR matrix or Inputs
        For a net, a list of rows or a data frame becomes an array, and sparse rows
        become CSR, unless the net has a data set of its own, which gets rows as they
        are (but for a Series, which becomes an array). Several inputs become `Inputs`.
    """
    if X is None:
        raise ValueError(f"`{name}` must hold rows. Got None instead.")
    if _is_bare_net(estimator):
        X = read_inputs(X)
    if not np.isscalar(X) and n_rows(X) == 0:
        raise ValueError(f"`{name}` must have at least one row. Got none.")
    for part_name, part in named_parts(X, name):
        _check_masked(part, part_name)
    if reset:
        for attribute in ("n_features_in_", "feature_names_in_"):
            vars(querier).pop(attribute, None)
    if not is_table(X):
        _check_parts(querier, X, name, reset)
        return X
    rows = X
    while transforms_target(estimator):
        # It hands rows on as they are.
        estimator = wrapped(estimator)[1]
    if is_skorch_net(estimator):
        rows = _rows_for_net(querier, X, estimator, name)
    _check_features(querier, X if is_frame(X) else rows, reset)
    return rows


def _is_bare_net(estimator):
    """Whether rows reach a net without a Pipeline."""
    parts = wrapped(estimator)
    return is_skorch_net(parts[-1]) and not any(isinstance(p, Pipeline) for p in parts)


def _check_masked(X, name):
    """Raise if an array has masked entries, which training would not skip."""
    if is_masked(X):
        mask = np.ma.getmaskarray(X)
        rows = np.flatnonzero(mask.reshape(len(mask), -1).any(axis=1))
        raise ValueError(
            f"`{name}` has masked entries: {len(rows)} of {len(mask)} rows, the first "
            f"is row {rows[0]}. Leave these rows out, or put values there, such as "
            f"`{name}.filled(0)`."
        )


def _check_parts(querier, X, name, reset):
    """Check tensors, and the arrays, tensors and frames among several inputs."""
    for part_name, part in named_parts(X, name):
        if is_tensor(part):
            part = part.detach().cpu().float().numpy()
        elif is_frame(part):
            part = np.empty(0) if not_numeric(part) else frame_to_array(part)
        if isinstance(part, np.ndarray) or sparse.issparse(part):
            _check_finite(part, part_name)
    # Integers may be tokens, whose number differs from call to call.
    if is_tensor(X) and X.ndim > 1 and X.is_floating_point():
        validate_data(querier, X, reset=reset, skip_check_array=True)


def _check_features(querier, X, reset):
    """Check the names and the number of the features of a table, where it has any."""
    # The rows of a list may be texts or tokens, as many as there happen to be.
    is_free = isinstance(X, list | tuple) and not _is_list_of_numbers(X)
    if not is_free and (reset or getattr(X, "ndim", 2) != 1):
        validate_data(querier, X, reset=reset, skip_check_array=True)


def _is_list_of_numbers(X):
    lengths = {len(row) if hasattr(row, "__len__") else None for row in X}
    if len(lengths) != 1 or isinstance(X[0], str | bytes | dict):
        return False
    return lengths == {None} or all(isinstance(entry, Real) for entry in X[0])


def _rows_for_net(querier, X, net, name):
    """Rows as a net without steps before it gets them, checked if they are numbers."""
    if is_frame(X) and _wants_columns(net, X.columns):
        if kind_of(X) == "polars" and not not_numeric(X):
            # skorch splits the frames of pandas only.
            return {key: frame_to_array(X[key]).reshape(-1, 1) for key in X.columns}
        return X
    if has_own_dataset(net) and not _is_numeric_array(X):
        is_series = kind_of(X) in ("pandas", "polars") and not is_frame(X)
        return X.to_numpy() if is_series else X
    rows = _check_numeric(querier, X, name)
    _check_finite(rows, name)
    return rows


def _is_numeric_array(X):
    is_array = isinstance(X, np.ndarray) or sparse.issparse(X)
    return is_array and X.ndim > 1 and X.dtype.kind in "biufc"


def _check_numeric(querier, X, name):
    """Rows as an array or CSR matrix."""
    try:
        return check_array(
            X,
            accept_sparse="csr",
            allow_nd=True,
            ensure_all_finite=False,
            input_name=name,
            estimator=querier,
        )
    except ValueError as error:
        if "could not convert string" in str(error):
            error.add_note(
                f"A net needs numbers, but `{name}` holds strings. Encode them in a "
                "step before it, for example with a ColumnTransformer in a Pipeline."
            )
        raise


def _wants_columns(net, columns):
    """Whether a net's module takes a data frame's columns one by one."""
    forward = getattr(net.module, "forward", None)
    if forward is None:
        return False
    if isinstance(net.module, type):
        forward = forward.__get__(object())
    return takes_columns(forward, columns)


def _check_finite(X, name):
    """Raise if a numeric array or sparse matrix holds NaN or infinity."""
    values = X.data if sparse.issparse(X) else X
    # One sum tells in the usual case, without an array of flags.
    with np.errstate(over="ignore", invalid="ignore"):
        if values.dtype.kind != "f" or np.isfinite(values.sum(dtype=np.float64)):
            return
    if sparse.issparse(X):
        rows = np.unique(X.tocoo().row[~np.isfinite(X.tocoo().data)])
    else:
        rows = np.flatnonzero(~np.isfinite(X).reshape(len(X), -1).all(axis=1))
    if len(rows):
        raise ValueError(
            f"Input {name} contains NaN or infinity: {len(rows)} of {X.shape[0]} rows, "
            f"the first is row {rows[0]}."
        )


def check_y(querier, y, X, estimator):
    """Labels or targets as an array, one for each row.

    Parameters
    ----------
    querier : BadgeQuerier
        Named in errors.

    y : array-like of shape (n_rows,) or (n_rows, n_outputs)
        Class labels for a classifier, numbers for a regressor.

    X : array-like or other container of rows
        The rows they belong to.

    estimator : estimator object
        What will be trained on them.

    Returns
    -------
    y : ndarray of shape (n_rows,) or (n_rows, n_outputs)
        Same labels, or targets in float64.

    Raises
    ------
    ValueError
        If they are missing, of the wrong kind, or of another number than the rows.
    """
    _check_masked(y, "y")
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
        known = [np.nan if _is_missing(target) else target for target in y.ravel()]
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
    missing = [row for row, label in enumerate(labels) if _is_missing(label)]
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


def _is_missing(label):
    # pandas' NA has no truth value, and pandas may not be there to ask.
    if label is None or type(label).__name__ == "NAType":
        return True
    return isinstance(label, Real) and label != label


def resolve_classes(classes, y, *, keep_order):
    """The classes there are, and a check that the labels are among them.

    Parameters
    ----------
    classes : array-like of shape (n_classes,) or None
        All labels that may ever occur; None to take them from ``y``.

    y : ndarray of shape (n_rows,)
        The labels there are.

    keep_order : bool
        Whether ``classes`` stay in the order given, rather than sorted.

    Returns
    -------
    classes : ndarray of shape (n_classes,)
        Distinct.

    Raises
    ------
    ValueError
        If a label is not among ``classes``, or these are not distinct.
    """
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
    """Raise if an estimator, behind its wrappers, is no classifier and no regressor.

    Parameters
    ----------
    estimator : estimator object
        What is to be trained.

    classes : array-like or None
        The labels that were named, which a regressor has none of.
    """
    if isinstance(estimator, type):
        raise TypeError(
            "`estimator` must be an instance, not a class. Pass an instance "
            f"({estimator.__name__}())."
        )
    if is_classifier(estimator):
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
