"""Which reader a model has."""

from dataclasses import replace
from functools import partial

from torch import nn

from skbadge.outputs._outputs import Outputs
from skbadge.outputs._pipeline import is_skorch_net, unwrap
from skbadge.outputs.readers._base import with_fields
from skbadge.outputs.readers._boosting import BoostingReader
from skbadge.outputs.readers._ensemble import EnsembleReader, is_ensemble
from skbadge.outputs.readers._linear import LinearReader, is_linear
from skbadge.outputs.readers._nets import NetReader
from skbadge.outputs.readers._other import OtherReader
from skbadge.outputs.readers._perceptron import PerceptronReader, is_perceptron
from skbadge.outputs.readers._prediction import predicted
from skbadge.outputs.readers._tree_families import is_boosting
from skbadge.pools import n_rows, row_ids
from skbadge.utils._shared_state import exclusive


def choose_reader(predictor):
    """Choose the reader of a fitted model without wrappers."""
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
    """Open the wrappers of a fitted model, and read it.

    If nothing is needed, the model is not asked at all.
    """
    if needs.fields:
        with exclusive():
            outputs = _read(estimator, X, needs, options)
    else:
        outputs = Outputs(n_rows=n_rows(X))
    outputs = replace(outputs, temperature=options.temperature, is_checked=True)
    # Identities are those of the rows as they came.
    return replace(outputs, identify=partial(row_ids, X)) if needs.ids else outputs


def _read(estimator, X, needs, options):
    """Read a fitted model inside its wrappers, some of which change predictions."""
    regressor, rows = unwrap(estimator, X, keep_targets=True)
    outputs, rest = None, replace(needs, prediction=False)
    if rest.fields:
        predictor, rows_inside = unwrap(regressor, rows)
        outputs = choose_reader(predictor).read(rows_inside, rest, options)
    if not needs.prediction:
        return outputs
    return with_fields(outputs, prediction=predicted(regressor, rows))


# The first whose test a model passes.
READERS = (
    (is_skorch_net, NetReader),
    (is_perceptron, PerceptronReader),
    (is_boosting, BoostingReader),
    (is_ensemble, partial(EnsembleReader, read_member=read_model)),
    (is_linear, LinearReader),
)
