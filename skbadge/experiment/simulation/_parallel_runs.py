"""Runs in parallel: with a store or without, here or on a cluster."""

import os
import warnings
from collections import deque
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from functools import partial

from sklearn.utils.parallel import Parallel, delayed

from skbadge.experiment.simulation._cluster import active_cluster, work_off_on_cluster
from skbadge.experiment.simulation._progress_bar import with_progress_bar
from skbadge.experiment.store import ResultStore, StoreError

_TRIES_TOGETHER = 2


def run_all(tasks, *, n_jobs, verbose):
    """Call tasks through joblib, whatever its backend is; results in their order.

    Tasks are functions without parameters, such as partial ones. With ``verbose``, a
    bar shows how many are done, in notebooks as a widget.
    """
    found = dict(_numbered_results(tasks, range(len(tasks)), n_jobs, verbose))
    return [found[i] for i in range(len(tasks))]


def run_surviving(tasks, *, n_jobs, verbose):
    """Like `run_all`, with an error in place of the result of what kills its worker.

    A worker that dies takes all others with it: what they were at is tried again
    together, and then alone, which tells the culprit.
    """
    found = {}
    for _ in range(_TRIES_TOGETHER):
        left = [i for i in range(len(tasks)) if i not in found]
        with suppress(BrokenProcessPool):
            for i, result in _numbered_results(tasks, left, n_jobs, verbose):
                found[i] = result
            break
    for i, task in enumerate(tasks):
        if i not in found:
            try:
                (found[i],) = run_all([task], n_jobs=n_jobs, verbose=0)
            except BrokenProcessPool as error:
                found[i] = error
    return [found[i] for i in range(len(tasks))]


def work_off(store, tasks, *, n_jobs, verbose):
    """Do the runs of a store that are left, but for those of other processes.

    Within ``joblib.parallel_config("dask")``, on the workers of that cluster.

    Parameters
    ----------
    store : ResultStore
        Where the runs are.

    tasks : dict of str to partial
        By hash of the run. Each takes a claim as its last positional parameter, and
        returns True if it has done the run, and an error if that cannot be done as
        things are: the run stays pending.

    n_jobs, verbose
        Those of `run_all`.

    Returns
    -------
    refusals : dict of str to Exception
        Those errors, by hash of the run.
    """
    refusals, cluster = {}, active_cluster()
    try:
        if cluster is not None:
            refusals = work_off_on_cluster(cluster, store, tasks, verbose=verbose)
        else:
            path = os.path.abspath(store.path)
            here = {run: partial(_here, path, run, task) for run, task in tasks.items()}
            options = {"n_jobs": n_jobs, "verbose": verbose}
            while _work_once(store, here, refusals, options):
                pass
    except BaseException:
        # This stops the workers too: their runs did not kill them.
        store.excuse_dead()
        with suppress(StoreError):
            store.tidy()
        raise
    # Workers may have been killed after the last run.
    store.tidy()
    return refusals


def _here(path, run, task):
    """Do a run of a store in this process. Returns False if others have it."""
    with ResultStore(path, create=False) as store:
        claim = store.claim([run])
        # Whatever stops it, such as Ctrl-C, frees the claim with the store.
        return False if claim is None else task(claim)


def _work_once(store, tasks, refusals, options):
    """Go once through the runs that are left. Returns whether that made a difference.

    Those left are under way in other processes, unless a worker was killed.
    """
    left = {run: n for run, n in store.unfinished().items() if run in tasks}
    left = {run: n for run, n in left.items() if run not in refusals}
    # Runs that killed a worker go alone: a dead worker takes all others with it.
    groups = deque([[run for run, n in left.items() if not n]])
    groups += [[run] for run, n in left.items() if n]
    made_difference = False
    while groups:
        group, before = groups.popleft(), store.unfinished()
        if not group:
            continue
        try:
            outcomes = run_all([tasks[run] for run in group], **options)
        except BrokenProcessPool as error:
            made_difference = True
            store.tidy()
            if store.unfinished() != before:
                continue
            # It died before it could claim a run, so that nobody counts how often.
            if len(group) > 1:
                groups += [[run] for run in group]
            elif (claim := store.claim(group)) is not None:
                claim.fail(error)
            continue
        made_difference |= any(outcome is True for outcome in outcomes)
        for run, outcome in zip(group, outcomes, strict=True):
            if isinstance(outcome, Exception):
                refusals[run] = outcome
    return made_difference


def _numbered_results(tasks, numbers, n_jobs, verbose):
    """Yield the number and the result of each task, in any order."""
    numbered = [delayed(_numbered)(i, tasks[i]) for i in numbers]
    try:
        parallel = Parallel(n_jobs=n_jobs, return_as="generator_unordered")
    except ValueError:
        # Backends for clusters return all results at once.
        yield from Parallel(n_jobs=n_jobs, verbose=verbose)(numbered)
        return
    results = parallel(numbered)
    try:
        yield from with_progress_bar(results, len(numbered), verbose)
    finally:
        with warnings.catch_warnings():
            # joblib warns that results are lost, which is wanted here.
            warnings.simplefilter("ignore")
            results.close()


def _numbered(i, task):
    return i, task()
