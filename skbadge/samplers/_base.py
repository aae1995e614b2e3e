"""What all samplers share: their face, and how they fill up when mass runs out."""

import warnings
from abc import ABC, abstractmethod
from dataclasses import replace
from math import isinf
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state

from skbadge._compat import StrOptions
from skbadge.embeddings import Embedding
from skbadge.embeddings._checked import check_embedding
from skbadge.exceptions import QueryWarning
from skbadge.samplers._chunk_view import ChunkView
from skbadge.samplers._feasible import Feasible
from skbadge.samplers._norms import check_norms, loses_digits, rounding_mass
from skbadge.samplers._selection import Selection
from skbadge.utils._ranking import draw_weighted
from skbadge.utils._row_errors import rows_among
from skbadge.utils._typing import RandomState

# How the first of the picks is chosen, see `first_row`.
FirstCenter = Literal["max_norm", "uniform", "norm_weighted"]
FIRST_CENTER = {"first_center": [StrOptions(set(get_args(FirstCenter)))]}


class Sampler(BaseEstimator, ABC):
    """Picks rows of an embedding; knows nothing of models, labels or files.

    A subclass stores its parameters in the constructor, lists them in
    ``_parameter_constraints`` and implements `_run` for valid input.

    Attributes
    ----------
    reads_population : bool
        Whether rows that may not be picked have a part in the rule, as they have where
        it sums over the pool. By default it sees nothing but the rows that may be
        picked, and picks as if there were no others.

    streams : bool
        Whether it can pick from an embedding that comes in chunks, by reading it a few
        times. Others take embeddings in memory only.
    """

    reads_population: bool = False
    streams: bool = False
    _parameter_constraints: dict = {}

    def sample(
        self,
        embedding: Embedding,
        n: int,
        *,
        labeled: Embedding | None = None,
        feasible: Feasible | NDArray[np.bool_] | None = None,
        random_state: RandomState = None,
    ) -> NDArray[np.int64]:
        """Pick rows.

        Parameters
        ----------
        embedding : Embedding of shape (n_rows, n_columns)
            The candidates. Samplers that ``streams`` also take what has a `shape`, a
            `dtype` and a method `reduce` as embeddings have them, and nothing else.

        n : int
            Number of rows to pick, at least 0. If there are fewer, all are returned,
            with a `QueryWarning`.

        labeled : Embedding of shape (n_labeled, n_columns) or None
            The rows that are labelled already, for samplers that keep away from them.

        feasible : ndarray of bool of shape (n_rows,), Feasible or None, default=None
            The rows that may be picked, as a mask; a `Feasible` also says how many of a
            group, and what counts as picked already. None for all rows.

        random_state : None, int or RandomState
            Source of randomness.

        Returns
        -------
        rows : ndarray of shape (n,)
            int64 positions in ``embedding``, distinct, in order of selection.

        Raises
        ------
        TypeError
            If the rows are an array and no embedding, or the labelled rows an embedding
            of another kind.

        ValueError
            If the embedding is not finite, ``n`` is negative or no row is feasible.
        """
        return self.run(
            embedding,
            n,
            labeled=labeled,
            feasible=feasible,
            random_state=random_state,
        ).rows

    def run(
        self,
        embedding: Embedding,
        n: int,
        *,
        labeled: Embedding | None = None,
        feasible: Feasible | NDArray[np.bool_] | None = None,
        random_state: RandomState = None,
    ) -> Selection:
        """Pick rows, as `sample` does, and say how they were picked.

        Parameters
        ----------
        embedding, n, labeled, feasible, random_state
            As for `sample`.

        Returns
        -------
        selection : Selection
            The rows, their values, and any fallbacks.
        """
        self._validate_params()
        _check_kinds(embedding, labeled)
        feasible = Feasible.of(feasible, len(embedding))
        n = feasible.up_to(n)
        in_memory = isinstance(embedding, Embedding)
        if in_memory:
            check_norms(embedding, "embedding")
        elif not self.streams:
            raise ValueError(
                f"{type(self).__name__} compares all rows with each other, and these "
                "come in chunks. Keep what the model says in a folder (`storage=`), or "
                "select from a random subsample of the pool (`subsample=`)."
            )
        if labeled is not None:
            with rows_among(of="labeled"):
                check_norms(labeled, "labeled")
            if labeled.shape[1] != embedding.shape[1]:
                raise ValueError(
                    "`labeled` must have as many columns as `embedding`. "
                    f"Got {labeled.shape[1]} and {embedding.shape[1]}."
                )
            labeled = labeled if len(labeled) else None
        if n == 0:
            return Selection(np.empty(0, dtype=np.int64), np.empty(0))
        rng = check_random_state(random_state)
        rows = None
        if not (self.reads_population or feasible.mask is None or feasible.mask.all()):
            rows, feasible = feasible.restricted()
        if in_memory:
            embedding = embedding if rows is None else embedding.take(rows)
            embedding, labeled = _with_room_for_products(embedding, labeled)
            selection = self._run(embedding, n, labeled, feasible, rng)
        else:
            view = ChunkView(embedding, rows, _greatest(labeled))
            selection = self._run_on_chunks(view, n, labeled, feasible, rng)
        if rows is not None:
            selection = replace(selection, rows=rows[selection.rows])
        return selection

    @abstractmethod
    def _run(self, embedding, n, labeled, feasible, rng):
        """Pick ``1 <= n <= feasible.n_left`` rows and return a `Selection`.

        Rows of ``feasible.pending`` count as picked before the first. Unless the
        sampler `reads_population`, all other rows may be picked, but for groups that
        are used up.
        """

    def _run_on_chunks(self, view, n, labeled, feasible, rng):
        """Pick rows of a `ChunkView`, as `_run` does, if the sampler `streams`."""
        raise NotImplementedError


def _check_kinds(embedding, labeled):
    """Raise unless the rows are embeddings, the labelled ones of the same kind."""
    is_chunked = hasattr(embedding, "reduce") and not isinstance(embedding, Embedding)
    if not is_chunked:
        check_embedding(embedding, "embedding")
    if labeled is None:
        return
    check_embedding(labeled, "labeled")
    if not is_chunked and type(labeled) is not type(embedding):
        raise TypeError(
            "`labeled` must be an embedding of the same kind as `embedding`. Got "
            f"{type(labeled).__name__} and {type(embedding).__name__}."
        )


def _with_room_for_products(embedding, labeled):
    """The same in float64, if products of float32 would lose their digits."""
    greatest = embedding.norms_sq().max(initial=0.0)
    if not loses_digits(max(greatest, _greatest(labeled)), embedding.dtype):
        return embedding, labeled
    return (
        embedding.astype(np.float64),
        None if labeled is None else labeled.astype(np.float64),
    )


def _greatest(labeled):
    """Greatest squared norm of the labelled rows, if there are any."""
    return 0.0 if labeled is None else labeled.norms_sq().max()


def n_spanned_columns(embedding):
    """Number of columns, of a kernel's infinitely many those that the rows span."""
    n_rows, n_columns = embedding.shape
    return n_rows if isinf(n_columns) else n_columns


def negligible_mass(embedding):
    """Total squared distance that rounding alone can leave, see `rounding_mass`."""
    total = float(embedding.norms_sq().sum())
    return rounding_mass(total, len(embedding), embedding.dtype)


def fill_uniformly(
    rows,
    values,
    n,
    open_rows,
    rng,
    *,
    value_name,
    n_distances=0,
    found="could be told apart by their embeddings",
):
    """Complete a selection of ``n`` rows from those open, drawn uniformly.

    A fallback is noted, and warned of, if any are missing. ``found`` is what the method
    found true of the rows it selected, and of no others.
    """
    rows = np.asarray(rows, dtype=np.int64)
    values = np.asarray(values, dtype=np.float64)
    fallbacks = ()
    missing = n - len(rows)
    if missing:
        fill = open_rows.draw(missing, rng)
        message = (
            f"only {len(rows)} of {n} rows {found}; "
            f"the other {missing} were drawn uniformly from the rest"
        )
        warnings.warn(
            message[0].upper() + message[1:] + ".", QueryWarning, stacklevel=2
        )
        rows = np.concatenate([rows, fill])
        values = np.concatenate([values, np.zeros(missing)])
        fallbacks = (message,)
    return Selection(rows, values, value_name, fallbacks, n_distances)


def first_row(embedding, rule, open_rows, ties, rng):
    """The row to start from when there is nothing yet to keep a distance from.

    By ``rule`` that of the greatest norm ("max_norm"), any ("uniform"), or one drawn
    with probability proportional to its squared norm ("norm_weighted"). If all norms
    are zero, any row.
    """
    norms_sq = embedding.norms_sq()
    if not open_rows.mask.all():
        norms_sq = norms_sq * open_rows.mask
    if rule == "uniform" or not norms_sq.any():
        rows = np.flatnonzero(open_rows.mask)
        return int(rows[rng.randint(len(rows))])
    if rule == "norm_weighted":
        return int(draw_weighted(np.cumsum(norms_sq), 1, rng)[0])
    return ties.greatest(norms_sq, dtype=embedding.dtype)
