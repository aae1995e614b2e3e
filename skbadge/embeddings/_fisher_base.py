"""Fisher embeddings: a root of the Fisher information for each row."""

from abc import abstractmethod
from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray

from skbadge.embeddings._arrays import mirror, row_norms_sq
from skbadge.utils._chunks import row_chunks
from skbadge.utils._held_bytes import Holder
from skbadge.utils._threads import in_threads


class FisherEmbedding(Holder):
    r"""One small matrix :math:`V_x` a row, with :math:`V_x^\top V_x` its information.

    A row is not a vector but a root of its Fisher information, of shape
    ``(rank, n_parameters)``. The lines of a root are expected gradients (Ash et al.,
    BAIT, section 3). Rules that work on the embedding ask for the three products below.
    They never hold all the roots at once.

    Attributes
    ----------
    dtype : numpy dtype
        Precision of what the rows were made of: rows that differ by less are equal.
        All products are float64.
    """

    dtype: np.dtype = np.dtype(np.float64)

    @property
    def device(self) -> torch.device | None:
        """Device of torch's that holds the rows; None is main memory."""
        return None

    @property
    @abstractmethod
    def rank(self) -> int:
        """Number of lines of each root."""

    @property
    @abstractmethod
    def n_parameters(self) -> int:
        """Number of columns of each root."""

    @abstractmethod
    def _row_cost(self, n_columns):
        """Numbers that `products` with so many columns hold for a row, or `grams`."""

    @abstractmethod
    def __len__(self) -> int:
        """Number of rows."""

    @abstractmethod
    def take(self, rows: slice | NDArray[np.integer]) -> "FisherEmbedding":
        """The embedding of some rows, given as a slice or as positions.

        Parameters
        ----------
        rows : slice, or ndarray of int
            Which rows, in which order.

        Returns
        -------
        embedding : FisherEmbedding
            Of the same kind.
        """

    @abstractmethod
    def dense(self) -> NDArray[np.float64]:
        """The roots themselves, float64 of shape (n_rows, rank, n_parameters)."""

    @abstractmethod
    def norms_sq(self) -> NDArray[np.float64]:
        """Traces of the rows' Fisher information, float64 of shape (n_rows,)."""

    @abstractmethod
    def products(self, matrix: NDArray[np.float64]) -> NDArray[np.float64]:
        """Each root times a matrix.

        Parameters
        ----------
        matrix : ndarray of shape (n_parameters, n_columns)
            float64.

        Returns
        -------
        products : ndarray of shape (n_rows, rank, n_columns)
            float64.
        """

    @abstractmethod
    def grams(self, matrix: NDArray[np.float64]) -> NDArray[np.float64]:
        """Each root times a symmetric matrix times the root's transpose.

        Parameters
        ----------
        matrix : ndarray of shape (n_parameters, n_parameters)
            float64, symmetric.

        Returns
        -------
        grams : ndarray of shape (n_rows, rank, rank)
            float64.
        """

    @abstractmethod
    def _add_information(self, total):
        """Add the Fisher information of all rows to a matrix, in place.

        What is below the diagonal may be left out.
        """

    def chunks(self, n_columns: int | None = None) -> Iterator[slice]:
        """Yield slices of rows whose products are of bounded size.

        Parameters
        ----------
        n_columns : int or None, default=None
            Columns of the matrix that `products` is to be called with; None for
            `grams`.

        Yields
        ------
        rows : slice
            One after another, all rows in the end.
        """
        yield from row_chunks(len(self), self._row_cost(n_columns), minimum=1)

    def total_information(self) -> NDArray[np.float64]:
        """Sum of the rows' Fisher information.

        Returns
        -------
        total : ndarray of shape (n_parameters, n_parameters)
            float64, symmetric.
        """
        total = np.zeros((self.n_parameters, self.n_parameters))
        for rows in self.chunks():
            self.take(rows)._add_information(total)
        mirror(total)
        return total


class FactoredFisher(FisherEmbedding):
    r"""Roots that are Kronecker products :math:`V_x = S_x \otimes z_x^\top`.

    Parameters
    ----------
    roots : ndarray of shape (n_rows, rank, n_outputs)
        The matrices :math:`S_x`, with :math:`S_x^\top S_x` the Fisher information of
        the logits. float64.

    features : ndarray of shape (n_rows, n_features)
        The vectors :math:`z_x`. Floating; cast to float64 a chunk at a time.

    include_bias : bool, default=False
        Append a 1 to each :math:`z_x`.

    dtype : numpy dtype or None, default=None
        Precision of what the rows were made of; None for that of the features.
    """

    def __init__(self, roots, features, *, include_bias=False, dtype=None):
        self.roots = roots
        self.features = features
        self.include_bias = include_bias
        self.dtype = np.dtype(features.dtype if dtype is None else dtype)

    def __len__(self):
        return len(self.roots)

    @property
    def rank(self):
        """Number of lines of each root."""
        return self.roots.shape[1]

    @property
    def width(self):
        """Length of each feature vector, the bias included."""
        return self.features.shape[1] + self.include_bias

    @property
    def n_parameters(self):
        """Number of columns of each root, ``n_outputs`` blocks of features."""
        return self.roots.shape[2] * self.width

    @property
    def _arrays(self):
        return self.roots, self.features

    def _row_cost(self, n_columns):
        n_outputs = self.roots.shape[2]
        if n_columns is not None:
            return self.width + n_columns * (n_outputs + 3 * self.rank)
        return (n_outputs + 1) * self.width + 6 * n_outputs * max(n_outputs, self.rank)

    def take(self, rows):
        """The embedding of some rows, given as a slice or as positions."""
        return FactoredFisher(
            self.roots[rows],
            self.features[rows],
            include_bias=self.include_bias,
            dtype=self.dtype,
        )

    def _vectors(self):
        """The vectors ``z_x`` in float64, the bias included."""
        features = self.features.astype(np.float64, copy=False)
        if not self.include_bias:
            return features
        return np.hstack([features, np.ones((len(features), 1))])

    def dense(self):
        """The roots themselves, float64 of shape (n_rows, rank, n_parameters)."""
        dense = self.roots[:, :, :, None] * self._vectors()[:, None, None, :]
        return dense.reshape(len(self), self.rank, self.n_parameters)

    def norms_sq(self):
        """Traces of the rows' Fisher information, float64 of shape (n_rows,)."""
        # |S (x) z^T|^2 = |S|^2 |z|^2
        vectors = row_norms_sq(self.features) + self.include_bias
        return np.einsum("nij,nij->n", self.roots, self.roots) * vectors

    def products(self, matrix):
        """Each root times a matrix, see `FisherEmbedding.products`."""
        n_outputs, n_columns = self.roots.shape[2], matrix.shape[1]
        # The matrix is one block U_c of `width` lines for each output c. Side by side,
        # the blocks are multiplied with all z_x in one product of matrices.
        blocks = matrix.reshape(n_outputs, self.width, n_columns)
        blocks = blocks.transpose(1, 0, 2).reshape(self.width, -1)
        # inner[x, c] = z_x^T U_c, and V_x U = S_x inner[x].
        inner = (self._vectors() @ blocks).reshape(-1, n_outputs, n_columns)
        return self.roots @ inner

    def grams(self, matrix):
        """Each root times a symmetric matrix times its transpose."""
        n_outputs, width = self.roots.shape[2], self.width
        vectors = self._vectors()
        # blocks[c, :, c'] is the block M_cc' of a pair of outputs.
        blocks = matrix.reshape(n_outputs, width, n_outputs, width)
        inner = np.empty((len(self), n_outputs, n_outputs))
        for c in range(n_outputs):
            # inner[x, c, c'] = z_x^T M_cc' z_x. M is symmetric, so c' >= c will do.
            images = vectors @ blocks[c, :, c:].reshape(width, -1)
            images = images.reshape(len(self), n_outputs - c, width)
            inner[:, c, c:] = np.einsum("ncd,nd->nc", images, vectors)
            inner[:, c:, c] = inner[:, c, c:]
        # V_x M V_x^T = S_x inner[x] S_x^T
        return self.roots @ inner @ self.roots.transpose(0, 2, 1)

    def _add_information(self, total):
        n_outputs, width = self.roots.shape[2], self.width
        vectors = self._vectors()
        # V_x^T V_x = (S_x^T S_x) (x) (z_x z_x^T): its block of the outputs c and c' is
        # weights[x, c, c'] z_x z_x^T.
        weights = self.roots.transpose(0, 2, 1) @ self.roots
        blocks = total.reshape(n_outputs, width, n_outputs, width)

        def add(c):
            # All blocks c' >= c of one c in one product of matrices.
            weighted = weights[:, c, c:, None] * vectors[:, None, :]
            images = vectors.T @ weighted.reshape(len(self), -1)
            blocks[c, :, c:] += images.reshape(width, n_outputs - c, width)

        in_threads(add, range(n_outputs), len(self) * self.n_parameters**2 // 2)


class DenseFisher(FisherEmbedding):
    """Roots that are held as they are, such as sketched ones.

    Parameters
    ----------
    roots : ndarray of shape (n_rows, rank, n_parameters)
        float64.

    dtype : numpy dtype, default=numpy.float64
        Precision of what the rows were made of.
    """

    def __init__(self, roots, dtype=np.float64):
        self.roots = roots
        self.dtype = np.dtype(dtype)

    def __len__(self):
        return len(self.roots)

    @property
    def rank(self):
        """Number of lines of each root."""
        return self.roots.shape[1]

    @property
    def n_parameters(self):
        """Number of columns of each root."""
        return self.roots.shape[2]

    @property
    def _arrays(self):
        return (self.roots,)

    def _row_cost(self, n_columns):
        return self.rank * (self.n_parameters + 6 * self.rank)

    def take(self, rows):
        """The embedding of some rows, given as a slice or as positions."""
        return DenseFisher(self.roots[rows], self.dtype)

    def dense(self):
        """The roots themselves, float64 of shape (n_rows, rank, n_parameters)."""
        return self.roots

    def norms_sq(self):
        """Traces of the rows' Fisher information, float64 of shape (n_rows,)."""
        return np.einsum("nij,nij->n", self.roots, self.roots)

    def products(self, matrix):
        """Each root times a matrix, see `FisherEmbedding.products`."""
        return self.roots @ matrix

    def grams(self, matrix):
        """Each root times a symmetric matrix times its transpose."""
        return self.roots @ matrix @ self.roots.transpose(0, 2, 1)

    def _add_information(self, total):
        # The sum over rows of V_x^T V_x: all lines of all roots below each other.
        flat = self.roots.reshape(-1, self.n_parameters)
        total += flat.T @ flat
