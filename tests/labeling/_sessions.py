"""Pools, queriers and sessions that tests of labelling share."""

import os
import signal
import sqlite3
from pathlib import Path
from tempfile import mkdtemp

import numpy as np
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression

from skbadge import BadgeQuerier
from skbadge.labeling import LabelingSession

X, Y = make_classification(
    300, 6, n_informative=4, n_redundant=0, n_classes=3, random_state=0
)
Y = np.array(["ash", "bay", "cot"])[Y]


def make_querier(strategy="badge", **params):
    params = {"random_state": 0, "cold_start": "core_set", **params}
    return BadgeQuerier(LogisticRegression(), strategy=strategy, **params)


def open_session(folder, pool=X, *, querier=None, **options):
    querier = make_querier() if querier is None else querier
    options = {"synchronous": "normal", **options}
    return LabelingSession(querier, pool, store=folder / "a.sqlite", **options)


def fresh(folder):
    """A folder of its own for another session."""
    return Path(mkdtemp(dir=folder))


def answer(session, tasks, **who):
    """Give rows, known by their positions, their labels."""
    for task in tasks:
        session.label(task.id, Y[task.id], **who)


def ids_of(tasks):
    return [task.id for task in tasks]


def read(folder, query, *values):
    """Ask the ledger as another program would."""
    with sqlite3.connect(folder / "a.sqlite") as db:
        found = db.execute(query, values).fetchall()
    db.close()
    return found


def in_a_process_that_is_killed(function):
    """Call a function in a process that is killed at once after it."""
    child = os.fork()
    if not child:
        try:
            function()
        finally:
            os.kill(os.getpid(), signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    assert os.WTERMSIG(status) == signal.SIGKILL
