"""Transformations of embeddings, learned from the labelled rows."""

from skbadge.embeddings.transforms._acs_grad import AcsGrad
from skbadge.embeddings.transforms._acs_random_features import AcsRandomFeatures
from skbadge.embeddings.transforms._base import (
    EmbeddingTransformer,
    transform_pool_and_labeled,
)
from skbadge.embeddings.transforms._posterior import Posterior
from skbadge.embeddings.transforms._scale import Scale
from skbadge.embeddings.transforms._sketch import Sketch

__all__ = [
    "AcsGrad",
    "AcsRandomFeatures",
    "EmbeddingTransformer",
    "Posterior",
    "Scale",
    "Sketch",
    "transform_pool_and_labeled",
]
