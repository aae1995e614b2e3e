"""Refusing to answer from a model that predicts NaN, as `query` does."""

from contextlib import contextmanager

import numpy as np
from scipy import sparse

from skbadge.outputs._pipeline import innermost, is_skorch_net
from skbadge.outputs.readers._check import not_finite_error
from skbadge.utils._validation import not_finite_rows

_WEIGHTS = ("coef_", "intercept_", "coefs_", "intercepts_")


@contextmanager
def refusing_nan(estimator):
    """Raise in the block if the model's weights or what a net says are not finite.

    A label does not tell: it is that of some class, whatever the probabilities are.
    """
    model = innermost(estimator)
    if not is_skorch_net(model):
        _check_weights(model)
        yield
        return

    def predict_proba(X):
        return checked(type(model).predict_proba(model, X))

    # `predict` of a net calls it, in classes of the user's own as well.
    vars(model)["predict_proba"] = predict_proba
    try:
        yield
    finally:
        vars(model).pop("predict_proba", None)


def checked(predicted):
    """What a model predicts, if it is finite or no matter of floats."""
    bad = not_finite_rows(np.asarray(predicted))
    if bad is not None:
        raise not_finite_error("proba", bad)
    return predicted


def _check_weights(model):
    for name in _WEIGHTS:
        weights = getattr(model, name, None)
        for part in weights if isinstance(weights, list) else [weights]:
            values = np.asarray(part.data if sparse.issparse(part) else part)
            if values.dtype.kind == "f" and not np.isfinite(values).all():
                raise ValueError(
                    f"The model's {name!r} holds NaN or infinite values, so that it "
                    "predicts nothing. Train it again, with a lower learning rate or "
                    "standardised X."
                )
