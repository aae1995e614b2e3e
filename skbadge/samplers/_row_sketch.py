"""The rows of least key among any number of rows, found in chunks and merged."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from skbadge.embeddings import Embedding, to_device
from skbadge.embeddings._joined import joined
from skbadge.utils._ranking import earlier_equals
from skbadge.utils._row_random import log_exponentials, row_random
from skbadge.utils._ties import Ties, equal_floor, rounded


class Outside(NamedTuple):
    """The first of the rows that a sketch leaves out: its order, and its value."""

    key: float = np.inf
    tie: float = np.inf
    value: float = -np.inf


# Where no row is left out.
NOTHING = Outside()

# Logarithm of a number that has room for products.
GREATEST_EDGE = 300.0


@dataclass(frozen=True, eq=False)
class RowSketch:
    """The rows of least key, and what is to be known of all others.

    Merging two sketches is associative and commutative, so that chunks may be gone
    through one by one or by many workers.

    Parameters
    ----------
    size : int
        Rows to keep.

    rows : ndarray of shape (n_kept,)
        Their numbers in the pool, int64.

    keys, ties : ndarray of shape (n_kept,)
        What orders the rows, float64: the key, of equal ones the tie, of equal ones the
        row's number.

    values : ndarray of shape (n_kept,)
        Weight or score of each, float64.

    total : float
        Sum of the values of all rows seen.

    embedding : Embedding of shape (n_kept, n_columns) or None, default=None
        The rows themselves, in main memory.

    groups, quota : ndarray of int of shape (n_kept,) or None, default=None
        The group of each row, and how many of its group to keep at most. None where
        there is no quota.

    contents : ndarray of uint64 of shape (n_kept,) or None, default=None
        Equal for rows of equal content. Of such rows in one group, the second comes
        after the first of all others, the third after the second, and so on. None where
        the content does not matter.

    outside : Outside
        The first row left out, by key and tie. Of no meaning with a quota.
    """

    size: int
    rows: NDArray[np.int64]
    keys: NDArray[np.float64]
    ties: NDArray[np.float64]
    values: NDArray[np.float64]
    total: float
    embedding: Embedding | None = None
    groups: NDArray[np.int64] | None = None
    quota: NDArray[np.int64] | None = None
    contents: NDArray[np.uint64] | None = None
    outside: Outside = NOTHING

    @classmethod
    def of(
        cls,
        size,
        rows,
        keys,
        ties,
        values,
        total=None,
        *,
        embedding=None,
        quotas=None,
        contents=None,
    ):
        """The sketch of some rows.

        ``total`` is the sum of all values, None for that of these. ``embedding`` is a
        pair, of an embedding and the rows' positions there, ``quotas`` one of their
        groups and quotas, and ``contents`` are words for what is in them; or None.
        """
        groups, quota = quotas or (None, None)
        if total is None:
            total = _sum(values)
        everything = cls(
            size, rows, keys, ties, values, total, None, groups, quota, contents
        )
        order = everything._first()
        if embedding is not None:
            whole, positions = embedding
            embedding = to_device(whole.take(positions[order[:size]]), None)
        return everything._kept(order, embedding)

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def is_complete(self) -> bool:
        """Whether no row is left out."""
        return self.outside == NOTHING

    def merge(self, other: "RowSketch") -> "RowSketch":
        """The sketch of the rows of both."""

        def columns(name):
            parts = [getattr(self, name), getattr(other, name)]
            return None if parts[0] is None else np.concatenate(parts)

        both = RowSketch(
            self.size,
            columns("rows"),
            columns("keys"),
            columns("ties"),
            columns("values"),
            self.total + other.total,
            groups=columns("groups"),
            quota=columns("quota"),
            contents=columns("contents"),
            outside=min(self.outside, other.outside),
        )
        order = both._first()
        kept, embedding = order[: self.size], self.embedding
        if embedding is not None and not np.array_equal(kept, np.arange(len(self))):
            embedding = joined([embedding, other.embedding]).take(kept)
        return both._kept(order, embedding)

    def copy_numbers(self, order=slice(None)):
        """For each row how many of its content and group come before it.

        Of the rows in an order, if one is given.
        """
        columns = [self.contents, self.groups]
        return earlier_equals(*[part[order] for part in columns if part is not None])

    def _first(self):
        """Positions of the rows to keep and of the first of the others, in order."""
        near = np.arange(len(self))
        each_counts = self.groups is None and self.contents is None
        if each_counts and len(self) > self.size:
            # Those that come after the greatest of these keys are no one's first.
            edge = np.partition(self.keys, self.size)[self.size]
            near = np.flatnonzero(self.keys <= edge)
        order = near[np.lexsort((self.rows[near], self.ties[near], self.keys[near]))]
        if self.contents is not None:
            order = order[np.argsort(self.copy_numbers(order), kind="stable")]
        if self.groups is not None:
            order = order[earlier_equals(self.groups[order]) < self.quota[order]]
        return order[: self.size + 1]

    def _kept(self, order, embedding):
        outside = self.outside
        if len(order) > self.size:
            last = order[self.size]
            own = Outside(self.keys[last], self.ties[last], self.values[last])
            outside = min(outside, own)
        kept = order[: self.size]
        return RowSketch(
            self.size,
            self.rows[kept],
            self.keys[kept],
            self.ties[kept],
            self.values[kept],
            self.total,
            embedding,
            None if self.groups is None else self.groups[kept],
            None if self.quota is None else self.quota[kept],
            None if self.contents is None else self.contents[kept],
            outside,
        )


def merged(first: RowSketch, second: RowSketch) -> RowSketch:
    """The sketch of the rows of both, as a function."""
    return first.merge(second)


class Sieve:
    """Lets rows through that may be in a sketch, given those that went before.

    It keeps the least keys of the rows that one worker has seen in a pass. Later chunks
    have few rows that come before these, and only those need be looked at closely.
    Nothing else depends on it: who has seen nothing lets all rows through.

    Parameters
    ----------
    size : int
        Rows that the sketch keeps.
    """

    def __init__(self, size):
        self.size = size
        # Replaced as one, for threads may share it.
        self._seen = np.empty(0, dtype=np.int64), np.empty(0), np.inf

    @property
    def edge(self) -> float:
        """What no key of the sketch, nor of the first row outside, is beyond."""
        return self._seen[2]

    def add(self, rows, keys, first, stop):
        """Take note of the rows of a chunk, given where it starts and stops."""
        before, theirs, edge = self._seen
        # A chunk may be read again, by a worker who stands in for another.
        others = (before < first) | (before >= stop)
        rows = np.concatenate([before[others], rows])
        keys = np.concatenate([theirs[others], keys])
        if len(keys) > 2 * self.size:
            edge = np.partition(keys, self.size)[self.size]
            near = keys <= edge
            rows, keys = rows[near], keys[near]
        self._seen = rows, keys, edge


@dataclass(frozen=True)
class Drawn:
    """An order of rows that is a draw without replacement by weight.

    With exponential numbers ``E`` and weights ``w``, the rows in the order of ``E / w``
    are such a draw (the exponential race of Efraimidis and Spirakis, 2006). Keys are
    kept as logarithms. Rows of weight 0 are left out.

    Parameters
    ----------
    seed, stream, number
        What the rows' numbers belong to, see `row_random`.
    """

    seed: int
    stream: str
    number: int = 0

    def sketch(
        self,
        size,
        values,
        first,
        opened,
        *,
        embedding=None,
        quotas=None,
        sieves=None,
    ):
        """The sketch of a chunk's open rows.

        Parameters
        ----------
        size : int
            Rows to keep.

        values : ndarray of shape (n_open,)
            Those of the open rows, float64.

        first : int
            Number of the chunk's first row.

        opened : ndarray of shape (n_open,)
            Positions of the open rows in the chunk.

        embedding, quotas
            The embedding, and groups and quotas, of the open rows, or None.

        sieves : dict or None
            What this worker remembers of the pass, see `Sieve`.
        """
        sieve = _sieve_of(self, size, quotas, sieves)
        # Of each row of the chunk, whether it is open or not.
        n_numbers = int(opened[-1]) + 1 if len(opened) else 0
        uniforms = row_random(self.seed, self.stream, self.number, first, n_numbers)
        if len(opened) < n_numbers:
            uniforms = uniforms[opened]
        near = self._near(values, uniforms, sieve.edge)
        few, numbers = values[near], uniforms[near]
        keys = log_exponentials(numbers) - np.log(few)
        rows = first + opened[near]
        sieve.add(rows, keys, first, first + n_numbers)
        return RowSketch.of(
            size,
            rows,
            keys,
            numbers,
            few,
            _sum(values),
            embedding=None if embedding is None else (embedding, near),
            quotas=None if quotas is None else [part[near] for part in quotas],
        )

    def _near(self, values, uniforms, edge):
        """Positions of weights above 0 whose keys may be up to an edge."""
        if edge > GREATEST_EDGE:
            return np.flatnonzero(values)
        # An exponential number is greater than the uniform one that it is made of.
        near = np.flatnonzero(uniforms <= values * (np.exp(edge) * (1 + 1e-9)))
        return near[values[near] > 0]


@dataclass(frozen=True)
class Greatest:
    """An order of rows by their values, the greatest first, equal ones by `Ties`.

    Parameters
    ----------
    ties : Ties
        Orders rows of equal value.

    dtype, quantum
        When values are equal, see `skbadge.utils._ties.rounded`.
    """

    ties: Ties
    dtype: type | np.dtype = np.float64
    quantum: float = 0.0

    def near(self, size, values):
        """Positions of all values that may be among the first of this order."""
        if len(values) <= size:
            return np.arange(len(values))
        least = np.partition(values, len(values) - size)[len(values) - size]
        return np.flatnonzero(values >= equal_floor(least, self.dtype, self.quantum))

    def sketch(
        self,
        size,
        values,
        first,
        opened,
        *,
        embedding=None,
        quotas=None,
        sieves=None,
    ):
        """The sketch of a chunk's open rows, as that of `Drawn`."""
        sieve = _sieve_of(self, size, quotas, sieves)
        floor = equal_floor(-sieve.edge, self.dtype, self.quantum)
        near = np.flatnonzero(values >= floor)
        rows = first + opened[near]
        keys = -rounded(values[near], self.dtype, self.quantum)
        if len(rows):
            sieve.add(rows, keys, first, int(rows[-1]) + 1)
        return RowSketch.of(
            size,
            rows,
            keys,
            self.ties.keys(rows),
            values[near],
            _sum(values),
            embedding=None if embedding is None else (embedding, near),
            quotas=None if quotas is None else [part[near] for part in quotas],
        )


def _sieve_of(order, size, quotas, sieves):
    """The sieve of an order; one that lets all through where there is no other."""
    # Of two rows of a used up group, the one that comes first may come later.
    if sieves is None or quotas is not None:
        return Sieve(size)
    return sieves.setdefault(order, Sieve(size))


def _sum(values):
    with np.errstate(invalid="ignore"):
        # Scores may be infinite. Then nobody asks for their sum.
        return float(values.sum())


def sketch_size(n, per_pick):
    """Rows to keep in order to pick ``n``."""
    return max(per_pick * n, 512)


def new_seed(rng):
    """A seed for numbers that belong to rows."""
    return int(rng.randint(2**31 - 1))
