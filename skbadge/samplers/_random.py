"""Random sampling, the baseline of all others."""

from skbadge.samplers._base import Sampler
from skbadge.samplers._known_draws import uniform_law
from skbadge.samplers._taken import Taken


class Random(Sampler):
    """Rows drawn uniformly without replacement.

    Only the number of rows matters: ``labeled`` is ignored, and so is what the
    embedding holds. With groups, rows of a random order are taken while the quota of
    their group lasts.

    Examples
    --------
    >>> import numpy as np
    >>> from skbadge.embeddings import DenseEmbedding
    >>> from skbadge.samplers import Random
    >>> Random().sample(DenseEmbedding(np.eye(5)), 3, random_state=0)
    array([2, 0, 1])
    """

    streams = True

    def _run(self, embedding, n, labeled, feasible, rng):
        return uniform_law(feasible.open().draw(n, rng), feasible)

    def _run_on_chunks(self, view, n, labeled, feasible, rng):
        # Not one row is read.
        return uniform_law(Taken(feasible).draw(n, rng), feasible)
