"""Readers: what a fitted model says about rows, one class for each family of models."""

from skbadge.outputs.readers._choice import choose_reader, read_model

__all__ = ["choose_reader", "read_model"]
