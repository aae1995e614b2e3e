"""What strategies share: their face, and the two ways most of them work."""

from abc import ABC, abstractmethod
from dataclasses import replace

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state

from skbadge.outputs._outputs import ROW_FIELDS
from skbadge.samplers import Feasible, Selection
from skbadge.utils._ranking import top_rows
from skbadge.utils._validation import check_n


class Strategy(BaseEstimator, ABC):
    """A whole rule that says which rows of a pool to label next.

    A subclass names what it needs of the model in `needs`, stores its parameters in
    the constructor, lists them in ``_parameter_constraints`` and implements `_run` for
    valid input. Most are a `ScoreStrategy` or an `EmbeddingStrategy`.

    Attributes
    ----------
    needs : tuple of str
        Any of "proba", "features", "posterior", "inputs" and "gradients", the fields of
        the pool's `Outputs` that the strategy reads; "labeled", if it looks at the
        labelled rows as well; and "ids", if it must know rows again after their
        positions have changed.

    n_posterior : int
        Posterior samples that a strategy wants of a net, if it needs "posterior".

    sketch_size : int or None
        Columns that gradients are to be sketched to, if it needs "gradients".
    """

    needs: tuple = ()
    n_posterior: int = 20
    sketch_size: int | None = None
    _parameter_constraints: dict = {}

    def select(self, pool, n, *, labeled=None, feasible=None, random_state=None):
        """Select rows of a pool.

        Parameters
        ----------
        pool : Outputs
            What the model says about the pool, with the fields in `needs`.

        n : int
            Number of rows to select, at least 0. If there are fewer, all are
            returned, with a `QueryWarning`.

        labeled : Labeled or None
            What the model says about the labelled rows, and their labels.

        feasible : ndarray of bool of shape (n_rows,), Feasible or None
            The rows that may be selected, as for `skbadge.samplers.Sampler.sample`.

        random_state : None, int or RandomState
            Source of randomness.

        Returns
        -------
        rows : ndarray of shape (n,)
            int64 positions in the pool, distinct, in order of selection.
        """
        return self.run(
            pool, n, labeled=labeled, feasible=feasible, random_state=random_state
        ).rows

    def run(self, pool, n, *, labeled=None, feasible=None, random_state=None):
        """Select rows, as `select` does, and say how they were selected.

        Returns
        -------
        selection : Selection
            The rows, their values, and any fallbacks.
        """
        self._validate_params()
        feasible = Feasible.of(feasible, len(pool))
        which = "there are" if feasible.is_everything else "that may be picked"
        n = check_n(n, feasible.n_left, which)
        for name in (*ROW_FIELDS, "posterior"):
            if name in self.needs and getattr(pool, name) is None:
                raise ValueError(
                    f"{type(self).__name__} needs `pool.{name}`. Got None instead."
                )
        return self._run(pool, n, labeled, feasible, check_random_state(random_state))

    @abstractmethod
    def _run(self, pool, n, labeled, feasible, rng):
        """Select ``0 <= n <= feasible.n_left`` rows and return a `Selection`."""


class ScoreStrategy(Strategy):
    """A strategy that scores each row by itself and takes the greatest scores.

    A subclass implements `score`. Ties are broken at random.
    """

    needs = ("proba",)

    @abstractmethod
    def score(self, pool):
        """Score the rows of a pool: the greater, the sooner to be labelled.

        Parameters
        ----------
        pool : Outputs
            What the model says about the pool.

        Returns
        -------
        scores : ndarray of shape (n_rows,)
            float64.
        """

    def _run(self, pool, n, labeled, feasible, rng):
        scores = self.score(pool)
        rows = top_rows(scores, n, rng)
        return Selection(rows, scores[rows])


class EmbeddingStrategy(Strategy):
    """A strategy that embeds the rows and lets a sampler pick among the embeddings.

    A subclass implements `embed` and `make_sampler`.
    """

    @abstractmethod
    def embed(self, outputs):
        """Embed rows.

        Parameters
        ----------
        outputs : Outputs
            What the model says about them.

        Returns
        -------
        embedding : Embedding
            One row for each.
        """

    @abstractmethod
    def make_sampler(self):
        """The sampler that picks among the embeddings."""

    def _run(self, pool, n, labeled, feasible, rng):
        embedding = self.embed(pool)
        if "labeled" in self.needs and labeled is not None:
            labeled = self.embed(labeled.outputs)
        else:
            labeled = None
        sampler = self.make_sampler()
        selection = sampler.run(
            embedding, n, labeled=labeled, feasible=feasible, random_state=rng
        )
        batch = embedding.take(selection.rows)
        return replace(
            selection,
            norms=np.sqrt(batch.norms_sq()),
            embedding=batch,
            nbytes=embedding.nbytes,
        )
