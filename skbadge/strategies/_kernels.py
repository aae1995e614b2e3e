"""Base kernels of a model by name: what they need of it, and how they embed rows."""

from collections.abc import Callable
from functools import partial
from operator import attrgetter
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


def of_inputs(kind):
    """A kernel of the inputs themselves, in a kind of embedding."""
    return Kernel(Needs(inputs=True), lambda outputs: kind(outputs.inputs))


KERNELS = {
    "badge": Kernel(Needs(proba=True, features=True), badge),
    "badge_bias": Kernel(
        Needs(proba=True, features=True), partial(badge, include_bias=True)
    ),
    "cosine": Kernel(Needs(features=True), cosine),
    "features": Kernel(Needs(features=True), features),
    "gradients": Kernel(Needs(gradients=True), attrgetter("gradients")),
    "laplace": of_inputs(LaplaceEmbedding),
    "last_layer": Kernel(Needs(features=True), last_layer),
    "linear": of_inputs(DenseEmbedding),
    # Of the benchmark's net.
    "nngp": of_inputs(NNGPEmbedding),
    "ntk": of_inputs(NTKEmbedding),
}


def find_kernel(kernel):
    """A kernel by its name, or from a user's function of `Outputs`.

    Its attribute ``needs`` says what it reads, by default the features.
    """
    if isinstance(kernel, str):
        return KERNELS[kernel]
    return Kernel(Needs.of(getattr(kernel, "needs", "features")), kernel)
