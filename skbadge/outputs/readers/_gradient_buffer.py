"""Gradients that arrive batch by batch: held as their factors, or sketched at once."""

from abc import ABC, abstractmethod
from itertools import islice

import numpy as np
import torch

from skbadge.embeddings import DenseEmbedding, OuterProductEmbedding, StackedEmbedding
from skbadge.embeddings._factors import dense
from skbadge.embeddings._kronecker_sketch import KroneckerSketch
from skbadge.outputs.readers._gradient_sketch import LayerSketch
from skbadge.outputs.readers._row_buffer import RowBuffer, TensorBuffer
from skbadge.utils._row_errors import row_error

MAX_BYTES = 2**33


class GradientBuffer(ABC):
    r"""Collects the gradients of rows, given as the factors of each layer's block.

    The gradient of an output with respect to a layer's weights is
    :math:`\sum_p g_p \otimes x_p`, with the layer's inputs :math:`x_p`, the gradients
    :math:`g_p` of the output with respect to the layer's outputs, and the positions
    :math:`p` at which the layer is applied: one, but for convolutions and sequences.

    Parameters
    ----------
    n_rows : int or None
        How many rows will arrive; None if unknown.

    n_columns : int or None
        Columns to sketch the gradients to as they come, with a `KroneckerSketch`, so
        that no more than ``n_rows * n_columns`` numbers are held. Gradients of fewer
        columns are kept as they are. None keeps all exactly.

    random_state : None, int or RandomState
        Fixes the sketch, for the same widths.
    """

    def __init__(self, n_rows, n_columns=None, random_state=None):
        self.n_rows = n_rows
        self.n_columns = n_columns
        self.random_state = random_state
        self._buffers = None

    def add(self, gradients):
        """Take the gradients of some rows.

        Parameters
        ----------
        gradients : list
            Those of each layer, for one direction after another.
        """
        if self._buffers is None:
            self._start(gradients)
        for buffer, rows in zip(self._buffers, self._parts(gradients), strict=True):
            self._stage(buffer, rows)
            buffer.commit(len(rows))

    def finish(self):
        """The gradients of all rows, dense or with a part for each layer."""
        arrays = [buffer.finish() for buffer in self._buffers]
        if self._owners is None:
            return _finite(DenseEmbedding(arrays[0]))
        arrays = iter(arrays)
        # In the order of `_parts`. Of each layer a dense block, or g and then x, unless
        # an earlier direction has the same x.
        parts, rights = [], []
        for owner, is_product in self._owners:
            if not is_product:
                parts.append(DenseEmbedding(next(arrays)))
                rights.append(None)
                continue
            left = next(arrays)
            right = next(arrays) if owner == len(parts) else rights[owner]
            parts.append(OuterProductEmbedding(left, right))
            rights.append(right)
        return _finite(StackedEmbedding(parts) if len(parts) > 1 else parts[0])

    def _start(self, gradients):
        """Decide how the gradients are held, and make room for them."""
        widths = self._widths(gradients)
        # g has n_left entries and x n_right: a weight for each pair.
        n_weights = sum(n_left * n_right for n_left, n_right in widths)
        # Three ways: sketched, where `_sketch` is set; as factors, where `_owners` is;
        # else as they are, the blocks of all layers side by side.
        self._sketch = self._owners = None
        if self.n_columns is None:
            # For each layer the first one with the same inputs, and if it is a product.
            owners, firsts = [], {}
            for i, gradient in enumerate(gradients):
                first = firsts.setdefault(self._input_key(gradient), i)
                owners.append((first, self._is_product(gradient)))
            self._owners = owners
        elif n_weights >= self.n_columns:
            # Drawn in float64 and then cast, so that a seed stands for one map.
            self._sketch = self._fit(
                KroneckerSketch(
                    widths,
                    self.n_columns,
                    random_state=self.random_state,
                    dtype=np.float64,
                ),
                gradients,
            )
        n_parts = 1
        if self._owners is not None:
            first = [part[:1] for part in self._parts(gradients)]
            self._check_bytes([part.shape[1] for part in first])
            n_parts = len(first)
        buffers = self._buffer_type
        self._buffers = [buffers(self.n_rows, "gradients") for _ in range(n_parts)]

    def _parts(self, gradients):
        """What is to be held for some rows."""
        if self._sketch is not None:
            return [self._sketched(gradients)]
        if self._owners is None:
            return [self._side_by_side(list(map(self._columns, gradients)))]
        parts = []
        for i, gradient in enumerate(gradients):
            owner, is_product = self._owners[i]
            if not is_product:
                # A sum over positions has no two factors: its entries are held.
                parts.append(self._columns(gradient))
            else:
                # The directions of a regressor share the inputs of each layer.
                parts += self._factors(gradient)[: 2 if owner == i else 1]
        return parts

    def _check_bytes(self, widths):
        """Refuse gradients that are too large to be held exactly."""
        n_bytes = 4 * (self.n_rows or 0) * sum(widths)
        if n_bytes > MAX_BYTES:
            raise ValueError(
                f"The gradients of {self.n_rows} rows, held exactly, take "
                f"{n_bytes / 1e9:.3g} GB, above {MAX_BYTES / 1e9:.3g} GB. Set "
                "`n_columns`, such as 512, to sketch them as they are read."
            )

    # What a gradient is, and what it is made of

    _buffer_type: type[RowBuffer]

    @abstractmethod
    def _stage(self, buffer, rows):
        """Write rows into a buffer."""

    @abstractmethod
    def _widths(self, gradients):
        """Widths of the two factors, of each block."""

    @abstractmethod
    def _input_key(self, gradient):
        """Equal for gradients of the same inputs."""

    @abstractmethod
    def _is_product(self, gradient):
        """Whether a row's gradient is one outer product."""

    @abstractmethod
    def _factors(self, gradient):
        """The two factors of an outer product."""

    @abstractmethod
    def _columns(self, gradient):
        """All entries, a row each."""

    @abstractmethod
    def _side_by_side(self, blocks):
        """The columns of several layers."""

    @abstractmethod
    def _fit(self, sketch, gradients):
        """A random map as it is to be used for gradients such as these."""

    @abstractmethod
    def _sketched(self, gradients):
        """The sketch of some rows."""


class TensorGradients(GradientBuffer):
    """Those of a net, each a `LayerGradient`."""

    _buffer_type = TensorBuffer

    def _stage(self, buffer, rows):
        buffer.stage(rows)

    def _widths(self, gradients):
        layers = [gradient.layer for gradient in gradients]
        return [pair for layer in layers for pair in [layer.widths] * layer.n_groups]

    def _input_key(self, gradient):
        return gradient.layer.name

    def _is_product(self, gradient):
        return gradient.is_product

    def _factors(self, gradient):
        return gradient.factors()

    def _columns(self, gradient):
        return gradient.columns()

    def _side_by_side(self, blocks):
        return torch.cat(blocks, dim=1)

    def _fit(self, sketch, gradients):
        like = gradients[0].calls[0].gradient
        sketch = sketch.convert(lambda array: torch.from_numpy(array).to(like))
        pairs = iter(sketch.projections)
        layers = [gradient.layer for gradient in gradients]
        return [
            LayerSketch(layer, list(islice(pairs, layer.n_groups))) for layer in layers
        ]

    def _sketched(self, gradients):
        first = gradients[0].calls[0].gradient
        total = first.new_zeros(len(first), self.n_columns)
        for sketch, gradient in zip(self._sketch, gradients, strict=True):
            for call in gradient.calls:
                sketch.add(total, call)
        return total


class FactorGradients(GradientBuffer):
    """Those of a model of scikit-learn: pairs of arrays, the inputs perhaps sparse."""

    _buffer_type = RowBuffer

    def _stage(self, buffer, rows):
        buffer.stage(rows, rows.dtype)

    def _widths(self, gradients):
        return [(left.shape[1], right.shape[1]) for left, right in gradients]

    def _input_key(self, gradient):
        return id(gradient[1])

    def _is_product(self, gradient):
        return True

    def _factors(self, gradient):
        return gradient

    def _columns(self, gradient):
        left, right = gradient
        # There are few columns, or else they are sketched.
        blocks = left[:, :, None] * dense(right)[:, None, :]
        return blocks.reshape(len(left), -1)

    def _side_by_side(self, blocks):
        return np.concatenate(blocks, axis=1)

    def _fit(self, sketch, gradients):
        dtype = gradients[0][0].dtype
        return sketch.convert(lambda array: array.astype(dtype, copy=False))

    def _sketched(self, gradients):
        return self._sketch(gradients)


def _finite(embedding):
    """An embedding as given, if all of it is finite."""
    wrong = np.flatnonzero(~np.isfinite(embedding.norms_sq()))
    if len(wrong):
        raise row_error(
            f"The gradients hold NaN or infinite values for {len(wrong)} of "
            f"{len(embedding)} rows, the first is row {{row}}. Either X has such "
            "values there, or the training diverged.",
            wrong[0],
        )
    return embedding
