"""MonitorDisplay, against the rounds that it draws."""

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib import pyplot as plt

from skbadge.monitoring import Monitor, MonitorDisplay, MonitoredRound
from tests.monitoring._asked import X, asked, y

PANELS = ["error", "agreement", "disagreement", "classes", "duplicates"]


@pytest.fixture(autouse=True)
def _without_a_screen():
    mpl.use("Agg")
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def monitor():
    """Three rounds with an estimate by batch, by none and by audit."""
    querier, *_ = asked()
    monitor, left = Monitor(X[60:], n_folds=2, random_state=0), np.arange(600) >= 60
    for number in range(3):
        if number == 1:
            querier.set_params(strategy="margin")
        if number == 2:
            monitor.extend_audit(X[500:], y[500:])
        rows, report = querier.query(X, 20, candidates=left, return_report=True)
        left[rows] = False
        monitor.add(querier, report, X[rows], y[rows])
        querier.partial_fit(X[rows], y[rows])
    return monitor


def one(number, **changes):
    nothing = dict.fromkeys(("assessment", "agreement", "disagreement"))
    counts = {"n_labeled": 20 * number, "n_asked": 20, "n_answered": 20}
    rest = {"strategy": "", "source": "", "class_counts": {}, "duplicates": 0.0}
    return MonitoredRound(**{"number": number, **counts, **nothing, **rest, **changes})


def test_each_panel_shows_what_the_rounds_say(monitor):
    display = MonitorDisplay.from_monitor(monitor, target=0.25)
    assert list(display.axes_) == PANELS
    rounds, nan = monitor.rounds, np.nan
    by_batch, by_audit = rounds[0].error, rounds[2].error
    expected = {
        "batch": [by_batch.estimate, nan, nan],
        "audit": [nan, nan, by_audit.estimate],
        "agreement": [nan, rounds[1].agreement, rounds[2].agreement],
        "disagreement": [each.disagreement for each in rounds],
        "duplicates": [0.0, 0.0, 0.0],
    }
    assert set(display.lines_) == set(expected)
    for name, values in expected.items():
        line = display.lines_[name]
        np.testing.assert_array_equal(line.get_xdata(), [60, 80, 100])
        np.testing.assert_array_equal(line.get_ydata(), values)
    ends = [each.get_segments()[0] for each in display.axes_["error"].collections]
    np.testing.assert_allclose(ends[0][:, 1], [by_batch.low, by_batch.high])
    for number, label in enumerate(sorted(rounds[0].class_counts)):
        bars = display.bars_[label]
        heights = [each.class_counts.get(label, 0) / 20 for each in rounds]
        np.testing.assert_allclose([bar.get_height() for bar in bars], heights)
        below = [
            sum(each.class_counts.get(k, 0) for k in range(number)) / 20
            for each in rounds
        ]
        np.testing.assert_allclose([bar.get_y() for bar in bars], below)


def test_axes_say_what_they_are_and_the_legend_lists_all(monitor):
    display = MonitorDisplay.from_monitor(monitor, target=0.25)
    axes = display.axes_
    assert axes["error"].get_ylabel() == "Error"
    assert axes["agreement"].get_xlabel() == "Labelled rows"
    assert axes["classes"].get_xlabel() == "Round"
    assert len({axes[name].get_xlim() for name in PANELS if name != "classes"}) == 1
    legend = [text.get_text() for text in display.legend_.get_texts()]
    assert legend == [
        "Target 25%",
        "By the batch, 0.95 interval",
        "By the audit, 0.95 interval",
        *(f"Class {label}" for label in range(3)),
    ]
    display.figure_.canvas.draw()
    ticks = [text.get_text() for text in axes["error"].get_yticklabels()]
    assert "20%" in ticks


def test_panels_are_chosen_by_name(monitor):
    display = MonitorDisplay.from_monitor(monitor, panels="agreement", legend=None)
    assert list(display.axes_) == ["agreement"]
    assert display.legend_ is None
    _, given = plt.subplots(1, 2)
    again = display.plot(given, panels=["duplicates", "error"])
    assert again is display
    assert list(again.axes_.values()) == list(given)
    with pytest.raises(ValueError, match=r"`panels` must be one of .*'risk'"):
        display.plot(panels="risk")
    with pytest.raises(ValueError, match=r"one axes for each of \['error'\]. Got 2"):
        display.plot(given, panels="error")


def test_what_no_round_says_is_left_out():
    display = MonitorDisplay([one(1)]).plot()
    assert list(display.axes_) == ["duplicates"]
    # By name, its axes are empty.
    display.plot(panels=PANELS)
    assert list(display.axes_) == PANELS
    assert set(display.lines_) == {"agreement", "disagreement", "duplicates"}
    assert not display.bars_
    display.figure_.canvas.draw()


def test_many_classes_are_put_together():
    counts = {label: 100 - label for label in range(12)}
    display = MonitorDisplay([one(1, class_counts=counts), one(2)]).plot()
    assert list(display.bars_) == [*range(9), None]
    rest = display.bars_[None][0].get_height()
    assert rest == pytest.approx((91 + 90 + 89) / sum(counts.values()))
    # Ten have a colour each.
    ten = {label: 1 for label in "abcdefghij"}
    display = MonitorDisplay([one(1, class_counts=ten)]).plot()
    assert list(display.bars_) == list("abcdefghij")
    colors = {bars[0].get_facecolor() for bars in display.bars_.values()}
    assert len(colors) == 10


def test_a_monitor_without_rounds_is_refused():
    with pytest.raises(ValueError, match="at least one round"):
        MonitorDisplay.from_monitor(Monitor())
