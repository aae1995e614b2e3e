"""Base kernels of a model by name: what they need of it, and how they embed rows."""

from collections.abc import Callable
from typing import Literal, NamedTuple

import numpy as np

from skbadge.embeddings import (
    DenseEmbedding,
    Embedding,
    LaplaceEmbedding,
    NNGPEmbedding,
    NTKEmbedding,
    gradient_embedding,
)
from skbadge.outputs import Needs, Outputs

KernelName = Literal[
    "badge",
    "badge_bias",
    "cosine",
    "features",
    "gradients",
    "laplace",
    "last_layer",
    "linear",
    "nngp",
    "ntk",
]
FirstCenter = Literal["max_norm", "uniform", "norm_weighted"]


class Kernel(NamedTuple):
    """A way to embed rows by what a model says about them."""

    needs: Needs
    embed: Callable[[Outputs], Embedding]


def badge(outputs, include_bias=False):
    """Gradients of the loss at the predicted label, for the last layer's weights."""
    return gradient_embedding(
        outputs.proba,
        outputs.features,
        include_bias=include_bias,
        one_logit=outputs.one_logit,
    )


def badge_bias(outputs):
    """The same, for the last layer's bias as well."""
    return badge(outputs, include_bias=True)


def features(outputs):
    """The input of the last linear layer."""
    return DenseEmbedding(outputs.features)


def cosine(outputs):
    """The same at length 1, so that distances go by angles; zero rows stay zero."""
    embedding = features(outputs)
    norms = np.sqrt(embedding.norms_sq())
    norms[norms == 0] = 1
    return DenseEmbedding(
        embedding.matrix / norms[:, None].astype(embedding.dtype, copy=False)
    )


def last_layer(outputs):
    """Gradients of one output for the last layer's weights and bias.

    They are ``(weight_factor * features, bias_factor)``, without a last column if there
    is no bias. All outputs have the same gradients side by side: one stands for all.
    """
    rows = DenseEmbedding(outputs.features).matrix
    weight_factor, bias_factor = outputs.feature_factors
    if weight_factor == 1 and not bias_factor:
        return DenseEmbedding(rows)
    n_rows, n_features = rows.shape
    jacobian = np.empty((n_rows, n_features + bool(bias_factor)), dtype=rows.dtype)
    np.multiply(rows, weight_factor, out=jacobian[:, :n_features])
    jacobian[:, n_features:] = bias_factor
    return DenseEmbedding(jacobian)


def gradients(outputs):
    """Gradients for the weights of all layers, as they were read."""
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


KERNELS = {
    "badge": Kernel(Needs(proba=True, features=True), badge),
    "badge_bias": Kernel(Needs(proba=True, features=True), badge_bias),
    "cosine": Kernel(Needs(features=True), cosine),
    "features": Kernel(Needs(features=True), features),
    "gradients": Kernel(Needs(gradients=True), gradients),
    "laplace": Kernel(Needs(inputs=True), laplace),
    "last_layer": Kernel(Needs(features=True), last_layer),
    "linear": Kernel(Needs(inputs=True), linear),
    "nngp": Kernel(Needs(inputs=True), nngp),
    "ntk": Kernel(Needs(inputs=True), ntk),
}


def find_kernel(kernel):
    """A kernel by its name, or from a function of the user's own.

    Parameters
    ----------
    kernel : str or callable
        A function takes `Outputs` and returns an `Embedding`. Its attribute ``needs``
        says what it reads, by default the features.

    Returns
    -------
    kernel : Kernel
    """
    if isinstance(kernel, str):
        return KERNELS[kernel]
    return Kernel(Needs.of(getattr(kernel, "needs", "features")), kernel)
