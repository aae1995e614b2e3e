"""What the benchmarks share: synthetic outputs, times, peaks, and lines of a report."""

import gc
import json
import os
import tracemalloc
from time import perf_counter, sleep

import numpy as np

# The variable that names a file for the lines of the report.
LINES_FILE = "SKBADGE_BENCH_LINES"
# What the lines are about at the moment.
_TITLE = [""]


def synthetic_outputs(n_rows, n_classes, n_features, seed=0):
    """ReLU features of random directions, and softmax probabilities linear in them."""
    rng = np.random.default_rng(seed)
    features = rng.standard_normal((n_rows, n_features), dtype=np.float32)
    np.maximum(features, 0, out=features)
    weights = rng.standard_normal((n_features, n_classes), dtype=np.float32)
    proba = features @ (weights * np.float32(3 / np.sqrt(n_features)))
    proba -= proba.max(axis=1, keepdims=True)
    np.exp(proba, out=proba)
    proba /= proba.sum(axis=1, keepdims=True)
    return proba, features


def times(function, repeats):
    """Times of some repeats, in seconds."""
    return _times_and_last(function, repeats)[0]


def timed(function, repeats=3):
    """Least time of some repeats in seconds, and the last result."""
    seconds, result = _times_and_last(function, repeats)
    return min(seconds), result


def _times_and_last(function, repeats):
    seconds = []
    for _ in range(repeats):
        gc.collect()
        # Workers of BLAS spin for a while after a product; let them come to rest.
        sleep(0.25)
        start = perf_counter()
        result = function()
        seconds.append(perf_counter() - start)
    return seconds, result


def peak_memory(function):
    """Greatest number of bytes held at once by a call, beyond what was held before."""
    gc.collect()
    tracemalloc.start()
    function()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


def title(text):
    """Print what the next lines of the report are about."""
    _TITLE[:] = [text]
    print(f"\n{text}")


def report(name, value, unit, target):
    """Print one line of the report, and add it to the file that `bench_all` reads."""
    met = value >= float(target[2:]) if target[0] == ">" else value <= float(target[2:])
    print(f"  {name:<58} {value:9.2f} {unit:<7} ({target}) {'' if met else 'MISSED'}")
    if path := os.environ.get(LINES_FILE):
        line = {"title": _TITLE[0], "name": name, "value": float(value)}
        line |= {"unit": unit, "target": target, "met": bool(met)}
        with open(path, "a") as file:
            file.write(json.dumps(line) + "\n")
