"""Numbers that belong to rows do not depend on how the rows are asked for."""

import numpy as np
import pytest
from scipy.stats import kstest

from skbadge.utils._row_random import BLOCK, log_exponentials, row_random


def numbers(first, n_rows, seed=0, stream="test", number=0):
    return row_random(seed, stream, number, first, n_rows)


def test_the_first_blocks_share_no_number():
    # A block with its number in the first word of the counter would be the one before
    # it, moved by four rows.
    uniforms = numbers(0, 4 * BLOCK)
    assert len(np.unique(uniforms)) == 4 * BLOCK


@pytest.mark.parametrize("n_rows", [1, 7, 1000, 5000])
def test_chunks_agree_across_the_borders_of_blocks(n_rows):
    first, stop = BLOCK - 1100, 2 * BLOCK + 1100
    if n_rows == 1:
        first, stop = BLOCK - 3, BLOCK + 3
    pieces = [
        numbers(start, min(n_rows, stop - start))
        for start in range(first, stop, n_rows)
    ]
    np.testing.assert_array_equal(np.concatenate(pieces), numbers(0, stop)[first:])


def test_far_rows_take_no_time_and_have_numbers_of_their_own():
    far = numbers(10**12, 5000)
    assert len(np.intersect1d(far, numbers(0, 5000))) == 0
    np.testing.assert_array_equal(far[3000:], numbers(10**12 + 3000, 2000))


@pytest.mark.parametrize(
    "other", [{"seed": 1}, {"stream": "other"}, {"number": 1}], ids=str
)
def test_seeds_streams_and_passes_are_independent(other):
    one, two = numbers(0, 5000), numbers(0, 5000, **other)
    assert len(np.intersect1d(one, two)) == 0
    assert abs(np.corrcoef(one, two)[0, 1]) < 0.06


def test_numbers_are_uniform_and_their_logarithms_exponential():
    uniforms = numbers(0, 20_000)
    assert kstest(uniforms, "uniform").pvalue > 1e-4
    assert kstest(np.exp(log_exponentials(uniforms)), "expon").pvalue > 1e-4


def test_logarithms_are_finite_at_both_ends():
    logs = log_exponentials(np.array([0.0, 2.0**-53, 0.5, 1 - 2.0**-53]))
    assert np.isfinite(logs).all()
    assert (np.diff(logs) > 0).all()


def test_no_rows_have_no_numbers():
    assert numbers(123, 0).shape == (0,)
