"""What a net returns for one row."""

from math import prod

from skbadge.outputs._pipeline import is_skorch_net, unwrap
from skbadge.outputs.readers._inference import inference
from skbadge.outputs.readers._net_batches import batches_of, first_output


def n_outputs(estimator, X):
    """Count the output units of a fitted net, by running a few rows.

    Parameters
    ----------
    estimator : estimator object
        Fitted or initialized skorch net, or a wrapper around one.

    X : array-like of shape (n_rows, ...)
        Rows as ``estimator`` takes them; a few are enough.

    Returns
    -------
    n_outputs : int
        1 for a net with a single logit.

    Raises
    ------
    NotFittedError
        If the net is not initialized.
    TypeError
        If the model is not a skorch net.
    """
    return prod(output_shape(estimator, X))


def output_shape(estimator, X):
    """Shape of what a fitted net returns for one row, by running a few rows.

    Parameters, and what is raised, are those of `n_outputs`.

    Returns
    -------
    shape : tuple of int
        ``(n_outputs,)``, or ``()`` for a net that returns one number for each row
        without an axis of its own.
    """
    net, X = unwrap(estimator, X)
    if not is_skorch_net(net):
        raise TypeError(
            f"`estimator` must be a skorch net. Got {type(net).__name__} instead."
        )
    with inference(net):
        output = first_output(batches_of(net, X, "auto").probe())
    return tuple(output.shape[1:])
