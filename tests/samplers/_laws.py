"""Exact laws of sequential samplers on a few rows, and a chi-square against them."""

import numpy as np
from scipy.stats import chisquare

from skbadge.embeddings import DenseEmbedding, Embedding
from skbadge.samplers import Feasible

# Tests of fit in this folder, rounded up: one in ten thousand shared among them.
THRESHOLD = 1e-4 / 100

# What a wrong law must stay below, far beyond chance and beyond the threshold.
REJECTED = 1e-12


def pairwise(X, Y):
    """Squared distances from differences."""
    return ((X[:, None, :] - Y[None, :, :]) ** 2).sum(axis=2)


class TableEmbedding(Embedding):
    """Rows that look their distances up in a table, so that many draws take no time.

    ``table`` is square, and ``rows`` are positions in it.
    """

    def __init__(self, table, norms_sq, rows=None):
        self.table = table
        self.table_norms_sq = norms_sq
        self.rows = np.arange(len(table)) if rows is None else rows
        self.shape_ = (len(self.rows), 1)

    @classmethod
    def of(cls, X):
        """The table of a matrix, computed in float64."""
        X = np.asarray(X, dtype=np.float64)
        return cls(pairwise(X, X), (X**2).sum(axis=1))

    @property
    def shape(self):
        return self.shape_

    @property
    def dtype(self):
        return np.dtype(np.float64)

    @property
    def _arrays(self):
        return (self.table,)

    def _norms_sq(self):
        return self.table_norms_sq[self.rows]

    def _take(self, rows):
        return TableEmbedding(self.table, self.table_norms_sq, self.rows[rows])

    def sq_dists(self, other):
        return self.table[self.rows[:, None], other.rows]

    def min_sq_dists(self, other, dtype=None):
        return self.sq_dists(other).min(axis=1)

    def _cast(self, dtype):
        raise NotImplementedError

    def cross(self, other):
        raise NotImplementedError

    def _dense(self):
        raise NotImplementedError

    def paired_sq_dists(self, other):
        raise NotImplementedError


def first_law(X, rule):
    """Weights of the first pick where nothing is labelled."""
    norms_sq = (X**2).sum(axis=1)
    if rule == "uniform":
        return np.ones(len(X))
    return norms_sq if rule == "norm_weighted" else (norms_sq == norms_sq.max()) * 1.0


def kmeans_plus_plus_law(X, n, first, labeled=None):
    """Probability of each ordered tuple of picks, by enumeration.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_columns)
        The rows.

    n : int
        Number of picks, fewer than there are distinct rows.

    first : str
        Rule of the first centre.

    labeled : ndarray of shape (n_labeled, n_columns) or None
        Centres from the start.

    Returns
    -------
    law : dict
        From tuple to probability.
    """
    table = pairwise(X, X)
    start = np.full(len(X), np.inf)
    if labeled is not None:
        start = pairwise(X, labeled).min(axis=1)
    law = {(): 1.0}
    for _ in range(n):
        longer = {}
        for rows, probability in law.items():
            weights = np.minimum(start, table[list(rows)].min(axis=0, initial=np.inf))
            if not rows and labeled is None:
                weights = first_law(X, first)
            weights = weights / weights.sum()
            for row in np.flatnonzero(weights).tolist():
                longer[*rows, row] = probability * weights[row]
        law = longer
    assert np.isclose(sum(law.values()), 1)
    return law


def law_pvalue(law, draws):
    """Chi-square of counts against a law, cells of expectation below 5 pooled.

    Parameters
    ----------
    law : dict
        From tuple to probability.

    draws : list of tuple
        What was drawn.

    Returns
    -------
    pvalue : float
        0 if anything impossible was drawn.
    """
    position = {rows: i for i, rows in enumerate(law)}
    if any(rows not in position for rows in draws):
        return 0.0
    counts = np.bincount([position[rows] for rows in draws], minlength=len(law))
    expected = len(draws) * np.array(list(law.values()))
    order = np.argsort(expected)
    counts, expected = counts[order], expected[order]
    # The least cells together, as few as bring the pool, and each other cell, to 5.
    n_pooled = max(
        int((expected < 5).sum()), int(np.searchsorted(expected.cumsum(), 5)) + 1
    )
    if expected[0] >= 5:
        n_pooled = 1
    counts = np.r_[counts[:n_pooled].sum(), counts[n_pooled:]]
    expected = np.r_[expected[:n_pooled].sum(), expected[n_pooled:]]
    assert len(expected) > 1
    assert expected.min() >= 5
    return chisquare(counts, expected).pvalue


def draw(sampler, embedding, n, n_draws, seed, labeled=None, feasible=None):
    """Draw many selections, below the validation that would take most of the time."""
    rng = np.random.RandomState(seed)
    feasible = feasible or Feasible(len(embedding))
    return [
        tuple(sampler._run(embedding, n, labeled, feasible, rng).rows.tolist())
        for _ in range(n_draws)
    ]


def tables(X, labeled=None):
    """Table embeddings of rows, and of labelled rows that share the table."""
    if labeled is None:
        return TableEmbedding.of(X), None
    both = TableEmbedding.of(np.vstack([X, labeled]))
    return both.take(np.arange(len(X))), both.take(np.arange(len(labeled)) + len(X))


def dense(X, labeled=None, dtype=np.float64):
    """Dense embeddings of rows and of labelled rows."""
    if labeled is not None:
        labeled = DenseEmbedding(labeled.astype(dtype))
    return DenseEmbedding(X.astype(dtype)), labeled
