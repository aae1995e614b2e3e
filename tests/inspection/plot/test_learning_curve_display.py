"""Learning curves as drawn, against numbers computed by hand."""

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt
from matplotlib.collections import LineCollection
from matplotlib.colors import to_rgba
from scipy import stats

from skbadge.inspection import ActiveLearningCurveDisplay, learning_curves

# By strategy, one row a repeat and one column a number of labels.
SCORES = {
    "badge": np.array([[0.50, 0.70, 0.80], [0.60, 0.80, 0.95]]),
    "random": np.array([[0.50, 0.60, 0.65], [0.60, 0.65, 0.80]]),
}
N_LABELED = [20, 30, 40]


def experiment(scores=SCORES, **constants):
    """Rows of the shared frame; NaN scores have none."""
    return pd.DataFrame(
        [
            {
                "dataset": "letter",
                "model": "mlp",
                "strategy": strategy,
                "n_query": 10,
                "repeat": repeat,
                "n_labeled": n_labeled,
                "metric": "accuracy",
                "score": score,
                "fit_time": 1.0 + position + repeat,
                "query_time": 0.5 * (position > 0),
            }
            | constants
            for strategy, runs in scores.items()
            for repeat, run in enumerate(runs)
            for position, (n_labeled, score) in enumerate(
                zip(N_LABELED, run, strict=False)
            )
            if not np.isnan(score)
        ]
    )


def several_settings():
    return pd.concat(
        experiment(dataset=dataset, n_query=n_query)
        for dataset in ("letter", "mnist")
        for n_query in (10, 100)
    )


def draw(frame, **options):
    return ActiveLearningCurveDisplay.from_frame(frame, **options)


def band_of(display, strategy, position=0):
    """Lower and upper edge of a band, by x."""
    vertices = display.bands_[position][strategy].get_paths()[0].vertices
    edges = pd.DataFrame(vertices, columns=["x", "y"]).groupby("x")["y"]
    return edges.min().to_numpy(), edges.max().to_numpy()


def test_lines_are_means_and_bands_standard_errors():
    display = draw(experiment())
    (lines,) = display.lines_
    assert list(lines) == ["badge", "random"]
    for name, runs in SCORES.items():
        np.testing.assert_array_equal(lines[name].get_xdata(), N_LABELED)
        np.testing.assert_allclose(lines[name].get_ydata(), runs.mean(axis=0))
        low, high = band_of(display, name)
        sem = stats.sem(runs)
        np.testing.assert_allclose(low, runs.mean(axis=0) - sem)
        np.testing.assert_allclose(high, runs.mean(axis=0) + sem)


def test_bands_are_intervals_of_student_on_request():
    display = draw(experiment(), confidence=0.95)
    runs = SCORES["badge"]
    expected = stats.t.interval(0.95, 1, runs.mean(axis=0), stats.sem(runs))
    np.testing.assert_allclose(band_of(display, "badge"), expected)
    assert "95% interval" in display.ax_.get_title()


def test_axes_say_what_they_show():
    display = draw(experiment())
    assert display.ax_.get_xlabel() == "Labelled rows"
    assert display.ax_.get_ylabel() == "Accuracy"
    title = "letter, mlp, 10 rows a query: mean and standard error, 2 repeats"
    assert display.ax_.get_title() == title
    legend = [text.get_text() for text in display.legend_.get_texts()]
    assert legend == ["badge", "random"]
    unnamed = experiment().drop(columns=["dataset", "model"])
    assert draw(unnamed).ax_.get_title().startswith("10 rows a query: mean")


def test_bands_have_the_colour_of_their_line():
    display = draw(experiment(), curve_kwargs={"badge": {"c": "red"}})
    for name, line in display.lines_[0].items():
        face = display.bands_[0][name].get_facecolor()[0]
        np.testing.assert_allclose(face[:3], to_rgba(line.get_color())[:3])
    assert display.lines_[0]["badge"].get_color() == "red"


def test_one_repeat_has_no_band():
    display = draw(experiment().query("repeat == 0"))
    assert display.bands_ == [{}]
    assert display.ax_.get_title().endswith(": 1 repeat")
    np.testing.assert_array_equal(
        display.lines_[0]["badge"].get_ydata(), SCORES["badge"][0]
    )


def test_bands_are_left_out_on_request():
    assert draw(experiment(), band=False).bands_ == [{}]


def test_a_single_point_has_a_bar_in_place_of_a_band():
    display = draw(experiment().query("n_labeled == 20 and strategy == 'badge'"))
    (bars,) = (c for c in display.ax_.collections if isinstance(c, LineCollection))
    (segment,) = bars.get_segments()
    np.testing.assert_allclose(segment, [[20, 0.5], [20, 0.6]])
    np.testing.assert_array_equal(display.ax_.get_xticks(), [20])


def test_points_of_one_run_among_points_of_several_have_no_band():
    scores = {"badge": np.array([[0.5, 0.7, 0.8], [0.6, 0.8, np.nan]])}
    display = draw(experiment(scores))
    low, _ = band_of(display, "badge")
    assert len(low) == 2
    np.testing.assert_allclose(
        display.lines_[0]["badge"].get_ydata(), [0.55, 0.75, 0.8]
    )
    assert "1 to 2 repeats" in display.ax_.get_title()


def test_each_setting_has_its_own_axes():
    display = draw(several_settings())
    expected = [
        ("letter", "mlp", 10),
        ("mnist", "mlp", 10),
        ("letter", "mlp", 100),
        ("mnist", "mlp", 100),
    ]
    assert display.settings_ == expected
    assert len(display.axes_) == len(display.figure_.axes) == 4
    titles = [ax.get_title() for ax in display.axes_]
    assert titles[0] == "letter, 10 rows a query"
    assert titles[3] == "mnist, 100 rows a query"
    # What all have in common is said once.
    common = "mlp: mean and standard error, 2 repeats"
    assert display.figure_.get_suptitle() == common
    # One row of axes for each number of rows asked for.
    corners = [ax.get_subplotspec().rowspan.start for ax in display.axes_]
    assert corners == [0, 0, 1, 1]


def test_axes_show_their_own_setting():
    frame = several_settings()
    mnist = (frame["dataset"] == "mnist") & (frame["n_query"] == 100)
    frame["score"] -= 0.1 * mnist
    display = draw(frame)
    means = [lines["badge"].get_ydata()[0] for lines in display.lines_]
    np.testing.assert_allclose(means, [0.55, 0.55, 0.55, 0.45])


def test_a_given_axes_takes_one_setting():
    figure, ax = plt.subplots()
    with pytest.raises(ValueError, match=r"there are 4 settings. Choose one by"):
        draw(several_settings(), ax=ax)
    assert not ax.lines
    display = draw(several_settings(), ax=ax, dataset="mnist", n_query=100)
    assert display.ax_ is ax
    assert display.figure_ is figure
    assert display.settings_ == [("mnist", "mlp", 100)]


def test_choices_that_are_not_there_are_named():
    with pytest.raises(ValueError, match=r"`dataset` must be one of 'letter'. Got 'x'"):
        draw(experiment(), dataset="x")
    with pytest.raises(ValueError, match=r"`strategies` must be one of .* Got 'bagde'"):
        draw(experiment(), strategies=["bagde"])
    with pytest.raises(ValueError, match=r"`n_query` must be one of 10\. Got 7"):
        draw(experiment(), n_query=7)
    with pytest.raises(ValueError, match=r"`relative_to` must be one of .* Got 'none'"):
        draw(experiment(), relative_to="none")
    with pytest.raises(ValueError, match="`x` must be one of"):
        draw(experiment(), x="hours")
    two = pd.concat([experiment(), experiment(metric="neg_log_loss")])
    with pytest.raises(ValueError, match="`metric` must be one of"):
        draw(two)
    assert draw(two, metric="neg_log_loss").ax_.get_ylabel() == "Negative log loss"


def test_strategies_are_drawn_in_the_order_asked_for():
    display = draw(experiment(), strategies=["random", "badge"])
    assert list(display.lines_[0]) == ["random", "badge"]
    assert list(draw(experiment(), strategies="badge").lines_[0]) == ["badge"]


def test_differences_are_taken_run_by_run():
    display = draw(experiment(), relative_to="random")
    differences = SCORES["badge"] - SCORES["random"]
    line = display.lines_[0]["badge"]
    np.testing.assert_allclose(line.get_ydata(), differences.mean(axis=0))
    low, high = band_of(display, "badge")
    # The first differences are both zero, though the scores are not the same.
    np.testing.assert_allclose(high - low, 2 * stats.sem(differences), atol=1e-12)
    np.testing.assert_array_equal(display.lines_[0]["random"].get_ydata(), 0)
    assert display.ax_.get_ylabel() == "Accuracy minus that of random"


def test_runs_without_a_counterpart_do_not_enter_differences():
    frame = experiment().query("strategy == 'badge' or repeat == 1")
    display = draw(frame, relative_to="random", strategies=["badge"])
    difference = (SCORES["badge"] - SCORES["random"])[1]
    np.testing.assert_allclose(display.lines_[0]["badge"].get_ydata(), difference)
    assert display.bands_ == [{}]


def test_a_setting_without_pairs_is_shown_as_such():
    frame = pd.concat(
        [
            experiment(),
            experiment(dataset="mnist").query("strategy == 'badge'"),
        ]
    )
    display = draw(frame, relative_to="random")
    assert [setting[0] for setting in display.settings_] == ["letter", "mnist"]
    assert display.lines_[1] == {}
    assert display.axes_[1].get_title() == "mnist\nno pairs with random: badge"
    only = frame[frame["dataset"] == "mnist"]
    frame = pd.concat(
        [
            only,
            experiment(dataset="mnist", repeat=7)
            .query("strategy == 'random'")
            .drop_duplicates("n_labeled"),
        ]
    )
    with pytest.raises(ValueError, match=r"No run of \['badge'\] has a run of"):
        draw(frame, relative_to="random", strategies=["badge"])


def test_scores_that_are_no_numbers_are_no_counterparts():
    frame = pd.concat([experiment(), experiment(dataset="mnist")])
    lost = (frame["dataset"] == "mnist") & (frame["strategy"] == "random")
    frame.loc[lost, "score"] = np.nan
    display = draw(frame, relative_to="random")
    title = display.axes_[1].get_title()
    assert title == "mnist\nno pairs with random: badge, random"


def test_seconds_of_a_lost_score_count_for_the_points_after_it():
    frame = experiment()
    lost = (frame["n_labeled"] == 30) & (frame["repeat"] == 0)
    frame.loc[lost, "score"] = np.nan
    line = draw(frame, x="seconds").lines_[0]["badge"]
    np.testing.assert_allclose(line.get_xdata(), [1.5, 5.5, 8.5])


def test_seconds_add_up_over_training_and_queries_of_a_run():
    display = draw(experiment(), x="seconds")
    # Repeat 0: 1, 1 + 2 + 0.5, 3.5 + 3 + 0.5; repeat 1 takes a second more each time.
    expected = np.mean([[1, 3.5, 7], [2, 5.5, 10]], axis=0)
    line = display.lines_[0]["badge"]
    np.testing.assert_allclose(line.get_xdata(), expected)
    np.testing.assert_allclose(line.get_ydata(), SCORES["badge"].mean(axis=0))
    assert display.ax_.get_xlabel() == "Seconds of training and queries"


def test_seconds_of_one_metric_are_not_counted_for_each():
    two = pd.concat([experiment(), experiment(metric="neg_log_loss")])
    line = draw(two, metric="accuracy", x="seconds").lines_[0]["badge"]
    np.testing.assert_allclose(line.get_xdata()[0], 1.5)


def test_seconds_go_with_differences():
    line = draw(experiment(), x="seconds", relative_to="random").lines_[0]["badge"]
    np.testing.assert_allclose(line.get_xdata(), [1.5, 4.5, 8.5])


TIMES = ["fit_time", "query_time"]


@pytest.mark.parametrize("last", [10, 20, 30])
def test_what_a_failed_run_owes_needs_no_times(last):
    frame = experiment()
    run = (frame["strategy"] == "badge") & (frame["repeat"] == 1)
    owed = run & (frame["n_labeled"] > last)
    frame.loc[owed, ["score", *TIMES]] = np.nan
    by_seconds, by_labels = (
        draw(frame, x=x).lines_[0]["badge"] for x in ("seconds", "n_labeled")
    )
    np.testing.assert_array_equal(by_seconds.get_ydata(), by_labels.get_ydata())
    ends = np.array([[1, 3.5, 7], [2, 5.5, 10]])
    ends[1, np.array(N_LABELED) > last] = np.nan
    np.testing.assert_allclose(by_seconds.get_xdata(), np.nanmean(ends, axis=0))


@pytest.mark.parametrize(
    ("lost", "where", "n"),
    [
        ("query_time", "n_labeled >= 20", 12),
        (TIMES, "strategy == 'badge'", 6),
        # The scores after it are later than by the times that are known.
        (["score", *TIMES], "n_labeled == 30", 4),
    ],
)
def test_missing_times_are_refused(lost, where, n):
    frame = experiment()
    frame.loc[frame.eval(where), lost] = np.nan
    n_scores = frame["score"].count()
    message = f"`x`='seconds' needs .* Missing for {n} of {n_scores}"
    with pytest.raises(ValueError, match=message):
        draw(frame, x="seconds")


def test_computed_curves_are_drawn_as_they_are():
    curves = learning_curves(experiment())
    before = curves.copy()
    display = ActiveLearningCurveDisplay(curves).plot()
    np.testing.assert_allclose(
        display.lines_[0]["badge"].get_ydata(), SCORES["badge"].mean(axis=0)
    )
    pd.testing.assert_frame_equal(curves, before)


def test_the_frame_is_left_as_it_was_and_its_order_counts_for_nothing():
    frame = experiment()
    shuffled = frame.sample(frac=1, random_state=0)
    before = shuffled.copy()
    display = draw(shuffled, x="seconds", relative_to="random")
    pd.testing.assert_frame_equal(shuffled, before)
    same = draw(frame, x="seconds", relative_to="random")
    for name, line in display.lines_[0].items():
        np.testing.assert_allclose(line.get_xydata(), same.lines_[0][name].get_xydata())


def test_a_path_is_read(tmp_path):
    experiment().to_csv(tmp_path / "results.csv", index=False)
    display = draw(tmp_path / "results.csv")
    np.testing.assert_allclose(
        display.lines_[0]["badge"].get_ydata(), SCORES["badge"].mean(axis=0)
    )


def test_long_curves_have_markers_at_some_points_only():
    assert draw(experiment()).lines_[0]["badge"].get_markevery() == 1
    frame = pd.DataFrame(
        {
            "strategy": "badge",
            "n_query": 1,
            "repeat": 0,
            "n_labeled": range(100),
            "score": 0.5,
        }
    )
    line = draw(frame).lines_[0]["badge"]
    assert line.get_markevery() == 5
    assert len(line.get_xdata()) == 100
