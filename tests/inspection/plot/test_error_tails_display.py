"""Gains against tails, with both written out."""

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt

from skbadge.inspection import ErrorTailsDisplay, error_tails

TAILS = {"light": 0.2, "middle": 0.5, "heavy": 1.0}
SLOPES = {"lcmd": 0.5, "bald": -0.25}


def experiment(tails=TAILS, n_repeats=2):
    """The gain of a strategy is its slope times the tail."""
    rows = []
    for dataset, tail in tails.items():
        for repeat in range(n_repeats):
            for strategy, slope in {**SLOPES, "random": 0.0}.items():
                common = {
                    "dataset": dataset,
                    "strategy": strategy,
                    "n_query": 10,
                    "repeat": repeat,
                }
                noise = 0.1 * (repeat - (n_repeats - 1) / 2) * (strategy == "lcmd")
                for n_labeled, mae, log_ratio in (
                    (10, 1.0, 0.0),
                    (20, 0.8, slope * tail + noise),
                ):
                    for metric, error in (
                        ("neg_mean_absolute_error", mae * np.exp(-2.0)),
                        ("neg_root_mean_squared_error", np.exp(tail - 2.0 - log_ratio)),
                    ):
                        rows.append(
                            common
                            | {"n_labeled": n_labeled}
                            | {"metric": metric, "score": -error}
                        )
    return pd.DataFrame(rows)


def test_marks_are_tails_and_gains():
    display = ErrorTailsDisplay.from_frame(experiment())
    assert list(display.bars_) == ["bald", "lcmd"]
    for name, bars in display.bars_.items():
        x, y = np.asarray(bars.lines[0].get_data(), dtype=float)
        np.testing.assert_allclose(sorted(x), sorted(TAILS.values()))
        np.testing.assert_allclose(y, SLOPES[name] * np.asarray(x), atol=1e-12)


def test_bars_are_one_standard_error():
    display = ErrorTailsDisplay.from_frame(experiment(), strategies=["lcmd"])
    for bar in display.bars_["lcmd"].lines[2][0].get_segments():
        assert bar[1, 1] - bar[0, 1] == pytest.approx(0.1)


def test_lines_are_those_of_least_squares():
    display = ErrorTailsDisplay.from_frame(experiment())
    for name, (line,) in display.lines_.items():
        x, y = line.get_data()
        np.testing.assert_allclose(x, [0.2, 1.0])
        np.testing.assert_allclose(y, SLOPES[name] * np.asarray(x), atol=1e-12)


def test_two_data_sets_have_no_line():
    few = {name: TAILS[name] for name in ("light", "heavy")}
    display = ErrorTailsDisplay.from_frame(experiment(few))
    assert display.lines_ == {"bald": [], "lcmd": []}


def test_a_single_repeat_has_marks_without_bars():
    display = ErrorTailsDisplay.from_frame(experiment(n_repeats=1))
    assert list(display.bars_) == ["bald", "lcmd"]


def test_axes_say_what_they_show():
    display = ErrorTailsDisplay.from_frame(experiment(), strategies="lcmd")
    assert display.ax_.get_xlabel() == "ln(RMSE / MAE) of random at the start"
    assert display.ax_.get_ylabel() == "Gain over random in mean ln(RMSE)"
    assert [text.get_text() for text in display.legend_.get_texts()] == ["lcmd"]


def test_another_baseline_is_named():
    display = ErrorTailsDisplay.from_frame(experiment(), baseline="lcmd")
    assert display.tails.baseline == "lcmd"
    assert "lcmd" in display.ax_.get_ylabel()


def test_strategies_that_are_not_there_are_named():
    with pytest.raises(ValueError, match=r"`strategies` must be .* Got 'margin'"):
        ErrorTailsDisplay.from_frame(experiment(), strategies=["margin"])


def test_nothing_to_draw_is_an_error_with_the_reason():
    frame = experiment()
    with pytest.raises(ValueError, match="no gain to draw"):
        ErrorTailsDisplay.from_frame(frame[frame["strategy"] == "random"])


def test_a_given_axes_is_drawn_in():
    _, ax = plt.subplots()
    display = ErrorTailsDisplay(error_tails(experiment())).plot(ax)
    assert display.ax_ is ax
    assert display.legend_ is ax.get_legend()
