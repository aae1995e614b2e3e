"""A program that runs benchmarks in processes that are killed, or that compete.

``python -m tests.experiment._killing MODE STORE SEED`` forks for each attempt, so that
the imports are paid for once, and prints the number of kills.
"""

import itertools
import os
import random
import shutil
import signal
import sqlite3
import sys
import threading
from functools import partial
from pathlib import Path

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


def count_calls(log):
    """Count calls of functions from now; returns what writes their number down."""
    calls = itertools.count()

    def count(frame, event, argument):
        next(calls)

    sys.setprofile(count)
    return lambda: Path(log).write_text(str(next(calls)))


def kill_at_call(number):
    """Die after so many calls of functions, which has nothing to do with the store.

    Calls mean the same on a machine of any speed. The last moment is one of a clock, so
    that it may be within a call.
    """
    left = [number]

    def count(frame, event, argument):
        left[0] -= 1
        if not left[0]:
            timer = threading.Timer(number % 100 / 1e5, kill_group)
            timer.daemon = True
            timer.start()

    sys.setprofile(count)


def start(benchmark, store, *, n_jobs=1, prepare=None):
    """Fork a process that runs the benchmark, and perhaps kills itself.

    It calls ``prepare`` first, and what that returns, if anything, in the end.
    """
    child = os.fork()
    if not child:
        # A group of its own, which joblib's workers belong to.
        os.setsid()
        at_end = prepare() if prepare is not None else None
        with parallel_config(backend="multiprocessing"):
            run_benchmark(benchmark, store, n_jobs=n_jobs)
        if at_end is not None:
            at_end()
        os._exit(0)
    return child


def was_killed(child):
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


def calls_of_a_whole_run(store):
    """How many calls a run takes that nothing kills, all of it in one process."""
    scratch = Path(f"{store}.scratch")
    scratch.mkdir()
    log = scratch / "calls"
    counted = partial(count_calls, log)
    was_killed(start(kill_benchmark(), scratch / "results.db", prepare=counted))
    n_calls = int(log.read_text())
    shutil.rmtree(scratch)
    return n_calls


def run_until_done(mode, store, rng):
    """Kill runs at random moments until one comes to its end."""
    n_jobs = 2 if mode == "workers" else 1
    whole = 0 if mode == "statement" else calls_of_a_whole_run(store) // n_jobs
    n_kills = 0
    while True:
        if mode == "statement":
            kill = partial(kill_at_statement, rng.randrange(10, 120))
        else:
            # At most a fifth of a run, then at least a half, and so on. A run that dies
            # three times before its next round would count as failed.
            least = 0.5 if n_kills % 2 else 0.0
            when = int(rng.uniform(least, least + 0.2) * whole) + 1
            kill = partial(kill_at_call, when)
        child = start(kill_benchmark(), store, n_jobs=n_jobs, prepare=kill)
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
