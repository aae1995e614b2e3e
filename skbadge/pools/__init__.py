"""Rows of anything a model may take: count them, take some, put them together."""

from skbadge.pools._chunked_pool import ChunkedPool
from skbadge.pools._data_copies import copy_data
from skbadge.pools._equality import row_codes, rows_among
from skbadge.pools._from_arrays import from_arrays
from skbadge.pools._from_chunks import from_chunks
from skbadge.pools._from_dask import as_pool, from_dask
from skbadge.pools._from_parquet import from_parquet
from skbadge.pools._identity import row_ids
from skbadge.pools._inputs import (
    check_masked_parts,
    column_dtypes,
    frame_to_array,
    frame_to_arrays,
    is_sliceable,
    map_parts,
    named_parts,
    not_numeric,
    parts_of,
    read_inputs,
    row_nbytes,
    takes_columns,
)
from skbadge.pools._kinds import (
    Inputs,
    is_dataset,
    is_frame,
    is_several,
    is_table,
    is_tensor,
    kind_of,
)
from skbadge.pools._numbers import array_of, objects_of
from skbadge.pools._rows import (
    concatenate_rows,
    copy_rows,
    first_rows,
    n_rows,
    slice_rows,
    take_rows,
)

__all__ = [
    "ChunkedPool",
    "Inputs",
    "array_of",
    "as_pool",
    "check_masked_parts",
    "column_dtypes",
    "concatenate_rows",
    "copy_data",
    "copy_rows",
    "first_rows",
    "frame_to_array",
    "frame_to_arrays",
    "from_arrays",
    "from_chunks",
    "from_dask",
    "from_parquet",
    "is_dataset",
    "is_frame",
    "is_several",
    "is_sliceable",
    "is_table",
    "is_tensor",
    "kind_of",
    "map_parts",
    "n_rows",
    "named_parts",
    "not_numeric",
    "objects_of",
    "parts_of",
    "read_inputs",
    "row_codes",
    "row_ids",
    "row_nbytes",
    "rows_among",
    "slice_rows",
    "take_rows",
    "takes_columns",
]
