"""Benchmarks: grids of runs, and carrying them out."""
