"""ResultStore: runs, their evaluations and checkpoints, in one SQLite file."""

import json
import socket
from collections.abc import Iterable, Mapping
from os import PathLike
from pathlib import Path
from typing import Self

from skbadge.experiment.store._claim import Claim, now, unpickled, worker_died
from skbadge.experiment.store._configuration import (
    canonical,
    config_hash,
    current_versions,
)
from skbadge.experiment.store._result_format import RESULT_STORE
from skbadge.experiment.store._stored_runs import CHOSEN, StoredRuns, listed
from skbadge.utils._database import Database
from skbadge.utils._life_lock import LifeLock

_LABELS = ("dataset", "model", "strategy", "n_query", "repeat", "seed")
# A run has failed that killed its worker so often, with no evaluation in between.
MAX_DEATHS = 3


class ResultStore(StoredRuns):
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
    OSError
        If it cannot be read or written, here or in any method, and why.

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

    def __init__(
        self, path: str | PathLike, *, create: bool = True, timeout: float = 60.0
    ) -> None:
        self.path = Path(path)
        # Only a crash of the whole machine may lose the last rows: those are run again.
        self._db = Database(self.path, RESULT_STORE, create=create, timeout=timeout)
        self._versions = current_versions()
        # One folder, whatever links lead to the file, as SQLite has one log.
        self._worker = LifeLock(path, extra="examples")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Free the runs still claimed through this object, and close the file."""
        if not self._db.is_open:
            return
        try:
            # Those that only read neither wait for writers nor write.
            if self._worker.is_held(self._worker.name):
                try:
                    with self._db.transaction():
                        self._worker.release()
                finally:
                    # Even if nothing can be written.
                    self._worker.release()
                self.tidy()
        finally:
            self._db.close()

    def tidy(self) -> None:
        """Free the runs of dead workers, and delete their lock files.

        A store that cannot be written stays as it is.
        """
        if self._db.is_read_only:
            return
        with self._db.transaction() as db:
            self._free_dead(db)
            self._worker.tidy()

    def excuse_dead(self) -> None:
        """Count no deaths so far against runs: somebody stopped the workers."""
        self._worker.delete_dead()

    def check(self) -> None:
        """Read the whole file, and raise an `OSError` if it is damaged."""
        self._db.check()

    def add(self, configs: Iterable[dict]) -> list[str]:
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
        rows = []
        for config in configs:
            text = canonical(config)
            # As they are hashed: a number of NumPy's would be kept as bytes.
            hashed = json.loads(text)
            labels = {name: hashed[name] for name in _LABELS}
            rows.append({"hash": config_hash(config), "config": text} | labels)
        columns = ("hash", "config", *_LABELS)
        with self._db.transaction() as db:
            db.executemany(
                f"INSERT INTO runs ({', '.join(columns)}) "
                f"VALUES ({', '.join(f':{name}' for name in columns)}) "
                "ON CONFLICT (hash) DO NOTHING",
                rows,
            )
        return [row["hash"] for row in rows]

    def claim(
        self, hashes: Iterable[str] | None = None, *, is_here: bool = True
    ) -> Claim | None:
        """Take the next pending run, so that no other worker does.

        Runs of workers that have died are pending again.

        Parameters
        ----------
        hashes : iterable of str or None, default=None
            Which runs to choose among; None for all.

        is_here : bool, default=True
            Whether this process does it. If it hands it to others, its own death is
            held against no run, and `Claim.was_at` says who has done it.

        Returns
        -------
        claim : Claim or None
            None if no run is pending. Others may still be running.
        """
        worker = {"worker": self._worker.name, "host": socket.gethostname()}
        worker |= {"versions": json.dumps(self._versions), "started": now()}
        if not is_here:
            worker |= {"host": None, "versions": None}
        with self._db.transaction() as db:
            self._worker.acquire()
            self._free_dead(db)
            row = db.execute(
                "SELECT hash, config FROM runs WHERE status = 'pending' AND "
                f"{CHOSEN} ORDER BY rowid LIMIT 1",
                {"hashes": listed(hashes)},
            ).fetchone()
            if row is None:
                return None
            db.execute(
                "UPDATE runs SET status = 'running', attempts = attempts + 1, "
                "worker = :worker, host = :host, versions = :versions, "
                "started = :started, finished = NULL, error_type = NULL, "
                "error_message = NULL, traceback = NULL WHERE hash = :hash",
                worker | {"hash": row[0]},
            )
        state = self._resume(row[0])
        return Claim(row[0], json.loads(row[1]), state, self)

    def _free_dead(self, db):
        """Make the runs of dead workers pending, or failed, within a transaction."""
        running = "SELECT DISTINCT worker FROM runs WHERE status = 'running'"
        for (worker,) in db.execute(running).fetchall():
            # One that came to its end, by an error or Ctrl-C, has deleted its file.
            was_killed = self._worker.has_file(worker)
            if not self._worker.is_held(worker):
                db.execute(
                    "UPDATE runs SET status = 'pending', worker = NULL, "
                    # Without a host, it was done elsewhere.
                    "deaths = deaths + (? AND host IS NOT NULL) "
                    "WHERE status = 'running' AND worker = ?",
                    (int(was_killed), worker),
                )
        db.execute(
            "UPDATE runs SET status = 'failed', finished = ?, error_type = ?, "
            "error_message = ?, traceback = ? "
            "WHERE status = 'pending' AND deaths >= ?",
            (now(), *worker_died(MAX_DEATHS), MAX_DEATHS),
        )

    def _resume(self, run):
        """State to go on from; without one, the run starts over, and its rows go."""
        query = "SELECT versions, state FROM checkpoints WHERE run = ?"
        for versions, state in self._db.read(query, (run,))[1]:
            if json.loads(versions) != self._versions:
                continue
            try:
                return unpickled(state)
            except Exception:
                # Damaged, or of a class that has moved or changed: as good as none.
                pass
        with self._db.transaction() as db:
            db.execute("DELETE FROM checkpoints WHERE run = ?", (run,))
            db.execute("DELETE FROM evaluations WHERE run = ?", (run,))
        return None

    def put_done(
        self,
        evaluations: Mapping[str, list[tuple]],
        data: Mapping[str, str | None],
        source: str,
    ) -> None:
        """Take over runs done elsewhere, but for those done or under way here.

        All or none. What this store has of a run that is not done is replaced.

        Parameters
        ----------
        evaluations : dict of str to list of tuple
            By hash of the run, which was added: n_labeled, metric, round, score or
            None, fit_time, query_time and score_time.

        data : dict of str to str or None
            By hash, the digest of the rows and targets.

        source : str
            Where they come from, in place of a host. No versions are known.

        Raises
        ------
        ValueError
            If results of one data set would be of different rows or targets.
        """
        with self._db.transaction() as db:
            self._free_dead(db)
            for run, rows in evaluations.items():
                changed = db.execute(
                    "UPDATE runs SET status = 'done', data = ?, host = ?, worker = "
                    "NULL, versions = NULL, started = NULL, finished = NULL, error_type"
                    " = NULL, error_message = NULL, traceback = NULL "
                    "WHERE hash = ? AND status IN ('pending', 'failed')",
                    (data[run], source, run),
                )
                if not changed.rowcount:
                    continue
                db.execute("DELETE FROM checkpoints WHERE run = ?", (run,))
                db.execute("DELETE FROM evaluations WHERE run = ?", (run,))
                db.executemany(
                    "INSERT INTO evaluations VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                    [(run, *row) for row in rows],
                )
            several = db.execute(
                "SELECT dataset FROM runs WHERE hash IN (SELECT run FROM evaluations) "
                "GROUP BY dataset, json_extract(config, '$.data_description') "
                "HAVING COUNT(DISTINCT data) > 1"
            ).fetchone()
            if several is not None:
                raise ValueError(
                    f"The runs on {several[0]!r} in {source!r} and in the store "
                    f"{str(self.path)!r} have seen different rows or targets. Put the "
                    "data set back as it was, and use a new store."
                )

    def reset_failed(self, hashes: Iterable[str] | None = None) -> int:
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
        with self._db.transaction() as db:
            return db.execute(
                "UPDATE runs SET status = 'pending', deaths = 0 "
                f"WHERE status = 'failed' AND {CHOSEN}",
                {"hashes": listed(hashes)},
            ).rowcount
