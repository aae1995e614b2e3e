"""A large symmetric matrix that changes by products of few columns."""

import numpy as np

from skbadge.utils._chunks import row_chunks
from skbadge.utils._threads import in_threads, small_products


class ChangingMatrix:
    """A symmetric matrix to which ``sign * columns @ columns.T`` is added repeatedly.

    The columns are kept, up to a quarter as many as the matrix has, and added all at
    once: to go through the matrix each time takes longer than the product.

    Parameters
    ----------
    matrix : ndarray of shape (n, n)
        float64, symmetric. Kept, and changed in place.
    """

    def __init__(self, matrix):
        self._matrix = matrix
        self._n_waiting = 0
        # Columns that wait, as lines, and their signs.
        self._lines, self._signs = np.empty((len(matrix) // 4, len(matrix))), []

    def add(self, sign, columns):
        """Add ``sign * columns @ columns.T``."""
        n_columns = columns.shape[1]
        if self._n_waiting + n_columns > len(self._lines):
            self.settled()
        if n_columns > len(self._lines):
            self._add(sign * columns, columns.T)
            return
        self._lines[self._n_waiting : self._n_waiting + n_columns] = columns.T
        self._n_waiting += n_columns
        self._signs += [sign] * n_columns

    def times(self, columns):
        """The matrix times some columns."""
        lines = self._lines[: self._n_waiting]
        with small_products(self._matrix.size):
            product = self._matrix @ columns
            product += lines.T @ (np.array(self._signs)[:, None] * (lines @ columns))
        return product

    def settled(self):
        """The matrix itself."""
        lines = self._lines[: self._n_waiting]
        if self._n_waiting:
            self._add(lines.T * self._signs, lines)
        self._n_waiting, self._signs = 0, []
        return self._matrix

    def _add(self, left, right):
        def add(rows):
            self._matrix[rows] += left[rows] @ right

        blocks = row_chunks(len(left), len(left), budget=2**17, minimum=64)
        in_threads(add, blocks, left.size * len(left))
