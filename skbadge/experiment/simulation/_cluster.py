"""Runs on the workers of a Dask cluster, which open no store."""

import pickle
import warnings
from contextlib import suppress

from joblib.parallel import get_active_backend

from skbadge.experiment.simulation._progress_bar import with_progress_bar
from skbadge.experiment.store import RemoteClaim, worker_died

# Bytes from which on an argument is not sent with each run.
_LARGE = 100_000


def active_cluster():
    """The client of joblib's backend for Dask, where that is in use, or None."""
    return getattr(get_active_backend()[0], "client", None)


def work_off_on_cluster(client, store, tasks, *, verbose):
    """Do the runs of a store that are left, but for those of other processes.

    This process claims them all, and is the only one that opens the store. A worker
    gets a `RemoteClaim`, and its evaluations are recorded when the run has ended. If
    the worker dies, Dask gives the run to another one, some times.

    ``tasks`` and the refusals returned are those of `work_off`.
    """
    from distributed import as_completed

    _check_workers(client)
    arguments, refusals, claims = _Arguments(client), {}, {}
    left = store.unfinished()
    try:
        for run, task in tasks.items():
            claim = store.claim([run], is_here=False) if run in left else None
            if claim is not None:
                # In this order, for modules are where the first of them says.
                parts = [*task.args, task.func, RemoteClaim.of(claim)]
                parts = [arguments.packed(part) for part in parts]
                named = {k: arguments.packed(v) for k, v in task.keywords.items()}
                future = client.submit(_elsewhere, parts, named, pure=False)
                claims[future] = claim
        ended = as_completed(list(claims))
        for future in with_progress_bar(ended, len(claims), verbose):
            claim = claims.pop(future)
            refusal = _settle(client, future, claim)
            if refusal is not None:
                refusals[claim.hash] = refusal
    except BaseException:
        # The cluster may be what has failed.
        with suppress(Exception):
            client.cancel(list(claims), force=True)
        raise
    return refusals


class _Arguments:
    """Arguments of tasks as pickles, each made once; large ones lie in the cluster.

    Dask loses the worker that cannot unpickle a task, and a task of ours fails then.
    """

    def __init__(self, client):
        self._client, self._packed = client, {}

    def packed(self, argument):
        """The pickle, or the future of it."""
        import cloudpickle

        if id(argument) not in self._packed:
            content = cloudpickle.dumps(argument)
            if len(content) >= _LARGE:
                content = self._put(content)
            # The argument lives on, and its id with it.
            self._packed[id(argument)] = argument, content
        return self._packed[id(argument)][1]

    def _put(self, content):
        with warnings.catch_warnings():
            # Dask would have it scattered, but cannot do that again for a worker that
            # has died.
            warnings.filterwarnings("ignore", "Sending large graph")
            return self._client.submit(bytes, content, pure=False)


def _check_workers(client):
    """Raise if several runs at a time would share a process."""
    several = [worker for worker, n in client.nthreads().items() if n > 1]
    if several:
        raise ValueError(
            "Each worker of Dask must have one thread, for runs share torch's random "
            f"numbers within a process. {len(several)} have more, the first of them "
            f"{several[0]}: start them with LocalCluster(threads_per_worker=1) or "
            "dask worker --nthreads 1 --nworkers N."
        )


def _elsewhere(parts, named):
    """Do a run on a worker. Returns what the task did, and what the claim was told."""
    *arguments, function, claim = map(pickle.loads, parts)
    named = {name: pickle.loads(packed) for name, packed in named.items()}
    outcome = None
    try:
        outcome = function(*arguments, claim, **named)
    except (Exception, SystemExit) as error:
        # Raised, it would leave the evaluations behind.
        claim.fail(error)
    return outcome, claim.sent_back()


def _settle(client, future, claim):
    """Put what came of a run into the store. Returns why it was refused, or None."""
    from distributed import KilledWorker
    from distributed.client import FutureCancelledError

    try:
        outcome, told = future.result()
    except FutureCancelledError:
        raise
    except KilledWorker:
        n_deaths = _n_deaths(client, future)
        claim.was_at(None, None, n_deaths - 1)
        claim.fail_with(*worker_died(n_deaths))
        return None
    except Exception as error:
        # It never came to a worker, or not back.
        claim.fail(error)
        return None
    refusal = told.tell(claim, _n_deaths(client, future))
    return outcome if isinstance(outcome, Exception) else refusal


def _n_deaths(client, future):
    """How many workers died with a task. Dask runs it again, and does not tell."""
    # A function without a name is sent as code, for no scheduler needs this package.
    return client.run_on_scheduler(
        lambda dask_scheduler, key: dask_scheduler.tasks[key].suspicious, key=future.key
    )
