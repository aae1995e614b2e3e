"""Experiments: learning curves of query strategies, and benchmark runs that resume.

Four rooms, each of which knows those before it: ``store`` keeps results, ``simulation``
makes runs with known labels, ``benchmark`` makes grids of them, ``report`` shows them.
"""

from skbadge.experiment.benchmark import Benchmark, BenchmarkResult, run_benchmark
from skbadge.experiment.report import write_report
from skbadge.experiment.simulation import (
    SimulatedActiveLearner,
    active_learning_curve,
    error_quantile,
    error_quantile_scorer,
)
from skbadge.experiment.store import ExperimentResult, ResultStore

__all__ = [
    "Benchmark",
    "BenchmarkResult",
    "ExperimentResult",
    "ResultStore",
    "SimulatedActiveLearner",
    "active_learning_curve",
    "error_quantile",
    "error_quantile_scorer",
    "run_benchmark",
    "write_report",
]
