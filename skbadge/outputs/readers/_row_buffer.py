"""An array that is filled batch by batch, without a second copy of it."""

import numpy as np
import torch

from skbadge.utils._place import new_array


class RowBuffer:
    """Rows that arrive in batches, written in place into one array.

    Parameters
    ----------
    n_rows : int or None
        How many rows will arrive. None if unknown: the array then grows by doubling.

    name : str
        What the rows are, for the errors.
    """

    def __init__(self, n_rows, name):
        self.n_rows = n_rows
        self.name = name
        self.filled = 0
        self._array = None
        self._staged = None

    @property
    def has_staged(self):
        """Whether rows are written that are not committed."""
        return self._staged is not None

    def stage(self, rows, dtype, copy=np.copyto):
        """Write rows behind the filled part. Staging again overwrites them."""
        stop = self.filled + len(rows)
        if self._array is None:
            capacity = max(stop, self.n_rows or 0)
            self._array = new_array((capacity, rows.shape[1]), dtype)
        elif rows.shape[1] != self._array.shape[1]:
            raise ValueError(
                f"The {self.name} must have the same width for all rows. Got "
                f"{self._array.shape[1]} columns first and {rows.shape[1]} later."
            )
        if stop > len(self._array):
            grown = new_array((2 * stop, self._array.shape[1]), self._array.dtype)
            grown[: self.filled] = self._array[: self.filled]
            self._array = grown
        copy(self._array[self.filled : stop], rows)
        self._staged = len(rows)

    def commit(self, n_batch):
        """Accept the staged rows, which must be as many as the batch had."""
        if self._staged != n_batch:
            raise ValueError(
                f"The {self.name} must have one row for each row of the model's "
                f"output. Got {self._staged} rows for {n_batch}."
            )
        self.filled += n_batch
        self._staged = None

    def finish(self):
        """Return the filled rows. Raises if they are not as many as were announced."""
        if self.n_rows is not None and self.filled != self.n_rows:
            raise ValueError(
                f"The net must return one output for each row. Got {self.filled} "
                f"outputs for {self.n_rows} rows: check `iterator_valid` "
                "(`drop_last`, a sampler) and `dataset`."
            )
        if self.filled == len(self._array):
            return self._array
        # A copy, so that the spare capacity is not kept alive by a view.
        return self._array[: self.filled].copy()


class TensorBuffer(RowBuffer):
    """A buffer that is filled with tensors, by torch's threads and from any device."""

    def stage(self, tensor):
        """Write a tensor of shape (n_batch, n_columns), in float32 or better."""
        is_double = tensor.dtype is torch.float64
        super().stage(tensor, np.float64 if is_double else np.float32, _copy)


class NormedBuffer(TensorBuffer):
    """A buffer that takes the norms of its rows as well, while they are in cache."""

    def __init__(self, n_rows, name):
        super().__init__(n_rows, name)
        self._norms = RowBuffer(n_rows, name)

    def stage(self, tensor):
        """Write a tensor of shape (n_batch, n_columns), in float32 or better."""
        super().stage(tensor)
        # In float64, as rows may be cast to it: equal rows must be at distance 0.
        norms = torch.linalg.vector_norm(tensor, dim=1, dtype=torch.float64)
        self._norms.stage(norms[:, None], np.float64, _copy)

    def commit(self, n_batch):
        """Accept the staged rows, which must be as many as the batch had."""
        super().commit(n_batch)
        self._norms.commit(n_batch)

    def finish(self):
        """Return the filled rows and their squared norms, in float64."""
        return super().finish(), self._norms.finish()[:, 0] ** 2


def _copy(target, tensor):
    """Write a tensor from any device into an array."""
    torch.from_numpy(target).copy_(tensor.detach())
