"""What a fitted model says about rows, read in one forward pass."""

from skbadge.outputs._needs import Needs
from skbadge.outputs._outputs import Labeled, Outputs
from skbadge.outputs._pipeline import innermost, is_skorch_net, unwrap, wrapped
from skbadge.outputs._read import cast_input, model_outputs, n_outputs, output_shape

__all__ = [
    "Labeled",
    "Needs",
    "Outputs",
    "cast_input",
    "innermost",
    "is_skorch_net",
    "model_outputs",
    "n_outputs",
    "output_shape",
    "unwrap",
    "wrapped",
]
