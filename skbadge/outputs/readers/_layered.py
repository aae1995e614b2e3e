"""Reading gradients of scikit-learn models that have layers."""

from abc import abstractmethod

import numpy as np
from scipy import sparse
from sklearn.base import is_classifier

from skbadge.embeddings import gradient_embedding
from skbadge.outputs._needs import Needs
from skbadge.outputs.readers._gradient_buffer import FactorGradients
from skbadge.outputs.readers._input_rows import dense_rows, input_rows, model_rows
from skbadge.outputs.readers._other import OtherReader
from skbadge.utils._chunks import row_chunks

BATCH_ROWS = 2048


class LayeredReader(OtherReader):
    """Reads a model whose gradients have a block for each layer."""

    def _read_gradients(self, X, proba, needs, options):
        if proba is None and is_classifier(self.model):
            proba = self._read_checked(X, Needs(proba=True), options).proba
        X = model_rows(self.model, X)
        if sparse.issparse(X) and needs.n_columns is None:
            X = dense_rows(
                X, "Set `n_columns`, such as 512: sketches take sparse rows."
            )
        left = None
        if proba is not None:
            # p - e of the predicted label, the gradient with respect to the logits.
            one_logit = self._n_outputs() == 1
            no_features = np.ones((len(proba), 1), dtype=proba.dtype)
            left = gradient_embedding(proba, no_features, one_logit=one_logit).left
        buffer = FactorGradients(X.shape[0], needs.n_columns, options.random_state)
        step = batch_rows(options)
        for rows in row_chunks(X.shape[0], 1, budget=step, minimum=1):
            buffer.add(self._layers(X[rows], None if left is None else left[rows]))
        return buffer.finish()

    def _read_rows(self, X, needs, scaling):
        """The input of the first layer is what its gradient is made of."""
        return input_rows(X, needs.sparse), None

    @abstractmethod
    def _n_outputs(self):
        """Number of the model's outputs, 1 for two classes by one logit."""

    @abstractmethod
    def _layers(self, rows, left):
        """The factors of each layer's gradients, see `FactorGradients`.

        ``left`` are the gradients with respect to the outputs. None stands for each
        output by itself, with blocks of its own.
        """


def batch_rows(options):
    """Rows in one pass."""
    return BATCH_ROWS if options.batch_size == "auto" else options.batch_size


def with_bias(rows):
    """Rows beside a column of ones."""
    ones = np.ones((rows.shape[0], 1), dtype=rows.dtype)
    if sparse.issparse(rows):
        return sparse.hstack([rows, ones], format="csr")
    return np.hstack([rows, ones])
