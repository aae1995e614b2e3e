"""The heat map shows the numbers of the matrix, each in its place."""

from inspect import signature

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt

from skbadge.inspection import PenaltyMatrixDisplay, penalty_matrix
from skbadge.inspection._plot import _penalty_matrix_display
from skbadge.strategies import get_strategy_names

NAMES = ["random", "margin", "badge"]
MATRIX = pd.DataFrame(
    [[0.0, 0.5, 0.0], [2.0, 0.0, 0.25], [3.0, 1.0, 0.0]], index=NAMES, columns=NAMES
)
AVERAGE = pd.Series([2.5, 0.75, 0.125], index=NAMES)


def texts(display):
    return [["" if t is None else t.get_text() for t in row] for row in display.text_]


def test_numbers_stand_in_their_row_and_column():
    display = PenaltyMatrixDisplay(MATRIX, AVERAGE, n_settings=3).plot(sort=False)
    assert texts(display) == [
        ["", "0.50", "0.00"],
        ["2.00", "", "0.25"],
        ["3.00", "1.00", ""],
        ["2.50", "0.75", "0.12"],
    ]
    for i, j in np.ndindex(4, 3):
        if i != j:
            x, y = display.text_[i, j].get_position()
            assert round(x) == j
            assert int(y) == i
    image = display.image_.get_array()
    np.testing.assert_array_equal(np.ma.getmaskarray(image), np.eye(3, dtype=bool))
    np.testing.assert_array_equal(image.filled(0), MATRIX)
    np.testing.assert_array_equal(display.average_image_.get_array()[0], AVERAGE)


def test_cells_lie_where_their_labels_are():
    display = PenaltyMatrixDisplay(MATRIX, AVERAGE).plot(sort=False)
    ax = display.ax_
    assert [t.get_text() for t in ax.get_xticklabels()] == NAMES
    rows = [t.get_text() for t in ax.get_yticklabels()]
    assert rows[:3] == NAMES
    assert rows[3].startswith("column average")
    assert tuple(display.image_.get_extent()) == (-0.5, 2.5, 2.5, -0.5)
    left, right, bottom, top = display.average_image_.get_extent()
    assert (left, right) == (-0.5, 2.5)
    assert top > 2.5
    assert top < ax.get_yticks()[3] < bottom
    assert ax.get_ylim() == (bottom, -0.5)


def test_the_least_beaten_come_first():
    display = PenaltyMatrixDisplay(MATRIX, AVERAGE).plot()
    assert display.strategies_ == ["badge", "margin", "random"]
    assert texts(display) == [
        ["", "1.00", "3.00"],
        ["0.25", "", "2.00"],
        ["0.00", "0.50", ""],
        ["0.12", "0.75", "2.50"],
    ]


def test_entries_and_averages_share_their_colours():
    display = PenaltyMatrixDisplay(MATRIX, AVERAGE).plot()
    for image in (display.image_, display.average_image_):
        assert image.get_clim() == (0, 3)
    zeros = PenaltyMatrixDisplay(MATRIX * 0, AVERAGE * 0).plot()
    assert zeros.image_.get_clim() == (0, 1)


def test_numbers_are_readable_on_their_colour():
    display = PenaltyMatrixDisplay(MATRIX, AVERAGE).plot()
    assert display.text_[0, 2].get_color() == "white"
    assert display.text_[2, 0].get_color() == "black"
    light = PenaltyMatrixDisplay(MATRIX, AVERAGE).plot(cmap="Blues_r")
    assert light.text_[0, 2].get_color() == "black"


def test_the_title_says_which_way_to_read():
    display = PenaltyMatrixDisplay(MATRIX, AVERAGE, n_settings=3, definition="paper")
    title = display.plot().ax_.get_title()
    assert title.startswith("How often the row beats the column, of 3 settings")
    assert "definition of the paper" in title
    single = PenaltyMatrixDisplay(MATRIX, AVERAGE, n_settings=1).plot()
    assert single.ax_.get_title().endswith("of 1 setting")


def test_what_was_never_compared_is_no_number():
    matrix = MATRIX.copy()
    matrix.loc["badge", "margin"] = np.nan
    average = AVERAGE.copy()
    average["random"] = np.nan
    display = PenaltyMatrixDisplay(matrix, average).plot(sort=False)
    assert display.text_[2, 1].get_text() == "n/a"
    assert display.text_[3, 0].get_text() == "n/a"
    assert display.image_.get_clim() == (0, 3)
    assert PenaltyMatrixDisplay(matrix, average).plot().strategies_[-1] == "random"


def test_the_matrix_is_left_as_it_was():
    before = MATRIX.copy()
    PenaltyMatrixDisplay(MATRIX, AVERAGE).plot()
    pd.testing.assert_frame_equal(MATRIX, before)


def experiment():
    """Badge beats random at both budgets of two settings."""
    gain = {"badge": 0.1, "random": 0.0}
    return pd.DataFrame(
        [
            {
                "dataset": dataset,
                "strategy": name,
                "n_query": 100,
                "repeat": repeat,
                "n_labeled": n_labeled,
                "score": score + extra * (n_labeled > 100) + 0.001 * repeat,
            }
            for dataset in ("letter", "mnist")
            for name, extra in gain.items()
            for repeat in range(5)
            for n_labeled, score in [(100, 0.5), (200, 0.7), (300, 0.8)]
        ]
    )


@pytest.mark.parametrize("definition", ["paper", "script"])
def test_an_experiment_is_computed_and_drawn(definition):
    display = PenaltyMatrixDisplay.from_frame(experiment(), definition)
    expected = penalty_matrix(experiment(), definition)
    pd.testing.assert_frame_equal(display.matrix, expected.matrix)
    pd.testing.assert_series_equal(display.column_average, expected.column_average)
    assert display.strategies_ == ["badge", "random"]
    win = expected.matrix.loc["badge", "random"]
    assert display.text_[0, 1].get_text() == format(win, ".2f")
    assert display.text_[1, 0].get_text() == "0.00"
    assert f"definition of the {definition}" in display.ax_.get_title()


def test_parameters_reach_the_computation_and_have_its_defaults(monkeypatch):
    parameters = signature(penalty_matrix).parameters
    faced = signature(PenaltyMatrixDisplay.from_frame).parameters
    defaults = {name: p.default for name, p in parameters.items()}
    assert defaults == {name: faced[name].default for name in defaults}
    calls = []

    def recorded(*args, **kwargs):
        calls.append(signature(penalty_matrix).bind(*args, **kwargs).arguments)
        return penalty_matrix(*args, **kwargs)

    monkeypatch.setattr(_penalty_matrix_display, "penalty_matrix", recorded)
    options = {
        "definition": "script",
        "metric": "score",
        "alpha": 0.01,
        "baseline": "badge",
        "paired": False,
        "diagonal_in_mean": True,
        "n_initial": 200,
        "error": "one_minus",
    }
    frame = experiment()
    PenaltyMatrixDisplay.from_frame(frame, **options)
    assert calls[0].pop("frame") is frame
    assert calls == [options]
    assert {"frame", *options} == set(parameters)


def test_all_strategies_fit_into_the_figure():
    names = get_strategy_names()
    matrix = pd.DataFrame(10.25, index=names, columns=names)
    display = PenaltyMatrixDisplay(matrix, matrix.mean(), n_settings=33).plot()
    display.figure_.canvas.draw()
    for text in display.text_[~np.eye(len(names) + 1, len(names), dtype=bool)]:
        box = text.get_window_extent()
        cell = display.ax_.transData.transform([[0, 0], [1, 1]])
        assert box.width < 0.9 * abs(cell[1, 0] - cell[0, 0])
    page = display.figure_.bbox
    parts = [*display.ax_.get_xticklabels(), *display.ax_.get_yticklabels()]
    for part in [*parts, display.ax_.title]:
        box = part.get_window_extent()
        assert page.x0 <= box.x0
        assert box.x1 <= page.x1
        assert box.y1 <= page.y1


def test_a_given_axes_is_drawn_in():
    _, ax = plt.subplots()
    assert PenaltyMatrixDisplay(MATRIX, AVERAGE).plot(ax).ax_ is ax
