"""Numbers as floats of 64 bits, and what such floats cannot hold of them."""

from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from skbadge.pools._kinds import is_frame, is_tensor, kind_of

# Up to here, every integer is a float of 64 bits.
_GREATEST_INTEGER = 2**53

_TEXTS = {"U": str, "S": bytes}
_INTEGERS = {"b": np.dtype(bool), "i": np.dtype(np.int64), "u": np.dtype(np.uint64)}


class Numbers(NamedTuple):
    """Numbers that are equal if and only if they are as floats, and the rests too.

    ``values`` are of any dtype whose cast to float64 rounds to nearest. ``rest`` is
    what that leaves, of the same shape, or None where it leaves nothing.
    """

    values: NDArray
    rest: NDArray | None = None


def array_of(X: Any) -> NDArray:
    """A tensor, or an array-like, as an array; ragged rows are objects."""
    if is_tensor(X):
        X = X.detach().cpu()
        # NumPy has no bfloat16.
        return (X if X.dtype.itemsize > 2 else X.float()).numpy()
    try:
        array = np.asarray(X)
    except ValueError:
        return objects_of(X)
    if not isinstance(X, list | tuple) or array.dtype.kind not in _TEXTS:
        return array
    exact = np.array(X, dtype=object)
    # NumPy makes texts of numbers beside them.
    is_text = all(isinstance(entry, _TEXTS[array.dtype.kind]) for entry in exact.flat)
    return array if is_text else exact


def objects_of(entries):
    """A list as an array of its entries, which may be lists themselves."""
    array = np.empty(len(entries), dtype=object)
    for i, entry in enumerate(entries):
        array[i] = entry
    return array


def numbers_of(array: NDArray, origin: Any = None) -> Numbers | None:
    """The numbers in an array; None if it holds anything else.

    Floats of more than 64 bits whose rest is not such a float are something else.
    ``origin`` is what `array_of` made the array of.
    """
    kind, itemsize = array.dtype.kind, array.dtype.itemsize
    if kind not in "biuf":
        return None
    if isinstance(origin, list | tuple) and array.dtype == np.float64:
        return Numbers(array, _rest_of_integers_in_list(origin, array))
    if kind == "f" and itemsize > 8:
        return _numbers_of_long(array)
    return Numbers(array, _rest_of_integers(array) if itemsize == 8 else None)


def numbers_of_sparse(X: Any) -> Numbers:
    """The numbers in a sparse matrix, as CSR without zeros or repeated entries."""
    matrix = X.tocsr(copy=True)
    matrix.sum_duplicates()
    if matrix.dtype.kind == "c":
        matrix = sparse.hstack([matrix.real, matrix.imag], format="csr")
    numbers = numbers_of(matrix.data)
    if numbers is None:
        raise ValueError(
            f"The numbers of a sparse matrix of dtype {matrix.dtype} must be in the "
            "range of float64. Cast it to float64, or pass a dense array."
        )
    return Numbers(*(_with_data(matrix, part) for part in numbers))


def _with_data(matrix, data):
    if data is None:
        return None
    parts = data, matrix.indices.copy(), matrix.indptr.copy()
    matrix = sparse.csr_matrix(parts, shape=matrix.shape)
    matrix.eliminate_zeros()
    return matrix


def _rest_of_integers(array):
    if array.dtype.kind not in "iu" or not array.size:
        return None
    if array.max() <= _GREATEST_INTEGER and array.min() >= -_GREATEST_INTEGER:
        return None
    floats = array.astype(np.float64)
    # The same modulo 2^64, since the floats may be 2^63 or 2^64.
    size = np.abs(floats)
    words = np.where(size < 2.0**64, size, 0.0).astype(np.uint64)
    words = np.where(floats < 0, -words, words)
    return (array.astype(np.uint64) - words).view(np.int64).astype(np.int16)


def _rest_of_integers_in_list(X, array):
    """The rest of integers that NumPy has cast, since there are floats beside them."""
    if not (np.abs(array) >= _GREATEST_INTEGER).any():
        return None

    def rest(entry, value):
        return int(entry) - int(value) if isinstance(entry, int | np.integer) else 0

    exact = np.array(X, dtype=object)
    return np.frompyfunc(rest, 2, 1)(exact, array).astype(np.int16)


def _numbers_of_long(array):
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        values = array.astype(np.float64)
        rest = np.where(np.isfinite(values), array - values, 0).astype(np.float64)
        is_exact = (values + rest.astype(array.dtype) == array) | np.isnan(array)
    if not is_exact.all():
        return None
    return Numbers(values, rest if rest.any() else None)


def canonical(values: NDArray) -> NDArray[np.float64]:
    """A copy as float64 with one zero and one NaN."""
    # Adding 0 makes -0.0 and 0.0 one value.
    floats = values.astype(np.float64) + 0.0
    if values.dtype.kind == "f":
        floats[np.isnan(floats)] = np.nan
    return floats


# Columns of data frames


def columns_of(X: Any) -> list:
    """The columns of a DataFrame, by position, or the one Series."""
    if not is_frame(X):
        return [X]
    if kind_of(X) == "polars":
        return X.get_columns()
    return [X.iloc[:, i] for i in range(X.shape[1])]


def numbers_of_column(column: Any) -> Numbers | None:
    """The numbers in a Series, NaN where it has none; None if it is no column of them.

    Each column by itself: in an array of several, integers would be cast for the sake
    of floats beside them, or of a missing one.
    """
    read = _polars_array if kind_of(column) == "polars" else _pandas_array
    array, missing = read(column)
    numbers = None if array is None else numbers_of(array)
    if numbers is None or not missing.any():
        return numbers
    values = numbers.values.astype(np.float64)
    values[missing] = np.nan
    return numbers._replace(values=values)


_NONE_MISSING = np.zeros(1, dtype=bool)


def _pandas_array(column):
    """The numbers, and which of those are not there and stand as 0."""
    dtype = column.dtype
    if isinstance(dtype, np.dtype):
        return column.to_numpy(), _NONE_MISSING
    kind = getattr(dtype, "kind", "O")
    if kind == "f":
        return column.to_numpy(dtype=np.float64, na_value=np.nan), _NONE_MISSING
    if kind not in _INTEGERS:
        return None, _NONE_MISSING
    missing, dtype = column.isna().to_numpy(dtype=bool), _INTEGERS[kind]
    # Booleans of Arrow take no 0 for False.
    return column.to_numpy(dtype=dtype, na_value=dtype.type().item()), missing


def _polars_array(column):
    dtype = column.dtype
    is_short = dtype.is_float() or (dtype.is_integer() and "128" not in str(dtype))
    if not is_short and str(dtype) != "Boolean":
        return None, _NONE_MISSING
    missing = column.is_null().to_numpy()
    return column.fill_null(0 if is_short else False).to_numpy(), missing


# Numbers as objects


def exact_number(entry: Any) -> Any:
    """A hashable that is equal for numbers of equal value, NaN included."""
    if isinstance(entry, np.generic):
        entry = entry.item()
    if isinstance(entry, complex):
        if entry.imag == 0:
            return exact_number(entry.real)
        return "complex", exact_number(entry.real), exact_number(entry.imag)
    if entry != entry:
        return "nan", None
    if isinstance(entry, np.longdouble) and np.isfinite(entry):
        # Its own comparisons would round the other number.
        return Fraction(*entry.as_integer_ratio())
    return entry
