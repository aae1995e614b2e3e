"""Posterior samples of class probabilities: from dropout, or from ensemble members."""

from itertools import repeat

import numpy as np
from sklearn.base import is_classifier
from sklearn.ensemble import (
    BaggingClassifier,
    ExtraTreesClassifier,
    RandomForestClassifier,
    VotingClassifier,
)
from sklearn.utils.validation import check_is_fitted, validate_data

from skbadge.outputs._pipeline import is_skorch_net
from skbadge.pools._rows import first_rows

FORESTS = (RandomForestClassifier, ExtraTreesClassifier)

# Known to average their members, and to train them on the positions of the labels.
AVERAGES = (BaggingClassifier, VotingClassifier, *FORESTS)

MEAN_ROWS = 16
MEAN_TOLERANCE = 1e-4

WAYS = (
    "Posterior samples are taken from a skorch net with dropout modules, or from an "
    "ensemble of classifiers with `predict_proba` that predicts their mean, such as "
    "BaggingClassifier, VotingClassifier(voting='soft'), RandomForestClassifier and "
    "ExtraTreesClassifier."
)


def read_posterior(predictor, X, read_proba, *, n_posterior, batch_size, random_state):
    """Read posterior samples of a fitted predictor, see `model_outputs`.

    Parameters
    ----------
    predictor : estimator object
        Fitted, without wrappers.

    X : array-like of shape (n_rows, ...)
        Rows as ``predictor`` takes them.

    read_proba : callable
        Takes a member of an ensemble and rows, and returns its probabilities.

    n_posterior : int
        Dropout masks to draw. An ensemble has as many samples as members.

    batch_size : int or "auto"
        Rows in one forward pass of a net.

    random_state : None, int or RandomState
        Draws the masks.

    Returns
    -------
    posterior : ndarray of shape (n_samples, n_rows, n_outputs)
        float32.
    """
    if is_skorch_net(predictor):
        from skbadge.outputs import _mc_dropout

        return _mc_dropout.dropout_posterior(
            predictor, X, n_posterior, batch_size, random_state
        )
    return member_posterior(predictor, X, read_proba)


def member_posterior(ensemble, X, read_proba):
    """Class probabilities by each member of an ensemble.

    Parameters
    ----------
    ensemble : estimator object
        Fitted, with a list ``estimators_`` of classifiers.

    X : array-like of shape (n_rows, n_features)
        Rows as ``ensemble`` takes them.

    read_proba : callable
        Takes a member and rows, and returns its probabilities.

    Returns
    -------
    posterior : ndarray of shape (n_members, n_rows, n_classes)
        float32, columns in the order of the ensemble's ``classes_``; a class that a
        member has never seen has probability 0.

    Raises
    ------
    NotFittedError
        If the ensemble is not fitted.
    TypeError
        If it has no members with probabilities, or does not predict their mean.
    ValueError
        If there is one member only, or the members count unequally.
    """
    check_is_fitted(ensemble)
    members = _members(ensemble)
    posterior = None
    inputs = _member_inputs(ensemble, X)
    # Not strict: an ensemble without inputs of its own repeats X without end.
    for sample, (member, rows) in enumerate(zip(members, inputs, strict=False)):
        proba = _aligned(read_proba(member, rows), member, ensemble)
        if posterior is None:
            posterior = np.empty((len(members), *proba.shape), dtype=np.float32)
        posterior[sample] = proba
    if not isinstance(ensemble, AVERAGES):
        _check_mean(ensemble, X, posterior)
    return posterior


def _members(ensemble):
    name = type(ensemble).__name__
    members = getattr(ensemble, "estimators_", None)
    if not is_classifier(ensemble) or members is None:
        raise TypeError(f"{name} has no posterior samples. {WAYS}")
    # Boosted regression trees are an array, one column for each class.
    listed = isinstance(members, list)
    for member in members if listed else np.ravel(members)[:1]:
        if not listed or not hasattr(member, "predict_proba"):
            raise TypeError(
                f"The members of {name} must be a list of classifiers with "
                f"`predict_proba`. Got {type(member).__name__}. {WAYS}"
            )
    if len(members) < 2:
        raise ValueError(
            f"An ensemble needs at least 2 members that may disagree. This {name} "
            f"has {len(members)}."
        )
    if isinstance(ensemble, VotingClassifier):
        _check_votes(ensemble)
    return members


def _check_votes(ensemble):
    if ensemble.voting != "soft":
        raise ValueError(
            "VotingClassifier must have voting='soft', to be the mean of its members. "
            f"Got voting={ensemble.voting!r} instead."
        )
    if ensemble.weights is not None and len(set(ensemble.weights)) > 1:
        raise ValueError(
            "The members of a VotingClassifier must count equally, as posterior "
            f"samples do. Got weights={ensemble.weights!r} instead of None."
        )


def _member_inputs(ensemble, X):
    """What each member is given, as in the ensemble's own ``predict_proba``."""
    if isinstance(ensemble, BaggingClassifier):
        X = _validated(ensemble, X, accept_sparse=["csr", "csc"], dtype=None)
        return (X[:, features] for features in ensemble.estimators_features_)
    if isinstance(ensemble, FORESTS):
        # Once for all trees, which check the values themselves.
        X = _validated(ensemble, X, accept_sparse="csr", dtype=np.float32)
    return repeat(X)


def _validated(ensemble, X, **checks):
    return validate_data(ensemble, X, ensure_all_finite=False, reset=False, **checks)


def _aligned(proba, member, ensemble):
    """Columns in the order of the ensemble's classes."""
    classes = np.asarray(ensemble.classes_)
    if proba.shape[1] == len(classes):
        return proba
    seen = np.asarray(getattr(member, "classes_", ()))
    if isinstance(ensemble, AVERAGES) or not np.isin(seen, classes).all():
        classes = np.arange(len(classes))
    columns = np.flatnonzero(np.isin(classes, seen))
    if not len(columns) == len(seen) == proba.shape[1]:
        raise ValueError(
            f"The members of {type(ensemble).__name__} must predict its classes, "
            f"{ensemble.classes_}. Got {proba.shape[1]} columns of probabilities from "
            f"a {type(member).__name__} that has seen {seen}."
        )
    spread = np.zeros((len(proba), len(classes)), dtype=np.float32)
    spread[:, columns] = proba
    return spread


def _check_mean(ensemble, X, posterior):
    """Refuse members that are weighted, stacked, chained or one against the rest."""
    mean = posterior[:, :MEAN_ROWS].mean(axis=0, dtype=np.float64)
    proba = None
    if hasattr(ensemble, "predict_proba"):
        proba = np.asarray(ensemble.predict_proba(first_rows(X, MEAN_ROWS)))
    same = proba is not None and proba.shape == mean.shape
    if not same or not np.allclose(proba, mean, rtol=0, atol=MEAN_TOLERANCE):
        raise TypeError(
            f"The members of {type(ensemble).__name__} are no posterior samples: what "
            f"it predicts is not the mean of their probabilities. {WAYS}"
        )
