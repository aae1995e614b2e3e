"""What frames of results are accepted, and how they are read."""

import sys

import numpy as np
import pandas as pd
import pytest

from skbadge.inspection import (
    label_efficiency,
    learning_curves,
    normalized_error_cdf,
    paired_tests,
    penalty_matrix,
    penalty_null,
)
from skbadge.inspection._frame import read_results
from tests.inspection._frames import noisy_frame


def null(frame, **params):
    return penalty_null(frame, n_permutations=19, random_state=0, **params)


FUNCTIONS = {
    "learning_curves": learning_curves,
    "penalty_matrix": lambda frame, **kw: penalty_matrix(frame, **kw).contributions,
    "penalty_null": null,
    "normalized_error_cdf": lambda frame, **kw: (
        normalized_error_cdf(frame, **kw).errors
    ),
    "label_efficiency": label_efficiency,
    "paired_tests": paired_tests,
}
each_function = pytest.mark.parametrize("function", FUNCTIONS.values(), ids=FUNCTIONS)


@pytest.fixture
def frame():
    return noisy_frame(0)


@each_function
def test_the_order_of_rows_does_not_matter(function, frame):
    shuffled = frame.sample(frac=1, random_state=0)
    pd.testing.assert_frame_equal(function(frame), function(shuffled), check_exact=True)


@pytest.mark.parametrize("function", [penalty_matrix, normalized_error_cdf])
def test_nor_does_it_for_what_is_left_out(function, frame):
    frame.loc[[50, 3, 70, 20], "score"] = np.nan
    shuffled = frame.sample(frac=1, random_state=0)
    expected = function(frame).skipped
    assert len(expected) == 4
    pd.testing.assert_frame_equal(function(shuffled).skipped, expected)


@each_function
def test_the_frame_is_left_as_it_was(function, frame):
    frame.loc[3, "score"] = np.nan
    before = frame.copy(deep=True)
    function(frame)
    pd.testing.assert_frame_equal(frame, before)


@each_function
def test_a_path_and_an_object_with_a_frame_do_as_well(function, frame, tmp_path):
    class Result:
        def to_frame(self):
            return frame

    path = tmp_path / "results.csv"
    frame.to_csv(path, index=False)
    expected = function(frame)
    for other in (path, str(path), Result()):
        pd.testing.assert_frame_equal(function(other), expected)


@each_function
def test_one_metric_is_picked_by_name(function, frame):
    expected = function(frame.assign(metric="accuracy"))
    both = pd.concat(
        [
            frame.assign(metric="accuracy"),
            frame.assign(metric="f1", score=frame["score"] / 2),
        ]
    )
    pd.testing.assert_frame_equal(function(both, metric="accuracy"), expected)
    with pytest.raises(ValueError, match=r"one of 'accuracy', 'f1'\. Got None"):
        function(both)
    with pytest.raises(ValueError, match=r"one of 'accuracy', 'f1'\. Got 'auc'"):
        function(both, metric="auc")


@each_function
def test_missing_columns_are_named(function, frame):
    with pytest.raises(ValueError, match=r"Missing: strategy, score\."):
        function(frame.drop(columns=["score", "strategy"]))


@each_function
def test_duplicates_are_refused(function, frame):
    twice = pd.concat([frame, frame.iloc[[5]].assign(score=0.1)])
    with pytest.raises(ValueError, match=r"1 rows repeat another.*}\.$"):
        function(twice)


def test_duplicates_of_runs_with_other_settings_say_how_to_drop_them(frame):
    twice = pd.concat([frame.assign(run="a"), frame.assign(run="b")])
    with pytest.raises(ValueError, match=r"repeat another.*--drop-stale"):
        read_results(twice)
    with pytest.raises(ValueError, match=r"repeat another.*}\.$"):
        read_results(pd.concat([twice, twice]))


def test_other_things_are_refused(frame):
    for other in (None, 3, [1, 2], frame["score"], frame.index):
        with pytest.raises(TypeError, match="`frame` must be a pandas DataFrame"):
            learning_curves(other)
    polars = pytest.importorskip("polars")
    with pytest.raises(TypeError, match=r"Got DataFrame instead: pass its `to_pandas"):
        learning_curves(polars.DataFrame({"score": [1.0]}))
    with pytest.raises(ValueError, match="at least one row"):
        learning_curves(frame.iloc[:0])


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("repeat", 0.5, "repeat must hold whole numbers"),
        ("n_labeled", -1, "n_labeled must hold whole numbers"),
        ("n_query", np.nan, "n_query must hold whole numbers"),
        ("n_query", np.inf, "n_query must hold whole numbers"),
        ("repeat", 2.0**63, r"repeat must hold whole numbers >= 0 and < 2\*\*63"),
        ("score", "good", "score must hold numbers"),
        ("score_time", "long", "score_time must hold numbers"),
        ("strategy", None, "must have a strategy in each row"),
    ],
)
def test_values_of_the_wrong_kind_are_refused(frame, column, value, message):
    frame = frame.assign(score_time=0.1)
    frame[column] = frame[column].astype(object)
    frame.loc[7, column] = value
    with pytest.raises(ValueError, match=message):
        learning_curves(frame)


@pytest.mark.parametrize("keep", [0.5, 0.99])
def test_a_damaged_file_is_named(frame, tmp_path, keep):
    path = tmp_path / "results.csv.gz"
    frame.to_csv(path, index=False)
    content = path.read_bytes()
    for damaged in (content[: int(len(content) * keep)], b"no archive"):
        path.write_bytes(damaged)
        with pytest.raises(ValueError, match=r"results\.csv\.gz' cannot be read: \w"):
            learning_curves(path)
    with pytest.raises(FileNotFoundError, match=r"none\.csv"):
        learning_curves(tmp_path / "none.csv")


@each_function
def test_an_index_may_have_the_name_of_a_column(function, frame):
    expected = function(frame)
    for name in ("strategy", ["repeat", "n_labeled"]):
        indexed = frame.set_index(name, drop=False)
        pd.testing.assert_frame_equal(function(indexed), expected)


def test_names_are_strings_whatever_they_look_like(tmp_path, frame):
    names = {"random": "random", "b": "None", "c": "1", "d": "NA"}
    frame["strategy"] = frame["strategy"].map(names)
    frame["dataset"] = frame["dataset"].map({"data0": 6, "data1": 155})
    path = tmp_path / "results.csv"
    frame.to_csv(path, index=False)
    for source in (frame, path, frame.astype({"strategy": "category"})):
        curves = learning_curves(source)
        assert set(curves["strategy"]) == set(names.values())
        assert set(curves["dataset"]) == {"6", "155"}


def test_counts_may_be_whole_floats(frame):
    floats = frame.astype({"n_query": float, "repeat": float, "n_labeled": float})
    pd.testing.assert_frame_equal(learning_curves(floats), learning_curves(frame))


@pytest.mark.parametrize("kind", ["int64", "uint64", "Int64", object, str])
def test_repeats_may_be_large_seeds(frame, kind):
    # As floats, those of the first strategy would be equal.
    seeds = frame.assign(repeat=(frame["repeat"] + 2**62).astype(kind))
    pd.testing.assert_frame_equal(learning_curves(seeds), learning_curves(frame))


@each_function
def test_a_column_that_is_there_twice_is_refused(function, frame):
    with pytest.raises(ValueError, match="must have one column 'score'"):
        function(pd.concat([frame, frame[["score"]]], axis=1))


def test_an_empty_cell_of_a_file_is_a_missing_score(tmp_path, frame):
    frame["score"] = frame["score"].astype(object)
    frame.loc[0, "score"] = ""
    path = tmp_path / "results.csv"
    frame.to_csv(path, index=False)
    assert learning_curves(path)["n_missing"].sum() == 1


@each_function
def test_scores_that_are_not_finite_do_not_count(function, frame):
    rows = (frame["strategy"] == "c") & (frame["repeat"] == 2)
    expected = function(frame[~rows])
    for value in (np.nan, np.inf, -np.inf):
        result = function(frame.assign(score=frame["score"].mask(rows, value)))
        names = [name for name in expected if name not in ("n_missing", "n_incomplete")]
        pd.testing.assert_frame_equal(result[names], expected[names])


@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=FUNCTIONS)
def test_without_pandas_the_error_says_what_to_install(function, monkeypatch):
    frame = noisy_frame(0)
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ImportError, match=r'pip install "skbadge\[plot\]"'):
        function(frame)
