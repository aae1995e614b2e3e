"""Ready neural nets for tables, and the parts they are made of."""

from skbadge.nn._classifier import TabularNetClassifier
from skbadge.nn._dataset import ArrayDataset
from skbadge.nn._iterator import TensorBatches
from skbadge.nn._joint_entropy import (
    JointEntropyClassifier,
    JointEntropyTabularClassifier,
)
from skbadge.nn._mlp import MLP

__all__ = [
    "MLP",
    "ArrayDataset",
    "JointEntropyClassifier",
    "JointEntropyTabularClassifier",
    "TabularNetClassifier",
    "TensorBatches",
]
