"""Simulated runs of active learning: one round, one run, or a curve of many.

Known labels stand in for a human. `simulate` carries out one run, round by round;
`active_learning_curve` compares strategies over many; `SimulatedActiveLearner` is an
estimator that spends a budget of labels on its own.
"""

from skbadge.experiment.simulation._curve import active_learning_curve
from skbadge.experiment.simulation._held_out import check_takes_held_out
from skbadge.experiment.simulation._learner import SimulatedActiveLearner
from skbadge.experiment.simulation._parallel_runs import work_off
from skbadge.experiment.simulation._run import Run, execute
from skbadge.experiment.simulation._schedule import AT_LEAST_ONE, SCHEDULE, total_budget
from skbadge.experiment.simulation._scoring import (
    error_quantile,
    error_quantile_scorer,
    resolve_scoring,
)
from skbadge.experiment.simulation._simulation import Evaluation, simulate
from skbadge.experiment.simulation._split import draw_split, draw_start
from skbadge.experiment.simulation._wrapped import (
    check_initial,
    estimator_of,
    find_querier,
    model_of,
    named_strategies,
    prepare,
    with_strategy,
)

__all__ = [
    "AT_LEAST_ONE",
    "SCHEDULE",
    "Evaluation",
    "Run",
    "SimulatedActiveLearner",
    "active_learning_curve",
    "check_initial",
    "check_takes_held_out",
    "draw_split",
    "draw_start",
    "error_quantile",
    "error_quantile_scorer",
    "estimator_of",
    "execute",
    "find_querier",
    "model_of",
    "named_strategies",
    "prepare",
    "resolve_scoring",
    "simulate",
    "total_budget",
    "with_strategy",
    "work_off",
]
