"""A program in which two processes stream answers, and are killed at random instants.

``python -m tests.labeling._streaming FOLDER SEED N_KILLS SHARE`` forks them for each
instant, with an audit of that share, so that the imports are paid for once. It checks
the ledger after each, and prints the number of answers that were acknowledged.
"""

import os
import random
import signal
import sqlite3
import sys
import threading
from collections import Counter
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression

from skbadge import BadgeQuerier
from skbadge.labeling import LabelingSession

N_ROWS = 600
# A ledger is read again by each process: fresh ones keep that short.
KILLS_A_LEDGER = 20


def open_session(store, annotator=None):
    share = float(sys.argv[4])
    X = np.random.default_rng(0).normal(size=(N_ROWS, 2))
    querier = BadgeQuerier(LogisticRegression(), cold_start="random", random_state=0)
    return LabelingSession(
        querier, X, store=store, annotator=annotator, batch_size=7, audit_share=share
    )


def stream(store, annotator, name, pipe):
    """Answer as fast as may be, and acknowledge each answer by a line."""
    os.write(pipe, b"start\n")
    session = open_session(store, annotator)
    os.write(pipe, b"open\n")
    i = 0
    while tasks := session.next(3):
        for task in tasks:
            i += 1
            # Each label occurs once, so that it can be known again.
            session.label(task.id, f"{name}.{i}")
            os.write(pipe, f"{task.id} {name}.{i}\n".encode())
            if i % 11 == 5:
                session.undo()
                os.write(pipe, f"undo {name}.{i}\n".encode())


def start(store, annotator, name, pipe):
    child = os.fork()
    if not child:
        try:
            stream(store, annotator, name, pipe)
        except BaseException as error:
            os.write(pipe, f"error {error!r}\n".encode())
        os._exit(0)
    return child


def kill_once(store, number, rng):
    """Let two processes stream until so many lines came; returns all lines."""
    reads, writes = os.pipe()
    people = [("ann", f"a{number}"), (None, f"b{number}")]
    children = [start(store, who, name, writes) for who, name in people]
    os.close(writes)
    # Some do not live until they have opened the ledger.
    n_lines, said = rng.choice([1, rng.randrange(2, 30)]), b""
    one_first = rng.random() < 0.5
    while said.count(b"\n") < n_lines and (part := os.read(reads, 4096)):
        said += part
    # Within a call, a write of the disk perhaps.
    threading.Event().wait(rng.random() * 2e-3)
    rng.shuffle(children)
    os.kill(children[0], signal.SIGKILL)
    if one_first:
        # The other one goes on for a while.
        n_lines = said.count(b"\n") + 9
        while said.count(b"\n") < n_lines and (part := os.read(reads, 4096)):
            said += part
    os.kill(children[1], signal.SIGKILL)
    for child in children:
        os.waitpid(child, 0)
    while part := os.read(reads, 65536):
        said += part
    os.close(reads)
    return [line.split(" ", 1) for line in said.decode().splitlines() if " " in line]


def check(store, acknowledged):
    """Look at the table of events alone, as another program would."""
    db = sqlite3.connect(store)
    if not db.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()[0]:
        # Killed before the file was made a ledger.
        assert not acknowledged
        db.close()
        return
    assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    if not db.execute("SELECT * FROM sqlite_master").fetchall():
        # Both were killed before they had made the tables.
        db.close()
        assert not acknowledged
        return
    events = db.execute(
        "SELECT seq, kind, id, label, annotator, session, refers_to FROM events "
        "ORDER BY seq"
    ).fetchall()
    db.close()
    assert [event[0] for event in events] == list(range(1, len(events) + 1))
    out, labels, undone, label_of = {}, Counter(), set(), {}
    for seq, kind, id, label, annotator, session, refers_to in events:
        if kind == "asked":
            assert id not in out, f"{id} is out with {out[id]} already"
            out[id] = annotator or session
        elif kind == "labeled":
            # Nobody has answered a row of another.
            assert out.pop(id) == (annotator or session)
            labels[id, label] += 1
            label_of[seq] = label
        elif kind == "undone":
            undone.add(label_of[refers_to])
            out[id] = annotator or session
        elif kind == "released":
            del out[id]
    for what, label in acknowledged:
        assert what != "error", label
        if what == "undo":
            assert f'"{label}"' in undone
        else:
            assert labels[what, f'"{label}"'] == 1


def main(folder, seed, n_kills, share):
    rng = random.Random(int(seed))
    n_answers = 0
    for first in range(0, int(n_kills), KILLS_A_LEDGER):
        store = Path(folder) / f"{first}.sqlite"
        acknowledged = []
        for number in range(first, min(first + KILLS_A_LEDGER, int(n_kills))):
            acknowledged += kill_once(store, number, rng)
            if store.exists():
                check(store, acknowledged)
        # It goes on, to the end of the pool.
        for who in ("ann", None):
            with open_session(store, who) as session:
                while tasks := session.next(50):
                    session.label_many([t.id for t in tasks], ["last"] * len(tasks))
        assert session.store.with_name(f"{store.name}.locks").exists() is False
        check(store, acknowledged)
        n_answers += sum(what != "undo" for what, _ in acknowledged)
        with open_session(store) as session:
            assert session.progress().n_labeled == N_ROWS
    print(n_answers)


if __name__ == "__main__":
    main(*sys.argv[1:])
