"""What a labelling session costs beside what it cannot do without, in one run.

An answer is measured beside a bare commit of one row with the same setting on the same
disk, taken in turns; a query beside the querier's own part of it::

    python examples/benchmarks/bench_labeling.py                     # everything
    python examples/benchmarks/bench_labeling.py label --folder DISK
    python examples/benchmarks/bench_labeling.py next --events 0

With a million events, both take half a minute.
"""

import argparse
import sqlite3
import tempfile
from pathlib import Path
from time import perf_counter

import numpy as np
from measuring import report
from sklearn.linear_model import LogisticRegression

from skbadge import BadgeQuerier
from skbadge.labeling import LabelingSession
from skbadge.labeling.ledger._ledger_format import Event

N_CLASSES = 10
INSERT = f"INSERT INTO events VALUES ({', '.join('?' * len(Event._fields))})"


class Timed(BadgeQuerier):
    """Knows how long its queries have taken."""

    seconds = 0.0

    def query(self, *args, **kwargs):
        """A query, timed."""
        start = perf_counter()
        answer = super().query(*args, **kwargs)
        Timed.seconds += perf_counter() - start
        return answer


def make_pool(n_rows):
    """Rows of 32 normal columns, and labels that depend on them linearly."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n_rows, 32), dtype=np.float32)
    return X, (X @ rng.standard_normal((32, N_CLASSES))).argmax(axis=1)


def open_session(folder, X):
    """A session of one person, with answers that outlive a crash of the machine."""
    querier = Timed(LogisticRegression(max_iter=50), random_state=0)
    options = {"annotator": "ann", "classes": range(N_CLASSES)}
    return LabelingSession(querier, X, store=folder / "labels.sqlite", **options)


def fill(folder, X, y, n_events):
    """Write events as if half as many rows had been asked and answered."""
    open_session(folder, X).close()
    time = "2026-11-26T06:26:01.123+00:00"
    why = {"strategy": "Badge()", "round": 0, "rank": 7}
    with sqlite3.connect(folder / "labels.sqlite") as db:
        for row in range(n_events // 2):
            said = str(row), "ann", "host-1-0123456789ab"
            asked = Event(2 * row + 1, time, "asked", *said, **why)
            label = Event(2 * row + 2, time, "labeled", *said, label=str(y[row]), **why)
            db.executemany(INSERT, [asked, label])
    db.close()


def bare(folder):
    """What commits one row of the same size, and nothing else."""
    db = sqlite3.connect(folder / "bare.sqlite", isolation_level=None)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = FULL")
    columns = ", ".join(Event._fields[1:])
    db.execute(f"CREATE TABLE events (seq INTEGER PRIMARY KEY, {columns})")
    time = "2026-11-26T06:26:01.123+00:00"

    def commit(seq):
        event = Event(
            *(seq, time, "labeled", str(seq), "ann", "host-1-0123456789ab", "7"),
            *("Badge()", 0, 7),
        )
        db.execute("BEGIN IMMEDIATE")
        db.execute(INSERT, event)
        db.execute("COMMIT")

    return commit


def bench_label(folder, session, y, n_labeled, n=2000):
    """An answer beside a bare commit."""
    commit = bare(folder)
    tasks = session.next(n)
    times = np.empty((n, 2))
    for i, task in enumerate(tasks):
        start = perf_counter()
        session.label(task.id, y[task.id])
        middle = perf_counter()
        commit(i)
        times[i] = middle - start, perf_counter() - middle
    mine, plain = np.median(times, axis=0)
    print(f"\n{n} answers with {2 * n_labeled} events in the ledger")
    print(f"  an answer {1e3 * mine:.3f} ms, a bare commit {1e3 * plain:.3f} ms")
    report("times a bare commit, medians", mine / plain, "", "<=1.5")
    least = times.min(axis=0)
    print(f"  times a bare commit, least  {least[0] / least[1]:.2f}")


def bench_next(session, y, n_labeled, n=3):
    """Batches of 100 beside the queries that find them."""
    print(f"\nbatches of 100 with {2 * n_labeled} events in the ledger")
    for round in range(n):
        tasks = session.next(100)
        session.label_many([t.id for t in tasks], [y[t.id] for t in tasks])
        session.train()
        Timed.seconds, start = 0.0, perf_counter()
        session.next(100)
        seconds = perf_counter() - start
        share = 100 * (seconds / Timed.seconds - 1)
        print(f"  round {round}: {seconds:.2f} s, the query {Timed.seconds:.2f} s")
        report("more than the query", share, "%", "<=5")


def main():
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", default=["label", "next"])
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--rows", type=int, default=600_000)
    parser.add_argument("--folder", type=Path, help="on the disk to measure")
    arguments = parser.parse_args()
    X, y = make_pool(arguments.rows)
    with tempfile.TemporaryDirectory(dir=arguments.folder) as name:
        folder = Path(name)
        start = perf_counter()
        fill(folder, X, y, arguments.events)
        print(f"{arguments.events} events written in {perf_counter() - start:.1f} s")
        start = perf_counter()
        with open_session(folder, X) as session:
            print(f"opened in {perf_counter() - start:.1f} s")
            if "label" in arguments.names:
                bench_label(folder, session, y, arguments.events // 2)
            if "next" in arguments.names:
                bench_next(session, y, arguments.events // 2)


if __name__ == "__main__":
    main()
