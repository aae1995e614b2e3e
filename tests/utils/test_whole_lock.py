"""Locks of files that Ctrl-C finds taken or free."""

import random
import signal
import threading
from functools import partial

import pytest

from skbadge.utils._whole_lock import WholeLock, uninterrupted

filelock = pytest.importorskip("filelock")


class Interrupt(BaseException):
    pass


def interrupt(*_):
    raise Interrupt


def lock_of(path):
    return WholeLock(partial(filelock.FileLock, path, thread_local=False))


@pytest.fixture
def storm():
    """Interrupts what it is given at an instant that it draws; says if it did."""
    rng, before = random.Random(0), signal.signal(signal.SIGALRM, interrupt)

    def run(call, longest):
        try:
            signal.setitimer(signal.ITIMER_REAL, 1e-6 + rng.random() * longest)
            call()
            signal.setitimer(signal.ITIMER_REAL, 0)
        except Interrupt:
            return True
        return False

    yield run
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


def test_interrupts_leave_no_lock_behind(tmp_path, storm):
    def turn():
        lock = lock_of(tmp_path / "a.lock")
        try:
            lock.acquire()
        finally:
            lock.release()

    n_interrupts = sum(storm(turn, 1e-3) for _ in range(600))
    assert n_interrupts > 50
    # Neither that of the file nor those that filelock keeps for the process.
    thread = threading.Thread(target=turn, daemon=True)
    thread.start()
    thread.join(60)
    assert not thread.is_alive()


def test_what_was_begun_is_done_as_a_whole(storm):
    counts = [0, 0]

    def count():
        for i in range(2):
            counts[i] += sum(range(300)) > 0

    begun = 0
    for _ in range(300):
        begun += 1
        storm(partial(uninterrupted, count), 3e-4)
    # An interrupt before it begins keeps it from being done.
    assert counts[0] == counts[1] <= begun
    assert counts[0] > 100


def test_a_lock_excludes_others_until_it_is_released(tmp_path):
    one, other = lock_of(tmp_path / "a.lock"), lock_of(tmp_path / "a.lock")
    one.acquire()
    with pytest.raises(TimeoutError):
        other.acquire(blocking=False)
    with pytest.raises(TimeoutError):
        other.acquire(0.1)
    one.release()
    other.acquire(0)
    assert not other.is_soft
    other.release()


def test_errors_are_those_of_the_call():
    def fail():
        raise KeyError("a")

    with pytest.raises(KeyError, match="a"):
        uninterrupted(fail)
    assert uninterrupted(lambda: 3) == 3
