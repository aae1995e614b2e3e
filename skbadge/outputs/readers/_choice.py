"""Which reader a model has."""

from dataclasses import replace
from functools import partial

from torch import nn

from skbadge.outputs._outputs import Outputs
from skbadge.outputs._pipeline import is_skorch_net, unwrap
from skbadge.outputs.readers._ensemble import EnsembleReader, is_ensemble
from skbadge.outputs.readers._linear import LinearReader, is_linear
from skbadge.outputs.readers._nets import NetReader
from skbadge.outputs.readers._other import OtherReader
from skbadge.outputs.readers._perceptron import PerceptronReader, is_perceptron
from skbadge.pools import n_rows, row_ids

# The first whose test a model passes.
READERS = (
    (is_skorch_net, NetReader),
    (is_perceptron, PerceptronReader),
    (is_ensemble, EnsembleReader),
    (is_linear, LinearReader),
)


def choose_reader(predictor):
    """Choose the reader of a model.

    Parameters
    ----------
    predictor : estimator object
        Fitted, without wrappers.

    Returns
    -------
    reader : Reader
        Of the model's family.

    Raises
    ------
    TypeError
        If it is a bare module of torch.
    """
    if isinstance(predictor, nn.Module):
        raise TypeError(
            "A torch module is no estimator. Wrap it in skorch's NeuralNetClassifier "
            f"or NeuralNetRegressor. Got a bare {type(predictor).__name__}."
        )
    for is_family, reader in READERS:
        if is_family(predictor):
            return reader(predictor)
    return OtherReader(predictor)


def read_model(estimator, X, needs, options):
    """Open the wrappers of a model, and read it.

    Parameters
    ----------
    estimator : estimator object
        Fitted.

    X : array-like of shape (n_rows, ...)
        Rows as ``estimator`` takes them.

    needs : Needs
        What to read. If it is nothing, the model is not asked at all.

    options : ReadingOptions
        How.

    Returns
    -------
    outputs : Outputs
        Checked.
    """
    if needs.fields:
        predictor, rows = unwrap(estimator, X)
        outputs = choose_reader(predictor).read(rows, needs, options)
    else:
        outputs = Outputs(n_rows=n_rows(X))
    # Identities are those of the rows as they came.
    return replace(outputs, identify=partial(row_ids, X)) if needs.ids else outputs
