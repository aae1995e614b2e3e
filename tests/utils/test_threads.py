"""How many threads numerical libraries use."""

import os
import signal
from pathlib import Path
from threading import Barrier, Lock, Thread, get_ident
from time import sleep

import numpy as np
import pytest
import torch
from threadpoolctl import ThreadpoolController, threadpool_limits

import skbadge
from skbadge.embeddings import (
    DenseEmbedding,
    OuterProductEmbedding,
    fisher_embedding,
)
from skbadge.embeddings._fisher_base import FactoredFisher
from skbadge.samplers import KDPP, Herding, KCenter, MaxDet, bait_greedy
from skbadge.samplers._herding import _Herd
from skbadge.samplers._k_center import _Traversal
from skbadge.samplers._max_det import _Elimination
from skbadge.utils._threads import (
    MANY_TERMS,
    MOST_THREADS,
    WORTH_THREADS,
    blas_limits,
    in_threads,
    one_thread,
    small_products,
    threads_limited,
)


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


@pytest.fixture
def two_blas_threads():
    with threadpool_limits(2, user_api="blas"):
        yield


def blas_threads():
    """The numbers of threads of all libraries of BLAS."""
    blas = ThreadpoolController().select(user_api="blas")
    return {library.get_num_threads() for library in blas.lib_controllers}


def test_small_products_keep_every_blas_to_one_thread(two_blas_threads):
    with small_products():
        with small_products():
            assert blas_threads() == {1}
        assert blas_threads() == {1}
    assert blas_threads() == {2}


def test_products_of_many_terms_are_not_limited(two_blas_threads):
    with small_products(MANY_TERMS):
        assert blas_threads() == {2}
    with small_products(MANY_TERMS - 1):
        assert blas_threads() == {1}


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs Unix")
def test_small_products_are_left_after_ctrl_c_at_any_line(two_blas_threads):
    rng, n_interrupts = np.random.default_rng(0), 0

    def interrupt(*_):
        raise KeyboardInterrupt

    # The libraries are looked for once, which takes longer than an interrupt.
    with small_products():
        pass
    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        while n_interrupts < 2000:
            try:
                signal.setitimer(signal.ITIMER_REAL, 1e-6 + rng.random() * 2e-4)
                while True:
                    with small_products(), small_products():
                        pass
            except KeyboardInterrupt:
                n_interrupts += 1
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    with small_products():
        assert blas_threads() == {1}
    assert blas_threads() == {2}


def test_small_products_are_left_after_an_error(two_blas_threads):
    def fail():
        with small_products():
            raise ArithmeticError

    with pytest.raises(ArithmeticError):
        fail()
    assert blas_threads() == {2}


@pytest.mark.parametrize("limit", [small_products, lambda: threads_limited(1)])
def test_the_last_of_several_threads_puts_back_what_the_first_found(
    limit, two_blas_threads
):
    is_inside, other_inside, is_outside = (Barrier(2, timeout=60) for _ in range(3))
    seen = []

    def first():
        with limit():
            is_inside.wait()
            other_inside.wait()
        seen.append(blas_threads())
        is_outside.wait()

    thread = Thread(target=first)
    thread.start()
    is_inside.wait()
    # This one finds one thread as it comes.
    with small_products():
        other_inside.wait()
        is_outside.wait()
        assert blas_threads() == {1}
    thread.join()
    assert seen == [{1}]
    assert blas_threads() == {2}


def test_numbers_that_others_have_set_since_are_left(two_blas_threads):
    with small_products():
        threadpool_limits(3, user_api="blas")
    assert blas_threads() == {3}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_process_forgets_threads_that_it_has_not(two_blas_threads):
    is_inside, done = Barrier(2, timeout=60), Barrier(2, timeout=60)

    def other():
        with small_products():
            is_inside.wait()
            done.wait()

    thread = Thread(target=other)
    thread.start()
    is_inside.wait()
    child = os.fork()
    if not child:
        is_right = blas_threads() == {2}
        with small_products():
            is_right &= blas_threads() == {1}
        os._exit(0 if is_right and blas_threads() == {2} else 1)
    done.wait()
    thread.join()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_threads_are_no_more_than_blas_would_use(two_blas_threads):
    lock, seen, done = Lock(), set(), np.zeros(40)

    def work(part):
        # Long enough for every thread to get some.
        sleep(0.001)
        with lock:
            seen.add((get_ident(), *blas_threads()))
        done[part] += 1

    in_threads(work, range(40), WORTH_THREADS)
    assert done.tolist() == [1] * 40
    assert 1 <= len(seen) <= 2
    assert {threads for _, threads in seen} == {1}
    assert get_ident() not in {thread for thread, _ in seen}
    seen.clear()
    with small_products():
        in_threads(work, range(40), WORTH_THREADS)
    assert seen == {(get_ident(), 1)}
    seen.clear()
    in_threads(work, range(40), WORTH_THREADS - 1)
    assert seen == {(get_ident(), 1)}
    seen.clear()
    with threadpool_limits(MOST_THREADS + 4, user_api="blas"):
        in_threads(work, range(40), WORTH_THREADS)
    assert len(seen) <= MOST_THREADS
    assert blas_threads() == {2}


def test_an_error_in_one_of_the_threads_is_raised(two_blas_threads):
    def work(part):
        if part == 7:
            raise ArithmeticError

    with pytest.raises(ArithmeticError):
        in_threads(work, range(20), WORTH_THREADS)
    assert blas_threads() == {2}


def rows_of(n_rows=600, n_columns=8):
    return np.random.default_rng(0).normal(size=(n_rows, n_columns))


def fisher():
    proba = np.abs(rows_of(600, 3)) + 0.1
    return fisher_embedding(proba / proba.sum(axis=1, keepdims=True), rows_of())


# Where the small products of each are formed.
LOOPS = {
    "max_det": (
        (_Elimination, "_lower"),
        lambda: MaxDet().sample(OuterProductEmbedding(rows_of(), rows_of()), 30),
    ),
    "max_det_entering": (
        (_Elimination, "_basis_cross"),
        lambda: MaxDet().sample(
            OuterProductEmbedding(rows_of(3000, 20), rows_of(3000, 21)), 150
        ),
    ),
    "k_center": (
        (_Traversal, "_lower"),
        lambda: KCenter().sample(DenseEmbedding(rows_of()), 30),
    ),
    "herding": (
        (_Herd, "_lower"),
        lambda: Herding().sample(DenseEmbedding(np.abs(rows_of())), 5),
    ),
    "bait": ((FactoredFisher, "products"), lambda: bait_greedy(fisher(), 5)),
}


@pytest.mark.parametrize("name", LOOPS)
def test_loops_of_small_products_run_on_one_thread(name, monkeypatch, two_blas_threads):
    (owner, method), select = LOOPS[name]
    formed, seen = getattr(owner, method), []

    def spy(*args):
        seen.append(blas_threads())
        return formed(*args)

    monkeypatch.setattr(owner, method, spy)
    select()
    assert len(seen) >= 2
    assert all(threads == {1} for threads in seen)
    assert blas_threads() == {2}


def test_few_limits_are_set_for_many_picks(monkeypatch):
    entered = []
    at_most = blas_limits.at_most

    def counted(n_threads):
        entered.append(n_threads)
        return at_most(n_threads)

    monkeypatch.setattr(blas_limits, "at_most", counted)
    embedding = DenseEmbedding(rows_of(2000, 3))
    KCenter().sample(embedding, 200)
    assert 1 <= len(entered) <= 100


def test_large_products_keep_all_threads(monkeypatch, two_blas_threads):
    cross, seen = DenseEmbedding.cross, []

    def spy(self, other):
        seen.append((len(self) * len(other) * self.shape[1], *blas_threads()))
        return cross(self, other)

    monkeypatch.setattr(DenseEmbedding, "cross", spy)
    embedding = DenseEmbedding(rows_of(4000, 400))
    MaxDet().sample(embedding, 300, labeled=DenseEmbedding(rows_of(64, 400)))
    KDPP().sample(embedding, 5, random_state=0)
    large = {threads for terms, threads in seen if terms >= MANY_TERMS}
    small = {threads for terms, threads in seen if terms < MANY_TERMS // 100}
    assert large == {2}
    assert 1 in small


def test_what_is_scipys_runs_on_one_thread_unless_it_takes_long():
    folder = Path(skbadge.__file__).parent
    texts = {path: path.read_text() for path in folder.rglob("*.py")}
    users = {path: text for path, text in texts.items() if "scipy.linalg" in text}
    assert users
    for path, text in users.items():
        assert "with small_products(" in text, path
