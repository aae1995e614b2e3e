"""Pools of Parquet files."""

from collections.abc import Iterable, Iterator
from glob import glob, has_magic
from os import PathLike, fspath
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from skbadge.pools._arrow_columns import AsFrame, Columns, arrow, distinct
from skbadge.pools._chunked_pool import ChunkedPool
from skbadge.pools._from_arrays import CHUNK_NBYTES, CHUNK_ROWS, check_rows_asked_for
from skbadge.pools._partition import Partition
from skbadge.pools._rows import concatenate_rows
from skbadge.utils._fold import tree_fold

# Of a file, what is read ahead of each column. Without buffers, pyarrow reads all of a
# row group at once, whatever the size of a batch.
_BUFFER_NBYTES = 2**18


def from_parquet(
    source: Any,
    *,
    columns: Iterable[str] | None = None,
    id_column: str | None = None,
    batch_rows: int | Literal["auto"] = "auto",
    as_frame: AsFrame = "auto",
) -> ChunkedPool:
    """Make a pool of Parquet files.

    Parameters
    ----------
    source : str, path, list of those, or pyarrow.dataset.Dataset
        A file; a folder, with what its subfolders' names say, as ``year=2024``; a glob,
        whose files are sorted; a list of files, in its order; or a dataset of Parquet
        files without a filter.

    columns : list or other iterable of str, or None, default=None
        What a model gets, in this order; None for all columns but the id column, and an
        index of pandas.

    id_column : str or None, default=None
        Column that identifies rows and is not for a model.

    batch_rows : int or "auto", default="auto"
        Rows a chunk, at most. "auto" takes 65,536 rows, and less if those are more than
        about 16 MiB.

    as_frame : bool or "auto", default="auto"
        Whether chunks are pandas DataFrames, as Pipelines take them; else they are
        arrays of shape (n_rows, n_columns), as nets do. "auto" makes arrays of numbers
        of one dtype, whether or not some are missing, and of a single column of
        vectors of one length.

    Returns
    -------
    pool : ChunkedPool
        Reads a batch at a time. The files' footers are read at once, so that the number
        of rows is known.

    Raises
    ------
    FileNotFoundError
        If there is no such file.

    ValueError
        If a file lacks a column, or has one of another type.

    Notes
    -----
    Missing numbers are NaN: whole numbers of which some are missing become float64,
    which rounds beyond 2**53; decimals always do, and booleans in arrays. In data
    frames, booleans of which some are missing are objects, True, False and None, as
    pandas reads them. Columns of dictionary type
    become categories, equal in all chunks, for which these columns are read once by
    this function.

    Examples
    --------
    >>> import pandas as pd, tempfile
    >>> from skbadge.pools import from_parquet
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     frame = pd.DataFrame({"name": ["p", "q"], "a": [1.0, 2.0], "b": [3.0, 4.0]})
    ...     frame.to_parquet(f"{folder}/pool.parquet")
    ...     pool = from_parquet(f"{folder}/*.parquet", id_column="name")
    ...     print(pool.take([1, 0]).tolist(), pool.ids([1]).tolist())
    [[2.0, 4.0], [1.0, 3.0]] ['q']
    """
    dataset = _dataset(source)
    fragments = list(dataset.get_fragments())
    names = _chosen_names(dataset.schema, columns, id_column)
    wanted = [*names, *([] if id_column is None else [id_column])]
    schema = _common_schema(dataset, fragments, wanted)
    with_nulls = set().union(*(_with_nulls(each, names) for each in fragments))
    chosen = Columns(_selected(schema, names), with_nulls, as_frame)
    if batch_rows == "auto":
        batch_rows = min(CHUNK_ROWS, CHUNK_NBYTES // chosen.row_nbytes()) or 1
    batch_rows = check_rows_asked_for(batch_rows, "batch_rows")
    partitions = [
        _ParquetPartition(fragment, groups, chosen, batch_rows, id_column)
        for fragment in fragments
        for groups in _runs_of_groups(fragment, batch_rows)
    ]
    if coded := chosen.dictionaries():
        batches = (batch for each in partitions for batch in each.batches(coded))
        chosen.categories = distinct(batches, coded)
    plural = "s" if len(fragments) != 1 else ""
    return ChunkedPool(partitions, f"{len(fragments)} Parquet file{plural}")


def _dataset(source):
    """What pyarrow makes of a path, a glob, a list of paths or a dataset."""
    ds = arrow("dataset")
    if isinstance(source, ds.Dataset):
        return source
    if isinstance(source, str | PathLike):
        path = fspath(source)
        if "://" in path:
            return ds.dataset(path, format="parquet", partitioning="hive")
        if Path(path).is_dir():
            return ds.dataset(path, format="parquet", partitioning="hive", **_local())
        # A name is a glob only if it is no file's.
        is_glob = not Path(path).exists() and has_magic(path)
        source = sorted(glob(path, recursive=True)) if is_glob else [path]
        if not source:
            raise FileNotFoundError(f"`source` must match files. Got {path!r}.")
    if not isinstance(source, list | tuple) or not source:
        raise TypeError(
            "`source` must be a path, a glob, a list of paths or a "
            f"pyarrow.dataset.Dataset. Got {source!r}."
        )
    paths = [fspath(path) for path in source]
    if missing := [path for path in paths if not Path(path).is_file()]:
        raise FileNotFoundError(f"`source` must be of files. Got {missing[0]!r}.")
    return ds.dataset(paths, format="parquet", **_local())


def _local():
    # Or else, a name with a colon or a percent sign would be taken for a URI.
    return {"filesystem": arrow("fs").LocalFileSystem()}


def _chosen_names(schema, columns, id_column):
    index = (schema.pandas_metadata or {}).get("index_columns", [])
    if columns is None:
        hidden = [id_column, *(name for name in index if isinstance(name, str))]
        columns = [name for name in schema.names if name not in hidden]
    elif isinstance(columns, str) or not isinstance(columns, Iterable):
        raise TypeError(f"`columns` must be a list of names. Got {columns!r}.")
    columns = list(columns)
    if not columns or len(set(columns)) < len(columns):
        raise ValueError(f"`columns` must be one or more, distinct. Got {columns}.")
    return columns


def _common_schema(dataset, fragments, names):
    """Fields by their names, which all files must have alike."""
    in_paths = {key for each in fragments for key in _keys(each)}
    schema, first = dataset.schema, None
    for fragment in fragments:
        found = fragment.physical_schema
        if missing := [n for n in names if n not in found.names and n not in in_paths]:
            raise ValueError(
                f"`columns` and `id_column` must be in all files. {fragment.path!r} "
                f"lacks {missing}; it has {_few(found.names)}."
            )
        types = {n: found.field(n).type for n in names if n in found.names}
        first = first or (fragment.path, types)
        for name in types:
            if types[name] != first[1].get(name):
                raise ValueError(
                    f"Columns must be of the same type in all files. {name!r} is "
                    f"{types[name]} in {fragment.path!r} and "
                    f"{first[1].get(name)} in {first[0]!r}."
                )
    if missing := [name for name in names if name not in schema.names]:
        raise ValueError(
            f"`columns` and `id_column` must be in the files. Got {missing}; there are "
            f"{_few(schema.names)}."
        )
    for name, kind in (first[1] if first else {}).items():
        field = schema.field(name).with_type(kind)
        schema = schema.set(schema.names.index(name), field)
    return schema


def _selected(schema, names):
    return arrow("").schema([schema.field(name) for name in names])


def _few(names):
    return names if len(names) <= 20 else [*names[:20], "..."]


def _keys(fragment):
    """What the names of a file's folders say."""
    return arrow("dataset").get_partition_keys(fragment.partition_expression)


def _with_nulls(fragment, names):
    """Columns of a file in which the footer says that values are missing."""
    found = set()
    for group in range(fragment.metadata.num_row_groups):
        described = fragment.metadata.row_group(group)
        for i in range(described.num_columns):
            column = described.column(i)
            # Those that the footer says nothing of are believed to be whole.
            statistics = column.statistics
            if statistics is not None and statistics.null_count:
                found.add(column.path_in_schema)
    return found.intersection(names)


def _runs_of_groups(fragment, n_rows):
    """Row groups of a file that lie next to each other, of so many rows together."""
    runs: list = []
    for group in fragment.row_groups:
        if not runs or sum(each.num_rows for each in runs[-1]) >= n_rows:
            runs.append([])
        runs[-1].append(group)
    return runs


class _ParquetPartition(Partition):
    """Row groups of one file that lie next to each other."""

    is_uniform = True
    reads_ids = False

    def __init__(self, fragment, groups, columns, batch_rows, id_column):
        super().__init__(sum(group.num_rows for group in groups), id_column)
        self._place = fragment.path, fragment.filesystem
        self._groups = [(group.id, group.num_rows) for group in groups]
        self._keys = _keys(fragment)
        self._columns = columns
        self._batch_rows = batch_rows

    def read(self) -> Iterator[Any]:
        """One batch of rows at a time."""
        for batch in self.batches(self._columns.names):
            yield self._columns.container(batch)

    def take(self, rows: NDArray[np.int64]) -> Any:
        """Rows out of the row groups that hold them."""
        taken = self._taken(self._columns.names, rows)
        parts = (self._columns.container(batch) for batch in taken)
        return tree_fold(parts, concatenate_rows)

    def column(self, name: str, rows: NDArray[np.int64] | None) -> NDArray:
        """Entries of one of the file's columns, which is all that is read."""
        batches = self.batches([name]) if rows is None else self._taken([name], rows)
        columns = [batch.column(0).to_numpy(zero_copy_only=False) for batch in batches]
        return np.concatenate(columns) if columns else np.empty(0)

    def batches(self, names, groups=None):
        """Record batches of some columns, of all row groups or some."""
        path, filesystem = self._place
        file = arrow("parquet").ParquetFile(
            path, filesystem=filesystem, buffer_size=_BUFFER_NBYTES, pre_buffer=False
        )
        with file:
            if missing := set(names) - set(file.schema_arrow.names) - set(self._keys):
                raise ValueError(f"{path!r} has no column {missing.pop()!r}.")
            stored = [name for name in names if name not in self._keys]
            if groups is None:
                groups = [group for group, _ in self._groups]
            for batch in file.iter_batches(self._batch_rows, groups, stored):
                yield self._with_keys(batch, names)

    def _with_keys(self, batch, names):
        """A batch with its columns in order, and those that stand in the path."""
        pa = arrow("")
        columns = [
            pa.repeat(self._keys[name], batch.num_rows)
            if name in self._keys
            else batch.column(name)
            for name in names
        ]
        return pa.RecordBatch.from_arrays(columns, names=names)

    def _taken(self, names, rows):
        """Batches of just these rows."""
        ends = np.cumsum([size for _, size in self._groups])
        hit = np.unique(np.searchsorted(ends, rows, side="right"))
        for i in hit:
            group, size = self._groups[i]
            start = ends[i] - size
            for batch in self.batches(names, [group]):
                inside = (rows >= start) & (rows < start + batch.num_rows)
                if inside.any():
                    yield batch.take(arrow("").array(rows[inside] - start))
                start += batch.num_rows
