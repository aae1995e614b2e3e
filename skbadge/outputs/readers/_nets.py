"""Reading skorch nets."""

import numpy as np
from skorch import NeuralNetRegressor

from skbadge.outputs._needs import Needs
from skbadge.outputs.readers._base import Reader
from skbadge.outputs.readers._dropout import NetMasks
from skbadge.outputs.readers._inference import check_initialized, inference
from skbadge.outputs.readers._net_batches import batches_of
from skbadge.outputs.readers._net_pass import read_pass
from skbadge.utils._place import new_array
from skbadge.utils._under_way import under_way

# Gradients take the activations of all layers at once.
GRADIENT_SHARE = 8


class NetReader(Reader):
    """Reads a skorch net: one forward pass, and one for each posterior sample."""

    def _check_fitted(self):
        check_initialized(self.model)

    def _read_plain(self, X, needs, options):
        net = self.model
        if needs.proba and isinstance(net, NeuralNetRegressor):
            raise TypeError(
                f"{type(net).__name__} predicts no probabilities, and they are needed. "
                "Use a classifier, or a strategy that needs features only."
            )
        share = GRADIENT_SHARE if needs.gradients else 1
        with inference(net):
            batches = batches_of(net, X, options.batch_size, share)
            return read_pass(net, batches, needs, options)

    def _read_posterior(self, X, needs, options):
        """Class probabilities under random dropout masks that all rows share.

        Runs all layers for each sample, those before the first dropout as well.
        """
        masks = NetMasks(self.model, options.random_state)
        posterior = None
        with masks.applied():
            for sample in range(needs.n_posterior):
                under_way("{} of {} posterior samples read", sample, needs.n_posterior)
                masks.renew()
                proba = self._read_plain(X, Needs(proba=True), options).proba
                masks.check_drawn()
                if posterior is None:
                    shape = needs.n_posterior, *proba.shape
                    posterior = new_array(shape, np.float32)
                posterior[sample] = proba
        return posterior
