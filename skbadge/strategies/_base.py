"""What strategies share: their face."""

from abc import ABC, abstractmethod
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state

from skbadge.outputs import Labeled, Needs, Outputs
from skbadge.outputs._chunked_outputs import ChunkedOutputs
from skbadge.samplers import Feasible, Selection
from skbadge.strategies._checked_outputs import checked_outputs
from skbadge.utils._row_errors import rows_among
from skbadge.utils._typing import RandomState

# For strategies that need all rows at once.
WAYS_OUT = (
    'Let the querier keep it: in files (`storage`: "auto" or a folder), or of a '
    "random part of the pool (`subsample`)."
)


class Strategy(BaseEstimator, ABC):
    """A whole rule that says which rows of a pool to label next.

    Most are a `ScoreStrategy` or an `EmbeddingStrategy`. Any other subclass says what
    it needs of the model in `needs`, stores its parameters in the constructor, may list
    them in ``_parameter_constraints`` as scikit-learn does, and implements

    ``_run(self, pool, n, labeled, feasible, rng)``

    which selects ``0 <= n <= feasible.n_left`` rows of ``pool`` (`Outputs`) and returns
    a `skbadge.samplers.Selection`. ``labeled`` is a `Labeled` or None, ``feasible`` a
    `skbadge.samplers.Feasible`, and ``rng`` a ``RandomState``.

    Attributes
    ----------
    needs : Needs, or tuple of str
        The fields of the pool's `Outputs` that the strategy reads; whether it looks at
        the labelled rows as well; and whether it must know rows again after their
        positions have changed. Names of the fields will do.

    reads_population : bool
        Whether rows that may not be selected have a part in the rule, as they have
        where it sums over the pool. By default it is given nothing but the rows that
        may be selected, and selects as if there were no others.

    Examples
    --------
    The most uncertain rows among those far from the labelled ones:

    >>> import numpy as np
    >>> from sklearn.metrics import pairwise_distances_argmin_min
    >>> from skbadge.samplers import Selection
    >>> from skbadge.strategies import Strategy
    >>> class FarAndUncertain(Strategy):
    ...     needs = ("proba", "features", "labeled")
    ...
    ...     def _run(self, pool, n, labeled, feasible, rng):
    ...         known = labeled.outputs.features
    ...         far = pairwise_distances_argmin_min(pool.features, known)[1]
    ...         order = np.argsort(far * (pool.proba.max(axis=1) - 1))
    ...         # The first of these that may be selected, groups and all.
    ...         return Selection(feasible.open().first(order, n))
    """

    _parameter_constraints: dict = {}

    @property
    def needs(self) -> Needs | tuple[str, ...]:
        """What it reads of the model; a subclass may have an attribute in its place."""
        return Needs()

    @property
    def all_needs(self) -> Needs:
        """All that is to be read: what it needs, and what its face adds to that."""
        return Needs.of(self.needs)

    @property
    def reads_population(self) -> bool:
        """Whether rows that may not be selected count; or an attribute, likewise."""
        return False

    @property
    def learns(self) -> bool:
        """Whether a selection leaves something behind that the next one goes by."""
        return False

    @property
    def target_rows(self) -> Any:
        """Rows that the rule is about beside those of the pool, as the user has them.

        The querier reads the model on them, with the same posterior samples, and hands
        what it says as `Outputs.targets`. None for no such rows.
        """
        return None

    @property
    def streams(self) -> bool:
        """Whether it selects from outputs that come in chunks, none of which is kept.

        It then has a method ``_run_on_chunks(self, pool, n, labeled, feasible, rng)``,
        which does with outputs that are read in chunks (``ChunkedOutputs``), anew in
        each pass, what ``_run`` does.
        """
        return False

    @property
    def samples_pool(self) -> bool:
        """Whether a uniform sample is all it looks at, of a pool in memory too."""
        return False

    def select(
        self,
        pool: Outputs,
        n: int,
        *,
        labeled: Labeled | None = None,
        feasible: NDArray[np.bool_] | Feasible | None = None,
        random_state: RandomState = None,
    ) -> NDArray[np.int64]:
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

        Raises
        ------
        ValueError
            If a field that is needed is missing or not finite, probabilities are none,
            ``n`` is negative, or no row may be selected.
        """
        return self.run(
            pool, n, labeled=labeled, feasible=feasible, random_state=random_state
        ).rows

    def run(
        self,
        pool: Outputs,
        n: int,
        *,
        labeled: Labeled | None = None,
        feasible: NDArray[np.bool_] | Feasible | None = None,
        random_state: RandomState = None,
    ) -> Selection:
        """Select rows, as `select` does, and say how they were selected.

        Parameters
        ----------
        pool, n, labeled, feasible, random_state
            As for `select`.

        Returns
        -------
        selection : Selection
            The rows, their values, and any fallbacks.
        """
        self._validate_params()
        feasible = Feasible.of(feasible, len(pool))
        n = feasible.up_to(n)
        rng = check_random_state(random_state)
        if isinstance(pool, ChunkedOutputs):
            return self._checked_run(pool, n, labeled, feasible, rng)
        needs, reader = self.all_needs, type(self).__name__
        if labeled is not None and needs.labeled:
            known = checked_outputs(labeled.outputs, needs, "labeled.outputs", reader)
            if known is not labeled.outputs:
                labeled = replace(labeled, outputs=known)
        rows = None
        if not (self.reads_population or feasible.mask is None):
            rows, feasible = feasible.restricted()
            pool = pool.take(rows)
        with rows_among(rows):
            pool = checked_outputs(pool, needs, "pool", reader)
            selection = self._checked_run(pool, n, labeled, feasible, rng)
        if rows is None:
            return selection
        return replace(selection, rows=rows[selection.rows])

    def _checked_run(self, pool, n, labeled, feasible, rng):
        is_chunked = isinstance(pool, ChunkedOutputs)
        run = self._run_on_chunks if is_chunked else self._run
        selection = run(pool, n, labeled, feasible, rng)
        if not isinstance(selection, Selection):
            raise TypeError(
                f"`_run` of {self} must return a skbadge.samplers.Selection, such as "
                f"Selection(rows). Got {type(selection).__name__}."
            )
        rows = feasible.check(selection.rows, n, f"The strategy {self}")
        return replace(selection, rows=rows)

    def _run_on_chunks(self, pool, n, labeled, feasible, rng) -> Selection:
        raise ValueError(
            f"{self} compares all rows with each other, and what the model says about "
            f"them comes in chunks. {WAYS_OUT}"
        )

    @abstractmethod
    def _run(self, pool, n, labeled, feasible, rng) -> Selection:
        """Select ``0 <= n <= feasible.n_left`` rows and return a `Selection`.

        Rows of ``feasible.pending`` count as selected before the first. Unless the
        strategy `reads_population`, all other rows may be selected, but for groups that
        are used up.
        """
