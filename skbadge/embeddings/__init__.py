"""Implicit matrices: what samplers work on, and how gradients are held."""

# Registers what `to_device` does.
from skbadge.embeddings import _tensor_outer as _tensor_outer
from skbadge.embeddings._base import Embedding
from skbadge.embeddings._dense import DenseEmbedding
from skbadge.embeddings._device import to_device
from skbadge.embeddings._fisher import fisher_embedding
from skbadge.embeddings._fisher_base import FisherEmbedding
from skbadge.embeddings._fisher_sketch import FisherSketch
from skbadge.embeddings._gaussian import GaussianEmbedding
from skbadge.embeddings._gradient import gradient_embedding
from skbadge.embeddings._infinite_width import NNGPEmbedding, NTKEmbedding
from skbadge.embeddings._laplace import LaplaceEmbedding
from skbadge.embeddings._outer import OuterProductEmbedding
from skbadge.embeddings._product import ProductEmbedding
from skbadge.embeddings._random_projection import sketch
from skbadge.embeddings._row_stacked import RowStackedEmbedding
from skbadge.embeddings._scaled import ScaledEmbedding
from skbadge.embeddings._sparse import SparseEmbedding
from skbadge.embeddings._stacked import StackedEmbedding
from skbadge.embeddings.transforms import (
    AcsGrad,
    AcsRandomFeatures,
    EmbeddingTransformer,
    Posterior,
    Scale,
    Sketch,
    transform_pool_and_labeled,
)

__all__ = [
    "AcsGrad",
    "AcsRandomFeatures",
    "DenseEmbedding",
    "Embedding",
    "EmbeddingTransformer",
    "FisherEmbedding",
    "FisherSketch",
    "GaussianEmbedding",
    "LaplaceEmbedding",
    "NNGPEmbedding",
    "NTKEmbedding",
    "OuterProductEmbedding",
    "Posterior",
    "ProductEmbedding",
    "RowStackedEmbedding",
    "Scale",
    "ScaledEmbedding",
    "Sketch",
    "SparseEmbedding",
    "StackedEmbedding",
    "fisher_embedding",
    "gradient_embedding",
    "sketch",
    "to_device",
    "transform_pool_and_labeled",
]
