"""Reading gradients of scikit-learn models that have layers."""

from abc import abstractmethod

import numpy as np
from sklearn.base import is_classifier

from skbadge.embeddings import gradient_embedding
from skbadge.outputs._needs import Needs
from skbadge.outputs.readers._gradient_buffer import GradientBuffer
from skbadge.outputs.readers._other import OtherReader, dense_rows
from skbadge.utils._chunks import row_chunks

BATCH_ROWS = 2048


class LayeredReader(OtherReader):
    """Reads a model whose gradients have a block for each layer."""

    def _read_gradients(self, X, proba, needs, options):
        if proba is None and is_classifier(self.model):
            proba = self._read_checked(X, Needs(proba=True), options).proba
        X = dense_rows(self.model, X)
        left = None
        if proba is not None:
            # p - e of the predicted label, the gradient with respect to the logits.
            one_logit = self._n_outputs() == 1
            no_features = np.ones((len(proba), 1), dtype=proba.dtype)
            left = gradient_embedding(proba, no_features, one_logit=one_logit).left
        buffer = GradientBuffer(len(X), needs.n_columns, options.random_state)
        step = batch_rows(options)
        for rows in row_chunks(len(X), 1, budget=step, minimum=1):
            buffer.add(self._layers(X[rows], None if left is None else left[rows]))
        return buffer.finish()

    @abstractmethod
    def _n_outputs(self):
        """Number of the model's outputs, 1 for two classes by one logit."""

    @abstractmethod
    def _layers(self, rows, left):
        """The factors of each layer's gradients, see `GradientBuffer.add`.

        ``left`` are the gradients with respect to the outputs. None stands for each
        output by itself, with blocks of its own.
        """


def batch_rows(options):
    """Rows in one pass."""
    return BATCH_ROWS if options.batch_size == "auto" else options.batch_size


def with_bias(rows):
    """Rows beside a column of ones."""
    return np.hstack([rows, np.ones((len(rows), 1), dtype=rows.dtype)])
