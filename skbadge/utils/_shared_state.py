"""State that all threads of a process share: one uses it at a time, and restores it.

That is the global random generators, and a module with its hooks, modes and flags while
it is read.
"""

import os
import random
import threading
from contextlib import contextmanager
from copy import copy

import numpy as np
import torch
from joblib import parallel_config
from joblib.parallel import BACKENDS, get_active_backend

# Re-entrant, because training and reading call each other. At module level, because an
# object with a lock cannot be pickled.
_lock = threading.RLock()


def _renew_lock():
    """Give a forked process a new lock: it has no thread to release the copied one."""
    global _lock
    _lock = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_lock)


@contextmanager
def exclusive():
    """Keep other threads out of what is shared.

    Jobs of joblib that would run in threads run one after another inside the block.
    Threads would wait for this one, and it for them.
    """
    with _lock:
        backend, _ = get_active_backend()
        if not getattr(backend, "supports_sharedmem", False):
            yield
            return
        with parallel_config(backend="sequential"):
            yield


@contextmanager
def one_job_a_process():
    """Let jobs that a job starts run one after another, in its process.

    joblib would run them in threads, which draw from the same generators.
    """
    backend, n_jobs = get_active_backend()
    backend = copy(backend)
    backend.get_nested_backend = lambda: (BACKENDS["sequential"](nesting_level=1), None)
    with parallel_config(backend=backend, n_jobs=n_jobs):
        yield


@contextmanager
def seeded(seed):
    """Seed NumPy's, Python's and torch's generators, and restore them in the end.

    None does not touch them. Other threads are kept out in either case.
    """
    with exclusive():
        if seed is None:
            yield
            return
        found = generator_states()
        try:
            seed_generators(seed)
            yield
        finally:
            restore_generators(found)


def seed_generators(seed):
    """Seed NumPy's, Python's and torch's generators by an int of 32 bits."""
    np.random.seed(seed)  # noqa: NPY002
    random.seed(seed)
    if _has_devices():
        torch.manual_seed(seed)
    else:
        # The same without a note of the stack for each kind of device there might be,
        # which takes longer than to read a small chunk of rows.
        torch.default_generator.manual_seed(seed)


def _has_devices():
    """Whether torch has generators other than the one of main memory."""
    kinds = (torch.cuda, torch.xpu, torch.backends.mps)
    return any(kind.is_available() for kind in kinds)


def generator_states():
    """The states of NumPy's, Python's and torch's generators, CUDA's included."""
    uses_cuda = torch.cuda.is_available() and torch.cuda.is_initialized()
    return (
        np.random.get_state(),  # noqa: NPY002
        random.getstate(),
        torch.get_rng_state(),
        torch.cuda.get_rng_state_all() if uses_cuda else [],
    )


def restore_generators(states):
    """Restore the generators to what `generator_states` returned."""
    np.random.set_state(states[0])  # noqa: NPY002
    random.setstate(states[1])
    torch.set_rng_state(states[2])
    if states[3]:
        torch.cuda.set_rng_state_all(states[3])
