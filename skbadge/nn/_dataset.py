"""A skorch dataset that casts tables once and hands out whole batches."""

from typing import Any, Literal, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import sparse
from skorch.dataset import Dataset, get_len

from skbadge.pools import (
    check_masked_parts,
    frame_to_array,
    kind_of,
    map_parts,
    not_numeric,
)

Dtype = Literal["float16", "bfloat16", "float32", "float64"]
CastIntegers = bool | Literal["codes"]

_HINT = (
    "Encode them first, for example with a ColumnTransformer in a Pipeline before "
    "the net."
)


class ArrayDataset(Dataset):
    """Dataset that casts tables once, at construction, to the dtype of a module.

    Plain :class:`skorch.dataset.Dataset` hands over every row as it is. A float64
    array or a DataFrame then reaches the module row by row in the wrong type. This
    class casts ``X`` as a whole, copies nothing that has the right dtype already, and
    cuts batches without collating rows (:meth:`take_batch`).

    Parameters
    ----------
    X : array-like, tensor, sparse matrix or DataFrame of shape (n_samples, ...), or \
            a dict, list or tuple of those
        The rows. A numeric DataFrame of pandas or polars becomes one 2-D array. A
        list of numbers, or of lists of numbers, becomes an array. Each value of a
        dict, list or tuple of arrays is cast by itself. Sparse input becomes CSR and
        stays sparse; its rows become dense when they are read.

    y : array-like of shape (n_samples, ...) or None, default=None
        The targets, in the dtype that the criterion expects, unless ``target_dtype``
        is given.

    length : int or None, default=None
        Number of rows, if ``X`` has no length that skorch can read.

    dtype : {"float16", "bfloat16", "float32", "float64"} or None, default="float32"
        Torch dtype of floating-point data. None leaves floating-point data as it is.

    cast_integers : bool or "codes", default=True
        Whether integers and booleans are cast to ``dtype`` too, or to torch's default
        dtype if ``dtype`` is None. False makes int64 of all integers and leaves
        booleans, for modules with several inputs. "codes" makes int64 of integers and
        booleans, for modules that look them up in an embedding table.

    target_dtype : str or None, default=None
        Dtype of the targets, such as "int64". None leaves them as they are.

    Attributes
    ----------
    X : ndarray, tensor, CSR matrix, or a dict, list or tuple of those
        The converted rows. Arrays become tensors if ``dtype`` is "bfloat16", which
        NumPy lacks.

    y : ndarray, tensor or None
        The targets.

    Raises
    ------
    TypeError
        If ``X`` holds anything but real numbers.

    ValueError
        If ``dtype`` is unknown, if a value does not fit into it, or if ``X`` and
        ``y`` differ in length.

    Notes
    -----
    The class attribute ``skbadge_tensor_dataset`` says that batches may be cut out of
    ``X`` and ``y`` without ``transform``. A subclass whose ``transform`` does more
    than this one must set it to False.

    Examples
    --------
    >>> import numpy as np
    >>> from skbadge.nn import ArrayDataset
    >>> dataset = ArrayDataset(np.arange(6).reshape(3, 2), np.array([0, 1, 0]))
    >>> dataset.X.dtype
    dtype('float32')
    >>> dataset.take_batch(slice(0, 2))
    (tensor([[0., 1.], [2., 3.]]), tensor([0, 1]))
    """

    skbadge_tensor_dataset = True

    def __init__(
        self,
        X: Any,
        y: Any = None,
        length: int | None = None,
        dtype: Dtype | None = "float32",
        cast_integers: CastIntegers = True,
        target_dtype: str | None = None,
    ):
        known = get_args(Dtype)
        if dtype is not None and dtype not in known:
            raise ValueError(
                f"dtype must be one of {list(known)} or None. Got {dtype!r} instead."
            )
        check_masked_parts(X, "X")
        check_masked_parts(y, "y")
        self.dtype = dtype
        self.cast_integers = cast_integers
        self.target_dtype = target_dtype
        X = map_parts(self._cast, without_number_lists(X))
        if y is not None:
            y = map_parts(self._as_target, without_number_lists(y))
        super().__init__(X, y, length)

    def transform(self, X: Any, y: Any) -> tuple[Any, Any]:
        """Convert one row for the ``DataLoader``, which collates rows.

        Parameters
        ----------
        X : ndarray, tensor or CSR matrix of shape (1, n_features)
            The row.

        y : scalar, ndarray, tensor or None
            Its target.

        Returns
        -------
        X : tensor
            The row, dense.

        y : scalar, ndarray or tensor
            Its target; ``tensor([0.])`` if there is none.
        """

        def read(values):
            row = self._as_tensor(values)
            return row[0] if sparse.issparse(values) else row

        y = self._as_tensor(y) if isinstance(y, np.ndarray) else y
        return super().transform(map_parts(read, X), y)

    def take_batch(self, rows: slice | NDArray) -> tuple[Any, Any]:
        """Cut a batch out of the data, without collating single rows.

        Parameters
        ----------
        rows : slice or ndarray of shape (batch_size,), dtype int64
            The positions of the rows.

        Returns
        -------
        X : tensor of shape (batch_size, ...), or a dict, list or tuple of those
            The rows. Slices of writeable arrays share memory with ``X``.

        y : tensor of shape (batch_size, ...), or a dict, list or tuple of those
            The targets. If there are none, zeros of shape (batch_size, 1): the
            ``DataLoader`` collates skorch's placeholder to the same.
        """

        def cut(values):
            return self._as_tensor(values[rows])

        X = map_parts(cut, self.X)
        if self.y is None:
            return X, torch.zeros(get_len(X), 1)
        return X, map_parts(cut, self.y)

    def _cast(self, values):
        """Cast one table, without a copy if it has the right dtype already."""
        if torch.is_tensor(values):
            target = self._target(_tensor_kind(values))
            return values if target is None else _cast_tensor(values, target)
        if sparse.issparse(values):
            # A matrix, because a single row of a sparse array would be 1-D.
            values = sparse.csr_matrix(values)
        elif kind_of(values) in ("pandas", "polars"):
            values = _numbers(values)
        else:
            values = _as_array(values)
        target = self._target(values.dtype.kind)
        if target is None:
            return values
        if target == "bfloat16" and not sparse.issparse(values):
            return _cast_tensor(self._as_tensor(values), target)
        if sparse.issparse(values) and target in ("float16", "bfloat16"):
            # SciPy's sparse matrices have no half precision, so `_as_tensor` casts the
            # rows.
            _cast_tensor(self._as_tensor(_as_array(values.data)), target)
            target = "float32"
        try:
            with np.errstate(over="raise"):
                return values.astype(target, copy=False)
        except FloatingPointError:
            raise _beyond(target) from None

    def _target(self, kind):
        """Name of the dtype for data of a NumPy kind; None for no cast."""
        if kind == "f":
            return self.dtype
        if kind not in "biu":
            raise TypeError(f"X must hold numbers. Got dtype kind {kind!r}. {_HINT}")
        if self.cast_integers == "codes":
            return "int64"
        if not self.cast_integers:
            # torch's embeddings take no small or unsigned integers. Booleans are masks.
            return None if kind == "b" else "int64"
        return self.dtype or str(torch.get_default_dtype()).removeprefix("torch.")

    def _as_target(self, values):
        """Targets as an array, or as the tensor they are."""
        kind = kind_of(values)
        if kind == "tensor":
            wanted = self.target_dtype and getattr(torch, self.target_dtype)
            return values.to(wanted) if wanted else values
        values = values.to_numpy() if kind in ("pandas", "polars") else values
        # Without a dtype to cast to, this is the array itself.
        return np.asarray(values, dtype=self.target_dtype)

    def _as_tensor(self, values):
        """A dense tensor, of shared memory where torch allows it."""
        if torch.is_tensor(values):
            return values
        if not sparse.issparse(values):
            # torch warns about read-only arrays, such as the memory maps of joblib's
            # workers, and refuses negative strides. Only such arrays are copied.
            if not (values.flags.c_contiguous and values.flags.writeable):
                values = np.require(values, requirements="CW")
            return torch.from_numpy(values)
        dense = torch.from_numpy(values.toarray())
        return dense if self.dtype is None else dense.to(getattr(torch, self.dtype))


def without_number_lists(data):
    """Make arrays of lists of numbers. The lists that remain are lists of arrays."""
    kind = kind_of(data)
    if kind == "dict":
        return {name: without_number_lists(values) for name, values in data.items()}
    if kind == "list" and not (
        data and all(len(getattr(x, "shape", ())) for x in data)
    ):
        return np.asarray(data)
    return data


def _cast_tensor(values, target):
    """A tensor of another dtype; raises where a number would become infinite."""
    cast = values.to(getattr(torch, target))
    if _may_overflow(values, target) and (cast.isinf() & ~values.isinf()).any():
        raise _beyond(target)
    return cast


def _may_overflow(values, target):
    if values.layout != torch.strided or values.is_meta:
        return False
    if not values.is_floating_point():
        return target == "float16"
    return torch.finfo(values.dtype).max > torch.finfo(getattr(torch, target)).max


def _beyond(dtype):
    return ValueError(
        f"X has values beyond the range of dtype={dtype!r}. Rescale them or choose a "
        "wider dtype."
    )


def _tensor_kind(values):
    """The NumPy kind of a tensor's dtype."""
    if values.is_complex():
        return "c"
    if values.is_floating_point():
        return "f"
    return "b" if values.dtype == torch.bool else "i"


def _as_array(values):
    """An array in which numbers that were Python objects are floats."""
    values = np.asarray(values)
    if values.dtype.kind != "O":
        # torch has only the native byte order, and no extended precision.
        dtype = values.dtype.newbyteorder("=")
        dtype = np.dtype("float64") if dtype == np.longdouble else dtype
        return values.astype(dtype, copy=False)
    try:
        return values.astype("float64")
    except (TypeError, ValueError) as error:
        raise TypeError(f"X must hold numbers: {error}. {_HINT}") from error


def _numbers(frame):
    """One array of a DataFrame or Series with numeric columns."""
    bad = not_numeric(frame)
    if bad:
        raise TypeError(f"X has columns that are not numeric: {bad}. {_HINT}")
    return frame_to_array(frame)
