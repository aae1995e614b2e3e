"""What a model said about the batch that it chose."""

import warnings
from contextlib import contextmanager
from dataclasses import dataclass

from numpy.typing import NDArray

from skbadge.querier._codecs import trained_classes


@dataclass(frozen=True, eq=False)
class BatchPredictions:
    """Predictions of a model for the rows of a batch, in the order of selection.

    Attributes
    ----------
    labels : ndarray of shape (n,) or (n, n_outputs)
        Labels; of a regressor, numbers.

    proba : ndarray of shape (n, n_classes) or None
        Class probabilities, where the model has any.

    classes : ndarray of shape (n_classes,) or None
        What their columns stand for.
    """

    labels: NDArray
    proba: NDArray | None = None
    classes: NDArray | None = None

    @classmethod
    def of(cls, querier, X):
        """Those of a fitted querier's model, for checked rows."""
        labels = predicted(querier, X)
        with _names_known():
            if not hasattr(querier, "predict_proba"):
                return cls(labels)
            classes = getattr(querier, "classes_", None)
            if classes is None:
                # A frozen model that was given no labelled rows.
                classes = trained_classes(querier._any_estimator(), X)
            return cls(labels, querier.predict_proba(X), classes)

    def take(self, rows):
        """Those of some of the rows."""
        proba = None if self.proba is None else self.proba[rows]
        return BatchPredictions(self.labels[rows], proba, self.classes)


def predicted(querier, X):
    """The labels alone."""
    with _names_known():
        return querier.predict(X)


@contextmanager
def _names_known():
    """No warnings of the names of columns, at which the query has looked."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "X does not have valid feature names")
        yield
