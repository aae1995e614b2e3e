"""Rounds of labelling with rows in every kind of container that a model takes."""

import pickle
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import sparse
from sklearn.base import is_regressor
from sklearn.compose import make_column_transformer
from sklearn.ensemble import GradientBoostingRegressor
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MaxAbsScaler, OneHotEncoder, StandardScaler
from skorch import NeuralNetRegressor
from skorch.dataset import Dataset
from torch import nn

import skbadge
from skbadge import BadgeQuerier
from skbadge.exceptions import QueryWarning
from skbadge.nn import TabularNetClassifier, table_preprocessor
from skbadge.pools import concatenate_rows, n_rows, take_rows
from tests.querier._nets import Net, make_net

N_ROWS, N_LABELED = 60, 24


class Listed(Net):
    """Takes its inputs as one list, as skorch hands a list of arrays on."""

    def forward(self, X):
        assert len(X) == 2
        return super().forward(torch.cat([part.flatten(1) for part in X], dim=1))


def make_data():
    rng = np.random.RandomState(0)
    X = np.round(rng.normal(size=(N_ROWS, 4)) * 8) / 8
    return X, np.array(["ant", "bee", "cat"])[np.arange(N_ROWS) % 3]


def run_rounds(estimator, X, y, **params):
    """Fit, query and add labels three times; the querier and what was labelled."""
    querier = BadgeQuerier(estimator, random_state=0, **params)
    labeled = np.arange(N_LABELED)
    querier.fit(take_rows(X, labeled), y[labeled])
    left = np.arange(N_LABELED, N_ROWS)
    for _ in range(3):
        pool = take_rows(X, left)
        rows = querier.query(pool, 5)
        assert len(np.unique(rows)) == 5
        querier.partial_fit(take_rows(pool, rows), y[left[rows]])
        labeled = np.append(labeled, left[rows])
        left = np.delete(left, rows)
    assert n_rows(querier.X_labeled_) == len(labeled) == len(querier.y_labeled_)
    np.testing.assert_array_equal(querier.y_labeled_, y[labeled])
    assert querier.predict(X).shape == (N_ROWS,)
    return querier, labeled


# Several inputs as a list of arrays


LISTS = {
    "list": lambda X: [X[:, :1], X[:, 1:]],
    "tuple": lambda X: (X[:, :1], X[:, 1:]),
    "float32": lambda X: [X[:, :1].astype("f4"), X[:, 1:].astype("f4")],
    "tensors": lambda X: [torch.tensor(X[:, :1]), torch.tensor(X[:, 1:])],
    "images": lambda X: [X[:, :1], X[:, 1:].reshape(-1, 1, 3)],
    "coo": lambda X: [X[:, :1], sparse.coo_matrix(X[:, 1:])],
    "lil": lambda X: [X[:, :1], sparse.lil_array(X[:, 1:])],
    "frames": lambda X: [pd.DataFrame(X[:, :1]), pd.DataFrame(X[:, 1:])],
}


def take_lists(X, rows):
    return type(X)([take_rows(part, rows) for part in X])


@pytest.mark.parametrize("split", LISTS.values(), ids=LISTS)
def test_a_list_of_arrays_is_several_inputs_of_a_net(split):
    X, y = make_data()
    single = BadgeQuerier(make_net(), random_state=0).fit(X[:24], y[:24])
    querier = BadgeQuerier(make_net(Listed), random_state=0)
    parts = split(X)
    querier.fit(take_lists(parts, np.arange(24)), y[:24])
    rows = querier.query(parts, 5)
    np.testing.assert_array_equal(rows, single.query(X, 5))
    np.testing.assert_array_equal(querier.predict(parts), single.predict(X))
    querier.partial_fit(take_lists(parts, rows), y[rows])
    single.partial_fit(X[rows], y[rows])
    np.testing.assert_allclose(
        querier.predict_proba(parts), single.predict_proba(X), rtol=1e-5
    )
    assert querier.score(parts, y) == single.score(X, y)
    assert isinstance(querier.X_labeled_, list)
    assert [n_rows(part) for part in querier.X_labeled_] == [29, 29]
    again = pickle.loads(pickle.dumps(querier))
    np.testing.assert_array_equal(again.query(parts, 5), querier.query(parts, 5))


def test_a_list_of_arrays_for_a_regressor():
    X, _ = make_data()
    parts = LISTS["list"](X)
    net = make_net(Listed, NeuralNetRegressor, module__n_outputs=1)
    net.set_params(criterion=nn.MSELoss)
    querier = BadgeQuerier(net, strategy="core_set", random_state=0).fit(parts, X[:, 0])
    assert len(querier.query(LISTS["list"](X + 1), 5)) == 5
    assert querier.predict(parts).shape == (N_ROWS,)


def test_masks_in_a_list_of_arrays_stay_booleans():
    class Masked(Net):
        def forward(self, X):
            assert X[1].dtype == torch.bool
            return super().forward(X[0].masked_fill(X[1], 0))

    X, y = make_data()
    querier = BadgeQuerier(make_net(Masked), random_state=0).fit([X, X > 1], y)
    assert len(querier.query([X, X > 1], 5)) == 5


def test_large_numbers_in_a_tensor_are_not_infinite():
    X, y = make_data()
    X[:, 0] = 1e300
    net = make_net(nn.Linear(4, 3).double(), lr=1e-320)
    BadgeQuerier(net, random_state=0).fit(torch.tensor(X), y)


def test_bad_lists_of_arrays_are_named():
    X, y = make_data()
    spoilt = X.copy()
    spoilt[3, 1] = np.nan
    querier = BadgeQuerier(make_net(Listed))
    with pytest.raises(ValueError, match=r"X\[1\] contains NaN .*row 3"):
        querier.fit([X, spoilt], y)
    images = list(X.reshape(60, 2, 2))
    with pytest.raises(ValueError, match=r"list of arrays as its 60 inputs.*np.stack"):
        querier.fit(images, y)


@pytest.mark.parametrize(
    "estimator",
    [make_net(), LogisticRegression(), GradientBoostingRegressor(n_estimators=3)],
)
def test_any_other_list_is_a_list_of_rows(estimator):
    X, y = make_data()
    y = X[:, 0] if is_regressor(estimator) else y
    expected, labeled = run_rounds(estimator, X, y)
    for rows in (X.tolist(), list(X), [tuple(row) for row in X]):
        querier, picked = run_rounds(estimator, rows, y)
        np.testing.assert_array_equal(picked, labeled)
        np.testing.assert_array_equal(querier.predict(rows), expected.predict(X))


@pytest.mark.parametrize("is_frozen", [True, False])
def test_lists_for_a_net_behind_a_search_or_frozen(is_frozen):
    X, y = make_data()
    net = make_net(classes=[0, 1, 2]).fit(X.astype(np.float32), np.arange(60) % 3)
    estimator = FrozenEstimator(net)
    if not is_frozen:
        estimator = GridSearchCV(make_net(), {"lr": [0.1, 0.01]}, cv=2)
    querier = BadgeQuerier(estimator, classes=["ant", "bee", "cat"], random_state=0)
    querier.fit(X.tolist(), y)
    np.testing.assert_array_equal(querier.query(X.tolist(), 5), querier.query(X, 5))
    np.testing.assert_array_equal(querier.predict(list(X)), querier.predict(X))


# Lists of anything


def make_tokens():
    rng = np.random.RandomState(0)
    words = np.array(["red", "green", "blue", "dark", "light"])
    return [list(rng.choice(words, rng.randint(1, 6))) for _ in range(N_ROWS)]


@pytest.mark.parametrize(
    "estimator",
    [
        LogisticRegression(),
        make_net(nn.Linear, module__in_features=5, module__out_features=3),
    ],
)
@pytest.mark.filterwarnings("ignore:Equal labelled rows")
def test_ragged_token_lists_in_a_pipeline(estimator):
    tokens, (_, y) = make_tokens(), make_data()
    pipeline = make_pipeline(
        CountVectorizer(analyzer=list, dtype=np.float32), estimator
    )
    querier, labeled = run_rounds(pipeline, tokens, y)
    assert querier.X_labeled_ == [tokens[row] for row in labeled]
    kept = [list(row) for row in querier.X_labeled_]
    for row in tokens:
        row.clear()
    assert querier.X_labeled_ == kept


def test_token_lists_of_equal_length_at_first():
    (_, y), first = make_data(), [["red", "blue"], ["red", "red"], ["blue", "blue"]]
    pipeline = make_pipeline(CountVectorizer(analyzer=list), LogisticRegression())
    querier = BadgeQuerier(pipeline, random_state=0).fit(first, y[:3])
    assert len(querier.query([["red"] * 3, ["blue"] * 3, ["red", "blue"] * 2], 2)) == 2


@pytest.mark.filterwarnings("ignore:Equal labelled rows")
def test_texts_in_a_list_or_a_series():
    texts, (_, y) = [" ".join(row) for row in make_tokens()], make_data()
    pipeline = make_pipeline(CountVectorizer(), LogisticRegression())
    _, expected = run_rounds(pipeline, texts, y)
    series = pd.Series(texts, index=np.arange(N_ROWS)[::-1])
    for rows in (np.array(texts), np.array(texts, dtype=object), series):
        _, labeled = run_rounds(pipeline, rows, y)
        np.testing.assert_array_equal(labeled, expected)


# Sparse matrices of every format

FORMATS = ["csr", "csc", "coo", "lil", "dok", "bsr", "dia"]
sparse_formats = pytest.mark.parametrize(
    "make", [getattr(sparse, f"{f}_{c}") for f in FORMATS for c in ("matrix", "array")]
)


@sparse_formats
@pytest.mark.parametrize(
    "model", ["net", "pipeline", "passed on", "linear", "columns", "grid"]
)
def test_every_sparse_format(make, model):
    X, y = make_data()
    estimator = {
        "net": make_net(),
        "pipeline": make_pipeline(MaxAbsScaler(), make_net()),
        "passed on": make_pipeline("passthrough", make_net()),
        "linear": make_pipeline(MaxAbsScaler(), LogisticRegression()),
        "columns": make_pipeline(
            make_column_transformer((MaxAbsScaler(), [1, 0]), remainder="passthrough"),
            make_net(),
        ),
        "grid": GridSearchCV(make_net(), {"lr": [0.1]}, cv=2),
    }[model]
    matrix = make(X)
    querier = BadgeQuerier(estimator, random_state=0).fit(matrix, y)
    kept = querier.X_labeled_.toarray()
    rows = querier.query(matrix, 5)
    assert len(np.unique(rows)) == 5
    if hasattr(matrix, "data") and matrix.format != "lil":
        matrix.data[:] = 0
    matrix = matrix.tolil()
    matrix[:] = 0
    np.testing.assert_array_equal(querier.X_labeled_.toarray(), kept)
    np.testing.assert_array_equal(kept, X)
    querier.partial_fit(make(X[rows]), y[rows])
    assert querier.X_labeled_.shape == (65, 4)


# Frames


def make_frame(X, kinds="xyz"):
    rng = np.random.RandomState(1)
    return pd.DataFrame(
        {"size": X[:, 0], "weight": X[:, 1], "town": rng.choice(list(kinds), len(X))}
    )


def make_mixed_pipeline(model):
    columns = make_column_transformer(
        (StandardScaler(), ["size", "weight"]),
        (OneHotEncoder(handle_unknown="ignore"), ["town"]),
    )
    return make_pipeline(columns, model)


def test_a_pandas_index_is_kept():
    X, y = make_data()
    frame = make_frame(X).set_index(np.arange(N_ROWS)[::-1] * 7)
    querier, labeled = run_rounds(make_mixed_pipeline(LogisticRegression()), frame, y)
    pd.testing.assert_frame_equal(querier.X_labeled_, frame.iloc[labeled])


def test_a_frame_for_a_net_behind_steps_is_taken_without_a_warning():
    # The net was tried on the frame as it is, and said that it has names of columns.
    X, y = make_data()
    numbers = pd.DataFrame(X, columns=list("abcd"))
    model = make_pipeline(
        make_column_transformer((StandardScaler(), list("abcd"))),
        TabularNetClassifier(max_epochs=2),
    )
    # As an error it would be caught.
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        BadgeQuerier(model, random_state=0).fit(numbers, y)
    assert not [str(warning.message) for warning in found]


def test_polars_picks_what_pandas_picks():
    pl = pytest.importorskip("polars")
    X, y = make_data()
    frame = make_frame(X)
    table = pl.DataFrame({name: frame[name].to_list() for name in frame.columns})
    for model in (LogisticRegression(), TabularNetClassifier(max_epochs=2)):
        pipeline = make_mixed_pipeline(model)
        expected, labeled = run_rounds(pipeline, frame, y)
        querier, picked = run_rounds(pipeline, table, y)
        np.testing.assert_array_equal(picked, labeled)
        assert isinstance(querier.X_labeled_, pl.DataFrame)
        assert querier.X_labeled_.equals(table[labeled])
        assert querier.feature_names_in_.tolist() == ["size", "weight", "town"]
        np.testing.assert_array_equal(querier.predict(table), expected.predict(frame))


def test_a_table_of_pyarrow_is_read_as_a_frame_of_pandas():
    pa = pytest.importorskip("pyarrow")
    X, y = make_data()
    frame = make_frame(X)
    table = pa.Table.from_pandas(frame, preserve_index=False)
    left = np.arange(N_ROWS) >= N_LABELED
    for model in (LogisticRegression(), TabularNetClassifier(max_epochs=2)):
        said = []
        for rows, slice_of in ((frame, lambda a, b: frame[a:b]), (table, table.slice)):
            querier = BadgeQuerier(make_mixed_pipeline(model), random_state=0)
            with pytest.warns(QueryWarning, match="No model is trained yet"):
                said += [querier.query(rows, 5)]
            querier.fit(slice_of(0, N_LABELED), y[:N_LABELED])
            said += [querier.query(rows, 5, candidates=left), querier.predict(rows)]
        for one, other in zip(said[:3], said[3:], strict=True):
            np.testing.assert_array_equal(one, other)
        assert querier.feature_names_in_.tolist() == ["size", "weight", "town"]


def test_polars_for_a_net():
    pl = pytest.importorskip("polars")
    X, y = make_data()
    frame = pl.DataFrame(X, schema=list("abcd"))
    _, labeled = run_rounds(make_net(), X, y)
    querier, picked = run_rounds(make_net(), frame, y)
    np.testing.assert_array_equal(picked, labeled)
    assert querier.feature_names_in_.tolist() == list("abcd")


def test_the_columns_of_polars_for_a_net_with_several_inputs():
    pl = pytest.importorskip("polars")

    class Columns(nn.Module):
        def __init__(self):
            super().__init__()
            self.head = nn.Linear(2, 3)

        def forward(self, height, weight):
            return self.head(torch.cat([height, weight], dim=1))

    X, y = make_data()
    frame = pl.DataFrame({"height": X[:, 0], "weight": X[:, 1]})
    run_rounds(make_net(Columns), frame, y)


@pytest.mark.parametrize("model", ["net", "linear", "pipeline"])
def test_the_columns_of_polars_are_checked(model):
    pl = pytest.importorskip("polars")
    X, y = make_data()
    frame = pl.DataFrame(X, schema=list("abcd"))
    estimator = {
        "net": make_net(),
        "linear": LogisticRegression(),
        "pipeline": make_pipeline(StandardScaler(), make_net()),
    }[model]
    querier = BadgeQuerier(estimator).fit(frame, y)
    with pytest.raises(ValueError, match="must be in the same order"):
        querier.query(frame[["b", "a", "c", "d"]], 5)
    with pytest.raises(ValueError, match="unseen at fit time:\n- e"):
        querier.partial_fit(frame.rename({"d": "e"}), y)
    spoilt = frame.with_columns(a=pl.Series([None] + [1.0] * 59))
    with pytest.raises(ValueError, match="NaN"):
        querier.query(spoilt, 5)


def test_table_preprocessor_in_a_loop_over_polars():
    pl = pytest.importorskip("polars")
    X, y = make_data()
    frame = make_frame(X)
    table = pl.DataFrame({name: frame[name].to_list() for name in frame.columns})
    net = TabularNetClassifier(max_epochs=2)
    _, labeled = run_rounds(make_pipeline(table_preprocessor(frame), net), frame, y)
    _, picked = run_rounds(make_pipeline(table_preprocessor(table), net), table, y)
    np.testing.assert_array_equal(picked, labeled)


def test_a_querier_at_the_end_of_a_pipeline_over_polars():
    pl = pytest.importorskip("polars")
    X, y = make_data()
    frame = pl.DataFrame(X, schema=list("abcd"))
    querier = BadgeQuerier(LogisticRegression(), random_state=0)
    pipeline = make_pipeline(StandardScaler(), querier).fit(frame[:24], y[:24])
    assert len(skbadge.query(pipeline, frame, 5)) == 5


# Files


class Files(torch.utils.data.Dataset):
    """Reads each row from the file that X names."""

    def __init__(self, X, y=None):
        self.X = X
        self.y = np.zeros(len(X), dtype=np.int64) if y is None else y

    def __len__(self):
        return len(self.X)

    def __getitem__(self, i):
        return torch.from_numpy(np.load(self.X[i])), self.y[i]


class SkorchFiles(Dataset):
    """The same, by a subclass of skorch's dataset."""

    def transform(self, X, y):
        X = np.load(X.item() if hasattr(X, "item") else X)
        return torch.from_numpy(X), 0 if y is None else y


@pytest.mark.parametrize(
    ("kind", "dataset"),
    [
        ("objects", Files),
        ("objects", SkorchFiles),
        ("strings", Files),
        ("strings", SkorchFiles),
        ("series", Files),
        ("series", SkorchFiles),
        ("list", Files),
        ("list", SkorchFiles),
        ("tuple", SkorchFiles),
        ("texts of NumPy", SkorchFiles),
        ("list of paths", Files),
        ("list of paths", SkorchFiles),
        ("objects of paths", SkorchFiles),
        ("series of paths", SkorchFiles),
    ],
)
def test_file_paths_for_a_net_with_a_dataset_of_its_own(kind, dataset, tmp_path):
    X, y = make_data()
    paths = [str(tmp_path / f"{i}.npy") for i in range(N_ROWS)]
    for path, row in zip(paths, X.astype(np.float32), strict=True):
        np.save(path, row)
    make = {
        "objects": lambda: np.array(paths, dtype=object),
        "strings": lambda: np.array(paths),
        "list": lambda: paths,
        "tuple": lambda: tuple(paths),
        "texts of NumPy": lambda: [np.str_(path) for path in paths],
        "list of paths": lambda: [Path(path) for path in paths],
        "objects of paths": lambda: np.array([Path(p) for p in paths], dtype=object),
        "series of paths": lambda: pd.Series([Path(path) for path in paths]),
        "series": lambda: pd.Series(paths, index=np.arange(N_ROWS)[::-1]),
    }[kind]
    _, labeled = run_rounds(make_net(), X, y)
    querier, picked = run_rounds(make_net(dataset=dataset), make(), y)
    np.testing.assert_array_equal(picked, labeled)
    kept = [str(path) for path in querier.X_labeled_]
    assert kept == [paths[row] for row in labeled]


def test_a_net_for_tables_gets_an_array_of_a_frame():
    # It overrides how its dataset is made, but reads tables.
    X, y = make_data()
    frame = pd.DataFrame(X, columns=list("abcd"))
    querier = BadgeQuerier(TabularNetClassifier(max_epochs=2), random_state=0)
    assert isinstance(querier.fit(frame, y).X_labeled_, np.ndarray)


def test_paths_for_a_net_without_one_are_refused():
    with pytest.raises(ValueError, match="Expected 2D array, got 1D array"):
        BadgeQuerier(make_net()).fit(np.array(["a.png", "b.png"] * 30), make_data()[1])


def test_numbers_for_a_net_with_a_dataset_of_its_own_are_checked():
    class Own(Dataset):
        pass

    X, y = make_data()
    X = X.astype(np.float32)
    run_rounds(make_net(dataset=Own), X, y)
    X[3, 1] = np.nan
    with pytest.raises(ValueError, match="Input X contains NaN or infinity"):
        BadgeQuerier(make_net(dataset=Own)).fit(X, y)


# Datasets


class Rows(torch.utils.data.Dataset):
    def __init__(self, X):
        self.X = torch.tensor(X, dtype=torch.float32)

    def __len__(self):
        return len(self.X)

    def __getitem__(self, i):
        return self.X[i], 0


def test_datasets_stay_flat_over_many_rounds():
    X, y = make_data()
    expected, labeled = run_rounds(make_net(), X, y)
    querier, picked = run_rounds(make_net(), Rows(X), y)
    np.testing.assert_array_equal(picked, labeled)
    np.testing.assert_allclose(querier.X_labeled_[27][0], X[labeled[27]])
    assert type(querier.X_labeled_.dataset) is Rows
    np.testing.assert_array_equal(querier.predict(Rows(X)), expected.predict(X))
    kept = querier.X_labeled_
    for _ in range(200):
        kept = concatenate_rows(kept, Rows(X[:2]))
    assert len(pickle.loads(pickle.dumps(kept))) == 439


class Bare(Rows):
    def __getitem__(self, i):
        return self.X[i]


@pytest.mark.parametrize(
    ("make", "came"),
    [
        (Bare, "Got a Tensor"),
        (lambda X: torch.utils.data.TensorDataset(torch.tensor(X)), "Got a tuple of 1"),
    ],
)
def test_items_that_are_no_pairs_are_refused_before_training(make, came):
    X, y = make_data()
    with pytest.raises(ValueError, match=rf"must be pairs \(row, target\).*{came}"):
        BadgeQuerier(make_net()).fit(make(X), y)


# Integers that are looked up


@pytest.mark.parametrize(
    "dtype", ["i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "bool"]
)
@pytest.mark.parametrize("convert", [np.asarray, torch.tensor, pd.DataFrame])
@pytest.mark.filterwarnings("ignore:Equal labelled rows")
def test_codes_of_any_integer_dtype_for_an_embedding(dtype, convert):
    class Tokens(nn.Module):
        def __init__(self):
            super().__init__()
            self.embed = nn.Embedding(30, 6)
            self.head = nn.Linear(60, 3)

        def forward(self, X):
            return self.head(self.embed(X).flatten(1))

    rng = np.random.RandomState(0)
    codes, (_, y) = rng.randint(2, size=(N_ROWS, 10)), make_data()
    expected, labeled = run_rounds(make_net(Tokens), codes, y)
    querier, picked = run_rounds(make_net(Tokens), convert(codes.astype(dtype)), y)
    np.testing.assert_array_equal(picked, labeled)
    np.testing.assert_array_equal(querier.predict(codes), expected.predict(codes))


# Ownership


@pytest.mark.parametrize("make", [np.array, pd.Series, list])
def test_what_belongs_to_the_rows_is_copied_too(make):
    X, y = make_data()
    weights = make(np.ones(60))
    querier = BadgeQuerier(LogisticRegression(), random_state=0)
    querier.fit(
        X, y, sample_weight=np.asarray(weights) if make is torch.tensor else weights
    )
    weights[:] = [0.0] * 60 if make is list else 0.0
    assert np.all(np.asarray(querier._labeled.params["sample_weight"]) == 1)
