"""Fisher embeddings: a root of the Fisher information for each row."""

from abc import ABC, abstractmethod

import numpy as np

from skbadge.embeddings._base import row_norms_sq
from skbadge.utils._chunks import row_chunks


class FisherEmbedding(ABC):
    r"""One small matrix :math:`V_x` a row, with :math:`V_x^\top V_x` its information.

    A row is not a vector but a root of its Fisher information, of shape
    ``(rank, n_parameters)``; its lines are expected gradients (Ash et al., BAIT,
    section 3). Rules that work on it ask for the three products below and never hold
    all the roots at once.
    """

    @property
    @abstractmethod
    def rank(self):
        """Number of lines of each root."""

    @property
    @abstractmethod
    def n_parameters(self):
        """Number of columns of each root."""

    @property
    @abstractmethod
    def nbytes(self):
        """Bytes held."""

    @property
    @abstractmethod
    def _row_cost(self):
        """Numbers that the products of one row hold on the way."""

    @abstractmethod
    def __len__(self):
        """Number of rows."""

    @abstractmethod
    def take(self, rows):
        """The embedding of some rows, given as a slice or as positions."""

    @abstractmethod
    def dense(self):
        """The roots themselves, float64 of shape (n_rows, rank, n_parameters)."""

    @abstractmethod
    def norms_sq(self):
        """Traces of the rows' Fisher information, float64 of shape (n_rows,)."""

    @abstractmethod
    def products(self, matrix):
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
    def grams(self, matrix):
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
        """Add the Fisher information of all rows to a matrix, in place."""

    def chunks(self):
        """Yield slices of rows whose products are of bounded size."""
        yield from row_chunks(len(self), self._row_cost, minimum=1)

    def total_information(self):
        """Sum of the rows' Fisher information.

        Returns
        -------
        total : ndarray of shape (n_parameters, n_parameters)
            float64, symmetric.
        """
        total = np.zeros((self.n_parameters, self.n_parameters))
        for rows in self.chunks():
            self.take(rows)._add_information(total)
        return total


class FactoredFisher(FisherEmbedding):
    r"""Roots that are Kronecker products :math:`S_x \otimes z_x^\top`.

    Parameters
    ----------
    roots : ndarray of shape (n_rows, rank, n_outputs)
        The matrices :math:`S_x`, with :math:`S_x^\top S_x` the Fisher information of
        the logits. float64.

    features : ndarray of shape (n_rows, n_features)
        The vectors :math:`z_x`. Floating; cast to float64 a chunk at a time.

    include_bias : bool, default=False
        Append a 1 to each :math:`z_x`.
    """

    def __init__(self, roots, features, *, include_bias=False):
        self.roots = roots
        self.features = features
        self.include_bias = include_bias

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
    def nbytes(self):
        """Bytes held by the factors."""
        return self.roots.nbytes + self.features.nbytes

    @property
    def _row_cost(self):
        n_outputs = self.roots.shape[2]
        return (n_outputs + 1) * self.width + 6 * n_outputs * max(n_outputs, self.rank)

    def take(self, rows):
        """The embedding of some rows, given as a slice or as positions."""
        return FactoredFisher(
            self.roots[rows], self.features[rows], include_bias=self.include_bias
        )

    def _vectors(self):
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
        vectors = row_norms_sq(self.features) + self.include_bias
        return np.einsum("nij,nij->n", self.roots, self.roots) * vectors

    def products(self, matrix):
        """Each root times a matrix, see `FisherEmbedding.products`."""
        n_outputs, n_columns = self.roots.shape[2], matrix.shape[1]
        blocks = matrix.reshape(n_outputs, self.width, n_columns)
        blocks = blocks.transpose(1, 0, 2).reshape(self.width, -1)
        inner = (self._vectors() @ blocks).reshape(-1, n_outputs, n_columns)
        return self.roots @ inner

    def grams(self, matrix):
        """Each root times a symmetric matrix times its transpose."""
        n_outputs, width = self.roots.shape[2], self.width
        vectors = self._vectors()
        blocks = matrix.reshape(n_outputs, width, n_outputs, width)
        inner = np.empty((len(self), n_outputs, n_outputs))
        for c in range(n_outputs):
            images = vectors @ blocks[c, :, c:].reshape(width, -1)
            images = images.reshape(len(self), n_outputs - c, width)
            inner[:, c, c:] = np.einsum("ncd,nd->nc", images, vectors)
            inner[:, c:, c] = inner[:, c, c:]
        return self.roots @ inner @ self.roots.transpose(0, 2, 1)

    def _add_information(self, total):
        n_outputs, width = self.roots.shape[2], self.width
        vectors = self._vectors()
        weights = self.roots.transpose(0, 2, 1) @ self.roots
        blocks = total.reshape(n_outputs, width, n_outputs, width)
        for c in range(n_outputs):
            weighted = weights[:, c, c:, None] * vectors[:, None, :]
            images = vectors.T @ weighted.reshape(len(self), -1)
            images = images.reshape(width, n_outputs - c, width)
            blocks[c, :, c:] += images
            # What is below the diagonal of blocks is what is above it.
            blocks[c + 1 :, :, c] += images[:, 1:].transpose(1, 2, 0)


class DenseFisher(FisherEmbedding):
    """Roots that are held as they are, such as sketched ones.

    Parameters
    ----------
    roots : ndarray of shape (n_rows, rank, n_parameters)
        float64.
    """

    def __init__(self, roots):
        self.roots = roots

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
    def nbytes(self):
        """Bytes held by the roots."""
        return self.roots.nbytes

    @property
    def _row_cost(self):
        return self.rank * (self.n_parameters + 6 * self.rank)

    def take(self, rows):
        """The embedding of some rows, given as a slice or as positions."""
        return DenseFisher(self.roots[rows])

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
        flat = self.roots.reshape(-1, self.n_parameters)
        total += flat.T @ flat
