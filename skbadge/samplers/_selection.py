"""The answer of a sampler or a strategy, with what is worth knowing about it."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skbadge.embeddings import Embedding


@dataclass(frozen=True, eq=False)
class Selection:
    """Selected rows and how they came to be selected.

    Parameters
    ----------
    rows : ndarray of shape (n,)
        int64 positions, distinct, in order of selection.

    values : ndarray of shape (n,) or None
        What each row was selected for, at the moment it was: the weight it was drawn
        with, its distance to the rows selected before it, or its score.

    value_name : str
        What the values are.

    fallbacks : tuple of str
        Where the method could not go on as usual, and what was done instead.

    n_distances : int
        Distances evaluated.

    norms : ndarray of shape (n,) or None
        Norms of the selected rows' embeddings, where the method has embeddings.

    embedding : Embedding of shape (n, n_columns) or None
        The selected rows' embeddings, where the method has any.

    standard_errors : ndarray of shape (n,) or None
        Where the values are means over a sample of rows, their standard errors.

    notes : tuple of str
        What else is worth knowing, such as the sizes of samples.

    nbytes : int
        Bytes held by the embeddings beyond the model's outputs.

    probabilities : ndarray of shape (n,) or None
        Probability that each row was drawn by at its turn, given those drawn before it.
        None where it is not known: of rules that draw nothing at random, and with
        groups or copies that wait.

    uniform_share : float
        Share of the draws that were uniform: at each draw, every row that was left had
        at least this share of the uniform probability. 0 where nothing is known.
    """

    rows: NDArray[np.int64]
    # Any stands for None: most strategies always have them.
    values: NDArray[np.float64] | Any = None
    value_name: str = "score"
    fallbacks: tuple[str, ...] = ()
    n_distances: int = 0
    norms: NDArray[np.float64] | Any = None
    embedding: Embedding | None = None
    standard_errors: NDArray[np.float64] | Any = None
    notes: tuple[str, ...] = ()
    nbytes: int = 0
    probabilities: NDArray[np.float64] | Any = None
    uniform_share: float = 0.0

    def __len__(self) -> int:
        return len(self.rows)
