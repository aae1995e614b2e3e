"""BAIT: rows whose Fisher information brings the model's error down most."""

from dataclasses import replace
from numbers import Integral, Real
from typing import Literal

import numpy as np

from skbadge._compat import Interval, StrOptions
from skbadge.embeddings import FisherSketch, fisher_embedding
from skbadge.embeddings._fisher import fisher_dimensions
from skbadge.outputs import Needs
from skbadge.samplers import Selection, bait_greedy
from skbadge.samplers._bait_greedy import bait_nbytes
from skbadge.strategies._base import Strategy
from skbadge.utils._held_bytes import nbytes_beyond
from skbadge.utils._row_errors import rows_among


class Bait(Strategy):
    r"""BAIT: the batch whose Fisher information leaves the least uncertain.

    Each row is embedded as a root of its Fisher information :math:`F_x` for the last
    layer's weights. A forward-backward greedy search then looks for the batch that
    minimises :math:`\mathrm{tr}(M^{-1} \bar F)` (Ash et al. [1]_, Algorithm 1).
    :math:`\bar F` is the mean Fisher information of pool and labelled rows, :math:`M`
    that of the labelled rows and the batch. BAIT weighs uncertainty and diversity, and
    what is labelled already.

    Parameters
    ----------
    regularization : float, default=1.0
        The multiple :math:`\lambda` of the identity in :math:`M`, above 0. Unlike with
        BADGE the scale matters: of the features, and of :math:`\lambda` beside it. 1 in
        the authors' code [2]_, and 0.01 there for CIFAR-10.

    oversampling : float, default=2.0
        Rows added greedily, as a multiple of the rows asked for, before as many are
        removed greedily as there are too many; at least 1, which removes none.

    labeled_weighting : {"repo", "counts", "mean"}, default="repo"
        How the information of the :math:`m` labelled rows and of the :math:`n` rows to
        be selected enter :math:`M`, besides :math:`\lambda I`. "repo", as in the
        authors' code: the mean of the labelled rows times :math:`m / (m + n)`, and
        each selected row times :math:`n / (m + n)`, so that one selected row counts
        :math:`n` times as much as one labelled row. "counts": each row counts once.
        "mean": the mean of the labelled rows, and each selected row once.

    fisher : {"full", "top_k", "binary"}, default="full"
        The Fisher information. "full" is that of the softmax. For many classes,
        "top_k" takes the expectation over the ``n_top_classes`` most probable classes
        only, which saves time and the memory of roots, and "binary" that of a
        Bernoulli variable, predicted class or not, as if there was one logit (both
        from Huseljic et al. [3]_; their results favour "binary").

    n_top_classes : int, default=2
        Number of classes for ``fisher="top_k"``; all, if there are fewer.

    n_columns : int or None, default=None
        Number of columns to sketch the roots to, instead of ``n_parameters``, where
        these are too many for matrices of that size. Random, see
        `skbadge.embeddings.FisherSketch`; 512 serve well in regression [4]_.

    include_bias : bool, default=False
        Count the last layer's bias among the parameters. The authors' code does not.

    max_bytes : int, default=2**32
        Refuse to start where the search would hold more than this.

    Notes
    -----
    With :math:`N` rows, :math:`K` classes, :math:`d` features, and :math:`k = K - 1`,
    the search holds :math:`3 N k^2 + 6 k^2 d^2` float64 numbers, and each row that is
    added takes :math:`O(N k^2 (k + d))` operations; the authors' formula holds
    :math:`N K^2 d` numbers and takes :math:`O(N K^3 d^2)`. ``fisher="binary"``, and a
    model with one logit, come down to :math:`k = 1`: a row is the one vector
    :math:`\sqrt{\hat p (1 - \hat p)} \, z` with :math:`\hat p = \max p`, the search is
    that of `skbadge.samplers.Bait`, and neither time nor memory depends on :math:`K`.

    Chance has a part in ``n_columns`` only, and between rows that are equal for the
    objective, of which a random one is taken.

    All rows of the pool are in :math:`\bar F`, whether they may be selected or not; a
    row that stands both in the pool and among the labelled counts once. Pending rows
    are in :math:`M` from the start, as the first rows of the batch: with them,
    :math:`n` counts them as well.

    References
    ----------
    .. [1] J. T. Ash, S. Goel, A. Krishnamurthy, S. Kakade. "Gone fishing: neural
       active learning with Fisher embeddings". NeurIPS 2021.
    .. [2] https://github.com/JordanAsh/badge, query_strategies/bait_sampling.py.
    .. [3] D. Huseljic, P. Hahn, M. Herde, L. Rauch, B. Sick. "Fast fishing:
       approximating BAIT for efficient and scalable deep active image
       classification". ECML PKDD 2024.
    .. [4] D. Holzmüller, V. Zaverkin, J. Kästner, I. Steinwart. "A framework and
       benchmark for deep batch active learning for regression". JMLR 24, 2023.

    Examples
    --------
    >>> import numpy as np
    >>> from skbadge.outputs import Outputs
    >>> from skbadge.strategies import Bait
    >>> pool = Outputs(
    ...     proba=np.array([[0.5, 0.5], [0.5, 0.5], [0.4, 0.6]]),
    ...     features=np.array([[4.0, 0.0], [3.9, 0.0], [0.0, 3.0]]),
    ... )
    >>> Bait().select(pool, 2, random_state=0)
    array([0, 2])
    """

    needs = Needs(proba=True, features=True, labeled=True)
    reads_population = True
    _parameter_constraints: dict = {
        "regularization": [Interval(Real, 0, None, closed="neither")],
        "oversampling": [Interval(Real, 1, None, closed="left")],
        "labeled_weighting": [StrOptions({"repo", "counts", "mean"})],
        "fisher": [StrOptions({"full", "top_k", "binary"})],
        "n_top_classes": [Interval(Integral, 1, None, closed="left")],
        "n_columns": [Interval(Integral, 1, None, closed="left"), None],
        "include_bias": ["boolean"],
        "max_bytes": [Interval(Integral, 0, None, closed="left")],
    }

    def __init__(
        self,
        *,
        regularization: float = 1.0,
        oversampling: float = 2.0,
        labeled_weighting: Literal["repo", "counts", "mean"] = "repo",
        fisher: Literal["full", "top_k", "binary"] = "full",
        n_top_classes: int = 2,
        n_columns: int | None = None,
        include_bias: bool = False,
        max_bytes: int = 2**32,
    ):
        self.regularization = regularization
        self.oversampling = oversampling
        self.labeled_weighting = labeled_weighting
        self.fisher = fisher
        self.n_top_classes = n_top_classes
        self.n_columns = n_columns
        self.include_bias = include_bias
        self.max_bytes = max_bytes

    def _run(self, pool, n, labeled, feasible, rng):
        if n == 0:
            return Selection(np.empty(0, dtype=np.int64), np.empty(0), "gain")
        rows = None if labeled is None or not len(labeled) else labeled.outputs
        if rows is not None:
            _check_widths(pool, rows)
        sketch = self._prepare(pool, rows, feasible, rng)
        embedding, known = self._embed(pool, sketch), None
        if rows is not None:
            with rows_among(of="labeled"):
                known = self._embed(rows, sketch)
        selection = bait_greedy(
            embedding,
            n,
            labeled=known,
            feasible=feasible,
            regularization=self.regularization,
            oversampling=self.oversampling,
            labeled_weighting=self.labeled_weighting,
            random_state=rng,
        )
        shared = embedding.nbytes - nbytes_beyond(embedding, pool)
        return replace(selection, nbytes=selection.nbytes - shared)

    def _prepare(self, pool, labeled, feasible, rng):
        """Refuse what would not fit, and draw the sketch, if there is to be one."""
        width = pool.features.shape[1] + self.include_bias
        rank, n_outputs = fisher_dimensions(
            pool.proba.shape[1],
            fisher=self.fisher,
            n_top_classes=self.n_top_classes,
        )
        n_sketched, maps = n_outputs, 0
        if self.n_columns is not None:
            n_sketched, maps = self.n_columns, 8 * self.n_columns * (n_outputs + width)
        n_parameters = self.n_columns or n_outputs * width
        row_bytes = 8 * rank * n_sketched
        n_rows = len(pool) + (0 if labeled is None else len(labeled))
        n_searched = len(feasible.restricted()[0])
        needed = row_bytes * n_rows + maps
        if n_searched < len(pool):
            # The search copies the roots and features of the rows it may pick.
            needed += (row_bytes + pool.features[:1].nbytes) * n_searched
        needed += bait_nbytes(n_searched, rank, n_parameters)
        if needed > self.max_bytes:
            raise ValueError(
                f"BAIT would hold {needed} bytes ({needed / 2**30:.3g} GiB) for "
                f"{len(pool)} rows, roots of rank {rank} and {n_parameters} "
                f"parameters, above `max_bytes`={self.max_bytes}. Reduce the Fisher "
                "information with `fisher='binary'` or `fisher='top_k'`, the "
                "parameters with `n_columns`, or the rows by a random part of the "
                "pool, or raise `max_bytes`."
            )
        if self.n_columns is None:
            return None
        return FisherSketch(n_outputs, width, self.n_columns, random_state=rng)

    def _embed(self, outputs, sketch):
        return fisher_embedding(
            outputs.proba,
            outputs.features,
            include_bias=self.include_bias,
            one_logit=outputs.one_logit,
            fisher=self.fisher,
            n_top_classes=self.n_top_classes,
            sketch=sketch,
        )


def _check_widths(pool, labeled):
    for name in ("proba", "features"):
        widths = [np.shape(getattr(part, name))[1:] for part in (pool, labeled)]
        if widths[0] != widths[1]:
            raise ValueError(
                f"`labeled.outputs.{name}` must have as many columns as `pool.{name}`. "
                f"Got {widths[1]} and {widths[0]} beyond the rows."
            )
