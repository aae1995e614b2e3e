"""Ready neural nets for tables, and the parts they are made of."""

from skbadge.nn._classifier import TabularNetClassifier
from skbadge.nn._dataset import ArrayDataset
from skbadge.nn._iterator import TensorBatches
from skbadge.nn._joint_entropy import (
    JointEntropyClassifier,
    JointEntropyTabularClassifier,
)
from skbadge.nn._mlp import MLP
from skbadge.nn._ntk import NTKMLP, NTKLinear
from skbadge.nn._preprocessor import table_preprocessor
from skbadge.nn._regressor import TabularNetRegressor

__all__ = [
    "MLP",
    "NTKMLP",
    "ArrayDataset",
    "JointEntropyClassifier",
    "JointEntropyTabularClassifier",
    "NTKLinear",
    "TabularNetClassifier",
    "TabularNetRegressor",
    "TensorBatches",
    "table_preprocessor",
]
