"""Base kernels of a model by name: what they need of it, and their embeddings."""

import numpy as np

from skbadge.embeddings import (
    DenseEmbedding,
    LaplaceEmbedding,
    NNGPEmbedding,
    NTKEmbedding,
)


def last_layer(outputs):
    """Gradients of an output of the last layer with respect to its weights and bias.

    Parameters
    ----------
    outputs : Outputs
        With ``features``.

    Returns
    -------
    embedding : DenseEmbedding of shape (n_rows, n_features + 1)
        ``(weight_factor * features, bias_factor)``; no last column without a bias. Of
        several outputs the gradients are the same, side by side: one stands for all.

    Examples
    --------
    >>> from skbadge.outputs import Outputs
    >>> from skbadge.strategies._kernels import last_layer
    >>> outputs = Outputs(features=np.array([[2.0, 4.0]]), feature_factors=(0.5, 0.1))
    >>> last_layer(outputs).to_dense()
    array([[1. , 2. , 0.1]])
    """
    features = DenseEmbedding(outputs.features).matrix
    weight_factor, bias_factor = outputs.feature_factors
    if weight_factor == 1 and not bias_factor:
        return DenseEmbedding(features)
    n_rows, n_features = features.shape
    jacobian = np.empty((n_rows, n_features + bool(bias_factor)), dtype=features.dtype)
    np.multiply(features, weight_factor, out=jacobian[:, :n_features])
    jacobian[:, n_features:] = bias_factor
    return DenseEmbedding(jacobian)


def all_layers(outputs):
    """Gradients with respect to the weights of all layers, as they were read."""
    return outputs.gradients


def linear(outputs):
    """The inputs themselves."""
    return DenseEmbedding(outputs.inputs)


def nngp(outputs):
    """NNGP kernel of the inputs, for the net of the benchmark."""
    return NNGPEmbedding(outputs.inputs)


def ntk(outputs):
    """Neural tangent kernel of the inputs, for the net of the benchmark."""
    return NTKEmbedding(outputs.inputs)


def laplace(outputs):
    """Laplace kernel of the inputs."""
    return LaplaceEmbedding(outputs.inputs)


# What each needs of the model, and how it embeds.
KERNELS = {
    "grad": ("gradients", all_layers),
    "laplace": ("inputs", laplace),
    "linear": ("inputs", linear),
    "ll": ("features", last_layer),
    "nngp": ("inputs", nngp),
    "ntk": ("inputs", ntk),
}
