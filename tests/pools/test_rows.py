"""Containers of rows: counted, taken, copied, and put together, whatever they are."""

import numpy as np
import pandas as pd
import pytest
import torch

from skbadge.pools import (
    Inputs,
    concatenate_rows,
    copy_rows,
    first_rows,
    is_frame,
    is_table,
    kind_of,
    n_rows,
    take_rows,
)
from tests.pools._containers import CONTAINERS, all_containers, read, spoil

X = np.array([[0.0, 1.0], [2.0, 3.0], [0.0, 0.0], [4.0, 0.0], [5.0, 6.0]])


@all_containers
def test_rows_are_counted_and_the_first_ones_cut_off(make):
    rows = make(X)
    assert n_rows(rows) == 5
    np.testing.assert_array_equal(read(first_rows(rows, 2)), X[:2])
    assert n_rows(first_rows(rows, 9)) == 5
    assert kind_of(first_rows(rows, 2)) == kind_of(rows)


@all_containers
def test_rows_are_taken_in_the_order_asked_for(make):
    rows = make(X)
    taken = take_rows(rows, np.array([3, 0, 3]))
    np.testing.assert_array_equal(read(taken), X[[3, 0, 3]])
    assert kind_of(taken) == kind_of(rows)
    assert n_rows(take_rows(rows, np.array([], dtype=int))) == 0


@all_containers
def test_rows_are_put_together_in_order(make):
    first, second = make(X[:3]), make(X[3:])
    both = concatenate_rows(first, second)
    assert kind_of(both) == kind_of(first)
    np.testing.assert_array_equal(read(both), X)
    np.testing.assert_array_equal(read(first), X[:3])
    np.testing.assert_array_equal(read(second), X[3:])
    np.testing.assert_array_equal(read(take_rows(both, [4, 1])), X[[4, 1]])


@all_containers
def test_a_copy_is_out_of_reach(make):
    rows = make(X)
    copied = copy_rows(rows)
    assert kind_of(copied) == kind_of(rows)
    if kind_of(rows) != "torch dataset":
        assert type(copied) is type(rows)
    spoil(rows)
    np.testing.assert_array_equal(read(copied), X)


def test_a_copy_of_a_polars_frame_shares_no_memory_with_an_array():
    pl = pytest.importorskip("polars")
    array = np.asfortranarray(X)
    frame, column = pl.DataFrame(array), pl.Series(array[:, 0])
    copies = copy_rows(frame), copy_rows(column)
    array[:] = 99
    assert frame[0, 0] == 99
    np.testing.assert_array_equal(copies[0].to_numpy(), X)
    np.testing.assert_array_equal(copies[1].to_numpy(), X[:, 0])


def test_objects_in_tables_are_copied_as_well():
    pl = pytest.importorskip("polars")
    entries = [["a"], ["b", "c"]]
    column = pd.Series(entries, index=["u", "u"], name="tokens")
    tables = [
        np.array([*entries, 0], dtype=object)[:2],
        column,
        pd.DataFrame({"tokens": column, "n": [1, 2]}),
        pd.DataFrame([[row, row] for row in entries], columns=["a", "a"]),
        pl.Series("tokens", entries, dtype=pl.Object),
        pl.DataFrame({"tokens": pl.Series(entries, dtype=pl.Object), "n": [1, 2]}),
    ]
    copies = [copy_rows(table) for table in tables]
    entries[0][0] = "spoilt"
    for table, copied in zip(tables, copies, strict=True):
        assert "spoilt" in str(table)
        assert "spoilt" not in str(copied)
        assert type(copied) is type(table)
    pd.testing.assert_frame_equal(
        copies[2].dtypes.to_frame(), tables[2].dtypes.to_frame()
    )
    assert list(copies[1].index) == ["u", "u"]
    assert copies[1].name == "tokens"


def test_a_copied_frame_has_an_index_of_its_own():
    labels, names = np.arange(5), np.array([7, 8])
    frame = pd.DataFrame(
        X, pd.Index(labels, copy=False), columns=pd.Index(names, copy=False)
    )
    copies = copy_rows(frame), copy_rows(frame[7])
    labels[:], names[:] = 99, 99
    for copied in copies:
        assert list(copied.index) == [0, 1, 2, 3, 4]
    assert list(copies[0].columns) == [7, 8]


# What is particular to a kind


def test_a_pandas_index_goes_with_the_rows():
    frame = pd.DataFrame(X, columns=["u", "v"], index=list("abcde"))
    assert list(take_rows(frame, [4, 1]).index) == ["e", "b"]
    both = concatenate_rows(frame[:2], frame[3:])
    assert list(both.index) == ["a", "b", "d", "e"]
    assert list(both.columns) == ["u", "v"]
    column = concatenate_rows(frame["u"][:1], frame["u"][4:])
    assert list(column.index) == ["a", "e"]
    assert column.name == "u"


def test_columns_of_other_names_are_refused():
    frame = pd.DataFrame(X, columns=[0, 1])
    with pytest.raises(ValueError, match=r"`X` must have the columns \[0, 1\]. Got"):
        concatenate_rows(frame, pd.DataFrame(X, columns=[1, 2]))
    swapped = concatenate_rows(frame, frame[[1, 0]])
    np.testing.assert_array_equal(swapped, np.vstack([X, X]))


def test_polars_columns_take_the_wider_dtype_and_the_order_of_the_first():
    pl = pytest.importorskip("polars")
    frame = pl.DataFrame({"u": [1, 2], "v": ["x", "y"]})
    more = pl.DataFrame({"v": [None], "u": [0.5]})
    both = concatenate_rows(frame, more)
    assert both.to_dict(as_series=False) == {"u": [1, 2, 0.5], "v": ["x", "y", None]}
    with pytest.raises(ValueError, match=r"columns \['u', 'v'\]. Got \['u'\]"):
        concatenate_rows(frame, frame[["u"]])
    column = concatenate_rows(frame["u"], pl.Series("other", [0.5]))
    assert column.name == "u"
    assert column.to_list() == [1, 2, 0.5]
    assert take_rows(column, [2, 0]).to_list() == [0.5, 1]


def test_one_dimensional_rows():
    assert list(concatenate_rows(pd.Series(["a", "b"]), pd.Series(["c"]))) == list(
        "abc"
    )
    assert list(concatenate_rows(np.array(["a"]), ["b", "c"])) == ["a", "b", "c"]
    assert list(take_rows(["a", "b", "c"], [2, 0])) == ["c", "a"]
    assert take_rows(torch.arange(3), [2, 0]).tolist() == [2, 0]


def test_ragged_rows_stay_lists():
    tokens = [["a", "b"], ["c"], []]
    assert n_rows(tokens) == 3
    assert take_rows(tokens, np.array([2, 0])) == [[], ["a", "b"]]
    assert concatenate_rows(tokens, (["d"],)) == [["a", "b"], ["c"], [], ["d"]]
    copied = copy_rows(tokens)
    tokens[0].append("z")
    assert copied == [["a", "b"], ["c"], []]
    objects = np.array([["a", "b"], ["c"]], dtype=object)
    both = concatenate_rows(objects, [["d", "e"], ["f", "g"]])
    assert both.tolist() == [["a", "b"], ["c"], ["d", "e"], ["f", "g"]]


def test_a_list_beside_an_array_of_objects_keeps_its_numbers():
    table = np.array([["x", 1], ["y", 2]], dtype=object)
    both = concatenate_rows(table, [["z", 3]])
    assert both[2].tolist() == ["z", 3]


@pytest.mark.parametrize("second", ["array", "csr_array", "frame", "tensor", "dict"])
@pytest.mark.parametrize("first", ["array", "coo_matrix", "frame", "tensor", "dataset"])
def test_mixed_kinds_are_refused_by_name(first, second):
    if first == second or {first, second} == {"coo_matrix", "csr_array"}:
        return
    with pytest.raises(
        TypeError, match=r"`X_new` must be of the same kind.*Got .* instead"
    ):
        concatenate_rows(CONTAINERS[first](X), CONTAINERS[second](X), "X_new")


@pytest.mark.parametrize(("first", "second"), [("frame", "polars"), ("inputs", "list")])
def test_kinds_that_look_alike_are_not_mixed(first, second):
    if second not in CONTAINERS:
        pytest.skip("polars is not installed")
    with pytest.raises(TypeError, match="of the same kind"):
        concatenate_rows(CONTAINERS[first](X), CONTAINERS[second](X))


def test_lists_and_arrays_are_one_kind():
    np.testing.assert_array_equal(concatenate_rows(X, X.tolist()), np.vstack([X, X]))
    np.testing.assert_array_equal(concatenate_rows(X.tolist(), X), np.vstack([X, X]))


def test_several_inputs_must_match():
    with pytest.raises(ValueError, match=r"`X` must have the keys \['a'\]"):
        concatenate_rows({"a": X}, {"b": X})
    with pytest.raises(ValueError, match="equal numbers of rows"):
        n_rows({"a": X, "b": X[:2]})
    with pytest.raises(ValueError, match="dict must have equal numbers"):
        n_rows({})
    with pytest.raises(ValueError, match=r"`X` must have the keys \[0\]. Got \[0, 1\]"):
        concatenate_rows(Inputs([X]), Inputs([X, X]))
    for make in (lambda part: {"a": part}, lambda part: Inputs([part])):
        name = r"`X\[('a'|0)\]` must be of the same kind .* tensor"
        with pytest.raises(TypeError, match=name):
            concatenate_rows(make(torch.tensor(X)), make(X))


@pytest.mark.parametrize("kind", CONTAINERS)
def test_tables_are_what_check_array_takes(kind):
    others = ("tensor", "dict", "inputs", "torch dataset")
    rows = CONTAINERS[kind](X)
    assert is_table(rows) == (kind_of(rows) not in others)
    assert is_frame(rows) == ("frame" in kind or "polars" in kind)
