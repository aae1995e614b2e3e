"""One rule for ties: rounding, and rows that have a number of their own."""

import numpy as np
import pytest
from scipy.stats import chisquare, kstest

from skbadge.utils._streams import row_uniforms
from skbadge.utils._ties import Ties, equal_floor, rounded

PRECISIONS = [np.float64, np.float32]
DIGITS = {np.float64: 12, np.float32: 5}
QUANTA = [0.0, 1e-8, 3e-9, 7.3e-13]


def values_of_all_kinds(quantum):
    """Values of any size and sign, many next to powers of ten and to each other."""
    rng = np.random.RandomState(0)
    tens = 10.0 ** np.arange(-20, 5)
    values = [
        rng.normal(size=5000) * 10 ** rng.uniform(-20, 3, size=5000),
        tens,
        np.nextafter(tens, 0),
        np.nextafter(tens, np.inf),
        (1 + 1e-12 * rng.randint(-30, 30, size=3000)) * rng.choice(tens, 3000),
        quantum * rng.uniform(0, 3, size=1000),
        [0.0, 5e-324, 1e-310, 1e300, np.inf],
    ]
    values = np.concatenate(values)
    return np.unique(np.concatenate([values, -values]))


@pytest.mark.parametrize("dtype", PRECISIONS)
@pytest.mark.parametrize("quantum", QUANTA)
def test_a_greater_value_is_never_rounded_to_a_lesser(dtype, quantum):
    values = values_of_all_kinds(quantum)
    assert (np.diff(rounded(values, dtype, quantum)) >= 0).all()


@pytest.mark.parametrize("dtype", PRECISIONS)
@pytest.mark.parametrize("quantum", QUANTA)
def test_rounding_moves_a_value_by_half_a_step_at_most(dtype, quantum):
    values = values_of_all_kinds(quantum)
    values = values[np.isfinite(values) & (np.abs(values) > 1e-300)]
    step = np.maximum(np.abs(values) * 10.0 ** (1 - DIGITS[dtype]), quantum)
    assert (np.abs(rounded(values, dtype, quantum) - values) <= 0.51 * step).all()


@pytest.mark.parametrize("dtype", PRECISIONS)
def test_significant_digits_are_kept(dtype):
    for value in (1.0, 9.99999999999, 123456.789012, 1e-30, 2.5e17):
        grid = float(f"{value:.{DIGITS[dtype] - 1}e}")
        np.testing.assert_allclose(rounded(value, dtype), grid, rtol=1e-15)
        last = 10.0 ** (np.floor(np.log10(grid)) - DIGITS[dtype] + 1)
        assert rounded(grid + 0.3 * last, dtype) == rounded(grid, dtype)
        assert rounded(grid + last, dtype) > rounded(grid, dtype)


@pytest.mark.parametrize("power", range(-30, 20))
def test_neighbours_of_powers_of_ten_are_equal(power):
    ten = float(f"1e{power}")
    near = np.array([np.nextafter(ten, 0), ten, np.nextafter(ten, np.inf)])
    assert len(np.unique(rounded(near))) == 1
    # By itself a value is rounded as among others.
    assert {float(rounded(value)) for value in near} == {rounded(near)[0]}


def test_what_has_no_grid_stays():
    values = np.array([0.0, np.inf, -np.inf])
    np.testing.assert_array_equal(rounded(values), values)
    np.testing.assert_array_equal(rounded(values, quantum=0.1), values)


@pytest.mark.parametrize("dtype", PRECISIONS)
@pytest.mark.parametrize("quantum", QUANTA)
def test_no_equal_value_lies_below_the_floor(dtype, quantum):
    values = values_of_all_kinds(quantum)
    own = rounded(values, dtype, quantum)
    for value in np.random.RandomState(1).choice(values, 400):
        equal = values[own == rounded(value, dtype, quantum)]
        floor = equal_floor(value, dtype, quantum)
        assert floor <= equal.min()
        assert floor >= value - max(1e-3 * abs(value), quantum)


def test_the_greatest_is_that_of_least_key_among_equals():
    values = np.array([1.0, 3.0, 3.0 + 1e-13, 2.0, 3.0 - 1e-13, 3.0 - 1e-9])
    counts = np.zeros(6, dtype=int)
    for seed in range(900):
        ties = Ties(np.random.RandomState(seed))
        position = ties.greatest(values)
        equal = np.array([1, 2, 4])
        assert position == equal[ties.keys(equal).argmin()]
        counts[position] += 1
    assert chisquare(counts[[1, 2, 4]]).pvalue > 1e-4
    assert counts.sum() == counts[[1, 2, 4]].sum()


def test_rows_keep_their_numbers_whatever_stands_beside_them():
    ties = Ties(np.random.RandomState(0))
    rows = np.array([7, 3, 11])
    values = np.ones(3)
    order = np.random.RandomState(1).permutation(3)
    assert (
        rows[ties.greatest(values, rows)]
        == rows[order][ties.greatest(values, rows[order])]
    )
    np.testing.assert_array_equal(ties.keys(rows), ties.keys(np.arange(12))[rows])


def test_single_precision_ties_earlier():
    values = np.array([1.0, 1.0 - 1e-6, 1.0 - 1e-3])
    single = {
        Ties(np.random.RandomState(seed)).greatest(values, dtype=np.float32)
        for seed in range(40)
    }
    double = {Ties(np.random.RandomState(seed)).greatest(values) for seed in range(40)}
    assert single == {0, 1}
    assert double == {0}


def test_a_quantum_lets_small_differences_tie():
    values = np.array([5e-9, 4.9e-9, 2e-8])
    winners = {
        Ties(np.random.RandomState(seed)).greatest(values[:2], quantum=2e-9)
        for seed in range(40)
    }
    assert winners == {0, 1}
    assert Ties(np.random.RandomState(0)).greatest(values, quantum=2e-9) == 2


def test_infinities_are_compared_as_they_are():
    ties = Ties(np.random.RandomState(0))
    assert ties.greatest(np.array([-np.inf, 0.0, -1.0])) == 1
    assert ties.greatest(np.array([1.0, np.inf])) == 1
    assert ties.greatest(np.array([-np.inf, -np.inf])) in (0, 1)


def test_a_generator_is_advanced_by_one_draw():
    rng, twin = np.random.RandomState(0), np.random.RandomState(0)
    first, second = Ties(rng), Ties(rng)
    assert first.seed != second.seed
    twin.randint(2**31 - 1)
    assert Ties(twin).seed == second.seed


@pytest.mark.parametrize("seed", [0, 1, 2**31 - 2])
def test_numbers_of_rows_are_uniform_and_do_not_hang_together(seed):
    numbers = row_uniforms(seed, np.arange(20_000))
    assert numbers.min() >= 0
    assert numbers.max() < 1
    assert len(np.unique(numbers)) == len(numbers)
    assert kstest(numbers, "uniform").pvalue > 1e-4
    for lag in (1, 2, 64):
        assert abs(np.corrcoef(numbers[lag:], numbers[:-lag])[0, 1]) < 0.03
    others = row_uniforms(seed + 1, np.arange(20_000))
    assert abs(np.corrcoef(numbers, others)[0, 1]) < 0.03
    # Neighbouring streams are not shifted copies of each other.
    assert not np.isin(numbers, others).any()
