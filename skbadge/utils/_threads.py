"""How many threads numerical libraries use."""

import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, nullcontext
from weakref import ref

from threadpoolctl import ThreadpoolController

# A product of so many terms takes one thread about a tenth of a millisecond, if it is
# one of matrices.
MANY_TERMS = 2**22

# Threads of `in_threads`, each of which holds blocks of its own, and the terms that are
# worth them: some milliseconds.
MOST_THREADS, WORTH_THREADS = 4, 2**25


class _Libraries:
    """The numerical libraries that are loaded; to look for them takes milliseconds."""

    def __init__(self):
        self._n_modules, self._found = 0, None

    def of(self, user_api):
        """Those that are "blas" or "openmp", a controller of them."""
        # A library comes with a module that was not there before.
        if self._n_modules != len(sys.modules):
            self._n_modules, self._found = len(sys.modules), ThreadpoolController()
        return self._found.select(user_api=user_api)


class _Entry:
    """Somebody inside a limit."""

    def __init__(self, n_threads):
        self.thread, self.n_threads = threading.get_ident(), n_threads


class _BlasLimits:
    """Limits of the threads of BLAS, which threads enter and leave in any order.

    BLAS has one number for the whole process. The first to enter notes it, the least of
    the limits holds while anybody is inside, and the last to leave puts the number
    back: each for itself would put back what another had set.

    Ctrl-C may come at any line. So an entry is over at the latest when the block that
    holds it is gone, and what was noted is kept until it is put back: when the next one
    enters or leaves, if not at once.
    """

    def __init__(self):
        self._lock = threading.Lock()
        # References to entries, the limits that were set since there was none, and of
        # each library its number before.
        self._inside, self._ours, self._before = [], set(), []

    @contextmanager
    def at_most(self, n_threads):
        """Keep BLAS to so many threads inside the block."""
        entry = _Entry(n_threads)
        try:
            with self._lock:
                if not self._entries():
                    # Puts back what was not, for Ctrl-C.
                    self._set()
                    blas = libraries.of("blas").lib_controllers
                    self._before = [(each, each.get_num_threads()) for each in blas]
                self._inside.append(ref(entry))
                self._set()
            yield
        finally:
            with self._lock:
                self._keep(lambda each: each is not entry)

    def n_threads(self):
        """How many threads BLAS uses now; 1 where that is not known."""
        blas = libraries.of("blas").lib_controllers
        return max((each.get_num_threads() for each in blas), default=1)

    def renew(self):
        """Give a forked process a new lock, and forget threads that are not in it."""
        self._lock = threading.Lock()
        own = threading.get_ident()
        self._keep(lambda each: each.thread == own)

    def _entries(self):
        """Those inside."""
        return [entry for each in self._inside if (entry := each()) is not None]

    def _keep(self, is_inside):
        """Let the others out."""
        self._inside = [ref(each) for each in self._entries() if is_inside(each)]
        self._set()

    def _set(self):
        least = min((each.n_threads for each in self._entries()), default=None)
        if least is not None:
            self._ours.add(least)
        for library, before in self._before:
            if least is not None:
                library.set_num_threads(least)
            # A number that is not ours was set by others since, as scikit-learn does.
            elif library.get_num_threads() in self._ours:
                library.set_num_threads(before)
        if least is None:
            self._before, self._ours = [], set()


libraries, blas_limits = _Libraries(), _BlasLimits()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=blas_limits.renew)


def small_products(n_terms=0):
    """Keep BLAS to one thread inside the block, for a loop of small products.

    To wake other threads takes longer than such a product. While they wait for the next
    one, for some hundredths of a second, they take time from those of other libraries:
    OpenMP's, and SciPy's, which has a BLAS of its own beside NumPy's. So bulk products
    are NumPy's, and what only SciPy can do is done in here, unless it takes long. To be
    entered around a loop, and left for large products. Other threads of the process are
    limited too.

    Parameters
    ----------
    n_terms : int, default=0
        How many products of numbers the largest product of the loop has, for a
        decomposition the entries of the matrix. If these are many, nothing is limited.
    """
    return nullcontext() if n_terms >= MANY_TERMS else blas_limits.at_most(1)


def in_threads(function, parts, n_terms):
    """Call a function with each of some parts, in a few threads.

    These are no more than BLAS would use, which uses one in each. For work that is made
    of many small operations of NumPy's: no library shares it out, and NumPy lets other
    threads run meanwhile. The results do not depend on the number of threads.

    Parameters
    ----------
    function : callable
        Takes a part. Returns nothing, and writes nowhere where it does not alone.

    parts : iterable
        Such as slices of rows.

    n_terms : int
        How many products of numbers are formed in all. If these are few, it is done in
        this thread: to start others takes as long.
    """
    parts, n_threads = list(parts), 1
    if n_terms >= WORTH_THREADS:
        n_threads = min(blas_limits.n_threads(), MOST_THREADS, len(parts))
    with small_products():
        if n_threads > 1:
            with ThreadPoolExecutor(n_threads) as pool:
                # As a list, so that errors are raised.
                list(pool.map(function, parts))
            return
        for part in parts:
            function(part)


@contextmanager
def threads_limited(n_threads):
    """Limit the threads of BLAS, OpenMP and torch inside the block; None leaves them.

    Results are then the same bit for bit however many processes run side by side, for
    how a product is split among threads decides how it is rounded.
    """
    if n_threads is None:
        yield
        return
    n_threads = int(n_threads)
    torch = sys.modules.get("torch")
    n_before = None if torch is None else torch.get_num_threads()
    openmp = libraries.of("openmp").limit(limits=n_threads)
    with blas_limits.at_most(n_threads), openmp:
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
