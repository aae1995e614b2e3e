"""Implicit matrices: what samplers work on, and how gradients are held."""

from skbadge.embeddings._base import Embedding
from skbadge.embeddings._dense import DenseEmbedding
from skbadge.embeddings._fisher import fisher_embedding
from skbadge.embeddings._fisher_base import FisherEmbedding
from skbadge.embeddings._fisher_sketch import FisherSketch
from skbadge.embeddings._gradient import gradient_embedding
from skbadge.embeddings._outer import OuterProductEmbedding
from skbadge.embeddings._sketch import sketch
from skbadge.embeddings._stacked import StackedEmbedding

__all__ = [
    "DenseEmbedding",
    "Embedding",
    "FisherEmbedding",
    "FisherSketch",
    "OuterProductEmbedding",
    "StackedEmbedding",
    "fisher_embedding",
    "gradient_embedding",
    "sketch",
]
