"""Isotonic curves, and the number of labels at which a curve is at a score."""

import numpy as np

_ROUNDING = 1e-12
# Bounds the memory of the means of all stretches of many curves.
_MAX_NUMBERS = 4_000_000


def isotonic(curves):
    """Isotonic regressions of many curves, of shape (..., n_labeled), at once.

    By the max-min formula: the value at ``i`` is the greatest over starts ``j <= i`` of
    the least mean of ``curve[j:k + 1]`` over ends ``k >= i``. Takes O(n_labeled**2) a
    curve, and no loop over curves.
    """
    n = curves.shape[-1]
    flat = curves.reshape(-1, n)
    step = max(_MAX_NUMBERS // max(n * n, 1), 1)
    parts = [_isotonic(flat[i : i + step]) for i in range(0, len(flat), step)]
    return np.concatenate([flat[:0], *parts]).reshape(curves.shape)


def labels_at_score(n_labeled, curves, scores):
    """Bounds of the least number of labels at which curves are at a score.

    Parameters
    ----------
    n_labeled : ndarray of shape (n_labeled,)
        Ascending, at least one.

    curves : ndarray of shape (..., n_labeled)
        Finite.

    scores : ndarray of shape (...)
        One for each curve.

    Returns
    -------
    low, high : ndarray of shape (...)
        The same, by linear interpolation, where a curve comes to its score. One that is
        there from its start has minus infinity and its first number of labels; one that
        never is, its last number of labels and infinity.
    """
    scores = np.asarray(scores)
    near = scores - _ROUNDING * np.abs(scores)  # a mean may be off by rounding
    reached = curves >= near[..., None]
    after = np.argmax(reached, axis=-1)
    before = np.maximum(after - 1, 0)
    below, above = (
        np.take_along_axis(curves, place[..., None], axis=-1)[..., 0]
        for place in (before, after)
    )
    rise = np.where(above > below, above - below, 1.0)
    share = np.clip((scores - below) / rise, 0.0, 1.0)
    labels = n_labeled[before] + share * (n_labeled[after] - n_labeled[before])
    at_start, never = reached[..., 0], ~reached.any(axis=-1)
    low = np.where(at_start, -np.inf, np.where(never, n_labeled[-1], labels))
    high = np.where(at_start, n_labeled[0], np.where(never, np.inf, labels))
    return low, high


def _isotonic(curves):
    n = curves.shape[-1]
    start, end = np.arange(n)[:, None], np.arange(n)
    inside = end >= start
    # No differences of sums from the first on: one huge error at the start of a curve
    # would take all digits of the rest.
    sums = np.cumsum(np.where(inside, curves[:, None, :], 0.0), axis=-1)
    means = np.where(inside, sums / np.where(inside, end - start + 1, 1), np.inf)
    least = np.minimum.accumulate(means[..., ::-1], axis=-1)[..., ::-1]
    return np.where(inside, least, -np.inf).max(axis=-2)
