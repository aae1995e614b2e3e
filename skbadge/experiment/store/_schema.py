"""The tables of a result store, made in a file that has nothing, or looked for."""

import sqlite3
from contextlib import closing
from functools import cache
from time import monotonic

APPLICATION_ID = 0x736B6267
SCHEMA_VERSION = 2

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
    data TEXT,
    status TEXT NOT NULL DEFAULT 'pending'
        CHECK (status IN ('pending', 'running', 'done', 'failed')),
    worker TEXT,
    attempts INTEGER NOT NULL DEFAULT 0,
    deaths INTEGER NOT NULL DEFAULT 0,
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


def use_schema(connection, path, *, create, timeout):
    """Make the tables if the file is blank; raise if it holds anything else.

    The connection is in autocommit mode, so that every transaction is explicit, and
    waits so many seconds for other processes that are writing. A file that is something
    else, or a store of another version, is left as it is, and with ``create=False`` a
    blank one is something else.
    """
    try:
        if _is_blank(connection):
            if not create:
                raise ValueError(refusal(path, "it is empty"))
            _create(connection, timeout)
    except sqlite3.DatabaseError as error:
        if getattr(error, "sqlite_errorname", "") != "SQLITE_NOTADB":
            raise
        raise ValueError(refusal(path, "it is no SQLite file")) from error
    _check(connection, path)


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
        # If the disk is full, SQLite has rolled back already.
        if connection.in_transaction:
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
        raise ValueError(refusal(path, "it is another program's database"))
    version = _pragma(connection, "user_version")
    if version != SCHEMA_VERSION:
        raise ValueError(
            refusal(
                path,
                f"its tables are of version {version}, and this skbadge reads version "
                f"{SCHEMA_VERSION}",
            )
        )
    missing = sorted(_wanted_columns() - _columns(connection))
    if missing:
        raise sqlite3.DatabaseError(f"it lacks {', '.join(missing)}")


def _columns(connection):
    return {
        f"{table}.{column}"
        for table, column in connection.execute(
            "SELECT tables.name, columns.name FROM sqlite_master AS tables, "
            "pragma_table_info(tables.name) AS columns WHERE tables.type = 'table'"
        )
    }


@cache
def _wanted_columns():
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript(SCHEMA)
        return _columns(connection)


def refusal(path, reason):
    """Why a file is not taken for a store."""
    return (
        "`path` must be a result store of skbadge, or a file that does not exist yet. "
        f"Got {str(path)!r}: {reason}. It was left as it is."
    )
