"""What a model says about a pool that is read in chunks, anew in each pass."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from operator import add
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from skbadge.embeddings import DenseEmbedding, Embedding, RowStackedEmbedding
from skbadge.outputs._outputs import ROW_FIELDS, Outputs, with_norms
from skbadge.pools import ChunkedPool, n_rows, take_rows
from skbadge.pools._engines import reduce_partitions
from skbadge.utils._chunks import rows_of_chunk
from skbadge.utils._place import new_array
from skbadge.utils._row_errors import rows_among
from skbadge.utils._under_way import under_way

# Rows that are looked at ahead, for widths and dtypes.
FIRST_ROWS = 64


class ChunkedOutputs:
    """The outputs of a model for a pool in chunks, of which none is kept.

    Parameters
    ----------
    pool : ChunkedPool
        The rows.

    read : callable
        From the container of a chunk to its `Outputs`. It holds the model, is picklable
        and goes once to each worker.

    engine : as `open_engine` returns, entered
        Who reads.

    Attributes
    ----------
    n_passes : int
        How often the pool has been read as a whole.

    targets : Outputs or None
        As in `Outputs`.
    """

    def __init__(self, pool: ChunkedPool, read: Callable, engine: Any):
        self.pool = pool
        self.read = read
        self.engine = engine
        self.n_passes = 0
        self.targets: Outputs | None = None
        self._shared = engine.share(read)

    def __len__(self) -> int:
        return len(self.pool)

    @cached_property
    def first_rows(self) -> Outputs:
        """Those of the first few rows."""
        return self.read(self.pool.first(FIRST_ROWS))

    @property
    def device(self) -> str | None:
        """Where strategies form products."""
        return self.first_rows.device

    @property
    def identify(self) -> Callable[[NDArray], list[str]] | None:
        """From positions to identities of rows, see `Outputs`; None if not asked for.

        Rows are read anew. A chunk's outputs identify the rows of the chunk.
        """
        return None if self.first_rows.identify is None else self._identified

    def _identified(self, rows):
        return self.take(rows).identify(np.arange(len(rows)))

    @property
    def nbytes(self) -> int:
        """Bytes of all outputs, if they were kept."""
        return -(-self.first_rows.nbytes * len(self) // len(self.first_rows))

    def reduce(self, part: Callable, merge: Callable) -> Any:
        """Combine what a function finds in the outputs of chunks, in one pass.

        Parameters
        ----------
        part : callable
            Takes `Outputs` and the position of their first row. Picklable.

        merge : callable
            Makes one result of two, the first of earlier rows. Associative, picklable.

        Returns
        -------
        result : object
            That of all rows.
        """
        return self._reduce(_OfOutputs(part), merge)

    def _reduce(self, part, merge):
        self.n_passes += 1
        return reduce_partitions(
            self.pool,
            part,
            merge,
            self.engine,
            shared=self._shared,
            progress=self._teller(),
        )

    def take(self, rows: NDArray) -> Outputs:
        """Outputs of some rows, read now; ``rows`` are their positions."""
        with rows_among(rows):
            return self.read(self.pool.take(rows))

    def gathered(self, rows: NDArray) -> Outputs:
        """Outputs of many rows, in one pass by all workers.

        Parameters
        ----------
        rows : ndarray of int of shape (n_rows,)
            Their positions, ascending, one at least. The model is read on no others.
        """
        return joined_outputs(self._reduce(_OfSome(rows), add))

    def embedded(self, embed: Callable[[Outputs], Embedding]) -> "ChunkedEmbedding":
        """The embedding of all rows, chunk by chunk; ``embed`` is picklable."""
        return ChunkedEmbedding(self, embed)

    def collected(self) -> Outputs:
        """All outputs, read in one pass and put into the place in use."""
        self.n_passes += 1
        collection, tell = _Collection(len(self)), self._teller()
        for first, chunk in self.pool.chunks():
            with rows_among(first):
                outputs = self.read(chunk)
            collection.add(first, outputs)
            tell(len(outputs))
        return replace(collection.finish(), targets=self.targets)

    def _teller(self):
        """What is told how many more rows were read in this pass."""
        text, n_read = "{:,} of {:,} rows read in pass {}", 0

        def tell(n_more):
            nonlocal n_read
            n_read += n_more
            under_way(text, n_read, len(self), self.n_passes)

        return tell


class ChunkedEmbedding:
    """An embedding that comes in chunks, of which samplers ask `reduce` alone.

    Parameters
    ----------
    outputs : ChunkedOutputs
        Of the rows.

    embed : callable
        From `Outputs` to an `Embedding` with as many rows. Picklable.
    """

    def __init__(self, outputs: ChunkedOutputs, embed: Callable[[Outputs], Embedding]):
        self.outputs = outputs
        self.embed = embed
        first_rows = embed(outputs.first_rows)
        self.shape = len(outputs), first_rows.shape[1]
        self.dtype = first_rows.dtype

    def __len__(self) -> int:
        return len(self.outputs)

    def reduce(self, part: Callable, merge: Callable) -> Any:
        """Combine what a function finds in the chunks, see `Embedding.reduce`."""
        return self.outputs.reduce(_OfEmbedding(part, self.embed), merge)


@dataclass
class _OfOutputs:
    """What a part finds in the outputs of a chunk, which are read first."""

    part: Callable

    def __call__(self, read, chunk, first):
        with rows_among(first):
            outputs = read(chunk)
        return self.part(outputs, first)


@dataclass
class _OfSome:
    """The outputs of those of some rows that are in a chunk: a list of one, or none."""

    rows: NDArray

    def __call__(self, read, chunk, first):
        positions, _ = rows_of_chunk(self.rows, first, n_rows(chunk))
        if not len(positions):
            return []
        with rows_among(first + positions):
            return [read(take_rows(chunk, positions))]


@dataclass
class _OfEmbedding:
    """What a part finds in the embedding of a chunk."""

    part: Callable
    embed: Callable

    def __call__(self, outputs, first):
        with rows_among(first):
            embedding = self.embed(outputs)
        return self.part(embedding, first)


def joined_outputs(parts: list[Outputs]) -> Outputs:
    """The outputs of rows that follow each other, in one place."""
    collection, start = _Collection(sum(map(len, parts))), 0
    for part in parts:
        collection.add(start, part)
        start += len(part)
    return collection.finish()


class _Collection:
    """Outputs of all rows, filled chunk by chunk."""

    def __init__(self, n_rows):
        self.n_rows = n_rows
        self.arrays = {}
        self.sparse = {}
        self.embeddings = []
        self.first = None

    def add(self, start, outputs):
        """Keep the outputs of the rows from ``start`` on."""
        self.first = outputs if self.first is None else self.first
        stop = start + len(outputs)
        for name in ROW_FIELDS:
            rows = getattr(outputs, name)
            if isinstance(rows, DenseEmbedding):
                rows = rows.matrix
            if isinstance(rows, Embedding):
                self.embeddings.append(rows)
            elif sparse.issparse(rows):
                self.sparse.setdefault(name, []).append(rows)
            elif rows is not None:
                room = self._room(name, (self.n_rows, *rows.shape[1:]), rows)
                room[start:stop] = rows
        if outputs.embedded_features is not None:
            norms_sq = outputs.embedded_features.norms_sq()
            self._room("norms_sq", (self.n_rows,), norms_sq)[start:stop] = norms_sq
        posterior = outputs.posterior
        if posterior is not None:
            shape = len(posterior), self.n_rows, posterior.shape[2]
            self._room("posterior", shape, posterior)[:, start:stop] = posterior

    def _room(self, name, shape, like):
        if name not in self.arrays:
            self.arrays[name] = new_array(shape, like.dtype)
        return self.arrays[name]

    def finish(self):
        """All that was kept."""
        fields = dict(self.arrays)
        norms_sq = fields.pop("norms_sq", None)
        if norms_sq is not None:
            fields["embedded_features"] = with_norms(fields["features"], norms_sq)
        for name, parts in self.sparse.items():
            fields[name] = sparse.vstack(parts, format="csr")
        if self.embeddings:
            fields["gradients"] = RowStackedEmbedding(self.embeddings)
        elif "gradients" in fields:
            fields["gradients"] = DenseEmbedding(fields["gradients"])
        return Outputs(
            **fields,
            n_rows=self.n_rows,
            one_logit=self.first.one_logit,
            feature_factors=self.first.feature_factors,
            device=self.first.device,
            scaling=self.first.scaling,
            head=self.first.head,
            temperature=self.first.temperature,
            is_checked=self.first.is_checked,
        )
