"""The rows of a chunked embedding that count, read pass by pass."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from skbadge.embeddings import to_device
from skbadge.embeddings._joined import joined
from skbadge.samplers._norms import check_norms, loses_digits, rounding_mass
from skbadge.utils._chunks import rows_of_chunk


class Survey(NamedTuple):
    """What every pass finds out about the rows: number and squared norms."""

    n_rows: int
    total: float
    greatest: float

    def merge(self, other):
        """That of the rows of both."""
        return Survey(
            self.n_rows + other.n_rows,
            self.total + other.total,
            max(self.greatest, other.greatest),
        )


class ChunkView:
    """The rows of a chunked embedding that count, numbered from 0.

    Every pass checks what it reads: that norms are finite, and that the rows are those
    of the first pass.

    Parameters
    ----------
    embedding : object
        With `shape`, `dtype` and `reduce` as of `Embedding`.

    rows : ndarray of int or None, default=None
        Rows that count, ascending; None for all.

    greatest : float, default=0.0
        Greatest squared norm of rows that the others are compared with.
    """

    def __init__(self, embedding, rows=None, greatest=0.0):
        self.embedding = embedding
        self.rows = rows
        self.greatest = greatest
        n_rows = len(embedding) if rows is None else len(rows)
        self.shape = (n_rows, embedding.shape[1])
        self.dtype = np.dtype(embedding.dtype)
        self.survey = None

    def __len__(self):
        return self.shape[0]

    @property
    def negligible_mass(self):
        """See `rounding_mass`. Known after the first pass."""
        return rounding_mass(self.survey.total, len(self), self.dtype)

    def reduce(self, part, merge):
        """Read all rows once, as `Embedding.reduce` does.

        ``part`` is given a dict as well, empty at first, where it may keep what spares
        it work in later chunks of the same pass and worker.
        """
        pass_ = _Pass(part, self.rows, self.dtype)
        survey, result = self.embedding.reduce(pass_, _Both(merge))
        if self.survey is not None:
            self._check_same(survey)
            return result
        if survey.n_rows != len(self):
            raise ValueError(
                f"The chunks of the pool must hold the {len(self)} rows it was said to "
                f"have. Got {survey.n_rows}."
            )
        self.survey = survey
        if loses_digits(max(survey.greatest, self.greatest), self.dtype):
            self.dtype = np.dtype(np.float64)
            return self.reduce(part, merge)
        return result

    def look(self):
        """Read all rows, unless that was done, for what the survey says."""
        if self.survey is None:
            self.gather(np.empty(0, dtype=np.int64))

    def _check_same(self, survey):
        tolerance = np.sqrt(np.finfo(self.embedding.dtype).eps)
        if survey.n_rows != self.survey.n_rows or not np.isclose(
            survey.total, self.survey.total, rtol=tolerance, atol=0
        ):
            raise ValueError(
                "The chunks of the pool must hold the same rows each time they are "
                f"read. At first these were {self.survey.n_rows} rows, of squared "
                f"norms {self.survey.total:.6g} in all; now {survey.n_rows} rows of "
                f"{survey.total:.6g}. Does something shuffle them, or is the model not "
                "in evaluation mode?"
            )

    def gather(self, rows):
        """The embedding of some rows, distinct and in any order, in main memory."""
        order = np.argsort(rows)
        found, embedding = self.reduce(_Gathered(rows[order]), _both_gathered)
        if not np.array_equal(found, rows[order]):
            raise ValueError("`rows` must hold numbers of rows there are.")
        places = np.empty(len(rows), dtype=np.int64)
        places[order] = np.arange(len(rows))
        return embedding.take(places)


@dataclass
class _Pass:
    """A part that sees the rows that count, and a survey of them."""

    part: Callable
    rows: NDArray | None
    dtype: np.dtype
    memory: dict = field(default_factory=dict)

    def __call__(self, chunk, first):
        check_norms(chunk, "embedding", first)
        if self.rows is not None:
            positions, first = rows_of_chunk(self.rows, first, len(chunk))
            chunk = chunk.take(positions)
        norms_sq = chunk.norms_sq()
        survey = Survey(
            len(chunk), float(norms_sq.sum()), float(norms_sq.max(initial=0.0))
        )
        if self.dtype == np.float64:
            chunk = chunk.astype(np.float64)
        return survey, self.part(chunk, first, self.memory)


@dataclass
class _Both:
    """Merges surveys, and results as a function does."""

    merge: Callable

    def __call__(self, first, second):
        return first[0].merge(second[0]), self.merge(first[1], second[1])


@dataclass
class _Gathered:
    """Those of some rows that are in a chunk, and their numbers."""

    rows: NDArray[np.int64]

    def __call__(self, chunk, first, memory):
        positions, _ = rows_of_chunk(self.rows, first, len(chunk))
        return first + positions, to_device(chunk.take(positions), None)


def _both_gathered(first, second):
    parts = [part for part in (first, second) if len(part[0])]
    if len(parts) < 2:
        return parts[0] if parts else first
    rows = np.concatenate([part[0] for part in parts])
    order = np.argsort(rows)
    return rows[order], joined([part[1] for part in parts]).take(order)
