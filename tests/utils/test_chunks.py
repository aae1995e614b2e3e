"""Blocks of rows."""

import numpy as np
import pytest

from skbadge.utils._chunks import row_chunks


@pytest.mark.parametrize("n_rows", [0, 1, 9, 10, 11, 1000])
@pytest.mark.parametrize("cost_per_row", [0, 1, 7, 10**9])
def test_blocks_cover_all_rows_in_order_without_gaps(n_rows, cost_per_row):
    blocks = list(row_chunks(n_rows, cost_per_row, budget=70, minimum=10))
    covered = [row for block in blocks for row in range(n_rows)[block]]
    assert covered == list(range(n_rows))


def test_blocks_keep_to_the_budget_but_not_below_the_minimum():
    sizes = [b.stop - b.start for b in row_chunks(100, 5, budget=70, minimum=2)]
    assert sizes == [14] * 7 + [2]
    sizes = [b.stop - b.start for b in row_chunks(100, 50, budget=70, minimum=30)]
    assert sizes == [30, 30, 30, 10]


def test_default_block_of_wide_rows_is_at_most_the_stated_budget():
    widest = max(b.stop - b.start for b in row_chunks(10**6, 100))
    assert 1024 <= widest <= 2**19 // 100
    np.testing.assert_equal(list(row_chunks(3, 10**12)), [slice(0, 3)])
