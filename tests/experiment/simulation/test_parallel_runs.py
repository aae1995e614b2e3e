"""Tasks whose workers die. Here they say so themselves, in this process."""

from collections import Counter
from concurrent.futures.process import BrokenProcessPool
from functools import partial

import pytest

from skbadge.experiment import ResultStore
from skbadge.experiment.simulation import _parallel_runs
from skbadge.experiment.simulation._parallel_runs import run_surviving, work_off

CALLS = Counter()


def call(name, dies=0):
    """Return the name; as many first calls as said die."""
    CALLS[name] += 1
    if CALLS[name] <= dies:
        raise BrokenProcessPool(name)
    return name


@pytest.fixture(autouse=True)
def _anew():
    CALLS.clear()


@pytest.mark.parametrize("n_deaths", [1, 2])
def test_a_task_whose_worker_dies_by_chance_is_done_in_the_end(n_deaths):
    tasks = [partial(call, "a"), partial(call, "b", n_deaths), partial(call, "c")]
    assert run_surviving(tasks, n_jobs=1, verbose=0) == ["a", "b", "c"]
    # What was done is not done again.
    assert {"a": 1, "b": n_deaths + 1, "c": 1} == CALLS


def test_a_task_that_always_kills_its_worker_stops_none_of_the_others():
    tasks = [partial(call, "a"), partial(call, "b", 99), partial(call, "c")]
    first, error, last = run_surviving(tasks, n_jobs=1, verbose=0)
    assert (first, last) == ("a", "c")
    assert isinstance(error, BrokenProcessPool)
    assert CALLS == {"a": 1, "b": 3, "c": 1}


def do(outcome, claim):
    CALLS[claim.hash] += 1
    if outcome == "done":
        claim.finish()
        return True
    claim.release()
    return ValueError(outcome)


def test_runs_of_a_store_end_done_or_failed_or_are_refused_once(tmp_path, monkeypatch):
    here = _parallel_runs._here

    def die_or_do(path, run, task):
        if task.args == ("dies",):
            raise BrokenProcessPool("before it could claim anything")
        return here(path, run, task)

    monkeypatch.setattr(_parallel_runs, "_here", die_or_do)
    path = tmp_path / "results.db"
    outcomes = ["dies", "done", "refused", "done", "dies"]
    labels = {"dataset": "d", "model": "m", "strategy": "s", "n_query": 1, "seed": 0}
    with ResultStore(path) as store:
        runs = store.add(labels | {"repeat": i} for i in range(5))
        tasks = {
            run: partial(do, outcome)
            for run, outcome in zip(runs, outcomes, strict=True)
        }
        refusals = work_off(store, tasks, n_jobs=1, verbose=0)
        assert store.counts() == {"pending": 1, "running": 0, "done": 2, "failed": 2}
        assert store.failures_frame()["repeat"].tolist() == [0, 4]
    assert {run: str(error) for run, error in refusals.items()} == {runs[2]: "refused"}
    assert CALLS[runs[2]] == 1


def test_an_interruption_frees_the_runs_and_holds_nothing_against_them(tmp_path):
    path = tmp_path / "results.db"
    labels = {"dataset": "d", "model": "m", "strategy": "s", "n_query": 1, "seed": 0}

    def interrupt(claim):
        raise KeyboardInterrupt

    with ResultStore(path) as store:
        (run,) = store.add([labels | {"repeat": 0}])
        with pytest.raises(KeyboardInterrupt):
            work_off(store, {run: interrupt}, n_jobs=1, verbose=0)
        assert store.unfinished() == {run: 0}
