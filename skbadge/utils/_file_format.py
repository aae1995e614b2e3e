"""FileFormat: what a SQLite file of ours is; a blank file is made one."""

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from time import monotonic

# SQLite's marks of whose a file is, and the commands that read ours.
_MARKS = {"result store": 0x736B6267, "ledger of labels": 0x736B626C}
_COMMANDS = {"result store": "status", "ledger of labels": "labels"}


@dataclass(frozen=True)
class FileFormat:
    """What a file of ours is called, how it is known again, and its tables.

    Parameters
    ----------
    name : str
        What errors call the file: "result store" or "ledger of labels".

    parameter : str
        Under which name users pass the path.

    version : int
        Of the tables.

    schema : str
        The statements that make them.
    """

    name: str
    parameter: str
    version: int
    schema: str

    @property
    def application_id(self):
        """SQLite's mark of whose file it is."""
        return _MARKS[self.name]

    def statements(self):
        """The schema's statements one by one; a script would end the transaction."""
        statement = ""
        for part in self.schema.split(";")[:-1]:
            statement += f"{part};"
            if sqlite3.complete_statement(statement):
                yield statement
                statement = ""

    def refusal(self, path, reason, *, create):
        """Why a file is not taken for one of ours, where one may be made or not."""
        if not create:
            return f"{str(path)!r} is no {self.name} of skbadge: {reason}."
        return (
            f"`{self.parameter}` must be a {self.name} of skbadge, or a file that does "
            f"not exist yet. Got {str(path)!r}: {reason}. It was left as it is."
        )


def use_format(connection, path, form, *, create, timeout):
    """Make the tables if the file is blank; raise if it holds anything else.

    The connection is in autocommit mode, so that every transaction is explicit, and
    waits so many seconds for other processes that are writing. A file that is something
    else, or a store of another version, is left as it is, and with ``create=False`` a
    blank one is something else.
    """
    try:
        if _is_blank(connection):
            if not create:
                raise ValueError(form.refusal(path, "it is empty", create=False))
            _create(connection, form, timeout)
    except sqlite3.DatabaseError as error:
        if getattr(error, "sqlite_errorname", "") != "SQLITE_NOTADB":
            raise
        reason = "it is no SQLite file"
        raise ValueError(form.refusal(path, reason, create=create)) from error
    if (reason := _why_not(connection, form)) is not None:
        raise ValueError(form.refusal(path, reason, create=create))
    missing = sorted(_wanted_columns(form.schema) - _columns(connection))
    if missing:
        raise sqlite3.DatabaseError(f"it lacks {', '.join(missing)}")


def _pragma(connection, name):
    return connection.execute(f"PRAGMA {name}").fetchone()[0]


def _is_blank(connection):
    n_tables = connection.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()[0]
    marks = _pragma(connection, "application_id"), _pragma(connection, "user_version")
    return n_tables == 0 and marks == (0, 0)


def _create(connection, form, timeout):
    # The journal mode cannot be changed within a transaction. It is a property of the
    # file, and setting it again does nothing.
    _use_write_ahead_log(connection, timeout)
    connection.execute("BEGIN IMMEDIATE")
    try:
        if _is_blank(connection):
            for statement in form.statements():
                connection.execute(statement)
            connection.execute(f"PRAGMA application_id = {form.application_id}")
            connection.execute(f"PRAGMA user_version = {form.version}")
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


def _why_not(connection, form):
    """Whose else a database is; None if it is of the format."""
    mark = _pragma(connection, "application_id")
    if mark != form.application_id:
        for name, other in _MARKS.items():
            if mark == other:
                command = f"skbadge {_COMMANDS[name]}"
                return f"it is a {name}, which `{command}` reads"
        return "it is another program's database"
    version = _pragma(connection, "user_version")
    if version != form.version:
        return (
            f"its tables are of version {version}, and this skbadge reads version "
            f"{form.version}"
        )
    return None


def _columns(connection):
    return {
        f"{table}.{column}"
        for table, column in connection.execute(
            "SELECT tables.name, columns.name FROM sqlite_master AS tables, "
            "pragma_table_info(tables.name) AS columns WHERE tables.type = 'table'"
        )
    }


@cache
def _wanted_columns(schema):
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript(schema)
        return _columns(connection)
