"""FALCUN: rows drawn by uncertainty and by distance of their predictions."""

from numbers import Real

import numpy as np

from skbadge._compat import Interval
from skbadge.outputs import Needs
from skbadge.samplers._base import fill_uniformly
from skbadge.strategies._base import Strategy
from skbadge.strategies._uncertainty import margin_score
from skbadge.utils._chunks import row_chunks
from skbadge.utils._ranking import draw_weighted


class Falcun(Strategy):
    r"""FALCUN: rows drawn by uncertainty and by distance of their predictions.

    Fast active learning by contrastive uncertainty, by Gilhuber et al. [1]_. A row's
    uncertainty ``u`` is one minus the margin of its two greatest probabilities, and its
    diversity ``d`` the least L1 distance of its probabilities to those of the rows
    selected before, at first ``u``. Rows are drawn one after another with probability
    proportional to :math:`(u + \tilde d)^\gamma`, where :math:`\tilde d` is ``d``
    rescaled to [0, 1] over the rows that are left. It sees no features, so that its
    cost does not depend on their number.

    Parameters
    ----------
    gamma : float, default=10.0
        At least 0. The greater, the closer to the row of greatest
        :math:`u + \tilde d`; 0 draws uniformly.

    Notes
    -----
    The least distances themselves are kept, and rescaled anew for each draw, as in the
    authors' code. The paper may be read so that rescaled distances are kept in their
    place, as another library does: distances to earlier and later rows would then be
    measured in different units, since the scale changes with each draw.

    Pending rows count as selected. Where all rows left are certain and as predicted
    before, the rest is drawn uniformly, with a `QueryWarning`.

    The time is ``n * n_rows * n_classes``, memory a few float64 numbers for each row
    beside the probabilities.

    References
    ----------
    .. [1] S. Gilhuber, A. Beer, Y. Ma, T. Seidl. "FALCUN: a simple and efficient deep
       active learning strategy". ECML PKDD 2024.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skbadge import BadgeQuerier
    >>> X, y = load_iris(return_X_y=True)
    >>> model = LogisticRegression(max_iter=1000)
    >>> querier = BadgeQuerier(model, strategy="falcun", random_state=0)
    >>> rows = querier.fit(X[::10], y[::10]).query(X, n=3, candidates=range(1, 10))
    >>> len(rows)
    3
    """

    _parameter_constraints: dict = {"gamma": [Interval(Real, 0, None, closed="left")]}

    needs = Needs(proba=True)

    def __init__(self, gamma: float = 10.0):
        self.gamma = gamma

    def _run(self, pool, n, labeled, feasible, rng):
        proba, open_rows = pool.proba, feasible.open()
        uncertainty = 1 + margin_score(pool.proba)
        nearest = uncertainty.copy()
        for row in feasible.pending:
            lower_l1(nearest, proba, row)
        rows, values = [], []
        while len(rows) < n:
            left = np.flatnonzero(open_rows.mask)
            weights = relevance(uncertainty[left], nearest[left], self.gamma)
            if not weights.any():
                break
            drawn = int(draw_weighted(np.cumsum(weights), 1, rng)[0])
            rows.append(int(left[drawn]))
            values.append(weights[drawn] / weights.sum())
            open_rows.close(rows[-1])
            lower_l1(nearest, proba, rows[-1])
        return fill_uniformly(
            rows,
            values,
            n,
            open_rows,
            rng,
            value_name="probability",
            found="had an uncertain prediction or one of their own",
        )


def relevance(uncertainty, nearest, gamma):
    """(u + d) ** gamma with distances rescaled to [0, 1], the greatest made 1.

    All are 0 where u + d is.
    """
    spread = np.ptp(nearest)
    rescaled = (nearest - nearest.min()) / spread if spread > 0 else 0.0
    total = uncertainty + rescaled
    greatest = total.max()
    if greatest <= 0:
        return np.zeros(len(total))
    # Powers of ratios are those of differences of logarithms, and do not overflow.
    return (total / greatest) ** gamma


def lower_l1(nearest, proba, row):
    """Lower distances to the L1 distances of the probabilities to those of a row."""
    center = proba[row].astype(np.float64)
    for rows in row_chunks(len(proba), proba.shape[1]):
        dists = np.abs(proba[rows] - center).sum(axis=1)
        np.minimum(nearest[rows], dists, out=nearest[rows])
