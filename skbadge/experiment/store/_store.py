"""ResultStore: runs, their evaluations and checkpoints, in one SQLite file."""

import json
import pickle
import socket
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from skbadge.experiment.store._claim import Claim
from skbadge.experiment.store._configuration import (
    canonical,
    config_hash,
    current_versions,
)
from skbadge.experiment.store._result import COLUMNS
from skbadge.experiment.store._schema import open_store
from skbadge.experiment.store._worker_lock import WorkerLock
from skbadge.utils._optional import import_optional

STATUSES = ("pending", "running", "done", "failed")
_LABELS = ("dataset", "model", "strategy", "n_query", "repeat", "seed")
# The hashes come as one JSON list, for the number of SQL parameters is limited.
_CHOSEN = "(:hashes IS NULL OR runs.hash IN (SELECT value FROM json_each(:hashes)))"


class ResultStore:
    """Runs, their evaluations and checkpoints, in one SQLite file.

    Several processes of one machine may work on a store at a time. A run is claimed
    in one transaction, so that no two workers do it, and the claim holds while its
    worker lives: those of a killed worker are free at once. An evaluation and the
    checkpoint to go on from it are written in one transaction, so that a run that was
    interrupted at any moment ends with the rows it would have had.

    Checkpoints are pickles: resume only stores that you trust. Reading results
    unpickles nothing.

    Parameters
    ----------
    path : path-like
        The file. SQLite's write-ahead log needs it on a disk of this machine, not on
        a network share. Beside it lie, while somebody works on it, SQLite's own
        ``-wal`` and ``-shm`` files and a folder of lock files.

    create : bool, default=True
        Whether to make a store if there is none.

    timeout : float, default=60.0
        Seconds to wait for other processes that are writing.

    Raises
    ------
    FileNotFoundError
        If there is no store and none is to be made, or no folder for it.
    ValueError
        If the file is something else, or a store of another version. It is left as
        it is.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from skbadge.experiment import ResultStore
    >>> config = {"dataset": "iris", "model": "mlp", "strategy": "badge"}
    >>> config |= {"n_query": 10, "repeat": 0, "seed": 0}
    >>> with TemporaryDirectory() as folder, ResultStore(f"{folder}/a.db") as store:
    ...     hashes = store.add([config])
    ...     claim = store.claim()
    ...     claim.finish()
    ...     store.counts()
    {'pending': 0, 'running': 0, 'done': 1, 'failed': 0}
    """

    def __init__(self, path, *, create=True, timeout=60.0):
        self.path = Path(path)
        self._connection = open_store(self.path, create=create, timeout=timeout)
        self._versions = current_versions()
        self._worker = WorkerLock(self.path.with_name(f"{self.path.name}.locks"))

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()

    def close(self):
        """Free the runs still claimed through this object, and close the file."""
        if self._connection is None:
            return
        # Those that only read neither wait for writers nor write.
        if self._worker.is_held(self._worker.name):
            with self._transaction():
                self._worker.release()
            self.tidy()
        self._connection.close()
        self._connection = None

    def tidy(self):
        """Make the runs of dead workers pending, and delete their lock files."""
        with self._transaction() as db:
            self._free_dead(db)
            self._worker.tidy()

    @contextmanager
    def _transaction(self):
        """One that writes, and so waits for the others that do."""
        if self._connection is None:
            raise ValueError(f"The result store {str(self.path)!r} is closed.")
        db = self._connection
        db.execute("BEGIN IMMEDIATE")
        try:
            yield db
        except BaseException:
            db.execute("ROLLBACK")
            raise
        db.execute("COMMIT")

    def add(self, configs):
        """Add runs to be done; those that are there stay as they are.

        Parameters
        ----------
        configs : iterable of dict
            Each with at least ``dataset``, ``model``, ``strategy``, ``n_query``,
            ``repeat`` and ``seed``, and all else that determines its result.

        Returns
        -------
        hashes : list of str
            One for each, in their order.
        """
        rows = [
            {"hash": config_hash(config), "config": canonical(config)}
            | {name: config[name] for name in _LABELS}
            for config in configs
        ]
        columns = ("hash", "config", *_LABELS)
        with self._transaction() as db:
            db.executemany(
                f"INSERT OR IGNORE INTO runs ({', '.join(columns)}) "
                f"VALUES ({', '.join(f':{name}' for name in columns)})",
                rows,
            )
        return [row["hash"] for row in rows]

    def claim(self, hashes=None):
        """Take the next pending run, so that no other worker does.

        Runs of workers that have died are pending again.

        Parameters
        ----------
        hashes : iterable of str or None, default=None
            Which runs to choose among; None for all.

        Returns
        -------
        claim : Claim or None
            None if no run is pending. Others may still be running.
        """
        now = {"worker": self._worker.name, "host": socket.gethostname()}
        now |= {"versions": json.dumps(self._versions), "started": _now()}
        with self._transaction() as db:
            self._worker.acquire()
            self._free_dead(db)
            row = db.execute(
                "SELECT hash, config FROM runs WHERE status = 'pending' AND "
                f"{_CHOSEN} ORDER BY rowid LIMIT 1",
                {"hashes": _listed(hashes)},
            ).fetchone()
            if row is None:
                return None
            db.execute(
                "UPDATE runs SET status = 'running', attempts = attempts + 1, "
                "worker = :worker, host = :host, versions = :versions, "
                "started = :started, finished = NULL, error_type = NULL, "
                "error_message = NULL, traceback = NULL WHERE hash = :hash",
                now | {"hash": row[0]},
            )
        state = self._resume(row[0])
        return Claim(row[0], json.loads(row[1]), state, self)

    def _free_dead(self, db):
        """Make the runs of dead workers pending, within a transaction."""
        running = "SELECT DISTINCT worker FROM runs WHERE status = 'running'"
        for (worker,) in db.execute(running).fetchall():
            if not self._worker.is_held(worker):
                db.execute(
                    "UPDATE runs SET status = 'pending', worker = NULL "
                    "WHERE status = 'running' AND worker = ?",
                    (worker,),
                )

    def _resume(self, run):
        """State to go on from; without one, the run starts over, and its rows go."""
        found = self._connection.execute(
            "SELECT versions, state FROM checkpoints WHERE run = ?", (run,)
        ).fetchone()
        if found is not None and json.loads(found[0]) == self._versions:
            try:
                return pickle.loads(found[1])
            except Exception:
                # Of a class that has moved or changed since: as good as none.
                pass
        with self._transaction() as db:
            db.execute("DELETE FROM checkpoints WHERE run = ?", (run,))
            db.execute("DELETE FROM evaluations WHERE run = ?", (run,))
        return None

    def _record(self, run, evaluation, checkpoint):
        times = evaluation.fit_time, evaluation.query_time, evaluation.score_time
        rows = [
            (run, evaluation.n_labeled, metric, evaluation.round, score, *times)
            for metric, score in evaluation.scores.items()
        ]
        with self._transaction() as db:
            self._check_claimed(db, run)
            db.executemany(
                "INSERT INTO evaluations VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows
            )
            db.execute("DELETE FROM checkpoints WHERE run = ?", (run,))
            if checkpoint is not None:
                values = run, json.dumps(self._versions), checkpoint
                db.execute("INSERT INTO checkpoints VALUES (?, ?, ?)", values)

    def _end(self, run, status, error=(None, None, None)):
        outcome = {"status": status, "hash": run, "finished": _now()}
        names = "type", "message", "traceback"
        outcome |= dict(zip(names, error, strict=True))
        with self._transaction() as db:
            self._check_claimed(db, run)
            db.execute(
                "UPDATE runs SET status = :status, "
                "finished = :finished, error_type = :type, error_message = :message, "
                "traceback = :traceback WHERE hash = :hash",
                outcome,
            )
            if status == "done":
                db.execute("DELETE FROM checkpoints WHERE run = ?", (run,))

    def _release(self, run):
        with self._transaction() as db:
            db.execute(
                "UPDATE runs SET status = 'pending', worker = NULL "
                "WHERE hash = ? AND status = 'running' AND worker = ?",
                (run, self._worker.name),
            )

    def _check_claimed(self, db, run):
        mine = db.execute(
            "SELECT 1 FROM runs WHERE hash = ? AND status = 'running' AND worker = ?",
            (run, self._worker.name),
        ).fetchone()
        if mine is None:
            raise ValueError(f"The run {run[:12]} is not claimed, or no longer.")

    def counts(self, hashes=None):
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
        found = self._connection.execute(
            f"SELECT status, COUNT(*) FROM runs WHERE {_CHOSEN} GROUP BY status",
            {"hashes": _listed(hashes)},
        )
        return dict.fromkeys(STATUSES, 0) | dict(found)

    def unfinished(self):
        """Hashes of the runs that are pending or running, a set of str."""
        found = self._connection.execute(
            "SELECT hash FROM runs WHERE status IN ('pending', 'running')"
        )
        return {run for (run,) in found}

    def reset_failed(self, hashes=None):
        """Make failed runs pending again; they go on from their checkpoints.

        Parameters
        ----------
        hashes : iterable of str or None, default=None
            Which runs; None for all.

        Returns
        -------
        n_reset : int
            How many.
        """
        with self._transaction() as db:
            return db.execute(
                "UPDATE runs SET status = 'pending' WHERE status = 'failed' AND "
                + _CHOSEN,
                {"hashes": _listed(hashes)},
            ).rowcount

    def to_frame(self, hashes=None):
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
        frame = self._read(
            f"SELECT {', '.join(COLUMNS)} FROM evaluations "
            f"JOIN runs ON evaluations.run = runs.hash WHERE {_CHOSEN} "
            "ORDER BY runs.rowid, n_labeled, evaluations.rowid",
            hashes,
        )
        times = ("score", "fit_time", "query_time", "score_time")
        return frame.astype(dict.fromkeys(times, "float64"))

    def runs_frame(self, hashes=None):
        """One row per run: labels, seed, status, attempts, error, versions, times.

        Parameters
        ----------
        hashes : iterable of str or None, default=None
            Which runs; None for all.

        Returns
        -------
        frame : DataFrame
            In the order in which runs were added. ``config`` and ``versions`` are
            JSON, and ``n_evaluations`` counts rounds.
        """
        return self._read(
            "SELECT runs.*, (SELECT COUNT(DISTINCT n_labeled) FROM evaluations "
            "WHERE run = runs.hash) AS n_evaluations FROM runs "
            f"WHERE {_CHOSEN} ORDER BY runs.rowid",
            hashes,
        )

    def failures_frame(self, hashes=None):
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
        return self._read(
            "SELECT dataset, model, strategy, n_query, repeat, error_type, "
            "error_message, traceback FROM runs "
            f"WHERE status = 'failed' AND {_CHOSEN} ORDER BY runs.rowid",
            hashes,
        )

    def _read(self, query, hashes):
        pd = import_optional("pandas", extra="examples", purpose="A frame")
        found = self._connection.execute(query, {"hashes": _listed(hashes)})
        columns = [column[0] for column in found.description]
        return pd.DataFrame(found.fetchall(), columns=columns)


def _listed(hashes):
    return None if hashes is None else json.dumps(list(hashes))


def _now():
    return datetime.now(UTC).isoformat(timespec="seconds")
