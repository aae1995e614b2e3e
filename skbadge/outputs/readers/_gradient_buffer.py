"""Gradients that arrive batch by batch: held as their factors, or sketched at once."""

import numpy as np

from skbadge.embeddings import DenseEmbedding, OuterProductEmbedding, StackedEmbedding
from skbadge.embeddings._factors import dense
from skbadge.embeddings._kronecker_sketch import KroneckerSketch
from skbadge.outputs.readers._row_buffer import RowBuffer

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

    def add(self, layers):
        """Take the gradients of some rows.

        Parameters
        ----------
        layers : sequence of (left, right)
            For each block the gradients with respect to the layer's outputs and the
            layer's inputs, of shapes (n_batch, n_left) and (n_batch, n_right), or with
            a dimension of positions after the rows. Floating, at least float32.
        """
        layers = list(layers)
        if self._buffers is None:
            self._start(layers)
        for buffer, rows in zip(self._buffers, self._parts(layers), strict=True):
            buffer.stage(rows, rows.dtype)
            buffer.commit(len(rows))

    def finish(self):
        """The gradients of all rows, dense or with a part for each layer."""
        arrays = [buffer.finish() for buffer in self._buffers]
        if self._owners is None:
            return _finite(DenseEmbedding(arrays[0]))
        arrays = iter(arrays)
        # In the order of `_parts`. Of each layer a dense block, or g and then x, unless
        # an earlier layer has the same x.
        parts, rights = [], []
        for owner, is_dense in self._owners:
            if is_dense:
                parts.append(DenseEmbedding(next(arrays)))
                rights.append(None)
                continue
            left = next(arrays)
            right = next(arrays) if owner == len(parts) else rights[owner]
            parts.append(OuterProductEmbedding(left, right))
            rights.append(right)
        return _finite(StackedEmbedding(parts) if len(parts) > 1 else parts[0])

    def to_numpy(self, rows):
        """Rows as an ndarray."""
        return rows

    def from_numpy(self, array, like):
        """An array of this library's, as the factors that it is to meet."""
        return array.astype(like.dtype, copy=False)

    def _start(self, layers):
        """Decide how the gradients are held, and make room for them."""
        widths = [(left.shape[-1], right.shape[-1]) for left, right in layers]
        # g has n_left entries and x n_right: a weight for each pair.
        n_weights = sum(n_left * n_right for n_left, n_right in widths)
        # Three ways: sketched, where `_sketch` is set; as factors, where `_owners` is;
        # else as they are, the blocks of all layers side by side.
        self._sketch = self._owners = None
        if self.n_columns is None:
            self._owners = _owners(layers)
        elif n_weights >= self.n_columns:
            like = layers[0][0]
            # Drawn in float64 and then cast, so that a seed stands for one map.
            sketch = KroneckerSketch(
                widths,
                self.n_columns,
                random_state=self.random_state,
                dtype=np.float64,
            )
            self._sketch = sketch.convert(lambda array: self.from_numpy(array, like))
        n_parts = 1
        if self._owners is not None:
            first = [part[:1] for part in self._parts(layers)]
            self._check_bytes([part.shape[1] for part in first])
            n_parts = len(first)
        self._buffers = [RowBuffer(self.n_rows, "gradients") for _ in range(n_parts)]

    def _parts(self, layers):
        """The arrays to be held for some rows."""
        if self._sketch is not None:
            return [self.to_numpy(self._sketch(layers))]
        if self._owners is None:
            blocks = [self.to_numpy(_columns(*factors)) for factors in layers]
            return [np.concatenate(blocks, axis=1)]
        parts = []
        for i, (left, right) in enumerate(layers):
            owner, is_dense = self._owners[i]
            if is_dense:
                # A sum over positions has no two factors: its entries are held.
                parts.append(_columns(left, right))
            else:
                # The directions of a regressor share the inputs of each layer.
                parts += [left, right] if owner == i else [left]
        return [self.to_numpy(part) for part in parts]

    def _check_bytes(self, widths):
        """Refuse gradients that are too large to be held exactly."""
        n_bytes = 4 * (self.n_rows or 0) * sum(widths)
        if n_bytes > MAX_BYTES:
            raise ValueError(
                f"The gradients of {self.n_rows} rows, held exactly, take "
                f"{n_bytes / 1e9:.3g} GB, above {MAX_BYTES / 1e9:.3g} GB. Set "
                "`n_columns`, such as 512, to sketch them as they are read."
            )


def _owners(layers):
    """For each layer the first one with the same inputs, and whether it is dense."""
    owners, is_first = [], {}
    for i, (left, right) in enumerate(layers):
        owners.append((is_first.setdefault(id(right), i), len(left.shape) == 3))
    return owners


def _columns(left, right):
    """Gradients of one layer, a row each, summed over positions."""
    # There are few columns, or else they are sketched.
    right = dense(right)
    if len(left.shape) == 3:
        # sum_p g_p (x) x_p, a matrix product of each row: over the positions.
        blocks = left.swapaxes(1, 2) @ right
    else:
        # g (x) x, the outer product of each row.
        blocks = left[:, :, None] * right[:, None, :]
    return blocks.reshape(len(left), -1)


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
