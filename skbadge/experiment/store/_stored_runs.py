"""StoredRuns: what can be read of the runs in a result store."""

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING

from skbadge.experiment.store._result import COLUMNS
from skbadge.inspection._frame import TIMES
from skbadge.utils._database import Database
from skbadge.utils._optional import import_optional

if TYPE_CHECKING:
    import pandas as pd

STATUSES = ("pending", "running", "done", "failed")
# The hashes come as one JSON list, for the number of SQL parameters is limited.
CHOSEN = "(:hashes IS NULL OR runs.hash IN (SELECT value FROM json_each(:hashes)))"

_FAILED = (
    "SELECT dataset, model, strategy, n_query, repeat, error_type, error_message, "
    f"traceback FROM runs WHERE status = 'failed' AND {CHOSEN} ORDER BY runs.rowid"
)


class StoredRuns:
    """The reading half of a `ResultStore`."""

    _db: Database

    def counts(self, hashes: Iterable[str] | None = None) -> dict[str, int]:
        """Number of runs by status.

        A run whose worker was killed counts as running until `claim` or `tidy`.

        Parameters
        ----------
        hashes : iterable of str or None, default=None
            Which runs; None for all.

        Returns
        -------
        counts : dict of str to int
            For pending, running, done and failed.
        """
        query = f"SELECT status, COUNT(*) FROM runs WHERE {CHOSEN} GROUP BY status"
        _, found = self._read(query, hashes)
        return dict.fromkeys(STATUSES, 0) | dict(found)

    def unfinished(self) -> dict[str, int]:
        """Runs that are pending or running, and how often each killed its worker.

        Returns
        -------
        deaths : dict of str to int
            By hash of the run; since its last evaluation.
        """
        return dict(
            self._db.read(
                "SELECT hash, deaths FROM runs WHERE status IN ('pending', 'running')"
            )[1]
        )

    def done_rows(self, hashes: Iterable[str]) -> list[tuple]:
        """Evaluations of those runs that are done, without any pandas.

        Parameters
        ----------
        hashes : iterable of str
            Of which runs.

        Returns
        -------
        rows : list of tuple
            Hash of the run, digest of the data or None, and what `to_frame` has, in
            its order.
        """
        query = (
            f"SELECT hash, data, {', '.join(COLUMNS)} FROM evaluations "
            f"JOIN runs ON evaluations.run = runs.hash WHERE {CHOSEN} "
            "AND status = 'done' ORDER BY runs.rowid, n_labeled, evaluations.rowid"
        )
        return self._read(query, hashes)[1]

    def to_frame(self, hashes: Iterable[str] | None = None) -> "pd.DataFrame":
        """All evaluations so far, those of unfinished and failed runs included.

        Parameters
        ----------
        hashes : iterable of str or None, default=None
            Of which runs; None for all.

        Returns
        -------
        frame : DataFrame
            One row per evaluation and metric, in the order in which runs were added:
            dataset, model, strategy, n_query, repeat, n_labeled, metric, score,
            fit_time, query_time, score_time. What was not a number is NaN.
        """
        frame = self._frame(
            f"SELECT {', '.join(COLUMNS)} FROM evaluations "
            f"JOIN runs ON evaluations.run = runs.hash WHERE {CHOSEN} "
            "ORDER BY runs.rowid, n_labeled, evaluations.rowid",
            hashes,
        )
        return frame.astype(dict.fromkeys(["score", *TIMES], "float64"))

    def runs_frame(self, hashes: Iterable[str] | None = None) -> "pd.DataFrame":
        """One row per run: labels, seed, status, attempts, error, versions, times.

        Parameters
        ----------
        hashes : iterable of str or None, default=None
            Which runs; None for all.

        Returns
        -------
        frame : DataFrame
            In the order in which runs were added. ``config`` and ``versions`` are
            JSON, and ``n_evaluations`` counts rounds. ``host`` is the machine; for a
            run taken from a file of results, it is the name of that, and versions and
            times are unknown.
        """
        return self._frame(
            "SELECT runs.*, (SELECT COUNT(DISTINCT n_labeled) FROM evaluations "
            "WHERE run = runs.hash) AS n_evaluations FROM runs "
            f"WHERE {CHOSEN} ORDER BY runs.rowid",
            hashes,
        )

    def failures_frame(self, hashes: Iterable[str] | None = None) -> "pd.DataFrame":
        """One row per failed run, with the type, message and traceback of its error.

        Parameters
        ----------
        hashes : iterable of str or None, default=None
            Of which runs; None for all.

        Returns
        -------
        frame : DataFrame
            In the order in which runs were added.
        """
        return self._frame(_FAILED, hashes)

    def failures(self, hashes: Iterable[str] | None = None) -> list[dict]:
        """The rows of `failures_frame`, without any pandas.

        Parameters
        ----------
        hashes : iterable of str or None, default=None
            Of which runs; None for all.

        Returns
        -------
        rows : list of dict
            In the order in which runs were added.
        """
        columns, rows = self._read(_FAILED, hashes)
        return [dict(zip(columns, row, strict=True)) for row in rows]

    def _read(self, query, hashes):
        """Names of columns, and rows, of the runs that are chosen."""
        return self._db.read(query, {"hashes": listed(hashes)})

    def _frame(self, query, hashes):
        pd = import_optional("pandas", extra="plot", purpose="A frame")
        columns, rows = self._read(query, hashes)
        return pd.DataFrame(rows, columns=columns)


def listed(hashes):
    """Hashes for `CHOSEN`."""
    return None if hashes is None else json.dumps(list(hashes))
