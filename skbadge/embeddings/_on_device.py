"""What embeddings share whose factors are tensors, on a device of torch's."""

from abc import abstractmethod
from contextlib import contextmanager
from functools import reduce
from math import prod
from operator import mul
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray

from skbadge.embeddings._arrays import coarsest, mirror
from skbadge.embeddings._base import Embedding
from skbadge.embeddings._device import to_device
from skbadge.utils._chunks import row_chunks

_TORCH_DTYPES = {
    np.dtype(np.float32): torch.float32,
    np.dtype(np.float64): torch.float64,
}
_DTYPES = {of_torch: dtype for dtype, of_torch in _TORCH_DTYPES.items()}


class DeviceEmbedding(Embedding):
    r"""Rows :math:`a_i \otimes b_i \otimes \ldots`, held as the factors on a device.

    The device, such as a GPU, also forms all products. What samplers ask for comes back
    as arrays in main memory: norms, distances to a few rows, and the like, a few
    numbers a row. A subclass stores its factors in its constructor, names them in
    `_factors`, provides `paired_sq_dists` and says what it is `_in_memory`.

    Notes
    -----
    Products of float32 are formed in full precision, whatever torch's setting for
    matrix products is: distances would lose their digits to TF32.
    """

    # Class of the same kind that takes the factors as arrays.
    _in_memory: type[Embedding]

    # Blocks as large as are good for a CPU's cache would leave a GPU idle.
    _larger_blocks = 64

    @property
    @abstractmethod
    def _factors(self):
        """The factors, tensors in the order of the constructor's parameters."""

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns, a pair of ints."""
        return len(self._factors[0]), prod(factor.shape[1] for factor in self._factors)

    @property
    def dtype(self) -> np.dtype:
        """Floating dtype of the bulk products: the coarsest of the factors'."""
        return coarsest(_DTYPES[factor.dtype] for factor in self._factors)

    @property
    def device(self) -> torch.device:
        """Device of torch's that holds the factors."""
        return self._factors[0].device

    @property
    def _arrays(self):
        return self._factors

    def _norms_sq(self):
        norms_sq = torch.ones(len(self), dtype=torch.float64, device=self.device)
        for factor in self._factors:
            for rows in row_chunks(len(self), self._block_cost(factor.shape[1])):
                block = factor[rows].double()
                norms_sq[rows] *= (block * block).sum(1)
        return to_numpy(norms_sq)

    def cross(self, other: Self) -> NDArray:
        """Inner products with the rows of an embedding on the same device."""
        return to_numpy(self._products(other))

    def _products(self, other):
        """`cross` on the device."""
        pairs = zip(self._factors, other._factors, strict=True)
        with full_precision():
            return reduce(mul, (_matmul(mine, theirs.T) for mine, theirs in pairs))

    def _take(self, rows):
        if not isinstance(rows, slice):
            rows = torch.as_tensor(np.asarray(rows), device=self.device)
        return type(self)(*(factor[rows] for factor in self._factors))

    def _cast(self, dtype):
        dtype = _TORCH_DTYPES[np.dtype(dtype)]
        return type(self)(*(factor.to(dtype) for factor in self._factors))

    def _dense(self):
        dense = self._rows(slice(None), _TORCH_DTYPES[self.dtype])
        return dense.to("cpu", copy=True).numpy()

    def column_gram(self) -> NDArray[np.float64]:
        """Inner products of the columns, see `Embedding.column_gram`."""
        shape = (self.shape[1],) * 2
        gram = torch.zeros(shape, dtype=torch.float64, device=self.device)
        for _, block in self._double_blocks():
            gram += block.T @ block
        gram = to_numpy(gram)
        mirror(gram)
        return gram

    def project(self, directions: NDArray) -> NDArray[np.float64]:
        """Coordinates of the rows along some directions, in main memory."""
        return to_numpy(self.projected(directions))

    def projected(self, directions: NDArray) -> torch.Tensor:
        """Coordinates of the rows along some directions, as a tensor in float64."""
        there = self._from_numpy(directions)
        shape = len(self), directions.shape[1]
        coordinates = torch.empty(shape, dtype=torch.float64, device=self.device)
        for rows, block in self._double_blocks():
            torch.matmul(block, there, out=coordinates[rows])
        return coordinates

    def quadratic_forms(self, matrix: NDArray[np.float64]) -> NDArray[np.float64]:
        """Each row times a matrix times the row, in main memory."""
        there = self._from_numpy(matrix)
        forms = torch.empty(len(self), dtype=torch.float64, device=self.device)
        for rows, block in self._double_blocks():
            forms[rows] = ((block @ there) * block).sum(1)
        return to_numpy(forms)

    def _nearest_by_products(self, other):
        # |c|^2 - 2<x, c>, of which a number a row is brought to main memory.
        block = -2 * self._products(other).double()
        block += self._from_numpy(other.norms_sq())
        values, position = block.min(dim=1)
        return to_numpy(position), to_numpy(values)

    def _pair_cost(self):
        return tuple(self._block_cost(factor.shape[1]) for factor in self._factors)

    def _block_cost(self, n_columns):
        """What a row of a matrix costs, in the unit of `row_chunks`."""
        return -(-n_columns // self._larger_blocks)

    def _double_blocks(self):
        """Yield (rows, their matrix in float64) in blocks of bounded size."""
        for rows in row_chunks(len(self), self._block_cost(self.shape[1]), minimum=256):
            yield rows, self._rows(rows, torch.float64)

    def _rows(self, rows, dtype):
        """The matrix of some rows."""
        block, *rest = (factor[rows].to(dtype) for factor in self._factors)
        for factor in rest:
            block = (block[:, :, None] * factor[:, None, :]).flatten(1)
        return block

    def _from_numpy(self, array):
        """An array on the device, in float64."""
        return from_numpy(np.asarray(array, np.float64)).to(self.device)


@to_device.register
def _(embedding: DeviceEmbedding, device):
    if device is not None:
        return type(embedding)(*(factor.to(device) for factor in embedding._factors))
    # Copied: on the CPU a tensor and its array share their memory.
    arrays = (factor.to("cpu", copy=True).numpy() for factor in embedding._factors)
    return embedding._in_memory(*arrays)


def _matmul(left, right):
    # Unlike NumPy, torch does not promote.
    dtype = torch.promote_types(left.dtype, right.dtype)
    return left.to(dtype) @ right.to(dtype)


@contextmanager
def full_precision():
    """Form products of float32 in full precision meanwhile."""
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("highest")
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)


def from_numpy(array):
    """A tensor of the same memory. A read-only array is copied."""
    # Of a read-only array torch would warn. One in Fortran order is fine.
    return torch.from_numpy(np.require(array, None, "W"))


def to_numpy(tensor):
    """An array in main memory."""
    return tensor.cpu().numpy()
