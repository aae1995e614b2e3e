"""Draws with a share of uniform ones, and the probability that each row was drawn by.

With a share of uniform draws, every row that is left has a known probability above 0 at
each draw, so that what is drawn can stand for the pool it is from.
"""

from dataclasses import dataclass, replace
from numbers import Real

import numpy as np

from skbadge._compat import Interval
from skbadge.embeddings import Embedding, to_device
from skbadge.samplers._selection import Selection
from skbadge.utils._chunks import row_chunks

UNIFORM_SHARE = {"uniform_share": [Interval(Real, 0, 1, closed="both")]}


def uniform_turns(n, share, rng):
    """The turns of ``n`` draws that are uniform, ascending; no randomness for none."""
    if not share:
        return np.empty(0, dtype=np.int64)
    return np.flatnonzero(rng.random_sample(n) < share)


def check_no_quota(share, feasible):
    """Raise if probabilities are asked for that groups would make unknown."""
    if share and feasible.groups is not None:
        raise ValueError(
            "`uniform_share` above 0 promises each row that is left a probability of "
            "being drawn, and with `groups` the rows of a group that is used up have "
            f"none. Got uniform_share={share:g}: leave out one of the two."
        )


def mixed(by_rule, n_left, share):
    """Probabilities of draws of which a share is uniform."""
    return (1 - share) * by_rule + share / n_left


def uniform_law(rows, feasible):
    """The selection of rows drawn uniformly; the law is not known with groups."""
    if feasible.groups is not None:
        return Selection(rows)
    n_left = feasible.n_left - np.arange(len(rows))
    return Selection(rows, probabilities=1 / n_left, uniform_share=1.0)


def with_kmeans_law(selection, reduce, picks, before, found, share, rule):
    """A selection by k-means++ with squared distances and probabilities of its rows.

    Parameters
    ----------
    selection : Selection
        The rows.

    reduce : callable
        That of the embedding they were picked from.

    picks : Embedding of shape (n, n_columns)
        The rows' embeddings, in main memory.

    before : Embedding or None
        What counted as picked before the first; None if that was picked by ``rule``.

    found : tuple
        How many rows of the selection were drawn by distance or uniformly before no
        mass was left, the number of rows that could be drawn at first, the sum of their
        squared norms, and the mass that rounding alone can leave.

    share : float
        Of uniform draws.

    rule : {"uniform", "norm_weighted"}
        How the first row was picked, but for the share.
    """
    n_found, n_candidates, total, negligible = found
    values, n = _distances_before(picks, before), len(picks)
    masses = reduce(_MassesBefore(picks, before), np.add)
    n_left = n_candidates - np.arange(n)
    # Where no mass is left, all draws are uniform.
    uniform = (np.arange(n) >= n_found) | (masses <= negligible)
    if before is None:
        # The first row has no distance: it was drawn by its norm, or by nothing.
        values[0], masses[0] = picks.take([0]).norms_sq()[0], total
        uniform[0] = rule == "uniform" or not total
    by_rule = np.where(uniform, 1 / n_left, values / np.where(uniform, 1.0, masses))
    probabilities = mixed(by_rule, n_left, share)
    return replace(
        selection, values=values, probabilities=probabilities, uniform_share=share
    )


def _distances_before(picks, before):
    """Squared distance of each pick to the nearest of those before it."""
    values = np.full(len(picks), np.inf)
    if before is not None:
        values = picks.min_sq_dists(before)
    for rows in row_chunks(len(picks), len(picks), minimum=64):
        sq_dists = picks.take(rows).sq_dists(picks.take(slice(rows.stop)))
        later = np.arange(rows.stop) >= np.arange(rows.start, rows.stop)[:, None]
        sq_dists[later] = np.inf
        np.minimum(values[rows], sq_dists.min(axis=1), out=values[rows])
    return values


@dataclass
class _MassesBefore:
    """For each pick the sum over rows of squared distances to the picks before it.

    Of the rows of a chunk. A row that is picked, or pending, is at distance 0 from then
    on. Of the first pick it is 0 if there is nothing before it.
    """

    picks: Embedding
    before: Embedding | None

    def __call__(self, chunk, first, memory=None):
        n = len(self.picks)
        masses = np.zeros(n)
        centers = to_device(self.picks.take(slice(n - 1)), chunk.device)
        before = self.before
        if before is not None:
            before = to_device(before, chunk.device)
        for rows in row_chunks(len(chunk), n, minimum=64):
            part = chunk.take(rows)
            nearest = np.empty((len(part), n))
            nearest[:, 0] = np.inf if before is None else part.min_sq_dists(before)
            nearest[:, 1:] = part.sq_dists(centers)
            np.minimum.accumulate(nearest, axis=1, out=nearest)
            masses += nearest.sum(axis=0)
        if before is None:
            masses[0] = 0.0
        return masses
