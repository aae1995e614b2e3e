"""Small benchmarks for the tests, with models that count and fail."""

import os
from collections import Counter
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression

from skbadge.experiment import Benchmark

LABELS = ["dataset", "model", "strategy", "n_query", "repeat"]
TIMES = ["fit_time", "query_time", "score_time"]


class CountingClassifier(LogisticRegression):
    """Writes a line for each training; stops the program at one of them."""

    def __init__(self, log=None, stop_at=None):
        super().__init__()
        self.log = log
        self.stop_at = stop_at

    def fit(self, X, y):
        with open(self.log, "a") as file:
            file.write(f"{len(y)}\n")
        if os.environ.get("STOP_AT") == str(len(read_log(self.log))):
            raise KeyboardInterrupt
        return super().fit(X, y)


def read_log(path):
    """Numbers of rows that were trained on, in order."""
    return [int(line) for line in Path(path).read_text().split()]


def counted(path):
    """How many trainings there were, by number of rows."""
    return Counter(read_log(path))


def make_data(n=120, seed=0):
    """Three overlapping classes in two dimensions, as (X, y)."""
    rng = np.random.RandomState(seed)
    y = np.arange(n) % 3
    return rng.normal(size=(n, 2)) + 1.5 * np.eye(3)[y][:, :2], y


def make_benchmark(**changes):
    """Two strategies, two repeats, three queries of five rows."""
    defaults = {
        "datasets": {"blobs": make_data},
        "models": {"linear": LogisticRegression()},
        "strategies": ["badge", "random"],
        "n_query": 5,
        "n_initial": 10,
        "n_rounds": 3,
        "n_repeats": 2,
    }
    return Benchmark(**(defaults | changes))


def without_times(frame):
    """Rows of a result that must be the same every time, and sorted."""
    key = [*LABELS, "n_labeled", "metric"]
    return frame.drop(columns=TIMES).sort_values(key, ignore_index=True)
