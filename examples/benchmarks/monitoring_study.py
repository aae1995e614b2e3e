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
NET = MLPClassifier([64], learning_rate_init=0.01, max_iter=100, alpha=1)
MODELS = {
    "logistic": LogisticRegression(max_iter=1000),
    "forest": RandomForestClassifier(50),
    "mlp": NET,
    # Without decay of the weights: sure of what it says, and often wrong then.
    "mlp_overfitted": clone(NET).set_params(alpha=1e-4),
}
CELLS = ["logistic", "forest", "mlp"]
N_INITIAL, N_QUERY, N_ROUNDS = 100, 100, 4
ONE_SHARE = [(model, 0.1) for model in CELLS]
FEW_SHARES = [
    *product(MODELS, [0.1, 0]),
    *product(["logistic"], [0.2, 0.5, 1]),
]
ALL_SHARES = [*FEW_SHARES, *product(["forest", "mlp"], [0.2, 0.5, 1])]
# Rows of the pool, repeats, models and shares.
PARTS = [
    (4000, range(20), ALL_SHARES),
    (1000, range(20), ONE_SHARE),
    (4000, range(20, 50), FEW_SHARES),
    (1000, range(20, 50), ONE_SHARE),
]
KEYS = ["table", "model", "n_pool", "share", "repeat"]
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
    line["worth"] = risk.weights.sum() ** 2 / (risk.weights**2).sum()
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
        for n_pool, repeats, runs in PARTS:
            for repeat in repeats:
                for table, (model, share) in product(TABLES, runs):
                    run = (table, model, n_pool, share, repeat)
                    if (key := json.dumps(run)) in done:
                        continue
                    lines = one_run(*run, with_labeled=(model, share) in ONE_SHARE)
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
    frame.to_csv(RESULTS, index=False, float_format="%.5g")


def points(values):
    """Mean and standard error in points of per cent, of one value for each repeat."""
    values = 100 * values.dropna()
    error = values.std(ddof=1) / np.sqrt(len(values))
    return f"{values.mean():+.1f} ± {error:.1f}"


def by_cell(frame, summary):
    """Markdown: a line of a summary for each table and model."""
    lines = [
        {"table": table, "model": model} | summary(frame[cell])
        for table, model in product(TABLES, MODELS)
        if (cell := (frame["table"] == table) & (frame["model"] == model)).any()
    ]
    names = lines[0]
    text = ["| " + " | ".join(names) + " |", "|---" * len(names) + "|"]
    text += ["| " + " | ".join(map(str, line.values())) + " |" for line in lines]
    return "\n".join(text)


def estimates(cell):
    """Of the rows left: bias, and spread against that of a random test set."""
    bias = (cell["estimate"] - cell["rest"]).groupby(cell["repeat"]).mean()
    in_errors = bias.mean() / (bias.std(ddof=1) / np.sqrt(len(bias)))
    naive = (cell["batch"] - cell["rest"]).groupby(cell["repeat"]).mean()
    return {
        "batch as it is": points(naive),
        "weighted": points(bias),
        "in s.e.": f"{in_errors:+.1f}",
        "rmse": f"{100 * rmse(cell):.1f}",
        "to a test set's": f"{rmse(cell) / rmse_of_test_set(cell):.2f}",
    }


def rmse(cell):
    return np.sqrt(((cell["estimate"] - cell["rest"]) ** 2).mean())


def rmse_of_test_set(cell):
    """Of as many rows drawn uniformly from the rows left."""
    n_left = cell["n_pool"] - cell["n_labeled"]
    variance = cell["rest"] * (1 - cell["rest"]) / N_QUERY
    return np.sqrt((variance * (n_left - N_QUERY) / (n_left - 1)).mean())


def overall(cell):
    """Error on rows like the pool as it was, less that on fresh rows, by round."""
    share = cell["n_labeled"] / cell["n_pool"]
    with_exact = share * cell["labeled"] + (1 - share) * cell["rest"] - cell["fresh"]
    rounds = cell["n_labeled"]
    of_exact = 100 * with_exact.groupby(rounds).mean()
    errors = 100 * cell["fresh"].groupby(rounds).mean()
    line = {"error": f"{errors.iloc[0]:.0f} to {errors.iloc[-1]:.0f}"}
    for n_labeled, part in cell.groupby("n_labeled"):
        line[f"{n_labeled} labels"] = points(part["all"] - part["fresh"])
    line["greatest, from the exact rest"] = f"{of_exact[of_exact.abs().idxmax()]:+.1f}"
    return line


def intervals(cell):
    """How often intervals for the rows left hold the truth, and how wide they are."""
    line = {}
    for name in ("bernstein", "normal"):
        low, high = cell[f"{name}_low"], cell[f"{name}_high"]
        held = cell["rest"].between(low, high)
        line[f"{name} holds"] = f"{100 * held.mean():.0f} %"
        line[f"{name} width"] = f"{(high - low).median():.2f}"
    return line


def accuracy(cell):
    """At the end: that of BADGE, and what is gained by shares of uniform draws."""
    end = cell[cell["n_labeled"] == N_INITIAL + N_QUERY * N_ROUNDS]
    right = 1 - end.pivot(index="repeat", columns="share", values="fresh")
    line = {"share 0": f"{100 * right[0.0].mean():.1f}"}
    for share in (0.1, 0.2, 0.5, 1.0):
        if True:
            here = share in right
            line[str(share)] = points(right[share] - right[0.0]) if here else ""
    return dict(sorted(line.items(), key=lambda item: float(item[0].split()[-1])))


def ratio_biases(cell):
    """Bias of the metrics that are ratios, and how often they are defined."""
    line = {}
    for name in RATIOS:
        excess = cell[f"{name}_estimate"] - cell[f"{name}_rest"]
        line[name.replace("_", " ")] = points(excess.groupby(cell["repeat"]).mean())
    return line


def tables(frame):
    """Markdown: what came of the runs."""
    in_large = frame["n_pool"] == PARTS[0][0]
    drawn = frame[(frame["share"] == 0.1) & frame["estimate"].notna()]
    large, small = (drawn[drawn["n_pool"] == n_pool] for n_pool in (4000, 1000))
    n_large, n_small = (part["repeat"].nunique() for part in (large, small))
    text = [
        f"Error of the rows left, {n_large} repeats of {N_ROUNDS} batches:",
        by_cell(large, estimates),
        "Its intervals, where they say 95 %:",
        by_cell(large, intervals),
        "Error on rows like the pool of 4,000, less that on fresh rows:",
        by_cell(large[large["model"].isin(CELLS)], overall),
        f"The same of a pool of 1,000, {n_small} repeats:",
        by_cell(small, overall),
        "Accuracy with 500 labels, and what shares of uniform draws add to it:",
        by_cell(frame[in_large], accuracy),
        "Bias of metrics that are ratios:",
        by_cell(large[large["table"].isin(["satimage", "adult"])], ratio_biases),
    ]
    return "\n\n".join(text)


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
