"""Experiments: learning curves of query strategies, and benchmark runs that resume."""

from skbadge.experiment.benchmark._benchmark import Benchmark
from skbadge.experiment.benchmark._runner import BenchmarkResult, run_benchmark
from skbadge.experiment.report._report import write_report
from skbadge.experiment.simulation._curve import active_learning_curve
from skbadge.experiment.simulation._learner import SimulatedActiveLearner
from skbadge.experiment.simulation._scoring import (
    error_quantile,
    error_quantile_scorer,
    resolve_scoring,
)
from skbadge.experiment.simulation._simulation import (
    Evaluation,
    SimulationState,
    prepare,
    simulate,
)
from skbadge.experiment.simulation._split import Split, draw_split
from skbadge.experiment.store._claim import Claim
from skbadge.experiment.store._configuration import config_hash
from skbadge.experiment.store._result import ExperimentResult
from skbadge.experiment.store._store import ResultStore

__all__ = [
    "Benchmark",
    "BenchmarkResult",
    "Claim",
    "Evaluation",
    "ExperimentResult",
    "ResultStore",
    "SimulatedActiveLearner",
    "SimulationState",
    "Split",
    "active_learning_curve",
    "config_hash",
    "draw_split",
    "error_quantile",
    "error_quantile_scorer",
    "prepare",
    "resolve_scoring",
    "run_benchmark",
    "simulate",
    "write_report",
]
