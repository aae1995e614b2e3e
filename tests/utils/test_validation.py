"""Checks of `n` and of positions that somebody else selected."""

import warnings

import numpy as np
import pytest

from skbadge.exceptions import QueryWarning
from skbadge.utils._validation import check_n, check_rows


@pytest.mark.parametrize("n", [0, 3, 5, np.int32(3), np.uint8(0)])
def test_an_int_up_to_the_number_of_rows_is_taken_as_it_is(n):
    checked = check_n(n, 5)
    assert checked == n
    assert type(checked) is int


def test_more_than_there_are_is_all_with_a_warning():
    with pytest.warns(QueryWarning, match="`n`=6 is above the 5 rows there are"):
        assert check_n(6, 5) == 5
    with pytest.warns(QueryWarning, match="`n`=1 is above the 0 rows"):
        assert check_n(1, 0) == 0


@pytest.mark.parametrize(
    "n", [2.0, "2", None, True, np.bool_(True), [2], np.float64(2)]
)
def test_anything_but_an_int_is_refused(n):
    with pytest.raises(TypeError, match=r"`n` must be an int. Got "):
        check_n(n, 5)


def test_negative_n_is_refused():
    with pytest.raises(ValueError, match=r"`n` must be >= 0. Got -3 instead"):
        check_n(-3, 5)


@pytest.mark.parametrize(
    "rows", [[4, 0, 2], np.array([4, 0, 2], dtype=np.uint8), (4, 0, 2)]
)
def test_good_positions_become_int64(rows):
    checked = check_rows(rows, 3, 5, "It")
    assert checked.dtype == np.int64
    np.testing.assert_array_equal(checked, [4, 0, 2])


def test_no_positions_may_have_any_dtype():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert check_rows([], 0, 5, "It").dtype == np.int64


@pytest.mark.parametrize(
    ("rows", "match"),
    [
        ([0, 1], r"It must return an array of 3 int positions. Got .* shape \(2,\)"),
        ([[0], [1], [2]], r"shape \(3, 1\)"),
        ([0.0, 1.0, 2.0], "Got dtype float64"),
        ([True, False, True], "Got dtype bool"),
        (None, "Got dtype object"),
        ([0, 1, 5], "positions between 0 and 4. Got 5 among them"),
        ([0, -1, 2], "positions between 0 and 4. Got -1 among them"),
        ([0, 1, 1], "distinct positions"),
    ],
)
def test_bad_positions_are_refused(rows, match):
    with pytest.raises(ValueError, match=match):
        check_rows(rows, 3, 5, "It")
