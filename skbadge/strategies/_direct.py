"""DIRECT: rows around the best threshold of each class, rare ones first."""

from numbers import Integral

import numpy as np

from skbadge._compat import Interval
from skbadge.outputs import Needs
from skbadge.samplers import Selection
from skbadge.strategies._base import Strategy
from skbadge.strategies._uncertainty import two_greatest
from skbadge.utils._chunks import row_chunks
from skbadge.utils._ties import Ties, rounded


class Direct(Strategy):
    r"""DIRECT: rows around the threshold at which each class is told best from others.

    For rare classes (Nuggehalli et al. [1]_). A model that has seen few rows of a class
    gives it low probabilities everywhere, so that rows with small margins are far from
    where the class ends. For each class :math:`k`, labelled and unlabelled rows are put
    in the order of :math:`p_k - \max_{j \ne k} p_j`, greatest first. The threshold is
    where the labelled rows agree most with a cut: as many of the class as possible
    before it, and of others behind it. Rows that are labelled around it are about as
    often of the class as not.

    One half of the batch is drawn uniformly from the rows about which the labelled rows
    leave the threshold open: those between the first labelled row of another class and
    the last of the class, whichever comes first. It goes to the classes with the fewest
    labels, in equal shares. The other half goes to all classes, in random order and
    equal shares: the rows nearest to the threshold, before it and behind it in turn.

    Parameters
    ----------
    min_share : int, default=60
        Rows at least that a class has a share of in the first half: the greater, the
        fewer classes have one. With less than ``4 * min_share`` rows to select it is
        the rarest class alone.

    Notes
    -----
    Rows out of the pool that may not be selected have no part in it, nor have pending
    ones. Where a class has no labelled row, what is open begins at the top of the
    order, and where no other has one it ends at the bottom. What the first half cannot
    use, as there are too few rows between, the second gets. A label without a column of
    probabilities is one of another class, for all of them.

    This is the form for batches that are labelled at once. The authors' code [2]_
    takes as open all rows from the last of the class before the first of another, to
    the first of another behind the last of the class; between labels that contradict
    each other that is more.

    It takes ``O(n_classes * n_rows * log(n_rows))`` time, for classes that have a share
    in the batch, and 56 bytes a row.

    References
    ----------
    .. [1] S. Nuggehalli, J. Zhang, L. Jain, R. Nowak. "DIRECT: deep active learning
       under imbalance and label noise". ICML 2025.
    .. [2] https://github.com/EfficientTraining/LabelBench, strategy_impl/direct.py.

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skbadge import BadgeQuerier
    >>> X, y = make_classification(2000, weights=[0.95], random_state=0)
    >>> querier = BadgeQuerier(LogisticRegression(), strategy="direct", random_state=0)
    >>> rows = querier.fit(X[:100], y[:100]).query(X[100:], n=20)
    >>> bool(y[100:][rows].mean() > 2 * y.mean())
    True
    """

    needs = Needs(proba=True, labeled=True)
    _parameter_constraints: dict = {
        "min_share": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(self, min_share: int = 60):
        self.min_share = min_share

    def _run(self, pool, n, labeled, feasible, rng):
        batch = _Batch(pool, labeled, feasible.open(), rng)
        n_classes = pool.proba.shape[1]
        n_rare = min(max(n // (2 * self.min_share), 1), n_classes)
        for k, share in zip(batch.rarest(n_rare), _shares(n // 2, n_rare), strict=True):
            batch.draw_open(k, share)
        shares = _shares(n - batch.n_picked, n_classes)
        for k, share in zip(rng.permutation(n_classes), shares, strict=True):
            if share:
                batch.take_nearest(k, share)
        return batch.finish()


def _shares(n, n_parts):
    """Whole numbers that sum to ``n`` and differ by at most one."""
    ends = n * np.arange(n_parts + 1) // n_parts
    return np.diff(ends)


class _Batch:
    """A selection under way.

    Parameters
    ----------
    pool : Outputs
        With probabilities.

    labeled : Labeled or None
        Likewise, with labels.

    open_rows : OpenRows
        The rows that may be selected.

    rng : RandomState
        Source of randomness.
    """

    def __init__(self, pool, labeled, open_rows, rng):
        self.pool = pool
        self.open_rows = open_rows
        self.rng = rng
        self.n_classes = pool.proba.shape[1]
        known = np.empty((0, self.n_classes))
        self.codes = np.empty(0, dtype=np.int64)
        if labeled is not None and len(labeled):
            known = labeled.outputs.proba
            self.codes = _codes_of(labeled)
        self.margins = [ClassMargins(proba) for proba in (pool.proba, known)]
        n_rows = len(pool) + len(self.codes)
        self.keys = Ties(rng).keys(np.arange(n_rows))
        self.rows = []
        self.values = []

    @property
    def n_picked(self):
        """How many rows have been selected."""
        return sum(map(len, self.rows))

    def rarest(self, n):
        """The classes with the fewest labels, rarest first, equal ones at random."""
        counts = np.bincount(self.codes[self.codes >= 0], minlength=self.n_classes)
        return np.lexsort((self.rng.random_sample(self.n_classes), counts))[:n]

    def draw_open(self, k, n):
        """Draw rows of the pool that the labels leave open for a class."""
        order, labels, scores = self._ordered(k)
        start, stop = open_interval(labels)
        rows = order[start:stop]
        self._pick(self.rng.permutation(rows[rows < len(self.pool)]), n, scores)

    def take_nearest(self, k, n):
        """Take rows of the pool from the threshold of a class outwards."""
        order, labels, scores = self._ordered(k)
        threshold = best_threshold(labels)
        in_pool = order < len(self.pool)
        before = order[:threshold][in_pool[:threshold]][::-1]
        behind = order[threshold:][in_pool[threshold:]]
        before, behind = (self._still_open(rows) for rows in (before, behind))
        # One before and one behind in turn, then those left on one side.
        turns = np.argsort(
            np.concatenate([2 * np.arange(len(before)), 2 * np.arange(len(behind)) + 1])
        )
        self._pick(np.concatenate([before, behind])[turns], n, scores)

    def finish(self):
        """What was selected."""
        rows = np.concatenate(self.rows)
        return Selection(rows, np.concatenate(self.values), "margin over other classes")

    def _ordered(self, k):
        """All rows in the order of a class, labelled ones behind those of the pool.

        Returns
        -------
        order : ndarray of shape (n_rows,)
            Positions in the pool, from its length on of labelled rows.

        labels : ndarray of shape (n_rows,)
            In that order: 1 for a label of the class, -1 for another, 0 for none.

        scores : ndarray of shape (n_rows,)
            By position.
        """
        scores = np.concatenate([part.of(k) for part in self.margins])
        labels = np.zeros(len(scores), dtype=np.int64)
        labels[len(self.pool) :] = np.where(self.codes == k, 1, -1)
        order = np.lexsort((self.keys, -rounded(scores)))
        return order, labels[order], scores

    def _still_open(self, rows):
        return rows[self.open_rows.mask[rows]]

    def _pick(self, rows, n, scores):
        picked = self.open_rows.first(rows, n)
        self.rows.append(picked)
        self.values.append(scores[picked])


def _codes_of(labeled):
    """The columns of probabilities that labels stand for; the labels may be these."""
    codes = np.asarray(labeled.y if labeled.codes is None else labeled.codes)
    if codes.dtype.kind not in "iu":
        raise ValueError(
            "`labeled.codes` must hold the columns of `proba` that the labels stand "
            f"for. Got {labeled.codes}, and labels of dtype {codes.dtype}."
        )
    return codes.astype(np.int64)


class ClassMargins:
    """Probabilities of classes less the greatest ones of the other classes, float64.

    A single class has others of probability 0.

    Parameters
    ----------
    proba : ndarray of shape (n_rows, n_classes)
        Read as a whole once, for the two greatest of each row, and then by columns.
    """

    def __init__(self, proba):
        self.proba = proba
        self.greatest = np.empty((2, len(proba)))
        for rows in row_chunks(len(proba), proba.shape[1]):
            self.greatest[:, rows] = two_greatest(proba[rows])

    def of(self, k):
        """Those of a class, one for each row."""
        own, (first, second) = self.proba[:, k].astype(np.float64), self.greatest
        return own - np.where(own == first, second, first)


def best_threshold(labels):
    """Where a cut agrees most with the labels, in the order of a class.

    Parameters
    ----------
    labels : ndarray of shape (n_rows,)
        1 for the class, -1 for others, 0 for rows without a label.

    Returns
    -------
    threshold : int
        Rows before the cut; of equally good cuts the first.
    """
    # sum_{i < t} w_i - sum_{i >= t} w_i is twice the first sum, but for a constant.
    return int(np.concatenate([[0], np.cumsum(labels)]).argmax())


def open_interval(labels):
    """From where to where the labels leave the threshold open.

    Parameters
    ----------
    labels : ndarray of shape (n_rows,)
        As for `best_threshold`.

    Returns
    -------
    start, stop : int
        Between the last row of the class and the first of another, whichever comes
        first. The top stands for a missing row of the class, the bottom for a missing
        one of another.
    """
    own, others = np.flatnonzero(labels > 0), np.flatnonzero(labels < 0)
    last = own[-1] if len(own) else -1
    first = others[0] if len(others) else len(labels)
    return min(last, first) + 1, max(last, first)
