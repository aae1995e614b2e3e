"""Queries on pools in chunks: the picks of the same rows in one array."""

import tracemalloc
from functools import partial

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.compose import make_column_transformer
from sklearn.datasets import make_classification
from sklearn.ensemble import BaggingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from torch import nn

import skbadge
from skbadge import BadgeQuerier
from skbadge.embeddings import Posterior, Scale
from skbadge.exceptions import QueryWarning
from skbadge.pools import from_arrays, from_chunks, from_parquet
from skbadge.querier import _chunk_reading
from skbadge.samplers import KCenter
from skbadge.strategies import (
    EmbeddingStrategy,
    ScoreStrategy,
    get_strategy,
    get_strategy_names,
)
from tests.querier import _nets
from tests.strategies._quick import quick

X, y = make_classification(
    900, 8, n_informative=5, n_classes=3, n_clusters_per_class=1, random_state=0
)
X = X.astype(np.float32)
X_LABELED, POOL = X[:100], X[100:]

# Draw, and so pick others from a stream than from memory.
RANDOM = {"badge", "posterior_kmeans_plus_plus"}
# For a regressor.
NAMES = sorted(set(get_strategy_names()) - {"igs"})
STREAMING = [s for s in NAMES if get_strategy(s).streams]
# These ask an ensemble or a net.
SAMPLES = {"bald", "epig", "vote_entropy"}
# These ask a model that has a last layer.
LAST_LAYER = {"drop_query"}


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Dropout(0.2))
        self.head = nn.Linear(16, 3)

    def forward(self, X):
        return self.head(self.body(X))


make_net = partial(_nets.make_net, Net)


def trained(strategy="badge", model=None, **params):
    model = make_net() if model is None else model
    querier = BadgeQuerier(model, strategy=strategy, random_state=0, **params)
    return querier.fit(X_LABELED, y[:100])


def in_chunks(rows=POOL, n=5, chunk_rows=100):
    return from_arrays(np.array_split(rows, n), chunk_rows=chunk_rows)


@pytest.fixture
def no_memory(monkeypatch):
    """Let outputs not fit, so that none is kept without files."""
    monkeypatch.setattr(_chunk_reading, "KEPT_NBYTES", 0)
    monkeypatch.setattr(_chunk_reading, "available_memory", lambda: 0)


@pytest.mark.parametrize("strategy", NAMES)
def test_picks_are_those_of_one_array(strategy):
    querier = trained(quick(strategy))
    rows, report = querier.query(in_chunks(), 9, return_report=True)
    np.testing.assert_array_equal(rows, querier.query(POOL, 9))
    assert report.n_pool == len(POOL)
    assert report.n_passes == (strategy != "random")
    assert "this process" in str(report)


def bagged():
    return BaggingClassifier(LogisticRegression(), n_estimators=3, random_state=0)


MODELS = {
    "forest": lambda: RandomForestClassifier(9, random_state=0),
    "linear": LogisticRegression,
    "pipeline": lambda: make_pipeline(StandardScaler(), make_net()),
}


@pytest.mark.parametrize("make", MODELS.values(), ids=MODELS.keys())
@pytest.mark.parametrize("strategy", ["badge", "core_set", "margin"])
def test_of_any_model(make, strategy):
    querier = trained(strategy, make())
    rows = querier.query(in_chunks(), 9)
    np.testing.assert_array_equal(rows, querier.query(POOL, 9))


@pytest.mark.parametrize(
    "steps", [[], [Scale(), Posterior()], [Scale(), Posterior(space="kernel")]]
)
@pytest.mark.parametrize("mode", ["P", "TP"])
@pytest.mark.parametrize("make", [make_net, MODELS["linear"], bagged])
def test_gradients_that_are_not_sketched_compare_to_labelled_rows(make, mode, steps):
    strategy = EmbeddingStrategy(
        "gradients", sampler=KCenter(), mode=mode, transforms=steps, n_columns=None
    )
    querier = trained(strategy, make())
    rows = querier.query(in_chunks(), 9)
    np.testing.assert_array_equal(rows, querier.query(POOL, 9))


@pytest.mark.usefixtures("no_memory")
@pytest.mark.parametrize("make", [make_net, MODELS["forest"], GaussianNB])
@pytest.mark.parametrize("strategy", sorted(set(STREAMING) - SAMPLES - LAST_LAYER))
def test_picks_of_a_stream_do_not_depend_on_its_chunks(strategy, make):
    querier = trained(strategy, make(), storage=None)
    # All parts of the net are in float32, in which bulk products differ by rounding.
    pools = [in_chunks(n=n, chunk_rows=k) for n, k in ((1, 7), (3, 100), (5, 5000))]
    first, *others = (querier.query(pool, 9) for pool in pools)
    for rows in others:
        np.testing.assert_array_equal(rows, first)
    if strategy not in RANDOM:
        np.testing.assert_array_equal(first, querier.query(POOL, 9))


@pytest.mark.usefixtures("no_memory")
@pytest.mark.parametrize("strategy", SAMPLES)
def test_posterior_samples_of_a_stream(strategy):
    querier = trained(strategy, storage=None)
    rows = querier.query(in_chunks(), 9)
    np.testing.assert_array_equal(rows, querier.query(POOL, 9))


@pytest.mark.usefixtures("no_memory")
@pytest.mark.parametrize("make", [make_net, MODELS["linear"], MODELS["pipeline"]])
@pytest.mark.parametrize("strategy", sorted(LAST_LAYER))
@pytest.mark.parametrize("candidates", [None, np.arange(len(POOL)) % 3 == 0])
def test_a_last_layer_is_run_again_on_each_chunk(strategy, make, candidates):
    querier = trained(strategy, make(), storage=None)
    expected = querier.query(POOL, 9, candidates=candidates)
    for n, chunk_rows in ((1, 7), (3, 100), (5, 5000)):
        pool = in_chunks(n=n, chunk_rows=chunk_rows)
        rows, report = querier.query(pool, 9, candidates=candidates, return_report=True)
        np.testing.assert_array_equal(rows, expected)
        assert report.n_passes == 2


class CountingNet(Net):
    """Knows how many rows it was asked about."""

    n_rows = 0

    def forward(self, X):
        CountingNet.n_rows += len(X)
        return super().forward(X)


@pytest.mark.parametrize(
    "strategy", ["max_herding", "uncertainty_herding", "typiclust"]
)
def test_of_a_sample_no_other_rows_are_read(strategy, request):
    if strategy == "typiclust":
        # Where all rows can be kept, it looks at all.
        request.getfixturevalue("no_memory")
    asked = get_strategy(strategy).set_params(n_candidates=60)
    querier = trained(asked, _nets.make_net(CountingNet))
    pool = in_chunks(np.tile(POOL, (50, 1)), chunk_rows=5000)
    CountingNet.n_rows = 0
    _, report = querier.query(pool, 5, return_report=True)
    assert report.n_passes == 1
    assert report.nbytes >= 10_000 * 16 * 4
    # Those of both samples, the labelled ones, and a few of each chunk ahead.
    assert 10_000 < CountingNet.n_rows < 11_000


@pytest.mark.usefixtures("no_memory")
@pytest.mark.parametrize("strategy", ["badge", "margin", "core_set", "drop_query"])
@pytest.mark.parametrize("backend", ["threading", "loky"])
def test_workers_pick_the_same(strategy, backend):
    from joblib import parallel_config

    querier = trained(strategy, storage=None)
    rows = querier.query(in_chunks(), 9)
    with parallel_config(backend=backend, n_jobs=2):
        found, report = querier.query(in_chunks(), 9, return_report=True)
    np.testing.assert_array_equal(found, rows)
    assert "2 " in report.engine


def test_strategies_that_cannot_stream_are_refused_with_the_ways_out(no_memory):
    querier = trained("lcmd", storage=None)
    with pytest.raises(ValueError, match=r"LCMD.*GB.*`storage=.auto..*`subsample`"):
        querier.query(in_chunks(), 9)
    querier.set_params(storage="auto")
    rows = querier.query(in_chunks(), 9)
    np.testing.assert_array_equal(rows, querier.query(POOL, 9))


RESTRICTIONS = {
    "candidates": {"candidates": np.arange(len(POOL)) % 3 == 0},
    "positions": {"candidates": np.arange(5, 400)},
    "groups": {"groups": np.arange(len(POOL)) % 6},
    "duplicates": {"groups": "duplicates"},
    "pending": {"pending": [1, 700, 30]},
}


@pytest.mark.parametrize("name", RESTRICTIONS)
@pytest.mark.parametrize("strategy", ["badge", "margin", "core_set", "lcmd"])
def test_restricted_picks_are_those_of_one_array(strategy, name):
    querier = trained(strategy)
    rows = querier.query(in_chunks(), 6, **RESTRICTIONS[name])
    expected = querier.query(POOL, 6, **RESTRICTIONS[name])
    np.testing.assert_array_equal(rows, expected)


@pytest.mark.usefixtures("no_memory")
@pytest.mark.parametrize("name", RESTRICTIONS)
@pytest.mark.parametrize("strategy", ["margin", "core_set", "badge_max_det"])
def test_restricted_picks_of_a_stream(strategy, name):
    querier = trained(strategy, storage=None)
    rows = querier.query(in_chunks(), 6, **RESTRICTIONS[name])
    expected = querier.query(POOL, 6, **RESTRICTIONS[name])
    np.testing.assert_array_equal(rows, expected)


@pytest.mark.parametrize("rows", [POOL, in_chunks()], ids=["array", "chunks"])
@pytest.mark.parametrize("strategy", ["badge", "lcmd"])
def test_a_subsample_is_uniform_and_reported(rows, strategy):
    querier = trained(strategy)
    picks, report = querier.query(rows, 5, subsample=50, return_report=True)
    assert len(set(picks.tolist())) == 5
    assert report.n_subsample == 50
    assert "50 rows" in str(report)
    again = querier.query(rows, 5, subsample=50)
    np.testing.assert_array_equal(again, picks)


def test_a_subsample_heeds_what_may_be_selected():
    querier = trained("core_set")
    candidates = np.arange(len(POOL)) < 40
    rows = querier.query(in_chunks(), 8, subsample=20, candidates=candidates)
    assert rows.max() < 40
    # As large as all there is, it leaves no choice.
    whole = querier.query(in_chunks(), 8, subsample=5000, candidates=candidates)
    expected = querier.query(POOL, 8, candidates=candidates)
    np.testing.assert_array_equal(whole, expected)
    with pytest.raises(ValueError, match="`subsample` must be an int >= 1"):
        querier.query(POOL, 8, subsample=0)


def test_a_subsample_is_as_large_as_asked_for_whatever_the_groups_are():
    groups = np.arange(len(POOL)) % 4
    querier = trained("margin")
    _, report = querier.query(
        POOL, 3, subsample=50, groups=groups, pending=[3], return_report=True
    )
    assert report.n_subsample == 50


class FirstFeature(ScoreStrategy):
    needs = ("features",)

    def score(self, pool):
        return pool.features[:, 0]


@pytest.mark.usefixtures("no_memory")
def test_a_score_of_the_users_own_streams():
    querier = trained(FirstFeature(), storage=None)
    np.testing.assert_array_equal(querier.query(in_chunks(), 5), querier.query(POOL, 5))


def test_labelled_rows_are_known_again_where_a_net_gets_arrays_of_frames():
    frame = pd.DataFrame(POOL[:200], columns=list("abcdefgh"))
    querier = BadgeQuerier(make_net(), strategy="albl", random_state=0)
    querier.fit(pd.DataFrame(X_LABELED, columns=frame.columns), y[:100])
    for _ in range(2):
        rows = querier.query(from_arrays(frame, chunk_rows=50), 5)
        querier.partial_fit(frame.iloc[rows], y[100:][frame.index[rows]])
        frame = frame.drop(index=frame.index[rows])
    querier.query(from_arrays(frame, chunk_rows=50), 5)
    assert len(querier.strategy_.rewards_) == 2


def test_parquet_with_ids_and_categories(tmp_path):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(POOL, columns=list("abcdefgh"))
    frame["kind"] = pd.Categorical(rng.choice(["x", "y", "z"], len(frame)))
    frame["name"] = [f"row {i}" for i in range(len(frame))]
    for i, part in enumerate(np.array_split(np.arange(len(frame)), 3)):
        frame.iloc[part].to_parquet(tmp_path / f"part {i}.parquet", row_group_size=50)
    columns = [name for name in frame.columns if name != "name"]
    encoder = make_column_transformer(
        (OneHotEncoder(), ["kind"]), remainder="passthrough"
    )
    querier = BadgeQuerier(
        make_pipeline(encoder, LogisticRegression(max_iter=500)), random_state=0
    )
    querier.fit(frame[columns].iloc[:100], y[:100])
    pool = from_parquet(tmp_path, id_column="name", batch_rows=64)
    rows, report = querier.query(pool, 6, return_report=True)
    np.testing.assert_array_equal(rows, querier.query(frame[columns], 6))
    assert report.ids.tolist() == [f"row {i}" for i in rows]
    grouped = querier.query(pool, 3, groups="kind")
    assert len(set(frame["kind"].iloc[grouped])) == 3
    querier.partial_fit(pool.take(rows), y[rows])
    assert len(querier.y_labeled_) == 106


def test_a_dask_collection_is_taken_as_it_is():
    da = pytest.importorskip("dask.array")
    querier = trained()
    collection = da.from_array(POOL, chunks=(90, 8))
    rows = querier.query(collection, 7)
    np.testing.assert_array_equal(rows, querier.query(POOL, 7))


def test_sparse_chunks():
    rows = sparse.random(200, 30, 0.2, random_state=0, format="csr", dtype=np.float32)
    labels = (rows[:, 0].toarray().ravel() > 0).astype(int)
    querier = BadgeQuerier(LogisticRegression(), random_state=0)
    querier.fit(rows[:60], labels[:60])
    pool = from_chunks([rows[60:100], rows[100:]])
    np.testing.assert_array_equal(querier.query(pool, 5), querier.query(rows[60:], 5))


def test_a_pool_of_one_row_and_empty_chunks():
    querier = trained()
    pool = from_chunks([POOL[:0], POOL[:1], POOL[:0]])
    with pytest.warns(QueryWarning, match="`n`=3 is above the 1 rows"):
        assert querier.query(pool, 3).tolist() == [0]


@pytest.mark.parametrize("storage", [None, "auto"])
def test_nan_in_a_chunk_is_refused_with_its_place(storage, no_memory):
    rows = POOL.copy()
    rows[333, 2] = np.nan
    querier = trained(storage=storage)
    with pytest.raises(ValueError, match="NaN") as raised:
        querier.query(in_chunks(rows), 5)
    told = str(raised.value) + " ".join(getattr(raised.value, "__notes__", []))
    assert "from row 320 on" in told


def test_other_columns_are_refused_before_all_is_read():
    frame = pd.DataFrame(POOL, columns=list("abcdefgh"))
    querier = BadgeQuerier(LogisticRegression()).fit(frame[:100], y[100:200])
    swapped = from_chunks([frame[list("badcefgh")]])
    with pytest.raises(ValueError, match="feature names should match"):
        querier.query(swapped, 5)


def test_chunks_that_change_between_passes_are_noticed(no_memory):
    rng = np.random.default_rng(0)
    pool = from_chunks(lambda: iter([POOL + rng.normal(size=(len(POOL), 1))] * 2))
    with pytest.raises(RuntimeError, match="is not what it was"):
        trained("badge_k_center", storage=None).query(pool, 5)


def test_a_pipeline_around_a_querier_takes_no_chunks():
    pipeline = make_pipeline(StandardScaler(), BadgeQuerier(make_net()))
    pipeline.fit(X_LABELED, y[:100])
    with pytest.raises(TypeError, match="Put the steps into the querier's estimator"):
        skbadge.query(pipeline, in_chunks(), 5)


@pytest.mark.slow
@pytest.mark.usefixtures("no_memory")
@pytest.mark.parametrize("strategy", ["badge", "margin"])
def test_workers_of_dask_pick_the_same(strategy):
    distributed = pytest.importorskip("distributed")
    import dask.array as da

    querier = trained(strategy, storage=None)
    rows = querier.query(in_chunks(n=8, chunk_rows=100), 9)
    cluster = distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=None
    )
    with cluster, distributed.Client(cluster):
        collection = da.from_array(POOL, chunks=(100, 8))
        found, report = querier.query(collection, 9, return_report=True)
    np.testing.assert_array_equal(found, rows)
    assert "2" in report.engine


def test_labelled_rows_are_read_as_the_pool_is_without_a_seed():
    seen = {}

    def watched(outputs):
        seen[len(outputs)] = outputs.gradients.to_dense()
        return outputs.gradients

    watched.needs = "gradients"
    strategy = EmbeddingStrategy(kernel=watched, n_columns=16)
    querier = BadgeQuerier(make_net(), strategy=strategy).fit(X_LABELED, y[:100])
    querier.query(from_arrays([POOL[:60], X_LABELED]), 3)
    np.testing.assert_allclose(seen[160][60:], seen[100], rtol=1e-3, atol=1e-4)


def peak_of_query(strategy, n_rows):
    def chunks():
        for start in range(0, n_rows, 5000):
            yield np.random.RandomState(start).normal(size=(5000, 8)).astype("f4")

    querier, pool = trained(strategy, storage=None), from_chunks(chunks)
    assert len(pool) == n_rows
    tracemalloc.start()
    try:
        querier.query(pool, 20)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("strategy", ["margin", "badge", "core_set"])
def test_memory_does_not_grow_with_the_pool(strategy, no_memory):
    small, large = (peak_of_query(strategy, n_rows) for n_rows in (10_000, 80_000))
    # A number in single precision for each row would take 280 kB more.
    assert large < small + 200_000
