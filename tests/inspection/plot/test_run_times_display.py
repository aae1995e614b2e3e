"""Times as drawn, against the numbers they are of."""

import itertools

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt

from skbadge.inspection import RunTimesDisplay, run_times
from tests.inspection.test_run_times import experiment


def settings():
    places = [("b", "mlp", 10), ("a", "mlp", 20), ("a", "net", 10), ("a", "mlp", 10)]
    return pd.concat(
        [
            experiment(dataset=dataset, model=model, n_query=n_query)
            for dataset, model, n_query in places
        ]
    )


def test_each_point_is_the_time_of_a_strategy_in_a_setting():
    frame = settings()
    display = RunTimesDisplay.from_frame(frame)
    times = run_times(frame)
    for lines, measure in zip(display.lines_, ("query_time", "fit_time"), strict=True):
        assert list(lines) == ["badge", "random"]
        for name, line in lines.items():
            rows = times[times["strategy"] == name]
            lanes = np.round(line.get_ydata()).astype(int)
            found = {
                display.settings_[lane]: x
                for lane, x in zip(lanes, line.get_xdata(), strict=True)
            }
            expected = zip(
                rows[["dataset", "model", "n_query"]].itertuples(
                    index=False, name=None
                ),
                rows[measure],
                strict=True,
            )
            assert found == dict(expected)


def test_settings_of_one_model_and_batch_size_are_together():
    display = RunTimesDisplay.from_frame(settings())
    expected = ["a, mlp, 10", "b, mlp, 10", "a, mlp, 20", "a, net, 10"]
    labels = [text.get_text() for text in display.axes_[0].get_yticklabels()]
    assert labels == expected
    assert [", ".join(map(str, each)) for each in display.settings_] == expected
    # From the top.
    low, high = display.axes_[0].get_ylim()
    assert low > high
    assert {text.get_text() for text in display.axes_[1].get_yticklabels()} == {""}


def test_long_names_leave_the_axes_their_room():
    display = RunTimesDisplay.from_frame(experiment(dataset="$" * 300, model="net"))
    display.figure_.canvas.draw()
    label = display.axes_[0].get_yticklabels()[0].get_text()
    assert label == "\\$" * 31 + "\u2026, net, 10"
    assert display.axes_[0].get_window_extent().width > 100


def test_axes_are_logarithmic_and_labelled_in_plain_numbers():
    display = RunTimesDisplay.from_frame(experiment(fit_time=3.0, query_time=0.2))
    display.figure_.canvas.draw()
    for ax, label in zip(display.axes_, ("query", "training"), strict=True):
        assert ax.get_xscale() == "log"
        assert ax.get_xlabel() == f"Seconds of a {label}"
        low, high = ax.get_xlim()
        shown = [float(text.get_text()) for text in ax.get_xticklabels()]
        assert any(low <= tick <= high for tick in shown)


def reach(low, high):
    """Times of two strategies."""
    frame = experiment(fit_time=low)
    frame.loc[frame["strategy"] == "random", "fit_time"] = high
    return frame


@pytest.mark.parametrize("low", [1.07e-6, 2.3e-4, 0.012, 1.9, 85.0, 4321.0])
@pytest.mark.parametrize("ratio", [1.0, 1.02, 1.5, 4, 7, 9.9, 15, 90, 120, 1e5, 1e9])
def test_labels_of_ticks_are_told_apart_and_do_not_overlap(low, ratio):
    display = RunTimesDisplay.from_frame(reach(low, low * ratio))
    display.figure_.canvas.draw()
    ax = display.axes_[1]
    left, right = ax.get_xlim()
    ticks = zip(ax.get_xticks(), ax.get_xticklabels(), strict=True)
    shown = [label for tick, label in ticks if left <= tick <= right]
    texts = [label.get_text() for label in shown]
    assert len(texts) == len(set(texts)) > 0
    boxes = [label.get_window_extent() for label in shown]
    for one, other in itertools.pairwise(boxes):
        assert one.x1 < other.x0


@pytest.mark.parametrize("value", [0.0, np.inf])
def test_a_time_of_nothing_or_without_end_has_no_place(value):
    frame = experiment()
    frame.loc[frame["strategy"] == "random", "query_time"] = value
    display = RunTimesDisplay.from_frame(frame, measures="query_time")
    assert np.isnan(display.lines_[0]["random"].get_xdata()).all()
    with pytest.raises(
        ValueError, match=r"no finite time above 0 to draw in .'query_time'"
    ):
        RunTimesDisplay.from_frame(frame, measures="query_time", strategies="random")


def test_strategies_measures_and_axes_can_be_chosen():
    _, ax = plt.subplots()
    display = RunTimesDisplay.from_frame(
        experiment(score_time=3.0),
        strategies=["random"],
        measures=["score_time"],
        ax=ax,
        curve_kwargs={"color": "red"},
        legend=None,
    )
    assert display.axes_ == [ax]
    assert list(display.lines_[0]) == ["random"]
    assert display.lines_[0]["random"].get_color() == "red"
    assert display.lines_[0]["random"].get_linestyle() == "None"
    assert display.legend_ is None


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"strategies": "margin"}, "`strategies` must be one of .*'margin'"),
        ({"measures": "score_time"}, "`measures` must be one of .*'score_time'"),
    ],
)
def test_what_is_not_there_is_named(options, message):
    with pytest.raises(ValueError, match=message):
        RunTimesDisplay.from_frame(experiment(), **options)


def test_axes_must_be_one_for_each_measure():
    _, ax = plt.subplots()
    with pytest.raises(ValueError, match="`ax` must be one axes for each of"):
        RunTimesDisplay.from_frame(experiment(), ax=ax)
