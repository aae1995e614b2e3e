"""What kernels of the rows of a table share."""

from abc import abstractmethod
from copy import copy
from typing import Self

import numpy as np
from numpy.typing import NDArray

from skbadge._compat import validate_parameter_constraints
from skbadge.embeddings._factors import Matrix, as_matrix, cast, row_norms_sq
from skbadge.embeddings._kernel_only import KernelOnlyEmbedding
from skbadge.embeddings._sparse import matrix_embedding


class InputKernelEmbedding(KernelOnlyEmbedding):
    """A kernel that depends on the distances and norms of the rows of a table.

    A subclass lists its parameters in ``_parameter_constraints``, stores them before it
    calls this constructor, which checks them, and provides `_kernel_norms_sq` and
    `_kernel_sq_dists`.

    Parameters
    ----------
    X : array-like or CSR matrix of shape (n_rows, n_inputs)
        Kept without a copy if it is float32 or float64.
    """

    _parameter_constraints: dict = {}

    def __init__(self, X: Matrix):
        validate_parameter_constraints(
            self._parameter_constraints, self._parameters, type(self).__name__
        )
        self.X = as_matrix(X, "X")
        self._dtype = self.X.dtype
        if not self.X.shape[1]:
            raise ValueError("`X` must have at least one column. Got 0.")
        # Of the table, from which those of the kernel and all distances follow.
        self._input_norms_sq = row_norms_sq(self.X)

    @property
    def _parameters(self):
        """The kernel's parameters by name."""
        return {name: getattr(self, name) for name in self._parameter_constraints}

    @abstractmethod
    def _kernel_norms_sq(self, norms_sq):
        """The kernel of rows with themselves, given their squared norms."""

    @abstractmethod
    def _kernel_sq_dists(self, sq_dists, a, b):
        """Squared distances in the kernel's space.

        Parameters
        ----------
        sq_dists : ndarray
            Squared distances of the rows. May be overwritten.

        a, b : ndarray
            Their squared norms, that broadcast to its shape.
        """

    def __len__(self) -> int:
        return self.X.shape[0]

    @property
    def _arrays(self):
        return self.X, self._input_norms_sq

    def _norms_sq(self):
        return self._kernel_norms_sq(self._input_norms_sq)

    def _products(self, other):
        # (k(x, x) + k(y, y) - |phi(x) - phi(y)|^2) / 2
        products = -self.sq_dists(other)
        products += self.norms_sq()[:, None]
        products += other.norms_sq()
        products /= 2
        return products

    def sq_dists(self, other: Self) -> NDArray[np.float64]:
        """Squared distances to the rows of another embedding of the same kernel."""
        sq_dists = self._table(other).sq_dists(other._table(self))
        norms = self._input_norms_sq[:, None], other._input_norms_sq[None, :]
        return self._kernel_sq_dists(sq_dists, *norms)

    def paired_sq_dists(self, other: Self) -> NDArray[np.float64]:
        """Squared distances between rows of equal position."""
        sq_dists = self._table(other).paired_sq_dists(other._table(self))
        norms = self._input_norms_sq, other._input_norms_sq
        return self._kernel_sq_dists(sq_dists, *norms)

    def _table(self, other):
        """The rows themselves, in float64, if ``other`` has a like kernel."""
        mine, theirs = (
            (type(part), part.X.shape[1], part._parameters) for part in (self, other)
        )
        if mine != theirs:
            raise ValueError(
                f"Rows of different kernels were compared, {self!r} and {other!r}. "
                "The kind, its parameters and the number of inputs must be equal."
            )
        table = matrix_embedding(cast(self.X, np.float64))
        table._cached_norms_sq = self._input_norms_sq
        return table

    def _take(self, rows):
        part = copy(self)
        part.X, part._input_norms_sq = self.X[rows], self._input_norms_sq[rows]
        part._cached_norms_sq = None
        return part

    def _pair_cost(self):
        return (self.X.shape[1],)

    def __repr__(self) -> str:
        names = [f"{name}={value:.3g}" for name, value in self._parameters.items()]
        shape = f"shape=({len(self)}, inf)"
        return f"{type(self).__name__}({', '.join([shape, *names])})"
