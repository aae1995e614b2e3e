"""How much surer a querier's classifier is than it is right."""

import warnings
from tempfile import TemporaryDirectory

import numpy as np
from sklearn.base import clone
from sklearn.utils import check_random_state

from skbadge.exceptions import QueryWarning
from skbadge.nn._own_files import files_in
from skbadge.outputs import Needs
from skbadge.outputs._pipeline import innermost
from skbadge.outputs.readers import read_model
from skbadge.querier._training import fit_clone, train
from skbadge.utils._calibration import best_temperature

# Fewer labelled rows say too little.
LEAST_ROWS = 20
HELD_OUT = 0.3


def find_temperature(estimator, rows, codec, *, seed, route, options):
    """The temperature by which a clone predicts held-out labelled rows best.

    1 where there are too few rows, and, with a warning, where the clone cannot be
    trained or read.

    Parameters
    ----------
    estimator : estimator object
        The user's, which is left alone.

    rows : LabeledRows
        All of them.

    codec : LabelCodec
        That of the model trained on all of them.

    seed : int or None
        Of the split and the training.

    route : callable
        From an estimator and its fit parameters to those that it is given.

    options : ReadingOptions
        How to read the clone.
    """
    held = held_out_rows(rows.y, check_random_state(seed))
    if held is None:
        return 1.0
    kept = np.setdiff1d(np.arange(len(rows.y)), held)
    apart, rows = rows.without(kept), rows.without(held).lent()
    estimator = clone(estimator)
    try:
        # What is said of a training was said of that on all rows.
        with (
            TemporaryDirectory() as folder,
            files_in(folder, estimator),
            warnings.catch_warnings(),
        ):
            warnings.simplefilter("ignore")
            fitted, codec = train(
                fit_clone,
                estimator,
                rows,
                codec,
                seed=seed,
                fit_params=route(estimator, rows.params),
            )
            proba = read_model(fitted, apart.lent().X, Needs(proba=True), options).proba
    except Exception as error:
        warnings.warn(
            "How sure the model is was taken as it is: it could not be trained on "
            f"{len(rows.y)} of {len(rows.y) + len(held)} labelled rows, to be compared "
            f"with the others. {type(error).__name__}: {error}",
            QueryWarning,
            stacklevel=2,
        )
        return 1.0
    return best_temperature(proba, codec.columns(apart.y, innermost(fitted)))


def held_out_rows(y, rng):
    """Three tenths of the rows, so that no class is held out as a whole; or None."""
    _, codes, counts = np.unique(y, return_inverse=True, return_counts=True)
    if len(y) < LEAST_ROWS or counts.min() < 2:
        return None
    order = rng.permutation(len(y))
    _, first = np.unique(codes[order], return_index=True)
    return np.delete(order, first)[: round(HELD_OUT * len(y))]
