"""Ratios of errors, against errors written out."""

from inspect import signature

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt

from skbadge.inspection import ErrorRatioDisplay, mean_log_errors

# Factors to random's errors, the same at each step.
RATIOS = {
    "plain": {"lcmd": 0.5, "bald": 2.0, "random": 1.0},
    "steep": {"lcmd": 0.8, "bald": 1.0, "random": 1.0},
}


def experiment(ratios=RATIOS, model="net", metric="neg_mean_absolute_error"):
    return pd.DataFrame(
        [
            {
                "dataset": dataset,
                "model": model,
                "strategy": strategy,
                "n_query": 10,
                "repeat": repeat,
                "n_labeled": n_labeled,
                "metric": metric,
                "score": -ratio * (3.0 + repeat) / n_labeled,
            }
            for dataset, by_strategy in ratios.items()
            for strategy, ratio in by_strategy.items()
            for repeat in range(2)
            for n_labeled in (10, 20, 30)
        ]
    )


def test_dots_are_geometric_means_and_the_best_is_on_top():
    display = ErrorRatioDisplay.from_frame(experiment())
    assert display.rows_["label"].tolist() == ["bald", "lcmd"]
    x, y = display.bars_.lines[0].get_data()
    np.testing.assert_allclose(x, [np.sqrt(2.0 * 1.0), np.sqrt(0.5 * 0.8)])
    np.testing.assert_array_equal(y, [0, 1])
    ticks = [text.get_text() for text in display.ax_.get_yticklabels()]
    assert ticks == ["bald", "lcmd"]


def test_each_data_set_has_its_marks():
    display = ErrorRatioDisplay.from_frame(experiment())
    assert list(display.lines_) == ["plain", "steep"]
    for dataset, line in display.lines_.items():
        found = dict(zip(line.get_ydata(), line.get_xdata(), strict=True))
        names = dict(enumerate(display.rows_["strategy"]))
        assert {names[y]: x for y, x in found.items()} == pytest.approx(
            {name: RATIOS[dataset][name] for name in names.values()}
        )
    legend = [text.get_text() for text in display.legend_.get_texts()]
    assert legend == ["plain", "steep", "mean"]


def test_bars_are_one_standard_error_of_the_log():
    frame = experiment({"plain": RATIOS["plain"]})
    is_one = (frame["strategy"] == "lcmd") & (frame["repeat"] == 1)
    frame.loc[is_one, "score"] *= 0.9
    display = ErrorRatioDisplay.from_frame(frame, strategies="lcmd")
    (bar,) = display.bars_.lines[2][0].get_segments()
    # Two values, so that the standard error is half their distance.
    mean, sem = np.log(0.5) + np.log(0.9) / 2, -np.log(0.9) / 2
    np.testing.assert_allclose(bar[:, 0], np.exp([mean - sem, mean + sem]))


def test_a_single_repeat_has_dots_without_bars():
    frame = experiment()
    display = ErrorRatioDisplay.from_frame(frame[frame["repeat"] == 0])
    assert display.rows_["difference_sem_fixed"].isna().all()
    assert len(display.bars_.lines[0].get_xdata()) == 2


def test_a_single_data_set_needs_no_marks():
    display = ErrorRatioDisplay.from_frame(experiment({"plain": RATIOS["plain"]}))
    assert display.lines_ == {}
    assert display.legend_ is None


def test_labels_say_what_tells_lines_apart():
    frame = pd.concat([experiment(), experiment(model="wide net")])
    display = ErrorRatioDisplay.from_frame(frame, strategies="lcmd")
    assert display.rows_["label"].tolist() == ["lcmd, wide net", "lcmd, net"]


def test_axes_say_what_they_show():
    display = ErrorRatioDisplay.from_frame(experiment(), baseline="lcmd")
    assert display.ax_.get_xlabel() == "Error divided by that of lcmd"
    assert display.ax_.get_title() == "Mean absolute error"
    assert display.rows_["strategy"].tolist() == ["bald", "random"]


def test_parameters_reach_the_computation():
    options = {"at": "final", "floor": 0.2, "ddof": 0}
    display = ErrorRatioDisplay.from_frame(experiment(), **options)
    errors = mean_log_errors(experiment(), **options)
    pd.testing.assert_frame_equal(display.errors.table, errors.table)
    defaults = {
        name: parameter.default
        for name, parameter in signature(mean_log_errors).parameters.items()
    }
    faced = signature(ErrorRatioDisplay.from_frame).parameters
    assert defaults == {name: faced[name].default for name in defaults}


def test_a_picture_shows_one_metric():
    frame = pd.concat([experiment(), experiment(metric="neg_max_error")])
    with pytest.raises(ValueError, match=r"`metric` must be one of .* shows one"):
        ErrorRatioDisplay.from_frame(frame)
    errors = mean_log_errors(frame)
    display = ErrorRatioDisplay(errors, metric="neg_max_error").plot()
    assert display.ax_.get_title() == "Max error"
    with pytest.raises(ValueError, match=r"`metric` must be one of .* Got 'accuracy'"):
        ErrorRatioDisplay(errors, metric="accuracy").plot()


def test_strategies_that_are_not_there_are_named():
    with pytest.raises(ValueError, match=r"`strategies` must be .* Got 'margin'"):
        ErrorRatioDisplay.from_frame(experiment(), strategies=["margin"])


def test_nothing_to_draw_is_an_error_with_the_reason():
    alone = {"plain": {"random": 1.0}}
    with pytest.raises(ValueError, match="no ratio to draw"):
        ErrorRatioDisplay.from_frame(experiment(alone))


def test_a_given_axes_is_drawn_in():
    _, ax = plt.subplots()
    display = ErrorRatioDisplay.from_frame(experiment(), ax=ax)
    assert display.ax_ is ax
    assert display.legend_ is ax.get_legend()
