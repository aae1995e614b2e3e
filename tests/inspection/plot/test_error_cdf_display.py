"""Step functions of normalised errors, against errors written out."""

from inspect import signature

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt

from skbadge.inspection import ErrorCDFDisplay, normalized_error_cdf

N_LABELED = [100, 200, 300]
# Errors at the two budgets of the paper's definition: 0.4 and 0.2 for random.
CURVES = {
    "badge": [0.5, 0.8, 0.9],
    "entropy": [0.5, 0.5, 0.8],
    "random": [0.5, 0.6, 0.8],
}


def experiment(curves=CURVES):
    return pd.DataFrame(
        [
            {
                "strategy": name,
                "n_query": 100,
                "repeat": 0,
                "n_labeled": n_labeled,
                "score": score,
            }
            for name, curve in curves.items()
            for n_labeled, score in zip(N_LABELED, curve, strict=True)
        ]
    )


def height(line, x):
    """Height of a drawn step function, read from the left."""
    assert line.get_drawstyle() == "steps-post"
    position = np.searchsorted(line.get_xdata(), x, side="right") - 1
    return line.get_ydata()[position]


def test_heights_are_shares_of_normalised_errors():
    display = ErrorCDFDisplay.from_frame(experiment())
    assert list(display.lines_) == ["badge", "entropy", "random"]
    badge, entropy, random = display.lines_.values()
    # 0.2 / 0.4 and 0.1 / 0.2; 0.5 / 0.4 and 1; 1 and 1.
    assert [height(badge, x) for x in (0.49, 0.51)] == [0, 1]
    assert [height(entropy, x) for x in (0.99, 1.01, 1.24, 1.26)] == [0, 0.5, 0.5, 1]
    assert [height(random, x) for x in (0.99, 1.01)] == [0, 1]


def test_curves_are_right_continuous_and_span_the_axis():
    display = ErrorCDFDisplay.from_frame(experiment())
    errors = normalized_error_cdf(experiment())
    low, high = display.ax_.get_xlim()
    for name, line in display.lines_.items():
        x, p = errors.cdf(name)
        np.testing.assert_array_equal(line.get_xdata(), [low, *x, high])
        np.testing.assert_array_equal(line.get_ydata(), [0, *p, 1])
    assert low < 0.5
    assert high > 1.25


def test_axes_say_what_they_show():
    display = ErrorCDFDisplay.from_frame(experiment())
    assert display.ax_.get_xlabel() == "Error divided by that of random"
    assert display.ax_.get_ylabel() == "Share of settings and label budgets"
    legend = [text.get_text() for text in display.legend_.get_texts()]
    assert legend == ["badge", "entropy", "random"]


def test_another_baseline_is_named():
    display = ErrorCDFDisplay.from_frame(experiment(), baseline="entropy")
    assert display.ax_.get_xlabel() == "Error divided by that of entropy"
    assert height(display.lines_["entropy"], 0.99) == 0
    assert height(display.lines_["entropy"], 1.01) == 1


def test_strategies_are_drawn_in_the_order_asked_for():
    display = ErrorCDFDisplay.from_frame(experiment(), strategies=["random", "badge"])
    assert list(display.lines_) == ["random", "badge"]
    display = ErrorCDFDisplay.from_frame(experiment(), strategies="badge")
    assert list(display.lines_) == ["badge"]
    with pytest.raises(ValueError, match=r"`strategies` must be .* Got 'margin'"):
        ErrorCDFDisplay.from_frame(experiment(), strategies=["margin"])


def test_parameters_reach_the_computation():
    options = {"definition": "script", "n_initial": 200, "error": lambda s: 2 - s}
    display = ErrorCDFDisplay.from_frame(experiment(), **options)
    errors = normalized_error_cdf(experiment(), **options)
    pd.testing.assert_frame_equal(display.errors.errors, errors.errors)
    assert display.errors.definition == "script"
    defaults = {
        name: parameter.default
        for name, parameter in signature(normalized_error_cdf).parameters.items()
    }
    faced = signature(ErrorCDFDisplay.from_frame).parameters
    assert defaults == {name: faced[name].default for name in defaults}


def test_nothing_to_draw_is_an_error_with_the_reason():
    flat = {name: [0.8, 0.8, 0.8] for name in CURVES}
    with pytest.raises(ValueError, match="near its final score with 100 labels"):
        ErrorCDFDisplay.from_frame(experiment(flat))


def test_the_baseline_alone_is_a_step_at_one():
    display = ErrorCDFDisplay.from_frame(experiment({"random": CURVES["random"]}))
    low, high = display.ax_.get_xlim()
    assert low < 1 < high
    np.testing.assert_array_equal(
        display.lines_["random"].get_xdata(), [low, 1.0, high]
    )


def test_a_given_axes_is_drawn_in():
    _, ax = plt.subplots()
    display = ErrorCDFDisplay(normalized_error_cdf(experiment())).plot(ax)
    assert display.ax_ is ax
    assert display.legend_ is ax.get_legend()
