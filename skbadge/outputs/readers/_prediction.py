"""Reading what a regressor predicts, in the units of its targets."""

from contextlib import nullcontext

import numpy as np
from sklearn.base import is_classifier, is_regressor
from skorch.dataset import Dataset

from skbadge.outputs._casting import cast_input
from skbadge.outputs._pipeline import innermost, is_skorch_net
from skbadge.outputs.readers._check import not_finite_error
from skbadge.outputs.readers._inference import inference, modules_of
from skbadge.utils._validation import not_finite_rows


def predicted(regressor, X):
    """What a regressor predicts, by its own ``predict``.

    Parameters
    ----------
    regressor : estimator object
        Fitted, and perhaps around others where targets are transformed: what lies
        inside predicts in other units.

    X : container of rows
        As the regressor takes them.

    Returns
    -------
    prediction : ndarray of shape (n_rows, n_targets)
        Floating.
    """
    model = innermost(regressor)
    is_net = is_skorch_net(model)
    if is_classifier(model) or not is_regressor(model):
        raise TypeError(
            f"{type(model).__name__} has no targets to predict, and they are needed. "
            "Use a regressor, or a strategy that needs probabilities."
        )
    if is_skorch_net(regressor) and regressor.dataset is Dataset:
        X = cast_input(modules_of(regressor), X)
    with inference(model) if is_net else nullcontext():
        prediction = np.asarray(regressor.predict(X))
    if prediction.dtype not in (np.float32, np.float64):
        prediction = prediction.astype(np.float64)
    prediction = prediction.reshape(len(prediction), -1)
    bad = not_finite_rows(prediction)
    if bad is not None:
        raise not_finite_error("prediction", bad)
    return prediction
