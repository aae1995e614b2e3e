"""Savings of labels in one setting, and in resamples of its repeats."""

from dataclasses import dataclass
from numbers import Integral

import numpy as np
from numpy.typing import NDArray

from skbadge.inspection._crossings import isotonic, labels_at_score
from skbadge.inspection._frame import complete_runs

FINAL = "final"


@dataclass(frozen=True, eq=False)
class Saving:
    """What a strategy saves in one setting, at one target.

    Attributes
    ----------
    bounds : ndarray of shape (2, n_bootstrap + 1)
        float64. At least and at most; the observed one first, then those of resamples.

    never, at_start : bool
        Whether its curve never is at the baseline's score, or is from its start.

    n_repeats : int
        Complete runs of both.
    """

    bounds: NDArray[np.float64]
    never: bool
    at_start: bool
    n_repeats: int


def setting_savings(table, baseline, targets, uniforms):
    """Each `Saving` of a `ScoreTable`, by strategy and target.

    There is none where the two cannot be compared: no repeat in which both runs are
    complete, a target outside of the baseline's range, or one whose score it has from
    its start. ``uniforms``, of shape (n_bootstrap, at least n_repeats), draw repeats.
    """
    if baseline not in table.strategies:
        return {}
    complete, reached = complete_runs(table.scores)
    of_baseline = table.strategies.index(baseline)
    savings = {}
    for i, strategy in enumerate(table.strategies):
        kept = complete[i] & complete[of_baseline]
        if strategy == baseline or not kept.any():
            continue
        weights = _weights(uniforms, int(kept.sum()))
        curves, reference = (
            isotonic(weights @ table.scores[k][np.ix_(kept, reached[k])])
            for k in (i, of_baseline)
        )
        mine, theirs = (table.n_labeled[reached[k]] for k in (i, of_baseline))
        for target in targets:
            scores = _scores_at(theirs, reference, target)
            if scores is None:
                continue
            divisor = labels_at_score(theirs, reference, scores)
            if np.isinf(divisor[0][0]):
                continue
            needed = labels_at_score(mine, curves, scores)
            savings[strategy, target] = Saving(
                bounds=_bounds(needed, divisor),
                never=bool(np.isinf(needed[1][0])),
                at_start=bool(np.isinf(needed[0][0])),
                n_repeats=int(kept.sum()),
            )
    return savings


def _weights(uniforms, n):
    """Shares of n repeats, (n_bootstrap + 1, n): equal, then those of resamples."""
    drawn = (uniforms[:, :n] * n).astype(np.int64)
    counts = (drawn[:, :, None] == np.arange(n)).sum(axis=1)
    return np.vstack([np.ones(n), counts]) / n


def _scores_at(n_labeled, curves, target):
    """Scores at a number of labels, interpolated; None outside of the range."""
    last = n_labeled[-1]
    if target == FINAL:
        place = last
    else:
        place = target if isinstance(target, Integral) else target * last
    if len(n_labeled) < 2 or not n_labeled[0] <= place <= last:
        return None
    k = min(np.searchsorted(n_labeled, place, side="right"), len(n_labeled) - 1)
    share = (place - n_labeled[k - 1]) / (n_labeled[k] - n_labeled[k - 1])
    return (1 - share) * curves[:, k - 1] + share * curves[:, k]


def _bounds(needed, divisor):
    """Bounds of one minus a ratio of two numbers that are themselves in bounds."""
    (least, most), (low, high) = needed, divisor
    with np.errstate(divide="ignore", invalid="ignore"):
        at_least = np.where(low > 0, 1 - most / low, -np.inf)
        at_most = np.where(high > 0, 1 - np.maximum(least, 0) / high, 1.0)
    return np.stack([at_least, at_most])
