"""Critical-difference diagrams say what the ranks say."""

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt

from skbadge.inspection import MeanRanksDisplay, mean_ranks
from skbadge.inspection._plot._mean_ranks_display import _levels
from skbadge.inspection._plot._style import strategy_styles


def experiment(seed=0, n_datasets=40, gap=0.8):
    """Each strategy is a step behind the one before."""
    rng = np.random.RandomState(seed)
    return pd.DataFrame(
        {"dataset": f"data{i:02}", "strategy": name, "n_query": 1, "repeat": 0}
        | {"n_labeled": 10, "score": rng.normal() - gap * j}
        for i in range(n_datasets)
        for j, name in enumerate(["badge", "margin", "entropy", "random", "$other"])
    )


def test_marks_stand_at_mean_ranks_and_lines_end_at_names():
    display = MeanRanksDisplay.from_frame(experiment(), at="final")
    table = display.ranks.table
    assert list(display.lines_) == table["strategy"].tolist()
    styles = strategy_styles(table["strategy"])
    for name, mean in zip(table["strategy"], table["mean_rank"], strict=True):
        line, text = display.lines_[name], display.text_[name]
        x, y = line.get_data()
        assert (x[0], y[0]) == (mean, 0)
        assert (x[-1], y[-1]) == text.xy
        assert line.get_marker() == styles[name]["marker"]
        assert line.get_markerfacecolor() == styles[name]["color"]
        assert name.replace("$", "\\$") in text.get_text()
        assert f"{mean:.2f}" in text.get_text()


def test_the_better_half_is_on_the_left_and_no_two_lines_cross():
    display = MeanRanksDisplay.from_frame(experiment(), at="final")
    names = list(display.lines_)
    sides = [display.text_[name].get_ha() for name in names]
    assert sides == ["right"] * 3 + ["left"] * 2
    corners = {name: display.lines_[name].get_data() for name in names}
    for one in names:
        for other in names:
            if one == other:
                continue
            (_, _, edge), (_, y, _) = corners[one]
            (x, _, _), (_, foot, _) = corners[other]
            low, high = sorted([corners[one][0][0], edge])
            # The other's line goes from the axis down to its foot.
            assert not (low < x < high and foot < y)


def test_bars_join_the_groups_that_do_not_differ():
    display = MeanRanksDisplay.from_frame(experiment(gap=0.6), at="final")
    ranks = display.ranks
    means = ranks.table.set_index("strategy")["mean_rank"]
    assert len(ranks.groups) >= 2
    ends = [tuple(bar.get_xdata()) for bar in display.bars_]
    assert ends == [(means[one[0]], means[one[-1]]) for one in ranks.groups]
    foot = max(line.get_ydata()[1] for line in display.lines_.values())
    assert all(foot < bar.get_ydata()[0] < 0 for bar in display.bars_)


def test_overlapping_bars_have_rows_of_their_own():
    names = list("abcdefg")
    groups = [("a", "b", "c"), ("c", "d"), ("d", "e"), ("f", "g")]
    assert _levels(groups, names) == [0, 1, 0, 0]
    assert _levels([], names) == []


def test_the_ruler_is_as_long_as_the_critical_difference():
    display = MeanRanksDisplay.from_frame(experiment(), at="final", alpha=0.1)
    x = display.ruler_.get_xdata()
    assert x[1] - x[0] == pytest.approx(display.ranks.critical_difference)
    few = MeanRanksDisplay.from_frame(experiment(n_datasets=2), at="final")
    assert few.ax_.get_xlim()[1] > few.ruler_.get_xdata()[1] > 5


def test_the_axis_goes_from_one_to_the_number_of_strategies():
    display = MeanRanksDisplay.from_frame(experiment(), at="final")
    assert display.ax_.get_xticks().tolist() == [1, 2, 3, 4, 5]
    assert (
        display.ax_.get_title() == "Mean rank by score, over 40 data sets (1 is best)"
    )
    one = MeanRanksDisplay.from_frame(experiment(n_datasets=1), at="final")
    assert "over 1 data set " in one.ax_.get_title()
    by_setting = MeanRanksDisplay.from_frame(experiment(), at="final", block="setting")
    assert "over 40 settings " in by_setting.ax_.get_title()


def test_strategies_can_be_chosen():
    chosen = ["badge", "random"]
    display = MeanRanksDisplay.from_frame(experiment(), at="final", strategies=chosen)
    assert sorted(display.text_) == chosen


def test_a_given_axes_is_drawn_in():
    _, ax = plt.subplots()
    display = MeanRanksDisplay(mean_ranks(experiment(), at="final")).plot(ax)
    assert display.ax_ is ax
    assert display.figure_ is ax.figure
