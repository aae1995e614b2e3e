"""When `stopping_advice` stops, and how good the model is then, in 400 runs.

The runs take half an hour on one core, and may be stopped and gone on with::

    python examples/benchmarks/monitoring_stopping.py run monitoring_stopping.csv

The tables of docs/monitoring.md, from the results that are kept beside this file::

    python examples/benchmarks/monitoring_stopping.py tables

and what the settings were chosen by, from runs of other seeds that are not judged::

    python examples/benchmarks/monitoring_stopping.py pilot

Each run labels rows of a pool until its budget is spent; when to stop is found
afterwards, round by round. Rows that were never in the pool say how good each round's
model is in truth. The results have a line for each round:

kind
    "audit": rows drawn at random, whose labels are spent first, judge all models, none
    of which learns from them. "batch": the batches do, drawn by Badge with a share.
table, model, strategy, repeat
    The run.
target, budget, n_audit
    Error that is good enough, labels of all kinds in all, and those of the audit.
round, n_labeled
    Number of the round, and labels that its model has learned from.
n_spent
    Labels when its model is judged: those, and those of the audit or of the batch.
estimate, low, high, standard_error
    Estimated error, its interval with a confidence of 0.95, and its standard error.
bound
    Upper bound of the error that `stopping_advice` compares with the target.
agreement
    Cohen's kappa with the model of the round before, on 1000 rows of the pool.
error
    Error on rows that were never in the pool.
advised, agreed, stable
    Whether the bound, the agreement and the stability of the error say to stop.
"""

import argparse
import warnings
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats
from sklearn.base import clone
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import cohen_kappa_score

from skbadge import BadgeQuerier
from skbadge.datasets import load_openml
from skbadge.monitoring import MonitoredRound, assess, audit, stopping_advice
from skbadge.strategies import Badge

RESULTS = Path(__file__).with_name("monitoring_stopping_results.csv.gz")
TABLES = {"letter": 6, "pendigits": 32, "satimage": 182, "adult": 1590}
MODELS = {
    "logistic": LogisticRegression(max_iter=300),
    "forest": RandomForestClassifier(50),
}
STRATEGIES = {"margin": "margin", "badge": Badge(uniform_share=0.1)}
N_REPEATS, N_REFERENCE, CONFIDENCE = 20, 1000, 0.95
N_POOL = {"letter": 4000, "pendigits": 4000, "satimage": 3000, "adult": 4000}
KEYS = ["kind", "table", "model", "strategy", "repeat"]


@dataclass(frozen=True)
class Setting:
    """What a kind of run is like.

    The audit is as large as `rows_of_audit` says for the error that the runs of the
    pilot have at half of the budget. The budget is four times what these need for the
    target, audit included.
    """

    kind: str
    table: str
    model: str
    strategy: str
    target: float
    budget: int
    n_audit: int
    n_query: int


SETTINGS = [
    Setting(*one[:3], strategy, *one[3:])
    for one in [
        ("audit", "letter", "logistic", 0.45, 1800, 250, 50),
        ("audit", "letter", "forest", 0.35, 2080, 220, 50),
        ("audit", "pendigits", "logistic", 0.15, 1600, 300, 50),
        ("audit", "pendigits", "forest", 0.10, 1640, 260, 50),
        ("audit", "satimage", "logistic", 0.25, 1920, 430, 25),
        ("audit", "satimage", "forest", 0.20, 2000, 425, 50),
        ("audit", "adult", "logistic", 0.22, 4000, 950, 50),
        ("audit", "adult", "forest", 0.22, 4000, 950, 50),
        ("batch", "letter", "forest", 0.28, 3600, 0, 400),
        ("batch", "pendigits", "logistic", 0.18, 1800, 0, 200),
        ("batch", "pendigits", "forest", 0.13, 1800, 0, 200),
        ("batch", "satimage", "forest", 0.21, 1800, 0, 200),
    ]
    for strategy in (["margin", "badge"] if one[0] == "audit" else ["badge"])
]


def rows_of_audit(target, error, number, power=0.9):
    """Fewest rows with which the bound of a round is probably at most the target.

    Of n rows, the model is wrong about a binomial number. The most of them that may be
    wrong is found from the exact bound; with the normal distribution for both, n is
    about ((z_alpha sqrt(t (1 - t)) + z_power sqrt(e (1 - e))) / (t - e))², for a
    target t and an error e.
    """
    alpha = 6 * (1 - CONFIDENCE) / (np.pi * number) ** 2
    for n in range(10, 5000, 10):
        wrong = np.arange(n)
        allowed = stats.beta.ppf(1 - alpha, wrong + 1, n - wrong) <= target
        if stats.binom.cdf(allowed.sum() - 1, n, error) >= power:
            return n
    return None


@cache
def load(table):
    """Rows as a frame, classes, and what makes columns of the rows."""
    data = load_openml(TABLES[table], max_rows=11_000, random_state=0)
    return data.X, data.y, data.preprocessor


def split(setting, repeat):
    """Rows and labels of a pool, of an audit, and of rows that are in neither."""
    X, y, preprocessor = load(setting.table)
    order = np.random.default_rng([2, repeat]).permutation(len(X))
    n_pool = N_POOL[setting.table]
    columns = clone(preprocessor).fit(X.iloc[order[:n_pool]])
    X, y = np.asarray(columns.transform(X.iloc[order]), np.float32), y[order]
    ends = [n_pool, n_pool + setting.n_audit]
    return list(zip(np.split(X, ends), np.split(y, ends), strict=True))


def one_run(setting, repeat):
    """A frame of the rounds of one run."""
    (X, y), kept, (X_fresh, y_fresh) = split(setting, repeat)
    is_audit = setting.kind == "audit"
    strategy = STRATEGIES[setting.strategy] if is_audit else Badge(uniform_share=0.5)
    querier = BadgeQuerier(
        MODELS[setting.model], strategy=strategy, random_state=repeat
    )
    # The pool is in random order: its first rows are the start and the reference.
    left, before, rounds, lines = np.ones(len(X), bool), None, [], []
    rows, n = np.arange(setting.n_query), setting.n_query
    while n + setting.n_audit + (not is_audit) * setting.n_query <= setting.budget:
        querier.partial_fit(X[rows], y[rows])
        left[rows] = False
        now = querier.predict(X[-N_REFERENCE:])
        rows, report = querier.query(
            X, setting.n_query, candidates=left, return_report=True
        )
        if is_audit:
            found = audit(querier, *kept)
        else:
            found = assess(querier, report, y[rows], n_folds=5)
        rounds.append(
            MonitoredRound(
                number=len(rounds) + 1,
                n_labeled=n,
                strategy=report.strategy,
                n_asked=len(rows),
                n_answered=len(rows),
                assessment=found,
                source=setting.kind,
                agreement=None if before is None else cohen_kappa_score(before, now),
                disagreement=None,
                class_counts={},
                duplicates=0.0,
            )
        )
        error = float(np.mean(querier.predict(X_fresh) != y_fresh))
        lines.append(line_of(setting, repeat, rounds, error))
        before, n = now, n + setting.n_query
    return pd.DataFrame(lines)


def line_of(setting, repeat, rounds, error):
    """What is kept of the last round."""
    last, found = rounds[-1], rounds[-1].error
    advice = stopping_advice(rounds, setting.target, confidence=CONFIDENCE)
    terms = last.assessment.ends.draws.terms(last.assessment.ends.losses)
    standard_error = terms.std(ddof=1) / np.sqrt(len(terms))
    of_batch = 0 if setting.kind == "audit" else last.n_asked
    return {
        "kind": setting.kind,
        "table": setting.table,
        "model": setting.model,
        "strategy": setting.strategy,
        "repeat": repeat,
        "target": setting.target,
        "budget": setting.budget,
        "n_audit": setting.n_audit,
        "round": last.number,
        "n_labeled": last.n_labeled,
        "n_spent": last.n_labeled + setting.n_audit + of_batch,
        "estimate": found.estimate,
        "low": found.low,
        "high": found.high,
        "standard_error": last.assessment.ends.share * standard_error,
        "bound": advice.bound,
        "agreement": np.nan if last.agreement is None else last.agreement,
        "error": error,
        "advised": int(advice.stop),
        "agreed": int(advice.criteria[1].met),
        "stable": int(advice.criteria[2].met),
    }


def run(store, settings, repeats):
    """Do the runs that are not done yet, and keep a line for each round."""
    store = Path(store)
    done = set()
    if store.exists():
        done = set(pd.read_csv(store)[KEYS].itertuples(index=False, name=None))
    for repeat in repeats:
        for one in settings:
            if (one.kind, one.table, one.model, one.strategy, repeat) in done:
                continue
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ConvergenceWarning)
                lines = one_run(one, repeat)
            lines.round(5).to_csv(
                store, mode="a", header=not store.exists(), index=False
            )
    return pd.read_csv(store)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["run", "tables", "pilot"])
    parser.add_argument("store", nargs="?", default="monitoring_stopping.csv")
    arguments = parser.parse_args()
    if arguments.what == "run":
        found = run(arguments.store, SETTINGS, range(N_REPEATS))
        found.sort_values([*KEYS, "round"]).to_csv(RESULTS, index=False)
