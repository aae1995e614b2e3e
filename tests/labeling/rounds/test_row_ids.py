"""Rows of any pool are known by their ids, and a pool that has changed is noticed."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
from scipy import sparse
from sklearn.compose import make_column_transformer
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder
from skorch import NeuralNetClassifier
from torch.utils.data import TensorDataset

from skbadge import BadgeQuerier
from skbadge.exceptions import QueryWarning
from skbadge.pools import from_arrays, from_chunks, from_parquet
from tests.labeling._sessions import X, Y, fresh, ids_of, make_querier, open_session

TEXTS = [f"{a} {b} {c}" for a in "abcdefg" for b in "hijklm" for c in "nopqrst"]
NAMES = [f"row {i}" for i in range(300)]
FRAME = pd.DataFrame(X, columns=list("abcdef"), index=NAMES)


class Flat(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.last = torch.nn.Linear(6, 3)

    def forward(self, X):
        return self.last(X.flatten(1))


def make_net():
    net = NeuralNetClassifier(Flat, train_split=None, max_epochs=1, verbose=0)
    net.set_params(criterion=torch.nn.CrossEntropyLoss)
    return BadgeQuerier(net, random_state=0, cold_start="random")


def make_text_querier():
    model = make_pipeline(TfidfVectorizer(token_pattern=r"\w"), LogisticRegression())
    return BadgeQuerier(model, random_state=0)


def make_table_querier():
    columns = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), ["kind"]), remainder="passthrough"
    )
    return BadgeQuerier(make_pipeline(columns, LogisticRegression()), random_state=0)


def parquet(tmp_path, **options):
    path = tmp_path / "pool.parquet"
    FRAME.assign(name=NAMES).to_parquet(path, index=False)
    return from_parquet(path, batch_rows=64, **options)


X32 = X.astype(np.float32)
POOLS = {
    "array": lambda _: (X, make_querier(), 7, X[7]),
    "rows as a list": lambda _: (X.tolist(), make_querier(), 7, X[7].tolist()),
    "images": lambda _: (X32.reshape(300, 2, 3), make_net(), 7, X32[7].reshape(2, 3)),
    "tensor": lambda _: (torch.tensor(X32), make_net(), 7, torch.tensor(X32[7])),
    "texts": lambda _: (TEXTS, make_text_querier(), 7, TEXTS[7]),
    "an array of texts": lambda _: (np.array(TEXTS), make_text_querier(), 7, TEXTS[7]),
    "frame": lambda _: (FRAME, make_querier(), "row 7", FRAME.iloc[7]),
    "a mixed frame": lambda _: (
        FRAME.assign(kind=["u", "v"] * 150),
        make_table_querier(),
        "row 7",
        FRAME.assign(kind=["u", "v"] * 150).iloc[7],
    ),
    "polars": lambda _: (pl.DataFrame(X, list("abcdef")), make_querier(), 7, None),
    "sparse": lambda _: (
        sparse.csr_matrix(X),
        make_querier(),
        7,
        sparse.csr_matrix(X)[7],
    ),
    "chunks": lambda _: (from_arrays(X, chunk_rows=64), make_querier(), 7, X[7]),
    "an iterator": lambda _: (
        from_chunks(lambda: iter([X[:100], X[100:]])),
        make_querier(),
        7,
        X[7],
    ),
    "files": lambda folder: (
        parquet(folder, id_column="name"),
        make_querier(),
        "row 7",
        X[7],
    ),
    "Dataset": lambda _: (
        TensorDataset(torch.tensor(X32), torch.zeros(300)),
        make_net(),
        7,
        (torch.tensor(X32[7]), torch.tensor(0.0)),
    ),
}


@pytest.mark.parametrize("name", POOLS)
def test_pools_of_any_kind_are_labelled(tmp_path, name):
    pool, querier, id, row = POOLS[name](tmp_path)
    by_id = {id: Y[i] for i, id in enumerate(NAMES)} | dict(enumerate(Y))
    with open_session(tmp_path, pool, querier=querier, batch_size=12) as session:
        for _ in range(2):
            tasks = session.next(20)
            assert len(set(ids_of(tasks))) == 20
            session.label_many(ids_of(tasks), [by_id[task.id] for task in tasks])
            session.train()
        session.label(id, by_id[id])
        seen = session._pool.rows([7])[0]
        if row is not None:
            assert isinstance(seen, type(row))
            _assert_equal(seen, row)
    with open_session(tmp_path, pool, querier=querier) as session:
        assert session.labels().index[-1] == id
        assert session.next(1)[0].round == 2


def _assert_equal(seen, row):
    if sparse.issparse(row):
        seen, row = seen.toarray(), row.toarray()
    if isinstance(row, tuple):
        for part, other in zip(seen, row, strict=True):
            _assert_equal(part, other)
    elif isinstance(row, str):
        assert seen == row
    else:
        np.testing.assert_array_equal(np.asarray(seen), np.asarray(row))


def test_a_session_in_chunks_asks_as_one_in_memory(tmp_path):
    found = []
    for pool in (X, from_arrays(X, chunk_rows=64)):
        with open_session(fresh(tmp_path), pool, batch_size=12) as session:
            session.label_many(range(20), Y[:20])
            session.train()
            found.append(ids_of(session.next(30)))
    assert found[0] == found[1]


def test_numbers_are_labels_of_a_regressor(tmp_path):
    querier = BadgeQuerier(Ridge(), random_state=0, cold_start="random")
    with open_session(tmp_path, querier=querier) as session:
        with pytest.raises(ValueError, match="`y` must be a number"):
            session.label(0, "high")
        session.label_many(range(20), X[:20, 0])
        session.label(20, 3)
        predicted = session.train().querier.predict(X)
        assert np.corrcoef(predicted, X[:, 0])[0, 1] > 0.9
        assert session.next(2)[0].strategy.startswith("Posterior")


# Ids


def test_a_column_may_be_the_ids_and_is_not_for_the_model(tmp_path):
    frame = FRAME.reset_index(names="name")
    with open_session(tmp_path, frame, ids="name") as session:
        (task,) = session.next()
        assert task.id.startswith("row ")
        assert "name" not in task.row
        session.label_many(NAMES[:20], Y[:20])
        assert session.train().querier.n_features_in_ == 6
    parts = {name: frame[name].to_numpy() for name in frame}
    with open_session(fresh(tmp_path), parts, ids="name") as session:
        (row,) = session._pool.rows([7])
        assert row == dict(zip("abcdef", X[7], strict=True))
        session.label("row 7", "ash")
    for wrong, hint in (("nmae", r"mean 'name'\?"), ("zzzz", "Got 'zzzz'")):
        with pytest.raises(ValueError, match=f"`ids` must be a column.*{hint}"):
            open_session(tmp_path, frame, ids=wrong)


@pytest.mark.parametrize(
    "ids",
    [NAMES, np.array(NAMES), pd.Series(NAMES), tuple(NAMES), np.arange(300) * 0.5],
    ids=lambda ids: type(ids).__name__,
)
def test_ids_may_be_given(tmp_path, ids):
    with open_session(tmp_path, ids=ids) as session:
        id = list(ids)[3]
        session.label(id, "ash")
        (found,) = session.labels().index
        assert found == id
        (task,) = session.next(annotator="bob")
        assert task.id in list(ids)


def test_an_index_that_will_not_do_gives_way_to_positions(tmp_path):
    twice = FRAME.set_axis([0] * 300)
    dates = FRAME.set_axis(pd.date_range("2026-01-01", periods=300))
    pairs = FRAME.set_axis(pd.MultiIndex.from_product([range(3), range(100)]))
    for frame in (twice, dates, pairs):
        with open_session(fresh(tmp_path), frame) as session:
            assert isinstance(session.next()[0].id, int)


@pytest.mark.parametrize(
    ("ids", "message"),
    [
        ([0, *range(299)], r"`ids` must be unique\. Got 0 for rows 0 and 1"),
        (range(10), "one id for each of the 300 rows"),
        (X, "one id for each of the 300 rows"),
    ],
)
def test_ids_that_will_not_do_are_refused(tmp_path, ids, message):
    with pytest.raises(ValueError, match=message):
        open_session(tmp_path, ids=ids)


def test_ids_that_a_ledger_cannot_hold_are_refused(tmp_path):
    for wrong in (None, np.nan, (1, 2), np.datetime64("2026-01-01")):
        with pytest.raises(TypeError, match="`ids` must be a string, an int"):
            open_session(tmp_path, ids=[wrong, *range(299)])


def test_ids_nobody_has_are_refused(tmp_path):
    with open_session(tmp_path) as session:
        for wrong in (-1, 300, 3.0, "3", True):
            with pytest.raises(ValueError, match="the position of one of the 300"):
                session.label(wrong, "ash")
    with open_session(fresh(tmp_path), FRAME) as session:
        with pytest.raises(ValueError, match=r"the pool\. Got 'rov 3'.*'row 3'"):
            session.label("rov 3", "ash")
        with pytest.raises(ValueError, match=r"Got 3\."):
            session.label(3, "ash")
    ids = [str(i) for i in range(300)]
    with (
        open_session(fresh(tmp_path), ids=ids) as session,
        pytest.raises(ValueError, match=r"Got 3\. Did you mean '3'\?"),
    ):
        session.label(3, "ash")


# Pools that change


@pytest.fixture
def started(tmp_path):
    """The ids of three labelled rows of a frame, and of two that are open."""
    with open_session(tmp_path, FRAME, annotator="ann") as session:
        ids = ids_of(session.next(5))
        session.label_many(ids[:3], ["ash", "bay", "cot"])
    return ids


@pytest.mark.filterwarnings("ignore:`X_pool` has changed")
def test_rows_may_change_places(tmp_path, started):
    with open_session(tmp_path, FRAME.iloc[::-1], annotator="ann") as session:
        tasks = session.next(2)
        assert ids_of(tasks) == started[3:]
        for task in tasks:
            np.testing.assert_array_equal(task.row, FRAME.loc[task.id])
        querier = session.train().querier
        np.testing.assert_array_equal(querier.X_labeled_, FRAME.loc[started[:3]])


def test_rows_may_be_added(tmp_path, started):
    more = pd.concat([FRAME, -FRAME.set_axis([f"new {i}" for i in range(300)])])
    with pytest.warns(QueryWarning, match="300 rows then, 600 now"):
        session = open_session(tmp_path, more, annotator="ann")
    with session:
        assert ids_of(session.next(2)) == started[3:]
        assert any(id.startswith("new") for id in ids_of(session.next(400)))
    # The pool is now this one.
    open_session(tmp_path, more).close()


def test_rows_that_were_not_asked_may_go(tmp_path, started):
    with open_session(tmp_path, FRAME) as session:
        queued = session.history().query("kind == 'queued'")["id"]
    gone = [id for id in queued if id not in started]
    with pytest.warns(QueryWarning, match="300 rows then"):
        session = open_session(tmp_path, FRAME.drop(gone), annotator="ann")
    with session:
        found = ids_of(session.next(300))
        assert set(found) == set(FRAME.index) - set(gone) - set(started[:3])


def test_rows_that_were_asked_may_not_go(tmp_path, started):
    with pytest.raises(ValueError, match=f"The row {started[1]!r} .* is missing"):
        open_session(tmp_path, FRAME.drop(started[1]))
    with open_session(tmp_path, FRAME) as session:
        assert session.progress().n_labeled == 3


def test_rows_that_were_asked_may_not_change(tmp_path, started):
    changed = FRAME.copy()
    changed.loc[started[4], "c"] += 1e-9
    with pytest.raises(
        ValueError, match=rf"The row {started[4]!r} .* is not what it was.*`store`"
    ):
        open_session(tmp_path, changed)
    with open_session(tmp_path, FRAME) as session:
        assert session.progress().n_labeled == 3


def test_rows_of_which_only_somebody_spoke_may_not_change(tmp_path):
    with open_session(tmp_path) as session:
        session.label(17, "ash")
    changed = X.copy()
    changed[17] += 1
    with pytest.raises(ValueError, match="The row 17 of `X_pool` is not what it was"):
        open_session(tmp_path, changed)


def test_ids_are_made_in_one_way(tmp_path, started):
    with pytest.raises(ValueError, match=r"The row 'row \d+' of .* is missing"):
        open_session(tmp_path, FRAME.reset_index(drop=True))
    with pytest.raises(ValueError, match=r"the index of a frame\. Got an array"):
        open_session(tmp_path, FRAME, ids=NAMES)


@pytest.mark.parametrize(
    ("ids", "found"),
    [
        (np.arange(300.0), r"7\.0, of type float"),
        ([str(i) for i in range(300)], "'7', of type str"),
    ],
)
def test_ids_that_changed_their_type_are_told_from_rows_that_are_gone(
    tmp_path, ids, found
):
    with open_session(tmp_path, ids=np.arange(300)) as session:
        session.label(7, "ash")
    with pytest.raises(ValueError, match=rf"The pool has {found}\."):
        open_session(tmp_path, ids=ids)
    with pytest.raises(ValueError, match=r"The row 7 .* missing.* `skip` leaves"):
        open_session(tmp_path, X[:7], ids=np.arange(7))


def test_a_column_of_ids_that_chunks_give_the_model_is_refused(tmp_path):
    frame = FRAME.reset_index(names="name")
    chunks = [frame[:150], frame[150:]]
    with pytest.raises(ValueError, match="Make the pool with `id_column='name'`"):
        open_session(tmp_path, from_chunks(chunks), ids="name")
    pool = from_chunks(chunks, id_column="name")
    with open_session(tmp_path, pool, ids="name") as session:
        assert session.next()[0].id in list(frame["name"])
    with open_session(tmp_path, pool) as session:
        assert session.next()[0].id in list(frame["name"])


def test_a_pool_of_as_many_rows_that_has_changed_is_said_to(tmp_path, started):
    free = next(name for name in FRAME.index if name not in started)
    changed = FRAME.copy()
    changed.loc[free, "a"] += 1
    with pytest.warns(QueryWarning, match="300 rows as before, but in another order"):
        open_session(tmp_path, changed).close()
