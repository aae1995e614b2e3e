"""ArrayDataset: what a module gets to eat."""

import pickle

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import sparse
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from skorch import NeuralNetClassifier
from torch.utils.data import DataLoader

from skbadge.nn import ArrayDataset


def rows_of(X, **params):
    return ArrayDataset(X, **params).X


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_floats_are_cast_to_dtype(dtype):
    X = rows_of(np.array([[0.5, 1.5]]), dtype=dtype)
    assert X.dtype == dtype
    np.testing.assert_array_equal(X, [[0.5, 1.5]])


def test_bfloat16_becomes_a_tensor():
    X = rows_of(np.array([[0.5, 1.5]]), dtype="bfloat16")
    assert X.dtype == torch.bfloat16
    assert X.tolist() == [[0.5, 1.5]]


@pytest.mark.parametrize("values", [[[1, 0]], [[True, False]]])
def test_integers_and_booleans_are_cast_only_if_asked(values):
    X = np.array(values)
    assert rows_of(X).dtype == np.float32
    assert rows_of(X, dtype=None).dtype == np.float32
    assert rows_of(X, cast_integers=False) is X


@pytest.mark.parametrize(
    "dtype", ["int8", "int16", "int32", "uint8", "uint16", "uint32"]
)
@pytest.mark.parametrize("convert", [np.asarray, torch.from_numpy, pd.DataFrame])
def test_integers_of_any_size_become_those_that_torch_looks_up(dtype, convert):
    X = np.array([[1, 0], [7, 3]], dtype=dtype)
    for cast_integers in (False, "codes"):
        rows = rows_of(convert(X), cast_integers=cast_integers)
        assert str(rows.dtype).removeprefix("torch.") == "int64"
        assert rows.tolist() == X.tolist()


@pytest.mark.parametrize("convert", [np.asarray, torch.from_numpy, pd.DataFrame])
def test_booleans_are_masks_or_codes(convert):
    X = convert(np.array([[True, False]]))
    assert str(rows_of(X, cast_integers=False).dtype).endswith("bool")
    assert str(rows_of(X, cast_integers="codes").dtype).endswith("int64")


@pytest.mark.parametrize(
    ("X", "dtype"),
    [
        (np.ones((3, 2), dtype="float32"), "float32"),
        (np.ones((3, 2)), "float64"),
        (np.ones((3, 2), dtype="float16"), None),
        (np.ones((3, 2)), None),
    ],
)
def test_nothing_is_copied_without_need(X, dtype):
    assert np.shares_memory(rows_of(X, dtype=dtype), X)


def test_tensors_are_cast_and_otherwise_left_alone():
    X = torch.ones(3, 2)
    assert rows_of(X) is X
    assert rows_of(X, dtype="float64").dtype == torch.float64
    assert rows_of(torch.ones(3, 2, dtype=torch.int64)).dtype == torch.float32


def test_foreign_byte_order_becomes_native():
    X = rows_of(np.array([[1.0, 2.0]], dtype=">f8"), dtype=None)
    assert X.dtype.isnative
    np.testing.assert_array_equal(X, [[1.0, 2.0]])


@pytest.mark.parametrize("X", [[[1, 2], [3, 4]], [[1.0, 2], [3, 4.0]], [5, 6]])
def test_lists_of_numbers_become_an_array(X):
    converted = rows_of(X)
    assert converted.dtype == np.float32
    assert converted.tolist() == X


def test_object_array_of_numbers_becomes_floats():
    X = rows_of(np.array([[1, 2.5]], dtype=object))
    assert X.dtype == np.float32


@pytest.mark.parametrize(
    "frame",
    [
        pd.DataFrame({"a": [0.5, 1.5], "b": [2, 3], "c": [True, False]}),
        pd.DataFrame({"a": [0.5, 1.5], "b": [2, 3], "c": [True, False]}, dtype=object)
        .infer_objects()
        .convert_dtypes(),
    ],
)
def test_numeric_frame_becomes_one_array(frame):
    X = rows_of(frame)
    assert X.dtype == np.float32
    assert X.tolist() == [[0.5, 2.0, 1.0], [1.5, 3.0, 0.0]]


def test_missing_values_of_nullable_columns_become_nan():
    frame = pd.DataFrame({"a": pd.array([1, None], dtype="Int64")})
    assert np.isnan(rows_of(frame)[1, 0])


def test_frame_of_integers_stays_integer_if_not_cast():
    frame = pd.DataFrame({"a": [1, 2], "b": [True, False]})
    X = rows_of(frame, cast_integers=False)
    assert X.dtype == np.int64
    assert X.tolist() == [[1, 1], [2, 0]]


def test_polars_becomes_one_array():
    pl = pytest.importorskip("polars")
    frame = pl.DataFrame({"a": [0.5, None], "b": [2, 3], "c": [True, False]})
    X = rows_of(frame)
    assert X.dtype == np.float32
    np.testing.assert_array_equal(X, [[0.5, 2, 1], [np.nan, 3, 0]])
    assert rows_of(frame[["b", "c"]], cast_integers=False).dtype == np.int64
    assert rows_of(pl.DataFrame({"c": [True, None]})).tolist()[0] == [1]
    assert ArrayDataset(frame, pl.Series([0, 1])).y.dtype == np.int64
    with pytest.raises(TypeError, match=r"\['d'\].*ColumnTransformer"):
        ArrayDataset(frame.with_columns(d=pl.Series(["x", "y"])))


@pytest.mark.parametrize("values", [["u", "v"], pd.Categorical(["u", "v"])])
def test_frame_with_other_columns_is_refused(values):
    frame = pd.DataFrame({"size": [1.0, 2.0], "colour": values})
    with pytest.raises(TypeError, match=r"\['colour'\].*ColumnTransformer"):
        ArrayDataset(frame)


@pytest.mark.parametrize("X", [[["u"], ["v"]], [[object()]], [[1j]]])
def test_what_is_not_a_real_number_is_refused(X):
    with pytest.raises(TypeError, match=r"X must hold numbers.*ColumnTransformer"):
        ArrayDataset(X)


CONVERSIONS = {
    "array": np.array,
    "tensor": lambda rows: torch.from_numpy(np.array(rows)),
    "csr": lambda rows: sparse.csr_array(np.array(rows)),
    "frame": pd.DataFrame,
    "list": list,
    "dict": lambda rows: {"a": np.array(rows)},
    "tensors": lambda rows: [torch.from_numpy(np.array(rows))] * 2,
}


@pytest.mark.parametrize(
    ("dtype", "value"),
    [
        ("float32", 1e300),
        ("float32", -4e38),
        ("bfloat16", 1e300),
        ("bfloat16", 3.4e38),
        ("float16", 65_520.0),
        ("float16", 70_000),
    ],
)
@pytest.mark.parametrize("convert", CONVERSIONS.values(), ids=CONVERSIONS)
def test_values_beyond_the_dtype_are_refused(convert, dtype, value):
    with pytest.raises(ValueError, match=f"beyond the range of dtype='{dtype}'"):
        ArrayDataset(convert([[value, 0]]), dtype=dtype)


@pytest.mark.parametrize(
    "X",
    [
        torch.eye(3, dtype=torch.float64).to_sparse(),
        torch.eye(3).to(torch.float8_e4m3fn),
        torch.empty(3, 3, dtype=torch.float64, device="meta"),
    ],
    ids=["sparse", "float8", "meta"],
)
def test_tensors_of_other_kinds_are_cast(X):
    assert ArrayDataset(X).X.dtype == torch.float32


def test_sparse_rows_of_extended_precision_become_half():
    X = sparse.csr_array(np.eye(3, dtype=np.longdouble))
    X, _ = ArrayDataset(X, dtype="float16").take_batch(slice(0, 3))
    assert X.tolist() == np.eye(3).tolist()


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
@pytest.mark.parametrize("convert", CONVERSIONS.values(), ids=CONVERSIONS)
def test_the_largest_values_and_those_that_are_infinite_stay(convert, dtype):
    largest = torch.finfo(getattr(torch, dtype)).max
    dataset = ArrayDataset(convert([[largest, -np.inf], [0.0, 1.0]]), dtype=dtype)
    X, _ = dataset.take_batch(slice(0, 2))
    X = X[0] if isinstance(X, list) else X["a"] if isinstance(X, dict) else X
    assert X.double().tolist() == [[largest, -np.inf], [0.0, 1.0]]


def test_unknown_dtype_is_refused():
    with pytest.raises(ValueError, match=r"dtype must be one of .* Got 'int8'"):
        ArrayDataset([[1.0]], dtype="int8")


@pytest.mark.parametrize("container", [sparse.csr_matrix, sparse.csr_array])
@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_sparse_stays_sparse_and_its_rows_are_dense(container, dtype):
    dense = np.array([[0.0, 1.5], [2.5, 0.0], [0.0, 0.0]])
    dataset = ArrayDataset(container(dense), np.arange(3), dtype=dtype)
    assert sparse.issparse(dataset.X)
    row, _ = dataset[1]
    assert row.dtype == getattr(torch, dtype)
    assert row.tolist() == [2.5, 0.0]
    batch, _ = dataset.take_batch(np.array([2, 0]))
    assert batch.dtype == getattr(torch, dtype)
    assert batch.tolist() == [[0.0, 0.0], [0.0, 1.5]]


def test_other_sparse_formats_become_csr():
    X = rows_of(sparse.csc_matrix(np.eye(3)))
    assert X.format == "csr"
    assert X.dtype == np.float32


@pytest.mark.parametrize("container", [list, tuple])
def test_lists_of_arrays_are_cast_one_by_one(container):
    X = rows_of(container([np.ones((3, 2)), torch.ones(3, 1, dtype=torch.int64)]))
    assert type(X) is container
    assert X[0].dtype == np.float32
    assert X[1].dtype == torch.float32


def test_values_of_dicts_are_cast_one_by_one():
    dataset = ArrayDataset({"a": np.ones((3, 2)), "b": [1, 2, 3]}, np.arange(3))
    assert {name: X.dtype for name, X in dataset.X.items()} == {
        "a": np.float32,
        "b": np.float32,
    }
    X, y = next(iter(DataLoader(dataset, batch_size=2)))
    assert X["a"].shape == (2, 2)
    assert y.tolist() == [0, 1]


def test_rows_that_cannot_be_written_to_are_read_without_a_warning():
    X = np.ones((4, 2), dtype=np.float32)
    X.flags.writeable = False
    batch, _ = next(iter(DataLoader(ArrayDataset(X), batch_size=4)))
    assert batch.shape == (4, 2)
    assert ArrayDataset(X[::-1]).take_batch(slice(0, 2))[0].shape == (2, 2)


def test_lengths_must_agree():
    with pytest.raises(ValueError, match="inconsistent lengths"):
        ArrayDataset(np.ones((3, 2)), np.ones(2))


def test_targets_are_not_cast():
    for y in (pd.Series([0, 1]), [0, 1], np.array([0, 1])):
        assert ArrayDataset(np.ones((2, 1)), y).y.dtype == np.int64
    assert ArrayDataset(np.ones((2, 1)), [0.0, 1.0]).y.dtype == np.float64


def test_a_plain_net_trains_on_float64_frames_with_it():
    """skorch's own dataset hands float64 rows to a float32 module, which fails."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(40, 3)), columns=list("abc"))
    y = np.arange(40) % 2
    net = NeuralNetClassifier(
        torch.nn.Linear,
        module__in_features=3,
        module__out_features=2,
        criterion=torch.nn.CrossEntropyLoss,
        max_epochs=1,
        verbose=0,
    )
    net.set_params(
        dataset=ArrayDataset, dataset__dtype="float32", dataset__cast_integers=True
    )
    search = GridSearchCV(clone(net), {"lr": [0.1, 0.01]}, cv=2).fit(frame, y)
    restored = pickle.loads(pickle.dumps(search))
    np.testing.assert_array_equal(restored.predict(frame), search.predict(frame))
    assert clone(net).get_params()["dataset__dtype"] == "float32"
