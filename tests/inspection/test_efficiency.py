"""Labels to a target, areas and deficiency, against the definitions."""

import numpy as np
import pandas as pd
import pytest
from scipy import integrate
from sklearn.isotonic import IsotonicRegression

from skbadge.inspection import label_efficiency
from tests.inspection._frames import constant, frame_of, noisy_frame


def row_of(frame, strategy="badge", **params):
    efficiency = label_efficiency(frame, **params)
    rows = efficiency[efficiency["strategy"] == strategy]
    assert len(rows) == 1
    return rows.iloc[0]


def test_identical_curves_are_equally_efficient():
    runs = np.random.RandomState(0).uniform(0.5, 0.9, size=(3, 6)).cumsum(axis=1)
    frame = frame_of({"random": runs, "badge": runs}, range(10, 70, 10))
    for monotone in (False, True):
        efficiency = label_efficiency(frame, monotone=monotone)
        assert (efficiency["ratio"] == 1).all()
        assert (efficiency["deficiency"] == 1).all()
        assert efficiency["area"].nunique() == 1


@pytest.mark.parametrize("monotone", [False, True])
def test_a_curve_shifted_by_a_factor_of_two_needs_half_the_labels(monotone):
    curve = [0.3, 0.5, 0.8, 0.85, 0.9]
    n_labeled = np.array([40, 80, 200, 300, 500])
    frame = pd.concat(
        [
            frame_of({"random": [curve]}, n_labeled),
            frame_of({"badge": [curve]}, n_labeled // 2),
        ]
    )
    targets = [0.4, 0.77, 0.9, 0.99, 1.0]
    efficiency = label_efficiency(frame, targets=targets, monotone=monotone)
    badge = efficiency[efficiency["strategy"] == "badge"]
    np.testing.assert_allclose(badge["ratio"], 0.5)
    assert (efficiency["censored"] == "no").all()
    assert badge["target"].tolist() == targets
    np.testing.assert_allclose(badge["target_score"], 0.9 * np.array(targets))


def test_labels_are_interpolated_to_the_first_crossing():
    curve = [[0.4, 0.6, 0.5, 0.8]]
    frame = frame_of({"random": curve}, [10, 20, 30, 50])
    # 0.55 is three quarters up the first step, and reached again later.
    row = row_of(frame, "random", targets=[0.55 / 0.8])
    assert row["labels_to_target"] == pytest.approx(17.5)
    # The isotonic regression is 0.4, 0.55, 0.55, 0.8.
    row = row_of(frame, "random", targets=[0.5 / 0.8], monotone=True)
    assert row["labels_to_target"] == pytest.approx(10 + 10 * 0.1 / 0.15)
    row = row_of(frame, "random", targets=[0.7 / 0.8], monotone=True)
    assert row["labels_to_target"] == pytest.approx(30 + 20 * 0.15 / 0.25)


def test_a_target_never_reached_or_reached_at_once_is_censored():
    curves = {"random": [[0.5, 0.7, 0.8]], "badge": [[0.5, 0.7, 0.75]]}
    frame = frame_of(curves, [10, 20, 30])
    row = row_of(frame, targets=[1.0])
    assert row["censored"] == "right"
    assert np.isnan(row["labels_to_target"])
    assert np.isnan(row["ratio"])
    row = row_of(frame, targets=[0.5])
    assert (row["censored"], row["labels_to_target"]) == ("left", 10)
    assert row["ratio"] == 1
    row = row_of(frame, "random", targets=[1.01])
    assert row["censored"] == "right"


def test_the_target_of_negated_errors_is_on_their_side():
    curves = {"random": [[-4.0, -2.0, -1.0]], "badge": [[-4.0, -1.25, -1.0]]}
    frame = frame_of(curves, [10, 20, 30])
    row = row_of(frame, targets=[0.8])
    assert row["target_score"] == -1.25
    assert row["labels_to_target"] == 20
    assert row["ratio"] == pytest.approx(20 / 27.5)


def test_a_plateau_ends_at_its_own_score_in_isotonic_regression():
    # Its regression is off by rounding: (0.7 + 0.7 + 0.7) / 3 < 0.7.
    runs = [[0.5, 0.7, 0.7, 0.7]]
    for scale in np.linspace(0.9, 1.1, 21):
        frame = frame_of({"random": np.multiply(runs, scale)}, [10, 20, 30, 40])
        row = row_of(frame, "random", targets=[1.0], monotone=True)
        assert row["labels_to_target"] == pytest.approx(20)


def test_areas_are_those_of_the_trapezoidal_rule():
    frame = noisy_frame(0, n_repeats=3)
    efficiency = label_efficiency(frame, targets=[1.0])
    curves = frame.groupby(["dataset", "strategy", "n_labeled"])["score"].mean()
    for row in efficiency.to_dict("records"):
        curve = curves[row["dataset"], row["strategy"]]
        width = curve.index[-1] - curve.index[0]
        expected = integrate.trapezoid(curve, curve.index) / width
        assert row["area"] == pytest.approx(expected, rel=1e-12)
        assert (row["first"], row["last"]) == (100, 1600)
    uneven = row_of(
        frame_of({"random": [[0.2, 0.4, 0.8]]}, [10, 20, 60]), "random", targets=[1.0]
    )
    assert uneven["area"] == pytest.approx((0.3 * 10 + 0.6 * 40) / 50)


def test_deficiency_by_hand():
    curves = {"random": [[0.5, 0.6, 0.8]], "badge": [[0.5, 0.75, 0.85]]}
    row = row_of(frame_of(curves, [10, 20, 30]), targets=[1.0])
    # Shortfalls from 0.8: 0.3 + 0.05 - 0.05 against 0.3 + 0.2 + 0.
    assert row["deficiency"] == pytest.approx(0.3 / 0.5)
    short = {"random": curves["random"], "badge": [[0.5, 0.75, np.nan]]}
    row = row_of(frame_of(short, [10, 20, 30]), targets=[1.0])
    assert row["deficiency"] == pytest.approx(0.35 / 0.5)
    assert row["last"] == 20
    falling = {"random": [[0.8, 0.8, 0.7]], "badge": [[0.5, 0.75, 0.8]]}
    row = row_of(frame_of(falling, [10, 20, 30]), targets=[1.0])
    assert np.isnan(row["deficiency"])


def test_the_monotone_envelope_is_the_isotonic_regression():
    frame = noisy_frame(3, n_settings=1, n_repeats=1)
    targets = [0.8, 0.9, 0.95, 0.98]
    efficiency = label_efficiency(frame, targets=targets, monotone=True)
    curves = frame.groupby(["strategy", "n_labeled"])["score"].mean()
    final = curves["random"].iloc[-1]
    raw = label_efficiency(frame, targets=targets)
    assert not np.allclose(raw["labels_to_target"], efficiency["labels_to_target"])
    for row in efficiency.to_dict("records"):
        curve = curves[row["strategy"]]
        labels = curve.index.to_numpy()
        smooth = IsotonicRegression().fit(labels, curve)
        assert row["target_score"] == pytest.approx(row["target"] * final)
        assert smooth.predict([row["labels_to_target"]]) == pytest.approx(
            row["target_score"]
        )
        assert smooth.predict([row["labels_to_target"] - 1]) < row["target_score"]


def test_curves_are_means_over_complete_runs():
    random = constant(0.5, 0.7, 0.9, n_repeats=3)
    random[1] = [0.1, 0.2, np.nan]
    random[2] = [0.1, np.inf, 0.3]
    frame = frame_of({"random": random}, [10, 20, 30])
    row = row_of(frame, "random", targets=[1.0])
    assert row["target_score"] == 0.9
    assert row["area"] == pytest.approx(0.7)
    assert (row["n_repeats"], row["n_incomplete"]) == (1, 2)


def test_without_the_baseline_there_is_nothing_to_relate_to():
    curve = constant(0.5, 0.7, n_repeats=2)
    torn = np.array([[0.5, np.nan], [np.nan, 0.7]])
    frame = pd.concat(
        [
            frame_of({"badge": curve, "random": curve}, [10, 20], dataset="a"),
            frame_of({"badge": curve}, [10, 20], dataset="b"),
            frame_of({"badge": curve, "random": torn}, [10, 20], dataset="c"),
            frame_of({"badge": torn, "random": curve}, [10, 20], dataset="d"),
        ]
    )
    efficiency = label_efficiency(frame, targets=[1.0])
    rows = efficiency[efficiency["strategy"] == "badge"].set_index("dataset")
    assert rows["censored"].tolist() == ["no", "unknown", "unknown", "unknown"]
    assert rows["ratio"].notna().tolist() == [True, False, False, False]
    assert rows["deficiency"].notna().tolist() == [True, False, False, False]
    assert rows["area"].notna().tolist() == [True, True, True, False]
    assert rows.loc["d", "n_incomplete"] == 2


def test_one_point_has_no_area():
    row = row_of(frame_of({"random": [[0.5]]}, [10]), "random", targets=[1.0])
    assert np.isnan(row["area"])
    assert row["labels_to_target"] == 10


def test_bad_arguments_are_refused():
    frame = noisy_frame(0)
    for targets in ([], [0.0], [-1, 0.5], [np.nan], [[0.5]]):
        with pytest.raises(ValueError, match="`targets` must be fractions above 0"):
            label_efficiency(frame, targets=targets)
    with pytest.raises(ValueError, match="`baseline` must be one of"):
        label_efficiency(frame, baseline="other")
