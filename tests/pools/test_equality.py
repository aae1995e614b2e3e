"""Rows that are equal: to each other, and to those of another container."""

import datetime

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import sparse

from skbadge.pools import Inputs, _equality, concatenate_rows, row_codes, rows_among
from tests.pools._containers import CONTAINERS, all_containers

X = np.random.RandomState(0).randint(3, size=(40, 2)).astype(float)


def same_partition(codes, keys):
    keys = list(keys)
    pairs = set(zip(codes.tolist(), keys, strict=True))
    return len(pairs) == len(set(codes.tolist())) == len(set(keys))


@all_containers
def test_codes_are_equal_exactly_where_rows_are(make):
    codes = row_codes(make(X))
    assert codes.dtype == np.int64
    assert codes.shape == (40,)
    assert same_partition(codes, map(tuple, X))


@all_containers
def test_rows_are_found_among_others(make):
    others = X[X[:, 0] == 1][:4]
    expected = [any((row == other).all() for other in others) for row in X]
    among = rows_among(make(X), make(others))
    assert among.dtype == bool
    assert among.tolist() == expected
    assert not rows_among(make(X), make(others + 10)).any()
    assert not rows_among(make(X), make(others[:0])).any()


@pytest.mark.parametrize(
    "dtype", [np.float64, np.float32, np.float16, np.int64, np.int8]
)
@pytest.mark.parametrize("other", [np.float64, np.float32, np.int64, np.uint8])
def test_numbers_are_compared_by_value(dtype, other):
    assert rows_among(X.astype(dtype), X.astype(other)).all()
    assert same_partition(row_codes(X.astype(dtype)), map(tuple, X))


def test_zeros_are_equal_and_so_are_missing_values():
    rows = np.array([[0.0, np.nan], [-0.0, -np.nan], [1.0, np.nan], [np.inf, 0]])
    assert row_codes(rows).tolist()[0] == row_codes(rows).tolist()[1]
    assert len(set(row_codes(rows))) == 3
    assert rows_among(rows, rows[1:2]).tolist() == [True, True, False, False]
    assert rows_among(rows, rows[3:]).tolist() == [False, False, False, True]
    matrix = sparse.csr_matrix(rows)
    assert len(set(row_codes(matrix))) == 3
    assert rows_among(matrix, matrix[1:2]).tolist() == [True, True, False, False]


def test_large_integers_are_not_rounded():
    rows = 2**60 + np.arange(4)[:, None]
    assert len(set(row_codes(rows))) == 4
    assert rows_among(rows, rows[:1]).tolist() == [True, False, False, False]


def test_neighbouring_floats_differ():
    rows = np.random.RandomState(0).normal(size=(500, 30))
    near = rows.copy()
    near[:, 7] = np.nextafter(near[:, 7], 9)
    assert not rows_among(near, rows).any()
    assert rows_among(np.vstack([near, rows]), rows).sum() == 500
    assert len(set(row_codes(np.vstack([near, rows])))) == 1000


@pytest.mark.parametrize("scale", [1e-310, 1e-150, 1.0, 1e200, 1e308])
def test_numbers_of_any_size(scale):
    rows = np.random.RandomState(0).uniform(-1, 1, size=(300, 40)) * scale
    among = rows_among(rows, rows[::3])
    assert among.tolist() == [i % 3 == 0 for i in range(300)]


def test_columns_of_very_different_sizes():
    rng = np.random.RandomState(0)
    rows = np.column_stack([np.full(300, 1e300), rng.normal(size=300)])
    assert rows_among(rows, rows[::3]).sum() == 100


@pytest.mark.parametrize("kind", ["array", "csr_matrix", "mixed frame", "inputs"])
def test_rows_of_equal_hashes_are_told_apart(kind, monkeypatch):
    # As bad as a hash can be: every row has the same.
    monkeypatch.setattr(
        _equality, "_hash", lambda block, offset: np.zeros(block.shape[0], np.uint64)
    )
    rows = CONTAINERS[kind](X)
    assert same_partition(row_codes(rows), map(tuple, X))
    expected = [(row == X[3]).all() for row in X]
    assert rows_among(rows, CONTAINERS[kind](X[3:4])).tolist() == expected


def test_words_that_differ_in_high_bits_only_have_different_hashes():
    # A product modulo 2^64 would keep twelve bits of what is different here.
    rows = np.ldexp(1.0, np.arange(-1000, 1000))[:, None]
    hashes = _equality._hash(rows)
    assert len(set(hashes.tolist())) == 2000


def test_a_sparse_row_has_the_hash_of_the_dense_one():
    np.testing.assert_array_equal(
        _equality._hash(sparse.csr_matrix(X)), _equality._hash(X)
    )


def test_sparse_matrices_that_store_zeros_or_entries_twice():
    data, row, column = [1.0, 2.0, 3.0, 0.0], [0, 0, 1, 2], [0, 0, 0, 1]
    matrix = sparse.coo_array((data, (row, column)), shape=(4, 2))
    assert same_partition(row_codes(matrix), ["3", "3", "0", "0"])
    assert matrix.nnz == 4


def test_sparse_rows_are_never_made_dense():
    columns = np.random.RandomState(0).randint(10**8, size=10000)
    entries = np.ones(10000), columns, np.arange(0, 10001, 5)
    wide = sparse.csr_matrix(entries, shape=(2000, 10**8))
    twice = concatenate_rows(wide, wide)
    codes = row_codes(twice)
    np.testing.assert_array_equal(codes[:2000], codes[2000:])
    assert rows_among(wide, wide[:5])[:5].all()


# What is no number


def test_mixed_frames():
    frame = pd.DataFrame(
        {
            "town": ["Ulm", "Bonn", "Ulm", None, None, "Ulm"],
            "kind": pd.Categorical(["a", "b", "a", "a", "a", "b"]),
            "day": pd.to_datetime(["2020-01-01"] * 5 + [None]),
            "size": [1, 2, 1, 3, 3, 1],
            "weight": [0.5, 1, 0.5, np.nan, np.nan, 0.5],
        },
        index=[5, 5, 1, 2, 3, 0],
    )
    assert same_partition(row_codes(frame), "abaccd")
    among = rows_among(frame, frame.iloc[[2, 4]])
    assert among.tolist() == [True, False, True, True, True, False]


def test_a_column_of_numbers_that_is_one_of_objects_elsewhere():
    frame = pd.DataFrame({"a": [1, 2, 3], "b": [1.0, 2.0, 3.0]})
    objects = frame.iloc[[1]].astype({"a": object})
    assert rows_among(frame, objects).tolist() == [False, True, False]


def test_polars_frames_and_series():
    pl = pytest.importorskip("polars")
    day = datetime.date(2020, 1, 1)
    frame = pl.DataFrame(
        {"a": ["x", "y", None, "x"], "b": [1, 2, 3, 1], "c": [day, day, None, day]}
    )
    assert same_partition(row_codes(frame), "abca")
    assert rows_among(frame, frame[[3]]).tolist() == [True, False, False, True]
    assert same_partition(row_codes(frame["a"]), "abca")
    assert same_partition(row_codes(frame["b"]), "abca")


@pytest.mark.parametrize(
    "rows",
    [
        ["x.png", "y.png", "x.png"],
        np.array(["x.png", "y.png", "x.png"]),
        np.array(["x.png", "y.png", "x.png"], dtype=object),
        pd.Series(["x.png", "y.png", "x.png"], index=[4, 2, 4]),
        [["a", "b"], ["ab"], ["a", "b"]],
        [[1, 2], [1], [1, 2]],
        [{"a": 1}, {"a": 2}, {"a": 1}],
        [np.ones(2), np.ones(3), np.ones(2)],
        np.array(["2020-01-01", "2020-01-02", "2020-01-01"], dtype="M8[D]"),
        np.array([1 + 1j, 1 - 1j, 1 + 1j]),
        pd.Series([1, None, 1], dtype="Int64"),
        {"path": ["x", "y", "x"], "size": np.ones(3)},
        Inputs([np.array([["x"], ["y"], ["x"]]), np.ones((3, 2))]),
        torch.tensor([True, False, True]),
    ],
    ids=lambda rows: type(rows).__name__,
)
def test_rows_of_any_content(rows):
    assert same_partition(row_codes(rows), "aba")
    if not isinstance(rows, dict | Inputs):
        assert rows_among(rows, rows[:1]).tolist() == [True, False, True]


def test_text_is_no_number():
    rows = np.array([[1], ["1"], [1.0], [True]], dtype=object)
    assert same_partition(row_codes(rows), "abaa")


def test_dates_in_other_units():
    days = np.array(["2020-01-01", "2020-01-02"], dtype="M8[D]")
    assert rows_among(days, days[1:].astype("M8[s]")).tolist() == [False, True]


def test_rows_of_other_widths_are_not_equal():
    assert not rows_among(X, X[:, :1]).any()
    assert not rows_among({"a": X}, {"a": X, "b": X}).any()


def test_no_rows_and_no_columns():
    assert row_codes(X[:0]).shape == (0,)
    assert rows_among(X[:0], X).shape == (0,)
    assert len(set(row_codes(np.empty((3, 0))))) == 1
    assert rows_among(np.empty((3, 0)), np.empty((1, 0))).all()


def test_many_rows_by_brute_force():
    rng = np.random.RandomState(0)
    rows = np.round(rng.normal(size=(5000, 3)), 1)
    others = np.round(rng.normal(size=(300, 3)), 1)
    known = set(map(tuple, others.tolist()))
    expected = [tuple(row) in known for row in rows.tolist()]
    assert 10 < sum(expected) < 4000
    assert rows_among(rows, others).tolist() == expected
    assert same_partition(row_codes(rows), map(tuple, rows.tolist()))
