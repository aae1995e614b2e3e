"""A hash of what an object holds, the same in every process."""

from typing import Any

import numpy as np
import torch
from joblib.hashing import NumpyHasher
from sklearn.base import BaseEstimator

from skbadge.pools import array_of


def content_hash(value: Any) -> str:
    """Hash what an object holds, as `joblib.hash` does, in every process alike.

    An array in another order of memory counts as another: so a trained model may
    differ from its loaded copy.

    Raises
    ------
    Exception
        If something in it cannot be pickled.
    """
    return _Hasher().hash(value)


class _Hasher(NumpyHasher):
    dispatch = NumpyHasher.dispatch | {frozenset: NumpyHasher.save_set}

    def save(self, obj):
        if isinstance(obj, torch.Tensor):
            # The pickle of a tensor differs from that of its copy.
            kind = "tensor", str(obj.dtype), obj.requires_grad
            # Those of lazy modules have no values yet.
            is_lazy = torch.nn.parameter.is_lazy(obj)
            dense = None if is_lazy else obj.to_dense().resolve_conj().resolve_neg()
            obj = (*kind, None if is_lazy else array_of(dense))
        elif isinstance(obj, np.ma.MaskedArray):
            # joblib fails on its pickle.
            obj = ("masked", obj.filled(), np.ma.getmaskarray(obj))
        elif isinstance(obj, torch.optim.Optimizer):
            # Its own state has tensors for keys.
            obj = (type(obj), obj.state_dict())
        elif obj is np.random.mtrand._rand:
            # NumPy's global generator, which distributions of SciPy hold, whatever it
            # has drawn by now.
            obj = "numpy.random"
        elif isinstance(obj, BaseEstimator) and not isinstance(obj, type):
            # Without scikit-learn's version, and the times that a net's training took.
            state = dict(vars(obj))
            for name in ("callbacks_", "history_"):
                state.pop(name, None)
            obj = (type(obj), state)
        super().save(obj)
