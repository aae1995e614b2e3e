"""How far two models say the same of some rows."""

import numpy as np


def agreement(mine, theirs, *, is_of_classes):
    """1 if two models say the same of all rows, about 0 if no more than by chance.

    Parameters
    ----------
    mine, theirs : ndarray of shape (n_rows,) or (n_rows, n_outputs)
        What each predicts for the same rows: labels or numbers.

    is_of_classes : bool
        Whether they are labels: Cohen's kappa, else Lin's concordance correlation, of
        several outputs the mean.

    Returns
    -------
    agreement : float
        From -1 to 1.
    """
    if np.array_equal(mine, theirs):
        # By the formulas 0 / 0, if all rows are alike.
        return 1.0
    return _kappa(mine, theirs) if is_of_classes else _concordance(mine, theirs)


def _kappa(mine, theirs):
    observed = np.mean(mine == theirs)
    labels, codes = np.unique(np.concatenate([mine, theirs]), return_inverse=True)
    first, second = (
        np.bincount(part, minlength=len(labels)) / len(mine)
        for part in np.split(codes, 2)
    )
    # By chance they would say the same of this share of the rows.
    expected = first @ second
    return float((observed - expected) / (1 - expected))


def _concordance(mine, theirs):
    mine, theirs = (
        np.asarray(part, dtype=np.float64).reshape(len(part), -1)
        for part in (mine, theirs)
    )
    means = mine.mean(axis=0), theirs.mean(axis=0)
    covariance = ((mine - means[0]) * (theirs - means[1])).mean(axis=0)
    # 2 cov(a, b) / (var(a) + var(b) + (mean(a) - mean(b))^2)
    spread = mine.var(axis=0) + theirs.var(axis=0) + (means[0] - means[1]) ** 2
    with np.errstate(invalid="ignore"):
        concordance = 2 * covariance / spread
    # An output that is one and the same number for both.
    return float(np.where(spread > 0, concordance, 1.0).mean())
