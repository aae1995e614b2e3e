"""Reading linear models."""

import numpy as np
from sklearn.base import is_classifier, is_regressor

from skbadge.outputs.readers._input_rows import input_rows
from skbadge.outputs.readers._last_layer import TRIED_ROWS, linear_head
from skbadge.outputs.readers._layered import LayeredReader, with_bias
from skbadge.pools import first_rows


def is_linear(predictor):
    """Whether a model's outputs are linear in its input, by rows of `coef_`."""
    shape = np.shape(getattr(predictor, "coef_", None))
    if len(shape) not in (1, 2):
        return False
    if getattr(predictor, "n_features_in_", shape[-1]) != shape[-1]:
        return False
    if not is_classifier(predictor):
        return is_regressor(predictor)
    n_classes = len(getattr(predictor, "classes_", ()))
    # A multinomial model of two classes may have a row for each.
    n_rows = _n_rows(shape)
    return n_rows == n_classes or (n_rows == 1 and n_classes == 2)


def _n_rows(shape):
    """Number of rows of `coef_`, which may be a vector."""
    return shape[0] if len(shape) == 2 else 1


class LinearReader(LayeredReader):
    """Reads a linear model: one layer, whose input is that of the model."""

    def _n_outputs(self):
        return _n_rows(np.shape(self.model.coef_))

    def _read_head(self, X):
        X = first_rows(X, TRIED_ROWS)
        head = linear_head(
            self.model, X, input_rows(X, True), is_classifier(self.model)
        )
        return super()._read_head(X) if head is None else head

    def _layers(self, rows, left):
        has_bias = getattr(self.model, "fit_intercept", True)
        right = with_bias(rows) if has_bias else rows
        if left is not None:
            return [(left, right)]
        # An output of its own for each target: all have the same gradients.
        column = np.ones((rows.shape[0], 1), dtype=rows.dtype)
        return [(column, right)] * self._n_outputs()
