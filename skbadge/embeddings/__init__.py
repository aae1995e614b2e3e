"""Implicit matrices: what samplers work on, and how gradients are held."""

from skbadge.embeddings._base import Embedding
from skbadge.embeddings._dense import DenseEmbedding
from skbadge.embeddings._gradient import gradient_embedding
from skbadge.embeddings._outer import OuterProductEmbedding
from skbadge.embeddings._stacked import StackedEmbedding

__all__ = [
    "DenseEmbedding",
    "Embedding",
    "OuterProductEmbedding",
    "StackedEmbedding",
    "gradient_embedding",
]
