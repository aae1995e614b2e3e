"""What the herding strategies share."""

from abc import abstractmethod
from dataclasses import replace

import numpy as np

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

    @abstractmethod
    def _bandwidth(self, known):
        """The kernel's sigma, given an embedding of the labelled rows or None."""

    @abstractmethod
    def _weights(self, pool, is_first):
        """The weight of each row; ``is_first`` says that nothing is labelled."""

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
            known = cosine(labeled.outputs)
        sigma = self._bandwidth(known)
        if known is not None:
            known = GaussianEmbedding(known.matrix, sigma=sigma)
        embedding = GaussianEmbedding(cosine(outputs).matrix, sigma=sigma)
        weights = self._weights(outputs, known is None)
        if inner.repeats is not None:
            # They equal a labelled row: there is nothing to be learned from them.
            weights = np.where(inner.repeats, 0.0, weights)
        selection = herd(embedding, n, known, inner, rng, samples, weights)
        return replace(
            selection,
            rows=rows[selection.rows],
            embedding=embedding.take(selection.rows),
            nbytes=embedding.nbytes,
        )

    _run_on_chunks = _run
