"""Rows are equal if and only if their numbers are, whatever holds them."""

import datetime
from decimal import Decimal
from fractions import Fraction
from itertools import product

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import sparse

from skbadge.pools import concatenate_rows, row_codes, row_ids, rows_among
from tests.pools._containers import Rows

try:
    import polars as pl
except ImportError:
    pl = None

BIG = 2**60
# Neighbours that are one number in float64, and the float itself.
INTEGERS = [BIG, BIG + 1, BIG + 1, BIG + 128, -BIG - 1, 2**53 + 1, 5, 2**63 - 1]
with_polars = pytest.param("polars", marks=pytest.mark.skipif(pl is None, reason=""))


def holders(integers):
    """The integers in a column beside a column of halves, in many containers."""
    halves = [0.5] * len(integers)
    ints, floats = np.array(integers), np.array(halves)
    frame = pd.DataFrame({"a": ints, "b": floats})
    found = {
        "ints": np.column_stack([ints, ints]),
        "objects": np.array(list(zip(integers, halves, strict=True)), dtype=object),
        "list": [list(row) for row in zip(integers, halves, strict=True)],
        "tuples": list(zip(halves, integers, strict=True)),
        "tensor": torch.tensor(integers)[:, None],
        "csr": sparse.csr_matrix(ints[:, None]),
        "frame": frame,
        "narrow frame": frame[["a"]],
        "series": frame["a"],
        "int and uint": frame.assign(b=np.uint64(3)),
        "nullable": frame.astype({"a": "Int64"}),
        "nullable floats": frame.convert_dtypes(),
        "with objects": frame.assign(c="x"),
        "objects in a frame": frame.astype(object),
        "categories": frame.astype({"a": "category"}),
        "dict": {"a": ints, "b": frame},
        "dataset": Rows(ints[:, None]),
    }
    if pl is not None:
        found["polars"] = pl.DataFrame({"a": integers, "b": halves})
        found["polars series"] = pl.Series(integers)
    return found


HELD, FIRST = holders(INTEGERS), holders(INTEGERS[:1])


@pytest.mark.parametrize("kind", HELD)
def test_large_integers_are_told_apart(kind):
    codes = row_codes(HELD[kind])
    assert codes[1] == codes[2]
    assert len(set(codes.tolist())) == 7
    assert rows_among(HELD[kind], FIRST[kind]).tolist() == [True] + [False] * 7
    assert rows_among(HELD[kind], HELD[kind]).all()


@pytest.mark.parametrize("kind", set(HELD) - {"objects", "objects in a frame"})
def test_identities_tell_large_integers_apart(kind):
    ids = row_ids(HELD[kind])
    assert ids[1] == ids[2]
    assert len(set(ids)) == 7
    # As where no row is large.
    few = holders([5, 7])[kind]
    assert ids[6] == row_ids(few)[0]


def test_missing_integers_do_not_cast_the_others():
    column = pd.array([BIG, BIG + 1, None, 0, None], dtype="Int64")
    frame = pd.DataFrame({"a": column, "b": 1.0})
    assert row_codes(frame)[2] == row_codes(frame)[4]
    assert len(set(row_codes(frame))) == 4
    among = rows_among(frame, frame.iloc[[1, 2]])
    assert among.tolist() == [False, True, True, False, True]
    floats = pd.DataFrame({"a": [np.nan, float(BIG)], "b": [1.0, 1.0]})
    assert rows_among(frame, floats).tolist() == [True, False, True, False, True]
    objects = frame.astype(object)
    assert rows_among(frame, objects.iloc[[1, 2]]).tolist() == among.tolist()


def test_missing_integers_of_polars():
    pytest.importorskip("polars")
    frame = pl.DataFrame({"a": [BIG, BIG + 1, None, 0, None], "b": [1.0] * 5})
    assert len(set(row_codes(frame))) == 4
    floats = pl.DataFrame({"a": [float("nan"), float(BIG)], "b": [1, 1]})
    assert rows_among(frame, floats).tolist() == [True, False, True, False, True]
    assert rows_among(frame, frame[[1]]).tolist() == [False, True] + [False] * 3


NUMBERS = [
    np.array([BIG, BIG + 1, BIG - 1, 0]),
    np.array([BIG, BIG + 1, 2**63, 2**64 - 1], dtype=np.uint64),
    np.array([float(BIG), 2.0**63, 2.0**64, np.nan, -0.0]),
    np.array([0.1, 0, np.nan], dtype=np.float32),
    np.array([0.1, 1]),
    np.array([True, False]),
    np.array([1, -1], dtype=np.int8),
    np.array([-(2**63), 2**63 - 1, -BIG - 1]),
    np.array([BIG, BIG + 1, f"{BIG}.5", 0.1, "nan"], dtype=np.longdouble),
    np.array(["1e4000", "1e-4000", "inf", 1], dtype=np.longdouble),
]


def same(first, second):
    """Equality of two Python numbers, which is exact, or of two that are none."""
    return first == second or (first != first and second != second)


def python_number(entry):
    """A number as one of Python's, which are compared exactly."""
    value = entry.item()
    if not isinstance(value, np.longdouble):
        return value
    return Fraction(*value.as_integer_ratio()) if np.isfinite(value) else float(value)


@pytest.mark.parametrize(("i", "j"), list(product(range(len(NUMBERS)), repeat=2)))
def test_numbers_of_any_two_dtypes_are_compared_exactly(i, j):
    mine, theirs = NUMBERS[i], NUMBERS[j]
    others = [python_number(entry) for entry in theirs]
    expected = [any(same(python_number(x), y) for y in others) for x in mine]
    assert rows_among(mine, theirs).tolist() == expected
    if np.longdouble not in (mine.dtype, theirs.dtype):
        frames = (pd.DataFrame({"a": x, "b": np.float32(1)}) for x in (mine, theirs))
        assert rows_among(*frames).tolist() == expected


def test_random_integers_by_brute_force():
    rng = np.random.RandomState(0)
    rows = BIG + rng.randint(-3, 4, size=(3000, 4))
    others = BIG + rng.randint(-3, 4, size=(200, 4))
    known = set(map(tuple, others.tolist()))
    expected = [tuple(row) in known for row in rows.tolist()]
    assert 100 < sum(expected) < 2000
    for make in (np.asarray, sparse.csr_matrix, pd.DataFrame, np.ndarray.tolist):
        assert rows_among(make(rows), make(others)).tolist() == expected
        pairs = set(zip(row_codes(make(rows)).tolist(), map(tuple, rows), strict=True))
        assert len(pairs) == len(set(map(tuple, rows.tolist())))
    assert concatenate_rows(rows, others).dtype == np.int64


def test_sparse_integers_of_which_float64_loses_some():
    matrix = sparse.csr_matrix(np.array([[0, BIG], [0, BIG + 1], [7, BIG + 1]]))
    assert rows_among(matrix, matrix[1:2]).tolist() == [False, True, False]
    assert rows_among(matrix, matrix[:1].astype(float)).tolist() == [True, False, False]
    assert rows_among(matrix, matrix.toarray()[1:2]).tolist() == [False, True, False]
    assert len(set(row_codes(matrix))) == 3


def test_sparse_numbers_beyond_the_range_of_float64_are_refused():
    matrix = sparse.csr_matrix(np.array([["1e4000"]], dtype=np.longdouble))
    with pytest.raises(ValueError, match="in the range of float64"):
        row_codes(matrix)


def test_sparse_complex_numbers():
    matrix = sparse.csr_matrix(np.array([[1 + 1j], [1 - 1j], [1 + 1j]]))
    assert row_codes(matrix)[0] == row_codes(matrix)[2]
    assert len(set(row_codes(matrix))) == 2


# Text, times and what stands beside numbers


def test_lists_in_which_text_stands_beside_numbers():
    rows = [[1, "a"], ["1", "a"], [1.0, "a"], [b"1", "a"]]
    codes = row_codes(rows)
    assert codes[0] == codes[2]
    assert len(set(codes)) == 3
    assert rows_among(rows, rows[1:2]).tolist() == [False, True, False, False]
    assert len(set(row_ids(rows[:2]))) == 2
    texts = [["1", "a"], ["2", "a"]]
    assert rows_among(texts, rows[:2]).tolist() == [True, False]
    assert row_ids(texts) == row_ids(np.array(texts)) == row_ids(list(np.array(texts)))


def test_codes_of_objects_are_not_taken_for_numbers():
    objects = np.array([["x"], ["y"]], dtype=object)
    assert not rows_among(objects, np.array([[0.0], [1.0]])).any()
    assert not rows_among(np.array([[0.0], [1.0]]), objects).any()
    mixed = np.array([[2.0], ["y"]], dtype=object)
    assert rows_among(np.array([[0.0], [2.0]]), mixed).tolist() == [False, True]


def test_columns_of_other_kinds_at_other_places():
    frame = pd.DataFrame({"a": [1, 2], "b": ["x", "y"]})
    turned = pd.DataFrame({"c": ["x", "y"], "d": [1, 2]})
    assert not rows_among(frame, turned).any()


@pytest.mark.parametrize("make", [pd.DataFrame, with_polars])
def test_columns_in_another_order(make):
    make = pl.DataFrame if make == "polars" else make
    frame = make({"a": [1, 2, 3], "b": [2, 1, 3]})
    turned = make({"b": [1], "a": [2]})
    assert rows_among(frame, turned).tolist() == [False, True, False]


def test_columns_of_one_name():
    frame = pd.DataFrame([[1, "x"], [1, "y"], [1, "x"]], columns=["a", "a"])
    assert row_codes(frame).tolist()[0] == row_codes(frame).tolist()[2]
    assert rows_among(frame, frame.iloc[1:2]).tolist() == [False, True, False]
    assert len(set(row_ids(frame))) == 2


def test_times_of_any_unit_and_year():
    days = np.array(["2020-01-01", "9999-01-01", "NaT", "-5000-01-01"], dtype="M8[D]")
    assert rows_among(days, days.astype("M8[s]")).all()
    assert rows_among(days, days[:1].astype("M8[ns]")).sum() == 1
    later = days[:1].astype("M8[ns]") + np.array([1], dtype="m8[ns]")
    assert not rows_among(days, later).any()
    assert rows_among(days, days[2:3].astype("M8[ns]")).tolist() == [False, False, 1, 0]
    before = np.array([-1, -(10**9), 1], dtype="m8[ns]")
    assert rows_among(before, np.array([-1], dtype="m8[s]")).tolist() == [0, 1, 0]


def test_nanoseconds_of_polars():
    pytest.importorskip("polars")
    ticks = pl.Series([10**18, 10**18 + 1, 10**18, None])
    for dtype in (pl.Datetime("ns"), pl.Duration("ns")):
        codes = row_codes(ticks.cast(dtype))
        assert codes[0] == codes[2]
        assert len(set(codes)) == 3
    frame = pl.DataFrame({"a": ticks.cast(pl.Datetime("ns"))})
    coarse = frame.select(pl.col("a").cast(pl.Datetime("us")))
    assert rows_among(frame, coarse[:1]).tolist() == [True, False, True, False]


def test_wide_numbers_of_polars():
    pytest.importorskip("polars")
    wide = pl.Series([2**100, 2**100 + 1, 2**100]).cast(pl.Int128)
    assert rows_among(wide, wide[1:2]).tolist() == [False, True, False]
    prices = pl.Series([Decimal("1.10"), Decimal("1.11")])
    assert rows_among(prices, prices[1:]).tolist() == [False, True]


@pytest.mark.parametrize(
    ("one", "twin", "other"),
    [
        (np.float32("nan"), float("nan"), 0.0),
        (np.bool_(True), 1, False),
        (np.int64(BIG + 1), BIG + 1, float(BIG)),
        (1 + 0j, 1.0, 1 + 1j),
        (complex(np.nan, 1), complex(np.nan, 1), complex(np.nan, 2)),
        (Decimal("0.5"), 0.5, Decimal("0.1")),
        (pd.NA, np.nan, 0),
        (None, np.nan, "None"),
        (pd.NaT, np.nan, datetime.date(2020, 1, 1)),
        ({"a": 1}, {"a": 1.0}, {"a": "1"}),
        (torch.tensor([1.0]), np.array([1]), [2]),
        (np.datetime64("2020-01-01"), np.datetime64("2020-01-01T00", "s"), 0),
        (np.timedelta64(1, "s"), np.timedelta64(1000, "ms"), 1000),
        ({1, 2}, {2, 1}, {1}),
    ],
    ids=repr,
)
def test_objects_are_compared_by_what_they_are(one, twin, other):
    rows = np.empty(3, dtype=object)
    rows[:] = [one, twin, other]
    codes = row_codes(rows)
    assert codes[0] == codes[1] != codes[2]
    assert rows_among(rows, rows[:1]).tolist() == [True, True, False]
