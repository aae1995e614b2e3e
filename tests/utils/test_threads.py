"""How many threads numerical libraries use."""

from threading import Barrier, Thread

import pytest
import torch

from skbadge.utils._threads import one_thread


@pytest.fixture
def three_threads():
    found = torch.get_num_threads()
    torch.set_num_threads(3)
    yield
    torch.set_num_threads(found)


def test_one_thread_is_entered_and_left_by_several_in_any_order(three_threads):
    both_inside, first_left = Barrier(2, timeout=60), Barrier(2, timeout=60)
    seen = []

    def first():
        with one_thread:
            both_inside.wait()
        first_left.wait()

    def second():
        with one_thread:
            both_inside.wait()
            first_left.wait()
            seen.append(torch.get_num_threads())

    threads = [Thread(target=first), Thread(target=second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [1]
    assert torch.get_num_threads() == 3


def test_a_thread_that_comes_again_is_limited_too(three_threads):
    other_inside, done = Barrier(2, timeout=60), Barrier(2, timeout=60)

    def other():
        with one_thread:
            other_inside.wait()
            done.wait()

    with one_thread:
        pass
    thread = Thread(target=other)
    thread.start()
    other_inside.wait()
    with one_thread:
        # OpenMP has a number for each thread, and this thread's was put back.
        seen = torch.get_num_threads()
    done.wait()
    thread.join()
    assert seen == 1


def test_one_thread_is_left_after_an_error(three_threads):
    def fail():
        with one_thread:
            assert torch.get_num_threads() == 1
            raise ArithmeticError

    with pytest.raises(ArithmeticError):
        fail()
    assert torch.get_num_threads() == 3
