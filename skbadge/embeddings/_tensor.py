"""An embedding whose matrix is a tensor, on a device of torch's."""

from contextlib import contextmanager

import numpy as np
import torch

from skbadge.embeddings._base import Embedding, _mirror
from skbadge.embeddings._dense import DenseEmbedding
from skbadge.embeddings._device import projected, to_device
from skbadge.embeddings._scaled import scaled
from skbadge.utils._chunks import row_chunks

_DTYPES = {
    np.dtype(np.float32): torch.float32,
    np.dtype(np.float64): torch.float64,
}


class TensorEmbedding(Embedding):
    """A matrix held on a device, such as a GPU, which also forms all products.

    What samplers ask for comes back as arrays in main memory: norms, distances to a few
    rows, and the like, a few numbers a row. `to_device` makes them.

    Parameters
    ----------
    matrix : tensor of shape (n_rows, n_columns)
        float32 or float64. Kept without a copy.

    Notes
    -----
    Products of float32 are formed in full precision, whatever torch's setting for
    matrix products is: distances would lose their digits to TF32.
    """

    # Blocks as large as are good for a CPU's cache would leave a GPU idle.
    _larger_blocks = 64

    def __init__(self, matrix):
        self.matrix = matrix

    @property
    def shape(self):
        """Rows and columns, a pair of ints."""
        return tuple(self.matrix.shape)

    @property
    def dtype(self):
        """Floating dtype of the bulk products."""
        is_double = self.matrix.dtype is torch.float64
        return np.dtype(np.float64 if is_double else np.float32)

    @property
    def nbytes(self):
        """Bytes held by the matrix, on its device."""
        return self.matrix.nbytes

    def _norms_sq(self):
        return self._by_blocks(lambda block: (block * block).sum(1))

    def cross(self, other):
        """Inner products with the rows of an embedding on the same device."""
        return _to_numpy(_product(self.matrix, other.matrix.T))

    def _take(self, rows):
        if not isinstance(rows, slice):
            rows = torch.as_tensor(np.asarray(rows), device=self.matrix.device)
        return TensorEmbedding(self.matrix[rows])

    def _cast(self, dtype):
        return TensorEmbedding(self.matrix.to(_DTYPES[np.dtype(dtype)]))

    def _dense(self):
        return self.matrix.to("cpu", copy=True).numpy()

    def paired_sq_dists(self, other):
        """Squared distances between rows of equal position."""
        difference = self.matrix.double() - other.matrix.double()
        return _to_numpy((difference * difference).sum(1))

    def column_gram(self):
        """Inner products of the columns, see `Embedding.column_gram`."""
        gram = self.matrix.new_zeros((self.shape[1],) * 2, dtype=torch.float64)
        for _, block in self._double_blocks():
            gram += block.T @ block
        gram = _to_numpy(gram)
        _mirror(gram)
        return gram

    def project(self, directions):
        """Coordinates of the rows along some directions, in main memory."""
        return _to_numpy(self.projected(directions))

    def projected(self, directions):
        """Coordinates of the rows along some directions, as a tensor in float64."""
        directions = self._from_numpy(directions)
        shape = len(self), directions.shape[1]
        coordinates = self.matrix.new_empty(shape, dtype=torch.float64)
        for rows, block in self._double_blocks():
            torch.matmul(block, directions, out=coordinates[rows])
        return coordinates

    def quadratic_forms(self, matrix):
        """Each row times a matrix times the row, in main memory."""
        matrix = self._from_numpy(matrix)
        return self._by_blocks(lambda block: ((block @ matrix) * block).sum(1))

    def _nearest_by_products(self, other):
        block = -2 * _product(self.matrix, other.matrix.T).double()
        block += self._from_numpy(other.norms_sq())
        values, position = block.min(dim=1)
        return _to_numpy(position), _to_numpy(values)

    def _pair_cost(self):
        return (-(-self.shape[1] // self._larger_blocks),)

    def _double_blocks(self):
        """Yield (rows, their matrix in float64) in blocks of bounded size."""
        for rows in row_chunks(len(self), *self._pair_cost()):
            yield rows, self.matrix[rows].double()

    def _by_blocks(self, function):
        """A number for each row, computed in float64 from blocks of the matrix."""
        values = self.matrix.new_empty(len(self), dtype=torch.float64)
        for rows, block in self._double_blocks():
            values[rows] = function(block)
        return _to_numpy(values)

    def _from_numpy(self, array):
        # Of a read-only array torch would warn; of one in Fortran order it is content.
        array = np.require(array, np.float64, "W")
        return torch.from_numpy(array).to(self.matrix.device)


@to_device.register
def _(embedding: TensorEmbedding, device):
    if device is None:
        return DenseEmbedding(embedding._dense())
    return tensor_embedding(embedding.matrix, device)


@scaled.register
def _(embedding: TensorEmbedding, factor):
    return TensorEmbedding(embedding.matrix * float(factor))


@projected.register
def _(embedding: TensorEmbedding, directions):
    return TensorEmbedding(embedding.projected(directions))


def tensor_embedding(matrix, device):
    """A matrix on a device.

    Parameters
    ----------
    matrix : ndarray or tensor of shape (n_rows, n_columns)
        float32 or float64.

    device : str or torch.device
        Where to put it.

    Returns
    -------
    embedding : TensorEmbedding
        On the CPU, of the same memory.
    """
    if isinstance(matrix, np.ndarray):
        matrix = torch.from_numpy(np.require(matrix, None, "W"))
    return TensorEmbedding(matrix.to(device))


def _product(left, right):
    with _full_precision():
        return left @ right


@contextmanager
def _full_precision():
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("highest")
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)


def _to_numpy(tensor):
    return tensor.cpu().numpy()
