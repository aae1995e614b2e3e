"""What kernels share that fall from 1 with the distance of two rows."""

from abc import abstractmethod
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from skbadge.embeddings._factors import cast, products
from skbadge.embeddings._input_kernel import InputKernelEmbedding

EPS = float(np.finfo(np.float32).eps)


class RadialEmbedding(InputKernelEmbedding):
    """A kernel that is ``exp`` of a power of the distance, times a negative number.

    A subclass provides `_factor` and `_exponents`.
    """

    @property
    @abstractmethod
    def _factor(self):
        """A finite number that squared distances are multiplied by."""

    @abstractmethod
    def _exponents(self, scaled):
        """Logarithms of the kernel, given these products, which it overwrites."""

    def _scaled(self, sq_dists):
        with np.errstate(over="ignore"):
            sq_dists *= self._factor
        return sq_dists

    def _kernel_norms_sq(self, norms_sq):
        # 1, but NaN for a row that is not finite: samplers refuse it by name.
        return np.where(np.isfinite(norms_sq), 1.0, np.nan)

    def _kernel_sq_dists(self, sq_dists, a, b):
        # 2 (1 - k)
        exponents = self._exponents(self._scaled(sq_dists))
        np.expm1(exponents, out=exponents)
        exponents *= -2
        return exponents

    def _products(self, other):
        # Not 1 less half the distance, which has no digits left for far rows.
        sq_dists = self._table(other).sq_dists(other._table(self))
        exponents = self._exponents(self._scaled(sq_dists))
        return np.exp(exponents, out=exponents)

    def bounding_products(self, other: Self, *, from_below: bool = False) -> NDArray:
        """Numbers close to the inner products, see `Embedding.bounding_products`.

        In float32, with the distances expanded. What rounding may have done to these is
        taken off, or added.
        """
        greatest = max(
            float(part._input_norms_sq.max(initial=0.0)) for part in (self, other)
        )
        for size in (greatest, greatest * abs(self._factor)):
            if not EPS**2 < size < 1 / EPS**2:
                return super().bounding_products(other)
        # Half the columns is certain, their root times four more than is ever seen.
        share = EPS * (16 + 4 * np.sqrt(self.X.shape[1]))
        share = 1 + share if from_below else 1 - share
        scaled = _expanded(
            self.X,
            other.X,
            share * self._input_norms_sq,
            share * other._input_norms_sq,
            self._factor,
        )
        exponents = self._exponents(scaled)
        return np.exp(exponents, out=exponents)


def _expanded(left, right, left_norms_sq, right_norms_sq, factor):
    """A factor times: the norm of each, less twice the product; in float32."""
    left, right = cast(left, np.float32), cast(right, np.float32)
    if sparse.issparse(left):
        scaled = products(left, right)
        scaled *= -2 * factor
        scaled += (factor * left_norms_sq).astype(np.float32)[:, None]
        scaled += (factor * right_norms_sq).astype(np.float32)
        return scaled
    # As one product, with two columns more.
    n_columns = left.shape[1]
    one = np.empty((len(left), n_columns + 2), dtype=np.float32)
    two = np.empty((len(right), n_columns + 2), dtype=np.float32)
    np.multiply(left, -2 * factor, out=one[:, :n_columns])
    one[:, n_columns] = factor * left_norms_sq
    one[:, n_columns + 1] = factor
    two[:, :n_columns] = right
    two[:, n_columns] = 1
    two[:, n_columns + 1] = right_norms_sq
    return one @ two.T
