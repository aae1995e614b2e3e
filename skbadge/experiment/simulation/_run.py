"""Carrying out one planned run, whatever becomes of it."""

import traceback
from dataclasses import dataclass, replace

import numpy as np
from sklearn.base import BaseEstimator

from skbadge.experiment.simulation._simulation import simulate
from skbadge.experiment.simulation._split import FirstQuery, Split
from skbadge.experiment.store import content_hash, describe, evaluation_records
from skbadge.inspection._frame import TIMES
from skbadge.utils._threads import threads_limited


@dataclass(frozen=True, eq=False)
class Run:
    """A run to be carried out.

    Parameters
    ----------
    labels : dict
        ``dataset``, ``model``, ``strategy``, ``n_query`` and ``repeat``.

    querier : estimator object
        A `BadgeQuerier` with its strategy, or a Pipeline or search around one.

    split : Split
        Its rows.

    budget : int
        Labels at the end.

    seed : int
        Of the querier.
    """

    labels: dict
    querier: BaseEstimator
    split: Split
    budget: int
    seed: int

    def config(self, data, scoring):
        """What determines its result, for `ResultStore.add`.

        ``data`` is the hash of the rows and labels, ``scoring`` what the user gave.
        """
        split, asked_for = self.split, {}
        if isinstance(split.first, FirstQuery):
            asked_for = {"initial": describe(split.first.strategy, "`initial`")}
            split = replace(split, first=split.first.n)
        return {
            **self.labels,
            **asked_for,
            "seed": self.seed,
            "budget": self.budget,
            "split": content_hash(split),
            "data_description": data,
            "querier_description": describe(self.querier, "`querier`"),
            "scoring": describe(scoring, "`scoring`"),
        }

    def n_labeled(self):
        """Number of labels at each of its evaluations, a list of int."""
        budget = min(self.budget, len(self.split.pool))
        n_initial = len(self.split.first)
        return [*range(n_initial, budget, self.labels["n_query"]), budget]


def execute(
    run, X, y, *, scorers, test=None, n_threads=1, error_score="raise", claim=None
):
    """Carry out a run on all rows and their labels.

    ``scorers`` and ``test`` are those of `simulate`, ``n_threads`` that of
    `threads_limited`. An error is raised if ``error_score`` is "raise", and returned
    otherwise. With a `Claim`, each evaluation is kept, and the state to go on from.

    Returns the rows of the tidy table, of the evaluations made here, and what went
    wrong, a dict or None.
    """
    records, n_labeled = [], 0
    try:
        with threads_limited(n_threads):
            for evaluation, state in simulate(
                run.querier,
                X,
                y,
                run.split,
                n_query=run.labels["n_query"],
                budget=run.budget,
                scorers=scorers,
                test=test,
                seed=run.seed,
                state=None if claim is None else claim.state,
            ):
                n_labeled = evaluation.n_labeled
                records += evaluation_records(evaluation, run.labels)
                if claim is not None:
                    claim.record(evaluation, state)
    except (Exception, SystemExit) as error:
        if claim is not None:
            claim.fail(error)
        if error_score == "raise":
            raise
        return records, describe_failure(run.labels, n_labeled, error)
    if claim is not None:
        claim.finish()
    return records, None


def execute_claimed(run, X, y, claim, **options):
    """Carry out what is left of a run: a task of `work_off`."""
    execute(run, X, y, claim=claim, **options)
    return True


def describe_failure(labels, n_labeled, error):
    """A failure as a row of `ExperimentResult.failures_frame`, and its traceback."""
    return {
        **labels,
        "n_labeled": n_labeled,
        "error": " ".join(f"{type(error).__name__}: {error}".split()),
        "traceback": "".join(traceback.format_exception(error)),
    }


def owed_records(run, n_labeled, metrics, score):
    """Rows in place of the evaluations that a failed run did not come to."""
    missing = dict.fromkeys(TIMES, np.nan)
    return [
        {**run.labels, "n_labeled": n, "metric": metric, "score": score, **missing}
        for n in run.n_labeled()
        if n > n_labeled
        for metric in metrics
    ]
