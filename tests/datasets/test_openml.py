"""Loading data sets of OpenML, from a tiny cache and without a network."""

import gzip
import io
import json
import shutil
from email.message import Message
from pathlib import Path
from urllib.error import HTTPError, URLError

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import fetch_openml
from sklearn.pipeline import make_pipeline

from skbadge import BadgeQuerier
from skbadge.datasets import load_openml
from skbadge.nn import TabularNetClassifier
from tests.datasets._cache import add_data_set, column

SHARED = Path(__file__).parents[3] / "shared" / "data" / "openml_home"

COLUMNS = [
    column("row", "numeric", role="row_identifier"),
    column("weight", "numeric", missing=2),
    column("legs", "nominal", values=["4", "2"]),
    column("colour", "nominal", values=["dark red", "blue", "grey"], missing=1),
    column("indoor", "nominal", values=["TRUE", "FALSE"]),
    column("tag", "string"),
    column("born", "date"),
    column("kind", "nominal", values=["dog", "cat", "10"], role="target"),
]
# One line to see what is what, then a few more.
ROWS = [
    "0,4.5,4,'dark red',TRUE,007,2020-01-01,cat",
    "1,?,2,blue,FALSE,x,2020-01-02,10",
    "2,30,4,?,TRUE,y,2020-01-03,dog",
    "3,?,4,'dark red',TRUE,z,2020-01-05,cat",
    "4,0.5,2,blue,TRUE,z,2020-01-04,10",
]


@pytest.fixture(autouse=True)
def requests(monkeypatch):
    """Addresses asked for, of a network that is down."""
    asked = []

    def refuse(request, **kwargs):
        asked.append(request.full_url)
        raise URLError("the network is down")

    monkeypatch.setattr("sklearn.datasets._openml.urlopen", refuse)
    monkeypatch.setattr("sklearn.datasets._openml.time.sleep", lambda seconds: None)
    return asked


@pytest.fixture
def home(tmp_path):
    add_data_set(tmp_path, 7, COLUMNS, ROWS)
    return tmp_path


def files(home):
    return {p: p.read_bytes() for p in home.rglob("*") if p.is_file()}


# What comes out


def test_columns_are_what_openml_says_they_are(home):
    X = load_openml(7, data_home=home).X
    assert list(X) == ["weight", "legs", "colour", "indoor", "tag", "born"]
    np.testing.assert_array_equal(X["weight"], [4.5, np.nan, 30, np.nan, 0.5])
    assert X["legs"].tolist() == ["4", "2", "4", "4", "2"]
    assert X["legs"].cat.categories.tolist() == ["4", "2"]
    assert X["colour"].tolist()[:2] == ["dark red", "blue"]
    assert X["colour"].isna().tolist() == [False, False, True, False, False]
    assert X["colour"].cat.categories.tolist() == ["dark red", "blue"]
    assert X["indoor"].tolist() == ["TRUE", "FALSE", "TRUE", "TRUE", "TRUE"]
    assert X["tag"].tolist() == ["007", "x", "y", "z", "z"]
    assert X["born"].dt.day.tolist() == [1, 2, 3, 5, 4]


def test_labels_become_positions_in_the_sorted_classes(home):
    data = load_openml(7, data_home=home)
    assert data.task == "classification"
    assert data.classes.tolist() == ["10", "cat", "dog"]
    assert data.y.dtype == np.int64
    assert data.y.tolist() == [1, 0, 2, 1, 0]
    assert data.target_name == "kind"


def test_it_knows_where_it_comes_from(home):
    data = load_openml(7, data_home=home)
    assert (data.name, data.id, data.version) == ("pets", 7, 1)
    assert data.ignored_columns == ("row",)
    assert data.description == "Some pets. See  for more."


def test_neither_network_nor_cache_is_touched(home, requests):
    before = files(home)
    load_openml(7, data_home=home)
    assert files(home) == before
    assert requests == []


@pytest.mark.parametrize(
    "request_", [{"data": "pets"}, {"data": "PETS"}, {"data": "pets", "version": 1}]
)
def test_a_name_finds_the_same_as_the_id(home, request_):
    by_id, by_name = (
        load_openml(7, data_home=home),
        load_openml(**request_, data_home=home),
    )
    pd.testing.assert_frame_equal(by_name.X, by_id.X)
    np.testing.assert_array_equal(by_name.y, by_id.y)


def test_numeric_targets_are_for_regression_and_rows_without_are_dropped(home):
    data = load_openml(7, target="weight", data_home=home)
    assert data.task == "regression"
    assert data.classes is None
    assert data.y.dtype == np.float64
    assert data.y.tolist() == [4.5, 30, 0.5]
    assert data.X.index.tolist() == [0, 2, 4]
    assert data.n_dropped == 2
    assert "2 rows without target" in repr(data)
    assert list(data.X) == ["legs", "colour", "indoor", "tag", "born", "kind"]


def test_rows_without_a_label_are_dropped(home):
    data = load_openml(7, target="colour", data_home=home)
    assert data.classes[data.y].tolist() == ["dark red", "blue", "dark red", "blue"]
    assert data.X.index.tolist() == [0, 1, 3, 4]


def test_a_target_may_be_a_column_otherwise_ignored(home):
    data = load_openml(7, target="row", data_home=home)
    assert data.y.tolist() == [0, 1, 2, 3, 4]
    assert data.ignored_columns == ()


def test_numbers_may_be_classes(home):
    data = load_openml(7, target="weight", task="classification", data_home=home)
    assert data.classes.tolist() == [0.5, 4.5, 30]
    assert data.y.tolist() == [1, 2, 0]


def test_max_rows_draws_rows_and_keeps_their_order(tmp_path):
    columns = [
        column("i", "numeric"),
        column("odd", "nominal", values=["0", "1"], role="target"),
    ]
    add_data_set(tmp_path, 3, columns, [f"{i},{i % 2}" for i in range(50)])
    options = {"max_rows": 20, "data_home": tmp_path}
    data = load_openml(3, random_state=0, **options)
    assert len(data.X) == len(data.y) == 20
    assert data.X["i"].is_monotonic_increasing
    assert data.X["i"].is_unique
    np.testing.assert_array_equal(data.y, data.X["i"] % 2)
    np.testing.assert_array_equal(data.X.index, data.X["i"])
    again = load_openml(3, random_state=0, **options)
    other = load_openml(3, random_state=1, **options)
    assert again.X["i"].tolist() == data.X["i"].tolist() != other.X["i"].tolist()
    assert len(load_openml(3, max_rows=50, data_home=tmp_path).X) == 50


def test_classes_do_not_depend_on_the_rows_drawn(home):
    data = load_openml(7, max_rows=1, random_state=0, data_home=home)
    assert data.classes.tolist() == ["10", "cat", "dog"]
    assert data.classes[data.y[0]] == ROWS[data.X.index[0]].rpartition(",")[2]


# What pandas alone would get wrong


@pytest.mark.parametrize(
    ("graded", "rows", "expected"),
    [
        # Taken for a comment: the rest of the line would be missing.
        (
            column("grade", "nominal", values=["50%", "none"]),
            ["none,1", "50%,2"],
            ["none", "50%"],
        ),
        # Both kinds of quotes, around commas.
        (
            column("grade", "nominal", values=["a,b", "c,d"]),
            ["'a,b',1", '"c,d",2'],
            ["a,b", "c,d"],
        ),
        # Only LIAC-ARFF takes single quotes off strings.
        (column("grade", "string"), ["'a b',1", "c,2"], ["a b", "c"]),
        (column("grade", "string"), ["'a, b',1", "c,2"], ["a, b", "c"]),
    ],
)
def test_what_pandas_reads_differently_is_read_again(tmp_path, graded, rows, expected):
    columns = [graded, column("y", "numeric", role="target")]
    file = add_data_set(tmp_path, 3, columns, rows)
    before = file.read_bytes()
    data = load_openml(3, data_home=tmp_path)
    assert data.X["grade"].tolist() == expected
    assert data.y.tolist() == [1, 2]
    assert file.read_bytes() == before


def test_columns_that_are_missing_or_constant_throughout_are_kept(tmp_path):
    columns = [
        column("a", "numeric", missing=2),
        column("self", "nominal", values=["u", "v"], missing=2),
        column("c", "numeric"),
        column("y", "nominal", values=["n"], role="target"),
    ]
    add_data_set(tmp_path, 3, columns, ["?,?,5,n", "?,?,5,n"])
    data = load_openml(3, data_home=tmp_path)
    assert list(data.X) == ["a", "self", "c"]
    assert data.preprocessor.fit_transform(data.X).tolist() == [[0, 0, 1]] * 2


# What goes wrong


def _text_among_numbers(home):
    columns = [column("a", "numeric"), column("y", "numeric", role="target")]
    return add_data_set(home, 3, columns, ["1,2", "what,3"])


def _not_utf8(home):
    header = "% caf\u00e9\n@ATTRIBUTE a NUMERIC\n@ATTRIBUTE y NUMERIC"
    columns = [column("a", "numeric"), column("y", "numeric", role="target")]
    return add_data_set(home, 3, columns, ["1,2"], header=header, encoding="latin-1")


def _another_checksum(home):
    columns = [column("a", "numeric"), column("y", "numeric", role="target")]
    said = {"md5_checksum": "0" * 32}
    return add_data_set(home, 3, columns, ["1,2"], described=said)


@pytest.mark.parametrize("data", [3, "pets"])
@pytest.mark.parametrize("spoil", [_text_among_numbers, _not_utf8, _another_checksum])
def test_a_file_that_cannot_be_read_is_named(tmp_path, spoil, data):
    spoil(tmp_path)
    with pytest.raises(ConnectionError, match=f"data={data!r} is not, or not intact"):
        load_openml(data, data_home=tmp_path)


def test_a_file_that_cannot_be_read_is_named_when_the_network_is_up(
    tmp_path, monkeypatch
):
    content = gzip.decompress(_text_among_numbers(tmp_path).read_bytes())

    class Response(io.BytesIO):
        def info(self):
            return {}

    monkeypatch.setattr(
        "sklearn.datasets._openml.urlopen", lambda request: Response(content)
    )
    with pytest.raises(ValueError, match=r"data=3 cannot be loaded: .*numerical"):
        load_openml(3, data_home=tmp_path)


@pytest.mark.parametrize("data", [8, "dinosaurs"])
def test_without_network_the_error_says_what_to_do(home, data):
    message = f"(?s)data={data!r} is not.*{home.name}.*Connect once.*SCIKIT_LEARN_DATA"
    with pytest.raises(ConnectionError, match=message):
        load_openml(data, data_home=home)


@pytest.mark.parametrize(
    ("data", "message"),
    [(8, "Dataset with data_id 8 not found"), ("dinosaurs", "No active dataset")],
)
def test_unknown_data_sets_are_named(home, monkeypatch, data, message):
    def not_found(request):
        raise HTTPError(request.full_url, 412, "", Message(), io.BytesIO())

    monkeypatch.setattr("sklearn.datasets._openml.urlopen", not_found)
    with pytest.raises(ValueError, match=f"data={data!r} cannot be loaded: {message}"):
        load_openml(data, data_home=home)


def test_of_several_active_versions_the_oldest_is_taken_with_a_warning(home):
    listed = next(home.rglob("status/active/.gz"))
    found = json.loads(gzip.decompress(listed.read_bytes()))
    second = {"did": 8, "name": "pets", "version": 2, "status": "active"}
    found["data"]["dataset"].append(second)
    listed.write_bytes(gzip.compress(json.dumps(found).encode()))
    with pytest.warns(UserWarning, match="Multiple active versions") as caught:
        data = load_openml("pets", data_home=home)
    assert data.version == 1
    assert len(caught) == 1


def test_warnings_of_openml_come_once(tmp_path):
    add_data_set(tmp_path, 7, COLUMNS, ROWS, described={"warning": "doubtful"})
    with pytest.warns(UserWarning, match="doubtful") as caught:
        load_openml(7, data_home=tmp_path)
    assert len(caught) == 1


def test_sparse_data_sets_are_refused(tmp_path):
    add_data_set(tmp_path, 7, COLUMNS, ROWS, described={"format": "Sparse_ARFF"})
    with pytest.raises(ValueError, match="data=7 cannot be loaded: Sparse ARFF"):
        load_openml(7, data_home=tmp_path)


@pytest.mark.parametrize("roles", [(None, None), ("target", "target")])
def test_without_one_target_it_must_be_chosen(tmp_path, roles):
    columns = [column(n, "numeric", role=r) for n, r in zip("ab", roles, strict=True)]
    add_data_set(tmp_path, 3, columns, ["1,2", "3,4"])
    with pytest.raises(ValueError, match=r"Choose one column with target: .*'a', 'b'"):
        load_openml(3, data_home=tmp_path)
    data = load_openml(3, target="b", data_home=tmp_path)
    assert data.y.tolist() == [2, 4]
    assert data.X["a"].tolist() == [1, 3]


@pytest.mark.parametrize(
    ("parameters", "error", "message"),
    [
        (
            {"data": 7.0},
            ValueError,
            "'data' parameter of load_openml must be an int in",
        ),
        ({"data": 0}, ValueError, r"\[1, inf\) or an instance of 'str'. Got 0"),
        ({"version": 1}, ValueError, "version=1 goes with a name"),
        ({"data": "pets", "version": 0}, ValueError, "'version' parameter of load_op"),
        ({"target": "size"}, ValueError, "target must be one of .*'weight'.*'size'"),
        (
            {"task": "ranking"},
            ValueError,
            "'task' parameter .* a str among .*'ranking'",
        ),
        ({"task": "regression"}, ValueError, "needs numbers in the target 'kind'"),
        ({"max_rows": 0}, ValueError, "'max_rows' parameter .* an int in .*Got 0"),
        ({"max_rows": 2.5}, ValueError, "'max_rows' parameter .* an int in .*Got 2.5"),
        ({"dtype": int}, ValueError, "dtype must be float32 or float64"),
    ],
)
def test_bad_parameters_are_named(home, parameters, error, message):
    with pytest.raises(error, match=message):
        load_openml(**{"data": 7, **parameters}, data_home=home)


@pytest.mark.parametrize("way", ["variable in path", "scikit-learn's variable"])
def test_the_folder_may_come_from_the_environment(home, monkeypatch, way):
    if way == "variable in path":
        monkeypatch.setenv("PETS_HOME", str(home.parent))
        data = load_openml(7, data_home=f"$PETS_HOME/{home.name}")
    else:
        monkeypatch.setenv("SCIKIT_LEARN_DATA", str(home))
        data = load_openml(7)
    assert len(data.X) == 5


# Through a model


def test_a_mixed_table_goes_through_a_pipeline_and_back_as_rows_to_label(tmp_path):
    rng = np.random.default_rng(0)
    weights = rng.uniform(0, 10, 120).round(2)
    colours = rng.choice(["blue", "grey", "?"], 120)
    rows = [
        f"{i},{'?' if i % 60 == 0 else w},{4 if w > 5 else 2},{colour},TRUE,t{i % 3},"
        f"2020-01-{1 + i % 28:02},{'dog' if w > 5 else 'cat'}"
        for i, (w, colour) in enumerate(zip(weights, colours, strict=True))
    ]
    columns = [dict(each) for each in COLUMNS]
    columns[3]["number_of_missing_values"] = str((colours == "?").sum())
    add_data_set(tmp_path, 7, columns, rows)
    data = load_openml(7, data_home=tmp_path)
    model = make_pipeline(data.preprocessor, TabularNetClassifier())
    querier = BadgeQuerier(model, classes=data.classes, random_state=0)
    labels = data.classes[data.y]
    querier.fit(data.X.iloc[:20], labels[:20])
    pool = data.X.iloc[20:]
    picked = querier.query(pool, n=10)
    assert len(set(picked.tolist())) == 10
    querier.partial_fit(pool.iloc[picked], labels[20:][picked])
    assert querier.score(data.X, labels) > 0.85


# Real data


@pytest.fixture
def real_home(tmp_path):
    if not SHARED.is_dir():
        pytest.skip("the data sets are not here")
    for source in SHARED.rglob("*"):
        if source.is_file():
            copy = tmp_path / source.relative_to(SHARED)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, copy)
    return tmp_path


def test_letter(real_home):
    data = load_openml("letter", data_home=real_home)
    assert data.X.shape == (20000, 16)
    assert "".join(data.classes) == "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    counts = np.bincount(data.y)
    assert (counts[data.classes == "A"], counts[data.classes == "U"]) == (789, 813)
    Z = data.preprocessor.fit_transform(data.X)
    assert Z.dtype == np.float32
    np.testing.assert_allclose(Z.mean(axis=0, dtype=np.float64), 0, atol=1e-6)
    np.testing.assert_allclose(Z.std(axis=0, dtype=np.float64), 1, atol=1e-6)


def test_adult_is_what_the_slower_parser_reads(real_home):
    data = load_openml(1590, data_home=real_home)
    X, y = fetch_openml(
        data_id=1590, data_home=real_home, parser="liac-arff", return_X_y=True
    )
    assert data.X.isna().to_numpy().sum() == 6465
    assert np.bincount(data.y).tolist() == [37155, 11687]
    np.testing.assert_array_equal(data.classes[data.y], y)
    pd.testing.assert_frame_equal(
        data.X.astype(object).where(data.X.notna(), None),
        X.astype(object).where(X.notna(), None),
        check_dtype=False,
    )
    # Numbers, categories, and one more column for each in which some are missing.
    nominal = X.select_dtypes("category")
    width = 6 + (nominal.nunique() + nominal.isna().any()).sum()
    assert data.preprocessor.fit_transform(data.X[:100]).shape == (100, width)


def test_regression_targets_of_real_data(real_home):
    data = load_openml("diamonds", data_home=real_home)
    assert data.X.shape == (53940, 9)
    assert (data.task, data.y.min(), data.y.max()) == ("regression", 326, 18823)
