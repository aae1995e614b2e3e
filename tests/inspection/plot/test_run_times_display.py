"""Times as drawn, against the numbers they are of."""

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


def test_a_time_of_nothing_has_no_logarithm():
    frame = experiment()
    frame.loc[frame["strategy"] == "random", "query_time"] = 0.0
    display = RunTimesDisplay.from_frame(frame, measures="query_time")
    assert np.isnan(display.lines_[0]["random"].get_xdata()).all()
    with pytest.raises(ValueError, match=r"no time above 0 to draw in .'query_time'"):
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
