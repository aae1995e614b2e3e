"""Reading a ledger alone: no pool, no model, and nothing is written."""

from contextlib import closing
from os import PathLike
from typing import TYPE_CHECKING, Literal

from skbadge.labeling.ledger._frames import history_frame, labels_frame
from skbadge.labeling.ledger._ledger import Ledger
from skbadge.labeling.ledger._progress_report import Progress, progress_of
from skbadge.labeling.ledger._resolution import check_resolution

if TYPE_CHECKING:
    import pandas as pd


def read_labels(
    store: str | PathLike,
    *,
    resolution: Literal["latest", "majority", "refuse"] = "latest",
) -> "pd.DataFrame":
    """The labels of a ledger, without the pool that they are of.

    Parameters
    ----------
    store : path-like
        The ledger of a `LabelingSession`.

    resolution : {"latest", "majority", "refuse"}, default="latest"
        As for `LabelingSession`.

    Returns
    -------
    labels : DataFrame
        As `LabelingSession.labels` returns them.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skbadge import BadgeQuerier
    >>> from skbadge.labeling import LabelingSession, read_labels
    >>> X, y = load_iris(return_X_y=True)
    >>> querier = BadgeQuerier(LogisticRegression(), random_state=0)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     store = Path(folder, "labels.sqlite")
    ...     with LabelingSession(querier, X, store=store, classes=range(3)) as session:
    ...         for task in session.next(5):
    ...             session.label(task.id, int(y[task.id]))
    ...     len(read_labels(store))
    5
    """
    check_resolution(resolution)
    with closing(Ledger(store)) as ledger:
        return labels_frame(ledger, resolution)


def read_progress(
    store: str | PathLike,
    *,
    resolution: Literal["latest", "majority", "refuse"] = "latest",
) -> Progress:
    """How far the labelling of a ledger is.

    Parameters
    ----------
    store, resolution
        As for `read_labels`.

    Returns
    -------
    progress : Progress
        As `LabelingSession.progress` returns it.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skbadge import BadgeQuerier
    >>> from skbadge.labeling import LabelingSession, read_progress
    >>> X, y = load_iris(return_X_y=True)
    >>> querier = BadgeQuerier(LogisticRegression(), random_state=0)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     store = Path(folder, "labels.sqlite")
    ...     with LabelingSession(querier, X, store=store, classes=range(3)) as session:
    ...         for task in session.next(5):
    ...             session.label(task.id, int(y[task.id]))
    ...     read_progress(store).n_labeled
    5
    """
    check_resolution(resolution)
    with closing(Ledger(store)) as ledger:
        n_pool = ledger.told().get("pool", {}).get("n_rows", 0)
        return progress_of(ledger.standing, n_pool, resolution)


def read_history(store: str | PathLike) -> "pd.DataFrame":
    """All events of a ledger.

    Parameters
    ----------
    store : path-like
        The ledger of a `LabelingSession`.

    Returns
    -------
    history : DataFrame
        As `LabelingSession.history` returns them.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skbadge import BadgeQuerier
    >>> from skbadge.labeling import LabelingSession, read_history
    >>> X, y = load_iris(return_X_y=True)
    >>> querier = BadgeQuerier(LogisticRegression(), random_state=0)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     store = Path(folder, "labels.sqlite")
    ...     with LabelingSession(querier, X, store=store, classes=range(3)) as session:
    ...         for task in session.next(5):
    ...             session.label(task.id, int(y[task.id]))
    ...     "labeled" in set(read_history(store)["kind"])
    True
    """
    with closing(Ledger(store)) as ledger:
        return history_frame(ledger)
