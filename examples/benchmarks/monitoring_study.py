"""Estimates from the batches that models chose, held to what is true.

Four tables, three models, fifty repeats. The runs, which take some hours, go into a
store, and may be stopped and gone on with::

    python examples/benchmarks/monitoring_study.py run monitoring_study.sqlite

The tables of docs/monitoring.md, from the results that are kept beside this file::

    python examples/benchmarks/monitoring_study.py tables
"""

import argparse
import json
import sqlite3
import warnings
from functools import cache
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score, precision_score, recall_score
from sklearn.neural_network import MLPClassifier
from threadpoolctl import threadpool_limits

from skbadge import BadgeQuerier
from skbadge.datasets import load_openml
from skbadge.monitoring import assess, risk_estimate
from skbadge.strategies import Badge

RESULTS = Path(__file__).with_name("monitoring_study_results.csv.gz")
TABLES = {"letter": 6, "pendigits": 32, "satimage": 182, "adult": 1590}
MODELS = {
    "logistic": LogisticRegression(max_iter=1000),
    "forest": RandomForestClassifier(50),
    "mlp": MLPClassifier([64], learning_rate_init=0.01, max_iter=100),
}
N_INITIAL, N_QUERY, N_ROUNDS = 100, 100, 4
# Of each model; in the runs of the first one the labelled rows are judged too.
SHARES = {
    "logistic": [0.1, 0, 0.2, 0.5, 1],
    "forest": [0.1, 0, 1],
    "mlp": [0.1, 0, 1],
}
# Rows of the pool, repeats, shares.
PARTS = [
    (4000, range(50), SHARES),
    (1000, range(50), {model: [0.1] for model in MODELS}),
    (4000, range(50, 100), SHARES),
]
KEYS = ["table", "model", "n_pool", "share", "repeat"]
CELL = ["table", "model"]
RATIOS = ["balanced_accuracy", "precision", "recall"]


@cache
def load(table):
    """Rows as a frame, classes as numbers, and what makes columns of the rows."""
    data = load_openml(TABLES[table], max_rows=10_000, random_state=0)
    return data.X, data.y, data.preprocessor


def split(table, n_pool, repeat):
    """Rows and labels of a pool, in random order, and of rows that are never in it."""
    X, y, preprocessor = load(table)
    order = np.random.default_rng([n_pool, repeat]).permutation(len(X))
    pool, fresh = order[:n_pool], order[n_pool:]
    columns = clone(preprocessor)
    X_pool = columns.fit_transform(X.iloc[pool])
    return X_pool, y[pool], columns.transform(X.iloc[fresh]), y[fresh]


def ratios(y, predicted, label, weights=None):
    """Metrics that are ratios, two of them about one label."""
    one = {"labels": [label], "average": "micro", "sample_weight": weights}
    return {
        "balanced_accuracy": balanced_accuracy_score(
            y, predicted, sample_weight=weights
        ),
        "precision": precision_score(y, predicted, zero_division=np.nan, **one),
        "recall": recall_score(y, predicted, zero_division=np.nan, **one),
    }


def one_run(table, model, n_pool, share, repeat, *, with_labeled):
    """A line for each model, judged before it learns from the batch that it chose."""
    X, y, X_fresh, y_fresh = split(table, n_pool, repeat)
    querier = BadgeQuerier(
        MODELS[model], strategy=Badge(uniform_share=share), random_state=repeat
    )
    querier.fit(X[:N_INITIAL], y[:N_INITIAL])
    left = np.arange(n_pool) >= N_INITIAL
    lines = []
    for i in range(N_ROUNDS + 1):
        line = {"n_labeled": N_INITIAL + N_QUERY * i}
        line["fresh"] = np.mean(querier.predict(X_fresh) != y_fresh)
        if i < N_ROUNDS:
            rows, report = querier.query(
                X, N_QUERY, candidates=left, return_report=True
            )
            if share:
                predicted = querier.predict(X)
                line |= judged(report, predicted, y, left)
            if with_labeled:
                found = assess(querier, report, y[rows])
                line |= {"labeled": 1 - found.labeled, "all": found.error.estimate}
                line |= {"all_low": found.error.low, "all_high": found.error.high}
            querier.partial_fit(X[rows], y[rows])
            left[rows] = False
        lines.append(line)
    return lines


def judged(report, predicted, y, left):
    """What the batch says of the rows left, and what is true of them."""
    rows, wrong = report.rows, (predicted != y).astype(float)
    line = {"rest": wrong[left].mean(), "batch": wrong[rows].mean()}
    for interval in ("bernstein", "normal"):
        risk = risk_estimate(
            wrong[rows],
            report.probabilities,
            left.sum(),
            uniform_share=report.uniform_share,
            interval=interval,
        )
        line |= {f"{interval}_low": risk.low, f"{interval}_high": risk.high}
    line["estimate"] = risk.estimate
    for name, value in ratios(y[left], predicted[left], y.max()).items():
        line[f"{name}_rest"] = value
    for name, value in ratios(y[rows], predicted[rows], y.max(), risk.weights).items():
        line[f"{name}_estimate"] = value
    return line


def run(store):
    """Do the runs that are not done yet, repeat by repeat, and keep their lines."""
    with sqlite3.connect(store) as database:
        database.execute("CREATE TABLE IF NOT EXISTS runs (key PRIMARY KEY, lines)")
        done = {key for (key,) in database.execute("SELECT key FROM runs")}
        for n_pool, repeats, shares in PARTS:
            for repeat in repeats:
                for table, model in product(TABLES, MODELS):
                    for share in shares[model]:
                        run = (table, model, n_pool, share, repeat)
                        if (key := json.dumps(run)) in done:
                            continue
                        lines = one_run(*run, with_labeled=share == shares[model][0])
                        values = (key, json.dumps(lines))
                        database.execute("INSERT INTO runs VALUES (?, ?)", values)
                        database.commit()
                keep(database)


def keep(database):
    """Write the results beside this file."""
    found = database.execute("SELECT key, lines FROM runs")
    lines = [
        dict(zip(KEYS, json.loads(key), strict=True)) | line
        for key, text in found
        for line in json.loads(text)
    ]
    frame = pd.DataFrame(lines).sort_values([*KEYS, "n_labeled"])
    frame.to_csv(RESULTS, index=False, float_format="%.6g")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["run", "tables"])
    parser.add_argument("store", nargs="?", default="monitoring_study.sqlite")
    arguments = parser.parse_args()
    if arguments.what == "run":
        with warnings.catch_warnings(), threadpool_limits(1):
            # Of nets after their last epoch, and of classes that a batch has not.
            warnings.simplefilter("ignore", ConvergenceWarning)
            warnings.simplefilter("ignore", UserWarning)
            run(arguments.store)
    print(tables(pd.read_csv(RESULTS)))
