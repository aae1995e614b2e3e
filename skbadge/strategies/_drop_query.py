"""DropQuery: rows whose prediction does not survive the loss of features."""

from dataclasses import dataclass, replace
from numbers import Integral, Real
from operator import add

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from skbadge._compat import Interval
from skbadge.outputs import Needs
from skbadge.strategies._base import Strategy
from skbadge.strategies._candidate_set import n_open, unlike_candidates
from skbadge.utils._chunks import row_chunks, rows_of_chunk
from skbadge.utils._streams import entry_words

# Candidates for each row asked for, below which those of few changes count as well.
ENOUGH = 25

# Candidates of a pool in chunks that are clustered; of more, a uniform sample.
MOST_CLUSTERED = 35_000

# Entries masked at a time: they stay in cache while they are drawn.
MASKED_ENTRIES = 2**15


class DropQuery(Strategy):
    r"""DropQuery: different rows whose prediction changes as features drop out.

    By Gupte et al. [1]_, for few labels and features of a good encoder. Features are
    set to 0 at random, a few times, and the model's last layer is run again on what is
    left, times :math:`1 / (1 - rate)`. Candidates are the rows whose predicted class
    changes in more than half of the trials, or, where these are fewer than 25 times
    ``n``, in any of them. Their features, at length 1, are clustered by k-means into
    ``n`` clusters, and the row nearest to each centre is selected.

    Parameters
    ----------
    n_masks : int, default=3
        Trials, at least 1.

    rate : float, default=0.75
        Probability with which a feature drops out, in [0, 1). At 0 no prediction
        changes.

    Notes
    -----
    The values of a selection are numbers of changed predictions. If fewer than ``n``
    rows are candidates, the others are drawn uniformly, with a `QueryWarning`. A
    pending row takes the centre that is nearest to it. For a start without labels,
    the authors take `Centroids`.

    Features drop out anew in each row. No masks are kept: a row's depend on the seed
    and its position only. This takes ``O(n_masks * n_rows * n_features)`` time besides
    the products with the last layer and scikit-learn's k-means, and no more memory than
    the candidates' features once more. Sparse features stay sparse. A pool in chunks is
    read twice: once for the changes, and once for the features of 35,000 candidates at
    most, a uniform sample of all. That holds a few bytes for each row.

    What counts is dropout on the features, whether or not the net has dropout modules.
    The model must have a last linear layer: a net, ``MLPClassifier``, or a linear model
    whose features are its input. On inputs, rows are compared with 0, so these should
    be centred.

    References
    ----------
    .. [1] S. R. Gupte, J. Aklilu, J. J. Nirschl, S. Yeung-Levy. "Revisiting active
       learning in the era of vision foundation models". TMLR 2024.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.neural_network import MLPClassifier
    >>> from skbadge import BadgeQuerier
    >>> X, y = load_digits(return_X_y=True)
    >>> model = MLPClassifier(max_iter=1000)
    >>> querier = BadgeQuerier(model, strategy="drop_query", random_state=0)
    >>> querier.fit(X[:50], y[:50]).query(X[50:], n=5).shape
    (5,)
    """

    _parameter_constraints: dict = {
        "n_masks": [Interval(Integral, 1, None, closed="left")],
        "rate": [Interval(Real, 0, 1, closed="left")],
    }

    # Probabilities, since only classifiers have predictions that change.
    needs = Needs(proba=True, features=True, head=True, sparse=True)
    streams = True

    def __init__(self, *, n_masks: int = 3, rate: float = 0.75):
        self.n_masks = n_masks
        self.rate = rate

    def _run(self, pool, n, labeled, feasible, rng):
        masks = self._masks(rng)
        changes = prediction_changes(pool.features, pool.head, masks)
        return self._select_by(changes, pool.take, n, feasible, rng)

    def _run_on_chunks(self, pool, n, labeled, feasible, rng):
        rows = None
        if feasible.mask is not None:
            # Those that may never be selected have no number, as in memory.
            rows, feasible = feasible.restricted()
        changes = _ChangesOfChunk(self._masks(rng), rows)

        def outputs_of(found):
            return pool.gathered(found if rows is None else rows[found])

        selection = self._select_by(
            np.concatenate(pool.reduce(changes, add)),
            outputs_of,
            n,
            feasible,
            rng,
            most=MOST_CLUSTERED,
        )
        if rows is None:
            return selection
        return replace(selection, rows=rows[selection.rows])

    def _masks(self, rng):
        return RandomMasks(int(rng.randint(2**31 - 1)), self.n_masks, self.rate)

    def _select_by(self, changes, outputs_of, n, feasible, rng, most=None):
        is_candidate = changes > self.n_masks / 2
        if n_open(feasible, is_candidate) < ENOUGH * n:
            is_candidate = changes > 0
        return unlike_candidates(
            outputs_of,
            is_candidate,
            changes,
            n,
            feasible,
            rng,
            most=most,
            value_name="changes",
            found="changed their prediction as features dropped out",
        )


@dataclass
class _ChangesOfChunk:
    """The changes of a chunk's rows, of those that have a number: a list of one array.

    ``rows`` are those, None for all.
    """

    masks: "RandomMasks"
    rows: NDArray[np.int64] | None

    def __call__(self, outputs, first):
        if self.rows is not None:
            positions, first = rows_of_chunk(self.rows, first, len(outputs))
            outputs = outputs.take(positions)
        changes = prediction_changes(outputs.features, outputs.head, self.masks, first)
        # One byte a row.
        return [changes.astype(np.min_scalar_type(self.masks.n_masks))]


class RandomMasks:
    """Which features of which rows are kept in each trial.

    Parameters
    ----------
    seed : int
        At least 0.

    n_masks : int
        Number of trials.

    rate : float
        Probability with which a feature drops out, in [0, 1).
    """

    def __init__(self, seed, n_masks, rate):
        self.seed = seed
        self.n_masks = n_masks
        self.rate = rate

    def kept(self, mask, rows, columns):
        """Whether entries are kept, given the trial's number, and where they are."""
        # The rows of all trials are numbered through.
        rows = rows.astype(np.uint64) * np.uint64(self.n_masks) + np.uint64(mask)
        return entry_words(self.seed, rows, columns) >= np.uint64(self.rate * 2.0**64)


def prediction_changes(features, head, masks, first=0):
    """In how many trials the predicted class of each row changes.

    Parameters
    ----------
    features : ndarray or CSR matrix of shape (n_rows, n_features)
        Floating.

    head : Head
        Makes logits of features.

    masks : RandomMasks
        Or what has the same attributes.

    first : int, default=0
        Number of the first row, which its masks go by.

    Returns
    -------
    changes : ndarray of shape (n_rows,)
        int64, at most ``masks.n_masks``.
    """
    n_rows, n_features = features.shape
    changes = np.zeros(n_rows, dtype=np.int64)
    for part in row_chunks(n_rows, n_features, budget=MASKED_ENTRIES, minimum=16):
        block = features[part]
        predicted = head.logits(block).argmax(axis=1)
        for mask in range(masks.n_masks):
            dropped = _dropped(block, first + part.start, masks, mask)
            changes[part] += head.logits(dropped).argmax(axis=1) != predicted
    return changes


def _dropped(block, first, masks, mask):
    """Inverted dropout of rows, given the position of the first."""
    scale = block.dtype.type(1 / (1 - masks.rate))
    rows = np.arange(first, first + block.shape[0])
    if not sparse.issparse(block):
        kept = masks.kept(mask, rows[:, None], np.arange(block.shape[1]))
        return block * (kept * scale)
    # Entries that are 0 stay so.
    rows = np.repeat(rows, np.diff(block.indptr))
    dropped = block.copy()
    dropped.data *= masks.kept(mask, rows, block.indices) * scale
    return dropped
