"""What a long call says while it is under way."""

from contextlib import contextmanager
from contextvars import ContextVar
from time import monotonic

# Seconds between two lines, and before the first.
PAUSE = 10.0

# Who is told in this thread; None for nobody. Other threads and processes say nothing.
_listener: ContextVar = ContextVar("listener", default=None)


class _Listener:
    """Says what it is told, if it has said nothing for a while."""

    def __init__(self, say):
        self._say, self._n_picked = say, 0
        self._start = self._last = monotonic()

    def hear(self, text, *values):
        now = monotonic()
        if now - self._last >= PAUSE:
            self._last = now
            self._say(f"{text.format(*values)}, {now - self._start:.0f} s")

    def count(self):
        self._n_picked += 1
        self.hear("{:,} rows picked", self._n_picked)


@contextmanager
def said_by(say):
    """Let a function say, now and then, how far things are inside the block.

    None says nothing, whatever was said outside.
    """
    token = _listener.set(None if say is None else _Listener(say))
    try:
        yield
    finally:
        _listener.reset(token)


def under_way(text, *values):
    """Tell how far something is: a format, and the values in it."""
    listener = _listener.get()
    if listener is not None:
        listener.hear(text, *values)


def one_more_picked():
    """Tell that a row was picked."""
    listener = _listener.get()
    if listener is not None:
        listener.count()
