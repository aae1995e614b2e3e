"""What is kept of a net's forward pass, batch by batch."""

from contextlib import ExitStack, contextmanager
from itertools import chain, compress

import numpy as np
import torch

from skbadge.outputs._outputs import with_norms
from skbadge.outputs.readers._feature_layer import (
    has_own_weights,
    not_called_error,
    outer_product_error,
    tied_error,
)
from skbadge.outputs.readers._inference import in_this_thread
from skbadge.outputs.readers._layer_factors import LAYERS
from skbadge.outputs.readers._probabilities import probabilities
from skbadge.outputs.readers._row_buffer import NormedBuffer, TensorBuffer


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

    Attributes
    ----------
    all_finite : bool
        Whether what was kept is known to be finite.
    """

    all_finite = False

    def __init__(self, field, layer, feature_layer, n_rows):
        self.field = field
        self.layer = layer
        self.feature_layer = feature_layer
        self.buffer = NormedBuffer(n_rows, field)

    @contextmanager
    def watching(self):
        """Stage what the module is given, in each of its calls."""
        hook = in_this_thread(self._keep)
        with self.layer.register_forward_pre_hook(hook, with_kwargs=True):
            yield

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
        return {self.field: self._rows_and_norms()[0]}

    def _rows_and_norms(self):
        rows, norms_sq = self.buffer.finish()
        # A norm is not finite if an entry is not. It may also overflow, so that
        # `check_outputs` then looks at each entry.
        self.all_finite = bool(np.isfinite(norms_sq).all())
        return rows, norms_sq


class Features(LayerInputs):
    """Keeps the features, if the gradient is an outer product with them.

    Where the last layer of the net is applied several times to a row, as a convolution
    before global pooling is, its gradient is a sum over these, and no outer product
    with its flattened input. Of calls one after another, the last one counts.

    Parameters
    ----------
    layer, feature_layer, n_rows
        As for `LayerInputs`.

    modules : dict of str to module
        All modules of the net.

    find_last : callable
        Says which of the layer's calls are the net's last, see `last_calls`. It costs a
        pass over a few rows, and is asked only if that matters.

    is_exempt : bool
        Whether the last layer may be applied at several positions: of a regressor, each
        of them is an output of its own.
    """

    def __init__(self, layer, feature_layer, n_rows, modules, find_last, is_exempt):
        super().__init__("features", layer, feature_layer, n_rows)
        self.modules = modules
        self.find_last = find_last
        self.is_exempt = is_exempt
        self._calls = []
        self._doubtful = None

    @contextmanager
    def watching(self):
        """Stage what the module is given, and record its calls."""
        with super().watching(), ExitStack() as stack:
            if has_own_weights(self.layer):
                hook = in_this_thread(self._record)
                handle = self.layer.register_forward_hook(hook, with_kwargs=True)
                stack.enter_context(handle)
            yield

    def _record(self, module, args, kwargs, output):
        """A hook that records the shapes of a call, but for several outputs."""
        if isinstance(output, torch.Tensor):
            given = chain(args, kwargs.values())
            shapes = [part.shape for part in given if isinstance(part, torch.Tensor)]
            if len(shapes) > 1:
                sizes = [shape[1:].numel() for shape in shapes]
                shapes = [torch.Size([len(output), *sizes])]
            self._calls.append((shapes[0], output.shape))

    def commit(self, output):
        """Accept the rows of a batch."""
        super().commit(output)
        calls, self._calls = self._calls, []
        if calls and self._doubtful is None and self._error(calls) is not None:
            self._doubtful = calls

    def _error(self, calls):
        """What is wrong if these are the net's last calls of a layer; or None."""
        name = self.feature_layer
        return tied_error(self.layer, self.modules, name) or outer_product_error(
            self.layer, calls, name, self.is_exempt
        )

    def finish(self):
        """The fields of `Outputs`."""
        if self._doubtful is not None:
            is_last = self.find_last()
            error = self._error(list(compress(self._doubtful, is_last)))
            if any(is_last) and error is not None:
                raise error
        features, norms_sq = self._rows_and_norms()
        return {
            "features": features,
            "embedded_features": with_norms(features, norms_sq),
            "feature_factors": _factors(self.layer),
        }


def _factors(layer):
    """What a layer multiplies its weights and its bias by."""
    if not isinstance(layer, LAYERS):
        return 1.0, 1.0
    weight_factor = float(getattr(layer, "weight_factor", 1.0))
    bias_factor = float(getattr(layer, "bias_factor", 1.0))
    return weight_factor, 0.0 if layer.bias is None else bias_factor
