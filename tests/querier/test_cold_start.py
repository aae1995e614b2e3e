"""Queries before labels: by the rows alone, with nothing left behind."""

import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from numpy.testing import assert_array_equal
from scipy import sparse
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.cluster import KMeans
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_digits, load_iris, make_classification
from sklearn.decomposition import PCA
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
)
from sklearn.exceptions import NotFittedError
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.feature_selection import SelectFromModel, SelectKBest
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import StandardScaler, TargetEncoder
from skorch import NeuralNetClassifier
from skorch.dataset import Dataset
from torch import nn

import skbadge
from skbadge import BadgeQuerier
from skbadge.exceptions import QueryWarning
from skbadge.nn import TabularNetClassifier, TabularNetRegressor, table_preprocessor
from skbadge.outputs import Needs, Outputs
from skbadge.pools import from_arrays
from skbadge.querier._cold_start import modelless_names, needs_no_model
from skbadge.samplers import Selection
from skbadge.strategies import CoreSet, MaxHerding, Random, ScoreStrategy, Strategy

pd = pytest.importorskip("pandas")

X, Y = load_iris(return_X_y=True)
DIGITS = load_digits().images.astype("float32")
SAID = "No model is trained yet"


def start(querier, pool, n=5, **options):
    """Rows and report of a query that warns once of a start."""
    with pytest.warns(QueryWarning) as caught:
        rows, report = querier.query(pool, n, return_report=True, **options)
    assert [str(item.message)[: len(SAID)] for item in caught] == [SAID]
    # At the line that asked.
    assert caught[0].filename == __file__
    assert len(set(rows.tolist())) == len(rows) == min(n, report.n_candidates)
    return rows, report


def linear(**params):
    return BadgeQuerier(LogisticRegression(), random_state=0, **params)


def notes(report):
    return "\n".join(report.fallbacks)


def standardized(rows):
    return (rows - rows.mean(axis=0)) / rows.std(axis=0)


def is_random(report):
    return report.strategy == "Random()" and "drawn at random" in notes(report)


# What selects


@pytest.mark.parametrize("name", ["max_herding", "core_set"])
def test_a_start_selects_on_standardised_columns(name):
    strategy = {"max_herding": MaxHerding, "core_set": CoreSet}[name]()
    units = X * [1, 1000, 0.01, 1] + [0, 5, 0, 1e4]
    rows, report = start(linear(cold_start=name), units, 8)
    outputs = Outputs(features=standardized(X))
    assert_array_equal(rows, strategy.select(outputs, 8, random_state=0))
    assert report.strategy == str(strategy)
    assert report.fallbacks == (
        f"no model is trained yet: {strategy} selected by the rows alone, and Badge() "
        "was not used",
    )
    assert "Badge() was not used" in str(report)


def test_max_herding_is_the_default_and_nothing_is_left_behind():
    querier = linear()
    before = dict(vars(querier))
    _, report = start(querier, X)
    assert report.strategy == "MaxHerding()"
    assert vars(querier) == before
    assert vars(querier.estimator) == vars(LogisticRegression())
    for call in (querier.outputs, querier.predict, querier.predict_proba):
        with pytest.raises(NotFittedError):
            call(X)
    with pytest.raises(NotFittedError, match="'score_pool'"):
        querier.set_params(strategy="margin").score_pool(X)


def test_steps_of_a_pipeline_stay_as_they_are():
    pipeline = make_pipeline(StandardScaler(), PCA(2), LogisticRegression())
    start(BadgeQuerier(pipeline), X)
    assert not hasattr(pipeline[0], "mean_")
    assert not hasattr(pipeline[1], "components_")


def test_a_strategy_that_is_the_start_itself_was_used():
    for name in ("core_set", "random"):
        querier = linear(strategy=name, cold_start=name)
        _, report = querier.query(X, 3, return_report=True)
        assert "no model is trained yet" in notes(report)


def test_without_a_start_a_model_is_required():
    with pytest.raises(NotFittedError, match=r"not fitted yet.*`cold_start`"):
        linear(cold_start=None).query(X, 2)


def test_a_frozen_model_needs_no_start():
    frozen = FrozenEstimator(LogisticRegression(max_iter=500).fit(X, Y))
    querier = BadgeQuerier(frozen, random_state=0)
    _, report = querier.query(X, 3, return_report=True)
    assert report.strategy == "Badge()"
    assert report.fallbacks == ()


class Extreme(ScoreStrategy):
    needs = ("features",)

    def score(self, pool):
        return np.abs(pool.features).max(axis=1)


def by_inputs(pool, n, *, labeled, random_state):
    assert pool.proba is None
    return np.argsort(-pool.inputs[:, 0])[:n]


by_inputs.needs = ("inputs", "labeled")


def test_strategies_and_functions_of_ones_own():
    rows, _ = start(linear(cold_start=Extreme()), X, 3)
    scores = np.abs(standardized(X)).max(axis=1)
    assert_array_equal(scores[rows], np.sort(scores)[::-1][:3])
    rows, _ = start(linear(cold_start=by_inputs), X, 3)
    assert_array_equal(rows, np.argsort(-standardized(X)[:, 0])[:3])


class KnowsRows(Strategy):
    needs = ("ids", "labeled")

    def _run(self, pool, n, labeled, feasible, rng):
        assert pool.features is None
        assert len(set(pool.identify(np.arange(len(pool))))) > 100
        assert labeled is None or labeled.ids is not None
        return Selection(feasible.open().draw(n, rng))


def test_a_start_that_reads_no_numbers_does_not_fit_the_steps():
    class Broken(TransformerMixin, BaseEstimator):
        def fit(self, X, y=None):
            raise AssertionError

    for strategy in ("random", KnowsRows()):
        pipeline = make_pipeline(Broken(), LogisticRegression())
        start(BadgeQuerier(pipeline, cold_start=strategy), X)


@pytest.mark.parametrize(
    "cold_start",
    ["badge", "margin", CoreSet(kernel="gradients"), lambda pool, n, **_: range(n)],
    ids=str,
)
@pytest.mark.parametrize("call", ["fit", "check_parameters", "query"])
def test_a_start_that_needs_a_model_is_refused(cold_start, call):
    querier = linear(cold_start=cold_start)
    arguments = {"fit": (X, Y), "check_parameters": (), "query": (X, 2)}[call]
    with pytest.raises(ValueError, match=r"`cold_start` selects before .*max_herding"):
        getattr(querier, call)(*arguments)


def test_a_start_that_is_not_known_is_refused():
    with pytest.raises(ValueError, match=r"`cold_start` 'core_sett' is not known. D"):
        linear(cold_start="core_sett").query(X, 2)
    with pytest.raises(
        TypeError, match=r"`cold_start` must be an object.* CoreSet\(\)"
    ):
        linear(cold_start=CoreSet).query(X, 2)
    with pytest.raises(ValueError, match="'cold_start' parameter"):
        linear(cold_start=3).query(X, 2)


def test_what_could_not_be_trained_is_refused_before_labels_are_paid_for():
    with pytest.raises(ValueError, match="must be a classifier or a regressor"):
        BadgeQuerier(KMeans()).query(X, 2)
    with pytest.raises(ValueError, match="`strategy` 'bagde' is not known"):
        linear(strategy="bagde").query(X, 2)


@pytest.mark.parametrize(
    ("model", "strategy"),
    [
        (HistGradientBoostingClassifier(max_iter=5), "margin"),
        (HistGradientBoostingClassifier(max_iter=5), "bald"),
        (HistGradientBoostingRegressor(max_iter=5), "igs"),
    ],
    ids=["margin", "bald", "igs"],
)
def test_a_model_that_predicts_one_thing_is_warned_of(model, strategy):
    # Too few labelled rows for its trees to split.
    querier = BadgeQuerier(model, strategy=strategy).fit(X[::10], Y[::10])
    with pytest.warns(QueryWarning) as caught:
        _, report = querier.query(X[1::10], 3, return_report=True)
    said = "Only 0 of 3 rows" if strategy == "igs" else "The model predicts the same"
    assert [str(item.message)[: len(said)] for item in caught] == [said]
    assert strategy == "igs" or caught[0].filename == __file__
    assert "predicts the same for all rows" in report.fallbacks[-1]


def test_parameters_of_the_start_are_set_through_the_querier():
    querier = linear().set_params(cold_start__sigma=0.5)
    assert str(querier.cold_start) == "MaxHerding(sigma=0.5)"
    again = pickle.loads(pickle.dumps(clone(querier)))
    _, report = start(again, X)
    assert report.strategy == "MaxHerding(sigma=0.5)"


# Labels that cannot train the estimator


def one_class(querier, rows):
    with pytest.raises(ValueError, match=r"one class.*still selected, by `cold_start`"):
        querier.fit(X[rows], Y[rows])
    return querier


@pytest.mark.parametrize(
    "estimator",
    [LogisticRegression(), make_pipeline(StandardScaler(), LogisticRegression())],
    ids=["bare", "pipeline"],
)
def test_labels_of_one_class_count_as_labelled(estimator):
    querier = BadgeQuerier(estimator, cold_start="core_set", random_state=0)
    one_class(querier, np.arange(40))
    left = np.arange(40, 150)
    rows, _ = start(querier, X[left], 3)
    # In the units of the pool.
    scaled = (X - X[left].mean(axis=0)) / X[left].std(axis=0)
    far = np.linalg.norm(scaled[left][:, None] - scaled[None, :40], axis=2).min(axis=1)
    assert far[rows[0]] == pytest.approx(far.max())
    querier.partial_fit(X[left][rows], Y[left][rows])
    assert len(querier.y_labeled_) == 43
    assert querier.query(X[left], 2).shape == (2,)


def test_equal_rows_of_the_pool_are_counted_once_and_warned_of():
    querier = one_class(linear(), np.arange(10))
    with pytest.warns(QueryWarning) as caught:
        rows = querier.query(X, 5)
    assert {str(item.message).split()[0] for item in caught} == {"10", "No"}
    assert not set(rows.tolist()) & set(range(10))


def test_rows_of_one_class_fix_the_columns():
    frame = pd.DataFrame(X, columns=list("abcd"))
    querier = linear()
    with pytest.raises(ValueError, match="one class"):
        querier.fit(frame[:5], Y[:5])
    with pytest.raises(ValueError, match="feature names"):
        querier.query(frame[5:].rename(columns={"a": "z"}), 2)
    start(querier, frame[60:])


@pytest.mark.parametrize("strategy", ["badge", "margin", "bald"])
def test_a_model_of_one_class_is_not_asked(strategy):
    forest = RandomForestClassifier(5, random_state=0)
    querier = BadgeQuerier(forest, strategy=strategy, random_state=0)
    querier.fit(X[:5], Y[:5])
    with pytest.warns(QueryWarning, match="The model knows one class only: MaxHerding"):
        rows, report = querier.query(X[60:], 5, return_report=True)
    assert report.strategy == "MaxHerding()"
    querier.partial_fit(X[60:][rows], Y[60:][rows])
    assert strategy.capitalize() in str(querier.query(X[60:], 2, return_report=True)[1])
    # Strategies that need no model, and regressors, go on as they are.
    querier.set_params(strategy="random").fit(X[:5], Y[:5]).query(X[60:], 2)
    BadgeQuerier(Ridge()).fit(X[:5], Y[:5]).query(X[60:], 2)


def test_a_net_that_knows_all_classes_is_trained_on_one():
    net = TabularNetClassifier(max_epochs=1)
    querier = BadgeQuerier(net, classes=[0, 1, 2], random_state=0).fit(X[:5], Y[:5])
    _, report = querier.query(X[60:], 2, return_report=True)
    assert report.strategy == "Badge()"


# Steps


@pytest.mark.parametrize(
    ("step", "name"),
    [
        (SelectKBest(k=2), "SelectKBest"),
        (TargetEncoder(), "TargetEncoder"),
        (SelectFromModel(LogisticRegression()), "SelectFromModel"),
    ],
    ids=lambda item: str(item),
)
def test_steps_that_learn_from_labels_are_left_out(step, name):
    pipeline = make_pipeline(StandardScaler(), step, LogisticRegression())
    rows, report = start(BadgeQuerier(pipeline, random_state=0), X)
    assert f"a {name}, was left out" in notes(report)
    without = make_pipeline(StandardScaler(), LogisticRegression())
    assert_array_equal(rows, start(BadgeQuerier(without, random_state=0), X)[0])


class WantsLabels(TransformerMixin, BaseEstimator):
    """Says nowhere that it needs them."""

    def fit(self, X, y=None):
        if y is None:
            raise ValueError("WantsLabels requires y to be passed.")
        return self

    def transform(self, X):
        raise AssertionError


class TakesLabels(TransformerMixin, BaseEstimator):
    def fit(self, X, y):
        raise AssertionError

    def transform(self, X):
        raise AssertionError


@pytest.mark.parametrize("step", [WantsLabels(), TakesLabels()], ids=str)
def test_steps_of_others_that_cannot_do_without_labels_are_left_out(step):
    rows, report = start(linear().set_params(estimator=_behind(step)), X)
    assert f"a {type(step).__name__}, was left out" in notes(report)
    assert_array_equal(rows, start(linear(), X)[0])


def _behind(*steps):
    return make_pipeline(*steps, LogisticRegression())


def test_other_errors_of_steps_are_raised():
    with pytest.raises(ValueError, match="n_components=9") as caught:
        BadgeQuerier(_behind(PCA(9))).query(X, 2)
    assert "'pca' was fitted to the pool" in caught.value.__notes__[0]
    # That it says "None" is no sign of missing labels.
    with pytest.raises(ValueError, match="'n_components' parameter"):
        BadgeQuerier(_behind(PCA(-1))).query(X, 2)


def test_parts_of_steps_that_learn_from_labels_are_left_out():
    frame = pd.DataFrame(X, columns=list("abcd"))
    frame.insert(0, "town", np.where(Y > 1, "Ulm", "Bonn"))
    table = ColumnTransformer(
        [("town", TargetEncoder(), ["town"]), ("number", "passthrough", list("abcd"))]
    )
    union = FeatureUnion([("best", SelectKBest(k=1)), ("all", StandardScaler())])
    rows, report = start(linear().set_params(estimator=_behind(table, union)), frame)
    assert "'columntransformer__town', a TargetEncoder" in notes(report)
    assert "'featureunion__best', a SelectKBest" in notes(report)
    assert_array_equal(rows, start(linear(), X)[0])
    alone = ColumnTransformer([("town", TargetEncoder(), ["town"])])
    _, report = start(linear().set_params(estimator=_behind(alone)), frame)
    assert "table_preprocessor" in notes(report)


def test_frozen_steps_are_used_as_they_are():
    best = FrozenEstimator(SelectKBest(k=3).fit(X, Y))
    rows, report = start(linear().set_params(estimator=_behind(best)), X)
    assert "left out" not in notes(report)
    assert_array_equal(rows, start(linear(), best.transform(X))[0])


def test_the_steps_inside_a_search_are_used():
    search = GridSearchCV(_behind(PCA(2)), {"pca__n_components": [1, 2]})
    rows, _ = start(linear().set_params(estimator=search), X)
    expected, _ = start(linear().set_params(estimator=_behind(PCA(2))), X)
    assert_array_equal(rows, expected)


# What rows are


TEXTS = [f"{word} {other} number {i % 3}" for i in range(10) for word, other in (
    ("cat", "milk"), ("dog", "bone"), ("fish", "sea"), ("bird", "tree")
)]  # fmt: skip


@pytest.mark.parametrize("texts", [TEXTS, np.array(TEXTS), pd.Series(TEXTS)], ids=str)
def test_texts_behind_a_vectorizer_are_numbers(texts):
    pipeline = _behind(TfidfVectorizer())
    rows, report = start(linear().set_params(estimator=pipeline), texts, 4)
    assert report.strategy == "MaxHerding()"
    assert {TEXTS[row].split()[0] for row in rows} == {"cat", "dog", "fish", "bird"}


class Files(torch.utils.data.Dataset):
    def __init__(self, rows):
        self.rows = torch.as_tensor(rows)

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, i):
        return self.rows[i]


class Paths(Dataset):
    pass


def cnn(**params):
    module = nn.Sequential(
        nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Flatten(), nn.LazyLinear(10)
    )
    return NeuralNetClassifier(module, criterion=nn.CrossEntropyLoss, verbose=0)


NO_NUMBERS = {
    "list of texts": TEXTS,
    "array of texts": np.array(TEXTS),
    "objects": np.array(TEXTS, dtype=object),
    "table of objects": np.array([[text, 1.0] for text in TEXTS], dtype=object),
    "tokens": [text.split()[: 1 + i % 3] for i, text in enumerate(TEXTS)],
    "series": pd.Series(TEXTS),
    "frame of texts": pd.DataFrame({"text": [f"{t} {i}" for i, t in enumerate(TEXTS)]}),
    "dicts": [{"text": text} for text in TEXTS],
}


@pytest.mark.parametrize("pool", NO_NUMBERS.values(), ids=NO_NUMBERS)
def test_where_there_are_no_numbers_the_start_is_random(pool):
    rows, report = start(linear(), pool)
    assert is_random(report)
    assert_array_equal(rows, start(linear(), pool)[0])


@pytest.mark.parametrize(
    "pool",
    [{"a": X, "b": X}, [X, X[:, :2]], (X, X), Files(X)],
    ids=["dict", "list", "tuple", "dataset"],
)
def test_several_inputs_and_datasets_start_at_random(pool):
    _, report = start(BadgeQuerier(cnn(), random_state=0), pool)
    assert is_random(report)
    assert report.n_pool == 150


def test_paths_of_a_net_with_a_dataset_of_its_own_start_at_random():
    net = cnn().set_params(dataset=Paths)
    for pool in (["a.png", "b.png", "c.png"], np.arange(9)):
        assert is_random(start(BadgeQuerier(net), pool, 2)[1])


def test_a_random_start_is_not_warned_of_if_it_is_what_was_named():
    querier = linear(strategy="random")
    _, report = querier.query(TEXTS, 3, return_report=True)
    assert is_random(report)


@pytest.mark.parametrize("kind", [np.asarray, torch.as_tensor], ids=str)
def test_images_are_flattened(kind):
    images = DIGITS[:200, None]
    rows, report = start(BadgeQuerier(cnn(), random_state=0), kind(images))
    assert "rows of shape (1, 8, 8) were flattened" in notes(report)
    flat, _ = start(linear(), images.reshape(200, -1))
    assert_array_equal(rows, flat)


def test_small_integers_and_tensors_are_numbers():
    images = DIGITS[:200].reshape(200, -1)
    expected, _ = start(linear(), images)
    for pool in (
        images.astype("uint8"),
        torch.as_tensor(images).bfloat16(),
        torch.as_tensor(images).int(),
        images.tolist(),
        images.astype(object),
        from_arrays(images, chunk_rows=30),
    ):
        assert_array_equal(start(linear(), pool)[0], expected)


@pytest.mark.parametrize(
    "make", [sparse.csr_matrix, sparse.coo_array, sparse.csc_matrix]
)
def test_sparse_rows_are_those_that_they_hold(make):
    dense = np.where(np.random.RandomState(0).rand(120, 30) < 0.8, 0, 1.0)
    dense *= np.arange(1, 31)
    rows, report = start(linear(), make(dense))
    assert_array_equal(rows, start(linear(), dense)[0])
    assert report.strategy == "MaxHerding()"


def test_missing_values_count_as_the_mean_and_constant_columns_for_nothing():
    gaps = X.copy()
    gaps[::7, 1] = np.nan
    filled = np.where(np.isnan(gaps), np.nanmean(gaps, axis=0), gaps)
    # The deviation is that of the values there are.
    filled[:, 1] = 0
    wide = np.column_stack([gaps, np.full(150, 1e6)])
    for model in (HistGradientBoostingClassifier(), LogisticRegression(), cnn()):
        querier = BadgeQuerier(model, cold_start=by_inputs, random_state=0)
        start(querier, wide)

    class Seen(Strategy):
        needs = ("features",)

        def _run(self, pool, n, labeled, feasible, rng):
            deviation = np.nanstd(gaps, axis=0)
            expected = (gaps - np.nanmean(gaps, axis=0)) / deviation
            expected[np.isnan(expected)] = 0
            np.testing.assert_allclose(pool.features[:, :4], expected, atol=1e-9)
            assert not pool.features[:, 4].any()
            return Selection(np.arange(n))

    start(linear(cold_start=Seen()), wide)


def test_infinite_values_are_refused():
    wrong = X.copy()
    wrong[3, 1] = np.inf
    with pytest.raises(ValueError, match="NaN or infinite values for 1 of 150 rows"):
        linear().query(wrong, 2)


@pytest.mark.parametrize(
    ("pool", "message"),
    [
        (X[:0], "at least one row"),
        (X[:, 0], "Expected 2D array"),
        (np.ma.masked_greater(X, 7), "masked"),
        (None, "must hold rows"),
        (X + 1j, "Complex data"),
    ],
    ids=["empty", "vector", "masked", "none", "complex"],
)
def test_what_holds_no_rows_is_refused(pool, message):
    with pytest.raises(ValueError, match=message):
        linear().query(pool, 2)


# Frames


def mixed(n_rows=150):
    return pd.DataFrame(
        {
            "length": X[:n_rows, 0],
            "town": pd.Categorical(np.array(["Ulm", "Bonn", "Kiel"])[Y[:n_rows]]),
            "day": pd.date_range("2020-01-01", periods=n_rows),
            "flag": X[:n_rows, 1] > 3,
            "text": [f"row {i}" for i in range(n_rows)],
        }
    )


@pytest.mark.parametrize(
    "estimator", [LogisticRegression(), None, cnn()], ids=["linear", "tabular", "net"]
)
def test_frames_of_mixed_columns_go_through_the_preprocessor(estimator):
    rows, report = start(BadgeQuerier(estimator, random_state=0), mixed())
    assert "the columns ['text'] were left out" in notes(report)
    assert "went through `skbadge.nn.table_preprocessor`" in notes(report)
    frame = mixed().drop(columns="text")
    numbers = table_preprocessor(frame).fit_transform(frame)
    assert_array_equal(rows, start(linear(), numbers)[0])


def test_polars_frames_select_what_pandas_frames_do():
    pl = pytest.importorskip("polars")
    frame = mixed().assign(town=lambda table: table["town"].astype(str))
    rows, _ = start(linear(), pl.DataFrame(frame.to_dict("list")))
    assert_array_equal(rows, start(linear(), frame)[0])


def test_frames_of_numbers_are_arrays():
    frame = pd.DataFrame(X, columns=list("abcd"), index=np.arange(150)[::-1])
    rows, report = start(BadgeQuerier(random_state=0), frame)
    assert_array_equal(rows, start(linear(), X)[0])
    assert len(report.fallbacks) == 1
    assert_array_equal(rows, start(linear(), frame.astype(object))[0])


def test_frames_of_one_class_are_read_as_the_pool_is():
    querier = linear(cold_start="core_set")
    with pytest.raises(ValueError, match="to float"):
        querier.fit(mixed()[:20], Y[:20])
    rows, _ = start(querier, mixed()[20:])
    # The nearest of those labelled are those of its own kind.
    assert Y[20:][rows[0]] > 0


# What may be selected


@pytest.mark.parametrize("name", ["max_herding", "core_set", "random"])
def test_candidates_groups_and_pending_rows(name):
    groups = np.arange(150) // 10
    candidates = np.arange(150) % 2 == 0
    pending = np.array([0, 1, 60])
    rows, report = start(
        linear(cold_start=name),
        X,
        6,
        candidates=candidates,
        groups=groups,
        pending=pending,
    )
    assert candidates[rows].all()
    assert len(np.unique(groups[rows])) == 6
    assert not set(groups[rows]) & set(groups[pending])
    rows, report = start(linear(cold_start=name), X, 4, subsample=20)
    assert report.n_subsample == 20
    rows, _ = start(
        linear(cold_start=name), np.tile(X[:3], (4, 1)), 3, groups="duplicates"
    )
    assert len(np.unique(rows % 3)) == 3


def test_a_strategy_that_reads_candidates_selects_as_on_them_alone():
    candidates = np.flatnonzero(Y > 0)
    rows, _ = start(linear(cold_start="core_set"), X, 5, candidates=candidates)
    alone, _ = start(linear(cold_start="core_set"), X[candidates], 5)
    assert_array_equal(rows, candidates[alone])


def test_no_rows_and_more_rows_than_there_are():
    assert len(start(linear(), X, 0)[0]) == 0
    with pytest.warns(QueryWarning) as caught:
        rows = linear().query(X[:4], 9)
    assert len(caught) == 2
    assert sorted(rows) == [0, 1, 2, 3]


# Pools in chunks


@pytest.mark.parametrize("name", ["max_herding", "core_set", "random"])
def test_pools_in_chunks_are_sampled(monkeypatch, name):
    monkeypatch.setattr("skbadge.querier._answering.N_SAMPLED", 40)
    distinct = X + np.random.RandomState(0).normal(size=X.shape)
    pool = from_arrays(distinct, chunk_rows=16)
    candidates = Y < 2
    rows, report = start(linear(cold_start=name), pool, 5, candidates=candidates)
    assert report.n_subsample == 40
    assert report.n_pool == 150
    assert "subsample: 40 rows" in str(report)
    assert candidates[rows].all()
    again = from_arrays(distinct, chunk_rows=7)
    repeated, _ = start(linear(cold_start=name), again, 5, candidates=candidates)
    assert_array_equal(rows, repeated)
    assert_array_equal(report.ids, pool.ids(rows))
    _, report = start(linear(cold_start=name), pool, 5, subsample=25)
    assert report.n_subsample == 25
    # At least as many as are asked for.
    assert len(start(linear(cold_start=name), pool, 60)[0]) == 60


def test_chunks_of_frames_with_one_class_so_far(tmp_path):
    frame = pd.DataFrame(X, columns=list("abcd"))
    querier = linear()
    with pytest.raises(ValueError, match="one class"):
        querier.fit(frame[:5], Y[:5])
    rows, _ = start(querier, from_arrays(frame[5:], chunk_rows=30))
    expected, _ = start(querier, frame[5:])
    assert_array_equal(np.sort(rows), np.sort(expected))


# Regressors


@pytest.mark.parametrize("name", ["max_herding", "core_set", "random"])
def test_regressors_start_like_classifiers(name):
    for model in (Ridge(), TabularNetRegressor(max_epochs=1)):
        querier = BadgeQuerier(model, cold_start=name, random_state=0)
        rows, report = start(querier, X)
        assert "PosteriorKMeansPlusPlus() was not used" in notes(report)
        assert_array_equal(rows, start(linear(cold_start=name), X)[0])
    querier.fit(X[rows], X[rows, 0]).query(X, 2)


def test_names_that_regressors_read_otherwise_may_need_no_model():
    rows, _ = start(BadgeQuerier(Ridge(), cold_start="badge", strategy="bait"), X)
    assert len(rows) == 5


# Randomness, threads, storage


@pytest.mark.parametrize("name", ["max_herding", "core_set", "random"])
def test_the_same_seed_gives_the_same_rows(name):
    first, _ = start(linear(cold_start=name), DIGITS[:300].reshape(300, -1))
    again, _ = start(linear(cold_start=name), DIGITS[:300].reshape(300, -1))
    assert_array_equal(first, again)
    querier = linear(cold_start="random")
    rows, _ = start(querier, X)
    assert_array_equal(rows, start(querier, X)[0])
    other, _ = start(linear(cold_start="random").set_params(random_state=1), X)
    assert set(other) != set(rows)


def test_steps_that_draw_are_seeded_and_global_generators_left_alone():
    class Draws(TransformerMixin, BaseEstimator):
        def fit(self, X, y=None):
            return self

        def transform(self, X):
            return np.random.normal(size=(len(X), 3))

    for step in (Draws(), KMeans(3, n_init=1)):
        found = []
        for seed in (1, 2):
            np.random.seed(seed)
            before = np.random.get_state()[1].copy()
            querier = linear().set_params(estimator=_behind(step))
            found.append(start(querier, X)[0])
            assert_array_equal(before, np.random.get_state()[1])
        assert_array_equal(*found)


def test_steps_are_seeded_by_their_parameters_for_other_processes():
    class Drawing(TransformerMixin, BaseEstimator):
        def __init__(self, random_state=None):
            self.random_state = random_state

        def fit(self, X, y=None):
            assert isinstance(self.random_state, int)
            return self

        def transform(self, X):
            return X

    start(linear().set_params(estimator=_behind(Drawing())), X)


def test_rounds_of_one_class_draw_anew():
    querier = one_class(linear(cold_start="random"), np.arange(4))
    first, _ = start(querier, X[60:])
    one_class(querier, np.arange(5))
    assert set(first) != set(start(querier, X[60:])[0])


def test_threads_select_what_one_does():
    expected, _ = start(linear(), X)
    querier = linear()
    with ThreadPoolExecutor(4) as pool, pytest.warns(QueryWarning, match=SAID):
        found = list(pool.map(lambda _: querier.query(X, 5), range(4)))
    for rows in found:
        assert_array_equal(rows, expected)


def test_what_is_read_may_lie_in_a_folder(tmp_path, monkeypatch):
    monkeypatch.setattr("skbadge.utils._place.LEAST_SPILLED", 0)
    rows, report = start(linear(storage=tmp_path), X)
    assert report.nbytes_spilled > 0
    assert not list(tmp_path.iterdir())
    assert_array_equal(rows, start(linear(), X)[0])


# skbadge.query


def ask(model, pool=X):
    with pytest.warns(QueryWarning, match=SAID) as caught:
        answer = skbadge.query(model, pool, 5, return_report=True)
    assert [item.filename for item in caught] == [__file__]
    return answer


def test_query_of_a_pipeline_around_a_querier():
    pipeline = make_pipeline(StandardScaler(), SelectKBest(k=2), PCA(2), linear())
    rows, report = ask(pipeline)
    assert "'selectkbest', a SelectKBest, was left out" in notes(report)
    inside = _behind(StandardScaler(), PCA(2))
    assert_array_equal(rows, start(linear().set_params(estimator=inside), X)[0])
    assert not hasattr(pipeline[0], "mean_")
    assert pipeline[-1].estimator is not None
    assert not hasattr(pipeline[-1], "n_features_in_")


def test_query_of_a_search_around_a_querier():
    rows, _ = ask(GridSearchCV(linear(), {"estimator__C": [1, 2]}))
    assert_array_equal(rows, start(linear(), X)[0])


def test_query_of_a_pipeline_with_labels_of_one_class():
    pipeline = make_pipeline(StandardScaler(), linear(cold_start="core_set"))
    with pytest.raises(ValueError, match="one class"):
        pipeline.fit(X[:30], Y[:30])
    rows, _ = ask(pipeline, X[30:])
    assert (Y[30:][rows] > 0).any()
    pipeline[-1].partial_fit(pipeline[0].transform(X[30:][rows]), Y[30:][rows])
    assert len(skbadge.query(pipeline, X[30:], 2)) == 2


def test_needs_say_which_strategies_can_start():
    for kind in ("classifier", "regressor"):
        names = set(modelless_names(kind))
        assert {"max_herding", "core_set", "random"} <= names
        assert not names & {"margin", "lcmd", "albl", "uncertainty_herding"}
    assert "badge" in modelless_names("regressor")
    assert "badge" not in modelless_names("classifier")
    assert needs_no_model(Random())
    assert not needs_no_model(CoreSet(kernel="gradients"))
    assert Needs.of(MaxHerding().needs).labeled


MODELLESS = [
    (kind, name)
    for kind in ("classifier", "regressor")
    for name in modelless_names(kind)
]


@pytest.mark.parametrize(("kind", "name"), MODELLESS)
def test_all_that_need_no_model_can_start(kind, name):
    pool = np.random.RandomState(0).normal(size=(80, 5))
    model = Ridge() if kind == "regressor" else LogisticRegression()
    other = "core_set" if name == "random" else "random"
    querier = BadgeQuerier(model, strategy=other, cold_start=name, random_state=0)
    groups, pending = np.arange(80) // 4, [0, 41]
    rows, _ = start(querier, pool, 6, groups=groups, pending=pending)
    assert len(np.unique(groups[rows])) == 6
    assert not set(groups[rows]) & set(groups[pending])
    start(querier, from_arrays(pool, chunk_rows=30), 6)
    if kind == "classifier":
        one_class(querier, np.arange(5))
        start(querier, X[60:])


def test_a_whole_project_from_no_label_on():
    pool, labels = make_classification(300, 6, n_informative=4, random_state=0)
    querier, left = linear(), np.ones(300, dtype=bool)
    with pytest.warns(QueryWarning, match=SAID):
        rows = querier.query(pool, 6)
    for _ in range(3):
        left[rows] = False
        querier.partial_fit(pool[rows], labels[rows])
        rows = querier.query(pool, 6, candidates=left)
    assert len(querier.y_labeled_) == 18


def test_a_frame_for_a_step_that_reads_a_column_of_texts_is_refused():
    texts = pd.DataFrame({"text": ["one two", "two three", "three four"]})
    model = make_pipeline(TfidfVectorizer(), LogisticRegression())
    with pytest.raises(ValueError, match=r"'tfidfvectorizer'.* made 1 rows of 3\."):
        BadgeQuerier(model, random_state=0).query(texts, 1)
    with pytest.warns(QueryWarning, match="selected by the rows alone"):
        BadgeQuerier(model, random_state=0).query(texts["text"], 1)
