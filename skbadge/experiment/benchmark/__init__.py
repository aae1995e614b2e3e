"""Benchmarks: grids of runs, written in Python or TOML, and carrying them out."""

from skbadge.experiment.benchmark._benchmark import Benchmark
from skbadge.experiment.benchmark._runner import BenchmarkResult, run_benchmark

__all__ = ["Benchmark", "BenchmarkResult", "run_benchmark"]
