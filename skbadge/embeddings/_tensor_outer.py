"""Outer products whose factors are on a device of torch's."""

from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import sparse

from skbadge.embeddings._device import to_device
from skbadge.embeddings._kronecker_sketch import KroneckerSketch
from skbadge.embeddings._on_device import (
    DeviceEmbedding,
    from_numpy,
    full_precision,
    to_numpy,
)
from skbadge.embeddings._outer import OuterProductEmbedding, scaled_outer
from skbadge.embeddings._product import row_products
from skbadge.embeddings._random_projection import sketched
from skbadge.embeddings._scaled import scaled
from skbadge.embeddings._tensor import TensorEmbedding
from skbadge.utils._chunks import row_chunks


class TensorOuterProduct(DeviceEmbedding):
    """An `OuterProductEmbedding` on a device. `to_device` makes them.

    Parameters
    ----------
    left : tensor of shape (n_rows, n_left)
        float32 or float64. Kept without a copy.

    right : tensor of shape (n_rows, n_right)
        On the same device.
    """

    _in_memory = OuterProductEmbedding

    def __init__(self, left: torch.Tensor, right: torch.Tensor):
        self.left = left
        self.right = right

    @property
    def _factors(self):
        return self.left, self.right

    def paired_sq_dists(self, other: Self) -> NDArray[np.float64]:
        """Squared distances between rows of equal position."""
        # As for `OuterProductEmbedding`, from da = a - a' and dz = z - z'.
        a, z = self.left.double(), self.right.double()
        b, y = other.left.double(), other.right.double()
        da, dz = a - b, z - y
        # |da|^2 |z|^2 + |a'|^2 |dz|^2 + 2 <da, a'> <z, dz>
        sq_dists = _paired(da, da) * _paired(z, z)
        sq_dists += _paired(b, b) * _paired(dz, dz)
        sq_dists += 2 * _paired(da, b) * _paired(z, dz)
        return to_numpy(sq_dists.clamp(min=0))


def _paired(left, right):
    """Inner products of rows of equal position."""
    return (left * right).sum(1)


@to_device.register
def _(embedding: OuterProductEmbedding, device):
    if device is None or sparse.issparse(embedding.right):
        return embedding
    factors = (embedding.left, embedding.right)
    return TensorOuterProduct(*(from_numpy(factor).to(device) for factor in factors))


scaled.register(TensorOuterProduct, scaled_outer)


@row_products.register
def _(first: TensorEmbedding, second):
    return TensorOuterProduct(first.matrix, second.matrix)


@sketched.register
def _(embedding: TensorOuterProduct, n_columns, rng):
    # torch does not promote: both factors and the map have one dtype.
    factors = embedding._cast(embedding.dtype)._factors
    widths = tuple(factor.shape[1] for factor in factors)
    project = KroneckerSketch(
        [widths], n_columns, random_state=rng, dtype=embedding.dtype
    ).convert(lambda array: from_numpy(array).to(embedding.device))
    products = np.empty((len(embedding), n_columns), dtype=embedding.dtype)
    with full_precision():
        for rows in row_chunks(len(embedding), embedding._block_cost(n_columns)):
            left, right = (factor[rows] for factor in factors)
            products[rows] = to_numpy(project([(left, right)]))
    return products
