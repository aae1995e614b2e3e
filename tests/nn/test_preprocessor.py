"""What a mixed table becomes for a net."""

import datetime
import pickle
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from sklearn import config_context
from sklearn.base import clone

from skbadge.experiment.store._configuration import describe
from skbadge.nn import table_preprocessor


def transformed(X, *, fit=None, **parameters):
    preprocessor = table_preprocessor(X, **parameters)
    return preprocessor.fit(X if fit is None else fit).transform(X)


def test_numbers_get_medians_then_zero_mean_and_unit_variance():
    X = pd.DataFrame({"a": [1.0, np.nan, 3.0, 8.0], "b": [5, 5, 7, 7]})
    # Medians 3 and 6; the mean of [1, 3, 3, 8] is 3.75, its variance 6.6875.
    expected = (np.array([1, 3, 3, 8]) - 3.75) / np.sqrt(6.6875)
    Z = transformed(X)
    np.testing.assert_allclose(Z[:, 0], expected, rtol=1e-6)
    np.testing.assert_array_equal(Z[:, 1], [-1, -1, 1, 1])


def test_without_scaling_only_holes_are_filled():
    X = pd.DataFrame({"a": [1.0, np.nan, 3.0, 8.0]})
    np.testing.assert_array_equal(transformed(X, scale=False).ravel(), [1, 3, 3, 8])


@pytest.mark.parametrize("dtype", [np.float32, np.float64, "float32"])
def test_the_result_is_dense_and_of_the_dtype_asked_for(dtype):
    X = pd.DataFrame({"a": [1.0, 2.0], "t": pd.to_datetime(["2020", "2021"])})
    # So many categories that ColumnTransformer would make the result sparse.
    wide = pd.DataFrame({"c": [str(i) for i in range(50)]})
    for table in (X, wide, X.iloc[:, :1]):
        Z = transformed(table, dtype=dtype)
        assert isinstance(Z, np.ndarray)
        assert Z.dtype == np.dtype(dtype)


CATEGORIES = [
    pd.Series(["x", None, "y", "x"]),
    pd.Series(["x", None, "y", "x"], dtype=object),
    pd.Series(["x", np.nan, "y", "x"], dtype="category"),
    pd.Series(["x", pd.NA, "y", "x"], dtype="string"),
    pd.Series([False, None, True, False]),
    pd.Series([False, None, True, False], dtype="boolean"),
    pd.Series([1, None, "x", 1], dtype=object),
    pd.Series([1, None, 2, 1], dtype=object),
    pd.Series(pd.Categorical([1, None, 2, 1])),
]


@pytest.mark.parametrize("values", CATEGORIES, ids=lambda s: f"{s.dtype}-{s[0]}-{s[2]}")
def test_each_category_is_a_column_and_so_is_missing(values):
    Z = transformed(values.to_frame("c"))
    expected = [[1, 0, 0], [0, 0, 1], [0, 1, 0], [1, 0, 0]]
    np.testing.assert_array_equal(Z, expected)


def test_booleans_without_holes_are_two_columns():
    Z = transformed(pd.DataFrame({"b": [True, False, True]}))
    np.testing.assert_array_equal(Z, [[0, 1], [1, 0], [0, 1]])


def test_unknown_and_unexpectedly_missing_categories_are_zeros():
    X = pd.DataFrame({"c": ["x", "y"]})
    preprocessor = table_preprocessor(X).fit(X)
    new = pd.DataFrame({"c": ["y", "z", None]})
    np.testing.assert_array_equal(preprocessor.transform(new), [[0, 1], [0, 0], [0, 0]])


def test_unused_levels_of_a_categorical_are_no_columns():
    X = pd.DataFrame({"c": pd.Categorical(["x", "y"], categories=["x", "y", "z"])})
    assert transformed(X).shape == (2, 2)


def test_nullable_numbers_are_numbers():
    X = pd.DataFrame(
        {
            "i": pd.array([1, None, 4], dtype="Int64"),
            "f": pd.array([1.5, None, 2.5], dtype="Float64"),
        }
    )
    expected = [[1, 1.5], [2.5, 2], [4, 2.5]]
    np.testing.assert_array_equal(transformed(X, scale=False), expected)


@pytest.mark.parametrize("container", ["pandas", "polars"])
@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_numbers_of_few_digits_are_computed_in_float64(container, dtype):
    library = pytest.importorskip(container)
    # Sums are above float16's range; float32's mean is off by more than the spread.
    numbers = (
        60_000.0 + 32 * np.arange(20) if dtype == np.float16 else 1e7 + np.arange(20)
    )
    X = library.DataFrame({"a": numbers.astype(dtype)})
    Z = transformed(X, dtype=np.float64)
    expected = (np.arange(20) - 9.5) / np.arange(20).std()
    np.testing.assert_allclose(Z.ravel(), expected, rtol=1e-12)


@pytest.mark.parametrize("container", ["pandas", "polars"])
def test_decimals_are_numbers(container):
    library = pytest.importorskip(container)
    X = library.DataFrame({"price": [Decimal("1.5"), None, Decimal("4.25")]})
    Z = transformed(X, scale=False)
    np.testing.assert_array_equal(Z, [[1.5], [2.875], [4.25]])
    pipeline = table_preprocessor(X).set_output(transform="pandas").fit(X)
    assert list(pipeline.get_feature_names_out()) == ["price"]


def test_decimals_of_arrow_are_numbers():
    pa = pytest.importorskip("pyarrow")
    decimals = pd.ArrowDtype(pa.decimal128(5, 2))
    prices = [Decimal("1.5"), None, Decimal("4.25")]
    X = pd.DataFrame({"price": pd.Series(prices, dtype=decimals)})
    Z = transformed(X, scale=False)
    np.testing.assert_array_equal(Z, [[1.5], [2.875], [4.25]])


def test_complex_numbers_are_refused_by_column():
    X = pd.DataFrame({"a": [1.0, 2.0], "z": [1 + 2j, 3]})
    with pytest.raises(ValueError, match="complex numbers, as its column 'z' does"):
        table_preprocessor(X)


@pytest.mark.parametrize(
    "names", [[2, 0, 1], [5, 6, 7], [("a", 1), ("b", 2), ("c", 3)]]
)
def test_columns_go_by_their_names_whatever_these_are(names):
    X = pd.DataFrame({"a": [1.0, 2.0], "b": ["x", "y"], "c": [5.0, 7.0]})
    expected = transformed(X)
    X.columns = names
    np.testing.assert_array_equal(transformed(X), expected)


@pytest.mark.parametrize("zone", [None, "Europe/Berlin"])
def test_times_are_seconds(zone):
    times = pd.to_datetime(["1970-01-02", None, "1970-01-04"]).tz_localize("UTC")
    times = times.tz_localize(None) if zone is None else times.tz_convert(zone)
    X = pd.DataFrame({"t": times, "d": pd.to_timedelta(["1min", "2min", None])})
    expected = [[86400, 60], [172800, 120], [259200, 90]]
    np.testing.assert_array_equal(transformed(X, scale=False), expected)


DATES = [datetime.date(1970, 1, 2), None, datetime.date(1970, 1, 4)]
STAMPS = [datetime.datetime(1970, 1, 2, 1), None, datetime.datetime(1970, 1, 4)]
IN_ZONE = [stamp and stamp.replace(tzinfo=datetime.UTC) for stamp in STAMPS]
SPANS = [datetime.timedelta(seconds=1.5), None, datetime.timedelta(days=3)]
HOURS = [datetime.time(1, 0, 0, 500000), None, datetime.time(2)]
TIMES = {
    # Each with Arrow's dtypes, and in seconds.
    "dates": (DATES, ["date32[day]", "date64[ms]"], [86400, 259200]),
    "stamps": (STAMPS, ["timestamp[s]", "timestamp[ns]"], [90000, 259200]),
    "in a zone": (IN_ZONE, ["timestamp[us, tz=Europe/Berlin]"], [90000, 259200]),
    "spans": (SPANS, ["duration[ms]", "duration[ns]"], [1.5, 259200]),
    "hours": (HOURS, ["time32[ms]", "time64[us]", "time64[ns]"], [3600.5, 7200]),
}


@pytest.mark.parametrize("kind", TIMES)
@pytest.mark.parametrize("gap", [None, np.nan, pd.NaT, pd.NA])
def test_times_as_objects_are_seconds(kind, gap):
    values, _, (first, last) = TIMES[kind]
    values = [gap if value is None else value for value in values]
    X = pd.Series(values, dtype=object).to_frame("t")
    expected = [[first], [(first + last) / 2], [last]]
    np.testing.assert_array_equal(transformed(X, scale=False, dtype=float), expected)
    # Some labelled rows may have no time at all.
    assert transformed(X, fit=X[1:2], scale=False, dtype=float)[2, 0] == last


@pytest.mark.parametrize(
    ("kind", "dtype"), [(kind, dtype) for kind in TIMES for dtype in TIMES[kind][1]]
)
def test_times_of_arrow_are_seconds(kind, dtype):
    pytest.importorskip("pyarrow")
    values, _, (first, last) = TIMES[kind]
    X = pd.Series(values, dtype=f"{dtype}[pyarrow]").to_frame("t")
    expected = [[first], [(first + last) / 2], [last]]
    np.testing.assert_array_equal(transformed(X, scale=False, dtype=float), expected)
    assert transformed(X, fit=X[1:2], scale=False, dtype=float)[2, 0] == last


@pytest.mark.parametrize("kind", [datetime.date, datetime.datetime])
def test_times_may_be_beyond_the_range_of_nanoseconds(kind):
    days = [kind(1, 1, 1), kind(9999, 12, 31)]
    X = pd.Series(days, dtype=object).to_frame("t")
    expected = np.array(days, dtype="datetime64[s]").astype(float)
    Z = transformed(X, scale=False, dtype=float)
    np.testing.assert_array_equal(Z[:, 0], expected)


def test_times_among_other_values_are_categories():
    X = pd.Series([DATES[0], "unknown", DATES[2]], dtype=object).to_frame("t")
    assert transformed(X).shape == (3, 3)


def test_close_dates_stay_apart_although_the_result_is_float32():
    X = pd.DataFrame(
        {"t": pd.to_datetime(["2024-05-05 10:00:00", "2024-05-05 10:00:02"])}
    )
    np.testing.assert_allclose(transformed(X).ravel(), [-1, 1], rtol=1e-6)


def test_columns_without_values_or_variation_do_no_harm():
    X = pd.DataFrame(
        {
            "unknown": [np.nan] * 3,
            "constant": [7.0] * 3,
            "never": pd.to_datetime([None] * 3),
            "nothing": pd.Series([None] * 3, dtype=object),
            "level": pd.Categorical([None] * 3, categories=[]),
        }
    )
    np.testing.assert_array_equal(transformed(X), [[0, 0, 0, 1, 1]] * 3)


@pytest.fixture
def table():
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "a": np.where(rng.random(60) < 0.5, np.nan, rng.random(60)),
            "c": rng.choice(["x", "y", "z", None], 60),
            "b": rng.random(60) < 0.1,
        }
    )


@pytest.mark.parametrize("n_labeled", [1, 2, 5, 60])
def test_the_width_does_not_depend_on_the_rows_fitted_to(table, n_labeled):
    table.loc[:4, "a"] = np.nan
    Z = transformed(table, fit=table.iloc[:n_labeled])
    assert Z.shape == (60, 1 + 4 + 2)
    assert np.isfinite(Z).all()


def test_columns_have_names(table):
    names = table_preprocessor(table).fit(table).get_feature_names_out()
    expected = ["a", "c_x", "c_y", "c_z", "c_nan", "b_False", "b_True"]
    assert names.tolist() == expected


def test_columns_are_found_by_name(table):
    preprocessor = table_preprocessor(table).fit(table)
    shuffled = table[["b", "c", "a"]]
    np.testing.assert_array_equal(
        preprocessor.transform(shuffled), preprocessor.transform(table)
    )


@pytest.mark.parametrize("parameters", [{"min_frequency": 3}, {"max_categories": 2}])
def test_rare_categories_can_be_one(parameters):
    X = pd.DataFrame({"c": [*"aaaaa", "b", "c"]})
    Z = transformed(X, **parameters)
    np.testing.assert_array_equal(Z, [[1, 0]] * 5 + [[0, 1]] * 2)


def test_only_kinds_that_occur_are_there(table):
    kinds = [name for name, _, _ in table_preprocessor(table).transformers]
    assert kinds == ["number", "category"]


def test_it_clones_and_pickles(table):
    preprocessor = table_preprocessor(table)
    expected = preprocessor.fit_transform(table)
    for copy in (clone(preprocessor), pickle.loads(pickle.dumps(preprocessor))):
        np.testing.assert_array_equal(copy.fit_transform(table), expected)


def test_the_table_is_left_as_it_was(table):
    before = table.copy(deep=True)
    transformed(table)
    pd.testing.assert_frame_equal(table, before)


def test_infinite_numbers_are_refused():
    X = pd.DataFrame({"a": [1.0, np.inf]})
    with pytest.raises(ValueError, match="infinity"):
        transformed(X)


@pytest.mark.parametrize(
    ("X", "dtype", "error", "message"),
    [
        (np.ones((2, 2)), float, TypeError, "X must be a DataFrame of .* Got ndarr"),
        (pd.DataFrame(), float, ValueError, "X must have at least one column"),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), float, ValueError, "Got 'a'"),
        (pd.DataFrame({"a": [1]}), "int64", ValueError, "dtype must be float32 or"),
    ],
)
def test_bad_arguments_are_named(X, dtype, error, message):
    with pytest.raises(error, match=message):
        table_preprocessor(X, dtype=dtype)


def test_polars_gives_what_pandas_gives():
    pl = pytest.importorskip("polars")
    days = [
        datetime.datetime(2020, 1, 1, 5),
        None,
        datetime.datetime(2021, 1, 1, 0, 0, 1),
    ]
    table = {
        "number": [1, None, 3],
        "ratio": [0.5, 1.5, None],
        "time": days,
        "span": [datetime.timedelta(1), None, datetime.timedelta(seconds=2)],
        "town": ["Ulm", "Bonn", None],
        "member": [True, False, None],
    }
    frame, other = pl.DataFrame(table), pd.DataFrame(table)
    ours = table_preprocessor(frame, scale=False, dtype=np.float64).fit(frame)
    theirs = table_preprocessor(other, scale=False, dtype=np.float64).fit(other)
    np.testing.assert_allclose(ours.transform(frame), theirs.transform(other))
    names = ours.get_feature_names_out().tolist()
    assert names == theirs.get_feature_names_out().tolist()
    unseen = frame.with_columns(town=pl.Series(["Rom"] * 3))
    place = [names.index(name) for name in names if name.startswith("town")]
    assert not ours.transform(unseen)[:, place].any()


@pytest.mark.parametrize("configure", ["set_output", "config_context"])
@pytest.mark.parametrize("output", ["default", "pandas", "polars"])
@pytest.mark.parametrize("make", ["pandas", "polars"])
def test_rows_are_the_same_in_every_container(make, output, configure):
    pytest.importorskip("polars")
    table = {
        "number": [1, None, 3],
        "time": [datetime.datetime(2020, 1, 1, 5), None, datetime.datetime(2021, 1, 1)],
        "town": ["Ulm", "Bonn", None],
        "member": [True, False, None],
    }
    X = pytest.importorskip(make).DataFrame(table)
    preprocessor = clone(table_preprocessor(X))
    expected = clone(preprocessor).fit_transform(X)
    if configure == "set_output":
        preprocessor.set_output(transform=output)
        results = preprocessor.fit_transform(X), clone(preprocessor).fit_transform(X)
    else:
        with config_context(transform_output=output):
            results = preprocessor.fit_transform(X), preprocessor.transform(X)
    for Z in results:
        np.testing.assert_array_equal(np.asarray(Z), expected)
        assert np.asarray(Z).dtype == np.float32
        if output != "default":
            assert type(Z) is pytest.importorskip(output).DataFrame
            assert list(Z.columns) == preprocessor.get_feature_names_out().tolist()


def test_results_of_benchmarks_know_the_steps_as_a_pipeline():
    # Files of results would otherwise be of other runs.
    X = pd.DataFrame({"a": [1.0, 2.0], "c": ["x", "y"]})
    described = str(describe(table_preprocessor(X), "preprocessor"))
    assert described.count("sklearn.pipeline:Pipeline") == 2
    imputer = "['simpleimputer', {'object': 'sklearn.impute._base:SimpleImputer',"
    assert described.count(imputer) == 1
    assert "_preprocessor:_InArrays" not in described


def test_dates_times_and_categories_of_polars():
    pl = pytest.importorskip("polars")
    frame = pl.DataFrame(
        {
            "day": [datetime.date(1970, 1, 2), None, datetime.date(1970, 1, 4)],
            "time": [datetime.time(0, 0, 1), datetime.time(1), None],
            "kind": pl.Series(["a", "b", "a"], dtype=pl.Categorical),
        }
    )
    X = table_preprocessor(frame, scale=False, dtype=np.float64).fit_transform(frame)
    day = 86400
    np.testing.assert_array_equal(X[:, 0], [day, 2 * day, 3 * day])
    np.testing.assert_array_equal(X[:, 1], [1, 3600, 1800.5])
    np.testing.assert_array_equal(X[:, 2:], [[1, 0], [0, 1], [1, 0]])
