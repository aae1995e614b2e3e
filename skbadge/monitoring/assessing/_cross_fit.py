"""What a querier's estimator says of labelled rows that it was not trained on."""

import warnings
from copy import deepcopy

import numpy as np
from sklearn.base import is_classifier
from sklearn.model_selection import KFold, StratifiedKFold

from skbadge.monitoring.assessing._retrained import retrained
from skbadge.querier import BatchPredictions
from skbadge.querier._codecs import is_pretrained
from skbadge.utils._streams import optional_seed, stream_seed

# A regressor's folds are of two rows at least.
LEAST_TARGETS = 4


class CrossFitError(ValueError):
    """That no model can be trained without some of the labelled rows."""


def cross_fitted(querier, rows, n_folds):
    """Predictions for labelled rows, each by a clone trained without it.

    Parameters
    ----------
    querier : BadgeQuerier
        Whose estimator and parameters are used. It is left as it is.

    rows : LabeledRows
        The rows, with their labels and parameters of ``fit``.

    n_folds : int
        How many clones, at most.

    Returns
    -------
    predictions : BatchPredictions
        In the order of the rows.

    n_folds : int
        How many clones were trained; 0 of a model that is trained already.

    Raises
    ------
    CrossFitError
        If there are too few labels, or a clone cannot be trained.
    """
    if is_pretrained(querier._estimator()):
        return BatchPredictions.of(querier, rows.lent().X), 0
    # A judgement does not advance a `RandomState`: `query` draws from it.
    seed = optional_seed(deepcopy(querier.random_state), "assess")
    folds = _folds(querier, rows.y, n_folds, seed)
    parts = []
    for i, (kept, held) in enumerate(folds):
        fold_seed = None if seed is None else stream_seed(seed, f"fold-{i}")
        try:
            apart = rows.without(kept).lent().X
            parts.append(retrained(querier, rows.without(held), apart, fold_seed))
        except Exception as error:
            raise CrossFitError(
                "Cross-fitting needs clones of the estimator that learn from some of "
                f"the labelled rows. One could not be trained on {len(kept)} of "
                f"{len(rows.y)}. Label more rows, or choose other `n_folds`. The error "
                f"was {type(error).__name__}: {error}"
            ) from error
    order = np.argsort(np.concatenate([held for _, held in folds]))
    return _in_order(parts, order), len(folds)


def _folds(querier, y, n_folds, seed):
    """Pairs of positions, to train on and to predict."""
    if not is_classifier(querier):
        if len(y) < LEAST_TARGETS:
            raise CrossFitError(
                f"Cross-fitting needs at least {LEAST_TARGETS} labelled rows. Got "
                f"{len(y)}. Label some more before `assess`."
            )
        n_folds = min(n_folds, len(y) // 2)
        return list(KFold(n_folds, shuffle=True, random_state=seed).split(y))
    labels, codes, counts = np.unique(y, return_inverse=True, return_counts=True)
    if (counts > 1).sum() < 2:
        found = dict(zip(labels.tolist(), counts.tolist(), strict=True))
        raise CrossFitError(
            "Cross-fitting needs at least two classes with two labelled rows each, so "
            f"that a model can be trained without one of them. Got {found}. Label some "
            "more before `assess`."
        )
    # Each class is dealt out to as many folds as it has rows.
    n_folds = min(n_folds, counts.max())
    splitter = StratifiedKFold(n_folds, shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        # Of classes with fewer rows than folds.
        warnings.simplefilter("ignore", UserWarning)
        return list(splitter.split(codes, codes))


def _in_order(parts, order):
    """Predictions of folds put together, with a column for each class of any."""
    labels = np.concatenate([part.labels for part in parts])[order]
    if parts[0].proba is None:
        return BatchPredictions(labels)
    classes = np.unique(np.concatenate([part.classes for part in parts]))
    probas = []
    for part in parts:
        proba = np.zeros((len(part.proba), len(classes)), part.proba.dtype)
        proba[:, np.searchsorted(classes, part.classes)] = part.proba
        probas.append(proba)
    return BatchPredictions(labels, np.concatenate(probas)[order], classes)
