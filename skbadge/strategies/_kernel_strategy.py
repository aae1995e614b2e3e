"""What the strategies for regression share: kernel, transformations, selection."""

from abc import abstractmethod
from dataclasses import replace
from numbers import Integral

import numpy as np

from skbadge._compat import Interval, StrOptions
from skbadge.embeddings import Sketch, to_device, transform_pool_and_labeled
from skbadge.samplers import MaxDet, Selection
from skbadge.strategies._base import EmbeddingStrategy
from skbadge.strategies._kernels import KERNELS


class KernelStrategy(EmbeddingStrategy):
    """A base kernel of the model, transformed, and a sampler: a strategy of BMDAL.

    A subclass has the parameters ``kernel`` and ``sketch_size``, implements
    `make_sampler`, and overrides `make_transforms` and ``mode`` where they differ.
    Matrices go to the device that the outputs name, as `to_device` does it.

    Attributes
    ----------
    needs : tuple of str
        What the kernel needs of the model, and the labelled rows.

    mode : {"P", "TP"}
        Whether the sampler sees the pool only, or the labelled rows as well.
    """

    mode = "P"
    _parameter_constraints: dict = {
        "kernel": [StrOptions(set(KERNELS))],
        "sketch_size": [Interval(Integral, 1, None, closed="left"), None],
    }

    @property
    def needs(self):
        """What the kernel needs of the model, and the labelled rows."""
        # An unknown name is refused with the other parameters.
        name = self.kernel if isinstance(self.kernel, str) else "ll"
        field, _ = KERNELS.get(name, KERNELS["ll"])
        return field, "labeled"

    def embed(self, outputs):
        """The base kernel of rows, before any transformation."""
        return KERNELS[self.kernel][1](outputs)

    def make_transforms(self):
        """The transformations, in their order, not yet fitted."""
        return []

    @abstractmethod
    def make_sampler(self):
        """The sampler that picks among the transformed rows."""

    def _run(self, pool, n, labeled, feasible, rng):
        if n == 0:
            return Selection(np.empty(0, dtype=np.int64), np.empty(0))
        sampler = self.make_sampler()
        has_labeled = labeled is not None and len(labeled) > 0
        rows = None
        embedding = self.embed(pool)
        known = self.embed(labeled.outputs) if has_labeled else None
        if isinstance(sampler, MaxDet):
            # It takes equal rows in the order of their positions, and with noise again
            # and again.
            rows = rng.permutation(len(embedding))
            embedding = embedding.take(rows)
        embedding, known = self._transformed(embedding, known, rng, pool.device)
        selection = sampler.run(
            embedding,
            n,
            labeled=known if self.mode == "TP" else None,
            random_state=rng,
        )
        batch = embedding.take(selection.rows)
        return replace(
            selection,
            rows=selection.rows if rows is None else rows[selection.rows],
            norms=np.sqrt(batch.norms_sq()),
            embedding=to_device(batch, None),
            nbytes=embedding.nbytes,
        )

    def _transformed(self, pool, labeled, rng, device):
        transforms = list(self.make_transforms())
        # Those of a net come sketched from the reading, this is for all others.
        can_sketch = self.kernel == "grad" and self.sketch_size is not None
        if can_sketch and pool.shape[1] > self.sketch_size:
            transforms.insert(0, Sketch(self.sketch_size))
        pool = to_device(pool, device)
        # Some transformations make a matrix of what was none, or in main memory: what
        # comes out is moved as well.
        labeled = None if labeled is None else to_device(labeled, device)
        pool, labeled = transform_pool_and_labeled(
            transforms, pool, labeled, random_state=rng
        )
        labeled = None if labeled is None else to_device(labeled, device)
        return to_device(pool, device), labeled
