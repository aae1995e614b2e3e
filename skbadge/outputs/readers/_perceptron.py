"""Reading scikit-learn's multi-layer perceptrons."""

import numpy as np
from scipy.special import expit
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.utils.extmath import safe_sparse_dot
from sklearn.utils.validation import validate_data

from skbadge._compat import ACTIVATIONS, DERIVATIVES
from skbadge.outputs._head import Head
from skbadge.outputs._outputs import Outputs
from skbadge.outputs.readers._input_rows import input_rows
from skbadge.outputs.readers._layered import LayeredReader, batch_rows, with_bias
from skbadge.utils._place import new_array


def is_perceptron(predictor):
    """Whether a model is a multi-layer perceptron of scikit-learn."""
    return isinstance(predictor, MLPClassifier | MLPRegressor)


class PerceptronReader(LayeredReader):
    """Reads a multi-layer perceptron: features are its last hidden layer."""

    def _read_arrays(self, X, needs, options):
        mlp = self.model
        # One pass for both: scikit-learn's own `predict_proba` drops the hidden layers.
        X = validate_data(mlp, X, accept_sparse="csr", reset=False)
        n_rows, width = X.shape[0], mlp.coefs_[-1].shape[0]
        step = batch_rows(options)
        dtype = np.result_type(X.dtype, mlp.coefs_[0].dtype)
        has_hidden = len(mlp.coefs_) > 1
        rows = features = None
        if needs.inputs or (needs.features and not has_hidden):
            rows = input_rows(X, needs.sparse)
        if needs.features:
            features = new_array((n_rows, width), dtype) if has_hidden else rows
        one_logit = isinstance(mlp, MLPClassifier) and mlp.n_outputs_ == 1
        n_columns = 2 if one_logit else mlp.n_outputs_
        proba = new_array((n_rows, n_columns), dtype) if needs.proba else None
        for start in range(0, n_rows, step):
            part = slice(start, start + step)
            hidden = _hidden(mlp, X[part])[-1]
            if needs.features and has_hidden:
                features[part] = hidden
            if needs.proba:
                proba[part] = _proba(mlp, hidden, one_logit)
        inputs = rows if needs.inputs else None
        return Outputs(proba, features, one_logit, inputs=inputs)

    def _read_head(self, X):
        weight, bias = self.model.coefs_[-1].T, self.model.intercepts_[-1]
        return Head.of_layer(weight, bias, isinstance(self.model, MLPClassifier))

    def _n_outputs(self):
        return self.model.n_outputs_

    def _layers(self, rows, left):
        """One forward and one backward pass, the latter for each output."""
        mlp = self.model
        inputs = _hidden(mlp, rows)
        rights = [with_bias(part) for part in inputs]
        if left is not None:
            return _backward(mlp, inputs, rights, left)
        layers = []
        for i in range(mlp.n_outputs_):
            left = np.zeros((rows.shape[0], mlp.n_outputs_), dtype=inputs[-1].dtype)
            left[:, i] = 1
            layers += _backward(mlp, inputs, rights, left)
        return layers


def _hidden(mlp, X):
    """What each layer is given, the rows first."""
    inputs = [X]
    activate = ACTIVATIONS[mlp.activation]
    for coef, intercept in zip(mlp.coefs_[:-1], mlp.intercepts_[:-1], strict=True):
        hidden = safe_sparse_dot(inputs[-1], coef)
        hidden += intercept
        activate(hidden)
        inputs.append(hidden)
    return inputs


def _proba(mlp, hidden, one_logit):
    """Class probabilities from the last hidden layer."""
    output = safe_sparse_dot(hidden, mlp.coefs_[-1])
    output += mlp.intercepts_[-1]
    if one_logit:
        # Not 1 - sigmoid, which is exactly 0 for large logits.
        return np.hstack([expit(-output), expit(output)])
    ACTIVATIONS[mlp.out_activation_](output)
    return output


def _backward(mlp, inputs, rights, left):
    """The factors of each layer, from the gradients with respect to the outputs."""
    lefts = [left]
    for coef, hidden in zip(mlp.coefs_[:0:-1], inputs[:0:-1], strict=True):
        # Through the weights W of the layer above, and the activation s of the one
        # below: g_l = (W g_{l+1}) s'(z_l), where the derivative is in terms of s(z_l).
        gradient = lefts[-1] @ coef.T
        DERIVATIVES[mlp.activation](hidden, gradient)
        lefts.append(gradient)
    return list(zip(lefts[::-1], rights, strict=True))
