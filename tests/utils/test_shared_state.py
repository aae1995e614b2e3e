"""Global generators and the lock that keeps threads apart."""

import multiprocessing
import random
import sys
import threading

import numpy as np
import pytest
import torch
from joblib import Parallel, delayed, parallel_config

from skbadge.utils._shared_state import exclusive, seeded

DRAWS = {
    "numpy": lambda: np.random.rand(3).tolist(),
    "python": lambda: [random.random() for _ in range(3)],
    "torch": lambda: torch.rand(3).tolist(),
}


@pytest.fixture(params=DRAWS.values(), ids=DRAWS.keys())
def draw(request):
    with seeded(1):
        yield request.param


def test_generators_are_seeded_inside_and_put_back_after(draw):
    with seeded(5):
        draw()
        expected = draw()
    with seeded(5):
        draw()
        with seeded(11):
            first = draw()
        assert draw() == expected
    with seeded(11):
        assert draw() == first
    with seeded(12):
        assert draw() != first


@pytest.mark.skipif(torch.cuda.is_available(), reason="torch itself seeds devices")
def test_torch_is_seeded_as_it_seeds_itself_and_keeps_no_notes():
    with torch.random.fork_rng():
        torch.manual_seed(3)
        expected = torch.rand(4)
    n_notes = len(torch.cuda._queued_calls)
    with seeded(3):
        assert torch.equal(torch.rand(4), expected)
    # One for each chunk of a pool would pile up.
    assert len(torch.cuda._queued_calls) == n_notes


def test_generators_are_put_back_after_an_error(draw):
    with seeded(5):
        expected = draw()
    with seeded(5):
        with pytest.raises(RuntimeError, match="shape"), seeded(11):
            torch.rand(3).reshape(2)
        assert draw() == expected


def test_no_seed_leaves_generators_alone(draw):
    with seeded(5):
        expected = draw(), draw()
    with seeded(5):
        first = draw()
        with seeded(None):
            assert (first, draw()) == expected


def test_one_thread_at_a_time_is_inside():
    inside, most = [], []

    def enter(seed):
        with seeded(seed):
            inside.append(seed)
            most.append(len(inside))
            torch.rand(1000).sort()
            inside.pop()

    threads = [threading.Thread(target=enter, args=(i or None,)) for i in range(8)]
    found = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for thread in threads:
            thread.start()
    finally:
        for thread in threads:
            thread.join()
        sys.setswitchinterval(found)
    assert most == [1] * 8


def test_jobs_in_threads_run_one_after_another_inside():
    # They may need the lock that the thread holds which waits for them.
    def job():
        with exclusive():
            return threading.get_ident()

    with parallel_config(backend="threading", n_jobs=2):
        with exclusive():
            threads = Parallel(n_jobs=2)(delayed(job)() for _ in range(4))
        assert set(threads) == {threading.get_ident()}


def _enter(queue):
    with exclusive():
        queue.put("entered")


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@pytest.mark.skipif(
    "fork" not in multiprocessing.get_all_start_methods(), reason="cannot fork"
)
def test_a_forked_process_does_not_wait_for_threads_it_does_not_have():
    context = multiprocessing.get_context("fork")
    held, done = threading.Event(), threading.Event()

    def hold():
        with exclusive():
            held.set()
            done.wait()

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait()
    queue = context.SimpleQueue()
    process = context.Process(target=_enter, args=(queue,))
    process.start()
    process.join(timeout=30)
    is_alive = process.is_alive()
    process.kill()
    done.set()
    thread.join()
    assert not is_alive
    assert queue.get() == "entered"
