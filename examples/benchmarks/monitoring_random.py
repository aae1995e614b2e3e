"""How often `compare_with_random` is right, where a strategy helps and where it does not.

Badge beside random rows, in 100 runs of each of seven settings. In three of them it
helps; in two, half of the labels are made up; in two, the pool is tiny, so that there
is hardly a choice. The runs take a quarter of an hour on one core, and may be stopped
and gone on with::

    python examples/benchmarks/monitoring_random.py run monitoring_random.csv

The tables of docs/monitoring.md, from the results that are kept beside this file::

    python examples/benchmarks/monitoring_random.py tables

The results have a line for each comparison:

setting, repeat, n_random
    The run, and rows drawn at random, half of which judge, or more where the strategy
    has chosen fewer than the other half.
n_judges, n_trained
    Rows that judged, and labels that each model learned from.
difference, low, high, p_value, n_more
    What was found. `n_more` is for a margin of two points.
truth
    Difference of the same two models' accuracies on all rows that are in neither the
    pool nor among the random ones, 4,992 or 13,000 of them.
"""

import argparse
import warnings
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from skbadge import BadgeQuerier
from skbadge.datasets import load_openml
from skbadge.monitoring import compare_with_random
from skbadge.pools import rows_among

RESULTS = Path(__file__).with_name("monitoring_random_results.csv.gz")
TABLES = {"letter": 6, "pendigits": 32}
LINEAR, FOREST = LogisticRegression(max_iter=300), RandomForestClassifier(50)
N_REPEATS, N_RANDOM, MARGINS = 100, (200, 600, 2000), (0.02, 0.05)
# Table, model, share of labels that are made up, rows of the pool, of the start, of a
# batch, and number of batches.
SETTINGS = {
    "pendigits, logistic": ("pendigits", LINEAR, 0.0, 4000, 50, 50, 4),
    "pendigits, forest": ("pendigits", FOREST, 0.0, 4000, 50, 50, 4),
    "letter, forest": ("letter", FOREST, 0.0, 4000, 100, 100, 3),
    "pendigits, half noise": ("pendigits", LINEAR, 0.5, 4000, 50, 50, 4),
    "letter, half noise": ("letter", LINEAR, 0.5, 4000, 100, 100, 3),
    "pendigits, pool of 250": ("pendigits", LINEAR, 0.0, 250, 50, 45, 4),
    "letter, pool of 400": ("letter", LINEAR, 0.0, 400, 100, 90, 3),
}


@cache
def load(table):
    """Rows and labels of a table, the columns standardised."""
    data = load_openml(TABLES[table])
    X = data.preprocessor.fit_transform(data.X)
    return np.asarray(X, np.float32), np.asarray(data.y)


def one_run(setting, repeat):
    """The comparisons of a run, and what is true of the same models."""
    table, model, noise, n_pool, n_initial, n_query, n_rounds = SETTINGS[setting]
    X, y = load(table)
    rng = np.random.default_rng([5, repeat])
    order = rng.permutation(len(X))
    X, y = X[order], y[order]
    made_up = rng.random(len(y)) < noise
    y[made_up] = rng.choice(np.unique(y), made_up.sum())
    querier = BadgeQuerier(model, random_state=repeat)
    left, rows = np.ones(n_pool, bool), np.arange(n_initial)
    for _ in range(n_rounds + 1):
        querier.partial_fit(X[rows], y[rows])
        left[rows] = False
        if left.any():
            rows = querier.query(X[:n_pool], n_query, candidates=left)
    # The tables of different pools have the same random rows and rows to test.
    apart, fresh = slice(4000, 4000 + max(N_RANDOM)), slice(4000 + max(N_RANDOM), None)
    for n_random in N_RANDOM:
        drawn = X[apart][:n_random], y[apart][:n_random]
        found = compare_with_random(querier, *drawn, n_initial=n_initial, margin=0.02)
        known = rows_among(drawn[0], querier.X_labeled_)
        trains = np.setdiff1d(np.flatnonzero(~known), found.judges)
        both = (
            (querier.X_labeled_, querier.y_labeled_),
            tuple(
                np.concatenate([first[:n_initial], more[trains]])
                for first, more in zip((X, y), drawn, strict=True)
            ),
        )
        scores = [
            clone(model)
            .fit(rows[: found.n_trained], labels[: found.n_trained])
            .score(X[fresh], y[fresh])
            for rows, labels in both
        ]
        yield {
            "setting": setting,
            "repeat": repeat,
            "n_random": n_random,
            "n_judges": len(found.judges),
            "n_trained": found.n_trained,
            "difference": found.difference,
            "low": found.low,
            "high": found.high,
            "p_value": found.p_value,
            "n_more": found.n_more,
            "truth": scores[0] - scores[1],
        }
