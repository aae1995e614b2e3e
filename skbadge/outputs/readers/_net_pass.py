"""One forward pass of a net that keeps all that is asked for."""

from contextlib import ExitStack
from functools import partial

from sklearn.base import is_classifier

from skbadge.outputs._outputs import Outputs
from skbadge.outputs.readers._check import check_outputs
from skbadge.outputs.readers._collectors import Features, LayerInputs, Probabilities
from skbadge.outputs.readers._feature_layer import (
    choose_feature_layer,
    first_layer,
    last_calls,
    named_modules,
    only_layer,
)
from skbadge.outputs.readers._gradient_buffer import TensorGradients
from skbadge.outputs.readers._inference import roots_of
from skbadge.outputs.readers._last_layer import LastLayer
from skbadge.outputs.readers._layer_gradients import LayerGradients
from skbadge.outputs.readers._net_batches import first_output
from skbadge.outputs.readers._probabilities import (
    HINT,
    gives_probabilities,
    is_binary,
    nonlinearity_of,
)
from skbadge.utils._under_way import under_way


def read_pass(net, batches, needs, options):
    """Run all batches of a net in inference mode, and keep what is needed.

    Posterior samples are not read here.
    """
    nonlinearity = nonlinearity_of(net)
    parts = _collectors(net, batches, needs, options, nonlinearity)
    device, n_read = None, 0
    with ExitStack() as stack:
        for part in parts:
            stack.enter_context(part.watching())
        for batch_output in batches:
            output = first_output(batch_output)
            device = str(output.device) if output.is_cuda else None
            for part in parts:
                part.commit(output)
            n_read += len(output)
            if batches.n_rows is not None:
                under_way("{:,} of {:,} rows read", n_read, batches.n_rows)
    fields = {"one_logit": is_binary(nonlinearity), "device": device}
    for part in parts:
        fields |= part.finish()
    finite = {part.field for part in parts if getattr(part, "all_finite", False)}
    are_proper = gives_probabilities(nonlinearity)
    return check_outputs(Outputs(**fields), HINT, finite, are_proper=are_proper)


def _collectors(net, batches, needs, options, nonlinearity):
    """One object for each thing to be kept of a pass."""
    roots = roots_of(net)
    modules, n_rows = named_modules(roots), batches.n_rows
    parts = []
    if needs.features or needs.head:
        named = options.feature_layer
        layer = choose_feature_layer(modules, named, batches)
        find_last = partial(last_calls, modules, list(roots.values()), batches)
        inside = only_layer(layer, modules)
        # A module around the net's last layer stands for it.
        if inside not in (layer, None) and any(find_last(inside)):
            layer = inside
        if needs.features:
            is_exempt = named == "auto" and not is_classifier(net)
            find_last = partial(find_last, layer)
            parts.append(Features(layer, named, n_rows, modules, find_last, is_exempt))
        if needs.head:
            parts.append(LastLayer(layer, named, is_classifier(net)))
    if needs.inputs:
        layer = first_layer(modules, batches)
        parts.append(LayerInputs("inputs", layer, options.feature_layer, n_rows))
    if needs.proba:
        parts.append(Probabilities(nonlinearity, n_rows))
    if needs.gradients:
        buffer = TensorGradients(n_rows, needs.n_columns, options.random_state)
        loss = nonlinearity if is_classifier(net) else None
        parts.append(LayerGradients(modules, list(roots.values()), loss, buffer))
    return parts
