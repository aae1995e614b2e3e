"""Making a user's unmodified regression net take the targets as they are."""

import numpy as np
import torch

from skbadge.nn._adapt import (
    adapt_net,
    criterion_of,
    predicts_itself,
    shape_before_training,
    untrained,
)
from skbadge.nn._target_dataset import TargetDataset
from skbadge.outputs._casting import input_dtype
from skbadge.outputs.readers._inference import modules_of
from skbadge.pools import is_dataset

# These losses broadcast targets whose shape is not that of the outputs. They then
# compare every row's output with every row's target.
_ELEMENTWISE = (
    torch.nn.MSELoss,
    torch.nn.L1Loss,
    torch.nn.SmoothL1Loss,
    torch.nn.HuberLoss,
)


def adapt_regressor(net, X, y, *, several_inputs=False):
    """Let a clone of the user's regression net train on any table and target.

    skorch hands targets to the loss as they are. torch's losses refuse float64, and
    they broadcast targets of shape (n_rows,) against outputs of shape (n_rows, 1).
    This function gives the targets the dtype of the module and the shape of its
    outputs. A net with a ``predict`` and a data set of the user's keeps its targets.

    Returns the targets to train on, and the shape of one row's targets as the loss
    gets them, or None if the net handles that. Raises a ValueError if the number of
    outputs is not the number of targets.
    """
    adapt_net(net, several_inputs=several_inputs)
    if predicts_itself(net) and net.dataset is not TargetDataset:
        return y, None
    # If it is None, `check_output_shape` checks after training.
    shape = shape_before_training(net, X)
    n_outputs = y.shape[1] if y.ndim == 2 else 1
    target_shape = () if shape == () and n_outputs == 1 else (n_outputs,)
    if shape is not None:
        check_output_shape(net, shape, target_shape)
    if net.dataset is TargetDataset and not is_dataset(X):
        # skorch refuses the parameter for a net that is already trained.
        if net.get_params_for("dataset").get("target_shape") != target_shape:
            net.set_params(dataset__target_shape=target_shape)
        return y, target_shape
    dtype = input_dtype(modules_of(untrained(net))) or torch.get_default_dtype()
    kind = np.float64 if dtype is torch.float64 else np.float32
    return y.astype(kind).reshape(len(y), *target_shape), target_shape


def check_output_shape(net, shape, target_shape):
    """Raise a ValueError if the loss would broadcast one row's targets to others.

    `shape` is that of the module's output for one row.
    """
    criterion = criterion_of(net)
    if shape != target_shape and issubclass(criterion, _ELEMENTWISE):
        raise ValueError(
            "The net's outputs must have the shape of the targets, "
            f"{_with_rows(target_shape)}. Its module returns {_with_rows(shape)}, and "
            f"{criterion.__name__} would compare rows with the targets of other rows."
        )


def _with_rows(shape):
    """A shape as text, with the rows as its first axis."""
    return "(" + ", ".join(["n_rows", *map(str, shape)]) + ("" if shape else ",") + ")"
