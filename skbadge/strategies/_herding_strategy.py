"""What the herding strategies share."""

from abc import abstractmethod
from dataclasses import replace

import numpy as np
from scipy import sparse

from skbadge.embeddings import GaussianEmbedding
from skbadge.samplers import Selection
from skbadge.samplers._herding import herd
from skbadge.strategies._base import Strategy
from skbadge.strategies._kernels import cosine
from skbadge.strategies._sampled import sampled


class HerdingStrategy(Strategy):
    """Kernel herding with the Gaussian kernel of features at length 1.

    A subclass has the parameters ``n_evaluation_rows`` and ``n_candidates``.
    """

    reads_population = True
    streams = True
    samples_pool = True

    @abstractmethod
    def _bandwidth(self, known):
        """The kernel's sigma, given an embedding of the labelled rows or None."""

    @abstractmethod
    def _weights(self, pool, is_first):
        """The weight of each row; ``is_first`` says that nothing is labelled."""

    def _notes(self, pool, sigma):
        """What a report says of the choices that were made."""
        return ()

    def _run(self, pool, n, labeled, feasible, rng):
        if n == 0:
            return Selection(np.empty(0, dtype=np.int64), np.empty(0), "gain")
        rows, outputs, inner, samples = sampled(
            pool,
            n,
            feasible,
            rng,
            n_evaluation_rows=self.n_evaluation_rows,
            n_candidates=self.n_candidates,
        )
        known = None
        if labeled is not None and len(labeled):
            known = directions(labeled.outputs)
        sigma = self._bandwidth(known)
        if known is not None:
            known = GaussianEmbedding(known.matrix, sigma=sigma)
        embedding = GaussianEmbedding(directions(outputs).matrix, sigma=sigma)
        weights = self._weights(outputs, known is None)
        selection = herd(embedding, n, known, inner, rng, samples, weights)
        return replace(
            selection,
            rows=rows[selection.rows],
            embedding=embedding.take(selection.rows),
            notes=(*selection.notes, *self._notes(outputs, sigma)),
            nbytes=embedding.nbytes,
        )

    _run_on_chunks = _run


def directions(outputs):
    """Features at length 1, an embedding.

    One or two columns, of which little would be left, get one of ones beside them.
    """
    features = outputs.features
    if features.shape[1] <= 2 and not sparse.issparse(features):
        ones = np.ones((len(features), 1), features.dtype)
        outputs = replace(outputs, features=np.hstack([features, ones]))
    return cosine(outputs)
