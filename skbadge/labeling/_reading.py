"""What a ledger says, without the pool and the model it is about."""

from contextlib import closing
from os import PathLike
from typing import TYPE_CHECKING, Literal

from skbadge.labeling._frames import Progress, labels_frame, progress_of
from skbadge.labeling._ledger import Ledger
from skbadge.labeling._resolution import RESOLUTIONS

if TYPE_CHECKING:
    import pandas as pd

# Nobody waits long for who is writing, where there is only something to be read.
_TIMEOUT = 5.0


def read_labels(
    store: str | PathLike,
    *,
    resolution: Literal["latest", "majority", "refuse"] = "latest",
) -> "pd.DataFrame":
    """The labelled rows of a session's file, without its pool and its querier.

    Parameters
    ----------
    store : path-like
        The file of a `LabelingSession`, which may be in use.

    resolution : {"latest", "majority", "refuse"}, default="latest"
        Which of several people's answers counts.

    Returns
    -------
    labels : DataFrame
        As `LabelingSession.labels` returns it, indexed by id.

    Raises
    ------
    FileNotFoundError
        If there is no such file.

    ValueError
        If it is something else.

    Examples
    --------
    >>> from skbadge.labeling import read_labels
    >>> read_labels("labels.sqlite")  # doctest: +SKIP
    """
    _check(resolution)
    with closing(_opened(store)) as ledger:
        return labels_frame(ledger, resolution)


def read_progress(
    store: str | PathLike,
    *,
    resolution: Literal["latest", "majority", "refuse"] = "latest",
) -> Progress:
    """How far the labelling of a session's file is, see `read_labels`."""
    _check(resolution)
    with closing(_opened(store)) as ledger:
        n_pool = ledger.about().get("pool", {}).get("n_rows", 0)
        return progress_of(ledger.standing, n_pool, resolution)


def _check(resolution):
    if resolution not in RESOLUTIONS:
        raise ValueError(
            f"`resolution` must be one of {list(RESOLUTIONS)}. Got {resolution!r}."
        )


def _opened(store):
    return Ledger(store, create=False, timeout=_TIMEOUT)
