"""What a querier says while it works: with ``verbose`` alone, and now and then."""

import re
from threading import Thread

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from skorch import NeuralNetClassifier
from torch import nn

from skbadge import BadgeQuerier
from skbadge.outputs.readers import _other
from skbadge.pools import from_arrays
from skbadge.utils import _under_way as module
from skbadge.utils._under_way import one_more_picked, said_by, under_way

X = np.random.RandomState(0).normal(size=(120, 4)).astype("f4")
Y = np.arange(120) % 3


def asked(model=None, *, verbose=1, **params):
    querier = BadgeQuerier(
        LogisticRegression() if model is None else model,
        random_state=0,
        verbose=verbose,
        **params,
    )
    return querier.fit(X[:30], Y[:30])


def net(*inside):
    return NeuralNetClassifier(
        nn.Sequential(nn.Linear(4, 8), nn.ReLU(), *inside, nn.Linear(8, 3)),
        criterion=nn.CrossEntropyLoss,
        max_epochs=1,
        train_split=None,
        verbose=0,
    )


@pytest.fixture
def always(monkeypatch):
    monkeypatch.setattr(module, "PAUSE", 0.0)


def said(capsys):
    """The lines, without times."""
    text = capsys.readouterr().out
    return [re.sub(r", \d+ s$", "", line) for line in text.splitlines()]


def test_what_begins_is_said(capsys):
    asked(strategy="margin").query(X[30:], 4)
    lines = said(capsys)
    assert lines[0] == "[BadgeQuerier] training on 30 rows"
    assert lines[1].startswith("[BadgeQuerier] trained on 30 rows in")
    assert lines[2:4] == [
        "[BadgeQuerier] reading what the model says about 90 rows",
        "[BadgeQuerier] selecting 4 rows by Margin()",
    ]
    # Nothing has taken so long that more was due.
    assert lines[4].startswith("[BadgeQuerier] 4 of 90 rows")


def test_nothing_is_read_for_a_random_draw(capsys):
    asked(strategy="random").query(X[30:], 4)
    assert not any("reading" in line for line in said(capsys))


@pytest.mark.parametrize("pool", [X[30:], from_arrays(X[30:], chunk_rows=20)])
def test_nothing_is_said_unless_wanted(pool, always, capsys):
    querier = asked(net(), verbose=0, strategy="lcmd")
    querier.query(pool, 4)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    "strategy", ["badge", "bait", "core_set", "batch_bald", "lcmd", "max_herding"]
)
def test_each_pick_is_told(strategy, always, capsys):
    asked(net(nn.Dropout()), strategy=strategy).query(X[30:], 4)
    assert "[BadgeQuerier] 4 rows picked" in said(capsys)


def test_batches_of_a_net_are_told(always, capsys):
    asked(net(), inference_batch_size=40).query(X[30:], 4)
    lines = said(capsys)
    at = lines.index("[BadgeQuerier] 40 of 90 rows read")
    assert lines[at : at + 3] == [
        f"[BadgeQuerier] {n} of 90 rows read" for n in (40, 80, 90)
    ]


def test_blocks_of_any_model_are_told(always, capsys, monkeypatch):
    monkeypatch.setattr(_other, "BLOCK_ROWS", 40)
    asked(KNeighborsClassifier()).query(X[30:], 4)
    lines = said(capsys)
    assert [line for line in lines if line.endswith("rows read")] == [
        f"[BadgeQuerier] {n} of 90 rows read" for n in (40, 80, 90)
    ]


def test_posterior_samples_are_told(always, capsys):
    asked(net(nn.Dropout()), strategy="bald").query(X[30:], 4)
    assert "[BadgeQuerier] 3 of 20 posterior samples read" in said(capsys)


def test_chunks_are_told_by_the_pass(always, capsys):
    pool = from_arrays(X[30:], chunk_rows=40)
    asked(net(), strategy="margin").query(pool, 4)
    lines = said(capsys)
    told = [line for line in lines if "rows read" in line]
    # Those of a chunk are not told by themselves.
    assert told == [
        f"[BadgeQuerier] {n} of 90 rows read in pass 1" for n in (40, 80, 90)
    ]


def test_picks_are_the_same_whether_told_of_or_not(always):
    model = net()
    for pool in (X[30:], from_arrays(X[30:], chunk_rows=40)):
        rows = [asked(model, verbose=verbose).query(pool, 9) for verbose in (0, 1)]
        assert (rows[0] == rows[1]).all()


def test_lines_come_at_intervals(monkeypatch):
    clock, lines = iter([0.0, 9.0, 10.0, 12.0, 19.0, 20.5, 21.0]), []
    monkeypatch.setattr(module, "monotonic", lambda: next(clock))
    with said_by(lines.append):
        for i in range(1, 7):
            under_way("{:,} of {:,}", 1000 * i, 9000)
    assert lines == ["2,000 of 9,000, 10 s", "5,000 of 9,000, 20 s"]


def test_what_goes_on_inside_and_elsewhere_is_not_told(always):
    lines = []
    with said_by(lines.append):
        with said_by(None):
            under_way("inside")
        thread = Thread(target=one_more_picked)
        thread.start()
        thread.join()
        one_more_picked()
        one_more_picked()
    under_way("after")
    assert lines == ["1 rows picked, 0 s", "2 rows picked, 0 s"]
