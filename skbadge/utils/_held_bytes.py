"""How many bytes of memory things take, each counted once."""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any

import numpy as np
from scipy import sparse


class Holder(ABC):
    """What is made of arrays, and knows how many bytes they take."""

    @property
    @abstractmethod
    def _arrays(self) -> Iterable[Any]:
        """Arrays, CSR matrices, tensors: all that is as long as there are rows."""

    @property
    def nbytes(self) -> int:
        """Bytes held by the arrays. Memory that several of them share counts once."""
        return _bytes_of(self._arrays)


def nbytes_beyond(holder: Holder, other: Holder) -> int:
    """Bytes that one holds and the other does not."""
    return _bytes_of([*other._arrays, *holder._arrays]) - other.nbytes


def _bytes_of(arrays):
    """The length of the union of the stretches of memory that arrays lie in."""
    end = total = 0
    for start, stop in sorted(_stretches(arrays)):
        total += max(0, stop - max(start, end))
        end = max(end, stop)
    return total


def _stretches(arrays):
    """Addresses of the first byte of each array, and of the one after its last."""
    for array in arrays:
        if sparse.issparse(array):
            yield from _stretches((array.data, array.indices, array.indptr))
        elif isinstance(array, list | tuple) or 0 in array.shape:
            # A list's numbers lie anywhere, and what is made of it is an array.
            continue
        else:
            if isinstance(array, np.ndarray):
                start, strides = array.__array_interface__["data"][0], array.strides
            else:
                start = array.data_ptr()
                strides = [step * array.itemsize for step in array.stride()]
            steps = zip(array.shape, strides, strict=True)
            reach = [(n - 1) * stride for n, stride in steps]
            low, high = (sum(r for r in reach if r * s > 0) for s in (-1, 1))
            yield start + low, start + high + array.itemsize
