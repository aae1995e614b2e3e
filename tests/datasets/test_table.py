"""Reading tables from files, and how they show themselves."""

import gzip
import re
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from skbadge.datasets import load_table

LINES = ["size,colour,kind", "1.5,red,cat", ",blue,dog", "3.5,red,", "2,,cat"]


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "pets.csv"
    path.write_text("\n".join(LINES))
    return path


def test_a_csv_file_becomes_features_and_target(path):
    data = load_table(path, "kind")
    assert (data.name, data.target_name, data.task) == (
        "pets",
        "kind",
        "classification",
    )
    assert data.id is data.version is None
    assert data.classes[data.y].tolist() == ["cat", "dog", "cat"]
    assert data.X.index.tolist() == [0, 1, 3]
    assert data.n_dropped == 1
    np.testing.assert_array_equal(data.X["size"], [1.5, np.nan, 2])
    Z = data.preprocessor.fit_transform(data.X)
    assert Z[:, 1:].tolist() == [[0, 1, 0], [1, 0, 0], [0, 0, 1]]


@pytest.mark.parametrize("suffix", [".tsv", ".csv.gz", ".tsv.gz", ".v2.csv"])
def test_other_kinds_of_text_are_the_same_table(path, suffix):
    text = "\n".join(LINES)
    if "tsv" in suffix:
        text = text.replace(",", "\t")
    other = path.with_name(f"other{suffix}")
    content = text.encode()
    other.write_bytes(gzip.compress(content) if suffix.endswith("gz") else content)
    data = load_table(other, "kind")
    assert data.name == "other"
    pd.testing.assert_frame_equal(data.X, load_table(path, "kind").X)


def test_a_parquet_file_is_the_same_table(path):
    pytest.importorskip("pyarrow")
    other = path.with_suffix(".parquet")
    pd.read_csv(path).to_parquet(other)
    found = load_table(other, "kind").X
    # Old versions of pandas have None for a gap in a column of texts.
    found = found.where(found.notna())
    pd.testing.assert_frame_equal(found, load_table(path, "kind").X)


@pytest.mark.parametrize("suffix", [".CSV", ".Csv.GZ"])
def test_the_case_of_a_suffix_does_not_matter(path, suffix):
    other = path.with_name(f"other{suffix}")
    content = path.read_bytes()
    other.write_bytes(gzip.compress(content) if suffix.endswith("GZ") else content)
    pd.testing.assert_frame_equal(
        load_table(other, "kind").X, load_table(path, "kind").X
    )


def test_decimals_are_numbers(tmp_path):
    pytest.importorskip("pyarrow")
    path = tmp_path / "prices.parquet"
    prices = [Decimal("1.25"), None, Decimal("3.50")]
    frame = pd.DataFrame({"a": prices, "price": [*prices[::2], Decimal("2.00")]})
    frame.to_parquet(path)
    data = load_table(path, "price")
    assert data.task == "regression"
    assert data.y.tolist() == [1.25, 3.5, 2.0]
    np.testing.assert_array_equal(data.X["a"], [1.25, np.nan, 3.5])
    assert "1 number" in repr(data)


def test_targets_of_a_regression_are_finite(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("x,y\n1,2\n2,inf\n3,\n4,-inf\n")
    with pytest.raises(ValueError, match=r"target 'y' must be finite.*inf in 2 of 3"):
        load_table(path, "y")


@pytest.mark.parametrize("suffix", [".csv.gz", ".csv.bz2", ".csv.xz", ".parquet"])
@pytest.mark.parametrize("damage", ["cut", "overwritten"])
def test_a_damaged_file_is_named(tmp_path, suffix, damage):
    path = tmp_path / f"t{suffix}"
    frame = pd.DataFrame(np.random.RandomState(0).uniform(size=(500, 3)))
    frame = frame.set_axis(["x", "y", "z"], axis=1)
    if suffix == ".parquet":
        pytest.importorskip("pyarrow")
        frame.to_parquet(path)
    else:
        frame.to_csv(path, index=False)
    content = path.read_bytes()
    middle = len(content) // 2
    rest = b"" if damage == "cut" else bytes(len(content) - middle)
    path.write_bytes(content[:middle] + rest)
    with pytest.raises(ValueError, match=re.escape(f"t{suffix}' cannot be read: ")):
        load_table(path, "y")


def test_variables_in_the_path_are_expanded(path, monkeypatch):
    monkeypatch.setenv("MY_TABLES", str(path.parent))
    assert len(load_table("$MY_TABLES/pets.csv", "kind").X) == 3
    monkeypatch.setenv("HOME", str(path.parent))
    monkeypatch.setenv("USERPROFILE", str(path.parent))
    assert len(load_table("~/pets.csv", "kind").X) == 3


@pytest.mark.parametrize(
    ("labels", "task", "classes", "y"),
    [
        ("2 10 2", "auto", None, [2, 10, 2]),
        ("2 10 2", "classification", [2, 10], [0, 1, 0]),
        ("True False True", "auto", [False, True], [1, 0, 1]),
        ("b 10 b", "auto", ["10", "b"], [1, 0, 1]),
    ],
)
def test_targets_are_encoded_after_their_kind(tmp_path, labels, task, classes, y):
    path = tmp_path / "t.csv"
    lines = ["x,y", *(f"{i},{label}" for i, label in enumerate(labels.split()))]
    path.write_text("\n".join(lines))
    data = load_table(path, "y", task=task)
    assert data.y.tolist() == y
    assert data.y.dtype == (np.float64 if classes is None else np.int64)
    assert (
        (data.classes is None)
        if classes is None
        else (data.classes.tolist() == classes)
    )


def test_max_rows_is_drawn_from_the_random_state(path):
    drawn = [
        load_table(path, "kind", max_rows=1, random_state=seed).X.index[0]
        for seed in range(60)
    ]
    assert set(drawn) == {0, 1, 3}
    assert drawn == [
        load_table(path, "kind", max_rows=1, random_state=seed).X.index[0]
        for seed in range(60)
    ]


def test_parameters_of_the_preprocessor_arrive(path):
    options = {"scale": False, "dtype": np.float64, "max_categories": 1}
    data = load_table(path, "kind", **options)
    Z = data.preprocessor.fit_transform(data.X)
    assert Z.dtype == np.float64
    assert Z.tolist() == [[1.5, 1], [1.75, 1], [2, 1]]
    rare = load_table(path, "kind", min_frequency=3)
    assert rare.preprocessor.fit_transform(rare.X).shape == (3, 2)


def test_the_data_shows_what_it_is(path):
    data = load_table(path, "kind")
    assert repr(data) == (
        "<TabularData data: pets; rows: 3; columns: 2: 1 number, 1 category; "
        "missing values: 2; target: kind, classification, 2 classes; "
        "dropped: 1 rows without target>"
    )
    html = data._repr_html_()
    assert "1 rows without target" in html
    assert "blue" in html


def test_names_are_escaped_in_html(tmp_path):
    path = tmp_path / "<b>.csv"
    path.write_text("<i>,<u>\n1,2\n")
    html = load_table(path, "<u>")._repr_html_()
    assert "&lt;b&gt;" in html
    assert "&lt;u&gt;" in html
    assert not {"<b>", "<i>", "<u>"} & {html[i : i + 3] for i in range(len(html))}


@pytest.mark.parametrize(
    ("name", "text", "target", "message"),
    [
        ("a.xlsx", "", "y", r"path must end in \.csv, \.tsv .*a\.xlsx"),
        ("a.csv", "x,y\n1,2\n", "z", r"target must be one of \['x', 'y'\]. Got 'z'"),
        ("a.csv", "x,y\n1,\n2,\n", "y", "target='y' has no value in any of 2 rows"),
        ("a.csv", "x,y\n1,2,3\n", "y", "a.csv' cannot be read"),
        ("a.csv", "x,y\n1,2\n1,2,3\n", "y", "a.csv' cannot be read"),
        ("a.csv", "", "y", "a.csv' cannot be read"),
        ("a.csv", "y\n1\n2\n", "y", "X must have at least one column"),
    ],
)
def test_files_that_make_no_table_are_refused(tmp_path, name, text, target, message):
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(ValueError, match=message):
        load_table(path, target)


def test_a_file_that_is_not_there_is_named_in_full(tmp_path, monkeypatch):
    monkeypatch.setenv("MY_TABLES", str(tmp_path))
    with pytest.raises(FileNotFoundError, match=f"{tmp_path.name}.*none.csv"):
        load_table("$MY_TABLES/none.csv", "y")
