"""WholeLock: a lock of the operating system that Ctrl-C finds taken or free."""

import _thread
import math
import threading
import time

# Seconds between two looks at a lock that somebody else has.
_PAUSE = 0.05


class WholeLock:
    """A lock of the operating system that Ctrl-C finds taken or free, never in between.

    `filelock` guards what it keeps by locks of its own. Ctrl-C in the middle of that
    would leave them locked, and the next use of any file lock in the process would wait
    for ever. An interrupt reaches the main thread only, so that another one does it.

    Parameters
    ----------
    make : callable
        Returns the `filelock.FileLock`.
    """

    def __init__(self, make):
        self._make, self._lock, self._is_given_up = make, None, False
        # For threads that no interrupt reaches.
        self._one_at_a_time = threading.Lock()

    @property
    def is_soft(self):
        """Whether it is a file only, as the file system has no locks."""
        return type(self._lock).__name__ == "SoftFileLock"

    def acquire(self, timeout=-1, blocking=True):
        """Take it, or raise `TimeoutError`; by default, wait as long as it takes."""
        end = time.monotonic() + timeout if timeout >= 0 else math.inf
        while True:
            try:
                uninterrupted(self._acquire)
                return
            except TimeoutError:
                if not blocking or time.monotonic() >= end:
                    raise
            time.sleep(_PAUSE)

    def release(self):
        """Give it up, for good."""
        try:
            uninterrupted(self._release)
        finally:
            if self._lock is not None:
                # Ctrl-C came before it was begun.
                uninterrupted(self._release)

    def _acquire(self):
        with self._one_at_a_time:
            # Else whoever began this was interrupted, and has released it.
            is_taken = self._is_given_up
            if not is_taken:
                lock = self._make()
                try:
                    lock.acquire(blocking=False)
                    self._lock = lock
                except TimeoutError:
                    is_taken = True
        if is_taken:
            # Not its own, which would keep the lock till the main thread ends that.
            raise TimeoutError("The file is locked.")

    def _release(self):
        with self._one_at_a_time:
            self._is_given_up = True
            lock, self._lock = self._lock, None
            if lock is not None:
                lock.release(force=True)


def uninterrupted(call):
    """What a call returns or raises, done as a whole even if Ctrl-C comes meanwhile.

    The interrupt is raised afterwards. An interrupt just as it begins is raised at
    once, and the call may go on beside it.
    """
    if threading.current_thread() is not threading.main_thread():
        return call()
    found, interrupt = [], None
    is_done = _thread.allocate_lock()
    is_done.acquire()

    def do():
        try:
            found.append((call(), None))
        except BaseException as error:
            found.append((None, error))
        is_done.release()

    # Plain threads and locks: those of `threading` are not safe from interrupts.
    _thread.start_new_thread(do, ())
    while not found:
        try:
            is_done.acquire()
        except BaseException as error:
            interrupt = error
    value, failure = found.pop()
    if interrupt is not None:
        raise interrupt
    if failure is not None:
        raise failure
    return value
