"""The last linear layer of a model, to be run again on other features."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from skbadge.embeddings._factors import Matrix, dense


class Head(NamedTuple):
    """The last linear layer of a model: what it makes of features.

    The class of greatest logit is the one that the model predicts. Their softmax are
    the model's probabilities, unless it forms them one class against the rest.

    Parameters
    ----------
    weight : ndarray of shape (n_outputs, n_features)
        Floating. A row for each column of ``proba``: of a classifier with one logit,
        the first is 0. Factors of the layer are multiplied in.

    bias : ndarray of shape (n_outputs,)
        Floating, 0 for a layer without one.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skbadge.outputs import model_outputs
    >>> X, y = load_iris(return_X_y=True)
    >>> model = LogisticRegression(max_iter=1000).fit(X, y)
    >>> outputs = model_outputs(model, X, needs=("features", "head"))
    >>> without_petals = outputs.features * [1, 1, 0, 0]
    >>> outputs.head.logits(without_petals).shape
    (150, 3)
    """

    weight: NDArray
    bias: NDArray

    @classmethod
    def of_layer(cls, weight: NDArray, bias: NDArray, is_classifier: bool) -> Head:
        """That of a layer, with two outputs for the one logit of a classifier.

        The logits ``(0, z)`` have the softmax ``(sigmoid(-z), sigmoid(z))``.

        Parameters
        ----------
        weight : ndarray of shape (n_outputs, n_features)
            Of the layer.

        bias : ndarray of shape (n_outputs,)
            Of the layer.

        is_classifier : bool
            Whether the outputs are logits.

        Returns
        -------
        head : Head
            With one output for each class.
        """
        if is_classifier and len(weight) == 1:
            weight = np.concatenate([np.zeros_like(weight), weight])
            bias = np.concatenate([np.zeros_like(bias), bias])
        return cls(weight, bias)

    def logits(self, features: Matrix) -> NDArray:
        """What the layer returns for some features.

        Parameters
        ----------
        features : ndarray or CSR matrix of shape (n_rows, n_features)
            Floating.

        Returns
        -------
        logits : ndarray of shape (n_rows, n_outputs)
            Floating. Of a regressor, its predictions.
        """
        return dense(features @ self.weight.T) + self.bias
