"""Every strategy has one look, and no two look the same."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt
from matplotlib.colors import to_rgb

from skbadge.inspection import ActiveLearningCurveDisplay, strategy_styles
from skbadge.inspection._plot._style import (
    COLORS,
    DASH_DOTS,
    KNOWN,
    SHORT_DASHES,
    line_kwargs,
    metric_label,
)
from skbadge.strategies import get_strategy_names
from skbadge.utils._optional import import_optional


def look(style):
    return style["color"], style["marker"], style["linestyle"]


def test_chosen_looks_differ_in_colour_or_line():
    assert set(KNOWN) <= set(get_strategy_names())
    styles = strategy_styles(KNOWN).values()
    pairs = {(style["color"], style["linestyle"]) for style in styles}
    assert len(pairs) == len(styles)
    assert {style["linestyle"] for style in styles} == {
        "-",
        "--",
        DASH_DOTS,
        SHORT_DASHES,
    }


REGRESSION = [
    "badge", "bald", "batch_bald", "bait", "core_set", "lcmd", "acs_fw", "random",
]  # fmt: skip
CLASSIFICATION = [name for name, (_, _, line) in KNOWN.items() if line != DASH_DOTS]


@pytest.mark.parametrize("names", [REGRESSION, CLASSIFICATION])
def test_chosen_looks_of_strategies_for_one_task_differ_in_marker(names):
    markers = [KNOWN[name][1] for name in names]
    assert len(set(markers)) == len(names)


def test_strategies_of_the_registry_look_different():
    styles = strategy_styles(get_strategy_names()).values()
    assert len({look(style) for style in styles}) == len(get_strategy_names())


def test_other_names_never_look_like_these():
    known = {look(style) for style in strategy_styles(KNOWN).values()}
    others = strategy_styles([f"rule {i}" for i in range(150)])
    looks = {look(style) for style in others.values()}
    assert len(looks) == 150
    assert not looks & known


def test_a_name_looks_the_same_in_every_picture():
    everything = strategy_styles(["my rule", "badge", "another", "random"])
    for name, style in everything.items():
        assert strategy_styles([name]) == {name: style}
    assert list(strategy_styles(["random", "badge"])) == ["random", "badge"]
    assert strategy_styles("badge") == strategy_styles(["badge"])


def test_names_of_one_look_are_told_apart_whatever_their_order():
    first = next(iter(strategy_styles(["a"]).values()))
    twin = next(
        name
        for name in (f"name {i}" for i in range(10_000))
        if strategy_styles([name])[name] == first
    )
    both = strategy_styles(["a", twin])
    assert both["a"] == first
    assert both[twin] != first
    assert strategy_styles([twin, "a"]) == both


# Linear maps of light to what each kind of dichromat sees (Vienot et al. 1999).
_TO_LMS = np.array(
    [
        [17.8824, 43.5161, 4.11935],
        [3.45565, 27.1554, 3.86714],
        [0.0299566, 0.184309, 1.46709],
    ]
)
_KINDS = {
    "none": np.eye(3),
    "protan": np.array([[0, 2.02344, -2.52581], [0, 1, 0], [0, 0, 1]]),
    "deutan": np.array([[1, 0, 0], [0.494207, 0, 1.24827], [0, 0, 1]]),
}


@pytest.mark.parametrize("kind", _KINDS)
def test_colours_are_told_apart_by_colour_vision(kind):
    rgb = np.array([to_rgb(color) for color in COLORS]) ** 2.2
    seen = rgb @ _TO_LMS.T @ _KINDS[kind].T @ np.linalg.inv(_TO_LMS).T
    seen = np.clip(seen, 0, 1) ** (1 / 2.2)
    gaps = np.linalg.norm(seen[:, None] - seen[None], axis=2)
    assert gaps[~np.eye(len(COLORS), dtype=bool)].min() > 0.12


def test_keywords_of_curves_go_before_the_look():
    kwargs = line_kwargs(["badge", "random"], {"lw": 3}, {"linewidth": 1, "alpha": 0.5})
    assert kwargs["badge"]["linewidth"] == 3
    assert "lw" not in kwargs["badge"]
    assert kwargs["random"]["alpha"] == 0.5
    assert kwargs["badge"]["color"] == strategy_styles(["badge"])["badge"]["color"]
    own = line_kwargs(["badge", "random"], {"badge": {"c": "red"}}, {})
    assert own["badge"]["color"] == "red"
    assert own["random"]["color"] == strategy_styles(["random"])["random"]["color"]


def test_keywords_that_fit_nothing_are_refused():
    with pytest.raises(ValueError, match="`curve_kwargs` must be one of"):
        line_kwargs(["badge"], {"bagde": {"color": "red"}}, {})
    with pytest.raises(ValueError, match="`curve_kwargs` must be a dict"):
        line_kwargs(["badge"], [{"color": "red"}], {})


@pytest.mark.parametrize(
    ("metric", "label"),
    [
        ("accuracy", "Accuracy"),
        ("neg_log_loss", "Negative log loss"),
        ("roc_auc_ovr", "ROC AUC OVR"),
        ("F1 of the rare class", "F1 of the rare class"),
    ],
)
def test_metrics_are_written_out(metric, label):
    assert metric_label(metric) == label


@pytest.mark.parametrize("legend", ["outside", "best"])
def test_names_that_begin_with_an_underscore_are_in_the_legend(legend):
    frame = pd.concat(
        [one_curve().assign(strategy=name) for name in ("_mine", "badge")]
    )
    display = ActiveLearningCurveDisplay.from_frame(frame, legend=legend)
    texts = [text.get_text() for text in display.legend_.get_texts()]
    assert texts == ["_mine", "badge"]


def one_curve():
    return pd.DataFrame(
        {
            "strategy": "badge",
            "n_query": 10,
            "repeat": [0, 1, 0, 1],
            "n_labeled": [20, 20, 30, 30],
            "score": [0.5, 0.7, 0.8, 0.9],
        }
    )


def test_legends_lie_right_of_the_axes():
    display = ActiveLearningCurveDisplay.from_frame(one_curve())
    figure, ax = plt.subplots(layout="constrained")
    given = ActiveLearningCurveDisplay.from_frame(one_curve(), ax=ax)
    for drawn in (display, given):
        drawn.figure_.canvas.draw()
        legend = drawn.legend_.get_window_extent()
        assert legend.x0 >= drawn.ax_.get_window_extent().x1
        assert legend.x1 <= drawn.figure_.bbox.x1
    # Without a layout nothing would make room outside.
    figure, ax = plt.subplots()
    inside = ActiveLearningCurveDisplay.from_frame(one_curve(), ax=ax)
    figure.canvas.draw()
    legend = inside.legend_.get_window_extent()
    assert ax.get_window_extent().x0 < legend.x0
    assert legend.x1 < ax.get_window_extent().x1


def test_legends_are_left_out_or_put_elsewhere_on_request():
    assert (
        ActiveLearningCurveDisplay.from_frame(one_curve(), legend=None).legend_ is None
    )
    display = ActiveLearningCurveDisplay.from_frame(one_curve(), legend="lower right")
    assert display.ax_.get_legend() is display.legend_


def test_global_settings_are_left_as_they_were():
    before = dict(plt.rcParams)
    ActiveLearningCurveDisplay.from_frame(one_curve()).figure_.canvas.draw()
    assert dict(plt.rcParams) == before


def test_a_missing_package_is_named_with_its_extra():
    with pytest.raises(ImportError, match=r'needs skbadge_no.*pip install "skbadge\[p'):
        import_optional("skbadge_no.such", extra="plot", purpose="A picture")


def test_an_error_within_a_package_that_is_there_is_its_own(tmp_path, monkeypatch):
    (tmp_path / "broken_package.py").write_text("import skbadge_no_such_package\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModuleNotFoundError, match="'skbadge_no_such_package'"):
        import_optional("broken_package", extra="plot", purpose="A picture")


def test_matplotlib_is_missed_when_something_is_drawn_and_not_before():
    code = (
        "import sys\n"
        "sys.modules['matplotlib'] = None\n"
        "import pandas as pd\n"
        "from skbadge.inspection import PenaltyMatrixDisplay\n"
        "matrix = pd.DataFrame([[0.0]], index=['badge'], columns=['badge'])\n"
        "display = PenaltyMatrixDisplay(matrix, matrix.mean())\n"
        "try:\n"
        "    display.plot()\n"
        "except ImportError as error:\n"
        "    assert 'PenaltyMatrixDisplay.plot needs matplotlib' in str(error)\n"
        "    assert 'skbadge[plot]' in str(error)\n"
        "else:\n"
        "    raise AssertionError\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
