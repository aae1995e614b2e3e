"""Checks of rows where they come in, and how lists of them are read."""

from collections.abc import Iterable
from numbers import Real
from os import PathLike

import numpy as np
import torch
from scipy import sparse
from sklearn.pipeline import Pipeline
from sklearn.utils import check_array
from sklearn.utils.validation import validate_data
from skorch.dataset import Dataset

from skbadge.nn._adapt import has_own_dataset
from skbadge.nn._tabular import TabularNetMixin
from skbadge.outputs._pipeline import (
    innermost,
    is_skorch_net,
    transforms_target,
    wrapped,
)
from skbadge.pools import (
    array_of,
    check_masked_parts,
    frame_to_array,
    is_frame,
    is_table,
    is_tensor,
    kind_of,
    n_rows,
    named_parts,
    not_numeric,
    objects_of,
    read_inputs,
    takes_columns,
)
from skbadge.utils._row_errors import row_error
from skbadge.utils._shown import listed, shown
from skbadge.utils._validation import not_finite_rows

# Parts of errors about strings, and about columns that one array cannot hold.
NOT_NUMBERS = ("convert string", "bytes/strings", "DType")

_PATHS = str | bytes | PathLike
_TEXTS = str | bytes


def check_X(querier, X, estimator, *, name, reset):
    """Check rows as far as the estimator does not.

    A net takes whatever it is given, so its rows are checked here, the way
    scikit-learn checks them; every other estimator checks them itself.

    For a net, a list of rows or a data frame becomes an array, and sparse rows become
    CSR. A net with a data set of its own gets rows as they are, but for a Series. A
    list of arrays becomes `Inputs` if the net stands behind no Pipeline and the arrays
    have two axes or more and equal lengths. With ``reset``, these rows say what the
    features are.
    """
    X = check_container(X, estimator, name)
    if reset:
        for attribute in ("n_features_in_", "feature_names_in_"):
            vars(querier).pop(attribute, None)
    if not is_table(X):
        _check_parts(querier, X, name, reset)
        return X
    rows = X
    while transforms_target(estimator):
        # It passes rows on as they are.
        estimator = wrapped(estimator)[1]
    is_list = kind_of(X) == "list"
    if is_skorch_net(estimator) or (is_list and is_bare_net(estimator)):
        rows = _rows_for_net(querier, X, innermost(estimator), name)
    if not reset and hasattr(querier, "n_features_in_"):
        check_axes(X, name)
    try:
        _check_features(querier, X if is_frame(X) else rows, reset)
    except ValueError as error:
        if name in ("X", "X_pool"):
            raise
        # There are others, and scikit-learn does not say which it means.
        raise ValueError(f"`{name}`: {error}") from error
    return rows


def check_container(X, estimator, name):
    """Rows as an estimator reads their container; raises if that holds no rows."""
    _check_holds_rows(X, name)
    if kind_of(X) == "array" and hasattr(X, "__dataframe__"):
        # As an array, a table of pyarrow would lose its names and types.
        X = X.to_pandas()
    gets_rows = is_bare_net(estimator)
    X = read_inputs(X) if gets_rows else X
    _check_dense_tensors(X, name)
    if is_tensor(X):
        # A net reads tensors; whatever else does, by NumPy, which lacks bfloat16.
        by_numpy = not gets_rows or isinstance(innermost(estimator), TabularNetMixin)
        X = X.detach()
        X = X.float() if by_numpy and X.dtype == torch.bfloat16 else X
    if n_rows(X) == 0:
        raise ValueError(f"`{name}` must have at least one row. Got none.")
    check_masked_parts(X, name)
    if sparse.issparse(X) and X.format in ("bsr", "coo", "dia"):
        # Steps before the model cannot slice these.
        X = X.tocsr()
    return X


def _check_holds_rows(X, name):
    """Raise for what cannot be read twice, or has no order: it is no container."""
    is_container = hasattr(X, "__array__") or sparse.issparse(X)
    is_container |= hasattr(X, "__len__") and hasattr(X, "__getitem__")
    if is_container and not isinstance(X, _TEXTS) and _axes(X) != 0:
        return
    hint = "Pass an array, a data frame, a list, a tensor or a Dataset."
    if hasattr(X, "collect"):
        hint = "Call its `collect()` first."
    elif isinstance(X, Iterable) and not isinstance(X, _TEXTS):
        hint = "Make a list or an array of it."
    error = ValueError if X is None else TypeError
    raise error(f"`{name}` must hold rows. Got {shown(X)} instead. {hint}")


def _axes(X):
    return X.ndim if isinstance(X, np.ndarray | np.generic) or is_tensor(X) else None


def _check_dense_tensors(X, name):
    """Raise for tensors without an entry for each row and column."""
    for part_name, part in named_parts(X, name):
        if is_tensor(part) and (
            part.is_nested
            or part.is_quantized
            or part.is_meta
            or part.layout != torch.strided
        ):
            raise ValueError(
                f"`{part_name}` must be a dense tensor that holds values. Got one that "
                "is sparse, nested, quantised or on the device meta. Call its "
                "`to_dense()` or `dequantize()`, or pass an array."
            )


def is_bare_net(estimator):
    """Whether rows reach a net without a Pipeline."""
    parts = wrapped(estimator)
    return is_skorch_net(parts[-1]) and not any(isinstance(p, Pipeline) for p in parts)


def _check_parts(querier, X, name, reset):
    """Check tensors, and the arrays, tensors and frames among several inputs."""
    for part_name, part in named_parts(X, name):
        if is_tensor(part):
            part = array_of(part)
        elif is_frame(part):
            part = np.empty(0) if not_numeric(part) else frame_to_array(part)
        if isinstance(part, np.ndarray) or sparse.issparse(part):
            _check_finite(part, part_name)
    # Integers may be tokens, whose number differs from call to call.
    if is_tensor(X) and X.ndim > 1 and X.is_floating_point():
        validate_data(querier, X, reset=reset, skip_check_array=True)


def _check_features(querier, X, reset):
    """Check the names and the number of the features of a table, where it has any."""
    # The rows of a list may be texts or tokens, of any lengths.
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
        return _rows_for_own_dataset(X, net.dataset)
    check_axes(X, name)
    rows = _check_numeric(querier, X, name)
    _check_finite(rows, name)
    return rows


def _rows_for_own_dataset(X, dataset):
    kind = kind_of(X)
    if kind in ("pandas", "polars") and not is_frame(X):
        return X.to_numpy()
    if isinstance(dataset, type) and issubclass(dataset, Dataset):
        # skorch takes the length of a path in a list for a number of rows.
        is_paths = kind == "list" and all(isinstance(row, _PATHS) for row in X)
        return objects_of(X) if is_paths else X
    return X


def check_axes(X, name):
    """Raise for a vector where a table is due."""
    if isinstance(X, np.ndarray):
        shape = X.shape
    else:
        is_vector = isinstance(X, list | tuple) and all(map(np.isscalar, X))
        shape = (len(X),) if is_vector else (0, 0)
    if len(shape) < 2:
        raise ValueError(
            f"Expected 2D array, got {len(shape)}D array instead: `{name}` has shape "
            f"{shape}. Reshape your data: `.reshape(-1, 1)` if it is one feature, "
            "`.reshape(1, -1)` if it is one row."
        )


def _is_numeric_array(X):
    is_array = isinstance(X, np.ndarray) or sparse.issparse(X)
    return is_array and X.ndim > 1 and X.dtype.kind in "biufc"


def _check_numeric(querier, X, name):
    """Rows as an array or CSR matrix."""
    try:
        rows = check_array(
            X,
            accept_sparse="csr",
            allow_nd=True,
            ensure_all_finite=False,
            input_name=name,
            estimator=querier,
        )
        # Frames of polars and categories of pandas may arrive as they are.
        return rows.astype(np.float64) if rows.dtype == object else rows
    except (TypeError, ValueError) as error:
        if "Complex data" in str(error):
            # scikit-learn's message has the array in it.
            raise ValueError(f"Complex data not supported: `{name}`.") from None
        if "argument must be a string" in str(error):
            error.add_note(encoding_hint(X, name))
            raise
        if any(word in str(error) for word in NOT_NUMBERS):
            raise ValueError(encoding_hint(X, name)) from error
        if "inhomogeneous" in str(error):
            error.add_note(
                f"The entries of a list are rows, of equal shapes. `{name}` is several "
                "inputs of a net if all of them have two axes or more and equal "
                "lengths."
            )
        raise


def encoding_hint(X, name):
    """What to do about rows that are not numbers."""
    if not is_frame(X):
        return (
            f"The model needs numbers, but `{name}` holds strings. Encode them in a "
            "step before it, in a Pipeline, such as a TfidfVectorizer for texts or a "
            "ColumnTransformer. For a data frame there is "
            "skbadge.nn.table_preprocessor."
        )
    return (
        f"The model needs numbers, but `{name}` holds strings, categories or dates in "
        f"the columns {listed(not_numeric(X))}. Encode them in a step before it: "
        f"make_pipeline(skbadge.nn.table_preprocessor({name}), model)."
    )


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
    bad = not_finite_rows(X)
    if bad is not None:
        raise row_error(
            f"Input {name} contains NaN or infinity: {bad.sum()} of {len(bad)} rows, "
            "the first is row {row}. Leave these rows out, or fill the gaps in a step "
            "before the net: SimpleImputer in a Pipeline, or, for a data frame, "
            "skbadge.nn.table_preprocessor.",
            bad.argmax(),
        )
