"""Labels and targets as the user writes them, and as the model does."""

from dataclasses import dataclass

import numpy as np
from sklearn.base import clone
from sklearn.utils.validation import check_is_fitted

from skbadge.outputs._output_shape import n_outputs
from skbadge.outputs._pipeline import innermost, is_skorch_net
from skbadge.utils._shown import listed


def is_pretrained(estimator):
    """Whether the innermost model is frozen: already trained, and to be left so."""
    return innermost(clone(estimator)) is innermost(estimator)


def speaks_codes(estimator):
    """Whether the innermost model names classes by the positions of its output units.

    skorch's nets do; a net whose class has a ``predict`` of its own is taken to know
    its labels once it is trained.
    """
    net = innermost(estimator)
    if not is_skorch_net(net):
        return False
    if not is_pretrained(estimator):
        return True
    return type(net).predict.__module__.partition(".")[0] == "skorch"


def trained_classes(estimator, X):
    """The classes of a trained model: its own, or the positions of its output units.

    A net with a single logit has two.
    """
    if speaks_codes(estimator):
        return np.arange(max(n_outputs(estimator, X), 2))
    model = innermost(estimator)
    check_is_fitted(model)
    return model.classes_


@dataclass(frozen=True, eq=False)
class LabelCodec:
    """The classes, and how a model writes them.

    Parameters
    ----------
    classes : ndarray of shape (n_classes,)
        The labels. If the model speaks codes, in the order of its output units.

    is_coded : bool
        Whether the model speaks codes rather than labels.
    """

    classes: np.ndarray
    is_coded: bool

    def kept_for(self, other):
        """Return this codec, if it serves the labels of another: none may be new.

        The output units keep their meaning, those of classes that went away too.
        """
        new = np.setdiff1d(other.classes, self.classes).tolist()
        if new:
            raise ValueError(
                f"`y` holds labels that did not occur before: {listed(new)}. With "
                "`warm_start=True` the net's outputs cannot change their meaning; name "
                "all labels ahead with `classes`."
            )
        return self

    def encode(self, y):
        """int64 positions of labels in `classes`, -1 for a label that is not there."""
        order = np.argsort(self.classes, kind="stable")
        position = np.searchsorted(self.classes, y, sorter=order)
        codes = order[np.minimum(position, len(order) - 1)]
        return np.where(self.classes[codes] == y, codes, -1)

    def predict(self, estimator, X):
        """Labels that an estimator predicts.

        Output units beyond the classes are never the answer: the best of the others
        takes their place.
        """
        predicted = estimator.predict(X)
        if not self.is_coded:
            return predicted
        codes = np.asarray(predicted).astype(np.int64)
        if codes.max(initial=0) >= len(self.classes):
            codes = self.predict_proba(estimator, X).argmax(axis=1)
        return self.classes[codes]

    def predict_proba(self, estimator, X):
        """Class probabilities, one column for each class.

        A class the estimator has never seen has probability 0. Output units beyond the
        classes are left out, and the others scaled to sum to 1.
        """
        proba = estimator.predict_proba(X)
        if self.is_coded:
            self.check_width(proba.shape[1])
            if proba.shape[1] == len(self.classes):
                return proba
            proba = proba[:, : len(self.classes)]
            total = proba.sum(axis=1, keepdims=True)
            uniform = np.full_like(proba, 1 / len(self.classes))
            return np.divide(proba, total, out=uniform, where=total > 0)
        seen = estimator.classes_
        if np.array_equal(seen, self.classes):
            return proba
        spread = np.zeros((len(proba), len(self.classes)), dtype=proba.dtype)
        spread[:, self.encode(seen)] = proba
        return spread

    def check_width(self, n_outputs):
        """Raise if the model has fewer outputs than there are classes."""
        if self.is_coded and n_outputs < len(self.classes):
            raise ValueError(
                f"The net has {n_outputs} outputs, fewer than the {len(self.classes)} "
                f"classes {listed(self.classes)}. Give its last layer an output for "
                "each class."
            )


@dataclass(frozen=True, eq=False)
class NumberCodec:
    """Targets of a regression, which a model writes as the user does.

    Parameters
    ----------
    shape : tuple of int
        Of the targets of one row: ``()``, or ``(n_outputs,)``.
    """

    shape: tuple = ()
    classes = None
    is_coded = False

    def encode(self, y):
        """None: numbers have no codes."""

    def predict(self, estimator, X):
        """Targets that an estimator predicts, in the shape of the user's.

        A net's one output is a column, whatever shape its targets had.
        """
        predicted = estimator.predict(X)
        is_column = np.ndim(predicted) == 2 and predicted.shape[1] == 1
        return predicted[:, 0] if is_column and self.shape == () else predicted
