"""Reports on experiments: a page, and its tables and pictures as files beside it."""

from skbadge.experiment.report._report import write_report

__all__ = ["write_report"]
