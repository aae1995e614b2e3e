"""Queries of nets whose linear layers run by oneDNN: the same picks, and a note."""

import numpy as np
import pytest
import torch

from skbadge import BadgeQuerier
from skbadge.nn import TabularNetClassifier
from skbadge.utils import _fast_products
from skbadge.utils._fast_products import NOTE, SWITCH


@pytest.fixture
def in_table(monkeypatch):
    """As on a processor of the table, and smaller products too."""
    monkeypatch.setattr(_fast_products, "_is_faster", lambda: True)
    monkeypatch.setattr(_fast_products, "LEAST_MULTIPLICATIONS", 2**14)


@pytest.mark.skipif(
    not torch.backends.mkldnn.is_available(), reason="torch was built without oneDNN"
)
@pytest.mark.parametrize("strategy", ["badge", "core_set", "margin", "lcmd"])
def test_picks_are_the_same_and_the_report_says_which_kernels_read(
    in_table, monkeypatch, strategy
):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(1000, 20)).astype("f4")
    net = TabularNetClassifier(hidden_sizes=(64, 32), max_epochs=5)
    querier = BadgeQuerier(net, strategy=strategy, random_state=0)
    querier.fit(X[:100], (X[:100] > 0)[:, :2] @ [1, 2])
    pool = X[100:]
    fast, said = querier.query(pool, 20, return_report=True)
    again = querier.query(pool, 20)
    monkeypatch.setenv(SWITCH, "0")
    slow, silent = querier.query(pool, 20, return_report=True)
    np.testing.assert_array_equal(fast, again)
    np.testing.assert_array_equal(fast, slow)
    assert NOTE in said.notes
    assert f"note: {NOTE}" in str(said)
    assert NOTE not in silent.notes
