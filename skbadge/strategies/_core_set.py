"""Core-Set: farthest-first traversal of the penultimate features."""

import numpy as np

from skbadge._compat import StrOptions
from skbadge.embeddings import DenseEmbedding
from skbadge.samplers import KCenter
from skbadge.strategies._base import EmbeddingStrategy


class CoreSet(EmbeddingStrategy):
    """Core-Set: rows whose features are farthest from all labelled rows.

    The greedy k-center algorithm of Sener and Savarese [1]_ on the current model's
    penultimate features, starting from the labelled rows. Diversity only: the model's
    uncertainty plays no part.

    Parameters
    ----------
    metric : {"euclidean", "cosine"}, default="euclidean"
        Distance between features. "cosine" normalises them first, which orders rows
        by their angle; a row of zeros stays at the origin.

    first_center : {"max_norm", "uniform", "norm_weighted"}, default="max_norm"
        How the first row is picked where no row is labelled yet.

    References
    ----------
    .. [1] O. Sener, S. Savarese. "Active learning for convolutional neural networks: a
       core-set approach". ICLR 2018.
    """

    needs = ("features", "labeled")
    _parameter_constraints: dict = {
        "metric": [StrOptions({"euclidean", "cosine"})],
        "first_center": [StrOptions({"max_norm", "uniform", "norm_weighted"})],
    }

    def __init__(self, *, metric="euclidean", first_center="max_norm"):
        self.metric = metric
        self.first_center = first_center

    def embed(self, outputs):
        """The features of rows, normalised if the metric asks for it."""
        embedding = DenseEmbedding(outputs.features)
        if self.metric == "euclidean":
            return embedding
        norms = np.sqrt(embedding.norms_sq())
        norms[norms == 0] = 1
        return DenseEmbedding(
            embedding.matrix / norms[:, None].astype(embedding.dtype, copy=False)
        )

    def make_sampler(self):
        """Farthest-first traversal."""
        return KCenter(first_center=self.first_center)
