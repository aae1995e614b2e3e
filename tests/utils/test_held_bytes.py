"""Bytes of memory that things take, each counted once."""

import numpy as np
import pytest
import torch
from scipy import sparse

from skbadge.utils._held_bytes import Holder, nbytes_beyond


class Held(Holder):
    def __init__(self, *arrays):
        self.arrays = arrays

    @property
    def _arrays(self):
        return self.arrays


WHOLE = np.arange(120.0).reshape(12, 10)
CSR = sparse.csr_matrix(WHOLE)

SHARED = {
    "nothing": ((), 0),
    "itself": ((WHOLE, WHOLE), 960),
    "a view": ((WHOLE.ravel(), WHOLE), 960),
    "a part of it": ((WHOLE[2:7], WHOLE), 960),
    "parts apart": ((WHOLE[:3], WHOLE[5:7]), 400),
    "parts that overlap": ((WHOLE[:5], WHOLE[3:7]), 560),
    "backwards": ((WHOLE[:5][::-1], WHOLE[3:7]), 560),
    "transposed": ((WHOLE.T, WHOLE[:2]), 960),
    "no rows": ((WHOLE[:0], WHOLE[:2]), 160),
    "a list": (([[1.0, 2.0]], WHOLE), 960),
    "a copy": ((WHOLE, WHOLE.copy()), 1920),
    "a tensor of the memory": ((torch.from_numpy(WHOLE)[:, :2].T, WHOLE), 960),
    "a tensor of its own": ((torch.ones(7, 3), WHOLE), 960 + 84),
    "sparse": ((CSR, CSR), CSR.data.nbytes + CSR.indices.nbytes + CSR.indptr.nbytes),
}


@pytest.mark.parametrize("name", SHARED)
def test_memory_that_is_shared_counts_once(name):
    arrays, expected = SHARED[name]
    assert Held(*arrays).nbytes == Held(*arrays[::-1]).nbytes == expected


def test_what_one_holds_beyond_another():
    whole, own = Held(WHOLE), np.ones(5)
    assert nbytes_beyond(Held(WHOLE[3:5], own), whole) == 40
    assert nbytes_beyond(whole, Held(WHOLE[3:5], own)) == 960 - 160
    assert nbytes_beyond(whole, whole) == 0
