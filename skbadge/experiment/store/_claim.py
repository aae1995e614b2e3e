"""Claim: a run that a worker is to do, and what it hands back."""

import errno
import json
import pickle
import sqlite3
import traceback
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256

from skbadge.utils._database import StoreError

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT)
_N_DIGEST = sha256().digest_size


@dataclass(frozen=True, eq=False)
class Claim:
    """A run that this worker is to do, by `ResultStore.claim`.

    Parameters
    ----------
    hash : str
        Of the configuration.

    config : dict
        What to do.

    state : object or None
        What `record` was last given; None to start from the beginning.

    store : ResultStore
        Where it comes from.
    """

    hash: str
    config: dict
    state: object
    store: object = field(repr=False)

    def check_data(self, digest):
        """Raise if runs on the same data set have seen other rows or targets.

        Parameters
        ----------
        digest : str
            Of the rows and targets as they were read for this run.

        Raises
        ------
        ValueError
            If there are evaluations made on others.
        """
        with self.store._db.transaction() as db:
            check_data_is(digest, self.data_seen(), self.config["dataset"])
            values = digest, self.hash
            db.execute("UPDATE runs SET data = ? WHERE hash = ?", values)

    def data_seen(self):
        """How many runs on the same data set have results, by the digest of its rows.

        Returns
        -------
        seen : dict of str to int
            Those without a digest are left out.
        """
        query = (
            "SELECT runs.data, COUNT(*) FROM runs JOIN runs AS this ON this.hash = ? "
            "WHERE runs.dataset = this.dataset AND runs.data IS NOT NULL "
            "AND json_extract(runs.config, '$.data_description') "
            "IS json_extract(this.config, '$.data_description') "
            "AND EXISTS (SELECT 1 FROM evaluations WHERE run = runs.hash) "
            "GROUP BY runs.data"
        )
        return dict(self.store._db.read(query, (self.hash,))[1])

    def was_at(self, host, versions, n_deaths):
        """Note who has really done the run, and how often it had killed its worker.

        Parameters
        ----------
        host, versions : str or None
            As in `ResultStore.runs_frame`.

        n_deaths : int
            Each was one more attempt.
        """
        with self._transaction() as db:
            db.execute(
                "UPDATE runs SET host = ?, versions = ?, attempts = attempts + ? "
                "WHERE hash = ?",
                (host, versions, n_deaths, self.hash),
            )

    def record(self, evaluation, state):
        """Keep an evaluation and the state after it, both or neither.

        Parameters
        ----------
        evaluation : Evaluation
            Of the next round.

        state : object
            To go on from. If it is None, cannot be pickled, or takes a gigabyte, an
            interrupted run starts over.

        Raises
        ------
        ValueError
            If the run is not claimed any more.
        """
        times = evaluation.fit_time, evaluation.query_time, evaluation.score_time
        rows = [
            (self.hash, evaluation.n_labeled, metric, evaluation.round, score, *times)
            for metric, score in evaluation.scores.items()
        ]
        checkpoint = None if state is None else _pickled(state)
        with self._transaction() as db:
            db.executemany(
                "INSERT INTO evaluations VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows
            )
            db.execute("UPDATE runs SET deaths = 0 WHERE hash = ?", (self.hash,))
            db.execute("DELETE FROM checkpoints WHERE run = ?", (self.hash,))
            limit = db.getlimit(sqlite3.SQLITE_LIMIT_LENGTH)
            if checkpoint is not None and len(checkpoint) < limit:
                values = self.hash, json.dumps(self.store._versions), checkpoint
                db.execute("INSERT INTO checkpoints VALUES (?, ?, ?)", values)

    def finish(self):
        """Mark the run as done."""
        with self._transaction() as db:
            values = now(), self.hash
            db.execute(
                "UPDATE runs SET status = 'done', finished = ? WHERE hash = ?", values
            )
            db.execute("DELETE FROM checkpoints WHERE run = ?", (self.hash,))

    def fail(self, error):
        """Mark the run as failed; its evaluations so far stay.

        Parameters
        ----------
        error : BaseException
            What stopped it.

        Raises
        ------
        OSError
            That error, if nothing is wrong with the run: the store does not work, or
            the disk is full.
        """
        self.fail_with(*failure_of(error))

    def fail_with(self, error_type, message, lines):
        """Mark the run as failed, by what `failure_of` an error returned."""
        with self._transaction() as db:
            db.execute(
                "UPDATE runs SET status = 'failed', finished = ?, error_type = ?, "
                "error_message = ?, traceback = ? WHERE hash = ?",
                (now(), error_type, message, lines, self.hash),
            )

    def release(self):
        """Give the run back, to be gone on with by whoever claims it next."""
        with self.store._db.transaction() as db:
            db.execute(
                "UPDATE runs SET status = 'pending', worker = NULL "
                "WHERE hash = ? AND status = 'running' AND worker = ?",
                (self.hash, self.store._worker.name),
            )

    @contextmanager
    def _transaction(self):
        """A transaction on the store, if the run is still this worker's."""
        with self.store._db.transaction() as db:
            mine = db.execute(
                "SELECT 1 FROM runs "
                "WHERE hash = ? AND status = 'running' AND worker = ?",
                (self.hash, self.store._worker.name),
            ).fetchone()
            if mine is None:
                raise ValueError(
                    f"The run {self.hash[:12]} is not claimed, or no longer."
                )
            yield db


def check_data_is(digest, seen, dataset):
    """Raise if runs on a data set have seen other rows than those of a digest."""
    n_others = sum(n for other, n in seen.items() if other != digest)
    if n_others:
        raise ValueError(
            f"The data set {dataset!r} has changed: {n_others} runs have results of "
            "other rows or targets. Put it back as it was, or use a new store (and "
            "file of results), or give the data set another name."
        )


def failure_of(error):
    """Type, message and traceback of an error that a run has failed with.

    Raised instead if nothing is wrong with the run, see `Claim.fail`.
    """
    is_full = isinstance(error, OSError) and error.errno in _NO_ROOM
    if is_full or isinstance(error, StoreError):
        raise error
    lines = "".join(traceback.format_exception(error))
    return type(error).__name__, _storable(error), _storable(lines)


def worker_died(n_deaths):
    """What `failure_of` returns, for a run that has killed its workers."""
    message = f"its worker died {n_deaths} times, for want of memory perhaps"
    return "WorkerDied", message, ""


def now():
    """The time, as the store keeps it."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def _storable(text):
    # Names of files may have bytes that are not valid text.
    return str(text).encode("utf-8", "backslashreplace").decode()


def _pickled(state):
    """A digest, then the pickle: SQLite notices no damage within a value."""
    try:
        content = pickle.dumps(state, protocol=pickle.HIGHEST_PROTOCOL)
    except Exception:
        # Objects that cannot be pickled say so by errors of any type.
        return None
    return sha256(content).digest() + content


def unpickled(checkpoint):
    """What was pickled; a ValueError if it is not what was written."""
    content = checkpoint[_N_DIGEST:]
    if sha256(content).digest() != checkpoint[:_N_DIGEST]:
        raise ValueError("The checkpoint is damaged.")
    return pickle.loads(content)
