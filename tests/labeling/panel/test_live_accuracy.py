"""How often the model was right."""

from xml.etree import ElementTree

import pytest

from skbadge.labeling.panel._live_accuracy import LiveAccuracy


def filled(hits, window=50, every=3):
    accuracy = LiveAccuracy(window)
    for i, hit in enumerate(hits):
        accuracy.add(i, hit, i // every)
    return accuracy


def test_the_curve_is_the_mean_of_the_last_answers():
    accuracy = filled([1, 0, 1, 1], window=3)
    assert accuracy.curve() == pytest.approx([1, 1 / 2, 2 / 3, 2 / 3])
    assert accuracy.to_text() == "the model was right about 2 of the last 3 answers"


def test_an_answer_that_is_taken_back_does_not_count():
    accuracy = filled([1, 0])
    accuracy.remove(1)
    accuracy.remove("never there")
    assert accuracy.curve() == [1]


def test_nothing_is_shown_of_nothing():
    assert LiveAccuracy().to_text() == LiveAccuracy().to_svg() == ""


def test_the_picture_has_a_point_for_each_answer_and_a_line_for_each_training():
    picture = ElementTree.fromstring(filled([1, 0, 1, 1, 0, 0, 1]).to_svg())
    (curve,) = picture.iter("polyline")
    heights = [float(point.split(",")[1]) for point in curve.get("points").split()]
    assert len(heights) == 7
    # Downwards in the picture is less.
    assert heights[0] < heights[2] < heights[1]
    assert sum("stroke-dasharray" in line.attrib for line in picture.iter("line")) == 2
