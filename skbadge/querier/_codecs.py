"""Labels and targets as the user writes them, and as the model does."""

from dataclasses import dataclass, replace

import numpy as np
from sklearn.base import clone
from sklearn.utils.validation import check_is_fitted

from skbadge.nn._adapt import predicts_itself
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
    return not predicts_itself(net)


def trained_classes(estimator, X):
    """The classes of a trained model: its own, or the positions of its output units.

    A net with a single logit has two.
    """
    if speaks_codes(estimator):
        return np.arange(max(n_outputs(estimator, X), 2))
    model = innermost(estimator)
    check_is_fitted(model)
    return model.classes_


def without_column_axis(predicted):
    """One value for each row, if a model predicts a single column, as CatBoost does."""
    is_column = np.ndim(predicted) == 2 and predicted.shape[1] == 1
    return predicted[:, 0] if is_column else predicted


@dataclass(frozen=True, eq=False)
class LabelCodec:
    """The classes, and how a model writes them.

    Parameters
    ----------
    classes : ndarray of shape (n_classes,)
        The labels.

    coded : ndarray of shape (n_coded,) or None, default=None
        The labels in the order of the codes that the model speaks; None if it speaks
        labels.

    by_units : bool, default=False
        Whether its probabilities are those of a net's output units, which are coded,
        rather than those of the classes that it has seen.
    """

    classes: np.ndarray
    coded: np.ndarray | None = None
    by_units: bool = False

    @property
    def is_coded(self):
        """Whether the model speaks codes rather than labels."""
        return self.coded is not None

    def in_codes(self, y):
        """A codec for the codes of the labels that occur; None if that is no change."""
        seen = np.unique(y)
        codes = np.arange(len(seen))
        same = seen.dtype == codes.dtype and np.array_equal(seen, codes)
        return None if self.is_coded or same else replace(self, coded=seen)

    def kept_for(self, other):
        """Return this codec, if it serves the labels of another: none may be new.

        The output units keep their meaning, those of classes that went away too.
        """
        new = np.setdiff1d(other.classes, self.coded).tolist()
        if new:
            raise ValueError(
                f"`y` holds labels that did not occur before: {listed(new)}. With "
                "`warm_start=True` the net's outputs cannot change their meaning; name "
                "all labels ahead with `classes`."
            )
        return self

    def encode(self, y):
        """int64 codes of labels, -1 for a label that has none."""
        return _positions(y, self.coded)

    def columns(self, y, model):
        """The columns of labels in a model's probabilities, -1 for one without any."""
        return self.encode(y) if self.by_units else _positions(y, self._seen_by(model))

    def predict(self, estimator, X):
        """Labels that an estimator predicts.

        Output units beyond the classes are never the answer: the best of the others
        takes their place.
        """
        predicted = without_column_axis(estimator.predict(X))
        if not self.is_coded:
            return predicted
        codes = np.asarray(predicted).astype(np.int64)
        if self.by_units and codes.max(initial=0) >= len(self.coded):
            codes = self.predict_proba(estimator, X).argmax(axis=1)
        return self.coded[codes]

    def predict_proba(self, estimator, X):
        """Class probabilities, one column for each class.

        A class the estimator has never seen has probability 0. Output units beyond the
        classes are left out, and the others scaled to sum to 1.
        """
        proba = estimator.predict_proba(X)
        if self.by_units:
            self.check_width(proba.shape[1])
            if proba.shape[1] == len(self.classes):
                return proba
            proba = proba[:, : len(self.classes)]
            total = proba.sum(axis=1, keepdims=True)
            uniform = np.full_like(proba, 1 / len(self.classes))
            return np.divide(proba, total, out=uniform, where=total > 0)
        seen = self._seen_by(estimator)
        if np.array_equal(seen, self.classes):
            return proba
        spread = np.zeros((len(proba), len(self.classes)), dtype=proba.dtype)
        spread[:, _positions(seen, self.classes)] = proba
        return spread

    def _seen_by(self, model):
        """The labels of the classes that a model has seen."""
        seen = np.asarray(model.classes_)
        return self.coded[seen.astype(np.int64)] if self.is_coded else seen

    def check_width(self, n_outputs):
        """Raise if the model has fewer outputs than there are classes."""
        if self.by_units and n_outputs < len(self.classes):
            raise ValueError(
                f"The net has {n_outputs} outputs, fewer than the {len(self.classes)} "
                f"classes {listed(self.classes)}. Give its last layer an output for "
                "each class."
            )

    def check_columns(self, n_columns, model):
        """Raise unless the probabilities of a model have a column for each class."""
        if self.by_units:
            self.check_width(n_columns)
        elif n_columns != len(model.classes_):
            raise ValueError(
                f"The probabilities of {type(model).__name__} have {n_columns} columns "
                f"for the {len(model.classes_)} classes {listed(model.classes_)}. "
                "`predict_proba` must return one for each of `classes_`, in that order."
            )


def _positions(y, classes):
    """int64 positions of labels in `classes`, -1 for a label that is not there."""
    order = np.argsort(classes, kind="stable")
    position = np.searchsorted(classes, y, sorter=order)
    codes = order[np.minimum(position, len(order) - 1)]
    return np.where(classes[codes] == y, codes, -1)


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

    def in_codes(self, y):
        """None: numbers have no codes."""

    def columns(self, y, model):
        """None: numbers have no columns."""

    def predict(self, estimator, X):
        """Targets that an estimator predicts, in the shape of the user's.

        A net's one output is a column, whatever shape its targets had.
        """
        predicted = estimator.predict(X)
        return without_column_axis(predicted) if self.shape == () else predicted
