"""Gradients that arrive batch by batch: held as their factors, or sketched at once."""

from itertools import islice

import numpy as np
import torch

from skbadge.embeddings import DenseEmbedding, OuterProductEmbedding, StackedEmbedding
from skbadge.embeddings._kronecker_sketch import KroneckerSketch
from skbadge.outputs.readers._gradient_sketch import LayerSketch
from skbadge.outputs.readers._row_buffer import TensorBuffer

MAX_BYTES = 2**33


class GradientBuffer:
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
        gradients : list of LayerGradient
            Those of each layer, for one direction after another.
        """
        if self._buffers is None:
            self._start(gradients)
        for buffer, rows in zip(self._buffers, self._parts(gradients), strict=True):
            buffer.stage(rows)
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
        layers = [gradient.layer for gradient in gradients]
        widths = [pair for layer in layers for pair in [layer.widths] * layer.n_groups]
        # g has n_left entries and x n_right: a weight for each pair.
        n_weights = sum(n_left * n_right for n_left, n_right in widths)
        # Three ways: sketched, where `_sketches` is set; as factors, where `_owners`
        # is; else as they are, the blocks of all layers side by side.
        self._sketches = self._owners = None
        if self.n_columns is None:
            self._owners = _owners(gradients)
        elif n_weights >= self.n_columns:
            self._sketches = self._draw(layers, widths, gradients[0].calls[0].gradient)
        n_parts = 1
        if self._owners is not None:
            first = [part[:1] for part in self._parts(gradients)]
            self._check_bytes([part.shape[1] for part in first])
            n_parts = len(first)
        self._buffers = [TensorBuffer(self.n_rows, "gradients") for _ in range(n_parts)]

    def _draw(self, layers, widths, like):
        """The random map, for each layer its part."""
        # Drawn in float64 and then cast, so that a seed stands for one map.
        sketch = KroneckerSketch(
            widths, self.n_columns, random_state=self.random_state, dtype=np.float64
        ).convert(lambda array: torch.from_numpy(array).to(like))
        pairs = iter(sketch.projections)
        return [
            LayerSketch(layer, list(islice(pairs, layer.n_groups))) for layer in layers
        ]

    def _parts(self, gradients):
        """The tensors to be held for some rows."""
        if self._sketches is not None:
            first = gradients[0].calls[0].gradient
            total = first.new_zeros(len(first), self.n_columns)
            for sketch, gradient in zip(self._sketches, gradients, strict=True):
                for call in gradient.calls:
                    sketch.add(total, call)
            return [total]
        if self._owners is None:
            return [torch.cat([gradient.columns() for gradient in gradients], dim=1)]
        parts = []
        for i, gradient in enumerate(gradients):
            owner, is_product = self._owners[i]
            if not is_product:
                # A sum over positions has no two factors: its entries are held.
                parts.append(gradient.columns())
            else:
                # The directions of a regressor share the inputs of each layer.
                parts += gradient.factors()[: 2 if owner == i else 1]
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


def _owners(gradients):
    """For each layer the first one with the same inputs, and if it is a product."""
    owners, firsts = [], {}
    for i, gradient in enumerate(gradients):
        first = firsts.setdefault(gradient.layer.name, i)
        owners.append((first, gradient.is_product))
    return owners


def _finite(embedding):
    """An embedding as given, if all of it is finite."""
    wrong = np.flatnonzero(~np.isfinite(embedding.norms_sq()))
    if len(wrong):
        raise ValueError(
            f"The gradients hold NaN or infinite values for {len(wrong)} of "
            f"{len(embedding)} rows, the first is row {wrong[0]}. Either X has such "
            "values there, or the training diverged."
        )
    return embedding
