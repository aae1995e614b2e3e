"""Whether a strategy is better than random rows.

``_paired`` are the tests of two models by the same rows.
"""
