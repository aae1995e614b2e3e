"""A hash of what an object holds, the same in every process."""

from typing import Any

import numpy as np
import torch
from joblib.hashing import NumpyHasher
from sklearn.base import BaseEstimator

from skbadge.pools import array_of

# What a net and a search note about their training, its seconds with it.
_TIMED = ("callbacks_", "history_", "cv_results_", "refit_time_")


def content_hash(value: Any) -> str:
    """Hash what an object holds, in every process alike.

    Equal values have one hash, wherever they lie: an array in any order of memory or
    mapped from a file, a trained model and its copy or loaded twin.

    Raises
    ------
    Exception
        If something in it cannot be pickled.
    """
    return _Hasher().hash(value)


class _Hasher(NumpyHasher):
    dispatch = NumpyHasher.dispatch | {frozenset: NumpyHasher.save_set}

    def save(self, obj):
        if id(obj) in self.memo:
            # An object that holds itself.
            super().save(obj)
            return
        plain = self._plain(obj)
        if plain is not obj:
            self.memoize(obj)
        super().save(plain)
        # What is done with is forgotten: one object held twice counts as two that are
        # equal.
        for done in (obj, plain):
            self.memo.pop(id(done), None)

    def put(self, idx):
        # How an object was come by does not count.
        return b""

    def _plain(self, obj):
        """The same value in a form whose pickle says nothing but the value."""
        if isinstance(obj, torch.Tensor):
            # The pickle of a tensor differs from that of its copy.
            kind = "tensor", str(obj.dtype), obj.requires_grad
            # Those of lazy modules have no values yet.
            is_lazy = torch.nn.parameter.is_lazy(obj)
            dense = None if is_lazy else obj.to_dense().resolve_conj().resolve_neg()
            return (*kind, None if is_lazy else array_of(dense))
        if isinstance(obj, np.ma.MaskedArray):
            # joblib fails on its pickle.
            return "masked", obj.filled(), np.ma.getmaskarray(obj)
        if isinstance(obj, np.ndarray | np.void):
            return _plain_array(np.asarray(obj))
        if isinstance(obj, torch.optim.Optimizer):
            # Its own state has tensors for keys.
            return type(obj), obj.state_dict()
        if obj is np.random.mtrand._rand:
            # NumPy's global generator, which distributions of SciPy hold, whatever it
            # has drawn by now.
            return "numpy.random"
        if isinstance(obj, BaseEstimator) and not isinstance(obj, type):
            # Without scikit-learn's version.
            state = {k: v for k, v in vars(obj).items() if k not in _TIMED}
            return type(obj), state
        return obj


def _plain_array(array):
    if array.dtype.names is not None:
        # Between the fields of a record there may be bytes of no meaning.
        return array.shape, {name: array[name] for name in array.dtype.names}
    if array.dtype.hasobject:
        return array.shape, array.ravel().tolist()
    if array.size == 0:
        return array.shape, array.dtype
    if array.ndim != 1:
        return array.shape, array.ravel()
    # The stride of a single element may be anything.
    return array if array.strides == (array.itemsize,) else array.copy()
