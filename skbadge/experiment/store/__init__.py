"""Where results of experiments are kept: a table in memory, or one SQLite file.

A `ResultStore` knows runs by their configuration, hands them to workers, and keeps
each evaluation with the state to go on from; a `ResultsFile` is a small copy of what is
done, for a repository; an `ExperimentResult` is a table.
"""

from skbadge.experiment.store._claim import worker_died
from skbadge.experiment.store._configuration import (
    canonical,
    config_hash,
    describe,
    short_hash,
)
from skbadge.experiment.store._content_hash import content_hash
from skbadge.experiment.store._remote_claim import RemoteClaim
from skbadge.experiment.store._result import (
    COLUMNS,
    ExperimentResult,
    as_html,
    evaluation_records,
    summary_of,
)
from skbadge.experiment.store._results_file import ResultsFile
from skbadge.experiment.store._store import ResultStore
from skbadge.experiment.store._stored_runs import STATUSES
from skbadge.utils._database import StoreError, is_beside_a_store

__all__ = [
    "COLUMNS",
    "STATUSES",
    "ExperimentResult",
    "RemoteClaim",
    "ResultStore",
    "ResultsFile",
    "StoreError",
    "as_html",
    "canonical",
    "config_hash",
    "content_hash",
    "describe",
    "evaluation_records",
    "is_beside_a_store",
    "short_hash",
    "summary_of",
    "worker_died",
]
