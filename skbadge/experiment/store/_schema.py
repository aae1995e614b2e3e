"""The tables of a result store, and opening a file that has them or nothing."""

import sqlite3
from time import monotonic

APPLICATION_ID = 0x736B6267
SCHEMA_VERSION = 1

SCHEMA = """
CREATE TABLE runs (
    hash TEXT PRIMARY KEY,
    config TEXT NOT NULL,
    dataset TEXT NOT NULL,
    model TEXT NOT NULL,
    strategy TEXT NOT NULL,
    n_query INTEGER NOT NULL,
    repeat INTEGER NOT NULL,
    seed INTEGER NOT NULL,
    status TEXT NOT NULL DEFAULT 'pending'
        CHECK (status IN ('pending', 'running', 'done', 'failed')),
    worker TEXT,
    attempts INTEGER NOT NULL DEFAULT 0,
    error_type TEXT,
    error_message TEXT,
    traceback TEXT,
    versions TEXT,
    host TEXT,
    started TEXT,
    finished TEXT
);
CREATE INDEX runs_by_status ON runs (status);
CREATE TABLE evaluations (
    run TEXT NOT NULL REFERENCES runs (hash) ON DELETE CASCADE,
    n_labeled INTEGER NOT NULL,
    metric TEXT NOT NULL,
    round INTEGER NOT NULL,
    score REAL,
    fit_time REAL NOT NULL,
    query_time REAL NOT NULL,
    score_time REAL NOT NULL,
    PRIMARY KEY (run, n_labeled, metric)
);
CREATE TABLE checkpoints (
    run TEXT PRIMARY KEY REFERENCES runs (hash) ON DELETE CASCADE,
    versions TEXT NOT NULL,
    state BLOB NOT NULL
);
"""


def open_store(path, *, create, timeout):
    """Connect to a store, or make one of a file that does not exist or is empty.

    Parameters
    ----------
    path : Path
        The file.

    create : bool
        Whether to make a store if there is none.

    timeout : float
        Seconds to wait for other processes that are writing.

    Returns
    -------
    connection : sqlite3.Connection
        In autocommit mode, so that every transaction is explicit.

    Raises
    ------
    FileNotFoundError
        If there is no file, and none is to be made, or no folder to make it in.
    ValueError
        If the file is something else, or a store of another version. It is left as
        it is.
    """
    if not create and not path.exists():
        raise FileNotFoundError(f"There is no result store at {str(path)!r}.")
    if not path.parent.is_dir():
        raise FileNotFoundError(
            f"There is no folder {str(path.parent)!r} for the result store "
            f"{path.name!r}."
        )
    connection = sqlite3.connect(path, timeout=timeout, isolation_level=None)
    try:
        if _is_blank(connection):
            _create(connection, timeout)
        _check(connection, path)
        # What a killed process has committed stays: only a crash of the whole
        # machine may lose the last rows, and those are run again.
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA foreign_keys = ON")
    except sqlite3.DatabaseError as error:
        connection.close()
        if isinstance(error, sqlite3.OperationalError):
            raise
        raise ValueError(_refusal(path, "it is no SQLite file")) from error
    except BaseException:
        connection.close()
        raise
    return connection


def _pragma(connection, name):
    return connection.execute(f"PRAGMA {name}").fetchone()[0]


def _is_blank(connection):
    n_tables = connection.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()[0]
    marks = _pragma(connection, "application_id"), _pragma(connection, "user_version")
    return n_tables == 0 and marks == (0, 0)


def _create(connection, timeout):
    # The journal mode cannot be changed within a transaction. It is a property of the
    # file, and setting it again does nothing.
    _use_write_ahead_log(connection, timeout)
    connection.execute("BEGIN IMMEDIATE")
    try:
        if _is_blank(connection):
            for statement in SCHEMA.split(";"):
                connection.execute(statement)
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise


def _use_write_ahead_log(connection, timeout):
    # While another connection is writing, SQLite refuses this change at once, whatever
    # its timeout. It does wait before a transaction, and so an empty one comes between.
    deadline = monotonic() + timeout
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            is_busy = error.sqlite_errorname.startswith("SQLITE_BUSY")
            if not is_busy or monotonic() > deadline:
                raise
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("COMMIT")


def _check(connection, path):
    if _pragma(connection, "application_id") != APPLICATION_ID:
        raise ValueError(_refusal(path, "it is another program's database"))
    version = _pragma(connection, "user_version")
    if version != SCHEMA_VERSION:
        raise ValueError(
            _refusal(
                path,
                f"its tables are of version {version}, and this skbadge reads version "
                f"{SCHEMA_VERSION}",
            )
        )


def _refusal(path, reason):
    return (
        "`path` must be a result store of skbadge, or a file that does not exist yet. "
        f"Got {str(path)!r}: {reason}. It was left as it is."
    )
