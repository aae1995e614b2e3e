"""Columns of Arrow as what a model takes: an array of one dtype, or a data frame."""

from collections.abc import Iterable
from typing import Any, Literal

import numpy as np

from skbadge.utils._optional import import_optional
from skbadge.utils._shown import shown

AsFrame = bool | Literal["auto"]


def arrow(module: str) -> Any:
    """Import a module of pyarrow, or say how to install it."""
    name = f"pyarrow.{module}" if module else "pyarrow"
    return import_optional(name, extra="arrow", purpose="Reading Parquet")


class Columns:
    """Decides once for a pool what its batches become.

    Parameters
    ----------
    schema : pyarrow.Schema
        The columns that a model gets, in their order.

    with_nulls : set of str
        Those in which values are missing.

    as_frame : bool or "auto"
        Whether they become a data frame.

    Attributes
    ----------
    names : list of str
        The columns.

    is_frame : bool
        Whether they become a pandas DataFrame, rather than an array.

    categories : dict of str to list
        All entries of columns of dictionary type, for whoever has read them to set, so
        that a code means the same in all chunks.
    """

    def __init__(self, schema: Any, with_nulls: set, as_frame: AsFrame):
        self.names: list[str] = schema.names
        self._is_vector = len(schema) == 1 and _is_vector(schema.field(0).type)
        self.is_frame = self._chosen(as_frame, _as_floats(schema, set()))
        # In frames, as pandas reads them: True, False and None.
        self._gappy = _booleans(schema) & with_nulls if self.is_frame else set()
        self._schema = _as_floats(schema, with_nulls - self._gappy)
        self._whole = [
            field.name
            for field in self._schema
            if _is_whole(field.type) and field.name not in self._gappy
        ]
        self.categories: dict[str, list] = {}
        if self.is_frame:
            import_optional("pandas", extra="arrow", purpose="A pool of data frames")

    def dictionaries(self) -> list[str]:
        """Names of the columns that become categories."""
        return [field.name for field in self._schema if _is_dictionary(field.type)]

    def row_nbytes(self) -> int:
        """About the bytes that a row takes."""
        if self._is_vector:
            return 8 * self._schema.field(0).type.list_size
        return 8 * max(1, len(self.names))

    def container(self, batch: Any) -> Any:
        """What a record batch becomes.

        Returns
        -------
        rows : ndarray of shape (n_rows, n_columns), or DataFrame
            Missing numbers are NaN, and missing booleans of a frame None.

        Raises
        ------
        ValueError
            If values are missing of which nobody has said so: a whole number has no
            mark for that.
        """
        pa = arrow("")
        for name in self._whole:
            if batch.column(name).null_count:
                raise ValueError(
                    f"Values of {name!r} are missing, of which the file says nothing. "
                    "Write it again with statistics of its columns, as pandas and "
                    "pyarrow do unless told otherwise, or make the column floating."
                )
        if self._is_vector:
            return _vectors(batch.column(0))
        if not self.is_frame and batch.schema.types == self._schema.types:
            return self._array(batch)
        # Whole numbers beyond 2**53 are rounded, as NumPy and pandas round them.
        table = pa.Table.from_batches([batch]).cast(self._schema, safe=False)
        return self._frame(table) if self.is_frame else self._array(table)

    def _chosen(self, as_frame, whole):
        """Whether to make frames, by a schema that no missing value has changed."""
        if as_frame != "auto" and not isinstance(as_frame, bool | np.bool_):
            raise ValueError(
                f"`as_frame` must be True, False or 'auto'. Got {shown(as_frame)}."
            )
        is_numeric = all(map(_is_number, whole.types))
        if as_frame == "auto":
            is_array = is_numeric and len(set(whole.types)) == 1
            return not self._is_vector and not is_array
        if not as_frame and not is_numeric and not self._is_vector:
            odd = [field.name for field in whole if not _is_number(field.type)]
            raise ValueError(
                "`as_frame` must be True or 'auto' for columns that are not numeric. "
                f"Got False with {odd}: name others in `columns`."
            )
        self._is_vector &= not as_frame
        return bool(as_frame)

    def _array(self, table):
        dtypes = [field.type.to_pandas_dtype() for field in self._schema]
        array = np.empty((len(table), len(dtypes)), dtype=np.result_type(*dtypes))
        for i, column in enumerate(table.columns):
            array[:, i] = column.to_numpy(zero_copy_only=False)
        return array

    def _frame(self, table):
        # The metadata of pandas would make an index of some of the columns.
        frame = table.to_pandas(ignore_metadata=True)
        for name in self._gappy:
            # Also where a chunk has them all.
            frame[name] = frame[name].astype(object)
        for name, categories in self.categories.items():
            frame[name] = frame[name].cat.set_categories(categories)
        return frame


def distinct(batches: Iterable, names: list[str]) -> dict[str, list]:
    """All entries of columns of dictionary type, in order of their appearance."""
    found: dict[str, dict] = {name: {} for name in names}
    for batch in batches:
        for name in names:
            entries = batch.column(name).dictionary.to_pylist()
            found[name].update(dict.fromkeys(e for e in entries if e is not None))
    return {name: list(entries) for name, entries in found.items()}


def _as_floats(schema, with_nulls):
    """The schema with floats for decimals, and for whole numbers with nulls."""
    pa = arrow("")
    for i, field in enumerate(schema):
        has_gaps = _is_whole(field.type) and field.name in with_nulls
        if pa.types.is_decimal(field.type) or has_gaps:
            schema = schema.set(i, pa.field(field.name, pa.float64()))
    return schema.remove_metadata()


def _booleans(schema):
    is_boolean = arrow("").types.is_boolean
    return {field.name for field in schema if is_boolean(field.type)}


def _is_whole(kind):
    types = arrow("").types
    return types.is_integer(kind) or types.is_boolean(kind)


def _is_number(kind):
    return _is_whole(kind) or arrow("").types.is_floating(kind)


def _is_dictionary(kind):
    return arrow("").types.is_dictionary(kind)


def _is_vector(kind):
    return arrow("").types.is_fixed_size_list(kind) and _is_number(kind.value_type)


def _vectors(column):
    """A column of vectors of one length as an array of shape (n_rows, length)."""
    if column.null_count:
        raise ValueError(
            "A column of vectors must have a vector in each row. Got a missing one."
        )
    values = column.flatten().to_numpy(zero_copy_only=False)
    return values.reshape(len(column), column.type.list_size)
