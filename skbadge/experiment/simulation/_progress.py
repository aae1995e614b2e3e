"""Runs in parallel, and a bar that shows how many are done."""

from sklearn.utils.parallel import Parallel

from skbadge.utils._optional import import_optional


def run_all(tasks, *, n_jobs, verbose):
    """Run tasks of joblib, whatever its backend is; results in their order.

    With ``verbose``, a bar shows how many are done, in notebooks as a widget.
    """
    try:
        parallel = Parallel(n_jobs=n_jobs, return_as="generator")
    except ValueError:
        # Backends for clusters return all results at once.
        parallel = Parallel(n_jobs=n_jobs, verbose=verbose)
    results = parallel(tasks)
    if not verbose or isinstance(results, list):
        return list(results)
    tqdm = import_optional("tqdm.auto", extra="examples", purpose="A progress bar")
    return list(tqdm.tqdm(results, total=len(tasks), unit="run"))
