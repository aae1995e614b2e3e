"""What a clone of a querier's estimator predicts, trained on other rows."""

import warnings
from tempfile import TemporaryDirectory

from sklearn.base import clone

from skbadge.nn._own_files import files_in
from skbadge.querier import BatchPredictions


def retrained(querier, rows, X, seed):
    """Predictions of a clone that is trained on some rows, for others.

    Parameters
    ----------
    querier : BadgeQuerier
        Whose estimator and parameters are used. It is left as it is.

    rows : LabeledRows
        To train on, with their parameters of ``fit``.

    X : rows of the same kind
        To predict; the clone may write on them.

    seed : int or None
        Of the training.
    """
    params = querier.get_params(deep=False) | {
        "estimator": clone(querier._estimator()),
        "strategy": "random",
        "cold_start": None,
        "classes": querier._known_classes(),
        "random_state": seed,
        "verbose": 0,
    }
    other = type(querier)(**params)
    with (
        TemporaryDirectory() as folder,
        files_in(folder, other.estimator),
        warnings.catch_warnings(),
    ):
        # What is said of a training was said of that on all rows.
        warnings.simplefilter("ignore")
        other.fit(rows.X, rows.y, **rows.params)
        return BatchPredictions.of(other, X)
