"""From 10 labels to 150 by tens: starts and strategies on five tables.

The runs, which take some hours, go into a store, and may be stopped and gone on with::

    python examples/benchmarks/few_labels.py run few_labels.sqlite --n-jobs 2

The tables of docs/strategies.md, from the results that are kept beside this file::

    python examples/benchmarks/few_labels.py tables
"""

import argparse
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression

from skbadge.datasets import load_openml
from skbadge.experiment import Benchmark, ResultStore, run_benchmark
from skbadge.nn import TabularNetClassifier

RESULTS = Path(__file__).with_name("few_labels_results.csv.gz")
TABLES = {"letter": 6, "pendigits": 32, "satimage": 182, "mnist": 554, "adult": 1590}
CORE = ["uncertainty_herding", "typiclust", "margin", "badge"]
OTHERS = ["alfa_mix", "clue", "core_set", "drop_query", "falcun", "max_herding"]
LINEAR, FOREST = LogisticRegression(max_iter=1000), RandomForestClassifier(50)
NET = TabularNetClassifier(hidden_sizes=[256])
# Model, start, strategies, number of repeats, and tables that are left out.
PARTS = [
    ("logistic", LINEAR, "random", ["random", "margin", "badge"], 10, ()),
    ("logistic", LINEAR, "max_herding", [*CORE, "random"], 10, ()),
    ("logistic", LINEAR, "max_herding", OTHERS, 5, ()),
    ("logistic", LINEAR, "max_herding", ["refine"], 5, ("mnist", "adult")),
    ("forest", FOREST, "random", ["random", "margin"], 5, ("mnist",)),
    ("forest", FOREST, "max_herding", CORE, 5, ("mnist",)),
    ("net", NET, "random", ["random"], 5, ("mnist", "adult")),
    ("net", NET, "max_herding", [*CORE[:1], *CORE[2:]], 5, ("mnist", "adult")),
]
BASELINE = "random start: random"


def run(store, n_jobs):
    """Do the runs that are not done yet, and keep their scores."""
    for model, estimator, start, strategies, n_repeats, left_out in PARTS:
        prefix = "random start: " if start == "random" else ""
        benchmark = Benchmark(
            datasets={
                name: partial(load_openml, number, max_rows=8000, random_state=0)
                for name, number in TABLES.items()
                if name not in left_out
            },
            models={model: estimator},
            strategies={prefix + name: name for name in strategies},
            n_query=10,
            n_rounds=14,
            n_initial=10,
            n_repeats=n_repeats,
            initial=start,
            test_size=2000,
        )
        run_benchmark(benchmark, store, n_jobs=n_jobs)
    columns = ["dataset", "model", "strategy", "repeat", "n_labeled", "score"]
    ResultStore(store).to_frame()[columns].to_csv(RESULTS, index=False)


def gains(frame):
    """Accuracy above that of random rows from a random start, repeat by repeat.

    Returns a frame with a line for each table and strategy: means and standard errors
    in points of per cent, at 10 to 30 labels, at 150, and over the whole curve.
    """
    index = ["strategy", "repeat"]
    lines = []
    for table, part in frame.groupby("dataset", sort=False):
        accuracy = 100 * part.pivot_table("score", index, "n_labeled")
        baseline = accuracy.loc[BASELINE]
        for strategy in accuracy.index.unique("strategy"):
            gain = (accuracy.loc[strategy] - baseline).dropna(how="all")
            each = {
                "10 to 30": gain[[10, 20, 30]].mean(axis=1),
                "150": gain[150],
                "10 to 150": gain.mean(axis=1),
            }
            line = {"table": table, "strategy": strategy, "repeats": len(gain)}
            for name, values in each.items():
                error = values.std(ddof=1) / np.sqrt(len(values))
                line[name] = f"{values.mean():+.1f} ± {error:.1f}"
            lines.append(line)
    return pd.DataFrame(lines)


def tables(frame):
    """Markdown: for each model a table of gains, strategies by tables of data."""
    text = []
    for model in ("logistic", "forest", "net"):
        found = gains(frame[frame["model"] == model])
        for span in ("10 to 30", "150", "10 to 150"):
            wide = found.pivot(index="strategy", columns="table", values=span)
            names = [name for name in TABLES if name in wide]
            text += [f"{model}, {span} labels:", ""]
            text += ["| strategy | " + " | ".join(names) + " |"]
            text += ["|---" * (len(names) + 1) + "|"]
            for strategy, line in wide[names].fillna("").iterrows():
                if strategy != BASELINE:
                    text.append(f"| {strategy} | " + " | ".join(line) + " |")
            text.append("")
    return "\n".join(text)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["run", "tables"])
    parser.add_argument("store", nargs="?", default="few_labels.sqlite")
    parser.add_argument("--n-jobs", type=int, default=1)
    arguments = parser.parse_args()
    if arguments.what == "run":
        run(arguments.store, arguments.n_jobs)
    print(tables(pd.read_csv(RESULTS)))
