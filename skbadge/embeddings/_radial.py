"""What kernels share that fall from 1 with the distance of two rows."""

from abc import abstractmethod
from typing import Self

import numpy as np
from numpy.typing import NDArray

from skbadge.embeddings._factors import products
from skbadge.embeddings._input_kernel import InputKernelEmbedding

EPS = float(np.finfo(np.float32).eps)


class RadialEmbedding(InputKernelEmbedding):
    """A kernel that is ``exp`` of something that falls with the distance.

    A subclass provides `_exponents`.
    """

    @abstractmethod
    def _exponents(self, sq_dists):
        """Logarithms of the kernel, given squared distances, which it overwrites."""

    def _kernel_norms_sq(self, norms_sq):
        # 1, but NaN for a row that is not finite: samplers refuse it by name.
        return np.where(np.isfinite(norms_sq), 1.0, np.nan)

    def _kernel_sq_dists(self, sq_dists, a, b):
        # 2 (1 - k)
        exponents = self._exponents(sq_dists)
        np.expm1(exponents, out=exponents)
        exponents *= -2
        return exponents

    def _products(self, other):
        # Not 1 less half the distance, which has no digits left for far rows.
        exponents = self._exponents(self._table(other).sq_dists(other._table(self)))
        return np.exp(exponents, out=exponents)

    def bounding_products(self, other: Self) -> NDArray:
        """Numbers no less than the inner products, see `Embedding.bounding_products`.

        In float32 with the distances expanded. What rounding may have added to these
        is taken off.
        """
        greatest = max(
            float(part._input_norms_sq.max(initial=0.0)) for part in (self, other)
        )
        if not EPS**2 < greatest < 1 / EPS**2:
            return super().bounding_products(other)
        # Half the columns is certain, their root times four more than is ever seen.
        share = 1 - EPS * (8 + 4 * np.sqrt(self.X.shape[1]))
        left, right = (part.X.astype(np.float32, copy=False) for part in (self, other))
        # |x|^2 + |y|^2 - 2 <x, y>
        sq_dists = products(left, right)
        sq_dists *= -2
        sq_dists += (share * self._input_norms_sq[:, None]).astype(np.float32)
        sq_dists += (share * other._input_norms_sq).astype(np.float32)
        np.maximum(sq_dists, 0, out=sq_dists)
        exponents = self._exponents(sq_dists)
        # The last digits of all that follows.
        exponents += 8 * np.float32(EPS)
        return np.exp(exponents, out=exponents)
