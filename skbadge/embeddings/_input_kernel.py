"""What kernels of the rows of a table share."""

from abc import abstractmethod
from copy import copy

import numpy as np

from skbadge.embeddings._base import as_factor, row_norms_sq
from skbadge.embeddings._dense import DenseEmbedding
from skbadge.embeddings._kernel_only import KernelOnlyEmbedding


class InputKernelEmbedding(KernelOnlyEmbedding):
    """A kernel that depends on the distances and norms of the rows of a table.

    A subclass lists its parameters in ``_parameters``, and provides `_kernel_norms_sq`
    and `_kernel_sq_dists`.

    Parameters
    ----------
    X : array-like of shape (n_rows, n_inputs)
        Kept without a copy if it is float32 or float64.
    """

    _parameters = ()

    def __init__(self, X):
        self.X = as_factor(X, "X")
        self._dtype = self.X.dtype
        if not self.X.shape[1]:
            raise ValueError("`X` must have at least one column. Got 0.")
        # Of the table, from which those of the kernel and all distances follow.
        self._input_norms_sq = row_norms_sq(self.X)

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

    def __len__(self):
        return len(self.X)

    @property
    def nbytes(self):
        """Bytes held by the table and the norms of its rows."""
        return self.X.nbytes + self._input_norms_sq.nbytes

    def _norms_sq(self):
        return self._kernel_norms_sq(self._input_norms_sq)

    def _products(self, other):
        products = -self.sq_dists(other)
        products += self.norms_sq()[:, None]
        products += other.norms_sq()
        products /= 2
        return products

    def sq_dists(self, other):
        """Squared distances to the rows of another embedding of the same kernel."""
        sq_dists = self._table(other).sq_dists(other._table(self))
        norms = self._input_norms_sq[:, None], other._input_norms_sq[None, :]
        return self._kernel_sq_dists(sq_dists, *norms)

    def paired_sq_dists(self, other):
        """Squared distances between rows of equal position."""
        sq_dists = self._table(other).paired_sq_dists(other._table(self))
        norms = self._input_norms_sq, other._input_norms_sq
        return self._kernel_sq_dists(sq_dists, *norms)

    def _table(self, other):
        """The rows themselves, in float64, if ``other`` has a like kernel."""
        mine, theirs = (
            (type(part), part.X.shape[1], *(getattr(part, p) for p in part._parameters))
            for part in (self, other)
        )
        if mine != theirs:
            raise ValueError(
                f"Rows of different kernels were compared, {self!r} and {other!r}. "
                "The kind, its parameters and the number of inputs must be equal."
            )
        table = DenseEmbedding(self.X.astype(np.float64, copy=False))
        table._cached_norms_sq = self._input_norms_sq
        return table

    def _take(self, rows):
        part = copy(self)
        part.X, part._input_norms_sq = self.X[rows], self._input_norms_sq[rows]
        part._cached_norms_sq = None
        return part

    def _pair_cost(self):
        return (self.X.shape[1],)

    def __repr__(self):
        names = [f"{name}={getattr(self, name):.3g}" for name in self._parameters]
        shape = f"shape=({len(self)}, inf)"
        return f"{type(self).__name__}({', '.join([shape, *names])})"


def check_real(value, name, *, positive):
    """Raise unless a parameter is a finite number of the right sign."""
    allowed = "> 0" if positive else ">= 0"
    is_real = isinstance(value, (int, float, np.integer, np.floating))
    is_real = is_real and not isinstance(value, bool) and np.isfinite(value)
    if not is_real or value < 0 or (positive and value == 0):
        raise ValueError(f"`{name}` must be a finite number {allowed}. Got {value!r}.")
