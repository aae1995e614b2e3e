"""A matrix on a device of torch's."""

from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray

from skbadge.embeddings._dense import DenseEmbedding, projected
from skbadge.embeddings._device import to_device
from skbadge.embeddings._on_device import DeviceEmbedding, from_numpy, to_numpy
from skbadge.embeddings._scaled import scaled


class TensorEmbedding(DeviceEmbedding):
    """A `DenseEmbedding` on a device. `to_device` makes them.

    Parameters
    ----------
    matrix : tensor of shape (n_rows, n_columns)
        float32 or float64. Kept without a copy.
    """

    _in_memory = DenseEmbedding

    def __init__(self, matrix: torch.Tensor):
        self.matrix = matrix

    @property
    def _factors(self):
        return (self.matrix,)

    def paired_sq_dists(self, other: Self) -> NDArray[np.float64]:
        """Squared distances between rows of equal position."""
        difference = self.matrix.double() - other.matrix.double()
        return to_numpy((difference * difference).sum(1))


@to_device.register
def _(embedding: DenseEmbedding, device):
    if device is None:
        return embedding
    return TensorEmbedding(from_numpy(embedding.matrix).to(device))


@scaled.register
def _(embedding: TensorEmbedding, factor):
    return TensorEmbedding(embedding.matrix * float(factor))


@projected.register
def _(embedding: DeviceEmbedding, directions):
    return TensorEmbedding(embedding.projected(directions))
