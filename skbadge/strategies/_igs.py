"""Improved greedy sampling: rows far from the labelled ones in input and in target."""

from dataclasses import replace

import numpy as np

from skbadge.embeddings._arrays import row_norms_sq
from skbadge.embeddings._sparse import matrix_embedding
from skbadge.outputs import Needs
from skbadge.outputs.readers._standardize import standardized
from skbadge.samplers import KCenter
from skbadge.samplers._k_center import farthest_first
from skbadge.strategies._base import Strategy
from skbadge.utils._chunks import row_chunks


class IGS(Strategy):
    r"""Improved greedy sampling, for regression: rows far away in input and in target.

    iGS of Wu, Lin and Huang [1]_. Greedily the row :math:`x` is taken whose

    .. math:: \min_l \|x - x_l\| \cdot |f(x) - y_l|

    is greatest, over the labelled rows :math:`l` and those taken so far, for which the
    prediction :math:`f(x_l)` stands in for the target :math:`y_l`. So is it for pending
    rows. With several targets, their distance is the Euclidean one.

    Inputs are those of `skbadge.outputs.model_outputs`, with columns standardised over
    the pool, so that units do not matter. Without labelled rows the inputs alone count:
    the row farthest from the mean comes first, and then the farthest from those taken.
    The authors start near the mean.

    Notes
    -----
    A row's value only falls as rows are taken, so that few are looked at again, see
    `skbadge.samplers.KCenter`. The labelled rows take ``O(n_rows * n_labeled *
    n_inputs)`` time. Memory is that of the standardised inputs, in single precision or
    as they come, and blocks of fixed size.

    A model that predicts the same for many rows, as a tree does, tells them apart no
    more than once. If no row is left with a value above 0, the others are drawn
    uniformly, with a `QueryWarning`. Targets in other units give the same rows.

    References
    ----------
    .. [1] D. Wu, C.-T. Lin, J. Huang. "Active learning for regression using greedy
       sampling". Information Sciences 474, 2019.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.linear_model import Ridge
    >>> from skbadge import BadgeQuerier
    >>> X, y = load_diabetes(return_X_y=True)
    >>> querier = BadgeQuerier(Ridge(), strategy="igs", random_state=0)
    >>> querier.fit(X[:20], y[:20]).query(X[20:], n=5).shape
    (5,)
    """

    needs = Needs(inputs=True, prediction=True, sparse=True, labeled=True)

    def _run(self, pool, n, labeled, feasible, rng):
        inputs, scaling = pool.inputs, None
        if pool.scaling is None and len(pool):
            inputs, scaling = standardized(inputs, None, takes_missing=False)
        embedding = matrix_embedding(inputs)
        if labeled is None or not len(labeled):
            return KCenter().run(embedding, n, feasible=feasible, random_state=rng)
        known = labeled.outputs.inputs
        if scaling is not None:
            known, _ = standardized(known, scaling, takes_missing=False)
        y = np.asarray(labeled.y, dtype=np.float64).reshape(len(labeled), -1)
        center = y.mean(axis=0)
        parts = [part.astype(np.float64) - center for part in (pool.prediction, y)]
        # In units of a power of two, so that squares neither overflow nor vanish.
        _, unit = np.frexp(max(np.abs(part).max(initial=0.0) for part in parts))
        predicted, y = (np.ldexp(part, -unit) for part in parts)
        selection = farthest_first(
            _Rows(embedding, predicted),
            n,
            _Rows(matrix_embedding(known), y),
            feasible,
            rng,
        )
        return replace(selection, values=np.ldexp(selection.values, unit))


class _Rows:
    """Rows whose distance is the product of those of their inputs and their targets.

    It has what a farthest-first traversal asks of an `Embedding`, and is none.

    Parameters
    ----------
    inputs : Embedding of shape (n_rows, n_inputs)
        What stands for the rows.

    targets : ndarray of shape (n_rows, n_targets)
        Labels or predictions, about their mean.
    """

    dtype = np.dtype(np.float64)

    def __init__(self, inputs, targets):
        self.inputs = inputs
        self.targets = targets.astype(np.float64, copy=False)

    def __len__(self):
        return len(self.inputs)

    def take(self, rows):
        """Some of the rows."""
        return _Rows(self.inputs.take(rows), self.targets[rows])

    def astype(self, dtype):
        """The same with products of inputs in another dtype."""
        return _Rows(self.inputs.astype(dtype), self.targets)

    def norms_sq(self):
        """The scale of squared distances, for what is negligible."""
        return self.inputs.norms_sq() * row_norms_sq(self.targets)

    def min_sq_dists(self, others, dtype=np.float64):
        """Squared distance of each row to the nearest of others."""
        least = np.full(len(self), np.inf)
        others = others.astype(dtype)
        for part in row_chunks(len(others), 1, budget=1024, minimum=1):
            near = others.take(part)
            for rows in row_chunks(len(self), 4 * len(near), minimum=64):
                block = self.take(rows).astype(dtype)
                sq_dists = block.inputs.sq_dists(near.inputs)
                sq_dists *= _target_sq_dists(block.targets, near.targets)
                np.minimum(least[rows], sq_dists.min(axis=1), out=least[rows])
        return least


def _target_sq_dists(targets, others):
    """Squared distances by differences: equal targets are at distance exactly 0."""
    columns = zip(targets.T, others.T, strict=True)
    return sum((one[:, None] - other) ** 2 for one, other in columns)
