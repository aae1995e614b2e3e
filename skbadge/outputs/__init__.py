"""What a fitted model says about rows, read in one forward pass."""

from skbadge.outputs._head import Head
from skbadge.outputs._model_outputs import model_outputs
from skbadge.outputs._needs import Needs
from skbadge.outputs._outputs import Labeled, Outputs

__all__ = ["Head", "Labeled", "Needs", "Outputs", "model_outputs"]
