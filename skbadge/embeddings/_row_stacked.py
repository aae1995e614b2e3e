"""Embeddings one below the other, such as the chunks of a pool."""

from collections.abc import Sequence
from typing import Self

import numpy as np
from numpy.typing import NDArray

from skbadge.embeddings._base import Embedding
from skbadge.embeddings._dense import projected
from skbadge.embeddings._device import to_device
from skbadge.embeddings._product import row_products
from skbadge.embeddings._random_projection import sketched
from skbadge.embeddings._scaled import scaled
from skbadge.embeddings._stacked import Stack
from skbadge.utils._place import new_array


class RowStackedEmbedding(Stack):
    """Embeddings one below the other, as ``numpy.vstack`` would put them.

    Each part stays where it is, in main memory or on a device, and nothing is copied.
    This is how the chunks of a pool become one embedding.

    Parameters
    ----------
    parts : sequence of Embedding
        At least one, of one kind and with equal numbers of columns. Empty ones are left
        out.

    Raises
    ------
    ValueError
        If there is no part, or kinds or numbers of columns differ.

    Notes
    -----
    It compares to other embeddings of this kind only. Put labelled rows into a stack of
    one part.

    `take` hands positions on to the parts that hold them: with ``P`` parts, the result
    has at most ``P``, in whatever order rows were asked for.

    Examples
    --------
    >>> from skbadge.embeddings import DenseEmbedding, RowStackedEmbedding
    >>> chunks = [DenseEmbedding([[1.0], [2.0]]), DenseEmbedding([[3.0]])]
    >>> RowStackedEmbedding(chunks).to_dense()
    array([[1.],
           [2.],
           [3.]])
    """

    def __init__(self, parts: Sequence[Embedding]):
        parts = tuple(parts)
        # On a device, a kind has another class: compare them in main memory.
        kinds = {
            (type(to_device(part.take(slice(0)), None)).__name__, part.shape[1])
            for part in parts
        }
        if len(kinds) != 1:
            raise ValueError(
                "`parts` must be at least one embedding, all of one kind and with the "
                f"same number of columns. Got {sorted(kinds)}."
            )
        parts = [part for part in parts if len(part)] or parts[:1]
        stops = np.cumsum([len(part) for part in parts])
        starts = stops - [len(part) for part in parts]
        self._hold(parts, [slice(*pair) for pair in zip(starts, stops, strict=True)])

    def _hold(self, parts, places):
        """Keep parts, and at which positions of the whole their rows are."""
        self.parts = tuple(parts)
        # Invariant: slices or arrays that cover ``range(n_rows)`` without overlap.
        self._places = places
        self._n_rows = sum(len(part) for part in parts)
        self._owners = None

    @property
    def shape(self) -> tuple[int, float]:
        """Rows and columns; `math.inf` columns if the parts have as many."""
        return self._n_rows, self.parts[0].shape[1]

    def _gathered(self, function, out):
        """Fill an array with what a function gives for the rows of each part."""
        for part, place in zip(self.parts, self._places, strict=True):
            out[place] = function(part)
        return out

    def _norms_sq(self):
        return self._gathered(lambda part: part.norms_sq(), np.empty(len(self)))

    def _dense(self):
        return self._gathered(
            lambda part: part._dense(), np.empty(self.shape, self.dtype)
        )

    def project(self, directions: NDArray) -> NDArray[np.float64]:
        """Coordinates of the rows along some directions, see `Embedding.project`."""
        coordinates = new_array((len(self), directions.shape[1]), np.float64)
        return self._gathered(lambda part: part.project(directions), coordinates)

    def quadratic_forms(self, matrix: NDArray[np.float64]) -> NDArray[np.float64]:
        """Each row times a square matrix times the row."""
        return self._gathered(
            lambda part: part.quadratic_forms(matrix), np.empty(len(self))
        )

    def column_gram(self) -> NDArray[np.float64]:
        """Inner products of the columns, see `Embedding.column_gram`."""
        return sum(part.column_gram() for part in self.parts)

    def _blocks(self, other):
        """Yield (part, its place, part of the other on the same device, its place)."""
        for part, rows in zip(self.parts, self._places, strict=True):
            for theirs, columns in zip(other.parts, other._places, strict=True):
                yield part, rows, _near(theirs, part), columns

    def cross(self, other: Self) -> NDArray:
        """Inner products with the rows of another stack of such parts."""
        products = np.empty((len(self), len(other)), self.dtype)
        for part, rows, theirs, columns in self._blocks(other):
            products[_grid(rows, columns)] = part.cross(theirs)
        return products

    def sq_dists(self, other: Self) -> NDArray[np.float64]:
        """Squared distances to the rows of another stack of such parts."""
        sq_dists = np.empty((len(self), len(other)))
        for part, rows, theirs, columns in self._blocks(other):
            sq_dists[_grid(rows, columns)] = part.sq_dists(theirs)
        return sq_dists

    def paired_sq_dists(self, other: Self) -> NDArray[np.float64]:
        """Squared distances between rows of equal position."""
        sq_dists = np.empty(len(self))
        positions = np.arange(len(self))
        for part, place in zip(self.parts, self._places, strict=True):
            rows = positions[place]
            for theirs, at, within in other._split(rows):
                some = part.take(at)
                theirs = _near(theirs.take(within), some)
                sq_dists[rows[at]] = some.paired_sq_dists(theirs)
        return sq_dists

    def _nearest(self, other, width):
        nearest = np.zeros(len(self), dtype=np.intp)
        sq_dists = np.full(len(self), np.inf)
        positions = np.arange(len(other))
        for part, rows, theirs, columns in self._blocks(other):
            found, values = part._nearest(theirs, width)
            found = positions[columns][found]
            # Among equally near rows the first one wins, in whichever part it is.
            is_less = values < sq_dists[rows]
            is_less |= (values == sq_dists[rows]) & (found < nearest[rows])
            nearest[rows] = np.where(is_less, found, nearest[rows])
            sq_dists[rows] = np.where(is_less, values, sq_dists[rows])
        return nearest, sq_dists

    def _located(self):
        """For each row the number of the part that holds it, and its position there."""
        if self._owners is None:
            owners = np.empty((2, len(self)), dtype=np.intp)
            pairs = zip(self.parts, self._places, strict=True)
            for i, (part, place) in enumerate(pairs):
                owners[0, place], owners[1, place] = i, np.arange(len(part))
            self._owners = owners
        return self._owners

    def _split(self, rows):
        """Yield (part, which of some rows it holds, their positions there)."""
        owners, within = (numbers[rows] for numbers in self._located())
        order = np.argsort(owners, kind="stable")
        counts = np.bincount(owners, minlength=len(self.parts))
        held = np.split(order, np.cumsum(counts)[:-1])
        for part, at in zip(self.parts, held, strict=True):
            if len(at):
                yield part, _as_slice(at), _as_slice(within[at])

    def _take(self, rows):
        taken = [(part.take(within), at) for part, at, within in self._split(rows)] or [
            (self.parts[0].take(slice(0)), slice(0))
        ]
        parts, places = zip(*taken, strict=True)
        return self._like(parts, places)

    def _cast(self, dtype):
        return self._like([part.astype(dtype) for part in self.parts])

    def _like(self, parts, places=None):
        """Parts of the same kind as these, by default at the same places."""
        stack = object.__new__(RowStackedEmbedding)
        stack._hold(parts, self._places if places is None else places)
        return stack

    def _pair_cost(self):
        return self.parts[0]._pair_cost()


def _near(embedding, other):
    """An embedding where another one is."""
    if embedding.device == other.device:
        return embedding
    return to_device(embedding, other.device)


def _grid(rows, columns):
    """Index of a block of a matrix, given as slices or arrays."""
    if isinstance(rows, slice) or isinstance(columns, slice):
        return rows, columns
    return np.ix_(rows, columns)


def _as_slice(positions):
    """Positions without gaps become a slice, which copies nothing."""
    start, stop = positions[0], positions[0] + len(positions)
    if positions[-1] == stop - 1 and (np.diff(positions) == 1).all():
        return slice(start, stop)
    return positions


@scaled.register
def _(embedding: RowStackedEmbedding, factor):
    return embedding._like([scaled(part, factor) for part in embedding.parts])


@to_device.register
def _(embedding: RowStackedEmbedding, device):
    return embedding._like([to_device(part, device) for part in embedding.parts])


@projected.register
def _(embedding: RowStackedEmbedding, directions):
    return embedding._like([projected(part, directions) for part in embedding.parts])


@row_products.register
def _(first: RowStackedEmbedding, second):
    # Both come from the same rows, and so have the same parts.
    pairs = zip(first.parts, second.parts, strict=True)
    return first._like([row_products(*pair) for pair in pairs])


@sketched.register
def _(embedding: RowStackedEmbedding, n_columns, rng):
    state = rng.get_state()

    def sketched_alike(part):
        # One map for all parts: each draws it anew from the same state.
        rng.set_state(state)
        return sketched(part, n_columns, rng)

    out = new_array((len(embedding), n_columns), embedding.dtype)
    return embedding._gathered(sketched_alike, out)
