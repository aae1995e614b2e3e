"""LifeLock: a process's sign of life, which the operating system ends with it."""

import os
import socket
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from stat import S_IMODE
from uuid import uuid4

from skbadge.utils._database import StoreError
from skbadge.utils._optional import import_optional
from skbadge.utils._whole_lock import WholeLock


class LifeLock:
    """A file that a worker on a store keeps locked for as long as it lives.

    The operating system frees the lock of a process that ends in whatever way, so
    that no clock and no heartbeat decides whether a worker is dead. The caller lets
    one worker at a time call `acquire`, `is_held`, `release` and `tidy`, by a
    transaction on the store: only then can a file be deleted without another worker
    locking it at that moment.

    Parameters
    ----------
    store : path-like
        The file. Beside it is a folder of the lock files of all workers, made when
        needed and removed when empty. Whoever may write to the store may lock, too.

    extra : str
        The extra of this package that installs what it needs.
    """

    def __init__(self, store, *, extra):
        # One folder, whatever links lead to the file, as SQLite has one log.
        self._store = Path(os.path.realpath(store))
        self.folder = Path(f"{self._store}.locks")
        self._process, self._extra = os.getpid(), extra
        self.name = f"{socket.gethostname()}-{os.getpid()}-{uuid4().hex[:12]}"
        self._lock = None

    def acquire(self):
        """Lock the file, unless it is locked by this worker already."""
        if self._lock is None:
            self._make_folder()
            lock = self.shared(f"{self.name}.lock")
            try:
                with self.locking(lock):
                    lock.acquire(blocking=False)
            except TimeoutError as error:
                # Nobody else has this name: so filelock before 3.24 says that there
                # are no locks.
                raise self._error("the file system has no locks") from error
            self._lock = lock

    def _make_folder(self):
        mode = self._mode()
        try:
            self.folder.mkdir()
        except FileExistsError:
            if not self.folder.is_dir():
                raise
        else:
            # Who may read files there may look for them.
            self.folder.chmod(0o700 | mode | (mode & 0o444) >> 2)

    def _mode(self):
        return S_IMODE(self._store.stat().st_mode) & 0o666

    def has_file(self, name):
        """Whether the worker of that name lives, or was killed and not yet missed."""
        return self._path(name).exists()

    def is_held(self, name):
        """Whether the worker of that name lives; the file of a dead one is deleted."""
        if name == self.name:
            return self._lock is not None
        if not self.has_file(name):
            return False
        lock = self.shared(f"{name}.lock")
        try:
            with self.locking(lock):
                lock.acquire(blocking=False)
        except TimeoutError:
            return True
        self._delete(lock, name)
        return False

    def release(self):
        """Give up the lock and delete the file."""
        # A fork has the lock of the process that it is of, and may not free it.
        if self._lock is not None and self._process == os.getpid():
            self._delete(self._lock, self.name)
            self._lock = None

    def delete_dead(self):
        """Delete the files of dead workers, which may be done at any time."""
        for path in self.folder.glob("*.lock"):
            self.is_held(path.stem)

    def tidy(self, *others):
        """Delete the files of dead workers, and the folder if none is left.

        ``others`` are files in it that the workers share.
        """
        self.delete_dead()
        if not any(self.folder.glob("*.lock")):
            for name in others:
                (self.folder / name).unlink(missing_ok=True)
        with suppress(OSError):
            self.folder.rmdir()

    def _path(self, name):
        return self.folder / f"{name}.lock"

    def shared(self, file):
        """A `WholeLock` by a file in the folder."""
        filelock = import_optional(
            "filelock", extra=self._extra, purpose="A worker on a store"
        )
        # A lock file is written by its owner, though root alone may write to the store.
        # Not per thread, as is the default: any thread may release it.
        options = {"mode": self._mode() | 0o600, "thread_local": False}
        return WholeLock(partial(filelock.FileLock, self.folder / file, **options))

    @contextmanager
    def locking(self, lock):
        """Say what to do if a lock cannot be had, other than that somebody has it."""
        try:
            yield
        except TimeoutError:
            raise
        except (OSError, NotImplementedError) as error:
            raise self._error(error) from error
        if lock.is_soft:
            # It would outlive its process.
            lock.release()
            raise self._error("the file system has no locks")

    def _error(self, reason):
        return StoreError(
            f"Nothing can be locked in {str(self.folder)!r}: {reason}. It must be "
            "writable, and on a disk of this machine."
        )

    def _delete(self, lock, name):
        lock.release()
        self._path(name).unlink(missing_ok=True)
