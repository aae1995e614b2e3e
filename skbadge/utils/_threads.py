"""How many threads numerical libraries use."""

import sys
import threading
from contextlib import ExitStack, contextmanager

from threadpoolctl import threadpool_limits


@contextmanager
def threads_limited(n_threads):
    """Limit the threads of BLAS, OpenMP and torch inside the block; None leaves them.

    Results are then the same bit for bit however many processes run side by side, for
    how a product is split among threads decides how it is rounded.
    """
    if n_threads is None:
        yield
        return
    torch = sys.modules.get("torch")
    n_before = None if torch is None else torch.get_num_threads()
    with threadpool_limits(n_threads):
        if torch is not None:
            torch.set_num_threads(n_threads)
        try:
            yield
        finally:
            if torch is not None:
                torch.set_num_threads(n_before)


class _OneThread:
    """Keeps numerical libraries to one thread for as long as somebody is inside."""

    def __init__(self):
        self._changed = threading.Condition()
        self._n_inside = self._n_starters = 0
        self._limit = ExitStack()

    def __enter__(self):
        with self._changed:
            if self._n_inside == 0:
                self._limit.enter_context(threads_limited(1))
            elif "torch" in sys.modules:
                # Each thread has a number of OpenMP's own.
                sys.modules["torch"].set_num_threads(1)
            self._n_inside += 1

    def __exit__(self, *error):
        with self._changed:
            self._n_inside -= 1
            if self._n_inside == 0:
                self._limit.close()
            self._changed.notify_all()

    @contextmanager
    def around_workers(self):
        """Be inside while workers are started, and until the last of them has left.

        After an error some may be at it still. The numbers of threads that are put back
        are those of the thread that does it, so it must not be one of them.
        """
        with self:
            with self._changed:
                self._n_starters += 1
            try:
                yield
            finally:
                with self._changed:
                    self._changed.wait_for(lambda: self._n_inside <= self._n_starters)
                    self._n_starters -= 1


# For workers that may be threads of one process: unlike `threads_limited`, which puts
# back what it found, it may be entered and left by several in any order.
one_thread = _OneThread()
