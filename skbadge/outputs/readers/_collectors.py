"""What is kept of a net's forward pass, batch by batch."""

from contextlib import ExitStack, contextmanager
from itertools import chain

import torch

from skbadge.outputs.readers._feature_layer import not_called_error, positions_error
from skbadge.outputs.readers._inference import in_this_thread
from skbadge.outputs.readers._layer_factors import LAYERS, n_positions
from skbadge.outputs.readers._probabilities import probabilities
from skbadge.outputs.readers._row_buffer import TensorBuffer


class Probabilities:
    """Keeps the class probabilities of all rows.

    Parameters
    ----------
    nonlinearity : callable
        From the net's output to probabilities, see `nonlinearity_of`.

    n_rows : int or None
        How many rows will come; None if unknown.
    """

    def __init__(self, nonlinearity, n_rows):
        self.nonlinearity = nonlinearity
        self.buffer = TensorBuffer(n_rows, "probabilities")
        self._one_logit = False

    @contextmanager
    def watching(self):
        """Nothing needs to be watched."""
        yield

    def commit(self, output):
        """Take the output of a batch."""
        columns = probabilities(output, self.nonlinearity)
        self._one_logit = output.numel() == len(output) and columns.shape[1] == 2
        self.buffer.stage(columns)
        self.buffer.commit(len(output))

    def finish(self):
        """The fields of `Outputs`."""
        return {"proba": self.buffer.finish(), "one_logit": self._one_logit}


class LayerInputs:
    """Keeps what a module is given, flattened.

    Parameters
    ----------
    field : str
        What it is to be called.

    layer : module
        The module.

    feature_layer : str
        The parameter of this name, for the errors.

    n_rows : int or None
        How many rows will come; None if unknown.
    """

    def __init__(self, field, layer, feature_layer, n_rows):
        self.field = field
        self.layer = layer
        self.feature_layer = feature_layer
        self.buffer = TensorBuffer(n_rows, field)

    @contextmanager
    def watching(self):
        """Stage what the module is given, in each of its calls."""
        hook = in_this_thread(self._keep)
        handle = self.layer.register_forward_pre_hook(hook, with_kwargs=True)
        try:
            yield
        finally:
            handle.remove()

    def _keep(self, module, args, kwargs):
        """A hook that stages the first argument."""
        entry = next(chain(args, kwargs.values()), None)
        if not isinstance(entry, torch.Tensor):
            raise ValueError(
                "The module that `feature_layer` names must take a tensor. It got a "
                f"{type(entry).__name__}."
            )
        # Copied at once: what follows in the forward pass may change it in place.
        self.buffer.stage(entry.detach().reshape(len(entry), -1))

    def commit(self, output):
        """Accept the rows of a batch, those of the module's last call."""
        if not self.buffer.has_staged:
            raise not_called_error(self.feature_layer)
        self.buffer.commit(len(output))

    def finish(self):
        """The fields of `Outputs`."""
        return {self.field: self.buffer.finish()}


class Features(LayerInputs):
    """Keeps the features, and refuses those that are not what the gradient is made of.

    Where the last layer of the net is applied at several positions of a row, as a
    convolution before global pooling is, its gradient is a sum over the positions, and
    no outer product with its flattened input.

    Parameters
    ----------
    layer, feature_layer, n_rows
        As for `LayerInputs`.

    layers : list of module
        All layers of the net.

    is_exempt : bool
        Whether the last layer may be applied at several positions: of a regressor, each
        of them is an output of its own.
    """

    def __init__(self, layer, feature_layer, n_rows, layers, is_exempt):
        super().__init__("features", layer, feature_layer, n_rows)
        self.layers = () if is_exempt else layers
        self._inside = set(layer.modules())
        self._ran = []

    @contextmanager
    def watching(self):
        """Stage what the module is given, and record the layers that are run."""
        hook = in_this_thread(self._record)
        with super().watching(), ExitStack() as stack:
            for module in self.layers:
                stack.callback(module.register_forward_hook(hook).remove)
            yield

    def _record(self, module, args, output):
        """A hook that records a layer and its number of positions."""
        self._ran.append((module, n_positions(module, output)))

    def commit(self, output):
        """Accept the rows of a batch."""
        super().commit(output)
        ran, self._ran = self._ran, []
        inside = [call for call in ran if call[0] in self._inside]
        # A module around several layers has its own input as features, whatever its
        # last layer does.
        is_last = len(inside) == 1 and inside[0] is ran[-1]
        if is_last and inside[0][1] > 1:
            raise positions_error(self.feature_layer, inside[0][1])

    def finish(self):
        """The fields of `Outputs`."""
        return super().finish() | {"feature_factors": _factors(self.layer)}


def _factors(layer):
    """What a layer multiplies its weights and its bias by."""
    if not isinstance(layer, LAYERS):
        return 1.0, 1.0
    weight_factor = float(getattr(layer, "weight_factor", 1.0))
    bias_factor = float(getattr(layer, "bias_factor", 1.0))
    return weight_factor, 0.0 if layer.bias is None else bias_factor


def layers_of(modules):
    """The layers among the modules of a net."""
    return [module for module in modules.values() if isinstance(module, LAYERS)]
