"""Making a user's unmodified regression net take the targets as they are."""

import numpy as np
import torch

from skbadge.nn._adapt import adapt_net, untrained
from skbadge.nn._target_dataset import TargetDataset
from skbadge.outputs._casting import input_dtype
from skbadge.outputs._output_shape import output_shape
from skbadge.pools import is_dataset

# With other shapes than those of the outputs, these broadcast targets: every row's
# output is then compared with every row's target.
_ELEMENTWISE = (
    torch.nn.MSELoss,
    torch.nn.L1Loss,
    torch.nn.SmoothL1Loss,
    torch.nn.HuberLoss,
)


def adapt_regressor(net, X, y, *, several_inputs=False):
    """Set the parameters that let a regression net train on any table and target.

    skorch hands targets to the loss as they are, and torch's losses refuse float64 and
    broadcast targets of shape (n_rows,) against outputs of shape (n_rows, 1). Here
    they get the dtype of the module and the shape of its outputs.

    Parameters
    ----------
    net : skorch.NeuralNetRegressor
        Changed in place; must not be the user's object, but a clone. One whose class
        has a ``predict`` and a data set of its own is taken to know its targets.

    X : array-like, or other container of rows
        The rows of a net; behind steps that change them, the shape of the outputs may
        be found out only by `check_output_shape`, after training.

    y : ndarray of shape (n_rows,) or (n_rows, n_outputs)
        Targets, float64.

    several_inputs : bool, default=False
        As in `skbadge.nn._adapt.adapt_net`.

    Returns
    -------
    y : ndarray
        What to train the net on.

    target_shape : tuple of int or None
        Of the targets of one row as the loss gets them; None if the net sees to that.

    Raises
    ------
    ValueError
        If the net has another number of outputs than there are targets.
    """
    adapt_net(net, several_inputs=several_inputs)
    own_predict = type(net).predict.__module__.partition(".")[0] != "skorch"
    if own_predict and net.dataset is not TargetDataset:
        return y, None
    try:
        shape = output_shape(untrained(net), X)
    except Exception:
        # Rows may be other than those the net gets, and a net may find out its widths
        # when it is trained: then nothing is known.
        shape = None
    n_outputs = y.shape[1] if y.ndim == 2 else 1
    target_shape = () if shape == () and n_outputs == 1 else (n_outputs,)
    if shape is not None:
        check_output_shape(net, shape, target_shape)
    if net.dataset is TargetDataset and not is_dataset(X):
        # skorch refuses the parameter for a net that is already trained.
        if net.get_params_for("dataset").get("target_shape") != target_shape:
            net.set_params(dataset__target_shape=target_shape)
        return y, target_shape
    dtype = input_dtype(untrained(net).module_) or torch.get_default_dtype()
    kind = np.float64 if dtype is torch.float64 else np.float32
    return y.astype(kind).reshape(len(y), *target_shape), target_shape


def check_output_shape(net, shape, target_shape):
    """Raise if a loss would compare outputs with the targets of other rows.

    Parameters
    ----------
    net : skorch.NeuralNetRegressor
        The net.

    shape : tuple of int
        What its module returns for a row.

    target_shape : tuple of int
        What its loss compares that with.

    Raises
    ------
    ValueError
        If they differ, and the loss is one that broadcasts.
    """
    criterion = net.criterion
    criterion = criterion if isinstance(criterion, type) else type(criterion)
    if shape != target_shape and issubclass(criterion, _ELEMENTWISE):
        raise ValueError(
            "The net's outputs must have the shape of the targets, "
            f"{_with_rows(target_shape)}. Its module returns {_with_rows(shape)}, and "
            f"{criterion.__name__} would compare rows with the targets of other rows."
        )


def _with_rows(shape):
    return "(" + ", ".join(["n_rows", *map(str, shape)]) + ("" if shape else ",") + ")"
