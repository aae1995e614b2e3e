"""Uncertainty herding: rows that stand for many others that are uncertain."""

from numbers import Real

import numpy as np

from skbadge._compat import Interval
from skbadge.outputs import Needs
from skbadge.samplers._herding import SAMPLE_SIZES
from skbadge.strategies._herding_strategy import HerdingStrategy
from skbadge.strategies._uncertainty import two_greatest
from skbadge.utils._calibration import tempered
from skbadge.utils._chunks import row_chunks


class UncertaintyHerding(HerdingStrategy):
    r"""Uncertainty herding: rows that are near to many others that are uncertain.

    `MaxHerding` with the uncertainty of each row as its weight (Bae et al. [1]_). As
    labels come in, the kernel gets narrower: from rows that stand for many others to
    the most uncertain ones, so that it serves any number of labels.

    Parameters
    ----------
    quantile : float, default=0.5
        The kernel falls to 1/e at a distance :math:`\sigma` that the labelled rows
        have from each other: this quantile, between 0 and 1, of their distances to the
        nearest other of them.

    n_evaluation_rows : int, default=10_000
        Where the pool has more rows, gains are means over a uniform sample of so many,
        or of ``4 * n``.

    n_candidates : int, default=35_000
        Where more rows may be picked, it is from a uniform sample of so many.

    Notes
    -----
    The kernel is :math:`e^{-\|z - z'\|^2 / \sigma^2}` on features at length 1, and the
    uncertainty one minus the difference of the two greatest probabilities, after their
    logarithms were divided by a temperature. That is one of 1.0, 1.1, ..., 19.9, by
    which held-out labelled rows are predicted with least calibration error; a querier
    finds it once a training, by another training on 70 % of the labelled rows. It is 1
    below 20 labelled rows, where a class has a single one, and for a model that came
    trained. Rows that equal a labelled one are covered, and weigh nothing. If nothing
    is labelled, all rows are equally uncertain and :math:`\sigma` is 1, as in
    `MaxHerding`. With one labelled row, :math:`\sigma` is 1 as well.

    The paper takes the least distance between labelled rows, which is ``quantile=0``.
    Two rows that are almost equal make it tiny, and nothing is near to anything.

    References
    ----------
    .. [1] W. Bae, D. J. Sutherland, G. L. Oliveira. "Uncertainty herding: one active
       learning method for all label budgets". ICLR 2025.

    Examples
    --------
    >>> import numpy as np
    >>> from skbadge.outputs import Labeled, Outputs
    >>> from skbadge.strategies import UncertaintyHerding
    >>> pool = Outputs(
    ...     proba=np.array([[0.9, 0.1], [0.8, 0.2], [0.5, 0.5]]),
    ...     features=np.array([[1.0, 0.0], [0.9, 0.1], [-1.0, 0.0]]),
    ... )
    >>> labeled = Labeled(pool.take(slice(1)), np.array([0]))
    >>> UncertaintyHerding().select(pool, 1, labeled=labeled)
    array([2])
    """

    needs = Needs(
        proba=True, features=True, labeled=True, sparse=True, temperature=True
    )
    _parameter_constraints: dict = {
        "quantile": [Interval(Real, 0, 1, closed="both")],
        **SAMPLE_SIZES,
    }

    def __init__(
        self,
        *,
        quantile: float = 0.5,
        n_evaluation_rows: int = 10_000,
        n_candidates: int = 35_000,
    ):
        self.quantile = quantile
        self.n_evaluation_rows = n_evaluation_rows
        self.n_candidates = n_candidates

    def _bandwidth(self, known):
        if known is None:
            return 1.0
        return nearest_distance(known, self.quantile)

    def _notes(self, pool, sigma):
        return (f"sigma {sigma:.3g}, temperature {pool.temperature:.1f}",)

    def _weights(self, pool, is_first):
        if is_first:
            return np.ones(len(pool))
        return uncertainty(pool.proba, pool.temperature)


def uncertainty(proba, temperature):
    """One minus the margin of each row's probabilities at a temperature, float64."""
    doubt = np.empty(len(proba))
    for rows in row_chunks(len(proba), proba.shape[1]):
        first, second = two_greatest(tempered(proba[rows], temperature))
        doubt[rows] = 1 - (first - second)
    return doubt


def nearest_distance(embedding, quantile):
    """A quantile of the distances of rows to the nearest row that differs; else 1."""
    # Rows that differ in the last digits are equal.
    rounding = (32 * float(np.finfo(embedding.dtype).eps)) ** 2
    nearest = np.empty(len(embedding))
    for rows in row_chunks(len(embedding), len(embedding), minimum=16):
        sq_dists = embedding.take(rows).sq_dists(embedding)
        sq_dists[sq_dists <= rounding] = np.inf
        nearest[rows] = sq_dists.min(axis=1)
    nearest = nearest[np.isfinite(nearest)]
    return float(np.sqrt(np.quantile(nearest, quantile))) if len(nearest) else 1.0
