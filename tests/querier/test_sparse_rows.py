"""Sparse rows: the picks of their dense twins, in bounded memory, or a refusal."""

import re
import tracemalloc

import numpy as np
import pytest
from scipy import sparse
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import BaggingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.naive_bayes import MultinomialNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MaxAbsScaler
from sklearn.svm import LinearSVC

from skbadge import BadgeQuerier
from skbadge.inspection import QueryDisplay
from skbadge.inspection._plot import _projection
from skbadge.outputs import Needs
from skbadge.outputs.readers import _input_rows
from skbadge.strategies import (
    ALBL,
    Badge,
    BadgeKDPP,
    CoreSet,
    EmbeddingStrategy,
    get_strategy,
    get_strategy_names,
)
from skbadge.utils import _memory
from tests.strategies._quick import quick

N_LABELED = 40


@pytest.fixture(scope="module")
def small():
    """Rows with columns of zeros, of few entries and of many, and labels."""
    rng = np.random.RandomState(0)
    share = np.r_[0, 1, np.linspace(0.05, 0.9, 28)]
    X = rng.gamma(2, size=(160, 30)) * (rng.uniform(size=(160, 30)) < share)
    y = (X[:, 2:16].sum(axis=1) > X[:, 16:].sum(axis=1) - 16).astype(int)
    y += X[:, 8] > 2
    return X, y


def mlp(hidden):
    return MLPClassifier(hidden, max_iter=300, tol=10.0, random_state=0)


MODELS = {
    "logistic": LogisticRegression(),
    "perceptron": mlp((6,)),
    "no_hidden_layer": mlp(()),
    "pipeline": make_pipeline(MaxAbsScaler(), LogisticRegression()),
    "bayes": MultinomialNB(),
    "forest": RandomForestClassifier(10, random_state=0),
    "neighbours": KNeighborsClassifier(5),
    "calibrated": CalibratedClassifierCV(LinearSVC(random_state=0), cv=2),
    "bagging": BaggingClassifier(LogisticRegression(), 3, random_state=0),
}


def trained(model, strategy, X, y):
    querier = BadgeQuerier(model, strategy=strategy, random_state=0)
    return querier.fit(X[:N_LABELED], y[:N_LABELED])


def query(model, strategy, X, y, n=12):
    return trained(model, strategy, X, y).query(X[N_LABELED:], n)


FORMATS = [sparse.csr_matrix, sparse.csr_array, sparse.csc_matrix, sparse.lil_matrix]


@pytest.mark.parametrize("model", MODELS)
def test_the_default_strategy_picks_what_it_picks_of_dense_rows(model, small):
    X, y = small
    expected = query(MODELS[model], "badge", X, y)
    for form in FORMATS if model == "logistic" else FORMATS[:1]:
        picks = query(MODELS[model], "badge", form(X), y)
        np.testing.assert_array_equal(picks, expected)


SAMPLES = {"bald", "batch_bald", "epig", "vote_entropy"}
NAMES = sorted(set(get_strategy_names()) - {"igs"})
OTHERS = {
    "bias": Badge(include_bias=True),
    "k_dpp_chain": BadgeKDPP(method="mcmc"),
    "k_dpp_sketch": BadgeKDPP(n_columns=20),
    "cosine": CoreSet(kernel="cosine"),
    "last_layer": CoreSet(kernel="last_layer"),
    "linear": CoreSet(kernel="linear"),
    "laplace": CoreSet(kernel="laplace"),
    "sketches": EmbeddingStrategy("gradients", n_columns=16),
    "exact": EmbeddingStrategy("gradients", n_columns=None),
    "experts": ALBL(["badge", "core_set", "bait"]),
}


@pytest.mark.parametrize("name", [*NAMES, *OTHERS])
def test_every_strategy_picks_what_it_picks_of_dense_rows(name, small):
    X, y = small
    model = MODELS["bagging" if name in SAMPLES else "logistic"]
    strategy = OTHERS.get(name, quick(name))
    picks = query(model, strategy, sparse.csr_matrix(X), y)
    np.testing.assert_array_equal(picks, query(model, strategy, X, y))


@pytest.mark.parametrize("strategy", ["badge", "core_set", "lcmd", "bait", "igs"])
def test_so_do_strategies_for_regressors(strategy, small):
    X, y = small
    picks = query(Ridge(), strategy, sparse.csr_matrix(X), y.astype(float))
    np.testing.assert_array_equal(picks, query(Ridge(), strategy, X, y.astype(float)))


def test_float32_and_candidates(small):
    X, y = (small[0].astype(np.float32), small[1])
    rows = sparse.csr_matrix(X)
    querier = BadgeQuerier(LogisticRegression(), random_state=0)
    querier.fit(rows[:N_LABELED], y[:N_LABELED])
    left = np.arange(50, 150)
    picks, report = querier.query(rows, 10, candidates=left, return_report=True)
    twin = BadgeQuerier(LogisticRegression(), random_state=0)
    twin.fit(X[:N_LABELED], y[:N_LABELED])
    np.testing.assert_array_equal(picks, twin.query(X, 10, candidates=left))
    assert np.isin(picks, left).all()
    assert report.diagnostics.n == 10


# Wide


@pytest.fixture(scope="module")
def wide():
    """Sparse rows of 0.5 MB that take 1.6 GB as an array."""
    rng = np.random.RandomState(0)
    n_rows, n_columns, n_each = 2000, 100_000, 20
    entries = rng.randint(n_columns, size=n_rows * n_each)
    where = np.repeat(np.arange(n_rows), n_each), entries
    values = rng.uniform(0.5, 1, size=len(entries))
    X = sparse.csr_matrix((values, where), shape=(n_rows, n_columns))
    return X, rng.randint(3, size=n_rows)


BOUNDED = {
    "badge": "badge",
    "badge_k_center": "badge_k_center",
    "badge_max_det": "badge_max_det",
    "bias": Badge(include_bias=True),
    "core_set": "core_set",
    "cosine": CoreSet(kernel="cosine"),
    "linear": CoreSet(kernel="linear"),
    "posterior_kmeans_plus_plus": "posterior_kmeans_plus_plus",
    "posterior_max_det": "posterior_max_det",
    "posterior_variance": "posterior_variance",
    "experts": ALBL(["badge", "core_set", "margin"]),
}


def peak_of(call):
    """Bytes held at most while something is done."""
    tracemalloc.start()
    try:
        call()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def peak_of_query(model, strategy, X, y):
    querier = trained(model, strategy, X, y)
    return peak_of(lambda: querier.query(X[N_LABELED:], 20))


@pytest.mark.parametrize("name", BOUNDED)
def test_wide_sparse_rows_take_memory_by_their_entries(name, wide):
    assert peak_of_query(LogisticRegression(), BOUNDED[name], *wide) < 50e6


@pytest.mark.parametrize("model", ["bayes", "perceptron", "calibrated", "bagging"])
def test_so_do_other_models(model, wide):
    assert peak_of_query(MODELS[model], "badge", *wide) < 50e6


def test_wide_sparse_gradients_are_sketched_as_they_are(wide):
    strategy = EmbeddingStrategy("gradients", n_columns=16)
    # The random map of 100,001 by 16 numbers, and a copy of it.
    assert peak_of_query(LogisticRegression(), strategy, *wide) < 80e6


REFUSED = {
    "bait": "bait",
    "posterior_bait": "posterior_bait",
    "acs_fw": "acs_fw",
    "laplace": CoreSet(kernel="laplace"),
    "function": lambda pool, n, labeled=None, random_state=None: np.arange(n),
    "experts": ALBL(["badge", "bait"]),
}


@pytest.fixture
def little_memory(monkeypatch):
    monkeypatch.setattr(_memory, "available_memory", lambda: 3e9)


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.usefixtures("little_memory")
def test_what_needs_dense_rows_says_so_before_it_makes_them(name, wide):
    with pytest.raises(
        ValueError, match=r"1568000000 bytes .*3 GB of memory.*TruncatedSVD.*'badge"
    ):
        query(LogisticRegression(), REFUSED[name], *wide)


@pytest.mark.usefixtures("little_memory")
def test_exact_gradients_are_refused_and_sketches_named(wide):
    strategy = EmbeddingStrategy("gradients", n_columns=None)
    with pytest.raises(ValueError, match=r"1568000000 bytes.*Set `n_columns`"):
        query(LogisticRegression(), strategy, *wide)


def test_what_needs_few_columns_names_the_way_to_them():
    X = sparse.random(60, 5000, 0.01, format="csr", random_state=0)
    querier = trained(LogisticRegression(), "posterior_bait", X, np.arange(60) % 3)
    with pytest.raises(ValueError, match="TruncatedSVD in a Pipeline before"):
        querier.query(X[N_LABELED:], 3)


def test_the_strategies_that_the_refusal_names_take_sparse_rows():
    named = set(re.findall(r"'(\w+)'", _input_rows.SPARSE_HINT))
    assert len(named) > 5
    for name in named:
        needs = Needs.of(get_strategy(name).needs)
        assert needs.sparse or not (needs.features or needs.inputs), name


@pytest.mark.parametrize("strategy", ["badge", "margin"])
def test_pictures_of_wide_sparse_rows_are_made_of_sketches(strategy, wide, monkeypatch):
    monkeypatch.setattr(_projection, "_N_SKETCH", 8)
    X, y = wide
    querier = trained(LogisticRegression(), strategy, X, y)
    peak = peak_of(lambda: QueryDisplay.from_querier(querier, X, [0, 9]))
    assert peak < 80e6
