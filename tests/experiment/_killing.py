"""A program that runs benchmarks in processes that are killed, or that compete.

``python -m tests.experiment._killing MODE STORE SEED`` forks for each attempt, so that
the imports are paid for once, and prints the number of kills.
"""

import os
import random
import shutil
import signal
import sqlite3
import sys
import threading
from pathlib import Path
from time import perf_counter

from joblib import parallel_config

from skbadge.experiment import run_benchmark
from tests.experiment._benchmarks import CountingClassifier, make_benchmark

connect = sqlite3.connect


def kill_benchmark():
    return make_benchmark(strategies=["badge", "albl"], n_rounds=3)


def pair_benchmark(log):
    return make_benchmark(models={"m": CountingClassifier(str(log))}, n_repeats=8)


def kill_group():
    os.killpg(0, signal.SIGKILL)


def kill_at_statement(number):
    """Die in the given SQL statement from now, wherever in a transaction it is."""
    left = [number]

    def count(statement):
        left[0] -= 1
        if not left[0]:
            kill_group()

    def traced(*args, **kwargs):
        connection = connect(*args, **kwargs)
        connection.set_trace_callback(count)
        return connection

    sqlite3.connect = traced


def kill_after(seconds):
    """Die at a moment that has nothing to do with the store."""
    timer = threading.Timer(seconds, kill_group)
    timer.daemon = True
    timer.start()


def start(benchmark, store, *, n_jobs=1, kill=None, when=None):
    """Fork a process that runs the benchmark, and perhaps kills itself."""
    child = os.fork()
    if not child:
        # A group of its own, which joblib's workers belong to.
        os.setsid()
        if kill is not None:
            kill(when)
        with parallel_config(backend="multiprocessing"):
            run_benchmark(benchmark, store, n_jobs=n_jobs)
        os._exit(0)
    return child


def was_killed(child):
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


def seconds_of_a_whole_run(store, n_jobs):
    """How long a run takes that nothing kills, on a machine of any speed."""
    scratch = Path(f"{store}.scratch")
    scratch.mkdir()
    begin = perf_counter()
    was_killed(start(kill_benchmark(), scratch / "results.db", n_jobs=n_jobs))
    elapsed = perf_counter() - begin
    shutil.rmtree(scratch)
    return elapsed


def run_until_done(mode, store, rng):
    """Kill runs at random moments until one comes to its end."""
    n_jobs = 2 if mode == "workers" else 1
    whole = 0.0 if mode == "statement" else seconds_of_a_whole_run(store, n_jobs)
    n_kills = 0
    while True:
        if mode == "statement":
            kill, when = kill_at_statement, rng.randrange(10, 120)
        else:
            # A fifth of a run at first, then more, so that there is an end.
            kill, when = kill_after, rng.uniform(0.0, 0.2 + 0.05 * n_kills) * whole
        child = start(kill_benchmark(), store, n_jobs=n_jobs, kill=kill, when=when)
        if not was_killed(child):
            return n_kills
        n_kills += 1


def main(mode, store, seed):
    if mode == "pair":
        benchmark = pair_benchmark(f"{store}.log")
        children = [start(benchmark, store) for _ in range(2)]
        print(sum(was_killed(child) for child in children))
    else:
        print(run_until_done(mode, store, random.Random(int(seed))))


if __name__ == "__main__":
    main(*sys.argv[1:])
