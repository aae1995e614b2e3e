"""Base kernels of a model by name: what they need of it, and how they embed rows."""

from collections.abc import Callable
from functools import partial
from operator import attrgetter
from typing import Literal, NamedTuple

import numpy as np
from scipy import sparse

from skbadge.embeddings import (
    DenseEmbedding,
    Embedding,
    GaussianEmbedding,
    LaplaceEmbedding,
    NNGPEmbedding,
    NTKEmbedding,
    SparseEmbedding,
)
from skbadge.embeddings._factors import scaled_rows
from skbadge.embeddings._gradient import gradients_of
from skbadge.embeddings._sparse import matrix_embedding
from skbadge.outputs import Needs, Outputs
from skbadge.utils._place import new_array

KernelName = Literal[
    "badge",
    "badge_bias",
    "cosine",
    "features",
    "gaussian",
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
    return gradients_of(
        outputs.proba,
        features(outputs),
        include_bias=include_bias,
        one_logit=outputs.one_logit,
    )


def features(outputs):
    """The input of the last linear layer."""
    known = outputs.embedded_features
    return matrix_embedding(outputs.features) if known is None else known


def cosine(outputs):
    """The same at length 1, so that distances go by angles; zero rows stay zero."""
    embedding = features(outputs)
    norms = np.sqrt(embedding.norms_sq())
    norms[norms == 0] = 1
    return matrix_embedding(scaled_rows(embedding.matrix, 1 / norms))


def gaussian(outputs):
    """The Gaussian kernel of the same, which falls to 1/e at distance 1."""
    return GaussianEmbedding(cosine(outputs).matrix)


def last_layer(outputs):
    """Gradients of one output for the last layer's weights and bias.

    They are ``(weight_factor * features, bias_factor)``, without a last column if there
    is no bias. All outputs have the same gradients side by side: one stands for all.
    """
    rows = features(outputs).matrix
    weight_factor, bias_factor = outputs.feature_factors
    if weight_factor == 1 and not bias_factor:
        return matrix_embedding(rows)
    if sparse.issparse(rows):
        shape = rows.shape[0], int(bool(bias_factor))
        bias = sparse.csr_matrix(np.full(shape, bias_factor, rows.dtype))
        columns = [rows * float(weight_factor), bias]
        return SparseEmbedding(sparse.hstack(columns, format="csr"))
    n_rows, n_features = rows.shape
    jacobian = new_array((n_rows, n_features + bool(bias_factor)), rows.dtype)
    np.multiply(rows, weight_factor, out=jacobian[:, :n_features])
    jacobian[:, n_features:] = bias_factor
    return DenseEmbedding(jacobian)


def of_inputs(kind, takes_sparse=False):
    """A kernel of the inputs themselves, in a kind of embedding."""
    needs = Needs(inputs=True, sparse=takes_sparse)
    return Kernel(needs, lambda outputs: kind(outputs.inputs))


GRADIENT = Needs(proba=True, features=True, sparse=True)
FEATURES = Needs(features=True, sparse=True)


KERNELS = {
    "badge": Kernel(GRADIENT, badge),
    "badge_bias": Kernel(GRADIENT, partial(badge, include_bias=True)),
    "cosine": Kernel(FEATURES, cosine),
    "features": Kernel(FEATURES, features),
    "gaussian": Kernel(FEATURES, gaussian),
    "gradients": Kernel(Needs(gradients=True), attrgetter("gradients")),
    "laplace": of_inputs(LaplaceEmbedding),
    "last_layer": Kernel(FEATURES, last_layer),
    "linear": of_inputs(matrix_embedding, takes_sparse=True),
    # Those of the benchmark's net.
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
