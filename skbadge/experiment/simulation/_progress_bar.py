"""A bar that shows how many runs are done."""

from skbadge.utils._optional import import_optional


def with_progress_bar(results, n, verbose):
    """Results as they come, with ``verbose`` under a bar, in notebooks a widget."""
    if not verbose:
        return results
    tqdm = import_optional("tqdm.auto", extra="examples", purpose="A progress bar")
    return tqdm.tqdm(results, total=n, unit="run")
