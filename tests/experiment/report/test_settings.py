"""Parts of a report on several settings: groups, ranks, regrets, savings, times."""

import re

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from skbadge.experiment import write_report
from skbadge.inspection import labels_saved, mean_ranks, penalty_matrix, regret
from tests.experiment.report._results import make_frame, make_settings


@pytest.fixture(autouse=True)
def _pictures_without_a_screen():
    pytest.importorskip("matplotlib").use("Agg")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    pytest.importorskip("matplotlib").use("Agg")
    folder = tmp_path_factory.mktemp("settings")
    write_report(make_settings(), folder)
    return folder


@pytest.mark.parametrize(
    ("column", "groups"), [("n_query", (10, 20)), ("model", ("mlp", "net"))]
)
def test_penalties_are_shown_by_group(folder, column, groups):
    frame = make_settings()
    table = pd.read_csv(folder / f"accuracy_penalties_{column}.csv", index_col=0)
    matrices = [penalty_matrix(frame[frame[column] == each]) for each in groups]
    for group, matrix in zip(groups, matrices, strict=True):
        shown = table[f"{column} {group} (of 4)"]
        np.testing.assert_allclose(shown, matrix.column_average)
        assert (folder / f"accuracy_penalties_{column}_{group}.png").is_file()
    # Each setting is in one group.
    np.testing.assert_allclose(table.iloc[:, :-1].sum(axis=1), table["all (of 8)"])
    assert table["all (of 8)"].max() > 0


@pytest.mark.parametrize("name", ["strategy", "column average", "(strategy)"])
def test_a_strategy_may_be_called_as_a_label_of_the_matrix_is(tmp_path, name):
    frame = make_frame(n_repeats=3).replace({"strategy": {"badge": name}})
    write_report(frame, tmp_path)
    table = pd.read_csv(tmp_path / "accuracy_penalties.csv", index_col=0)
    matrix = penalty_matrix(frame)
    names = list(matrix.matrix)
    assert list(table.index[:-1]) == list(table) == names
    assert table.index[-1] not in names
    np.testing.assert_allclose(table.iloc[:-1], matrix.matrix)
    np.testing.assert_allclose(table.iloc[-1], matrix.column_average)


def test_groups_of_one_setting_are_no_groups(tmp_path):
    frame = make_settings()
    is_one = frame["dataset"].eq("first") & frame["model"].eq("mlp")
    text = write_report(frame[is_one | frame["n_query"].eq(10)], tmp_path).read_text()
    # Three settings of one model and two of the other; four and one of batch sizes.
    assert "### Penalty matrices by model" in text
    assert "### Penalty matrices by batch size" not in text
    few = frame[frame["dataset"].eq("first") & frame["n_query"].eq(10)]
    assert "### Penalty matrices by" not in write_report(few, tmp_path).read_text()


def test_groups_without_the_baseline_are_no_groups(tmp_path):
    frame = make_settings().query("model == 'mlp' or strategy == 'badge'")
    text = write_report(frame, tmp_path).read_text()
    assert "### Penalty matrices by batch size" in text
    assert "### Penalty matrices by model" not in text


def test_ranks_regrets_and_savings_are_those_of_the_statistics(folder):
    frame = make_settings()
    ranks, losses = mean_ranks(frame), regret(frame, random_state=0)
    saved = {
        "labels_saved": [],
        "labels_saved_n_query": ["n_query"],
        "labels_saved_model": ["model"],
        "labels_saved_each": None,
    }
    expected = {
        "ranks": ranks.table,
        "rank_pairs": ranks.pairs,
        "ranks_by_setting": ranks.by_setting,
        "regret": losses.table,
        "regret_by_setting": losses.by_setting,
    }
    expected |= {
        name: labels_saved(frame, by=by, random_state=0) for name, by in saved.items()
    }
    for name, table in expected.items():
        found = pd.read_csv(folder / f"accuracy_{name}.csv")
        if "target" in table:
            # Shares, and the word "final".
            found, table = (each.astype({"target": str}) for each in (found, table))
        assert_frame_equal(found, table, check_dtype=False)


def test_the_targets_of_labels_saved_are_those_that_the_text_names(folder):
    table = pd.read_csv(folder / "accuracy_labels_saved.csv")
    (text,) = re.findall(
        r"The share of its labels .*", (folder / "report.md").read_text()
    )
    named = re.findall(r"\((?:target )?([\d.]+)\)", text)
    assert sorted(map(float, named)) == sorted(set(table["target"]))
    assert "the end" not in text


def test_the_critical_difference_and_what_it_does_not_tell_apart_are_said(folder):
    text = (folder / "report.md").read_text()
    ranks = mean_ranks(make_settings())
    assert f"less than {ranks.critical_difference:.2f} apart" in text
    for group in ranks.groups:
        assert f"Not told apart: {', '.join(group)}." in text


def test_a_single_setting_has_no_ranks_and_no_regrets(tmp_path):
    text = write_report(make_frame(), tmp_path).read_text()
    assert "Mean ranks" not in text
    assert "Regret" not in text
    assert "In each setting:" in text
    assert "Over all settings:" not in text


def test_a_single_strategy_saves_nothing(tmp_path):
    frame = make_frame().query("strategy == 'random'")
    assert "Labels saved" not in write_report(frame, tmp_path).read_text()


def test_unknown_times_are_said_to_be(tmp_path):
    frame = make_frame(n_repeats=2).drop(columns=["fit_time", "query_time"])
    text = write_report(frame, tmp_path).read_text()
    assert "Not available: There is no finite time above 0 to draw" in text
    assert not (tmp_path / "times.png").exists()
