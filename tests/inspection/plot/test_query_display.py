"""Where the rows of a query lie, against a singular value decomposition."""

import numpy as np
import pandas as pd
import pytest
import torch
from matplotlib import pyplot as plt
from matplotlib.colors import to_hex
from sklearn.datasets import load_iris
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from skorch import NeuralNetClassifier
from torch import nn

from skbadge import BadgeQuerier, query
from skbadge.inspection import QueryDisplay
from skbadge.inspection._plot import _projection
from skbadge.inspection._plot._style import COLORS
from skbadge.outputs import model_outputs
from skbadge.strategies import Badge

X, y = load_iris(return_X_y=True)
LABELED = slice(None, None, 10)


def fitted(strategy="badge", estimator=None):
    estimator = LogisticRegression() if estimator is None else estimator
    querier = BadgeQuerier(estimator, strategy=strategy, random_state=0)
    return querier.fit(X[LABELED], y[LABELED])


def principal(matrix):
    """Coordinates along the two first principal components, but for their sign."""
    left, singular, _ = np.linalg.svd(matrix - matrix.mean(axis=0))
    return np.abs(left[:, :2] * singular[:2]), (singular**2 / np.sum(singular**2))[:2]


def draw(querier, rows, X_pool=X, **options):
    return QueryDisplay.from_querier(querier, X_pool, rows, **options)


def everything(projection):
    """Coordinates of all rows of the pool, in its order."""
    points = np.empty((len(X), 2))
    points[projection.pool_rows] = projection.pool
    return points


def test_a_gradient_strategy_is_seen_in_its_gradients():
    querier = fitted()
    rows = querier.query(X, 5)
    display = draw(querier, rows)
    gradients = Badge().embed(model_outputs(querier.estimator_, X)).to_dense()
    # The components do not depend on the order of rows.
    expected, shares = principal(gradients)
    points = everything(display.projection)
    points[rows] = display.projection.picks
    np.testing.assert_allclose(np.abs(points), expected, atol=1e-6)
    np.testing.assert_allclose(display.projection.explained, shares)
    # These labelled rows are in the pool as well.
    np.testing.assert_allclose(display.projection.labeled, points[LABELED], atol=1e-6)
    assert display.ax_.get_title().endswith("Projection of the strategy's embedding")
    percent = f"First principal component ({shares[0]:.0%} of the variance)"
    assert display.ax_.get_xlabel() == percent


@pytest.mark.parametrize("strategy", ["margin", "random"])
def test_a_strategy_without_embedding_is_seen_in_the_features(strategy):
    estimator = MLPClassifier(5, solver="lbfgs", alpha=1, max_iter=1000)
    querier = fitted(strategy, estimator)
    display = draw(querier, np.array([3, 1]))
    features = model_outputs(querier.estimator_, X).features
    assert features.shape == (150, 5)
    expected, _ = principal(features)
    points = everything(display.projection)
    points[[3, 1]] = display.projection.picks
    np.testing.assert_allclose(np.abs(points), expected, atol=1e-5)
    assert display.ax_.get_title().endswith("Projection of the model's features")


class Headless(nn.Module):
    """Has no last linear layer."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(4, 3))

    def forward(self, X):
        return X @ self.weight


@pytest.mark.parametrize("make", [np.asarray, pd.DataFrame])
def test_a_model_without_features_is_seen_in_its_input(make):
    net = NeuralNetClassifier(Headless, criterion=nn.CrossEntropyLoss, verbose=0)
    pool = make(X.astype(np.float32))
    querier = BadgeQuerier(net, strategy="margin", random_state=0)
    querier.fit(pool[LABELED], y[LABELED])
    display = draw(querier, np.array([3, 1]), pool)
    assert display.ax_.get_title().endswith("Projection of the input")
    expected, _ = principal(X.astype(np.float32))
    points = everything(display.projection)
    points[[3, 1]] = display.projection.picks
    np.testing.assert_allclose(np.abs(points), expected, atol=1e-4)


def test_large_embeddings_are_sketched_alike(monkeypatch):
    monkeypatch.setattr(_projection, "_MAX_BYTES", 0)
    monkeypatch.setattr(_projection, "_N_SKETCH", 400)
    querier = fitted()
    display = draw(querier, np.array([3]), random_state=0)
    points = everything(display.projection)
    points[3] = display.projection.picks
    np.testing.assert_allclose(display.projection.labeled, points[LABELED], atol=1e-6)
    # A sketch keeps about what there is: the leading direction dominates here.
    monkeypatch.undo()
    exact = everything(draw(querier, np.array([3])).projection)
    shown = display.projection.pool_rows
    correlation = np.corrcoef(points[shown, 0], exact[shown, 0])[0, 1]
    assert abs(correlation) > 0.95


def test_a_random_part_of_a_large_pool_is_shown_and_all_picks():
    querier = fitted()
    rows = querier.query(X, 5)
    display = draw(querier, rows, max_points=7, random_state=1)
    projection = display.projection
    assert projection.pool.shape == (7, 2)
    assert projection.picks.shape == (5, 2)
    assert projection.labeled.shape == (7, 2)
    assert not set(projection.pool_rows) & set(rows)
    assert (np.diff(projection.pool_rows) > 0).all()
    legend = [text.get_text() for text in display.legend_.get_texts()]
    assert legend == ["pool (12 of 150 rows)", "labelled", "selected"]
    again = draw(querier, rows, max_points=7, random_state=1).projection
    np.testing.assert_array_equal(projection.pool, again.pool)
    other = draw(querier, rows, max_points=7, random_state=2).projection
    assert not np.array_equal(projection.pool_rows, other.pool_rows)


def test_points_are_drawn_where_the_projection_puts_them():
    querier = fitted()
    display = draw(querier, np.array([4, 2]))
    for kind in ("pool", "labeled", "picks"):
        (points,) = display.points_[kind]
        expected = getattr(display.projection, kind)
        np.testing.assert_allclose(points.get_offsets(), expected)
    np.testing.assert_allclose(display.rings_.get_offsets(), display.projection.picks)
    assert len(display.projection.pool) == 148
    legend = [text.get_text() for text in display.legend_.get_texts()]
    assert legend == ["pool", "labelled", "selected"]


def test_known_classes_colour_all_points():
    querier = fitted()
    display = draw(querier, np.array([0, 60]), y_pool=y)
    assert set(display.points_) == {"pool", "labeled", "picks"}
    for label in range(3):
        found = display.points_["pool"][label]
        assert to_hex(found.get_facecolor()[0]) == COLORS[label].lower()
        rows = display.projection.pool_rows
        expected = display.projection.pool[y[rows] == label]
        np.testing.assert_array_equal(found.get_offsets(), expected)
        labeled = display.points_["labeled"][label].get_offsets()
        expected = display.projection.labeled[y[LABELED] == label]
        np.testing.assert_array_equal(labeled, expected)
    counts = [len(part.get_offsets()) for part in display.points_["picks"]]
    assert counts == [1, 1, 0]
    legend = [text.get_text() for text in display.legend_.get_texts()]
    assert legend == ["pool", "labelled", "selected", "0", "1", "2"]


def test_more_classes_than_colours_differ_in_shape():
    labels = np.arange(len(X)) % 10
    display = draw(fitted(), np.array([0]), y_pool=labels, labeled=False)
    looks = {
        (to_hex(part.get_facecolor()[0]), len(part.get_paths()[0].vertices))
        for part in display.points_["pool"]
    }
    assert len(looks) == 10


def test_a_report_says_who_selected():
    querier = fitted()
    rows, report = querier.query(X, 5, return_report=True)
    display = draw(querier, report)
    assert display.ax_.get_title().startswith("5 rows selected by Badge()")
    same = draw(querier, rows)
    assert same.ax_.get_title().startswith("5 rows selected by badge")
    np.testing.assert_array_equal(display.projection.picks, same.projection.picks)
    one = draw(querier, rows[:1])
    assert one.ax_.get_title().startswith("1 row selected")


def test_labelled_rows_are_left_out_on_request_and_where_there_are_none():
    assert "labeled" not in draw(fitted(), [3], labeled=False).points_
    frozen = FrozenEstimator(LogisticRegression(max_iter=1000).fit(X, y))
    display = draw(BadgeQuerier(frozen, random_state=0), [3], y_pool=y)
    assert "labeled" not in display.points_
    assert display.projection.labeled is None


def test_queriers_are_found_in_pipelines_and_searches():
    pipeline = make_pipeline(
        StandardScaler(), BadgeQuerier(LogisticRegression(), random_state=0)
    )
    pipeline.fit(X[LABELED], y[LABELED])
    rows = query(pipeline, X, 5)
    display = draw(pipeline, rows)
    direct = draw(pipeline[-1], rows, pipeline[0].transform(X))
    np.testing.assert_array_equal(display.projection.picks, direct.projection.picks)
    search = GridSearchCV(pipeline, {"badgequerier__strategy": ["margin"]}, cv=2)
    search.fit(X[LABELED], y[LABELED])
    assert "by margin" in draw(search, rows).ax_.get_title()


def test_a_pool_without_variance_is_one_point():
    same = np.repeat(X[:1], 4, axis=0)
    display = draw(fitted(), [2], same)
    np.testing.assert_allclose(display.projection.pool, 0, atol=1e-12)
    assert display.projection.explained == (0, 0)
    single = draw(fitted(), [0], X[:1])
    np.testing.assert_array_equal(single.projection.picks, [[0, 0]])
    assert single.projection.pool.shape == (0, 2)


@pytest.mark.filterwarnings("ignore:Equal labelled rows")
def test_one_column_has_no_second_component():
    querier = BadgeQuerier(LogisticRegression(), strategy="margin")
    querier.fit(X[LABELED, :1], y[LABELED])
    display = draw(querier, [3], X[:, :1])
    np.testing.assert_array_equal(display.projection.pool[:, 1], 0)
    assert display.projection.explained == (1, 0)


def test_no_picks_are_no_error():
    display = draw(fitted(), [])
    assert display.projection.picks.shape == (0, 2)
    assert len(display.projection.pool) == len(X)


def test_bad_requests_are_refused():
    querier = fitted()
    for rows in ([0, 150], [-1, 0]):
        with pytest.raises(ValueError, match="hold positions between 0 and 149"):
            draw(querier, rows)
    with pytest.raises(ValueError, match="`rows` must hold distinct positions"):
        draw(querier, [1, 1])
    for rows in ([0.0], [[0, 1]], X[:, 0] > 5):
        with pytest.raises(ValueError, match="`rows` must be a 1-D array of int"):
            draw(querier, rows)
    with pytest.raises(ValueError, match="`y_pool` must have one label for each"):
        draw(querier, [0], y_pool=y[:10])
    for max_points in (0, 2.5):
        with pytest.raises(ValueError, match=r"'max_points' parameter .* an int in"):
            draw(querier, [0], max_points=max_points)
    with pytest.raises(TypeError, match=r"BadgeQuerier, .* Got LogisticRegression"):
        draw(LogisticRegression(max_iter=1000).fit(X, y), [0])
    with pytest.raises(NotFittedError):
        draw(BadgeQuerier(LogisticRegression()), [0])


def test_a_given_axes_is_drawn_in():
    _, ax = plt.subplots()
    assert draw(fitted(), [0], ax=ax).ax_ is ax


def test_components_are_those_of_scikit_learn():
    projection = draw(fitted("core_set"), [0]).projection
    shown = np.r_[0, projection.pool_rows]
    expected = PCA(2).fit(X[shown]).transform(X[shown])
    found = np.vstack([projection.picks, projection.pool])
    np.testing.assert_allclose(np.abs(found), np.abs(expected), atol=1e-9)
