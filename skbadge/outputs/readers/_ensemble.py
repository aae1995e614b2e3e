"""Reading ensembles: posterior samples and gradients are those of the members."""

from itertools import repeat

import numpy as np
from sklearn.base import is_classifier
from sklearn.ensemble import BaggingClassifier, VotingClassifier, VotingRegressor

from skbadge.embeddings import DenseEmbedding, StackedEmbedding
from skbadge.outputs._needs import Needs
from skbadge.outputs._options import ReadingOptions
from skbadge.outputs.readers._input_rows import bagging_inputs, model_rows, validated
from skbadge.outputs.readers._other import POSTERIOR_HINT, OtherReader
from skbadge.outputs.readers._tree_families import BAGGING, FORESTS
from skbadge.pools import first_rows
from skbadge.utils._place import new_array
from skbadge.utils._streams import stream_seed

VOTING = (VotingClassifier, VotingRegressor)

# Known to average their members, and to train them on the positions of the labels.
AVERAGES = (BaggingClassifier, VotingClassifier, *FORESTS)

MEAN_ROWS = 16
MEAN_TOLERANCE = 1e-4


def is_ensemble(predictor):
    """Whether a model consists of others, trained on the same task."""
    known = isinstance(predictor, (*BAGGING, *VOTING, *FORESTS))
    return known or hasattr(predictor, "estimators_")


class EnsembleReader(OtherReader):
    """Reads a fitted ensemble; its members may be any model, nets and ensembles too.

    Parameters
    ----------
    model : estimator object
        The ensemble.

    read_member : callable
        Reads a member as `read_model` does, which knows the readers of all families.
    """

    def __init__(self, model, read_member):
        super().__init__(model)
        self.read_member = read_member

    def _read_gradients(self, X, proba, needs, options):
        """Gradients of the members side by side: their kernels add up.

        Sketches, of as many columns as asked for, are of maps of their own and are
        added up. What members of fewer weights keep stands beside them.
        """
        if not isinstance(self.model, (*BAGGING, *VOTING)):
            return super()._read_gradients(X, proba, needs, options)
        wanted = Needs(gradients=True, n_columns=needs.n_columns)
        parts, total = [], None
        for i, member in enumerate(self.model.estimators_):
            rows = X
            if isinstance(self.model, BAGGING):
                columns = self.model.estimators_features_[i]
                rows = model_rows(self.model, X)[:, columns]
            seed = stream_seed(options.random_state, f"member-{i}")
            how = ReadingOptions(batch_size=options.batch_size, random_state=seed)
            part = self.read_member(member, rows, wanted, how).gradients
            if part.shape[1] != needs.n_columns:
                parts.append(part)
            elif total is None:
                total = part.matrix
            else:
                total += part.matrix
        if total is not None:
            parts.append(DenseEmbedding(total))
        return StackedEmbedding(parts) if len(parts) > 1 else parts[0]

    def _read_posterior(self, X, needs, options):
        """Class probabilities by each member.

        Columns are in the order of the ensemble's ``classes_``. A class that a member
        has never seen has probability 0.
        """
        members = _members(self.model)
        wanted = Needs(proba=True)
        how = ReadingOptions(batch_size=options.batch_size)
        posterior = None
        inputs = _member_inputs(self.model, X)
        # Not strict: an ensemble without inputs of its own repeats X without end.
        for sample, (member, rows) in enumerate(zip(members, inputs, strict=False)):
            proba = self.read_member(member, rows, wanted, how).proba
            proba = _aligned(proba, member, self.model)
            if posterior is None:
                posterior = new_array((len(members), *proba.shape), np.float32)
            posterior[sample] = proba
        if not isinstance(self.model, AVERAGES):
            _check_mean(self.model, X, posterior)
        return posterior


def _members(ensemble):
    """The members, if they can be posterior samples."""
    name = type(ensemble).__name__
    members = ensemble.estimators_
    if not is_classifier(ensemble):
        raise TypeError(f"{name} has no posterior samples. {POSTERIOR_HINT}")
    # Boosted regression trees are an array, one column for each class.
    listed = isinstance(members, list)
    for member in members if listed else np.ravel(members)[:1]:
        if not listed or not hasattr(member, "predict_proba"):
            raise TypeError(
                f"The members of {name} must be a list of classifiers with "
                f"`predict_proba`. Got {type(member).__name__}. {POSTERIOR_HINT}"
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
    """Refuse votes that are no mean."""
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
        return bagging_inputs(ensemble, X)
    if isinstance(ensemble, FORESTS):
        # Once for all trees, which check the values themselves.
        X = validated(ensemble, X, accept_sparse="csr", dtype=np.float32)
    return repeat(X)


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
            f"it predicts is not the mean of their probabilities. {POSTERIOR_HINT}"
        )
