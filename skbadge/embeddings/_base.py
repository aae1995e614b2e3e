"""The implicit matrix every sampler works on."""

from abc import abstractmethod
from collections.abc import Callable, Iterator
from functools import reduce
from math import isinf
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import DTypeLike, NDArray

from skbadge.embeddings._arrays import mirror
from skbadge.embeddings._nearest import least, least_in_blocks
from skbadge.utils._chunks import row_chunks
from skbadge.utils._held_bytes import Holder
from skbadge.utils._place import new_array

# So many products are faster as matrix-vector products than as one of matrices.
FEW_COLUMNS = 3


class Embedding(Holder):
    """An implicit ``(n_rows, n_columns)`` matrix that knows its inner products.

    Samplers ask an embedding for squared norms, inner products and rows, never for its
    entries, so that a matrix with millions of columns costs no more than its factors.
    A subclass provides six primitives (`_norms_sq`, `cross`, `_take`, `_cast`,
    `_dense` and `paired_sq_dists`), `shape`, `dtype` and `_arrays`. The rest is
    derived here. Embeddings are immutable: squared norms are computed once and kept.

    Distances are combined in float64 and clipped at 0. Where the expansion
    ``|x|^2 + |y|^2 - 2<x, y>`` has lost its digits to cancellation, a pair is computed
    again from differences, so that equal rows are at distance exactly 0.

    Four functions know what to do with any kind and may be registered for a new one,
    as `functools.singledispatch` does it: `to_device`, ``_scaled.scaled``,
    ``_random_projection.sketched`` and ``_joined.below``.
    """

    _cached_norms_sq: NDArray[np.float64] | None = None

    @property
    @abstractmethod
    def shape(self) -> tuple[int, float]:
        """Rows and columns, a pair of ints; `math.inf` columns for a kernel only."""

    @property
    @abstractmethod
    def dtype(self) -> np.dtype:
        """Floating dtype of the bulk products."""

    @property
    def device(self) -> torch.device | None:
        """Device of torch's that holds the rows; None is main memory."""
        return None

    @abstractmethod
    def _norms_sq(self):
        """Squared norms of the rows, float64 of shape (n_rows,)."""

    @abstractmethod
    def cross(self, other: Self) -> NDArray:
        """Inner products with the rows of another embedding of the same kind.

        Parameters
        ----------
        other : Embedding
            Same kind, same number of columns.

        Returns
        -------
        products : ndarray of shape (n_rows, n_rows_of_other)
            In `dtype`.
        """

    def bounding_products(self, other: Self, *, from_below: bool = False) -> NDArray:
        """Numbers no less than the inner products, and equal but for rounding.

        Where float32 is faster, they are formed in it, and what it may have lost is
        added, but for 1e-6 of the number itself and what underflows. By default
        these are the inner products in float64.

        Parameters
        ----------
        other : Embedding
            As for `cross`.

        from_below : bool, default=False
            Whether they are to be no more instead.

        Returns
        -------
        bounds : ndarray of shape (n_rows, n_rows_of_other)
            Floating.
        """
        return self.astype(np.float64).cross(other.astype(np.float64))

    @abstractmethod
    def _take(self, rows):
        """Embedding of some rows, cached norms left aside."""

    @abstractmethod
    def _cast(self, dtype):
        """Embedding of the same rows with factors of another dtype."""

    @abstractmethod
    def _dense(self):
        """The matrix itself."""

    @abstractmethod
    def paired_sq_dists(self, other: Self) -> NDArray[np.float64]:
        """Squared distances between rows of equal position, free of cancellation.

        Parameters
        ----------
        other : Embedding
            Same kind and same shape.

        Returns
        -------
        sq_dists : ndarray of shape (n_rows,)
            float64.
        """

    def __len__(self) -> int:
        return self.shape[0]

    def __repr__(self) -> str:
        n_rows, n_columns = self.shape
        return f"{type(self).__name__}(shape=({n_rows}, {n_columns}))"

    def norms_sq(self) -> NDArray[np.float64]:
        """Squared norms of the rows, float64 of shape (n_rows,). Do not modify.

        Returns
        -------
        norms_sq : ndarray of shape (n_rows,)
            In float64.
        """
        if self._cached_norms_sq is None:
            self._cached_norms_sq = self._norms_sq()
        return self._cached_norms_sq

    def take(self, rows: slice | NDArray[np.integer]) -> Self:
        """Embedding of some rows.

        Parameters
        ----------
        rows : slice, or ndarray of int
            Which rows, in which order. A slice copies nothing.

        Returns
        -------
        embedding : Embedding
            Of the same kind.
        """
        part = self._take(rows)
        if self._cached_norms_sq is not None:
            part._cached_norms_sq = self._cached_norms_sq[rows]
        return part

    def astype(self, dtype: DTypeLike) -> Self:
        """The same embedding, with bulk products in another dtype.

        Parameters
        ----------
        dtype : {numpy.float32, numpy.float64}
            The dtype.

        Returns
        -------
        embedding : Embedding
            Itself, if it has that dtype already.
        """
        if self.dtype == dtype:
            return self
        cast = self._cast(dtype)
        cast._cached_norms_sq = self._cached_norms_sq
        return cast

    def reduce(
        self,
        part: Callable[[Self, int], Any],
        merge: Callable[[Any, Any], Any],
    ) -> Any:
        """Combine what a function finds in blocks of rows.

        The one thing that an embedding which comes in chunks can do as well.

        Parameters
        ----------
        part : callable
            Takes the embedding of some rows that follow each other, and the position of
            the first.

        merge : callable
            Makes one result of two, the first of earlier rows. Associative.

        Returns
        -------
        result : object
            That of all rows.
        """
        blocks = row_chunks(len(self), sum(self._pair_cost()), budget=2**22)
        # Nothing at all is one block as well.
        blocks = list(blocks) or [slice(0, 0)]
        return reduce(merge, (part(self.take(rows), rows.start) for rows in blocks))

    def to_dense(self, max_bytes: float = 2**30) -> NDArray:
        """Materialise the matrix, for tests and small problems.

        Parameters
        ----------
        max_bytes : int, default=2**30
            Size above which to refuse.

        Returns
        -------
        dense : ndarray of shape (n_rows, n_columns)
            In `dtype`.

        Raises
        ------
        ValueError
            If the matrix would take more than ``max_bytes``, or has infinitely many
            columns.
        """
        n_bytes = len(self) * self._require_columns() * self.dtype.itemsize
        if n_bytes > max_bytes:
            raise ValueError(
                f"The dense form of {self!r} takes {n_bytes / 1e9:.3g} GB, above "
                f"`max_bytes`={max_bytes / 1e9:.3g} GB. Samplers do not need it. Raise "
                "`max_bytes` if you do."
            )
        return self._dense()

    def _require_columns(self) -> int:
        """The number of columns. Raises if there are none to form, only products."""
        if isinf(self.shape[1]):
            raise ValueError(
                f"{self!r} is known by the inner products of its rows only. It has no "
                "columns to form, to project or to sketch. Use a method that needs "
                "inner products only, or an embedding with finitely many columns: "
                "where the model has many, TruncatedSVD in a Pipeline before it leaves "
                "few."
            )
        return int(self.shape[1])

    def _dense_blocks(self) -> Iterator[tuple[slice, NDArray[np.float64]]]:
        """Yield (rows, their matrix in float64) in blocks of bounded size."""
        n_rows, n_columns = self.shape
        for rows in row_chunks(n_rows, n_columns, minimum=256):
            yield rows, self.take(rows).astype(np.float64)._dense()

    def column_gram(self) -> NDArray[np.float64]:
        """Inner products of the columns: with ``E`` the matrix, ``E.T @ E``.

        The matrix is formed a block of rows at a time and never held as a whole.

        Returns
        -------
        gram : ndarray of shape (n_columns, n_columns)
            float64, symmetric.
        """
        n_columns = self._require_columns()
        gram = np.zeros((n_columns, n_columns))
        for _, block in self._dense_blocks():
            # The upper triangle, some lines at a time.
            for start in range(0, n_columns, 128):
                own, rest = slice(start, start + 128), slice(start, None)
                gram[own, rest] += block[:, own].T @ block[:, rest]
        mirror(gram)
        return gram

    def project(self, directions: NDArray) -> NDArray[np.float64]:
        """Coordinates of the rows along some directions: ``E @ directions``.

        The matrix is formed a block of rows at a time and never held as a whole.

        Parameters
        ----------
        directions : ndarray of shape (n_columns, n_directions)
            One direction in each column.

        Returns
        -------
        coordinates : ndarray of shape (n_rows, n_directions)
            float64.
        """
        self._require_columns()
        coordinates = new_array((len(self), directions.shape[1]), np.float64)
        for rows, block in self._dense_blocks():
            np.matmul(block, directions, out=coordinates[rows])
        return coordinates

    def quadratic_forms(self, matrix: NDArray[np.float64]) -> NDArray[np.float64]:
        """Each row times a square matrix times the row.

        The rows are formed a block at a time and never held as a whole.

        Parameters
        ----------
        matrix : ndarray of shape (n_columns, n_columns)
            float64.

        Returns
        -------
        forms : ndarray of shape (n_rows,)
            float64.
        """
        self._require_columns()
        forms = np.empty(len(self))
        for rows, block in self._dense_blocks():
            np.einsum("nd,nd->n", block @ matrix, block, out=forms[rows])
        return forms

    @property
    def _cancellation(self):
        """Share of ``|x|^2 + |y|^2`` below which an expanded distance is noise."""
        return 64 * float(np.finfo(self.dtype).eps)

    def sq_dists(self, other: Self) -> NDArray[np.float64]:
        """Squared distances to the rows of another embedding of the same kind.

        Parameters
        ----------
        other : Embedding
            Same kind, same number of columns.

        Returns
        -------
        sq_dists : ndarray of shape (n_rows, n_rows_of_other)
            float64, non-negative.
        """
        scale = self.norms_sq()[:, None] + other.norms_sq()
        sq_dists = np.multiply(self.cross(other), -2.0, dtype=np.float64)
        # |x|^2 + |y|^2 - 2<x, y>, and again where that is noise.
        sq_dists += scale
        scale *= self._cancellation
        left, right = np.nonzero(sq_dists <= scale)
        for block in row_chunks(len(left), sum(self._pair_cost())):
            pairs = left[block], right[block]
            exact = self.take(pairs[0]).paired_sq_dists(other.take(pairs[1]))
            sq_dists[pairs] = exact
        return sq_dists

    def _pair_cost(self):
        """Numbers held for one row, by factor."""
        return (self.shape[1],)

    def min_sq_dists(
        self, other: Self, dtype: DTypeLike | None = None
    ) -> NDArray[np.float64]:
        """Squared distance of each row to the nearest row of another embedding.

        The ``(n_rows, n_rows_of_other)`` matrix is formed in blocks of bounded size.

        Parameters
        ----------
        other : Embedding
            Same kind, same number of columns, at least one row.

        dtype : numpy dtype or None, default=None
            Dtype of the bulk products, by default the embedding's own. A block at a
            time is cast.

        Returns
        -------
        sq_dists : ndarray of shape (n_rows,)
            float64, non-negative.
        """
        return self.nearest(other, dtype)[1]

    def nearest(
        self, other: Self, dtype: DTypeLike | None = None
    ) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
        """For each row the nearest row of another embedding, in blocks of bounded size.

        Parameters
        ----------
        other, dtype
            As for `min_sq_dists`.

        Returns
        -------
        nearest : ndarray of shape (n_rows,)
            intp positions in ``other``. Among equally near rows, the first one wins.

        sq_dists : ndarray of shape (n_rows,)
            float64 squared distances, non-negative.
        """
        nearest = np.empty(len(self), dtype=np.intp)
        sq_dists = np.empty(len(self))
        dtype = np.dtype(dtype or self.dtype)
        width = cost = min(len(other), 1024)
        own_cost = sum(self._pair_cost())
        if len(other) <= FEW_COLUMNS:
            # Rows that stay in cache until they have met all of them.
            width, cost = 1, 1 + own_cost // 4
        if dtype != self.dtype:
            cost = width + own_cost
        other = other.astype(dtype)
        for rows in row_chunks(len(self), cost):
            part = self.take(rows).astype(dtype)
            nearest[rows], sq_dists[rows] = part._nearest(other, width)
        return nearest, sq_dists

    def _nearest(self, other, width):
        """`nearest` for few enough rows, looking at ``width`` of the others at once."""
        nearest, sq_dists = least_in_blocks(self._nearest_by_products, other, width)
        norms_sq = self.norms_sq()
        sq_dists += norms_sq
        # A pair this close has norms that agree to a part in a thousand, so that
        # twice the own norm stands for the sum of both.
        doubtful = np.flatnonzero(sq_dists <= 2.1 * self._cancellation * norms_sq)
        for block in row_chunks(len(doubtful), len(other), minimum=1):
            rows = doubtful[block]
            exact = self.take(rows).sq_dists(other)
            nearest[rows] = exact.argmin(axis=1)
            sq_dists[rows] = exact.min(axis=1)
        return nearest, sq_dists

    def _nearest_by_products(self, other):
        """Where |c|^2 - 2<x, c> is least, and so |x - c|^2, and this value."""
        block = np.multiply(self.cross(other), -2.0, dtype=np.float64)
        block += other.norms_sq()
        return least(block)
