"""Diagnostics as drawn, against the numbers they are of."""

from dataclasses import replace

import numpy as np
import pytest
from matplotlib import pyplot as plt
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

from skbadge import BadgeQuerier
from skbadge.embeddings import DenseEmbedding
from skbadge.inspection import BatchDiagnosticsDisplay, batch_diagnostics

MEASURES = ("log_det", "mean_norm", "min_distance")


def batches(n_rounds, seed=0, n=4):
    rng = np.random.RandomState(seed)
    return [
        batch_diagnostics(DenseEmbedding(rng.normal(size=(n, 8))))
        for _ in range(n_rounds)
    ]


@pytest.fixture(scope="module")
def reports():
    X, y = load_iris(return_X_y=True)
    found = {}
    for name in ("badge", "badge_k_center", "core_set", "margin"):
        querier = BadgeQuerier(LogisticRegression(), strategy=name, random_state=0)
        querier.fit(X[::10], y[::10])
        found[name] = querier.query(X, 4, return_report=True)[1]
    return found


def test_rounds_are_curves_of_each_measure():
    given = {"badge": batches(3), "random": batches(3, seed=1)}
    display = BatchDiagnosticsDisplay(given, n_labeled=[20, 30, 40]).plot()
    assert len(display.axes_) == 3
    for lines, measure in zip(display.lines_, MEASURES, strict=True):
        for name, line in lines.items():
            np.testing.assert_array_equal(line.get_xdata(), [20, 30, 40])
            expected = [getattr(batch, measure) for batch in given[name]]
            np.testing.assert_array_equal(line.get_ydata(), expected)
    assert [ax.get_xlabel() for ax in display.axes_] == ["Labelled rows"] * 3
    assert "Log-determinant" in display.axes_[0].get_ylabel()
    assert "Mean norm" in display.axes_[1].get_ylabel()
    assert "Least distance" in display.axes_[2].get_ylabel()
    legend = [text.get_text() for text in display.legend_.get_texts()]
    assert legend == ["badge", "random"]


def test_rounds_are_counted_where_labels_are_not_known():
    display = BatchDiagnosticsDisplay({"badge": batches(3)}).plot()
    np.testing.assert_array_equal(display.lines_[0]["badge"].get_xdata(), [1, 2, 3])
    assert display.axes_[0].get_xlabel() == "Round"


def test_one_round_is_points_beside_the_names():
    given = {"badge": batches(1), "random": batches(1, seed=1)}
    display = BatchDiagnosticsDisplay(given).plot()
    assert display.legend_ is None
    first = display.axes_[0]
    assert [t.get_text() for t in first.get_yticklabels()] == ["badge", "random"]
    assert first.get_ylim()[0] > first.get_ylim()[1]
    for lines, measure in zip(display.lines_, MEASURES, strict=True):
        for position, (name, line) in enumerate(lines.items()):
            expected = [[getattr(given[name][0], measure), position]]
            np.testing.assert_array_equal(line.get_xydata(), expected)


@pytest.mark.parametrize("n_rounds", [1, 3])
def test_batches_without_volume_stand_at_the_edge(n_rounds):
    given = {"badge": batches(n_rounds), "random": batches(n_rounds, seed=1)}
    given["random"][-1] = replace(given["random"][-1], log_det=-np.inf)
    display = BatchDiagnosticsDisplay(given).plot()
    drawn = display.lines_[0]["random"]
    values = drawn.get_ydata() if n_rounds > 1 else drawn.get_xdata()
    assert np.isnan(values[-1])
    assert np.isfinite(values[:-1]).all()
    (edge,) = display.edge_lines_[0].values()
    assert list(display.edge_lines_[0]) == ["random"]
    assert edge.get_markerfacecolor() == "none"
    assert "minus infinity" in display.axes_[0].get_title(loc="left")
    display.figure_.canvas.draw()
    box = display.axes_[0].get_window_extent()
    x, y = edge.get_transform().transform(edge.get_xydata()[0])
    if n_rounds > 1:
        assert 0 < (y - box.y0) / box.height < 0.05
        assert x == drawn.get_transform().transform([n_rounds, 0])[0]
    else:
        assert 0 < (x - box.x0) / box.width < 0.05
    assert display.edge_lines_[1:] == [{}, {}]
    assert display.axes_[1].get_title(loc="left") == ""


def test_a_batch_of_one_row_has_no_least_distance():
    display = BatchDiagnosticsDisplay({"badge": batches(2, n=1)}).plot()
    assert np.isnan(display.lines_[2]["badge"].get_ydata()).all()
    assert display.edge_lines_[2] == {}


def test_reports_of_one_embedding_are_drawn_by_their_own(reports):
    pair = {name: reports[name] for name in ("badge", "badge_k_center")}
    display = BatchDiagnosticsDisplay.from_reports(pair)
    assert display.diagnostics == {
        name: [report.diagnostics] for name, report in pair.items()
    }


def test_reports_of_different_embeddings_do_not_compare(reports):
    with pytest.raises(ValueError, match=r"'badge' has 12 .* 'core_set' has 4 columns"):
        BatchDiagnosticsDisplay.from_reports(
            {name: reports[name] for name in ("badge", "core_set")}
        )
    with pytest.raises(ValueError, match="'margin' has no embeddings to measure"):
        BatchDiagnosticsDisplay.from_reports({"margin": reports["margin"]})


def test_one_embedding_measures_all_reports_alike(reports):
    embedding = DenseEmbedding(load_iris().data + 1.0)
    display = BatchDiagnosticsDisplay.from_reports(reports, embedding=embedding)
    for name, report in reports.items():
        expected = batch_diagnostics(embedding, report.rows)
        assert display.diagnostics[name] == [expected]


def test_each_round_may_have_its_own_embedding(reports):
    data = load_iris().data
    embeddings = [DenseEmbedding(data + 1.0), DenseEmbedding(data * 3.0)]
    given = {"margin": [reports["margin"], reports["badge"]]}
    display = BatchDiagnosticsDisplay.from_reports(given, embedding=embeddings)
    expected = [
        batch_diagnostics(embeddings[0], reports["margin"].rows),
        batch_diagnostics(embeddings[1], reports["badge"].rows),
    ]
    assert display.diagnostics == {"margin": expected}
    with pytest.raises(ValueError, match=r"one for each of the 2 rounds. Got 1"):
        BatchDiagnosticsDisplay.from_reports(given, embedding=embeddings[:1])


def test_batches_that_do_not_compare_are_refused():
    with pytest.raises(ValueError, match="at least one strategy"):
        BatchDiagnosticsDisplay({})
    with pytest.raises(ValueError, match="same rounds"):
        BatchDiagnosticsDisplay({"badge": batches(2), "random": batches(3)})
    with pytest.raises(ValueError, match=r"in round 2: \{'badge': 4, 'random': 5\}"):
        BatchDiagnosticsDisplay(
            {"badge": batches(2), "random": batches(1) + batches(1, n=5)}
        )
    with pytest.raises(ValueError, match="`n_labeled` must have an entry for each"):
        BatchDiagnosticsDisplay({"badge": batches(2)}, n_labeled=[20])
    with pytest.raises(TypeError, match=r"or as BatchDiagnostics\. Got int"):
        BatchDiagnosticsDisplay.from_reports({"badge": 3})


def test_measures_are_chosen():
    display = BatchDiagnosticsDisplay({"badge": batches(2)})
    _, ax = plt.subplots()
    assert display.plot(ax, measures="mean_norm").axes_ == [ax]
    assert "Mean norm" in ax.get_ylabel()
    with pytest.raises(ValueError, match=r"`measures` must be .* Got 'rank'"):
        display.plot(measures=["rank"])
    with pytest.raises(ValueError, match="`ax` must be one axes for each"):
        display.plot(ax)
