"""Reading boosted trees: posterior samples are the model after fewer stages."""

import numpy as np
from sklearn.base import is_classifier

from skbadge.outputs._outputs import Outputs
from skbadge.outputs.readers._check import check_outputs
from skbadge.outputs.readers._input_rows import blocks_of
from skbadge.outputs.readers._other import BLOCK_ROWS, HINT, OtherReader
from skbadge.outputs.readers._tree_families import family_of
from skbadge.pools import n_rows
from skbadge.utils._place import new_array
from skbadge.utils._row_errors import rows_among


class BoostingReader(OtherReader):
    """Reads fitted gradient boosting of trees."""

    def _read_posterior(self, X, needs, options):
        """Class probabilities by a virtual ensemble (Malinin et al. 2021).

        Its members are the model itself and the model after fewer stages of boosting,
        evenly spaced over the second half of them. There are as many as asked for, or
        as there are such stages.
        """
        if not is_classifier(self.model):
            return super()._read_posterior(X, needs, options)
        family, total = family_of(self.model), n_rows(X)
        stages = virtual_stages(self.model, family.n_stages(self.model), needs)
        posterior = None
        for part, rows in blocks_of(X, BLOCK_ROWS):
            samples = family.staged(self.model, rows, stages)
            for i, sample in enumerate(samples):
                with rows_among(part.start):
                    said = check_outputs(Outputs(proba=np.asarray(sample)), HINT)
                if posterior is None:
                    shape = len(stages), total, said.proba.shape[1]
                    posterior = new_array(shape, np.float32)
                posterior[i, part] = said.proba
        return posterior


def virtual_stages(model, n_stages, needs):
    """After how many stages of boosting to ask a model, ascending up to the last."""
    first = n_stages // 2 + 1
    n_samples = min(needs.n_posterior, n_stages - first + 1)
    if n_stages - first < 1:
        raise ValueError(
            f"Posterior samples of boosting are taken from the second half of its "
            f"stages, and need at least 3 stages. This {type(model).__name__} has "
            f"{n_stages}."
        )
    # From the end, as the only sample is the model itself.
    return np.linspace(n_stages, first, n_samples).round().astype(int)[::-1]
