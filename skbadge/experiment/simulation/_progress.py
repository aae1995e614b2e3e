"""Runs in parallel, and a bar that shows how many are done."""

from sklearn.utils.parallel import Parallel

from skbadge.utils._optional import import_optional


def run_all(tasks, *, n_jobs, verbose, unit="run"):
    """Run tasks with joblib, whatever its backend is.

    Parameters
    ----------
    tasks : list
        Made by `sklearn.utils.parallel.delayed`.

    n_jobs : int or None
        As joblib takes it.

    verbose : int
        Above 0, a progress bar is shown, in notebooks as a widget.

    unit : str
        What a task is called there.

    Returns
    -------
    results : list
        In the order of the tasks.
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
    return list(tqdm.tqdm(results, total=len(tasks), unit=unit))
