"""Reports on experiments: a page, and its tables and pictures as files beside it."""

from skbadge.experiment.report._csv_file import write_csv
from skbadge.experiment.report._report import write_report

__all__ = ["write_csv", "write_report"]
