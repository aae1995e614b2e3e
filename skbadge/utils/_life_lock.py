"""LifeLock: a process's sign of life, which the operating system ends with it."""

import os
import socket
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

from skbadge.utils._optional import import_optional


class LifeLock:
    """A file that a worker on a store keeps locked for as long as it lives.

    The operating system frees the lock of a process that ends in whatever way, so
    that no clock and no heartbeat decides whether a worker is dead. The caller lets
    one worker at a time call `acquire`, `is_held`, `release` and `tidy`, by a
    transaction on the store: only then can a file be deleted without another worker
    locking it at that moment.

    Parameters
    ----------
    folder : path-like
        Of the lock files of all workers. Made when needed and removed when empty.
    """

    def __init__(self, folder):
        self.folder = Path(folder)
        self.name = f"{socket.gethostname()}-{os.getpid()}-{uuid4().hex[:12]}"
        self._lock = None

    def acquire(self):
        """Lock the file, unless it is locked by this worker already."""
        if self._lock is None:
            self.folder.mkdir(exist_ok=True)
            lock = self._file_lock(self.name)
            lock.acquire()
            self._lock = lock

    def has_file(self, name):
        """Whether the worker of that name lives, or was killed and not yet missed."""
        return self._path(name).exists()

    def is_held(self, name):
        """Whether the worker of that name lives; the file of a dead one is deleted."""
        if name == self.name:
            return self._lock is not None
        if not self.has_file(name):
            return False
        lock = self._file_lock(name)
        try:
            lock.acquire()
        except TimeoutError:
            return True
        self._delete(lock, name)
        return False

    def release(self):
        """Give up the lock and delete the file."""
        if self._lock is not None:
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

    def _file_lock(self, name):
        filelock = import_optional(
            "filelock", extra="examples", purpose="A worker on a store"
        )
        # Not per thread, as is the default: any thread may release it.
        return filelock.FileLock(self._path(name), blocking=False, thread_local=False)

    def _delete(self, lock, name):
        lock.release()
        self._path(name).unlink(missing_ok=True)
