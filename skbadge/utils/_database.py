"""Database: a SQLite file of ours, and errors that say what to do."""

import os
import re
import sqlite3
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from urllib.parse import quote

from skbadge.utils._file_format import use_format

# Hints, by the beginning of the name that SQLite gives to an error.
_HINTS = {
    "SQLITE_FULL": "Make room on the disk, and do the same again.",
    "SQLITE_IOERR": "Is the disk full, or gone? Then do the same again.",
    "SQLITE_BUSY": "Another process has been writing for long. Try again later.",
    "SQLITE_READONLY": "Its file and its folder must be writable.",
    "SQLITE_CANTOPEN": "Its file and its folder must be there, and writable.",
    "SQLITE_CORRUPT": "The file is damaged. Restore it from a copy.",
    "SQLITE_ERROR": "The file is damaged. Restore it from a copy.",
    "MOVED": "Nothing more is written. Put back the file, and open it again.",
}


# Errors of writing where reading may work.
_OF_DISK = ("SQLITE_FULL", "SQLITE_IOERR", "SQLITE_CANTOPEN", "SQLITE_READONLY")


class StoreError(OSError):
    """The file of a store cannot be read or written."""

    is_of_disk = False


class Database:
    """A connection to a file of a format, made of a blank file if need be.

    Parameters
    ----------
    path : Path
        The file.

    form : FileFormat
        Its format.

    create : bool
        Whether to make a store if there is none.

    timeout : float
        Seconds to wait for other processes that are writing.

    synchronous : "NORMAL" or "FULL", default="NORMAL"
        What a process has committed stays, if it is killed. Whether it does, if the
        whole machine crashes.

    Attributes
    ----------
    is_read_only : bool
        Whether nothing can be written: the file or its folder does not allow it, and
        no store was to be made.
    """

    def __init__(self, path, form, *, create, timeout, synchronous="NORMAL"):
        if not create and not path.exists():
            raise FileNotFoundError(f"There is no {form.name} at {str(path)!r}.")
        if is_beside_a_store(path):
            reason = "the name belongs to another store"
            raise ValueError(form.refusal(path, reason, create=create))
        if not path.parent.is_dir():
            raise FileNotFoundError(
                f"There is no folder {str(path.parent)!r} for the {form.name} "
                f"{path.name!r}."
            )
        if path.exists() and not path.is_file():
            kind = "a folder" if path.is_dir() else "no regular file"
            raise ValueError(form.refusal(path, f"it is {kind}", create=create))
        if create and path.exists() and path.stat().st_nlink > 1:
            # SQLite has a log by each name, and changes by the other are not seen.
            raise ValueError(
                form.refusal(path, "it has a second name, a hard link", create=create)
            )
        self.path, self._form, self._synchronous = path, form, synchronous
        self.is_read_only = not create and not is_writable(path)
        self._why_read_only = None
        self._connection = self._places = None
        options = {"create": create, "timeout": timeout}
        if not self.is_read_only:
            try:
                self._open(None, **options)
            except StoreError as error:
                # Even to read it, SQLite wants to write beside the file.
                if create or not error.is_of_disk:
                    raise
                self.is_read_only, self._why_read_only = True, error
        if self.is_read_only:
            self._open_to_read(**options)

    def _open_to_read(self, **options):
        log = Path(f"{os.path.realpath(self.path)}-wal")
        if not log.exists() or not log.stat().st_size:
            self._open("immutable=1", **options)
            return
        # With "immutable=1", SQLite would not read the log.
        try:
            self._open("mode=ro", **options)
        except StoreError:
            # That shares the index of the log with others, which must be there or be
            # made. An index of its own is kept in memory.
            system = "win32" if os.name == "nt" else "unix"
            self._open(f"mode=ro&vfs={system}-none", **options)

    def _open(self, way, *, create, timeout):
        with self._explained():
            self._connection = self._connect(way, timeout)
            try:
                use_format(
                    self._connection,
                    self.path,
                    self._form,
                    create=create,
                    timeout=timeout,
                )
                self._connection.execute(f"PRAGMA synchronous = {self._synchronous}")
                self._connection.execute("PRAGMA foreign_keys = ON")
            except BaseException:
                self.close()
                raise

    def _connect(self, way, timeout):
        # Who lets several threads use it, locks.
        options = {"timeout": timeout, "isolation_level": None}
        options["check_same_thread"] = False
        if way is None:
            # SQLite takes a name such as ":memory:" or "file:a" for no file's.
            return sqlite3.connect(os.path.abspath(self.path), **options)
        uri = f"file:{quote(os.path.realpath(self.path))}?{way}"
        connection = sqlite3.connect(uri, uri=True, **options)
        if way.endswith("-none"):
            connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        return connection

    @property
    def is_open(self):
        return self._connection is not None

    def close(self):
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def read(self, query, values=()):
        """Names of the columns, and rows, of a statement that only reads."""
        with (
            self._explained(),
            closing(self._checked().execute(query, values)) as found,
        ):
            return [column[0] for column in found.description], found.fetchall()

    def check(self):
        """Raise a `StoreError` if the file is damaged."""
        _, ((first, *_), *_) = self.read("PRAGMA integrity_check(1)")
        if first != "ok":
            raise self.damage(first)

    def damage(self, reason):
        """The error that the file is damaged."""
        return self._error(reason, "SQLITE_CORRUPT")

    @contextmanager
    def transaction(self):
        """A transaction that writes. It waits for others that write."""
        connection = self._checked()
        if self._why_read_only is not None:
            raise self._why_read_only
        with self._explained():
            # Ctrl-C may have come just after the beginning of one.
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            try:
                connection.execute("BEGIN IMMEDIATE")
                self._check_places()
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                # If the disk is full, SQLite has rolled back already.
                with suppress(sqlite3.Error):
                    connection.execute("ROLLBACK")
                raise

    def _check_places(self):
        """Raise if the file, or SQLite's own beside it, is another one than before.

        SQLite would go on to write where nobody finds it.
        """
        real = os.path.realpath(self.path)
        found = [_identity(f"{real}{suffix}") for suffix in ("", "-wal", "-shm")]
        if self._places is None:
            self._places = found
        for before, now in zip(self._places, found, strict=True):
            if before is not None and before != now:
                raise self._error("it was deleted, moved or replaced", "MOVED")

    def _checked(self):
        if self._connection is None:
            raise ValueError(f"The {self._form.name} {str(self.path)!r} is closed.")
        return self._connection

    @contextmanager
    def _explained(self):
        try:
            yield
        except (sqlite3.IntegrityError, sqlite3.ProgrammingError):
            # A bug of ours, which no user can fix.
            raise
        except (sqlite3.Error, UnicodeDecodeError) as error:
            # Python's module raises errors without a name for text that is not UTF-8.
            name = getattr(error, "sqlite_errorname", "SQLITE_CORRUPT")
            raise self._error(error, name) from error

    def _error(self, error, name):
        hints = [hint for start, hint in _HINTS.items() if name.startswith(start)]
        reason = " ".join(str(error).split())
        hint = "".join(f" {hint}" for hint in hints)
        found = StoreError(
            f"The {self._form.name} {str(self.path)!r} does not work: {reason}.{hint}"
        )
        found.is_of_disk = name.startswith(_OF_DISK)
        return found


def _identity(path):
    """What tells a file from another one of the same name; None if there is none."""
    try:
        found = os.stat(path)
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


def is_writable(path):
    """Whether a file and its folder, where SQLite writes as well, are writable."""
    return os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)


def is_beside_a_store(path):
    """Whether SQLite, or a worker, has or would have a file of its own there."""
    path = Path(os.path.realpath(path))
    if path.parent.suffix == ".locks":
        return True
    found = re.fullmatch(r"(.+)-(?:wal|shm|journal)|(.+)\.locks", path.name)
    return found is not None and path.with_name(found[1] or found[2]).is_file()
