"""A ColumnTransformer that turns a mixed table into numbers for a net."""

from datetime import UTC, datetime, time, timedelta

import numpy as np
from numpy.typing import DTypeLike
from sklearn import impute
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

from skbadge.pools import is_frame, kind_of
from skbadge.pools._numbers import columns_of
from skbadge.utils._typing import Rows


def table_preprocessor(
    X: Rows,
    *,
    min_frequency: int | float | None = None,
    max_categories: int | None = None,
    scale: bool = True,
    dtype: DTypeLike = np.float32,
) -> ColumnTransformer:
    """Impute, encode and scale the columns of a table by their kind.

    * Numbers, decimal ones included: the median replaces missing values; then zero mean
      and unit variance. A column without any value, or with a single value, becomes
      zeros.
    * Dates, times and durations: seconds, then as numbers.
    * Everything else, including booleans, and integers and floats in columns of dtype
      object: one column per category. A missing value is a category. A category that
      ``X`` lacks becomes zeros.

    The categories are those of ``X``. The width of the result is therefore known
    before any row is labelled, and a net of that input width can be fitted to the
    first few labelled rows and to all later ones. The rows in `fit` decide medians,
    means and variances, and the frequencies behind `min_frequency` and
    `max_categories`.

    Parameters
    ----------
    X : DataFrame of shape (n_samples, n_columns)
        A table of pandas or polars with the columns, dtypes and categories to expect.

    min_frequency : int >= 1, float in (0, 1) or None, default=None
        Categories below this number, or this share, of the rows become one.

    max_categories : int >= 1 or None, default=None
        Most categories in a column. The rarest ones become one.

    scale : bool, default=True
        Whether to standardise numbers. scikit-learn's models need it; the nets of
        `skbadge.nn` standardise their input themselves.

    dtype : {float32, float64}, default=float32
        Dtype of the result. Everything is computed in float64 and cast at the end.

    Returns
    -------
    preprocessor : ColumnTransformer
        Not fitted. Its result is a dense array.

    Raises
    ------
    TypeError
        If ``X`` is not a DataFrame.

    ValueError
        If ``X`` has no columns, two of the same name or one of complex numbers, or if
        `dtype` is another one.

    Examples
    --------
    >>> import pandas as pd
    >>> from skbadge.nn import table_preprocessor
    >>> X = pd.DataFrame({"age": [20, None, 40], "town": ["Ulm", "Bonn", None]})
    >>> table_preprocessor(X, scale=False).fit_transform(X)
    array([[20.,  0.,  1.,  0.],
           [30.,  1.,  0.,  0.],
           [40.,  0.,  0.,  1.]], dtype=float32)
    """
    dtype = _check(X, dtype)
    kinds = numbers, times, others = column_kinds(X)
    if not all(isinstance(name, str) for name in X.columns):
        # What is no text is a position to scikit-learn.
        place = {name: i for i, name in enumerate(X.columns)}
        numbers, times, others = ([place[name] for name in kind] for kind in kinds)
    encoder = OneHotEncoder(
        categories=[categories(X[name]) for name in kinds[2]],
        handle_unknown="infrequent_if_exist",
        min_frequency=min_frequency,
        max_categories=max_categories,
        sparse_output=False,
        dtype=dtype,
    )
    transformers = [
        ("number", _numeric(scale, dtype), numbers),
        ("time", _numeric(scale, dtype, _step(_seconds)), times),
        ("category", _in_arrays(_step(_labels), encoder), others),
    ]
    return ColumnTransformer(
        [transformer for transformer in transformers if transformer[2]],
        verbose_feature_names_out=False,
    )


def column_kinds(X):
    """Names of the columns of numbers, of times, and of others, booleans included."""
    kind = _polars_kind if kind_of(X) == "polars" else _pandas_kind
    kinds = [(column.name, kind(column)) for column in columns_of(X)]
    numbers, times, others = (
        [name for name, its_kind in kinds if its_kind == wanted]
        for wanted in ("number", "time", "other")
    )
    return numbers, times, others


# What pandas infers for times. Those without 64 are Python's, in columns of objects and
# in some of Arrow's.
_TIMES = "datetime64", "timedelta64", "datetime", "date", "time", "timedelta"


def _pandas_kind(column):
    """The kind of a column of pandas: "number", "time" or "other"."""
    from pandas.api import types

    if types.is_numeric_dtype(column) and not types.is_bool_dtype(column):
        return "number"
    kind = types.infer_dtype(column.dropna())
    if kind == "decimal":
        return "number"
    return "time" if kind in _TIMES else "other"


def _polars_kind(column):
    """The kind of a column of polars: "number", "time" or "other"."""
    if column.dtype.is_numeric():
        return "number"
    return "time" if column.dtype.is_temporal() else "other"


def _check(X, dtype):
    """Check the table, and return the dtype as a class."""
    if not is_frame(X):
        raise TypeError(
            "X must be a DataFrame of pandas or polars. Got "
            f"{type(X).__name__} instead."
        )
    if X.shape[1] == 0:
        raise ValueError("X must have at least one column. Got none.")
    columns = list(X.columns)
    repeated = [name for name in columns if columns.count(name) > 1]
    if repeated:
        raise ValueError(f"X must have columns of distinct names. Got {repeated[0]!r}.")
    for column in columns_of(X):
        if getattr(column.dtype, "kind", "O") == "c":
            raise ValueError(
                f"X must not hold complex numbers, as its column {column.name!r} does. "
                "Make columns of their real and imaginary parts."
            )
    if np.dtype(dtype) not in (np.float32, np.float64):
        raise ValueError(f"dtype must be float32 or float64. Got {dtype!r} instead.")
    return np.dtype(dtype).type


def _numeric(scale, dtype, *first):
    """The steps for numbers, after the steps `first`."""
    # By default, scikit-learn drops a column without any value in `fit`. A small
    # labelled set often has such columns, and the width must not change.
    steps = [*first, SimpleImputer(strategy="median", keep_empty_features=True)]
    if scale:
        steps.append(StandardScaler())
    # The cast comes last: in float32, the seconds of a date are two minutes apart.
    return _in_arrays(*steps, _step(_cast, dtype=dtype))


class SimpleImputer(impute.SimpleImputer):
    """scikit-learn's, that computes in float64 however short its floats are.

    So do the steps after it. float16 holds nothing above 65,504, and the means of large
    numbers in float32 are off.
    """

    # Results of benchmarks are kept by what is computed, which is the same in float64.
    # The steps of a pipeline are named after their classes.
    _known_as = impute.SimpleImputer

    def fit(self, X, y=None):
        """Find the medians of the columns."""
        return super().fit(_in_float64(X), y)

    def transform(self, X):
        """Put medians where nothing is."""
        return super().transform(_in_float64(X))


class _InArrays(Pipeline):
    """Steps that pass on arrays, whatever container the whole table is to become.

    A frame of polars knows no NaN beside strings.
    """

    # Results of benchmarks are kept by what is computed, which is the same.
    _known_as = Pipeline

    def set_output(self, *, transform=None):
        """Leave the steps as they are: the whole has names for all columns."""
        return self


def _in_arrays(*steps):
    """Steps that `set_output` and scikit-learn's configuration do not reach."""
    return _InArrays(make_pipeline(*steps).set_output(transform="default").steps)


def _step(function, **kwargs):
    """A transformer that keeps the names of the columns."""
    return FunctionTransformer(
        function, kw_args=kwargs or None, feature_names_out="one-to-one"
    )


def _in_float64(X):
    """The numbers of a table, or of an array, as an array; NaN for missing ones."""
    if not is_frame(X):
        return X.astype(np.float64)
    return np.column_stack([_float64_of(column) for column in columns_of(X)])


def _float64_of(column):
    """The numbers of a column."""
    if kind_of(column) == "polars":
        import polars as pl

        return column.cast(pl.Float64).to_numpy()
    return column.to_numpy(np.float64, na_value=np.nan)


def _cast(X, dtype):
    """An array of another dtype."""
    return X.astype(dtype)


def _seconds(X):
    """Times as numbers of seconds; NaN for missing ones."""
    seconds = _polars_seconds if kind_of(X) == "polars" else _pandas_seconds
    return np.column_stack([seconds(X[name]) for name in X.columns])


def _pandas_seconds(column):
    """Seconds of a column of pandas."""
    import pandas as pd

    column = column.infer_objects()
    kind = pd.api.types.infer_dtype(column)
    if kind not in ("datetime64", "timedelta64"):
        seconds = np.full(len(column), np.nan)
        seconds[column.notna()] = [_seconds_of(entry) for entry in column.dropna()]
        return seconds
    # In nanoseconds, which are pandas' default, there is no year 9999.
    if kind == "datetime64":
        column = column - pd.Timestamp(0, tz=column.dt.tz).as_unit("s")
    seconds = column / pd.Timedelta(seconds=1).as_unit("s")
    return seconds.to_numpy(np.float64, na_value=np.nan)


def _seconds_of(entry):
    """Seconds of a date, a time, a time of a day or a duration of Python's."""
    if isinstance(entry, timedelta):
        return entry.total_seconds()
    if isinstance(entry, time):
        entry = datetime.combine(datetime(1970, 1, 1), entry)
    elif not isinstance(entry, datetime):
        entry = datetime.combine(entry, time())
    zone = UTC if entry.tzinfo else None
    return (entry - datetime(1970, 1, 1, tzinfo=zone)).total_seconds()


def _polars_seconds(column):
    """Seconds of a column of polars."""
    # Dates are stored as days, times of a day as nanoseconds.
    per_second = {"ms": 1e3, "us": 1e6, "ns": 1e9}
    unit = getattr(column.dtype, "time_unit", "ns")
    is_date = str(column.dtype) == "Date"
    numbers = column.to_physical().to_numpy().astype(np.float64)
    return numbers * 86400 if is_date else numbers / per_second[unit]


def _labels(X):
    """All values of a table as strings; NaN for missing ones."""
    if kind_of(X) == "polars":
        return np.column_stack([_strings(X[name]) for name in X.columns])
    return X.apply(_strings)


def _strings(column):
    """The values of a column as strings; NaN for missing ones."""
    if kind_of(column) == "polars":
        entries = [np.nan if item is None else str(item) for item in column.to_list()]
        return np.array(entries, dtype=object)
    strings = column.astype(object).map(str)
    return strings.where(column.notna(), np.nan)


def categories(column):
    """The categories of a column, sorted; NaN is the last one."""
    strings = set(_strings(column))
    labels = sorted(item for item in strings if isinstance(item, str))
    missing = [np.nan] if len(labels) < len(strings) else []
    return np.array([*labels, *missing], dtype=object)
