"""Tails of the first errors against gains, by hand and by SciPy."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from skbadge.inspection import error_tails
from tests.inspection._frames import frame_of

RMSE, MAE = "neg_root_mean_squared_error", "neg_mean_absolute_error"


def data(name, tail, gain, *, n_repeats=2):
    """Frame with ln(RMSE) - ln(MAE) = tail at the start, and a gain in log RMSE."""
    spread = np.linspace(-0.1, 0.1, n_repeats)
    mae = [[0.3 + each, 0.0] for each in spread]
    frames = [
        frame_of({"lcmd": -np.exp(mae), "random": -np.exp(mae)}, [10, 20], metric=MAE)
    ]
    random = [[0.3 + tail + 2 * each, 1.0 + each] for each in spread]
    lcmd = [[start, end - gain - each] for (start, end), each in zip(random, spread)]
    curves = {"lcmd": -np.exp(lcmd), "random": -np.exp(random)}
    frames.append(frame_of(curves, [10, 20], metric=RMSE))
    return pd.concat(frames).assign(dataset=name)


TAILS, GAINS = [0.2, 0.5, 1.1, 0.8], [0.1, 0.05, 0.4, 0.35]


def frame_of_all(n=4):
    parts = zip("abcd", TAILS, GAINS, strict=True)
    return pd.concat([data(*part) for part in list(parts)[:n]])


def test_points_by_hand():
    points = error_tails(frame_of_all()).points
    assert points["dataset"].tolist() == list("abcd")
    assert set(points["strategy"]) == {"lcmd"}
    np.testing.assert_allclose(points["tail"], TAILS)
    np.testing.assert_allclose(points["gain"], GAINS)
    # Gains of the two repeats are 0.2 apart.
    np.testing.assert_allclose(points["gain_sem"], 0.1)


def test_the_line_is_that_of_least_squares():
    (fit,) = error_tails(frame_of_all()).fits.to_dict("records")
    assert fit["slope"] == pytest.approx(np.polyfit(TAILS, GAINS, 1)[0])
    assert fit["intercept"] == pytest.approx(np.polyfit(TAILS, GAINS, 1)[1])
    assert fit["r_squared"] == pytest.approx(stats.pearsonr(TAILS, GAINS)[0] ** 2)
    assert fit["n_datasets"] == 4


def test_two_data_sets_have_no_line():
    tails = error_tails(frame_of_all(2))
    (fit,) = tails.fits.to_dict("records")
    assert np.isnan([fit["slope"], fit["intercept"], fit["r_squared"]]).all()
    assert fit["n_datasets"] == len(tails.points) == 2


def test_equal_tails_have_no_line():
    frame = pd.concat([data(name, 0.5, gain) for name, gain in zip("abc", GAINS)])
    frame["score"] = frame["score"].round(6)
    fit = error_tails(frame).fits.iloc[0]
    assert np.isnan(fit["r_squared"])


def test_a_data_set_without_the_baseline_has_no_point():
    frame = frame_of_all()
    gone = (frame["dataset"] == "b") & (frame["strategy"] == "random")
    tails = error_tails(frame[~gone])
    assert tails.points["dataset"].tolist() == list("acd")
    assert tails.fits["n_datasets"].tolist() == [3]


def test_the_tail_is_over_repeats_that_have_both_metrics():
    frame = frame_of_all()
    gone = (frame["dataset"] == "a") & (frame["repeat"] == 1) & (frame["metric"] == MAE)
    points = error_tails(frame[~gone]).points
    # The first repeat has 0.1 less of the one and 0.2 less of the other.
    assert points["tail"][0] == pytest.approx(TAILS[0] - 0.1)


def test_metrics_that_are_not_what_they_should_be_are_refused():
    frame = frame_of_all()
    with pytest.raises(ValueError, match="`rmse` must be at least `mae`"):
        error_tails(frame, rmse=MAE, mae=RMSE)
    with pytest.raises(ValueError, match="`metric` must be one of"):
        error_tails(frame, rmse="rmse")
    with pytest.raises(ValueError, match="`baseline` must be one of"):
        error_tails(frame, baseline="badge")
