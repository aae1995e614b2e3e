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
    (4000, range(20, 30), FEW_SHARES),
    (4000, range(30, 50), [*product(CELLS, [0.1, 0])]),
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
    frame.to_csv(RESULTS, index=False, float_format="%.4f")


def tables(frame):
    """Markdown: what came of the runs."""
    drawn = frame[(frame["share"] == 0.1) & frame["estimate"].notna()]
    judged = drawn[drawn["model"].isin(CELLS)]
    large, small = (judged[judged["n_pool"] == n_pool] for n_pool in (4000, 1000))
    in_large = frame[frame["n_pool"] == 4000]
    parts = {
        "error of the rows left": (drawn[drawn["n_pool"] == 4000], of_rest),
        "error on rows like the pool of 4,000, less that on fresh rows": (
            large,
            of_overall,
        ),
        "the same of a pool of 1,000": (small, of_overall),
        "larger shares": (in_large[in_large["model"].isin(CELLS)], of_shares),
        "accuracy with 500 labels": (in_large, of_accuracy),
        "bias of ratios": (
            large[large["table"].isin(["satimage", "adult"])],
            of_ratios,
        ),
    }
    text = [goals(large, in_large)]
    for title, (part, summary) in parts.items():
        counts = part.groupby(["model", "share"])["repeat"].nunique().unique()
        n_repeats = " or ".join(map(str, sorted(counts)))
        text += [f"{title.capitalize()}, {n_repeats} repeats:"]
        text += [by_cell(part, summary)]
    return "\n\n".join(text)


def goals(judged, in_large):
    """Markdown: what was wanted of the twelve cells, and which of them have it not."""
    missed = {}
    for (table, model), cell in judged.groupby(["table", "model"]):
        runs = in_large[(in_large["table"] == table) & (in_large["model"] == model)]
        for name, has in reached(cell, runs).items():
            missed.setdefault(name, []).extend([] if has else [f"{table} {model}"])
    text = ["| wanted | of 12 cells | not |", "|---|---|---|"]
    for name, cells in missed.items():
        text.append(f"| {name} | {12 - len(cells)} | {', '.join(cells)} |")
    return "\n".join(text)


def reached(cell, runs):
    """Whether a cell has what was wanted."""
    bias = by_repeat(cell["estimate"] - cell["rest"], cell)
    held = cell["rest"].between(cell["bernstein_low"], cell["bernstein_high"]).mean()
    by_round = [
        (excess.groupby(cell["n_labeled"]).mean()).abs().max()
        for excess in (cell["all"] - cell["fresh"], with_exact_rest(cell))
    ]
    end = runs[runs["n_labeled"] == N_INITIAL + N_QUERY * N_ROUNDS]
    errors = end.groupby("share")["fresh"].mean()
    return {
        "unbiased: below three standard errors": (
            abs(bias.mean()) < 3 * bias.std(ddof=1) / np.sqrt(len(bias))
        ),
        "rmse at most 1.3 times a random test set's": spread(cell)[0] <= 1.3,
        "default interval holds in at least 93 %": held >= 0.93,
        "`overall` within a point of fresh rows in each round": by_round[0] <= 0.01,
        "the same with the exact error of the rest": by_round[1] <= 0.01,
        "loss of accuracy at most half a point": errors[0.1] - errors[0.0] <= 0.005,
    }


def with_exact_rest(cell):
    """`overall` less the error on fresh rows, if the rest were not estimated."""
    share = cell["n_labeled"] / cell["n_pool"]
    return share * cell["labeled"] + (1 - share) * cell["rest"] - cell["fresh"]


def by_cell(frame, summary):
    """Markdown: a line of a summary for each table and model."""
    lines = [
        {"table": table, "model": model} | summary(cell)
        for (table, model), cell in frame.groupby(["table", "model"])
    ]
    order = list(product(TABLES, MODELS))
    lines.sort(key=lambda line: order.index((line["table"], line["model"])))
    text = ["| " + " | ".join(lines[0]) + " |", "|---" * len(lines[0]) + "|"]
    text += ["| " + " | ".join(map(str, line.values())) + " |" for line in lines]
    return "\n".join(text)


def of_rest(cell):
    """Bias of the estimate, spread against that of a random test set, intervals."""
    bias = by_repeat(cell["estimate"] - cell["rest"], cell)
    in_errors = bias.mean() / (bias.std(ddof=1) / np.sqrt(len(bias)))
    line = {
        "batch as it is": points(by_repeat(cell["batch"] - cell["rest"], cell)),
        "weighted": points(bias),
        "in s.e.": f"{in_errors:+.1f}",
        "rmse ratio": "{:.2f} ± {:.2f}".format(*spread(cell)),
        "worth": f"{cell['worth'].median():.0f}",
    }
    for name, said in {"bernstein": "default", "normal": "normal"}.items():
        low, high = cell[f"{name}_low"], cell[f"{name}_high"]
        held = cell["rest"].between(low, high).mean()
        line |= {f"{said} holds": f"{100 * held:.0f} %"}
        line |= {f"{said} width": f"{(high - low).median():.2f}"}
    return line


def of_overall(cell):
    """Error on rows like the pool as it was, less that on fresh rows, by round."""
    exact = with_exact_rest(cell)
    rounds = [(n, cell["n_labeled"] == n) for n in sorted(set(cell["n_labeled"]))]
    errors = [100 * cell["fresh"][here].mean() for _, here in rounds]
    line = {"error": f"{errors[0]:.0f} to {errors[-1]:.0f}"}
    for n_labeled, here in rounds:
        line[f"{n_labeled} labels"] = points((cell["all"] - cell["fresh"])[here])
    worst = max((exact[here] for _, here in rounds), key=lambda part: abs(part.mean()))
    return line | {"greatest, with the exact rest": points(worst)}


def of_shares(cell):
    """Spread against a random test set's, and width of the default interval."""
    line = {}
    for share in (0.1, 0.2, 0.5):
        part = cell[(cell["share"] == share) & cell["estimate"].notna()]
        line[f"rmse, {share}"] = f"{spread(part)[0]:.2f}" if len(part) else ""
    for share in (0.1, 0.2, 0.5):
        part = cell[(cell["share"] == share) & cell["estimate"].notna()]
        width = (part["bernstein_high"] - part["bernstein_low"]).median()
        line[f"width, {share}"] = f"{width:.2f}" if len(part) else ""
    return line


def of_accuracy(cell):
    """At the end: that of BADGE, and what is gained by shares of uniform draws."""
    end = cell[cell["n_labeled"] == N_INITIAL + N_QUERY * N_ROUNDS]
    right = 1 - end.pivot(index="repeat", columns="share", values="fresh")
    line = {"no share": f"{100 * right[0.0].mean():.1f}"}
    for share in (0.1, 0.2, 0.5, 1.0):
        line[f"{share:g}"] = points(right[share] - right[0.0]) if share in right else ""
    return line


def of_ratios(cell):
    """Bias of the metrics that are ratios."""
    return {
        name.replace("_", " "): points(
            by_repeat(cell[f"{name}_estimate"] - cell[f"{name}_rest"], cell)
        )
        for name in RATIOS
    }


def by_repeat(values, cell):
    """Mean of each repeat."""
    return values.groupby(cell["repeat"]).mean()


def points(values):
    """Mean and standard error in points of per cent, of one value for each repeat."""
    values = 100 * values.dropna()
    error = values.std(ddof=1) / np.sqrt(len(values))
    return f"{values.mean():+.1f} ± {error:.1f}"


def spread(cell):
    """Root mean squared error, over that of as many rows drawn uniformly; jackknife."""
    n_left = cell["n_pool"] - cell["n_labeled"]
    of_test_set = cell["rest"] * (1 - cell["rest"]) / N_QUERY
    of_test_set *= (n_left - N_QUERY) / (n_left - 1)
    ours = by_repeat((cell["estimate"] - cell["rest"]) ** 2, cell)
    others = by_repeat(of_test_set, cell)
    without = np.sqrt((ours.sum() - ours) / (others.sum() - others))
    error = np.sqrt((len(ours) - 1) * without.var(ddof=0))
    return np.sqrt(ours.sum() / others.sum()), error


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
