"""What all samplers share: their face, and how they fill up when mass runs out."""

import warnings
from abc import ABC, abstractmethod
from dataclasses import replace
from math import isinf

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state

from skbadge.exceptions import QueryWarning
from skbadge.samplers._feasible import Feasible
from skbadge.samplers._selection import Selection
from skbadge.utils._ranking import draw_weighted, top_rows
from skbadge.utils._validation import check_n


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
    """

    reads_population: bool = False
    _parameter_constraints: dict = {}

    def sample(self, embedding, n, *, labeled=None, feasible=None, random_state=None):
        """Pick rows.

        Parameters
        ----------
        embedding : Embedding of shape (n_rows, n_columns)
            The candidates.

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

    def run(self, embedding, n, *, labeled=None, feasible=None, random_state=None):
        """Pick rows, as `sample` does, and say how they were picked.

        Returns
        -------
        selection : Selection
            The rows, their values, and any fallbacks.
        """
        self._validate_params()
        feasible = Feasible.of(feasible, len(embedding))
        which = "there are" if feasible.is_everything else "that may be picked"
        n = check_n(n, feasible.n_left, which)
        _check_norms(embedding, "embedding")
        if labeled is not None:
            _check_norms(labeled, "labeled")
            if labeled.shape[1] != embedding.shape[1]:
                raise ValueError(
                    "`labeled` must have as many columns as `embedding`. "
                    f"Got {labeled.shape[1]} and {embedding.shape[1]}."
                )
            labeled = labeled if len(labeled) else None
        if n == 0:
            return Selection(np.empty(0, dtype=np.int64), np.empty(0))
        rng = check_random_state(random_state)
        if self.reads_population or feasible.mask is None:
            return self._run(embedding, n, labeled, feasible, rng)
        rows, feasible = feasible.restricted()
        selection = self._run(embedding.take(rows), n, labeled, feasible, rng)
        return replace(selection, rows=rows[selection.rows])

    @abstractmethod
    def _run(self, embedding, n, labeled, feasible, rng):
        """Pick ``1 <= n <= feasible.n_left`` rows and return a `Selection`.

        Rows of ``feasible.pending`` count as picked before the first. Unless the
        sampler `reads_population`, all other rows may be picked, but for groups that
        are used up.
        """


def _check_norms(embedding, name):
    norms_sq = embedding.norms_sq()
    wrong = np.flatnonzero(~np.isfinite(norms_sq))
    if len(wrong):
        raise ValueError(
            f"`{name}` must be finite. {len(wrong)} of {len(embedding)} rows hold NaN "
            f"or infinity, the first is row {wrong[0]}."
        )
    greatest = norms_sq.max(initial=0.0)
    if greatest > np.finfo(embedding.dtype).max / 16:
        raise ValueError(
            f"`{name}` has rows of norm {np.sqrt(greatest):.3g}, too large for "
            f"{embedding.dtype}. Standardise the model's input, or pass float64."
        )


def n_spanned_columns(embedding):
    """Number of columns, of a kernel's infinitely many those that the rows span."""
    n_rows, n_columns = embedding.shape
    return n_rows if isinf(n_columns) else n_columns


def negligible_mass(embedding):
    """Total squared distance that rounding alone can leave in place of zero.

    Rows equal but for the last digits are the same row: a net's outputs for equal
    inputs differ by as much, depending on where in a batch they stood.
    """
    relative = 32 * float(np.finfo(embedding.dtype).eps)
    return relative**2 * float(embedding.norms_sq().sum())


def fill_uniformly(
    rows,
    values,
    n,
    open_rows,
    rng,
    *,
    value_name,
    n_distances,
    found="could be told apart by their embeddings",
):
    """Complete a selection from the rows left, if the method stopped short of ``n``.

    Parameters
    ----------
    rows, values : list
        What was selected so far.

    n : int
        Number of rows to select.

    open_rows : OpenRows
        The rows that may still be picked, those selected closed.

    rng : RandomState
        Source of randomness.

    value_name, n_distances
        Passed on to the selection.

    found : str
        What the method found true of the rows it selected, and of no others.

    Returns
    -------
    selection : Selection
        Exactly ``n`` distinct rows; a fallback is noted, and warned of, if some had to
        be drawn uniformly.
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

    Parameters
    ----------
    embedding : Embedding
        The rows.

    rule : {"max_norm", "uniform", "norm_weighted"}
        The greatest norm, any row, or with probability proportional to the squared
        norm. If all norms are zero, any row.

    open_rows : OpenRows
        The rows that may be picked.

    ties : Ties
        Orders rows of equal norm.

    rng : RandomState
        Source of randomness.

    Returns
    -------
    row : int
        Its position.
    """
    rows = np.flatnonzero(open_rows.mask)
    norms_sq = embedding.norms_sq()[rows]
    if rule == "uniform" or not norms_sq.any():
        return int(rows[rng.randint(len(rows))])
    if rule == "norm_weighted":
        return int(rows[draw_weighted(np.cumsum(norms_sq), 1, rng)[0]])
    return int(rows[ties.greatest(norms_sq, rows, embedding.dtype)])


def left_open(feasible, rows):
    """What some picks leave open."""
    open_rows = feasible.open()
    for row in rows:
        open_rows.close(int(row))
    return open_rows


def greatest_open(values, n, feasible, rng):
    """The rows of greatest value that may be picked, ties in random order.

    Parameters
    ----------
    values : ndarray of shape (n_rows,)
        float64, not NaN.

    n : int
        Number of rows, at most ``feasible.n_left``.

    feasible : Feasible
        The rows that may be picked.

    rng : RandomState
        Breaks ties.

    Returns
    -------
    rows : ndarray of shape (n,)
        int64, greatest first.
    """
    open_rows = feasible.open()
    rows = np.flatnonzero(open_rows.mask)
    if feasible.groups is None:
        return rows[top_rows(values[rows], n, rng)]
    picked = []
    for row in rows[top_rows(values[rows], len(rows), rng)]:
        if len(picked) == n:
            break
        if open_rows.mask[row]:
            picked.append(row)
            open_rows.close(row)
    return np.array(picked, dtype=np.int64)
