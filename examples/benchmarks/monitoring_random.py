"""How often `compare_with_random` is right, where a strategy helps and elsewhere.

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
difference, low, high, p_value
    What was found.
truth
    Difference of the accuracies of models trained on the same rows, on all rows that
    are in neither the pool nor among the random ones: 4,992 of pendigits and 14,000 of
    letter.
"""

import argparse
import warnings
from functools import cache, partial
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from skbadge import BadgeQuerier
from skbadge.datasets import load_openml
from skbadge.exceptions import QueryWarning
from skbadge.monitoring import compare_with_random
from skbadge.monitoring.against_random._random_comparison import verdict_of
from skbadge.pools import rows_among

RESULTS = Path(__file__).with_name("monitoring_random_results.csv.gz")
TABLES = {"letter": 6, "pendigits": 32}
LINEAR, FOREST = (
    LogisticRegression(max_iter=300),
    RandomForestClassifier(50, random_state=0),
)
N_REPEATS, N_RANDOM = 100, (200, 600, 2000)
# What does not matter, and the numbers of random rows that are shown for it.
MARGINS = {0.02: N_RANDOM, 0.05: (2000,)}
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
    left = np.arange(n_pool) >= n_initial
    querier.fit(X[:n_initial], y[:n_initial])
    for _ in range(n_rounds):
        rows = querier.query(X[:n_pool], n_query, candidates=left)
        querier.partial_fit(X[rows], y[rows])
        left[rows] = False
    # The settings of different pools have the same random rows and rows to test.
    apart, fresh = slice(4000, 4000 + max(N_RANDOM)), slice(4000 + max(N_RANDOM), None)
    for n_random in N_RANDOM:
        drawn = X[apart][:n_random], y[apart][:n_random]
        found = compare_with_random(querier, *drawn, n_initial=n_initial)
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
            "truth": scores[0] - scores[1],
        }


def run(store):
    """Do the runs that are not done yet, and keep their results."""
    store = Path(store)
    done = set()
    if store.exists():
        index = ["setting", "repeat"]
        done = set(pd.read_csv(store)[index].itertuples(index=False, name=None))
    for repeat in range(N_REPEATS):
        for setting in SETTINGS:
            if (setting, repeat) in done:
                continue
            with warnings.catch_warnings():
                # Of equal rows too, which letter has.
                warnings.simplefilter("ignore", ConvergenceWarning)
                warnings.simplefilter("ignore", QueryWarning)
                lines = pd.DataFrame(one_run(setting, repeat))
            lines.round(6).to_csv(
                store, mode="a", header=not store.exists(), index=False
            )
    pd.read_csv(store).to_csv(RESULTS, index=False)


def verdicts(frame, margin):
    """What is said of each comparison with some margin."""
    return [
        verdict_of(line.difference, (line.low, line.high), line.p_value, 0.05, margin)
        for line in frame.itertuples()
    ]


def is_wrong(verdict, truth, margin):
    """Whether a verdict is not true of the two models."""
    return {
        "better": truth <= 0,
        "worse": truth >= 0,
        "no difference that matters": abs(truth) > margin,
        "cannot tell yet": False,
    }[verdict]


def tables(frame):
    """Markdown: for each setting and number of random rows, how often what is said."""
    names = ["better", "worse", "no difference that matters", "cannot tell yet"]
    text = []
    for margin, shown in MARGINS.items():
        text += [f"A difference of up to {100 * margin:g} points does not matter:", ""]
        text += [
            "| setting | in truth | random rows, judging | better | worse "
            "| no difference | cannot tell | wrong |"
        ]
        text += ["|---" * 8 + "|"]
        for setting, n_random in product(SETTINGS, shown):
            part = frame.query("setting == @setting and n_random == @n_random")
            truth, said = part["truth"], verdicts(part, margin)
            wrong = sum(map(partial(is_wrong, margin=margin), said, truth))
            counts = " | ".join(str(said.count(name)) for name in names)
            text.append(
                f"| {setting} | {100 * truth.mean():+.1f} ± {100 * truth.std():.1f} "
                f"| {n_random}, {part['n_judges'].median():.0f} | {counts} | {wrong} |"
            )
        text.append("")
    held = (frame["low"] <= frame["truth"]) & (frame["truth"] <= frame["high"])
    shares = held.groupby(frame["n_random"]).mean()
    said = [f"{100 * shares[n]:.1f} % ({n} random rows)" for n in N_RANDOM]
    text.append(f"The interval of 95 % held the truth in {', '.join(said)}.")
    return "\n".join(text)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["run", "tables"])
    parser.add_argument("store", nargs="?", default="monitoring_random.csv")
    arguments = parser.parse_args()
    if arguments.what == "run":
        run(arguments.store)
    print(tables(pd.read_csv(RESULTS)))
