"""What all scores have: noise, and copies of a row last."""

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from skorch import NeuralNetClassifier

from skbadge import BadgeQuerier
from skbadge.outputs import Needs, Outputs, model_outputs
from skbadge.outputs._chunked_outputs import ChunkedOutputs
from skbadge.pools import from_arrays, from_dask
from skbadge.pools._engines import open_engine
from skbadge.strategies import (
    Bald,
    Entropy,
    LeastConfidence,
    Margin,
    ScoreStrategy,
    get_strategy,
)

X, y = make_classification(
    150, 6, n_informative=4, n_redundant=0, n_classes=3, random_state=0
)
# 100 rows, 5 copies of each, mixed.
COPIES = np.random.RandomState(0).permutation(np.repeat(np.arange(50, 150), 5))
POOL = X[COPIES]
SCORES = ["entropy", "margin", "least_confidence", "bald"]
MODEL = LogisticRegression()
FOREST = RandomForestClassifier(10, random_state=0)


def fitted(strategy, model=MODEL, X_labeled=X[:50], **options):
    querier = BadgeQuerier(clone(model), strategy=strategy, random_state=0, **options)
    return querier.fit(X_labeled, y[:50])


def model_for(name):
    return FOREST if name == "bald" else MODEL


@pytest.mark.parametrize("name", SCORES)
def test_copies_are_not_selected_while_other_rows_are_left(name):
    querier = fitted(name, model_for(name))
    rows, report = querier.query(POOL, 20, return_report=True)
    assert len(set(COPIES[rows])) == 20
    assert report.fallbacks == ()
    # They are the rows of greatest score, each once.
    scores = querier.score_pool(X[50:])
    expected = np.sort(scores)[::-1][:20]
    np.testing.assert_allclose(report.values, expected, atol=1e-12)
    alike = fitted(get_strategy(name).set_params(distinct=False), model_for(name))
    assert len(set(COPIES[alike.query(POOL, 20)])) < 15


def test_second_copies_come_in_the_order_of_the_first():
    # All scores differ: the rows by score are the same in each turn.
    rows = fitted("margin").query(POOL, 330)
    turns = COPIES[rows[:300]].reshape(3, 100)
    assert (turns == turns[0]).all()
    assert len(set(turns[0])) == 100
    np.testing.assert_array_equal(COPIES[rows[300:]], turns[0, :30])
    assert len(set(rows)) == 330


def frame(rows):
    return pd.DataFrame(rows, columns=list("abcdef"))


class Items(torch.utils.data.Dataset):
    def __init__(self, rows):
        self.rows = rows

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, i):
        return self.rows[i], 0


@pytest.mark.parametrize(
    "make",
    [
        frame,
        sparse.csr_matrix,
        lambda rows: from_arrays(rows, chunk_rows=70),
        lambda rows: rows.astype(np.float32),
    ],
    ids=["frame", "sparse", "chunks", "float32"],
)
def test_containers_of_any_kind(make):
    labeled = make(X[:50]) if make is frame else X[:50]
    querier = fitted("margin", X_labeled=labeled)
    assert len(set(COPIES[querier.query(make(POOL), 20)])) == 20


def test_a_pool_in_chunks_has_the_selections_of_memory():
    chunks = from_arrays(POOL, chunk_rows=70)
    groups, candidates = COPIES // 3, np.arange(500) % 7 > 0
    for options in (
        {},
        {"pending": [3, 4], "candidates": candidates},
        {"groups": groups, "max_per_group": 2, "pending": [11]},
    ):
        for strategy in ("margin", Entropy(noise="power"), Margin(noise="softmax")):
            rows = fitted(strategy).query(POOL, 20, **options)
            again = fitted(strategy).query(chunks, 20, **options)
            np.testing.assert_array_equal(rows, again)
            held = options.get("pending", [])
            assert len(set(COPIES[[*rows, *held]])) == 20 + len(held)


def test_dask_workers_tell_copies():
    dask_array = pytest.importorskip("dask.array")
    pool = from_dask(dask_array.from_array(POOL, chunks=(90, 6)))
    rows = fitted("entropy").query(pool, 20)
    np.testing.assert_array_equal(rows, fitted("entropy").query(POOL, 20))


def test_groups_of_duplicates_give_the_same_rows():
    querier = fitted("margin")
    rows = querier.query(POOL, 20, groups="duplicates")
    assert set(COPIES[rows]) == set(COPIES[querier.query(POOL, 20)])


def test_a_copy_of_a_pending_row_waits():
    querier = fitted("margin")
    best = COPIES[querier.query(POOL, 1)[0]]
    pending = np.flatnonzero(best == COPIES)[:1]
    rows = querier.query(POOL, 99, pending=pending)
    assert best not in COPIES[rows]
    # All others are selected once by now.
    assert (
        COPIES[querier.query(POOL, 100, pending=pending)[99]] == best
        or (COPIES[querier.query(POOL, 199, pending=pending)] == best).any()
    )


def test_equal_outputs_are_no_copies():
    model = RandomForestClassifier(2, max_depth=1, random_state=0)
    querier = fitted("margin", model)
    scores = querier.score_pool(X[50:])
    n_best = (scores == scores.max()).sum()
    assert n_best > 10
    rows = querier.query(X[50:], n_best)
    assert (scores[rows] == scores.max()).all()


class Doubt(ScoreStrategy):
    def score(self, pool):
        return 1 - pool.proba.max(axis=1)


class Weighted(ScoreStrategy):
    """Has a constructor of its own, which knows of no noise."""

    needs = ("proba",)

    def __init__(self, weight=1.0):
        self.weight = weight

    def score(self, pool):
        return -self.weight * pool.proba.max(axis=1)


class Noisy(ScoreStrategy):
    lower_bound = -1.0

    def __init__(self, noise="power"):
        self.noise = noise

    def score(self, pool):
        return -pool.proba.max(axis=1)


def test_scores_of_ones_own_have_no_noise_and_tell_copies():
    for strategy in (Doubt(), Weighted(2.0)):
        querier = fitted(strategy)
        rows = querier.query(POOL, 20)
        assert len(set(COPIES[rows])) == 20
        expected = fitted("least_confidence").query(POOL, 20)
        np.testing.assert_array_equal(rows, expected)
    assert Weighted().get_params() == {"weight": 1.0}


def test_scores_of_ones_own_take_noise_by_having_the_parameter():
    assert repr(Doubt(noise="power", beta=2)) == "Doubt(beta=2, noise='power')"
    assert clone(Doubt(distinct=False)).distinct is False
    for own, like in [
        (Doubt(noise="power"), LeastConfidence(noise="power")),
        (Noisy(), LeastConfidence(noise="power")),
        (Noisy("softmax"), LeastConfidence(noise="softmax")),
    ]:
        rows = fitted(own).query(X[50:], 20)
        np.testing.assert_array_equal(rows, fitted(like).query(X[50:], 20))
    querier = fitted(Weighted())
    with pytest.raises(ValueError, match="Invalid parameter 'noise'"):
        querier.set_params(strategy__noise="power")
    with pytest.raises(ValueError, match=r"`lower_bound`, 0\.0, for noise='power'"):
        fitted(Weightless(noise="power")).query(POOL, 2)


class Weightless(ScoreStrategy):
    def score(self, pool):
        return -pool.proba.max(axis=1)


@pytest.mark.parametrize("noise", ["power", "softmax", "softrank"])
@pytest.mark.parametrize("name", SCORES)
def test_noise_changes_what_is_selected_and_not_the_score(name, noise):
    model = model_for(name)
    noisy, plain = get_strategy(name).set_params(noise=noise), get_strategy(name)
    querier, without = fitted(noisy, model), fitted(plain, model)
    rows, report = querier.query(X[50:], 20, return_report=True)
    assert set(rows) != set(without.query(X[50:], 20))
    np.testing.assert_array_equal(rows, fitted(noisy, model).query(X[50:], 20))
    scores = without.score_pool(X[50:])
    np.testing.assert_array_equal(querier.score_pool(X[50:]), scores)
    np.testing.assert_array_equal(report.values, scores[rows])
    # A draw by the score all the same.
    far = querier.set_params(strategy__beta=1e6)
    best = np.sort(scores)[::-1][:20]
    np.testing.assert_array_equal(np.sort(scores[far.query(X[50:], 20)])[::-1], best)


def test_each_score_states_its_lower_bound():
    proba = np.vstack([np.eye(4), np.random.RandomState(0).dirichlet([0.2] * 4, 500)])
    posterior = np.stack([proba, proba])
    pool = Outputs(proba=proba, posterior=posterior)
    for name in SCORES:
        strategy = get_strategy(name)
        scores = strategy.score(pool)
        assert strategy.lower_bound == (-1 if name == "margin" else 0)
        assert scores[0] == pytest.approx(strategy.lower_bound, abs=1e-12)
        assert scores.min() >= strategy.lower_bound - 1e-12


def test_ranks_need_all_scores_at_once():
    strategy, chunks = Margin(noise="softrank"), from_arrays(POOL, chunk_rows=70)
    assert not strategy.streams
    # A querier keeps what the model says.
    rows = fitted(strategy).query(chunks, 20)
    np.testing.assert_array_equal(rows, fitted(strategy).query(POOL, 20))
    assert len(set(COPIES[rows])) == 20
    model = clone(MODEL).fit(X[:50], y[:50])

    def read(chunk):
        return model_outputs(model, chunk, needs="proba")

    with (
        open_engine(chunks) as engine,
        pytest.raises(ValueError, match=r"comes in chunks\. .*`storage`.*`subsample`"),
    ):
        strategy.run(ChunkedOutputs(chunks, read, engine), 3)


@pytest.mark.parametrize(
    ("wrong", "name"),
    [({"noise": "Power"}, "noise"), ({"beta": 0.0}, "beta"), ({"distinct": 2}, "dist")],
)
@pytest.mark.parametrize("cls", [Margin, Bald, Doubt])
def test_wrong_parameters_are_named(cls, wrong, name):
    with pytest.raises(ValueError, match=f"The '{name}"):
        cls(**wrong).select(Outputs(proba=np.full((3, 2), 0.5)), 1)


def test_identities_are_read_where_they_are_needed():
    assert Margin().all_needs == Needs(proba=True, ids=True)
    assert Margin(distinct=False).all_needs == Needs(proba=True)
    assert Weighted().all_needs == Needs(proba=True, ids=True)
    assert get_strategy("badge").all_needs == get_strategy("badge").needs
    querier = fitted("margin")
    outputs = querier.outputs(POOL)
    rows = querier.strategy_.select(outputs, 20, random_state=0)
    assert len(set(COPIES[rows])) == 20


def test_rows_that_cannot_be_identified_are_selected_as_before():
    class Odd:
        def __init__(self, row):
            self.row = row

        def __repr__(self):
            raise RuntimeError("no words")

    rows = np.empty(150, dtype=object)
    rows[:] = [Odd(row) for row in X]
    unpack = FunctionTransformer(lambda odd: np.array([each.row for each in odd]))
    querier = fitted("margin", make_pipeline(unpack, MODEL), rows[:50])
    picks = querier.query(rows[50:], 20)
    np.testing.assert_array_equal(picks, fitted("margin").query(X[50:], 20))


class Augmented(Items):
    """Draws from a global generator when a row is read."""

    def __getitem__(self, i):
        return self.rows[i] + np.float32(0 * np.random.rand()), 0


@pytest.mark.parametrize("kind", [Items, Augmented])
def test_rows_of_a_data_set_are_read_again_to_be_identified(kind):
    net = NeuralNetClassifier(
        torch.nn.Sequential(torch.nn.Linear(6, 3), torch.nn.Softmax(1)),
        max_epochs=1,
        train_split=None,
        verbose=0,
        classes=[0, 1, 2],
    )
    querier = fitted("margin", net, kind(X[:50].astype(np.float32)))
    np.random.seed(3)
    rows = querier.query(kind(POOL.astype(np.float32)), 20)
    assert len(set(COPIES[rows])) == 20
    # Whoever reads them leaves global generators as they were.
    state = np.random.get_state()[1]
    np.random.seed(3)
    np.testing.assert_array_equal(state, np.random.get_state()[1])
