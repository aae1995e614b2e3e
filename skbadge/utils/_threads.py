"""How many threads numerical libraries use."""

import sys
from contextlib import contextmanager

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
