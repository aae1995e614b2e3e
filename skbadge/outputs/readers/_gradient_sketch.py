"""Sketches of layers' gradients, in the order of operations that costs least."""

import torch

from skbadge.outputs.readers._layer_factors import (
    BLOCK_NUMBERS,
    CONVOLUTIONS,
    by_position,
    convolved,
    n_positions,
    position_sum_cost,
    sums_of_gradients,
    sums_of_products,
)
from skbadge.utils._chunks import row_chunks
from skbadge.utils._fast_products import linear

# Numbers of an intermediate product that stay in cache: 2 MiB of float32.
CACHED_NUMBERS = 2**19

# A map of a whole layer of up to so many numbers is held: 8 MiB of float32.
MERGED_NUMBERS = 2**21

# What it takes to write a number, read it and add it up, in multiplications.
PASS = 32


class LayerSketch:
    r"""The share of one layer in a Kronecker sketch.

    With the columns :math:`u_k, v_k` of the layer's projections, column :math:`k` of
    the sketch of the sum over positions :math:`G = \sum_p g_p \otimes x_p` is

    .. math::

        \sum_p (g_p \cdot u_k) (x_p \cdot v_k) = u_k^T G v_k .

    The left side costs :math:`P (a + b) q` multiplications a row, with :math:`P`
    positions and factors of widths :math:`a, b`. The right side costs :math:`P a b` for
    :math:`G` and :math:`a b q` for its sketch. Both are the same up to rounding, and
    the smaller count decides: shapes alone, so that results do not depend on how busy
    a machine is.

    Parameters
    ----------
    layer : Layer
        The layer.

    projections : list of (tensor of shape (a, q), tensor of shape (b, q))
        Those of each group of channels, see `KroneckerSketch`.
    """

    def __init__(self, layer, projections):
        self.layer = layer
        lefts, rights = zip(*projections, strict=True)
        # Of shapes (n_groups, q, a) and (n_groups, q, b): as weights of layers.
        self.left = torch.stack(lefts).mT.contiguous()
        right = torch.stack(rights).mT
        self.n_columns = right.shape[1]
        # (w x, b) . v_k = x . (w v) + b v_last
        n_inputs = right.shape[2] - bool(layer.bias_factor)
        self.right = (layer.weight_factor * right[..., :n_inputs]).contiguous()
        self.shift = None
        if layer.bias_factor:
            self.shift = layer.bias_factor * right[..., -1]
        self._merged = None

    def add(self, total, call):
        """Add the sketch of one call's gradients to that of other layers and calls.

        Parameters
        ----------
        total : tensor of shape (n_rows, n_columns)
            Changed in place.

        call : Call
            Its inputs, and the gradients with respect to its output.
        """
        if not self.right.shape[2]:
            self._add_bias(total, call)
        elif self.sums_first(n_positions(self.layer.module, call.gradient.shape)):
            self._add_sums(total, call)
            if self.shift is not None:
                self._add_bias(total, call)
        elif isinstance(self.layer.module, CONVOLUTIONS):
            self._add_convolved(total, call)
        else:
            self._add_positions(total, call)

    def sums_first(self, n_positions):
        """Whether it costs less to sum over positions before sketching."""
        n_left, n_right, q = self.left.shape[2], self.right.shape[2], self.n_columns
        each = n_positions * q * (n_left + n_right + 3 * PASS)
        summed = n_left * n_right * (n_positions + q)
        if not self._is_mergeable():
            summed += 2 * PASS * min(n_left, n_right) * q
        return summed < each

    def _is_mergeable(self):
        """Whether the map of the whole layer, as one matrix, is small."""
        n_left = self.left.shape[2]
        return n_left * self.right.numel() <= MERGED_NUMBERS

    def _add_positions(self, total, call):
        """The left side, for linear layers."""
        inputs, gradient = (by_position(part) for part in call)
        shift = None if self.shift is None else self.shift[0]
        cost = gradient.shape[1] * self.n_columns
        for rows in row_chunks(len(total), cost, CACHED_NUMBERS, 1):
            lefts = linear(gradient[rows], self.left[0])
            rights = linear(inputs[rows], self.right[0], shift)
            if lefts.shape[1] == 1:
                total[rows].addcmul_(lefts[:, 0], rights[:, 0])
            else:
                total[rows].add_(lefts.mul_(rights).sum(1))

    def _add_convolved(self, total, call):
        """The left side, for convolutions: those with the projections as weights."""
        module = self.layer.module
        ones = (1,) * (module.weight.ndim - 2)
        left = self.left.flatten(0, 1).reshape(-1, self.left.shape[2], *ones)
        right = self.right.reshape(-1, *module.weight.shape[1:])
        shift = None if self.shift is None else self.shift.flatten()
        convolve = type(module)(
            left.shape[1] * module.groups, len(left), 1, groups=module.groups
        )
        cost = n_positions(module, call.gradient.shape) * len(left)
        for rows in row_chunks(len(total), cost, CACHED_NUMBERS, 1):
            inputs, gradient = (part[rows] for part in call)
            lefts = convolved(convolve, gradient, left, None)
            rights = convolved(module, inputs, right, shift)
            products = lefts.mul_(rights).flatten(2).sum(2)
            total[rows].add_(products.unflatten(1, (module.groups, -1)).sum(1))

    def _add_sums(self, total, call):
        """The right side, without the bias."""
        module = self.layer.module
        cost = position_sum_cost(module, call)
        for rows in row_chunks(len(total), cost, BLOCK_NUMBERS, 1):
            sums = sums_of_products(module, call, rows)
            if self._is_mergeable():
                total[rows].add_(linear(sums.flatten(1), self._whole_map()))
                continue
            for group, left, right in zip(
                sums.unbind(1), self.left, self.right, strict=True
            ):
                self._add_group(total[rows], group, left, right)

    def _whole_map(self):
        """The products u_ik v_jk, of shape (q, n_groups * a * b), formed once."""
        if self._merged is None:
            products = self.left[..., None] * self.right[:, :, None]
            self._merged = products.transpose(0, 1).reshape(self.n_columns, -1)
        return self._merged

    def _add_group(self, total, sums, left, right):
        """Add u_k^T G v_k for all k: G V, or U^T G, whichever has fewer numbers."""
        if left.shape[1] > right.shape[1]:
            sums, left, right = sums.mT, right, left
        left = left.mT.contiguous()
        cost = left.numel()
        for rows in row_chunks(len(total), cost, CACHED_NUMBERS, 1):
            # (n_rows, a, q): one product of matrices for all rows
            products = linear(sums[rows].flatten(0, 1), right)
            products = products.unflatten(0, (-1, len(left)))
            total[rows].add_(products.mul_(left).sum(1))

    def _add_bias(self, total, call):
        r"""The bias' part, :math:`(\sum_p g_p) \cdot u_k` times its number."""
        sums = sums_of_gradients(self.layer.module, call)
        weight = (self.left * self.shift[..., None]).transpose(0, 1).flatten(1)
        total.add_(linear(sums, weight))
