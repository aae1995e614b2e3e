"""Reading a ledger alone: no pool, no model, and nothing is written."""

from contextlib import closing
from os import PathLike
from typing import TYPE_CHECKING, Literal

from skbadge.labeling._frames import history_frame, labels_frame
from skbadge.labeling._ledger import Ledger

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
    """
    with closing(Ledger(store)) as ledger:
        return labels_frame(ledger, resolution)


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
    """
    with closing(Ledger(store)) as ledger:
        return history_frame(ledger)
