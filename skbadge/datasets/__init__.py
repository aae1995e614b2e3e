"""Tables to experiment with, ready for a net: from OpenML and from files."""

from skbadge.datasets._openml import load_openml
from skbadge.datasets._table import TabularData, load_table

__all__ = ["TabularData", "load_openml", "load_table"]
