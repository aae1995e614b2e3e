"""What is remembered of a chunk: how its rows are laid out, and a digest of them."""

from hashlib import blake2b
from itertools import zip_longest
from typing import NamedTuple

import numpy as np
import torch
from scipy import sparse

from skbadge.pools._identity import row_bytes
from skbadge.pools._inputs import column_dtypes, named_parts
from skbadge.pools._kinds import kind_of
from skbadge.pools._rows import n_rows

_N_ROWS_HASHED = 16


class Mark(NamedTuple):
    """What a chunk is known by when it is read again."""

    n_rows: int
    digest: str


def mark_of(chunk):
    """Number of rows and digest of a chunk.

    The digest is of all numbers, whatever their order, and of a few whole rows. It
    costs about one read of the memory that the chunk takes.
    """
    size = n_rows(chunk)
    digest = blake2b(digest_size=8)
    if size:
        few = np.unique(np.linspace(0, size - 1, _N_ROWS_HASHED).astype(np.int64))
        for row in row_bytes(chunk, few):
            digest.update(row)
    for _, part in named_parts(chunk, ""):
        for numbers in _numbers_in(part):
            digest.update(_sum_of_words(numbers).tobytes())
    return Mark(size, digest.hexdigest())


def _numbers_in(part):
    """The arrays of numbers that can be had of a container without a copy."""
    kind = kind_of(part)
    if kind == "sparse":
        arrays = [part.tocsr().data]
    elif kind == "pandas":
        frame = part if hasattr(part, "columns") else part.to_frame()
        columns = [frame.iloc[:, i] for i in range(frame.shape[1])]
        codes = [c.cat.codes if hasattr(c, "cat") else c for c in columns]
        arrays = [c.to_numpy() for c in codes if isinstance(c.dtype, np.dtype)]
    elif isinstance(part, torch.Tensor):
        arrays = [part.detach().cpu().contiguous().view(torch.uint8).numpy()]
    else:
        arrays = [part] if isinstance(part, np.ndarray) else []
    return [array for array in arrays if array.dtype.kind in "biufcmM"]


def _sum_of_words(array):
    """Sum of an array's bytes, taken as numbers of 64 bits, modulo 2^64."""
    bits = array.T if array.flags.f_contiguous else array
    bits = np.ascontiguousarray(bits).reshape(-1).view(np.uint8)
    whole = len(bits) // 8 * 8
    words = bits[:whole].view(np.uint64)
    return words.sum(dtype=np.uint64) + bits[whole:].sum(dtype=np.uint64)


def layout_of(chunk):
    """How rows are laid out: what must be the same in all chunks.

    Returns
    -------
    layout : list of (str, object)
        Name and type of each part, of each column of a data frame.
    """
    layout = []
    for name, part in named_parts(chunk, "chunk"):
        if kind_of(part) in ("pandas", "polars"):
            layout += column_dtypes(part)
        else:
            layout.append((name, _type_of(part)))
    return layout


def _type_of(part):
    kind = kind_of(part)
    if kind in ("list", "torch dataset"):
        return kind
    # Of a sparse matrix in any format.
    array = part if kind in ("sparse", "tensor") else np.asarray(part)
    dtype = getattr(array.dtype, "kind", array.dtype)
    text = "text" if dtype in ("U", "S") else array.dtype
    shape = ", ".join(["n_rows", *map(str, array.shape[1:])])
    name = "sparse matrix" if sparse.issparse(array) else kind
    return f"{name} of shape ({shape}), {text}"


def layout_difference(expected, found):
    """Say how a layout differs from that of the first chunk; None if it does not."""
    if expected == found:
        return None
    names, others = ([name for name, _ in layout] for layout in (expected, found))
    if names != others:
        kind = "columns" if set(names) != set(others) else "order of columns"
        return f"has the {kind} {_few(others)}, the first chunk {_few(names)}"
    return "; ".join(
        f"has {_shown(name, second)}, the first chunk {_shown(name, first)}"
        for (name, first), (_, second) in zip_longest(expected, found)
        if first != second
    )


def _shown(name, kind):
    return f"{kind!r} in {name!r}" if not isinstance(kind, str) else kind


def _few(names):
    return names if len(names) <= 20 else [*names[:20], "..."]
