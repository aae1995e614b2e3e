"""How far two models say the same of some rows."""

import numpy as np
from sklearn.metrics import cohen_kappa_score


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
    if is_of_classes:
        return float(cohen_kappa_score(mine, theirs))
    return _concordance(mine, theirs)


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
