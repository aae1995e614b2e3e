"""Leaf memberships: in which leaf of each tree of a model a row ends up."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from skbadge.outputs.readers._input_rows import blocks_of
from skbadge.pools import n_rows
from skbadge.utils._memory import check_fits
from skbadge.utils._place import new_array
from skbadge.utils._streams import mixed_words

# Columns up to which dense memberships are exact, and to which more are sketched. A
# multiple of 64.
DENSE_COLUMNS = 256
# Leaves that are looked up at a time.
BLOCK_LEAVES = 2**22
SIGNED_LEAVES = 2**16

FIT_HINT = (
    "Query a random part of the pool (`subsample`) or a pool in chunks, or choose a "
    "strategy that needs no features: 'margin', 'entropy', 'least_confidence', "
    "'random'."
)


@dataclass(frozen=True)
class Leaves:
    """The leaves of all trees of a model, each of which is a column.

    Rows of `matrix` have ``1 / sqrt(n_trees)`` in the columns of their leaves, and 0
    elsewhere. So they have length 1, and an inner product is the share of the trees in
    which two rows have the same leaf: the kernel of a random forest (Breiman 2000).

    Parameters
    ----------
    apply : callable
        From rows to the nodes that they end up in, integers of any dtype and shape
        (n_rows, n_trees).

    nodes : list of ndarray
        For each tree the nodes that are leaves, ascending. They come from the model
        alone, so that all rows have the same columns.
    """

    apply: Callable
    nodes: list[NDArray]

    @cached_property
    def first(self):
        """The first column of each tree, and the number of columns at the end."""
        return np.cumsum([0, *map(len, self.nodes)])

    def tell_rows_apart(self):
        """Whether at least two trees split.

        A single one says nothing of a row but which labelled rows it shares its leaf
        with, and there are such rows in each leaf. Of very few labelled rows, boosting
        makes trees of one leaf by default.
        """
        return sum(len(nodes) > 1 for nodes in self.nodes) > 1

    def matrix(self, X, keep_sparse):
        """The memberships of rows, in float32.

        Parameters
        ----------
        X : array-like of shape (n_rows, ...)
            Rows as the model takes them.

        keep_sparse : bool
            Whether to return a CSR matrix. It holds 8 bytes for each row and tree. Else
            an array is returned: exact for up to 256 leaves, and beyond a sketch to 256
            columns, whose squared distances are off by ``sqrt(2 / 256)`` or less, in
            the root mean square.
        """
        shape = n_rows(X), len(self.nodes)
        if keep_sparse:
            return self._sparse(X, *shape)
        n_leaves = int(self.first[-1])
        rows = new_array((shape[0], min(n_leaves, DENSE_COLUMNS)), np.float32)
        fill = _one_hot if n_leaves <= DENSE_COLUMNS else self._sketched
        for part, columns in self._columns(X):
            rows[part] = fill(columns, rows.shape[1]) / np.float32(np.sqrt(shape[1]))
        return rows

    def _sparse(self, X, n, n_trees):
        what = f"Leaf memberships of {n} rows in {n_trees} trees"
        check_fits(8 * n * n_trees, what, FIT_HINT)
        wide = np.int32 if n * n_trees < 2**31 else np.int64
        indices = np.empty((n, n_trees), wide)
        for part, columns in self._columns(X):
            indices[part] = columns
        data = np.full(n * n_trees, 1 / np.sqrt(n_trees), np.float32)
        starts = n_trees * np.arange(n + 1, dtype=wide)
        matrix = sparse.csr_matrix(
            (data, indices.ravel(), starts), shape=(n, int(self.first[-1]))
        )
        # Trees come one after another, each with columns of its own.
        matrix.has_canonical_format = True
        return matrix

    def _columns(self, X):
        """Blocks of rows: which they are, and their column in each tree."""
        for part, rows in blocks_of(X, max(1024, BLOCK_LEAVES // len(self.nodes))):
            found = np.asarray(self.apply(rows))
            columns = np.empty(found.shape, np.int64)
            for tree, nodes in enumerate(self.nodes):
                column = np.empty(nodes[-1] + 1, np.int64)
                column[nodes] = np.arange(self.first[tree], self.first[tree + 1])
                columns[:, tree] = column[found[:, tree].astype(np.int64)]
            yield part, columns

    def _sketched(self, columns, width):
        """Sums of random signs: each leaf has a vector of them, the same at all times.

        Inner products of two vectors have mean 0 and variance ``1 / width``, in units
        of their squared length. As scikit-learn's FeatureHasher does, signs are hashed:
        pool, labelled rows and chunks have the same ones without a seed.
        """
        sums = np.zeros((len(columns), width), np.float32)
        # Trees of about so many leaves at a time, whose signs take 64 MiB.
        groups = self.first[:-1] // SIGNED_LEAVES
        for group in np.unique(groups):
            trees = np.flatnonzero(groups == group)
            start, stop = self.first[trees[0]], self.first[trees[-1] + 1]
            block = columns[:, trees] - start
            starts = len(trees) * np.arange(len(block) + 1)
            ones = np.ones(block.size, np.float32), block.ravel(), starts
            part = sparse.csr_matrix(ones, shape=(len(block), stop - start))
            sums += part @ _signs(start, stop, width)
        return sums / np.float32(np.sqrt(width))


def _signs(start, stop, width):
    """A row of random signs for each leaf, by its number."""
    words = width // 64
    # From 1 on, as the word of number 0 is 0.
    numbers = 1 + np.arange(start * words, stop * words)
    hashes = mixed_words(numbers.astype(np.uint64)).astype("<u8")
    bits = np.unpackbits(hashes.view(np.uint8)).reshape(-1, width)
    return bits.astype(np.float32) * 2 - 1


def _one_hot(columns, width):
    rows = np.zeros((len(columns), width), np.float32)
    rows[np.arange(len(columns))[:, None], columns] = 1
    return rows
