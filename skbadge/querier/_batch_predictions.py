"""What a model said about the batch that it chose."""

import warnings
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
        with warnings.catch_warnings():
            # The query has looked at the names of the columns.
            warnings.filterwarnings("ignore", "X does not have valid feature names")
            labels = querier.predict(X)
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
